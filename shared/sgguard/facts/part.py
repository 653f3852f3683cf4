"""One part of the facts of several groups, such as their bindings, and what it could not see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec
from msgspec.structs import replace

from sgguard.model.codes import UnseenCode
from sgguard.model.resource import Unseen
from sgguard.model.sentence import said

T = TypeVar("T")


class Part(msgspec.Struct, Generic[T], frozen=True):
    """One part of the facts, by group id, of every id it was asked for."""

    what: str
    values: Mapping[str, T] = msgspec.field(default_factory=dict)
    unseen: tuple[Unseen, ...] = ()
    asked: tuple[str, ...] = ()

    def gaps(self) -> dict[str, tuple[Unseen, ...]]:
        """Return what this part could not see, by group id, of every id it was asked for."""
        asked = dict.fromkeys(self.asked)
        by_id: dict[str, list[Unseen]] = {}
        for unseen in self.unseen:
            # A gap that names a group outside the request is taken to concern every group of it.
            for group_id in [unseen.group_id] if unseen.group_id in asked else asked:
                by_id.setdefault(group_id, []).append(unseen)
        return {
            group_id: tuple(by_id.get(group_id, ())) or self._unmentioned(group_id)
            for group_id in asked
        }

    def _unmentioned(self, group_id: str) -> tuple[Unseen, ...]:
        if group_id in self.values:
            return ()
        return (
            Unseen(
                code=UnseenCode.NOT_TOLD,
                what=said("part.of", part=self.what, thing=group_id),
                why=said("why.group-not-mentioned"),
                remedy=said("remedy.again-or-report"),
                group_id=group_id,
            ),
        )

    def and_also(self, other: Part[T]) -> Part[T]:
        """Return the two parts as one; each keeps what it could not see to its own groups."""
        return replace(
            self,
            values={**self.values, **other.values},
            unseen=(*_with_ids(self), *_with_ids(other)),
            asked=(*self.asked, *other.asked),
        )


def _with_ids(part: Part[Any]) -> tuple[Unseen, ...]:
    return tuple(
        replace(unseen, group_id=group_id)
        for group_id, gaps in part.gaps().items()
        for unseen in gaps
    )


def gaps_of(*parts: Part[Any]) -> dict[str, tuple[Unseen, ...]]:
    """Return what several parts could not see, by group id, in the order of the parts."""
    found: dict[str, tuple[Unseen, ...]] = {}
    for part in parts:
        for group_id, gaps in part.gaps().items():
            found[group_id] = (*found.get(group_id, ()), *gaps)
    return found
