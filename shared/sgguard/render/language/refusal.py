"""Errors whose text is a sentence: English for logs and machines, any language for its reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from sgguard.errors import Problem
from sgguard.model.failure import explained
from sgguard.model.sentence import Sentence, Text
from sgguard.render.language.sentence import WHOLE, in_words, knows, whole_english
from sgguard.render.language.words import Words
from sgguard.render.said import sentences_json

E = TypeVar("E", bound=Exception)


def refusal(kind: Callable[..., E], sentence: Sentence, **given: Any) -> E:
    """Return an error that says a sentence; ``given`` is what else an error of its kind has."""
    return explained(kind(whole_english(sentence), **given), sentence)


def sentence_of(error: Exception) -> Sentence | None:
    """Return what an error says in no language; None where only its English text is known."""
    found = getattr(error, "sentence", None)
    return found if isinstance(found, Sentence) else None


def texts_of(problem: Problem) -> tuple[Text, Text]:
    """Return what is wrong, and what would be right."""
    # Its own module is below sentences and knows no type for both.
    return cast(Text, problem.problem), cast(Text, problem.expected)


def problem_json(problem: Problem) -> dict[str, Any]:
    """Return a problem as documents have it: in English, and beside that in no language."""
    found, right = texts_of(problem)
    return {
        "path": problem.path,
        "problem": whole_english(found),
        "expected": whole_english(right),
        **sentences_json(problem=found, expected=right),
    }


def told(sentence: Text | None, words: Words) -> str:
    """Return a sentence in words, whole; empty where there is none, or none in this language."""
    if not isinstance(sentence, Sentence) or not knows(sentence, words):
        return ""
    return in_words(sentence, words, WHOLE)
