"""One connection to a store, which stories have one after another.

To open a store, to look for its tables and to make them takes longer than many a story. A point is
before a transaction and after it, never in one, so that one connection serves all workers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, Literal

from sgguard.errors import SgguardError
from sgguard.store.sqlite import SqliteDatabase, _Link
from tests.sim.twin import SEPARATOR, TwinDatabase

_STATEMENTS = 1024
"""More than there are: each is parsed once per process."""


class Shared:
    """In place of a pool: lends its one connection, to whoever asks.

    ``memory`` is the database of SQLite itself, which is in this process and nowhere else; None
    where it is a server's. ``written`` are the tables to which stories wrote since it was empty.
    """

    def __init__(
        self, connect: Callable[[], Any], close: Callable[[Any], None], memory: Any = None
    ) -> None:
        self.memory: sqlite3.Connection | None = memory
        self.written: set[str] = set()
        self._connect = connect
        self._close = close
        self._link: Any = None

    def lend(self) -> Shared:
        """Lend the connection as long as a context lasts."""
        return self

    def __enter__(self) -> Any:
        if self._link is None:
            self._link = self._connect()
        return self._link

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> Literal[False]:
        # As a pool does: what failed in the middle is not used again. A database in memory has
        # ended its transaction, and would be gone.
        is_broken = kind is not None and not issubclass(kind, SgguardError)
        if is_broken and self.memory is None:
            self.close()
        return False

    def close(self) -> None:
        """Close the connection."""
        if self._link is not None:
            self._close(self._link)
            self._link = None

    def taken(self) -> set[str]:
        """The tables that are to be emptied before the next story."""
        found, self.written = self.written - {"sgguard_schema_version"}, set()
        return found


SHARED: dict[str, Shared] = {}
"""By the URL of the store."""


def shared(url: str, database: Any) -> list[Shared]:
    """Let a database of a story use the one connection to its store, or to each of two."""
    if isinstance(database, TwinDatabase):
        first, second = url.split(SEPARATOR)
        return [*shared(first, database.first), *shared(second, database.second)]
    found = SHARED.get(url)
    if found is None:
        make = _in_memory if isinstance(database, SqliteDatabase) else _on_server
        found = SHARED[url] = make(database)
    database._pool = found
    return [found]


def _in_memory(database: SqliteDatabase) -> Shared:
    connection = sqlite3.connect(
        ":memory:",
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS,
    )
    database._set_up(connection)
    return Shared(lambda: _Link(connection, (0, 0)), lambda _: None, connection)


def _on_server(database: Any) -> Shared:
    pool = database._pool
    return Shared(pool._connect, pool._close)
