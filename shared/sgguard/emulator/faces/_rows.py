"""Rows of a list that are built when a page of it is taken, and only those.

What a request filters and sorts by is read of each row of a list, once in a state of the cloud
(``Cloud.kept``); everything else of a row costs only the pages that show it. So a page of ten
thousand rows costs what one of a hundred does, and is of the state as it is now.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class Deferred(dict[str, Any]):
    """A row of which only some values are there until another one is asked for."""

    def __init__(self, values: dict[str, Any], build: Callable[[], dict[str, Any]]) -> None:
        super().__init__(values)
        self._build = build

    def __missing__(self, key: str) -> Any:
        return self.whole()[key]

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, of those that are not there yet too."""
        return self[key] if key in self else self.whole().get(key, default)

    def whole(self) -> dict[str, Any]:
        """Return the row with all its values, in their order."""
        return self._build()


def whole(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with all its values."""
    return row.whole() if isinstance(row, Deferred) else row


class Rows(Sequence[Any], Generic[T]):
    """What was found, as rows: a slice of them is a list of rows."""

    def __init__(self, found: Sequence[T], row_of: Callable[[T], Any]) -> None:
        self._found = found
        self._row_of = row_of

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, at: int) -> Any: ...
    @overload
    def __getitem__(self, at: slice) -> list[Any]: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return [self._row_of(one) for one in self._found[at]]
        return self._row_of(self._found[at])
