"""The store in a file of SQLite: of one machine, with any number of processes."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from sgguard.errors import StoreError
from sgguard.store import schema
from sgguard.store.database import Session, Value
from sgguard.store.pool import Pool

T = TypeVar("T")

BUSY_S = 10.0
"""How long a transaction waits for another process to end its own."""

_FAILURES = (sqlite3.Error, UnicodeError, OverflowError)
_IS_MADE = "SELECT 1 FROM sqlite_master WHERE name = 'sgguard_schema_version'"


@dataclass(frozen=True, slots=True)
class _Link:
    """A connection, and which file it is to (device and number: a name may be given anew)."""

    connection: sqlite3.Connection
    file: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Session:
    connection: sqlite3.Connection
    now: Callable[[], float]

    def rows(self, statement: str, **values: Value) -> list[tuple[Any, ...]]:
        return self._execute(statement, values).fetchall()

    def count(self, statement: str, **values: Value) -> int:
        return self._execute(statement, values).rowcount

    def _execute(self, statement: str, values: dict[str, Value]) -> sqlite3.Cursor:
        if any(isinstance(value, str) and "\0" in value for value in values.values()):
            # PostgreSQL refuses it: what can be kept is the same in every store.
            raise StoreError("a text with a NUL cannot be kept")
        values["now"] = self.now()
        return self.connection.execute(_spelt(statement), values)


class SqliteDatabase:
    """Connections to one file."""

    def __init__(
        self,
        path: Path,
        now: Callable[[], float] | None = None,
        *,
        busy_s: float = BUSY_S,
    ) -> None:
        self._path = path
        self._now = now or time.time
        self._busy_s = busy_s
        self._pool: Pool[_Link] = Pool(self._connect, _close, self._is_fit)

    def alone(self, work: Callable[[Session], T]) -> T:
        """Do something whose statements each stand for themselves."""
        with self._translated(), self._pool.lend() as link:
            return work(_Session(link.connection, self._now))

    def together(self, work: Callable[[Session], T]) -> T:
        """Do something in one transaction, which has the file for itself."""
        with self._translated(), self._pool.lend() as link, _transaction(link.connection):
            return work(_Session(link.connection, self._now))

    def close(self) -> None:
        """Let go of every connection."""
        self._pool.close()

    def _connect(self) -> _Link:
        prepare(self._path)
        connection = sqlite3.connect(
            self._path, timeout=self._busy_s, isolation_level=None, check_same_thread=False
        )
        try:
            self._set_up(connection)
            return _Link(connection, _number(self._path))
        except BaseException:
            connection.close()
            raise

    def _set_up(self, connection: sqlite3.Connection) -> None:
        # What was intended must be on the disk before it is done: FULL waits for that at the end
        # of each transaction, which NORMAL does not with a write-ahead log.
        connection.execute("PRAGMA synchronous = FULL")
        self._begin_log(connection)
        session = _Session(connection, self._now)
        if not (session.rows(_IS_MADE) and schema.is_current(session)):
            with _transaction(connection):
                schema.migrate(session)

    def _begin_log(self, connection: sqlite3.Connection) -> None:
        """Switch to a write-ahead log, once for the file: readers and the writer do not meet.

        Nobody waits for the lock this needs but we: SQLite answers at once that it is taken.
        """
        ends = time.monotonic() + self._busy_s
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL").fetchall()
            except sqlite3.OperationalError as error:
                if not _is_busy(error) or time.monotonic() > ends:
                    raise
                time.sleep(0.01)
            else:
                return

    def _is_fit(self, link: _Link) -> bool:
        try:
            return _number(self._path) == link.file
        except OSError:
            return False

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"the store {self._path} cannot be used: {error.strerror}") from error
        except _FAILURES as error:
            raise StoreError(f"the store {self._path}: {_said(error)}") from error


def _number(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    # IMMEDIATE: whoever will write waits at the beginning, where waiting is safe.
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # Some failures, a full disk for one, have ended the transaction already.
        with contextlib.suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise


def _close(link: _Link) -> None:
    with contextlib.suppress(sqlite3.Error):
        link.connection.close()


@lru_cache(maxsize=128)
def _spelt(statement: str) -> str:
    """Return the statement as SQLite spells it: a transaction that writes has no rows to lock."""
    return re.sub(r"\s+FOR UPDATE\s*$", "", statement)


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _said(error: Exception) -> str:
    """Return what went wrong; SQLite's own texts hold no values, others' may."""
    if not isinstance(error, sqlite3.Error):
        return "a text or number that cannot be kept"
    if isinstance(error, sqlite3.OperationalError) and _is_busy(error):
        return "another process did not let go of it in time"
    return str(error)


def prepare(path: Path) -> None:
    """Create the file if it is not there, for its owner's eyes only.

    One that is there is not opened: closing it again would take away the locks that connections
    of this process have on it (https://www.sqlite.org/howtocorrupt.html, 2.2).

    Raises:
        OSError: it cannot be created, read or written.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        # The folder as well: the write-ahead log is made beside the file.
        if not (os.access(path, os.R_OK | os.W_OK) and os.access(path.parent, os.W_OK)):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)  # or a power cut might take the file, and the journal in it
    finally:
        os.close(folder)
