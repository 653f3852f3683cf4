"""Errors whose text is a sentence: English for logs and machines, any language for its reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sgguard.model.failure import explained
from sgguard.model.sentence import Sentence, Text
from sgguard.render.language.sentence import WHOLE, in_words, knows, whole_english
from sgguard.render.language.words import Words

E = TypeVar("E", bound=Exception)


def refusal(kind: Callable[..., E], sentence: Sentence, **given: Any) -> E:
    """Return an error that says a sentence; ``given`` is what else an error of its kind has."""
    return explained(kind(whole_english(sentence), **given), sentence)


def sentence_of(error: Exception) -> Sentence | None:
    """Return what an error says in no language; None where only its English text is known."""
    found = getattr(error, "sentence", None)
    return found if isinstance(found, Sentence) else None


def told(sentence: Text | None, words: Words) -> str:
    """Return a sentence in words, whole; empty where there is none, or none in this language."""
    if not isinstance(sentence, Sentence) or not knows(sentence, words):
        return ""
    return in_words(sentence, words, WHOLE)
