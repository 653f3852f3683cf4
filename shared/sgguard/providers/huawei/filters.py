"""Rows that a filter brought: kept, or explained, and never dropped in silence.

A row that answers the question "who names this group?" and does not show the group has one of two
reasons. Either this deployment ignores the filter and returns everything: that is found out once
per process and project, by asking with an id that cannot exist, and such rows are dropped. Or the
cloud knows something about the row that it does not show, and the answer is not complete.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import httpx
import msgspec

from sgguard.model.codes import UnseenCode
from sgguard.model.resource import Seen, Unseen
from sgguard.model.sentence import listed, said
from sgguard.providers.huawei.api import ABSENT_ID, Api
from sgguard.wire.openstack.neutron.page import Params

T = TypeVar("T")
_CACHE_MAX = 256

_Key = tuple[httpx.BaseTransport | None, str, str, str, str]


class Asked(msgspec.Struct, frozen=True):
    """A filtered question: the list, and the values of the filter ``key``.

    ``has_any`` asks the same list, in every way in which it was asked, with the filter it is given,
    and returns whether anything answers.
    """

    path: str
    collection: str
    key: str
    values: Sequence[str]
    has_any: Callable[[Params], bool]


class IgnoredFilters:
    """Which filters have no effect, by network, address, project, list and filter."""

    def __init__(self) -> None:
        self._known: dict[_Key, bool] = {}
        self._guard = threading.Lock()

    def is_ignored(self, key: _Key, ask: Callable[[], bool]) -> bool:
        """Return what is known, or what ``ask`` finds out; two threads may both ask."""
        with self._guard:
            if key in self._known:
                return self._known[key]
        is_ignored = ask()
        with self._guard:
            while len(self._known) >= _CACHE_MAX:
                del self._known[next(iter(self._known))]
            self._known[key] = is_ignored
        return is_ignored


_IGNORED = IgnoredFilters()
"""A deployment does not change how it filters; dropping an entry only costs a call."""


def explained(
    api: Api,
    asked: Asked,
    rows: Sequence[T],
    ids_of: Callable[[T], Sequence[str]],
    name_of: Callable[[T], str],
) -> Seen[list[T]]:
    """Return the rows that show why they answered, and a gap where others do not.

    ``ids_of`` are the ids of a row that the filter is about, ``name_of`` names a row in the gap.
    """
    values = set(asked.values)
    known = [row for row in rows if values & set(ids_of(row))]
    strangers = [row for row in rows if not values & set(ids_of(row))]
    if not strangers or _is_ignored(api, asked):
        return Seen(known)
    named = listed(sorted(name_of(row) for row in strangers)[:3])
    gap = Unseen(
        code=UnseenCode.NOT_TOLD,
        what=said("part.strangers", collection=asked.collection.replace("_", " ")),
        why=said(
            "why.strangers", rows=len(strangers), asked=f"{asked.path}?{asked.key}=", shown=named
        ),
        remedy=said("remedy.look-and-report"),
        group_id=asked.values[0] if len(values) == 1 and asked.key in _OF_GROUPS else "",
    )
    return Seen(known, (gap,))


_OF_GROUPS = ("security_groups", "security_group_id", "remote_group_id")


def _is_ignored(api: Api, asked: Asked) -> bool:
    def ask() -> bool:
        return asked.has_any(((asked.key, ABSENT_ID),))

    key = (api.wire.transport, api.region.vpc, api.project(), asked.path, asked.key)
    return _IGNORED.is_ignored(key, ask)
