"""Steps of a plan, with their sentences and the English summary that documents have beside them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from sgguard.model.decision import Action, Step
from sgguard.model.sentence import Sentence, Text
from sgguard.render.language.sentence import in_english


def step_of(
    action: Action,
    target: str,
    sentence: Sentence,
    details: Mapping[str, str] | None = None,
    inverse: Step | None = None,
) -> Step:
    """Return a step, in words of English and of none."""
    return Step(action, target, in_english(sentence), dict(details or {}), inverse, sentence)


def reworded(step: Step, sentence: Sentence) -> Step:
    """Return the step with another sentence."""
    return replace(step, summary=in_english(sentence), sentence=sentence)


def said_of(step: Step) -> Text:
    """Return the step's sentence; of a plan of an older version its English summary."""
    return step.sentence or step.summary
