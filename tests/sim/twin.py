"""Both stores at once: what a story does in SQLite, PostgreSQL does after it, and alike.

The workers get the answers of SQLite. Every statement is noted with its values, its moment and its
answer, and after the story PostgreSQL gets all of them: the same transactions in the same order,
over the store's own pipeline. Each answer is compared, and then the rows of all tables. So a story
of both takes hardly longer than one of SQLite, and says more than one of each: whatever PostgreSQL
does otherwise is a violation (``stores``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psycopg

from sgguard.store import Store, open_store
from sgguard.store.database import Reply, Session, Value
from sgguard.store.postgres import PostgresDatabase, _Session
from sgguard.store.sqlite import SqliteDatabase

T = TypeVar("T")
Rows = list[tuple[Any, ...]]
Lines = Sequence[Mapping[str, Value]]

SEPARATOR = " and "
"""Between the two URLs."""


@dataclass
class _Asked:
    """A statement, when it was done, and what SQLite answered.

    ``changed`` is None unless a worker has asked how many rows it changed.
    """

    statement: str
    values: Mapping[str, Value]
    lines: Lines | None
    now_s: float
    reply: Reply
    changed: int | None = None

    def rows(self) -> Rows:
        return self.reply.rows()

    def count(self) -> int:
        self.changed = self.reply.count()
        return self.changed

    def send(self, session: Session) -> Reply:
        """Do it again in another store."""
        if self.lines is None:
            return session.send(self.statement, **self.values)
        return session.send_lines(self.statement, self.lines, **self.values)

    def difference(self, other: Reply) -> str:
        """What the other one answers otherwise, "" where nothing."""
        if self.changed is not None and self.changed != other.count():
            return f"{self.changed} and {other.count()} rows changed: {self.statement}"
        rows, others = self.rows(), other.rows()
        if rows == others:
            return ""
        if "ORDER BY" not in self.statement and _sorted(rows) == _sorted(others):
            return ""
        return f"{rows} and {others}: {self.statement}"


def _sorted(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: [(one is None, str(one)) for one in row])


@dataclass
class _Noted:
    """A session of SQLite that notes what it is asked."""

    inner: Session
    now: Callable[[], float]
    ends: bytes
    asked: list[_Asked] = field(default_factory=list)

    def send(self, statement: str, **values: Value) -> _Asked:
        return self._noted(statement, values, None, self.inner.send(statement, **values))

    def send_lines(self, statement: str, lines: Lines, **values: Value) -> _Asked:
        reply = self.inner.send_lines(statement, lines, **values)
        return self._noted(statement, values, lines, reply)

    def rows(self, statement: str, **values: Value) -> Rows:
        return self.send(statement, **values).rows()

    def count(self, statement: str, **values: Value) -> int:
        return self.send(statement, **values).count()

    def _noted(
        self, statement: str, values: Mapping[str, Value], lines: Lines | None, reply: Reply
    ) -> _Asked:
        self.asked.append(_Asked(statement, values, lines, self.now(), reply))
        return self.asked[-1]


class TwinDatabase:
    """The database of the workers, and the one that does the same after it."""

    def __init__(
        self, first: SqliteDatabase, second: PostgresDatabase, now: Callable[[], float]
    ) -> None:
        self.first, self.second = first, second
        self._now = now
        self._done: list[_Noted] = []

    def autocommit(self, work: Callable[[Any], T]) -> T:
        """Do work without a transaction."""
        return self.first.autocommit(lambda session: work(self._note(session, b"COMMIT")))

    def transaction(self, work: Callable[[Any], T]) -> T:
        """Do work in one transaction."""

        def noted(session: Session) -> T:
            done = self._note(session, b"ROLLBACK")
            result = work(done)
            done.ends = b"COMMIT"
            return result

        return self.first.transaction(noted)

    def close(self) -> None:
        """Close the connections of both."""
        self.first.close()
        self.second.close()

    def differences(self, tables: Sequence[str]) -> Iterator[str]:
        """Yield what the second one does otherwise, and what is in its tables otherwise."""
        self.autocommit(lambda session: [session.send(f"SELECT * FROM {one}") for one in tables])
        done, self._done = self._done, []
        try:
            replies = self._do_again(done)
        except psycopg.Error as error:
            yield f"{type(error).__name__}: {error}"
            return
        for asked, reply in replies:
            if text := asked.difference(reply):
                yield text

    def _note(self, session: Session, ends: bytes) -> _Noted:
        self._done.append(_Noted(session, self._now, ends))
        return self._done[-1]

    def _do_again(self, done: Sequence[_Noted]) -> list[tuple[_Asked, Reply]]:
        """Do everything in the second one, and return its answers."""
        replies: list[tuple[_Asked, Reply]] = []
        with self.second._pool.lend() as link:
            for one in done:
                link.send(b"BEGIN")  # or all statements of a pipeline are one transaction
                for asked in one.asked:
                    session = _Session(link, lambda now_s=asked.now_s: now_s)
                    replies.append((asked, asked.send(session)))
                link.send(one.ends)
            link.arrive()
        return replies


def twin_url(first: str, second: str) -> str:
    """The URL of a SQLite and of a PostgreSQL, as one."""
    return f"{first}{SEPARATOR}{second}"


def open_twin(url: str, now: Callable[[], float]) -> Store:
    """Open the two stores of a URL as one."""
    first, second = (open_store(one, now=now)._database for one in url.split(SEPARATOR))
    assert isinstance(first, SqliteDatabase)
    assert isinstance(second, PostgresDatabase)
    return Store(TwinDatabase(first, second, now))  # type: ignore[arg-type]
