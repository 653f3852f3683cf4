"""The sentences in English."""

from __future__ import annotations

from collections.abc import Mapping

from sgguard.render.language.sentences.en import (
    consequence,
    delete,
    facts,
    happened,
    launch,
    outcome,
    plan,
    problem,
    refusal,
    spot,
    step,
    units,
    unresolved,
    unseen,
)
from sgguard.render.language.words import Entry, Table

_USUAL: Mapping[str, Entry] = {
    **units.WORDS,
    **facts.WORDS,
    **unseen.WORDS,
    **delete.WORDS,
    **consequence.WORDS,
    **launch.WORDS,
    **plan.WORDS,
    **step.WORDS,
    **outcome.WORDS,
    **problem.WORDS,
    **refusal.WORDS,
    **spot.WORDS,
    **happened.WORDS,
    **unresolved.WORDS,
}

SENTENCES = Table(_USUAL, __name__)
