from __future__ import annotations

import os
import threading

import psycopg
import pytest

from sgguard.errors import BusyError, StoreError
from sgguard.store import open_store, schema
from sgguard.store.postgres import PostgresDatabase
from sgguard.store.rows import Busy, Claim
from tests import postgres
from tests.stores import a_run, an_approval, an_entry, claimed, place


@pytest.fixture
def kept(postgres_server, tmp_path):
    with place("postgres", tmp_path, postgres_server) as made:
        yield made


@pytest.fixture
def server():
    """A server that a test may stop and start."""
    if missing := postgres.why_not():
        pytest.skip(missing)
    with postgres.server("-c fsync=off") as own:
        yield own


def idle(store):
    return [link.connection for link in store._database._pool._idle]


def test_a_server_that_restarted_is_not_noticed(server):
    store = open_store(server.url())
    claim = claimed(store)
    server.end()
    server.begin()
    store.renew(claim, 60)
    assert isinstance(
        store.claim("bus", "e1", owner="w", decision_id="d", lease_s=1, payload_hash="h"), Busy
    )
    store.close()


@pytest.mark.parametrize("how", ["fast", "immediate"])
@pytest.mark.slow
def test_a_server_that_is_away_is_a_store_error_and_the_next_call_works_when_it_is_back(
    server, how
):
    store = open_store(server.url())
    claim = claimed(store)
    store.begin_run(claim, a_run())
    store.intend(claim, an_entry(0), 60)
    server.end(how)
    for _ in range(2):
        with pytest.raises(StoreError, match=rf"127\.0\.0\.1:{server.port}") as caught:
            store.settle(claim, an_entry(0), "done")
        assert "s3cret" not in str(caught.value)
    server.begin()
    store.settle(claim, an_entry(0), "done")
    assert [entry.state for entry in store.entries("d-e1")] == ["done"]
    store.close()


def kill(kept, pid):
    with psycopg.connect(kept.url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_a_connection_that_was_cut_while_idle_is_replaced(kept):
    store = kept.open()
    claim = claimed(store)
    [connection] = idle(store)
    kill(kept, connection.info.backend_pid)
    store.renew(claim, 60)
    assert idle(store) != [connection]


def test_a_connection_that_was_cut_in_a_transaction_is_a_store_error_and_leaves_nothing(kept):
    store = kept.open()

    def work(session):
        session.count(
            "INSERT INTO sgguard_halts (number, halted_by, reason, at_s) VALUES (1, 'a', 'b', :now)"
        )
        [(pid,)] = session.rows("SELECT pg_backend_pid()")
        kill(kept, pid)
        session.rows("SELECT 1")

    with pytest.raises(StoreError):
        store._database.transaction(work)
    assert store.halted() is None


def test_a_wrong_password_is_said_without_naming_it(kept):
    store = open_store(kept.url.replace("s3cret-pw", "another-pw"))
    with pytest.raises(StoreError, match="password authentication failed") as caught:
        store.halted()
    assert "another-pw" not in str(caught.value) + repr(caught.value.__cause__)


def test_a_message_that_repeats_the_password_is_blotted_out():
    database = PostgresDatabase({"password": "s3cret"}, "postgresql://db/x")
    said = database._message(psycopg.OperationalError("it is s3cret\nand more"))
    assert said == "it is ***"


def test_the_password_of_a_store_is_in_no_repr(kept):
    store = kept.open()
    store.halted()
    assert "s3cret" not in repr(store) + repr(store._database) + repr(idle(store))


def test_two_transactions_that_lock_each_other_out_are_both_done(kept):
    """The database ends one of them; that one is done again."""
    store = kept.open()
    store.newest(["a", "b"], 1.0)
    barrier = threading.Barrier(2)
    tries = []

    def work(session, first, second):
        tries.append(first)
        update = "UPDATE sgguard_marks SET newest_s = newest_s + 1 WHERE name = :name"
        session.count(update, name=first)
        if len(tries) <= 2:
            barrier.wait()
        session.count(update, name=second)

    threads = [
        threading.Thread(
            target=lambda pair=pair: store._database.transaction(lambda s: work(s, *pair))
        )
        for pair in (("a", "b"), ("b", "a"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tries) == 3
    assert store.newest(["a"], 0.0) == store.newest(["b"], 0.0) == 3.0


def test_a_transaction_that_meets_another_each_time_is_given_up(kept):
    store = kept.open()
    store.ask(an_approval())
    tries = []

    def work(session):
        tries.append(1)
        session.count("INSERT INTO sgguard_targets (target, decision_id) VALUES ('t', 'd')")
        session.count("INSERT INTO sgguard_targets (target, decision_id) VALUES ('t', 'd')")

    with pytest.raises(StoreError, match="duplicate key") as caught:
        store._database.transaction(work)
    assert len(tries) == 5
    assert "'t'" not in str(caught.value)


def test_a_row_locked_for_too_long_is_a_store_error(kept):
    store = kept.open()
    claim = claimed(store)
    idle(store)[0].execute("SET lock_timeout = '50ms'")
    with psycopg.connect(kept.url) as connection:
        connection.execute("SELECT 1 FROM sgguard_claims FOR UPDATE")
        with pytest.raises(StoreError, match="did not release it in time"):
            store.renew(claim, 60)
    store.renew(claim, 60)


def meanwhile(kept, first, then):
    """Do one thing to a store, and another while the transaction of the first has not ended."""
    is_written, may_end = threading.Event(), threading.Event()
    store = kept.open()
    transaction = store._database.transaction

    def paused(work):
        def work_and_wait(session):
            result = work(session)
            is_written.set()
            may_end.wait(60)
            return result

        return transaction(work_and_wait)

    store._database.transaction = paused
    threads = [
        threading.Thread(target=lambda: first(store)),
        threading.Thread(target=then),
    ]
    threads[0].start()
    assert is_written.wait(60)
    threads[1].start()
    with psycopg.connect(kept.url, autocommit=True) as connection:
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while threads[1].is_alive() and connection.execute(waiting).fetchone() == (0,):
            pass
    is_early = not threads[1].is_alive()
    may_end.set()
    for thread in threads:
        thread.join()
    assert not is_early, "it did not wait"


def test_a_run_that_begins_while_another_decision_waits_for_its_lock_keeps_it(kept):
    """Who waited for a row sees what was committed meanwhile, not what was when it began."""
    store = kept.open()
    holder = claimed(store)
    store.lock(holder, ["g1"], 60)
    kept.clock.pass_(61)  # the lock has ended, the claim is still the newest
    waiter = claimed(store, "e2")
    got = []

    def want():
        try:
            store.lock(waiter, ["g1"], 60)
        except BusyError as error:
            got.append(str(error))

    run = a_run(keys=("g1",))
    meanwhile(kept, lambda slow: slow.begin_run(holder, run), want)
    assert len(got) == 1
    assert "d-e1" in got[0]


def test_an_event_is_not_taken_over_while_its_worker_writes(kept):
    store = kept.open()
    holder = claimed(store)
    store.begin_run(holder, a_run())
    store.intend(holder, an_entry(0), 60)
    kept.clock.pass_(61)
    seen = []

    def take_over():
        claimed(store, owner="w2")
        seen.extend(entry.state for entry in store.entries("d-e1"))

    meanwhile(kept, lambda slow: slow.settle(holder, an_entry(0), "done"), take_over)
    assert seen == ["done"]


def test_of_two_questions_about_a_decision_at_the_same_moment_the_later_supersedes(kept):
    store = kept.open()
    meanwhile(
        kept,
        lambda slow: slow.ask(an_approval("a1")),
        lambda: store.ask(an_approval("a2")),
    )
    assert {one.approval_id: one.state for one in store.approvals()} == {
        "a1": "superseded",
        "a2": "pending",
    }


def test_the_session_is_what_the_statements_are_written_for(kept):
    store = kept.open()
    store.halted()
    [connection] = idle(store)

    def shown(name):
        return connection.execute(f"SHOW {name}").fetchone()[0]

    assert shown("default_transaction_isolation") == "read committed"
    assert shown("synchronous_commit") == "on"
    assert shown("lock_timeout") == "10s"
    assert shown("application_name") == "sgguard"
    assert connection.prepare_threshold is None


@pytest.mark.parametrize(("given", "used"), [("off", "on"), ("remote_apply", "remote_apply")])
def test_a_commit_is_on_the_disk_and_a_stronger_wish_is_left_alone(kept, given, used):
    store = open_store(f"{kept.url}%20-csynchronous_commit%3D{given}")
    store.halted()
    assert idle(store)[0].execute("SHOW synchronous_commit").fetchone() == (used,)
    store.close()


def test_a_wish_in_the_url_wins(kept):
    store = open_store(f"{kept.url}&application_name=guard-1")
    store.halted()
    assert idle(store)[0].info.get_parameters()["application_name"] == "guard-1"
    store.close()


def test_a_database_of_a_newer_sgguard_is_refused(kept):
    kept.open().halted()
    newer = len(schema.MIGRATIONS) + 1
    with psycopg.connect(kept.url, autocommit=True) as connection:
        connection.execute("INSERT INTO sgguard_schema_version VALUES (%s, 0)", [newer])
    with pytest.raises(StoreError, match=f"newer sgguard .schema {newer}; .* {newer - 1}."):
        kept.open().halted()


def test_who_may_only_read_is_told(kept):
    store = open_store(f"{kept.url}%20-cdefault_transaction_read_only%3Don")
    with pytest.raises(StoreError, match="read-only transaction"):
        store.halted()
    assert isinstance(claimed(kept.open()), Claim)


def test_a_forked_child_has_connections_of_its_own(kept):
    store = kept.open()
    claimed(store)
    [parents] = idle(store)
    child = os.fork()
    if not child:
        status = 1
        try:
            claimed(store, "e2")
            status = 0 if idle(store) != [parents] else 2
            store.close()
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert claimed(store, "e3").fence == 1
    assert idle(store) == [parents]
