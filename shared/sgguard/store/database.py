"""What a database must offer so that one set of SQL statements serves it.

Statements have named parameters (``:name``). ``:now`` is always there: the seconds on the store's
own clock. A ``FOR UPDATE`` at the end keeps others off the rows until the transaction ends; where
a writing transaction keeps all others off anyway, it means nothing.

A method of the store is written once, with the session it works in as its first argument::

    @transaction
    def renew(self, session: Session, claim: Claim, lease_s: float) -> None: ...

``FROM LINES(a TEXT, b BIGINT)`` in a statement is a table ``line`` with these columns: what
:meth:`Session.send_lines` is given. Each of them is named as ``line.a``.

The decorator opens the session, so its caller writes ``store.renew(claim, 60)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from sgguard.errors import StoreError
from sgguard.telemetry.redaction import redacted

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="Tables")

Value = str | int | float | None


def kept_values(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return what a statement writes or asks for, without a configured secret in any text.

    Raises:
        StoreError: a text has a NUL: no text of PostgreSQL can, and all stores keep the same.
    """
    kept = dict(values)
    for name, value in values.items():
        if isinstance(value, str):
            if "\0" in value:
                raise StoreError("a text with a NUL cannot be kept")
            kept[name] = redacted(value)
    return kept


def kept_lines(lines: Sequence[Mapping[str, Value]]) -> Sequence[Mapping[str, Value]]:
    """Return what :func:`kept_values` returns of each line.

    Secrets are looked for in the texts of all lines at once: hardly a wave has any.

    Raises:
        StoreError: a text has a NUL.
    """
    texts = "\n".join([one for line in lines for one in line.values() if isinstance(one, str)])
    if "\0" not in texts and redacted(texts) == texts:
        return lines
    return [kept_values(line) for line in lines]


class Reply(Protocol):
    """The answer to a statement that was sent; whoever reads it first waits for it."""

    def rows(self) -> list[tuple[Any, ...]]:
        """Return every row the statement gave, ``RETURNING`` included."""
        ...

    def count(self) -> int:
        """Return how many rows the statement changed."""
        ...


class Session(Protocol):
    """One connection while one thread works with it."""

    def send(self, statement: str, **values: Value) -> Reply:
        """Do a statement after those before it, without waiting for its answer.

        Where the database is far away, it goes there with the next statement that is waited for,
        or with the end of the transaction, which is not reached where it fails.
        """
        ...

    def send_lines(
        self, statement: str, lines: Sequence[Mapping[str, Value]], **values: Value
    ) -> Reply:
        """Do a statement with all lines of its ``LINES``, as :meth:`send` does."""
        ...

    def rows(self, statement: str, **values: Value) -> list[tuple[Any, ...]]:
        """Return every row a statement gives, ``RETURNING`` included."""
        ...

    def count(self, statement: str, **values: Value) -> int:
        """Return how many rows a statement changed."""
        ...


class Database(Protocol):
    """Connections, and transactions on them; every failure is a StoreError."""

    def autocommit(self, work: Callable[[Session], T]) -> T:
        """Do work whose statements each stand for themselves: no transaction around them."""
        ...

    def transaction(self, work: Callable[[Session], T]) -> T:
        """Do work in one transaction; it may be repeated where the database asks for that."""
        ...

    def for_pace(self) -> PaceDatabase:
        """Return it in the form for statements that need not last and are not waited for long."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class PaceDatabase(Database, Protocol):
    """A database for the pace.

    ``tick`` reads the one clock of all processes; None where the database has one, in SQL:
    ``clock``. ``not_lasting`` at the end of ``RETURNING`` keeps the commit from waiting.
    """

    tick: Callable[[], float] | None
    clock: str
    not_lasting: str


class Tables:
    """Some tables of a store, in a database; the parts of a store derive from it."""

    def __init__(self, database: Database) -> None:
        self._database = database


def transaction(method: Callable[Concatenate[S, Session, P], T]) -> Callable[Concatenate[S, P], T]:
    """Run a method in one transaction: all of it is written, or nothing."""

    @wraps(method)
    def run(self: S, /, *args: P.args, **given: P.kwargs) -> T:
        return self._database.transaction(lambda session: method(self, session, *args, **given))

    return run


def autocommit(method: Callable[Concatenate[S, Session, P], T]) -> Callable[Concatenate[S, P], T]:
    """Run a method that needs no transaction: it reads only, or writes with one statement."""

    @wraps(method)
    def run(self: S, /, *args: P.args, **given: P.kwargs) -> T:
        return self._database.autocommit(lambda session: method(self, session, *args, **given))

    return run
