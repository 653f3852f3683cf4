"""Rows of a list that are built when a page of it is taken, and only those."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


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
