"""All that a kept decision rests on, in pages: references, bindings, gaps, what would vanish.

Its steps follow them: an answer has no more of a plan than of evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

import msgspec

from sgguard.errors import InputError
from sgguard.render.evidence import KINDS, LISTS, cursor_of, mark_of

Json = dict[str, Any]


class _Facts(msgspec.Struct):
    """The lists of a kept document, each entry as the text that it is."""

    references: list[msgspec.Raw] = msgspec.field(default_factory=list)
    bindings: list[msgspec.Raw] = msgspec.field(default_factory=list)
    unseen: list[msgspec.Raw] = msgspec.field(default_factory=list)


class _Consequence(msgspec.Struct):
    vanishing: list[msgspec.Raw] = msgspec.field(default_factory=list)


class _Kept(msgspec.Struct):
    """What pages need of a kept document, of this version or an older one."""

    decision_id: str = ""
    decided_at: str = ""
    facts: _Facts = msgspec.field(default_factory=_Facts)
    consequences: list[_Consequence] = msgspec.field(default_factory=list)
    plan: list[msgspec.Raw] = msgspec.field(default_factory=list)

    def of(self, kind: str) -> list[list[msgspec.Raw]]:
        """Return the entries of a kind, in the document's lists of them."""
        if kind == "vanishing":
            return [one.vanishing for one in self.consequences]
        if kind == "step":
            return [self.plan]
        found: list[msgspec.Raw] = getattr(self.facts, LISTS[kind])
        return [found]


class Page(msgspec.Struct, frozen=True):
    """Some of a decision's evidence; ``cursor`` is that of the next page, empty after the last.

    ``entries`` have their kind as ``type``; ``counts`` are those of all pages, by kind.
    """

    entries: tuple[Json, ...]
    counts: Mapping[str, int]
    cursor: str


def page(document_json: str, cursor: str, limit: int) -> Page:
    """Return a page of what a kept decision rests on, always in the document's order.

    Only the entries of the page are read: the others remain text.

    Raises:
        InputError: the cursor is none, or one of another decision or of facts that were replaced.
    """
    # A cloud's JSON may hold half a surrogate pair, which UTF-8 cannot say.
    kept = msgspec.json.decode(document_json.encode(errors="replace"), type=_Kept)
    counts = {kind: sum(map(len, kept.of(kind))) for kind in KINDS}
    mark = mark_of(kept.decision_id, kept.decided_at)
    offset = _offset(cursor, mark) if cursor else 0
    chosen = islice(_all(kept), offset, offset + limit)
    entries = tuple({"type": kind, **msgspec.json.decode(raw)} for kind, raw in chosen)
    end = offset + len(entries)
    return Page(entries, counts, cursor_of(end, mark) if end < sum(counts.values()) else "")


def _all(kept: _Kept) -> Iterator[tuple[str, msgspec.Raw]]:
    for kind in KINDS:
        yield from ((kind, raw) for raw in chain.from_iterable(kept.of(kind)))


def _offset(cursor: str, mark: str) -> int:
    number, _, given = cursor.partition("-")
    if not (number.isascii() and number.isdigit() and given):
        raise InputError(f"{cursor!r} is no cursor: expected one that a page or an answer names")
    if given != mark:
        raise InputError(
            f"the cursor {cursor!r} is not of these facts: it belongs to another decision, or this "
            "one was judged again; begin without --cursor"
        )
    return int(number)
