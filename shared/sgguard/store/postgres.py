"""The store in PostgreSQL: for any number of machines."""

from __future__ import annotations

import contextlib
import re
import select
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
import psycopg
from psycopg import conninfo, errors

from sgguard.errors import SettingsError, SgguardError, StoreError
from sgguard.store import pipeline, schema
from sgguard.store.base import Store
from sgguard.store.database import Session, Value, kept_lines, kept_values
from sgguard.store.pipeline import Pipeline
from sgguard.store.pool import Pool

T = TypeVar("T")

TRIES = 5
"""How often a transaction is begun that conflicts with another one."""

_CONFLICTS = (errors.SerializationFailure, errors.DeadlockDetected, errors.UniqueViolation)
_BUSY = (errors.LockNotAvailable, errors.QueryCanceled)

_DEFAULTS: Mapping[str, str | int] = {
    "application_name": "sgguard",
    "client_encoding": "UTF8",  # or psycopg would return bytes from a database of SQL_ASCII
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,  # milliseconds
}
"""Parameters that the URL does not give: no call waits for a server that is gone."""

# READ COMMITTED is what the statements are written for. A commit that is not on the disk is none:
# what was intended must be found after a crash, so "off" is not accepted from a server's settings.
# A plan is kept with its statement: one that reads a table whole while it is empty would do so for
# as long as the server does not count its rows again. Every statement has an index. What a table
# of one row costs without one would seem to be worth compiling.
_SESSION = """
SET default_transaction_isolation = 'read committed';
SET lock_timeout = '10s';
SET statement_timeout = '15s';
SET idle_in_transaction_session_timeout = '30s';
SET enable_seqscan = off;
SET jit = off;
SELECT set_config('synchronous_commit', 'on', false)
    WHERE current_setting('synchronous_commit') = 'off';
"""

_CLOCK = "CAST(EXTRACT(EPOCH FROM statement_timestamp()) AS DOUBLE PRECISION)"
_NOT_LASTING = ", set_config('synchronous_commit', 'off', true)"  # its commit waits for no disk
_IS_MADE = "SELECT to_regclass('sgguard_schema_version') IS NOT NULL, pg_backend_pid()"
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(7352710912)"  # any number, the same everywhere

_Connection = psycopg.Connection[tuple[Any, ...]]


class _Session(msgspec.Struct, frozen=True):
    link: Pipeline
    now: Callable[[], float] | None

    def send(self, statement: str, **values: Value) -> pipeline.Reply:
        kept = kept_values(values)
        if self.now is not None:
            kept["now"] = self.now()
        translated, names = _translate(statement, has_clock=self.now is None)
        return self.link.send(translated, [kept[name] for name in names])

    def send_lines(
        self, statement: str, lines: Sequence[Mapping[str, Value]], **values: Value
    ) -> pipeline.Reply:
        kept = msgspec.json.encode(kept_lines(lines))
        return self.send(statement, lines=kept.decode(), **values)

    def rows(self, statement: str, **values: Value) -> list[tuple[Any, ...]]:
        return self.send(statement, **values).rows()

    def count(self, statement: str, **values: Value) -> int:
        return self.send(statement, **values).count()


class PostgresDatabase:
    """Connections to one database.

    ``parameters`` are libpq's; ``place`` names the database in messages, without a password. With
    ``must_exist`` no table is made where there is none of sgguard's.
    """

    def __init__(
        self,
        parameters: Mapping[str, Any],
        place: str,
        now: Callable[[], float] | None = None,
        *,
        must_exist: bool = False,
    ) -> None:
        self._must_exist = must_exist
        self.tick: Callable[[], float] | None = None
        self.clock, self.not_lasting = _CLOCK, _NOT_LASTING
        self._parameters = {**_DEFAULTS, **parameters}
        self._place = place
        self._now = now
        self._pool: Pool[Pipeline] = Pool(self._connect, _close, _is_fit)

    def autocommit(self, work: Callable[[Session], T]) -> T:
        """Do work whose statements each stand for themselves."""
        with self._store_errors(), self._pool.lend() as link, _emptied(link):
            result = work(_Session(link, self._now))
            link.arrive()
            return result

    def transaction(self, work: Callable[[Session], T]) -> T:
        """Do work in one transaction, repeated where it conflicts with another one."""
        with self._store_errors():
            for _ in range(TRIES - 1):
                with contextlib.suppress(*_CONFLICTS):
                    return self._together(work)
            return self._together(work)

    def for_pace(self) -> PostgresDatabase:
        """Return the database itself: a server has few connections to spare."""
        return self

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()

    def _together(self, work: Callable[[Session], T]) -> T:
        with self._pool.lend() as link, _transaction(link):
            session = _Session(link, self._now)
            version = session.send(schema.NEWEST)
            try:
                result = work(session)
            except Exception:
                # Tables of a newer sgguard may be why.
                if version.has_arrived:
                    schema.require_known(version.rows()[0][0])
                raise
            schema.require_known(version.rows()[0][0])
            return result

    def _connect(self) -> Pipeline:
        # psycopg connects; it sends nothing that has values, nor has it anything prepared.
        connection = psycopg.connect(**self._parameters, autocommit=True, prepare_threshold=None)
        try:
            connection.execute(_SESSION)
            is_made, pid = connection.execute(_IS_MADE).fetchall()[0]
            self._require_made(is_made=is_made)
            # A pooler shows another process than the one that answers.
            link = Pipeline(connection, prepares=pid == connection.info.backend_pid)
            session = _Session(link, self._now)
            if not (is_made and schema.is_current(session)):
                with _transaction(link):
                    session.rows(_ONE_AT_A_TIME)
                    schema.migrate(session)
        except BaseException:
            with contextlib.suppress(psycopg.Error):
                connection.close()
            raise
        return link

    def _require_made(self, *, is_made: bool) -> None:
        if self._must_exist and not is_made:
            raise StoreError(f"there is no store in {self._place}: nothing was kept there yet")

    @contextmanager
    def _store_errors(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise StoreError(f"the store {self._place}: {self._message(error)}") from error
        except (UnicodeError, OverflowError) as error:
            raise StoreError(
                f"the store {self._place}: a text or number that cannot be kept"
            ) from error

    def _message(self, error: psycopg.Error) -> str:
        """Return what went wrong without values, which only a detail holds, and no password."""
        if isinstance(error, _BUSY):
            return "another process did not release it in time"
        if isinstance(error, psycopg.DataError):
            return "a text or number that cannot be kept"
        message = error.diag.message_primary or str(error).partition("\n")[0] or "no answer"
        if password := str(self._parameters.get("password") or ""):
            message = message.replace(password, "***")
        return message


@contextmanager
def _emptied(link: Pipeline) -> Iterator[None]:
    """Leave nothing in a connection that was never sent."""
    try:
        yield
    finally:
        link.forget()


@contextmanager
def _transaction(link: Pipeline) -> Iterator[None]:
    """Begin with the first statement that is waited for; commit with the last that were sent."""
    with _emptied(link):
        link.send(b"BEGIN")
        try:
            yield
            link.send(b"COMMIT")
            link.arrive()
        except SgguardError:
            # Any other failure closes the connection, and with it the transaction.
            link.forget()
            link.send(b"ROLLBACK")
            link.arrive()
            raise


def _close(link: Pipeline) -> None:
    with contextlib.suppress(psycopg.Error):
        link.connection.close()


def _is_fit(link: Pipeline) -> bool:
    """Whether an idle connection can be used.

    A server sends to an idle connection only when it closes it, or is about to.
    """
    if link.connection.closed:
        return False
    poll = select.poll()
    poll.register(link.connection.fileno(), select.POLLIN)
    return not poll.poll(0)


@lru_cache(maxsize=512)
def _translate(statement: str, *, has_clock: bool) -> tuple[bytes, tuple[str, ...]]:
    """Return the statement with numbered values and their names, the server's clock among it."""
    names: list[str] = []

    def numbered(found: re.Match[str]) -> str:
        if has_clock and found[1] == "now":
            return _CLOCK
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    whole = re.sub(r"\bLINES\(", "json_to_recordset(:lines) AS line(", statement)
    translated = re.sub(r":([a-z_][a-z_0-9]*)", numbered, whole)
    return translated.encode(), tuple(names)


# Which database a ``postgresql:`` URL means.
_NAMING = ("user", "host", "hostaddr", "port", "dbname")


def open_postgres(url: str, now: Callable[[], float] | None, *, must_exist: bool = False) -> Store:
    """Return the store in the database of a URL; nothing is sent yet.

    With ``must_exist`` it is refused when it is used where there is none: nothing is made.

    Raises:
        SettingsError: libpq is too old, cannot read the URL, or takes its password for a name.
    """
    if not psycopg.Pipeline.is_supported():
        raise SettingsError("SGGUARD_STORE: PostgreSQL needs libpq 14 or newer")
    parameters = _parameters(url)
    return Store(PostgresDatabase(parameters, _place(parameters), now, must_exist=must_exist))


def _parameters(url: str) -> dict[str, Any]:
    # libpq's messages repeat the URL, or the part of it that may be the password.
    try:
        parameters = conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        raise SettingsError(
            "SGGUARD_STORE: libpq cannot read this postgresql URL; "
            "expected postgresql://user:password@host:5432/database"
        ) from None
    # A password with an @ or a / that is not written %40 or %2F ends early: its rest would be
    # taken for a host, port or database, and be named in messages.
    is_split = any("@" in str(parameters.get(name, "")) for name in _NAMING)
    ports = str(parameters.get("port", "")).replace(",", "")
    if is_split or (ports and not (ports.isascii() and ports.isdigit())):
        raise SettingsError(
            "SGGUARD_STORE: write @, / and % in the password of a postgresql URL as %40, %2F, %25; "
            "the port is a number"
        )
    return dict(parameters)


def _place(parameters: dict[str, Any]) -> str:
    host = parameters.get("host") or parameters.get("hostaddr") or "localhost"
    port = f":{parameters['port']}" if parameters.get("port") else ""
    return f"postgresql://{host}{port}/{parameters.get('dbname') or ''}"
