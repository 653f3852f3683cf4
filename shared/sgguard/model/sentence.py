"""A sentence in no language: the code of what is said, and its typed arguments.

Whoever judges, plans or acts makes sentences. ``render/language/sentence.py`` puts them into words
of a language when they are shown; the words of each code are in ``render/language/sentences/``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

LISTED_MAX = 40
"""Values of a list that are kept; no line has room for more, and the facts have all of them."""


@dataclass(frozen=True, slots=True)
class Named:
    """A group or another thing of a cloud: its id, and its name where it is told."""

    thing_id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are of a kind of thing, such as ``interface``."""

    number: int
    unit: str


@dataclass(frozen=True, slots=True)
class Listed:
    """The first values of a list, and how many values it has."""

    shown: tuple[Value, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """What is said, or a part of it: a code, and values by the names that its words have."""

    code: str
    args: tuple[tuple[str, Value], ...] = ()


Value: TypeAlias = "str | int | datetime | Named | Count | Listed | Sentence"
"""An argument: a text as the cloud or a person wrote it, a number, a moment, or one of the above.

The empty text is a part that is left out.
"""


def said(code: str, /, **args: Value) -> Sentence:
    """Return the sentence of a code, which is written out where this is called."""
    return Sentence(code, tuple(args.items()))


def listed(values: Iterable[Value]) -> Listed:
    """Return the distinct values as a list, in their order."""
    distinct = tuple(dict.fromkeys(values))
    return Listed(distinct[:LISTED_MAX], len(distinct))
