"""Stores for tests: every kind of them, each empty, on a clock that only the test moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import psycopg
import pytest

from sgguard.errors import StoreError
from sgguard.store import fence, journal, open_store, transitions
from sgguard.store.base import Store
from sgguard.store.claims import require_own
from sgguard.store.database import Session
from sgguard.store.rows import Approval, Claim, Entry, Record, Run, RunState
from tests import postgres

KINDS = ("sqlite", "postgres")
_NUMBERS = count(1)


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    now_s: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s

    def pass_(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass
class Place:
    """One empty database, and the stores on it; ``clock`` is theirs unless they ask otherwise."""

    kind: str
    url: str
    closing: ExitStack
    clock: Clock = field(default_factory=Clock)

    def open(self, now: Callable[[], float] | None = None) -> Store:
        """Another process's view of the same database."""
        store = open_store(self.url, now or self.clock)
        self.closing.callback(store.close)
        return store

    def open_on_its_own_clock(self) -> Store:
        store = open_store(self.url)
        self.closing.callback(store.close)
        return store


@lru_cache(maxsize=1)
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder, "empty.db")
        store = open_store(f"sqlite:///{path}")
        store.halted()  # its tables are made with the first question
        store.close()
        return path.read_bytes()


def empty_file(path: Path) -> str:
    """Write an empty store with its tables, and return its URL: to make them takes much longer."""
    path.write_bytes(_empty())
    path.chmod(0o600)
    return f"sqlite:///{path}"


@contextmanager
def place(kind: str, folder: Path, server: postgres.Server | None) -> Iterator[Place]:
    """Give a database of that kind without any table; ``server`` is there for ``postgres``."""
    with ExitStack() as closing:
        if kind == "sqlite":
            yield Place(kind, f"sqlite:///{folder / f'{next(_NUMBERS)}.db'}", closing)
            return
        name = f"t{next(_NUMBERS)}"
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        yield Place(kind, f"{server.url()}?options={quote(f'-csearch_path={name}')}", closing)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A server for the whole run; skips where there is none."""
    if missing := postgres.why_not():
        pytest.skip(missing)
    # No test takes the machine's power away, so none needs to wait for its disk.
    with postgres.server("-c fsync=off") as server:
        yield server


@pytest.fixture(params=KINDS)
def bare(request, tmp_path) -> Iterator[Place]:
    """A database of each kind in which nothing was made."""
    is_served = request.param == "postgres"
    server = request.getfixturevalue("postgres_server") if is_served else None
    with place(request.param, tmp_path, server) as made:
        yield made


@pytest.fixture
def kept(bare) -> Place:
    """An empty store of each kind."""
    if bare.kind == "sqlite":
        empty_file(Path(bare.url.removeprefix("sqlite:///")))
    return bare


def claimed(store: Store, event_id: str = "e1", **given) -> Claim:
    """Claim an event, which must succeed."""
    values = {"owner": "w1", "decision_id": f"d-{event_id}", "lease_s": 60.0, "payload_hash": "h"}
    claim = store.claim("bus", event_id, **(values | given))
    assert isinstance(claim, Claim), claim
    return claim


def a_run(decision_id: str = "d-e1", event_id: str = "e1", keys: tuple[str, ...] = ()) -> Run:
    return Run(decision_id, "bus", event_id, '{"steps":[]}', '{"groups":[]}', keys)


def an_entry(number: int = 0, decision_id: str = "d-e1", **given) -> Entry:
    return Entry(decision_id, number, given.pop("step", number), '{"kind":"x"}', **given)


def a_record(decision_id: str = "d1", **given) -> Record:
    values = {
        "source": "bus",
        "event_id": "e1",
        "guard": "delete",
        "target": ("tencent::gz:sg-1",),
        "requester": "ada",
        "verdict": "block",
        "mode": "observe",
        "outcome": "none",
        "document_json": '{"x":"é"}',
    }
    return Record(decision_id, **(values | given))


def an_approval(approval_id: str = "a1", decision_id: str = "d1", **given) -> Approval:
    values = {
        "target": ("tencent::gz:sg-1",),
        "requester": "ada",
        "facts_hash": "f00",
        "request_json": "{}",
        "summary": "delete sg-1",
        "expires_at_s": 1_800_003_600.0,
    }
    return Approval(approval_id, decision_id, **(values | given))


def close_run(
    store: Store, claim: Claim, decision_id: str, state: RunState, note: str = ""
) -> None:
    """End a run and nothing else: no record, no answer; the product ends all of them together.

    An end is final: the same state again does nothing, another one is a StoreError.
    """
    require_own(claim, decision_id)

    def close(session: Session) -> None:
        held = fence.hold(session, claim)
        if held.status.state is None:
            raise StoreError(f"decision {decision_id} has no run")
        if held.status.state == state and state != "stuck":
            return
        before = held.status
        if before == transitions.FORWARD and state in ("undone", "stuck"):
            before = fence.move(session, claim, "turn", before)
        journal.close(session, claim, before, state, note)

    store._database.transaction(close)
