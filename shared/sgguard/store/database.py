"""What a database must offer so that one set of SQL statements serves it.

Statements have named parameters (``:name``). ``:now`` is always there: the seconds on the store's
own clock. A ``FOR UPDATE`` at the end keeps others off the rows until the transaction ends; where
a writing transaction keeps everybody else off anyway, it means nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

Value = str | int | float | None


class Session(Protocol):
    """One connection while somebody works with it."""

    def rows(self, statement: str, **values: Value) -> list[tuple[Any, ...]]:
        """Return every row a statement gives, ``RETURNING`` included."""
        ...

    def count(self, statement: str, **values: Value) -> int:
        """Return how many rows a statement changed."""
        ...


class Database(Protocol):
    """Connections, and transactions on them; every failure is a StoreError."""

    def alone(self, work: Callable[[Session], T]) -> T:
        """Do something whose statements each stand for themselves: no transaction around them."""
        ...

    def together(self, work: Callable[[Session], T]) -> T:
        """Do something in one transaction; it may be done again where the database wants that."""
        ...

    def close(self) -> None:
        """Let go of every connection."""
        ...
