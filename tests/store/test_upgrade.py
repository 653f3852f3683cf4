"""A store that an older sgguard wrote is brought up to date, and its work is continued.

``schema_1.sql`` holds the tables as they were released: a change of the code cannot change them.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from sgguard.emulator.transport import EmulatorTransport
from sgguard.operations import restore, resume
from sgguard.store import Store, open_store, schema
from sgguard.store.rows import Claim, Query, Run
from tests.remedy.harness import Harness
from tests.stores import Place, an_entry, close_run
from tests.worlds import world_of

VERSION_1 = Path(__file__).with_name("schema_1.sql").read_text().partition("\n")[2]

TABLES = (
    *("claims", "locks", "marks", "runs", "entries", "decisions", "targets", "approvals", "halts"),
)
NEW = {table: frozenset[str]() for table in TABLES} | {
    "claims": frozenset({"lease_s"}),
    "locks": frozenset({"lease_s", "shares"}),
    "runs": frozenset({"shared_json", "direction", "fence", "holder", "lease_until_s", "lease_s"}),
}
"""The columns that version 1 did not have."""

AT_S = 1_800_000_000.0


def connected(kept: Place) -> Any:
    if kept.kind == "sqlite":
        return closing(sqlite3.connect(kept.url.removeprefix("sqlite:///"), isolation_level=None))
    return psycopg.connect(kept.url, autocommit=True)


def make_version_1(kept: Place) -> None:
    with connected(kept) as connection:
        for statement in VERSION_1.split(";"):
            if statement.strip():
                connection.execute(statement)


def insert(kept: Place, table: str, *rows: dict[str, Any]) -> None:
    mark = "?" if kept.kind == "sqlite" else "%s"
    with connected(kept) as connection:
        for row in rows:
            marks = ", ".join([mark] * len(row))
            statement = f"INSERT INTO sgguard_{table} ({', '.join(row)}) VALUES ({marks})"
            connection.execute(statement, tuple(row.values()))


def old_run(state: str, **more: Any) -> dict[str, Any]:
    run = {"decision_id": f"d-{state}", "source": "bus", "event_id": f"e-{state}"}
    run |= {"plan_json": "{}", "snapshot_json": "{}", "keys_json": f'["k-{state}"]'}
    return run | {"state": state, "note": "why", "begun_at_s": AT_S} | more


def old_entry(number: int, state: str, **more: Any) -> dict[str, Any]:
    entry = {"decision_id": "d-open", "number": number, "step": number, "change_json": "{}"}
    entry |= {"is_undo": 0, "state": state, "request_id": "", "note": "", "at_s": AT_S}
    return entry | more


def old_approval(state: str) -> dict[str, Any]:
    approval = {"approval_id": f"a-{state}", "decision_id": f"d-{state}", "target_json": '["t"]'}
    approval |= {"requester": "ada", "facts_hash": "f", "request_json": "{}", "summary": "s"}
    approval |= {"expires_at_s": AT_S + 3600, "state": state, "resolved_by": "", "asked_at_s": AT_S}
    return approval


def old_decision(decision_id: str) -> dict[str, Any]:
    decision = {"decision_id": decision_id, "source": "bus", "event_id": "e", "guard": "delete"}
    decision |= {"target_json": '["t"]', "requester": "ada", "verdict": "remediate"}
    decision |= {"mode": "enforce", "outcome": "unfinished", "document_json": "{}"}
    return decision | {"approver": "", "at_s": AT_S, "kept_at_s": AT_S}


RUN_STATES = ("open", "stuck", "finished", "undone")
APPROVAL_STATES = ("pending", "approved", "denied", "expired", "superseded")
ENTRIES = (
    old_entry(0, "done", request_id="sg-new", note="looked"),
    old_entry(1, "not-done", note="refused"),
    old_entry(2, "undone", step=0, is_undo=1),
    old_entry(3, "intended"),
)


@pytest.fixture
def old(bare) -> Place:
    """A database of version 1 with rows of every kind and state."""
    make_version_1(bare)
    for state in RUN_STATES:
        insert(bare, "runs", old_run(state))
        insert(bare, "decisions", old_decision(f"d-{state}"))
    claim = {"source": "bus", "event_id": "e-open", "owner": "w1", "fence": 1}
    claim |= {"decision_id": "d-open", "payload_hash": "h", "state": "working"}
    insert(bare, "claims", claim | {"lease_until_s": AT_S - 1, "first_at_s": AT_S - 60})
    lock = {"name": "k-open", "decision_id": "d-open", "lease_until_s": AT_S - 1}
    insert(bare, "locks", lock)
    insert(bare, "targets", {"target": "t", "decision_id": "d-open"})
    insert(bare, "entries", *ENTRIES)
    insert(bare, "approvals", *(old_approval(state) for state in APPROVAL_STATES))
    return bare


def test_a_released_migration_is_not_edited():
    tables = VERSION_1.partition("CREATE TABLE sgguard_schema_version")[0]
    released = [" ".join(one.split()) for one in tables.split(";") if one.strip()]
    assert [" ".join(one.split()) for one in schema.MIGRATIONS[0]] == released


@pytest.mark.sampled(2)
def test_every_row_of_version_1_is_read_after_the_upgrade(old):
    store = old.open()
    assert {store.run(f"d-{state}").state for state in RUN_STATES} == set(RUN_STATES)
    assert [one.decision_id for one in store.open_runs()] == ["d-open", "d-stuck"]
    entries = store.entries("d-open")
    assert [one.state for one in entries] == [one["state"] for one in ENTRIES]
    assert [one.made_id for one in entries] == ["sg-new", "", "", ""]
    assert [(one.note, one.is_undo) for one in entries[:3]] == [
        ("looked", False),
        ("refused", False),
        ("", True),
    ]
    assert {one.state for one in store.approvals()} == set(APPROVAL_STATES)
    assert len(store.decisions(Query())) == len(RUN_STATES)
    assert [one.decision_id for one in store.decisions(Query(target="t"))] == ["d-open"]


@pytest.mark.sampled(2)
def test_a_run_of_version_1_is_taken_over_settled_and_closed_after_the_upgrade(old):
    store = old.open()
    claim = store.claim("bus", "e-open", owner="w2", decision_id="x", lease_s=60, payload_hash=None)
    assert claim == Claim("bus", "e-open", "w2", 2, "d-open", is_again=True)
    store.settle(claim, an_entry(3, "d-open"), "done", made_id="sg-other")
    store.intend(claim, an_entry(4, "d-open", is_undo=True), 60)
    store.settle(claim, an_entry(4, "d-open"), "not-done", note="refused")
    close_run(store, claim, "d-open", "undone")
    assert [(one.state, one.made_id) for one in store.entries("d-open")[3:]] == [
        ("done", "sg-other"),
        ("not-done", ""),
    ]
    assert store.resolve("a-pending", "approved", "olga")
    assert [one.decision_id for one in store.open_runs()] == ["d-stuck"]


@pytest.mark.sampled(2)
def test_an_upgrade_is_made_once_and_by_one_of_several_processes(old):
    for store in (old.open(), old.open(), old.open()):
        assert store.entries("d-open")[0].made_id == "sg-new"
    with connected(old) as connection:
        query = "SELECT version FROM sgguard_schema_version ORDER BY version"
        assert connection.execute(query).fetchall() == [
            (number + 1,) for number in range(len(schema.MIGRATIONS))
        ]


class DiedError(BaseException):
    """The process is gone: no handler of errors sees it."""


class MortalStore:
    """A store whose process ends when it settles the change after a group was created."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner
        self.is_created = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def settle(self, *args: Any, **given: Any) -> None:
        if self.is_created:
            raise DiedError
        self.inner.settle(*args, **given)
        self.is_created = any(one.made_id for one in args[1])


def downgrade(path: Path, kept: Place) -> None:
    """Copy the rows of a store of today into an empty one of version 1."""
    make_version_1(kept)
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        for table in TABLES:
            found = connection.execute(f"SELECT * FROM sgguard_{table}").fetchall()
            old_names = {"made_id": "request_id"}
            rows = [
                {old_names.get(k, k): v for k, v in dict(row).items() if k not in NEW[table]}
                for row in found
            ]
            insert(kept, table, *rows)


@pytest.mark.parametrize("provider", ["tencent", "alibaba"])
@pytest.mark.sampled(6)
def test_a_restore_cut_short_under_version_1_is_resumed_with_the_group_it_created(
    bare, tmp_path, provider
):
    harness = Harness(world_of(provider), tmp_path)
    before = harness.comparable_state()
    deleted = harness.delete(harness.world.referenced)
    mortal = MortalStore(open_store(harness.env["SGGUARD_STORE"]))
    cut = replace(harness.context(), store=mortal)
    with pytest.raises(DiedError):
        restore.restore(deleted["decision_id"], cut, by="olga")
    downgrade(tmp_path / "store.db", bare)

    store = bare.open(lambda: time.time() + 1000.0)
    (run,) = store.open_runs()
    states = [one.state for one in store.entries(run.decision_id)]
    assert states[0] == "done"
    assert "intended" in states
    transport = EmulatorTransport(harness.emulator)
    context = replace(harness.context(), store=store, transport=transport)
    found = resume.resume(run.decision_id, context)

    assert found["outcome"] == "remediated"
    (created,) = [one for one in found["journal"] if one["made"]]
    old_id = created["change"]["group_id"]
    assert harness.comparable_state((created["made"], old_id)) == before


# -- from version 2 ----------------------------------------------------------------------------


@pytest.fixture
def second(old) -> Place:
    """A database of version 2: as that of version 1, with the new name of one column."""
    undo = {"decision_id": "d-accepted", "is_undo": 1}
    insert(old, "runs", old_run("finished", decision_id="d-accepted", event_id="e-accepted"))
    insert(old, "entries", old_entry(0, "undone", **undo))
    for state in ("pending", "approved"):
        insert(old, "decisions", old_decision(f"d-{state}") | {"outcome": "pending"})
    insert(old, "marks", {"name": "g", "newest_s": AT_S + 1e9, "noted_at_s": AT_S})
    with connected(old) as connection:
        for statement in schema.MIGRATIONS[1]:
            connection.execute(statement)
        connection.execute("INSERT INTO sgguard_schema_version VALUES (2, 0)")
    return old


@pytest.mark.sampled(2)
def test_a_run_of_version_2_has_the_direction_in_which_it_was_going(second):
    store = second.open()
    found = {state: store.run(f"d-{state}") for state in (*RUN_STATES, "accepted")}
    assert {state: (run.state, run.direction) for state, run in found.items()} == {
        "open": ("open", "undoing"),
        "stuck": ("stuck", "undoing"),
        "finished": ("finished", "forward"),
        "undone": ("undone", "undoing"),
        # It was closed as finished with something undone: a person had accepted it.
        "accepted": ("accepted", "undoing"),
    }


@pytest.mark.sampled(2)
def test_a_question_of_version_2_has_a_fence_after_the_upgrade(second):
    store = second.open()
    given = {"decision_id": "d-pending", "lease_s": 60.0, "payload_hash": "f"}
    first = store.claim("approval", "a-pending", owner="w1", **given)
    assert isinstance(first, Claim)
    assert not isinstance(store.claim("approval", "a-other", owner="w2", **given), Claim)
    run = Run("d-pending", "approval", "a-pending", "{}", "{}")
    store.begin_run(first, run, approval_id="a-pending", by="ada")
    assert store.run("d-pending").state == "open"
    assert store.run("d-approved") is None


@pytest.mark.sampled(2)
def test_a_time_to_come_of_version_2_supersedes_nothing_any_more(second):
    store = second.open()
    assert store.newest(["g"], AT_S + 1) == AT_S
