"""Statements to PostgreSQL, sent together and waited for once (libpq's pipeline mode).

Each statement is one of its own for the server, in the order of sending: it sees what was
committed before it began, also while the one before it waited for a row. Only the way there and
back is shared. The first that fails ends all that follow it.

A statement is parsed once per connection, and later sent by its name. Where something stands
between us and the server, a statement may come to a server that does not know the name: there
each is sent whole.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import errors
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from sgguard.errors import StoreError
from sgguard.store.database import Value

_Texts = list[bytes | None]
_Types = tuple[int, ...]
_Key = tuple[bytes, _Types]

_LARGE_MIN = 1 << 31
_KNOWN_MAX = 512
"""Statements that a connection has names for; there are fewer than half as many."""

SILENT_S = 60.0
"""How long a server may say nothing to what was sent: longer than any wait that it ends itself."""

_INTEGER, _LARGE, _DOUBLE, _ANY = 23, 20, 701, 0
"""The types of what is sent, as PostgreSQL numbers them; a text is whatever its place asks for."""

_READ: Mapping[int, Callable[[bytes], Any]] = {
    16: lambda value: value == b"t",
    20: int,
    21: int,
    23: int,
    26: int,
    700: float,
    701: float,
    1700: lambda value: Decimal(value.decode()),
}
"""How a value is read, by its type; any other is a text."""

_DONE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)


class Reply:
    """The answer to one statement; whoever reads it first waits for all that were sent."""

    def __init__(self, arrive: Callable[[], None]) -> None:
        self._arrive = arrive
        self.result: PGresult | None = None

    @property
    def has_arrived(self) -> bool:
        """Whether the answer is here."""
        return self.result is not None

    def rows(self) -> list[tuple[Any, ...]]:
        """Return every row that the statement gave."""
        return _rows(self._arrived())

    def count(self) -> int:
        """Return how many rows the statement changed."""
        return self._arrived().command_tuples or 0

    def _arrived(self) -> PGresult:
        if self.result is None:
            self._arrive()
        if self.result is None:
            raise StoreError("the answer to a statement was asked for after its transaction")
        return self.result


class Pipeline:
    """One connection; what is sent waits for what is asked for."""

    def __init__(
        self,
        connection: psycopg.Connection[tuple[Any, ...]],
        *,
        prepares: bool,
        silent_s: float = SILENT_S,
    ) -> None:
        self.connection = connection
        self._silent_ms = silent_s * 1000.0
        self._server: PGconn = connection.pgconn
        self._prepares = prepares
        self._names: dict[_Key, bytes] = {}
        self._waiting: list[tuple[Reply, bytes, _Texts, _Types]] = []

    def send(self, statement: bytes, values: Sequence[Value] = ()) -> Reply:
        """Keep a statement until an answer is asked for, and return where its own will be.

        No text has a NUL: it would end it on its way.
        """
        reply = Reply(self.arrive)
        self._waiting.append((reply, statement, *_spelt(values)))
        return reply

    def arrive(self) -> None:
        """Send what waits, and take all of its answers.

        Raises:
            psycopg.Error: the first of them that failed; those after it were not done.
        """
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        server = self._server
        server.enter_pipeline_mode()
        replies: list[tuple[Reply | None, _Key]] = []
        for reply, statement, texts, types in waiting:
            key = statement, types
            name = self._names.get(key)
            if name is None and self._prepares and len(self._names) < _KNOWN_MAX:
                name = self._names[key] = b"sgguard_%d" % len(self._names)
                server.send_prepare(name, statement, types)
                replies.append((None, key))
            if name is None:
                server.send_query_params(statement, texts, types)
            else:
                server.send_query_prepared(name, texts)
            replies.append((reply, key))
        server.pipeline_sync()
        self._take(replies)
        server.exit_pipeline_mode()

    def forget(self) -> None:
        """Send nothing of what waits."""
        self._waiting.clear()

    def _take(self, replies: Sequence[tuple[Reply | None, _Key]]) -> None:
        failed: PGresult | None = None
        for (reply, key), result in zip(replies, self._results(), strict=True):
            if result.status not in _DONE:
                failed = failed or result
                if reply is None:
                    del self._names[key]
            elif reply is not None:
                reply.result = result
        if failed is not None:
            self._server.exit_pipeline_mode()
            raise errors.error_from_result(failed)

    def _results(self) -> Iterator[PGresult]:
        """Yield an answer for each statement, until the server has answered all of them."""
        server = self._server
        poll = select.poll()
        poll.register(server.socket, select.POLLIN | select.POLLOUT)
        while server.flush():
            # An answer that is not taken may keep the server from reading on.
            if any(what & ~select.POLLOUT for _, what in self._heard(poll)):
                server.consume_input()
        poll.modify(server.socket, select.POLLIN)
        is_between = False
        while True:
            while server.is_busy():
                self._heard(poll)
                server.consume_input()
            result = server.get_result()
            if result is None:
                if is_between or server.status == ConnStatus.BAD:
                    raise psycopg.OperationalError("the connection to the server was lost")
                is_between = True
                continue
            is_between = False
            if result.status == ExecStatus.PIPELINE_SYNC:
                return
            yield result

    def _heard(self, poll: select.poll) -> list[tuple[int, int]]:
        """Wait until the server can be read from or written to; a machine that hangs never can."""
        found = poll.poll(self._silent_ms)
        if not found:
            raise psycopg.OperationalError("the server did not answer in time")
        return found


def _spelt(values: Sequence[Value]) -> tuple[_Texts, _Types]:
    """Return values as texts, and their types."""
    texts: list[bytes | None] = []
    types: list[int] = []
    for value in values:
        if isinstance(value, str):
            texts.append(value.encode())
            types.append(_ANY)
        elif value is None:
            texts.append(None)
            types.append(_ANY)
        else:
            is_whole = isinstance(value, int)
            texts.append(b"%d" % value if is_whole else repr(value).encode())
            whole = _INTEGER if abs(value) < _LARGE_MIN else _LARGE
            types.append(whole if is_whole else _DOUBLE)
    return texts, tuple(types)


def _rows(result: PGresult) -> list[tuple[Any, ...]]:
    columns = range(result.nfields)
    readers = [_READ.get(result.ftype(column), bytes.decode) for column in columns]
    value = result.get_value
    return [
        tuple(
            None if (found := value(row, column)) is None else readers[column](found)
            for column in columns
        )
        for row in range(result.ntuples)
    ]
