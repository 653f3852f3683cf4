"""Statements to PostgreSQL that go out together: what is waited for, and how often."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest
from msgspec.structs import replace

from sgguard.errors import LeaseLostError, SettingsError, StoreError
from sgguard.store import open_store
from sgguard.store.pipeline import Pipeline
from sgguard.store.rows import Settled
from sgguard.store.steps import Answer
from tests.stores import a_record, a_run, an_entry, claimed, place


@pytest.fixture
def kept(postgres_server, tmp_path):
    with place("postgres", tmp_path, postgres_server) as made:
        yield made


@pytest.fixture
def trips(monkeypatch):
    """The round trips of all connections so far, each with its number of statements."""
    found = []
    arrive = Pipeline.arrive

    def counted(link):
        if link._waiting:
            found.append(len(link._waiting))
        arrive(link)

    monkeypatch.setattr(Pipeline, "arrive", counted)
    return found


def test_a_step_waits_for_the_server_a_few_times_however_much_it_writes(kept, trips):
    store = kept.open()
    claim = claimed(store)
    entries = [an_entry(number) for number in range(50)]

    def ended():
        answer = Answer(a_record(claim.decision_id), "{}")
        store.end(claim, answer, run_state="finished")

    steps = {
        "claim": lambda: claimed(store, "e2"),
        "finish": lambda: store.finish(claimed(store, "e3"), "{}"),
        "lock": lambda: store.lock(claim, [f"g{n}" for n in range(50)], 60, ["h1", "h2"]),
        "begin": lambda: store.begin_run(claim, a_run(keys=("g1",))),
        "intend": lambda: store.intend(claim, entries, 60),
        "settle": lambda: store.settle(claim, [Settled(one, "done") for one in entries]),
        "end": ended,
    }
    waited = {}
    for name, step in steps.items():
        before = len(trips)
        step()
        waited[name] = len(trips) - before
    assert waited == {
        "claim": 1,
        "finish": 3,  # one of them its claim
        "lock": 3,
        "begin": 4,
        "intend": 2,
        "settle": 2,
        "end": 3,
    }


def test_a_pooler_in_between_is_sent_whole_statements(kept, monkeypatch):
    """Such a one has several servers, and each knows the names of others' statements only."""
    monkeypatch.setattr(psycopg.ConnectionInfo, "backend_pid", property(lambda _: 0))
    store = kept.open()
    store.finish(claimed(store), "{}")
    with psycopg.connect(kept.url) as connection:
        pass
    [link] = store._database._pool._idle
    found = link.connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()
    assert found == (0,)
    assert connection.closed


def test_a_library_that_cannot_send_statements_together_is_refused(monkeypatch):
    monkeypatch.setattr(psycopg.Pipeline, "is_supported", lambda: False)
    with pytest.raises(SettingsError, match="libpq 14"):
        open_store("postgresql://localhost/x")


def test_a_statement_is_parsed_once_by_each_server(kept):
    store = kept.open()
    for number in range(3):
        store.finish(claimed(store, f"e{number}"), "{}")
    [link] = store._database._pool._idle
    statements = link.connection.execute("SELECT statement FROM pg_prepared_statements").fetchall()
    assert len(statements) == len(set(statements)) > 3


def test_what_a_lost_lease_sent_before_it_was_known_is_not_written(kept):
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run())
    store.intend(claim, an_entry(0), 60)
    with pytest.raises(LeaseLostError):
        store.settle(replace(claim, run_fence=7), an_entry(0), "done")
    assert [one.state for one in store.entries("d-e1")] == ["intended"]
    store.settle(claim, an_entry(0), "done")
    assert [one.state for one in store.entries("d-e1")] == ["done"]


def test_the_first_statement_that_fails_is_told_and_those_after_it_are_not_done(kept):
    store = kept.open()
    insert = "INSERT INTO sgguard_halts (number, halted_by, reason, at_s) VALUES (:n, 'a', 'b', 0)"

    def work(session):
        session.send(insert, n=1)
        session.send("SELECT 1 / :zero", zero=0)
        session.send("SELECT nothing")
        session.send(insert, n=2)

    with pytest.raises(StoreError):
        store._database.transaction(work)
    assert store.halted() is None


def test_what_was_sent_after_the_last_answer_is_not_done_where_the_work_fails(kept):
    store = kept.open()
    insert = "INSERT INTO sgguard_halts (number, halted_by, reason, at_s) VALUES (1, 'a', 'b', 0)"

    def work(session):
        session.rows("SELECT 1")
        session.send(insert)
        raise StoreError("no")

    for how in (store._database.transaction, store._database.autocommit):
        with pytest.raises(StoreError, match="no"):
            how(work)
    assert store.halted() is None
    assert len(store._database._pool._idle) == 1


def test_a_large_wave_does_not_lock_sender_and_server_out(kept):
    """Both would wait for the other to read, with nothing to read into."""
    store = kept.open()
    large = "x" * 100_000

    def work(session):
        sent = [session.send("SELECT CAST(:text AS TEXT)", text=large) for _ in range(100)]
        return {len(reply.rows()[0][0]) for reply in sent}

    assert store._database.transaction(work) == {len(large)}


def test_a_server_that_says_nothing_is_given_up(postgres_server):
    url = postgres_server.url()
    holder, waiter = psycopg.connect(url), psycopg.connect(url, autocommit=True)
    with closing(holder), closing(waiter):
        holder.execute("SELECT pg_advisory_xact_lock(7)")
        link = Pipeline(waiter, prepares=True, silent_s=0.01)
        reply = link.send(b"SELECT pg_advisory_xact_lock(7)")
        with pytest.raises(psycopg.OperationalError, match="did not answer in time"):
            reply.rows()
