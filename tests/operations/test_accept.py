"""Any decision can be ended as it is: recorded with who and why, its groups free, and told."""

from __future__ import annotations

import json
import sqlite3

import pytest
from msgspec.structs import replace

from sgguard import schemas
from sgguard.approvals import approve
from sgguard.engine.execute import LEASE_S
from sgguard.errors import BusyError, EventError, StoreError
from sgguard.model.codes import Mode
from sgguard.operations import restore, resume
from sgguard.operations.unresolved import everything
from tests.approvals.harness import POLICY, ApprovalHarness, approval_harness
from tests.cli.test_resume import DiedError, Dying, cut_short
from tests.deployment import CLOUDS


@pytest.fixture
def here(tmp_path):
    with approval_harness("tencent", tmp_path) as made:
        yield made


@pytest.fixture(params=CLOUDS)
def everywhere(request, tmp_path):
    with approval_harness(request.param, tmp_path) as made:
        yield made


def changed(given: ApprovalHarness, statement: str, *values: str) -> None:
    """Change what is kept, as another sgguard might have written it."""
    with sqlite3.connect(given.url.removeprefix("sqlite:///")) as connection:
        assert connection.execute(statement, values).rowcount == 1
    connection.close()


def newer(given: ApprovalHarness, column: str, decision_id: str, writer: str = "9.9.9") -> None:
    """Let a newer sgguard have written a field that this one does not know."""
    run = given.store.run(decision_id)
    kept = json.loads(getattr(run, column))
    kept["written_by"] = writer
    kept["scope"]["tenant"] = "blue"
    statement = f"UPDATE sgguard_runs SET {column} = ? WHERE decision_id = ?"
    changed(given, statement, json.dumps(kept), decision_id)


def enforced(given: ApprovalHarness, method: str = "settle", times: int = 1):
    """A delete in mode enforce whose worker died; its lease ended long ago."""
    given.policy = replace(POLICY, mode=Mode.ENFORCE)
    dying = Dying(given.store, method, times)
    given.store, store = dying, given.store
    with pytest.raises(DiedError):
        given.ask()
    given.store = store
    given.clock.pass_(10 * LEASE_S)


# -- any run -------------------------------------------------------------------------------


@pytest.mark.sampled(5)
def test_an_open_run_is_ended_without_a_change_and_says_by_whom_and_why(everywhere):
    asked = cut_short(everywhere)
    before = everywhere.emulator.state.dump()
    found = resume.accept(asked.decision_id, everywhere.context(), by="bob", why="moved by hand")
    assert found["outcome"] == "accepted"
    assert found["note"].endswith("accepted as it is by bob: moved by hand")
    assert schemas.problems("decision", found) == ()
    assert everywhere.document(asked) == found
    assert everywhere.store.run(asked.decision_id).state == "accepted"
    assert everywhere.emulator.state.dump() == before
    with pytest.raises(EventError):
        resume.accept(asked.decision_id, everywhere.context(), by="bob")
    with pytest.raises(EventError):
        resume.resume(asked.decision_id, everywhere.context())


def test_its_groups_are_free_for_others_at_once(here):
    asked = cut_short(here)
    here.policy = replace(POLICY, mode=Mode.ENFORCE)
    here.add_reference()
    with pytest.raises(BusyError):
        here.ask(event_id="later")
    resume.accept(asked.decision_id, here.context(), by="bob")
    assert here.ask(event_id="later")["outcome"] == "remediated"


def test_whoever_asked_is_told_on_the_next_delivery(here):
    asked = cut_short(here, event_id="order-7")
    found = resume.accept(asked.decision_id, here.context(), by="bob", why="by hand")
    assert here.ask(event_id="order-7") == found
    with pytest.raises(EventError, match="accepted"):
        approve(asked.approval_id, "ada", here.context())


def test_whoever_asked_in_mode_enforce_is_told_as_well(here):
    enforced(here)
    [run] = here.store.open_runs()
    found = resume.accept(run.decision_id, here.context(), by="bob")
    state = here.emulator.state.dump()
    assert here.ask() == found
    assert here.emulator.state.dump() == state


def test_a_run_that_is_being_worked_on_is_not_ended(here):
    enforced(here)
    [run] = here.store.open_runs()
    claim = here.store.claim(
        run.source,
        run.event_id,
        owner="w",
        decision_id=run.decision_id,
        lease_s=60.0,
        payload_hash=None,
    )
    with pytest.raises(BusyError, match="being worked on"):
        resume.accept(run.decision_id, here.context(), by="bob")
    here.store.release(claim)
    assert resume.accept(run.decision_id, here.context(), by="bob")["outcome"] == "accepted"


def test_a_run_without_its_credentials_is_listed_with_that_and_can_be_ended(here):
    asked = cut_short(here)
    bare = {name: value for name, value in here.context().env.items() if "TENCENT" not in name}
    context = here.context(env=bare)
    [found] = everything(context)
    assert "TENCENTCLOUD_SECRET_ID" in found.why
    assert "--accept" in found.next
    assert resume.accept(asked.decision_id, context, by="bob")["outcome"] == "accepted"


def test_what_was_deleted_can_be_restored_after_it(here):
    asked = cut_short(here, times=2)
    assert here.is_deleted
    resume.accept(asked.decision_id, here.context(), by="bob")
    done = restore.restore(asked.decision_id, here.context(), by="bob")
    assert done["outcome"] == "remediated"
    assert [group.name for group in here.cloud.groups].count("databases") == 1


def test_a_run_whose_decision_is_lost_can_be_ended(here):
    enforced(here)
    [run] = here.store.open_runs()
    changed(here, "DELETE FROM sgguard_decisions WHERE decision_id = ?", run.decision_id)
    found = resume.accept(run.decision_id, here.context(), by="bob")
    assert schemas.problems("decision", found) == ()
    assert here.store.open_runs() == ()
    assert json.loads(here.store.decision(run.decision_id).document_json) == found


# -- written by another sgguard ------------------------------------------------------------


@pytest.mark.parametrize("column", ["plan_json", "snapshot_json"])
@pytest.mark.sampled(2)
def test_a_field_of_another_version_is_named_and_the_run_is_not_carried_on(here, column):
    asked = cut_short(here)
    newer(here, column, asked.decision_id)
    before = here.emulator.state.dump()
    with pytest.raises(StoreError, match=r"'scope\.tenant'.*sgguard 9\.9\.9 wrote it"):
        resume.resume(asked.decision_id, here.context())
    assert here.emulator.state.dump() == before
    [found] = everything(here.context())
    assert (found.state, found.needs_operator) == ("unreadable", True)
    assert "'scope.tenant'" in found.why
    assert "9.9.9" in found.why
    found = resume.accept(asked.decision_id, here.context(), by="bob", why="no such version")
    assert found["outcome"] == "accepted"
    assert here.emulator.state.dump() == before


def test_a_line_of_the_journal_of_another_version_is_as_good_a_reason(here):
    asked = cut_short(here)
    [entry, *_] = here.store.entries(asked.decision_id)
    line = json.dumps({**json.loads(entry.change_json), "rollback": "no"})
    statement = "UPDATE sgguard_entries SET change_json = ? WHERE decision_id = ? AND number = 0"
    changed(here, statement, line, asked.decision_id)
    with pytest.raises(StoreError, match="'rollback'"):
        resume.resume(asked.decision_id, here.context())
    assert resume.accept(asked.decision_id, here.context(), by="bob")["outcome"] == "accepted"


def test_a_run_that_cannot_be_read_at_all_can_be_ended(here):
    asked = cut_short(here)
    statement = "UPDATE sgguard_runs SET plan_json = ? WHERE decision_id = ?"
    changed(here, statement, '{"steps": []}', asked.decision_id)
    [found] = everything(here.context())
    assert found.state == "unreadable"
    assert resume.accept(asked.decision_id, here.context(), by="bob")["outcome"] == "accepted"


def test_a_question_of_another_version_is_not_answered_with_less_than_it_says(here):
    asked = here.asked()
    request = json.loads(asked.request_json)
    assert request["written_by"]
    request |= {"written_by": "9.9.9", "only_if": "empty"}
    statement = "UPDATE sgguard_approvals SET request_json = ? WHERE approval_id = ?"
    changed(here, statement, json.dumps(request), asked.approval_id)
    with pytest.raises(StoreError, match=r"'only_if'.*9\.9\.9"):
        approve(asked.approval_id, "ada", here.context())
    assert not here.is_deleted
    assert here.approval(asked.approval_id).state == "pending"
