"""What a store costs per event, against a bare INSERT and its COMMIT on the same database.

The measure is one row put into a table of two columns and made to last, through the driver alone:
on SQLite with the same write-ahead log and ``synchronous = FULL``, on PostgreSQL over the same
kind of connection, with its usual waiting for the disk. *Claim and answer* is what every event
pays: ``claim`` and ``finish``. *Journal of one change* is what carrying out a plan of a single
change pays besides: ``lock``, ``begin_run``, ``intend``, ``settle`` and ``close_run``. Each is
several transactions, so the ratios have a floor: 2 and 5 commits. *Journal of a wave* is what many
changes that are made together pay: one ``intend`` and one ``settle`` for all of them.
*Outcome with a notice* is one:
a decision kept together with the row of the outbox that tells of it. *Turn of a call* is what a
cloud call pays that needs the store for its turn; it need not last, so it waits for no disk. Most
reads need none: a seat, one such statement in ten seconds, serves them. PostgreSQL is left out
where there is no server to start.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psycopg

from sgguard.store import open_store
from sgguard.store.base import Store
from sgguard.store.notices import Notice, Telling
from sgguard.store.rows import Claim, Settled
from tests import postgres
from tests.bench.measure import Ratio, interleaved
from tests.stores import a_record, a_run, an_entry, claimed, close_run

EVENTS = 40
WAVE = 50

Insert = Callable[[int], None]
_NUMBERS = count(1)
_TABLE = "CREATE TABLE bare (name TEXT PRIMARY KEY, answer TEXT)"


def measure(runs: int = 7) -> list[Ratio]:
    with tempfile.TemporaryDirectory() as folder, _sqlite(Path(folder) / "bench.db") as (url, bare):
        found = _measure("SQLite", url, bare, runs)
    if not postgres.why_not():
        with postgres.server() as server, _postgres(server.url()) as (url, bare):
            found += _measure("PostgreSQL", url, bare, runs)
    return found


def _measure(name: str, url: str, bare: Insert, runs: int) -> list[Ratio]:
    with closing(open_store(url)) as store:
        return [
            _ratio(f"claim and answer, {name}", _claim_and_answer(store), bare, 5.0, runs),
            _ratio(f"journal of one change, {name}", _journal(store), bare, 20.0, runs),
            _ratio(f"journal of a wave of {WAVE}, {name}", _wave(store), bare, 8.0, runs),
            _ratio(f"turn of a call, {name}", _turn(store), bare, 1.0, runs),
            _ratio(f"outcome with a notice, {name}", _told(store), bare, 3.0, runs),
        ]


def _ratio(what: str, event: Callable[[], float], bare: Insert, aim: float, runs: int) -> Ratio:
    def bare_inserts() -> float:
        begun = time.perf_counter()
        for _ in range(EVENTS):
            bare(next(_NUMBERS))
        return time.perf_counter() - begun

    def events() -> float:
        return sum(event() for _ in range(EVENTS))

    ours, theirs, ratio = interleaved(events, bare_inserts, runs)
    detail = f"{ours / EVENTS * 1000:.2f} ms and {theirs / EVENTS * 1000:.2f} ms"
    return Ratio(what, "a bare INSERT and COMMIT", ratio, aim, detail)


def _told(store: Store) -> Callable[[], float]:
    def event() -> float:
        decision = f"told-{next(_NUMBERS)}"
        notice = Notice(f"{decision}-1", "chat", decision, "ops", decision)
        record = a_record(decision, telling=Telling((notice,), ("chat",)))
        begun = time.perf_counter()
        store.keep(record)
        return time.perf_counter() - begun

    return event


def _turn(store: Store) -> Callable[[], float]:
    def event() -> float:
        given = {"gap_s": 1e-6, "latest_s": 9.0, "is_bulk": False, "has_ticket": False}
        begun = time.perf_counter()
        store.paces().take("cloud region action", **given)
        return time.perf_counter() - begun

    return event


def _claim(store: Store) -> Claim:
    return claimed(store, f"e{next(_NUMBERS)}")


def _claim_and_answer(store: Store) -> Callable[[], float]:
    def event() -> float:
        begun = time.perf_counter()
        store.finish(_claim(store), '{"verdict":"allow"}')
        return time.perf_counter() - begun

    return event


def _journal(store: Store) -> Callable[[], float]:
    def event() -> float:
        claim = _claim(store)
        begun = time.perf_counter()
        key = f"g-{claim.event_id}"
        store.lock(claim, [key], 60)
        store.begin_run(claim, a_run(claim.decision_id, claim.event_id, (key,)))
        entry = an_entry(0, claim.decision_id)
        store.intend(claim, entry, 60)
        store.settle(claim, entry, "done", made_id="sg-9")
        close_run(store, claim, claim.decision_id, "finished")
        took_s = time.perf_counter() - begun
        store.finish(claim, '{"verdict":"remediate"}')
        return took_s

    return event


def _wave(store: Store) -> Callable[[], float]:
    def event() -> float:
        claim = _claim(store)
        key = f"g-{claim.event_id}"
        store.lock(claim, [key], 60)
        store.begin_run(claim, a_run(claim.decision_id, claim.event_id, (key,)))
        entries = [an_entry(number, claim.decision_id) for number in range(WAVE)]
        begun = time.perf_counter()
        store.intend(claim, entries, 60)
        store.settle(claim, [Settled(one, "done") for one in entries])
        took_s = time.perf_counter() - begun
        close_run(store, claim, claim.decision_id, "finished")
        store.finish(claim, '{"verdict":"remediate"}')
        return took_s

    return event


@contextmanager
def _sqlite(path: Path) -> Iterator[tuple[str, Insert]]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_TABLE)

        def bare(number: int) -> None:
            connection.execute("INSERT INTO bare VALUES (?, ?)", (str(number), "{}"))

        yield f"sqlite:///{quote(str(path))}", bare


@contextmanager
def _postgres(url: str) -> Iterator[tuple[str, Insert]]:
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        connection.execute(_TABLE)

        def bare(number: int) -> None:
            connection.execute("INSERT INTO bare VALUES (%s, %s)", (str(number), "{}"))

        yield url, bare
