from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sgguard.errors import LeaseLostError, StoreError
from sgguard.store import Store, open_store, schema
from sgguard.store.pool import Pool
from sgguard.store.rows import Busy, Query
from sgguard.store.sqlite import SqliteDatabase, prepare
from tests.stores import a_record, a_run, an_entry, claimed, close_run


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
def store(path):
    prepare(path)
    made = Store(SqliteDatabase(path, busy_s=0.05))
    yield made
    made.close()


def other(path):
    return sqlite3.connect(path, isolation_level=None)


def test_a_locked_file_is_a_store_error_and_the_next_call_works(path, store):
    claim = claimed(store)
    connection = other(path)
    connection.execute("BEGIN EXCLUSIVE")
    for write in (
        lambda: store.renew(claim, 60),
        lambda: claimed(store, "e2"),
        lambda: store.keep(a_record()),
    ):
        with pytest.raises(StoreError, match="did not release it in time") as caught:
            write()
        assert not isinstance(caught.value, LeaseLostError)
    assert store.halted() is None  # readers need not wait
    connection.execute("COMMIT")
    connection.close()
    store.renew(claim, 60)


def test_a_file_that_is_locked_before_it_is_a_store_is_waited_for(path, store):
    connection = other(path)
    connection.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="did not release it in time"):
        store.halted()
    connection.execute("COMMIT")
    connection.close()
    assert store.halted() is None


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_file_that_is_no_database_is_a_store_error_until_it_is_put_right(path, store, moment):
    if moment == "after":
        claimed(store)
        store.close()
        path.write_bytes(path.read_bytes()[:4096] + b"\0\xff" * 30_000)
        store = open_store(f"sqlite:///{path}")
    else:
        path.write_bytes(b"this is a letter to my aunt" * 1000)
    with pytest.raises(StoreError, match=r"a\.db: (file is not a database|.*malformed)"):
        store.decisions(Query())
    path.unlink()
    for log in path.parent.glob("a.db-*"):
        log.unlink()
    assert store.decisions(Query()) == ()
    store.close()


def test_a_full_disk_is_a_store_error_and_leaves_nothing_half_written(path, store):
    claim = claimed(store)
    store.begin_run(claim, a_run())
    [link] = store._database._pool._idle
    [(pages,)] = link.connection.execute("PRAGMA page_count").fetchall()
    link.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="full"):
        store.keep(a_record(document_json="x" * 100_000))
    # The connection that failed is not used again, and with it its limit is gone.
    assert store.decisions(Query()) == ()
    store.intend(claim, an_entry(0), 60)
    store.keep(a_record(document_json="x" * 100_000))


def test_a_file_that_was_taken_away_is_made_anew_and_no_old_claim_writes_to_it(path, store):
    claim = claimed(store)
    path.rename(path.with_suffix(".old"))
    for log in path.parent.glob("a.db-*"):
        log.unlink()
    with pytest.raises(LeaseLostError):
        store.renew(claim, 60)
    assert claimed(store).fence == 1
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_was_taken_away_is_a_store_error(tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()
    store = open_store(f"sqlite:///{folder}/a.db")
    shutil.rmtree(folder)
    with pytest.raises(StoreError, match="cannot be used: No such file"):
        store.halted()


def test_what_was_written_is_on_the_disk_before_it_is_said_to_be(path, store):
    store.halted()
    [link] = store._database._pool._idle
    assert link.connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]
    assert link.connection.execute("PRAGMA synchronous").fetchall() == [(2,)]  # FULL


def test_a_database_of_a_newer_sgguard_is_refused(path, store):
    store.halt("ada", "why")
    store.close()
    newer = len(schema.MIGRATIONS) + 1
    with other(path) as connection:
        connection.execute(f"INSERT INTO sgguard_schema_version VALUES ({newer}, 0)")
    connection.close()
    late = open_store(f"sqlite:///{path}")
    for _ in range(2):
        with pytest.raises(StoreError, match=f"newer sgguard .schema {newer}; .* {newer - 1}."):
            late.halted()
    late.close()


def test_a_database_of_an_older_sgguard_is_brought_up_to_date_once(path, store, monkeypatch):
    claimed(store)
    store.close()
    more = ("ALTER TABLE sgguard_claims ADD COLUMN colour TEXT",)
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, more))
    for _ in range(2):
        newer = open_store(f"sqlite:///{path}")
        assert isinstance(
            newer.claim("bus", "e1", owner="w", decision_id="d", lease_s=1, payload_hash="h"), Busy
        )
        newer.close()
    with other(path) as connection:
        found = connection.execute("SELECT version FROM sgguard_schema_version").fetchall()
        assert found == [(number,) for number in range(1, len(schema.MIGRATIONS) + 1)]
    connection.close()


def test_a_migration_that_fails_leaves_what_was(path, store, monkeypatch):
    store.halt("ada", "why")
    store.close()
    broken = ("ALTER TABLE sgguard_halts ADD COLUMN colour TEXT", "NO SQL AT ALL")
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
        newer = open_store(f"sqlite:///{path}")
        with pytest.raises(StoreError):
            newer.halted()
        newer.close()
    again = open_store(f"sqlite:///{path}")
    assert again.halted().by == "ada"
    again.close()


def test_a_process_killed_in_a_transaction_leaves_nothing_of_it(path, store):
    claimed(store)
    program = (
        "import os, signal, sqlite3, sys;"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN IMMEDIATE');"
        "c.execute('DELETE FROM sgguard_claims');"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert isinstance(
        store.claim("bus", "e1", owner="w", decision_id="d", lease_s=1, payload_hash="h"), Busy
    )


def test_a_forked_child_has_connections_of_its_own(store):
    claimed(store)
    [parents] = store._database._pool._idle
    child = os.fork()
    if not child:
        status = 1
        try:
            claimed(store, "e2")
            is_other = store._database._pool._idle != [parents]
            store.close()
            status = 0 if is_other else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store._database._pool._idle == [parents]
    assert claimed(store, "e3").fence == 1


def test_nothing_of_what_is_forgotten_stays_in_any_table(path, store):
    claim = claimed(store, lease_s=0)
    store.lock(claim, ["g1"], 0)
    store.begin_run(claim, a_run(keys=("g1",)))
    store.intend(claim, an_entry(0), 0)
    close_run(store, claim, "d-e1", "finished")
    store.keep(a_record("d-e1"))
    store.finish(claim, "{}")
    assert store.purge(store.now_s() + 1).counts["decisions"] == 1
    with other(path) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        counts = {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for (name,) in tables.fetchall()
        }
    connection.close()
    assert {name for name, number in counts.items() if number} == {"sgguard_schema_version"}


# -- the pool ----------------------------------------------------------------------------------


class Connection:
    is_open = True
    is_fit = True

    def close(self):
        self.is_open = False


@pytest.fixture
def pool():
    return Pool(Connection, Connection.close, lambda one: one.is_fit, limit=2, wait_s=0.05)


def test_an_idle_connection_is_lent_again_unless_it_is_unfit(pool):
    with pool.lend() as first:
        pass
    with pool.lend() as second:
        assert second is first
    first.is_fit = False
    with pool.lend() as third:
        assert third is not first
    assert not first.is_open


def test_a_connection_with_an_error_is_closed_and_a_refusal_is_no_error(pool):
    with pytest.raises(LeaseLostError), pool.lend() as first:
        raise LeaseLostError("taken over")
    with pool.lend() as again:
        assert again is first
    with pytest.raises(KeyboardInterrupt), pool.lend():
        raise KeyboardInterrupt
    assert not first.is_open


def test_no_more_connections_than_the_limit_are_open_at_once(pool):
    busy = pytest.raises(StoreError, match="all 2 connections to the store are busy")
    with pool.lend(), pool.lend(), busy:
        pool.lend().__enter__()
    with pool.lend(), pool.lend():
        pass


def test_a_thread_waits_for_a_connection_that_comes_back(pool):
    pool._wait_s = 10
    taken = threading.Event()
    with pool.lend(), pool.lend():
        thread = threading.Thread(target=lambda: pool.lend().__enter__() and taken.set())
        thread.start()
        assert not taken.is_set()
    thread.join()
    assert taken.is_set()


def test_a_connection_that_comes_back_after_the_end_is_closed(pool):
    with pool.lend() as connection:
        pool.close()
        assert connection.is_open
    assert not connection.is_open


def test_an_unclosed_pool_closes_its_connections_when_collected():
    pool = Pool(Connection, Connection.close, lambda one: one.is_fit)
    with pool.lend() as connection:
        pass
    del pool
    assert not connection.is_open


def test_a_connection_that_cannot_be_opened_takes_no_place():
    def fail():
        raise OSError("no")

    pool = Pool(fail, Connection.close, lambda one: one.is_fit, limit=1, wait_s=0)
    for _ in range(3):
        with pytest.raises(OSError, match="no"):
            pool.lend().__enter__()
