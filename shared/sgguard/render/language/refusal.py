"""Errors whose text is a sentence: English for logs and machines, any language for its reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sgguard.model.sentence import Sentence
from sgguard.render.language.sentence import in_words, knows, whole_english
from sgguard.render.language.words import Words

E = TypeVar("E", bound=Exception)


def refusal(kind: Callable[..., E], sentence: Sentence, **given: Any) -> E:
    """Return an error that says a sentence; ``given`` is what else an error of its kind has."""
    return saying(kind(whole_english(sentence), **given), sentence)


def saying(error: E, sentence: Sentence) -> E:
    """Return an error with the sentence that it says, whatever its own text is."""
    error.sentence = sentence  # type: ignore[attr-defined]  # every error of ours has one, or None
    return error


def sentence_of(error: Exception) -> Sentence | None:
    """Return what an error says in no language; None where only its English text is known."""
    found = getattr(error, "sentence", None)
    return found if isinstance(found, Sentence) else None


def told(sentence: Sentence | None, words: Words) -> str:
    """Return a sentence in words, whole; empty where there is none, or none in this language."""
    return in_words(sentence, words, 20_000) if sentence and knows(sentence, words) else ""
