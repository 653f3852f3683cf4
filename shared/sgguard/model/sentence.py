"""A sentence in no language: the code of what is said, and its typed arguments.

Whoever judges, plans or acts makes sentences. ``render/language/sentence.py`` puts them into words
of a language when they are shown; the words of each code are in ``render/language/sentences/``.

Everything is one type, so that facts that have sentences can be kept and read back. A thing, a
count, a list and a moment are sentences too, whose codes begin with ``=`` and need no words.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

import msgspec

LISTED_MAX = 40
"""Values of a list that are kept; no line has room for more, and the facts have all of them."""

THING, COUNT, LIST, MOMENT = "=thing", "=count", "=list", "=moment"


class Named(msgspec.Struct, frozen=True):
    """A group or another thing of a cloud: its id, and its name where it is told."""

    thing_id: str
    name: str = ""


class Sentence(msgspec.Struct, frozen=True):
    """What is said, or a part of it: a code, and values by the names that its words have."""

    code: str
    args: tuple[tuple[str, str | int | Sentence | tuple[str | int | Sentence, ...]], ...] = ()


Text: TypeAlias = str | Sentence
"""What a person reads: a text as the cloud or a person wrote it, or a sentence in no language."""

Item: TypeAlias = str | int | Sentence

Value: TypeAlias = Item | tuple[Item, ...]
"""An argument: a text as the cloud or a person wrote it, a number, or a sentence.

The empty text is a part that is left out.
"""


def said(code: str, /, **args: Item) -> Sentence:
    """Return the sentence of a code, which is written out where this is called."""
    return Sentence(code, tuple(args.items()))


def as_sentence(text: Text) -> Sentence:
    """Return a text as a sentence, which quotes it where a cloud or a person wrote it."""
    return text if isinstance(text, Sentence) else said("note.text", text=text)


def as_told(text: Text) -> str:
    """Return a text, or what a sentence quotes of what it is about; else its code.

    For errors of rooms that have no words: whoever shows a sentence puts it into words.
    """
    if isinstance(text, str):
        return text
    quoted = dict(text.args).get("text", "")
    return quoted if isinstance(quoted, str) and quoted else text.code


def thing(thing_id: str, name: str | None = "") -> Sentence:
    """Return a group or another thing of a cloud: its id, and its name where it is told."""
    return Sentence(THING, (("id", thing_id), ("called", name or "")))


def counted(number: int, unit: str) -> Sentence:
    """Return how many there are of a kind of thing, such as ``interface``."""
    return Sentence(COUNT, (("number", number), ("unit", unit)))


def listed(values: Iterable[Item]) -> Sentence:
    """Return the distinct values as a list, in their order; ``total`` is how many it has."""
    distinct = tuple(dict.fromkeys(values))
    return Sentence(LIST, (("shown", distinct[:LISTED_MAX]), ("total", len(distinct))))


def together(notes: Iterable[Text]) -> Text:
    """Return several sentences as one, in their order; of a single one itself, of none nothing."""
    several = tuple(dict.fromkeys(notes))
    if len(several) > 1:
        return said("note.all", notes=listed(several))
    return several[0] if several else ""


def moment(at: datetime) -> Sentence:
    """Return a moment, which is shown in the zone of its reader."""
    return Sentence(MOMENT, (("at", at.isoformat()),))
