"""The store in a file of SQLite: for one machine, with any number of processes."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from sgguard.errors import StoreError
from sgguard.store import file, schema
from sgguard.store.base import Store
from sgguard.store.database import Reply, Session, Value, kept_lines, kept_values
from sgguard.store.file import prepare
from sgguard.store.pool import Pool

T = TypeVar("T")

BUSY_S = 10.0
"""How long a transaction waits for another process to end its own."""

_QUICK_S = 0.5
"""How long a statement waits that must not keep a call waiting."""

_BOOT = getattr(time, "CLOCK_BOOTTIME", None)
_FAILURES = (sqlite3.Error, UnicodeError, OverflowError)
_PARAMETER = re.compile(r":(\w+)")
_IS_MADE = "SELECT 1 FROM sqlite_master WHERE name = 'sgguard_schema_version'"
_HAS_TABLES = "SELECT 1 FROM sqlite_master LIMIT 1"


class _Link(msgspec.Struct, frozen=True):
    """A connection, and which file it is to (device and number: a name may be given anew)."""

    connection: sqlite3.Connection
    file: tuple[int, int]


class _Done(msgspec.Struct, frozen=True):
    """The answer to a statement: a file has it at once."""

    found: list[tuple[Any, ...]]
    changed: int

    def rows(self) -> list[tuple[Any, ...]]:
        return self.found

    def count(self) -> int:
        return self.changed


class _Session(msgspec.Struct, frozen=True):
    connection: sqlite3.Connection
    now: Callable[[], float]

    def send(self, statement: str, **values: Value) -> Reply:
        done = self._execute(statement, values)
        return _Done(done.fetchall(), done.rowcount)

    def send_lines(
        self, statement: str, lines: Sequence[Mapping[str, Value]], **values: Value
    ) -> Reply:
        of_all = self._kept(values)
        of_lines = kept_lines(lines)
        text, names = _by_place(_translate(statement))
        columns = [
            [of_all[name]] * len(lines) if name in of_all else [line[name] for line in of_lines]
            for name in names
        ]
        rows = zip(*columns, strict=True)
        return _Done([], self.connection.executemany(text, rows).rowcount)

    def rows(self, statement: str, **values: Value) -> list[tuple[Any, ...]]:
        return self._execute(statement, values).fetchall()

    def count(self, statement: str, **values: Value) -> int:
        return self._execute(statement, values).rowcount

    def _execute(self, statement: str, values: dict[str, Value]) -> sqlite3.Cursor:
        return self.connection.execute(_translate(statement), self._kept(values))

    def _kept(self, values: dict[str, Value]) -> dict[str, Value]:
        kept = kept_values(values)
        kept["now"] = self.now()
        return kept


class SqliteDatabase:
    """Connections to one file; with ``must_exist`` nobody else's and none that is not there."""

    def __init__(
        self,
        path: Path,
        now: Callable[[], float] | None = None,
        *,
        busy_s: float = BUSY_S,
        must_exist: bool = False,
        lasts: bool = True,
    ) -> None:
        self._lasts = lasts
        self._quick: SqliteDatabase | None = None
        self._path = path
        self._must_exist = must_exist
        self._now = now or time.time
        # All processes of a machine read this one clock, and nobody sets it.
        self.tick: Callable[[], float] | None = _machine_s
        self.clock = self.not_lasting = ""
        self._busy_s = busy_s
        self._pool: Pool[_Link] = Pool(self._connect, _close, self._is_fit)

    def autocommit(self, work: Callable[[Session], T]) -> T:
        """Do work whose statements each stand for themselves."""
        with self._store_errors(), self._pool.lend() as link:
            return work(_Session(link.connection, self._now))

    def transaction(self, work: Callable[[Session], T]) -> T:
        """Do work in one transaction, which has the file for itself."""
        with self._store_errors(), self._pool.lend() as link, _transaction(link.connection):
            session = _Session(link.connection, self._now)
            schema.require_current(session)
            return work(session)

    def for_pace(self) -> SqliteDatabase:
        """Return the same file, for what need not last: no commit waits for the disk."""
        if self._quick is None:
            self._quick = SqliteDatabase(
                self._path, self._now, busy_s=_QUICK_S, must_exist=self._must_exist, lasts=False
            )
        return self._quick

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()
        if self._quick is not None:
            self._quick.close()

    def _connect(self) -> _Link:
        if not self._must_exist:
            prepare(self._path)
        connection = sqlite3.connect(
            f"{self._path.as_uri()}?mode=rw",  # never made here
            timeout=self._busy_s,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
        )
        try:
            self._set_up(connection)
            return _Link(connection, _number(self._path))
        except BaseException:
            connection.close()
            raise

    def _set_up(self, connection: sqlite3.Connection) -> None:
        session = _Session(connection, self._now)
        if self._must_exist and session.rows(_HAS_TABLES) and not session.rows(_IS_MADE):
            raise StoreError(f"there is no store in {self._path}: it is another database")
        # What was intended must be on the disk before it is done: FULL waits for that at the end
        # of each transaction, which NORMAL does not with a write-ahead log.
        connection.execute(f"PRAGMA synchronous = {'FULL' if self._lasts else 'NORMAL'}")
        self._begin_log(connection)
        if not (session.rows(_IS_MADE) and schema.is_current(session)):
            with _transaction(connection):
                schema.migrate(session)

    def _begin_log(self, connection: sqlite3.Connection) -> None:
        """Switch to a write-ahead log, once per file: readers do not wait for the writer.

        SQLite does not wait for the lock this needs: it reports at once that it is taken.
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
    def _store_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(f"the store {self._path} cannot be used: {error.strerror}") from error
        except _FAILURES as error:
            raise StoreError(f"the store {self._path}: {_message(error)}") from error


def _number(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    # IMMEDIATE: a transaction that will write waits at its beginning, where waiting is safe.
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
def _translate(statement: str) -> str:
    """Return the statement in SQLite's form: a transaction that writes has no rows to lock."""
    scalar = statement.replace("GREATEST(", "MAX(").replace("LEAST(", "MIN(")
    if "FROM LINES(" in scalar:
        # Each line is a statement of its own: nothing is far away from a file.
        scalar = re.sub(r"\bline\.", ":", re.sub(r"\bFROM LINES\([^)]*\)", "", scalar))
    return re.sub(r"\s+FOR UPDATE\s*$", "", scalar)


@lru_cache(maxsize=16)
def _by_place(statement: str) -> tuple[str, tuple[str, ...]]:
    """Return a statement with numbered parameters, and their names in that order.

    SQLite's driver looks each parameter up by its name, for each line anew.
    """
    names = tuple(dict.fromkeys(_PARAMETER.findall(statement)))
    return _PARAMETER.sub(lambda found: f"?{names.index(found[1]) + 1}", statement), names


def _machine_s() -> float:
    """Return the seconds since the machine was started, the same for every process of it."""
    return time.monotonic() if _BOOT is None else time.clock_gettime(_BOOT)


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return (error.sqlite_errorcode & 0xFF) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _message(error: Exception) -> str:
    """Return what went wrong; SQLite's own texts hold no values, others' may."""
    if not isinstance(error, sqlite3.Error):
        return "a text or number that cannot be kept"
    if isinstance(error, sqlite3.OperationalError) and _is_busy(error):
        return "another process did not release it in time"
    return str(error)


def open_sqlite(url: str, now: Callable[[], float] | None) -> Store:
    """Return the store in the file of a URL.

    Raises:
        SettingsError: the URL names no file, or one that cannot be created or written.
    """
    return Store(SqliteDatabase(file.made(url), now))


def find_sqlite(url: str, now: Callable[[], float] | None) -> Store | None:
    """Return the store in the file of a URL, None where there is no such file; nothing is made.

    Raises:
        SettingsError: the URL names no file, or one that cannot be read and written.
    """
    path = file.found(url)
    return None if path is None else Store(SqliteDatabase(path, now, must_exist=True))
