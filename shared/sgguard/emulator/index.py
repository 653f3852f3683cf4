"""What is looked up in a cloud by something else than its place in a list, in one state of it.

An index is of one state: any change makes it worthless (``watch.py``), and the next look makes a
new one. A few searches of a state go through its lists; after that many of a kind they use a table,
which is built once. What a list call found is kept as well, so that its pages filter once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

from sgguard.emulator.watch import latest

T = TypeVar("T")

SEARCHES = 4
"""So many searches of one kind are made before there is a table for them."""

KEPT = 64
"""So many finds are kept at a time."""


class Index:
    """Tables and finds of one state."""

    def __init__(self) -> None:
        self._mark = latest()
        self._tables: dict[str, Mapping[str, Any]] = {}
        self._searches: dict[str, int] = {}
        self._finds: dict[Hashable, Any] = {}

    def __reduce__(self) -> tuple[type[Index], tuple[()]]:
        """A copy of a cloud begins with an index of its own."""
        return Index, ()

    @property
    def is_current(self) -> bool:
        """Whether nothing was changed since."""
        return self._mark is latest()

    def table(self, name: str, build: Callable[[], Mapping[str, T]]) -> Mapping[str, T] | None:
        """Return a table, None for the first few searches: they cost less than to build it."""
        found = self._tables.get(name)
        if found is None:
            searches = self._searches[name] = self._searches.get(name, 0) + 1
            if searches > SEARCHES:
                found = self._tables[name] = build()
        return found

    def kept(self, key: Hashable, find: Callable[[], T]) -> T:
        """Return what was found for a key, else find it.

        Where ``find`` changes the state, this index ends with it: nothing of it is used again.
        """
        if key not in self._finds:
            found = find()
            if len(self._finds) >= KEPT:
                self._finds.clear()
            self._finds[key] = found
        value: T = self._finds[key]
        return value
