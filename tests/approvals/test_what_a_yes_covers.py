"""What a yes covers: its approver still may, and what the plan points to is as it was."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec.structs import replace

from sgguard.approvals import approve, expire_all
from sgguard.emulator import edit
from sgguard.emulator.resource import Rule
from sgguard.engine import retention
from sgguard.engine.execute import LEASE_S, Executor
from sgguard.errors import EventError, InputError
from sgguard.model.address import Address
from sgguard.model.codes import Mode
from sgguard.model.request import DeleteRequest
from sgguard.operations import apply, resume
from sgguard.operations.unresolved import everything
from sgguard.policy import DeletePolicy
from sgguard.wire.clock import Deadline, elapsed
from tests.approvals.harness import POLICY, ApprovalHarness, approval_harness
from tests.cli.test_resume import cut_short
from tests.deployment import CLOUDS


@pytest.fixture(params=CLOUDS)
def everywhere(request, tmp_path):
    with approval_harness(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def here(tmp_path):
    with approval_harness("tencent", tmp_path) as made:
        yield made


def only(*approvers: str):
    return replace(POLICY, approval=replace(POLICY.approval, approvers=approvers))


# -- the approver --------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["pending", "unfinished"])
@pytest.mark.sampled(6)
def test_on_the_word_of_one_who_was_removed_since_nothing_is_begun(everywhere, outcome):
    asked = everywhere.approved(outcome=outcome)
    everywhere.policy = only("bob")
    before = everywhere.emulator.state.dump()
    found = resume.resume(asked.decision_id, everywhere.context())
    assert found["outcome"] == "refused"
    assert "not begun: ada may not approve" in found["note"]
    assert everywhere.emulator.state.dump() == before
    assert everywhere.document(asked) == found
    assert everywhere.ask(event_id="other")["outcome"] == "pending"


def test_whoever_asked_is_told_so(here):
    asked = here.approved(event_id="order-7")
    here.policy = only("bob")
    found = resume.resume(asked.decision_id, here.context())
    assert here.ask(event_id="order-7") == found
    assert everything(here.context()) == ()


def test_another_click_does_not_begin_it_either(here):
    asked = here.approved()
    here.policy = only("bob")
    assert approve(asked.approval_id, "bob", here.context())["outcome"] == "refused"
    assert not here.is_deleted
    with pytest.raises(EventError):
        approve(asked.approval_id, "bob", here.context())


def test_one_who_may_still_approve_is_as_good_as_before(here):
    asked = here.approved()
    here.policy = only("ada")
    assert resume.resume(asked.decision_id, here.context())["outcome"] == "remediated"


def test_what_was_begun_is_ended_whoever_may_approve_now(here):
    asked = cut_short(here, "settle")
    here.policy = only("bob")
    assert resume.resume(asked.decision_id, here.context())["outcome"] == "remediated"


# -- what the plan points to ---------------------------------------------------------------


def pointing(given: ApprovalHarness, remedy: str) -> None:
    """Let the policy's plan give holders, or make rules name, the group ``free``."""
    free = given.world.free
    table = DeletePolicy(remedies=(remedy,), fallback_group=free, replacement_group=free)
    given.policy = replace(POLICY, delete=table)
    if remedy == "move":
        for group in given.cloud.groups:
            group.rules = [one for one in group.rules if one.peer_group != given.world.referenced]
        primary = given.cloud.interfaces_of(given.world.server)[0]
        given.cloud.interfaces = [
            one for one in given.cloud.interfaces if one.kind == "primary" or one is primary
        ]
        edit.set_groups(given.cloud, primary, [given.world.referenced])


def opened(given: ApprovalHarness) -> None:
    rule = Rule("ingress", id="9f0c1a52-0000-4000-8000-00000000beef", ports="22", cidr="0.0.0.0/0")
    edit.add_rule(given.cloud, given.world.free, rule)


@pytest.mark.parametrize("remedy", ["rewrite", "move"])
@pytest.mark.sampled(6)
def test_a_group_that_was_opened_since_needs_another_yes(everywhere, remedy):
    pointing(everywhere, remedy)
    asked = everywhere.asked()
    everywhere.clock.pass_(60)
    opened(everywhere)
    before = everywhere.emulator.state.dump()
    found = approve(asked.approval_id, "ada", everywhere.context())
    assert found["outcome"] == "pending"
    assert "changed" in found["note"]
    assert everywhere.emulator.state.dump() == before
    fresh = found["approval"]["approval_id"]
    assert approve(fresh, "ada", everywhere.context())["outcome"] == "remediated"
    assert everywhere.is_deleted


@pytest.mark.parametrize("remedy", ["rewrite", "move"])
@pytest.mark.sampled(12)
def test_a_group_that_is_as_it_was_needs_no_other_yes(everywhere, remedy):
    pointing(everywhere, remedy)
    opened(everywhere)
    asked = everywhere.asked()
    (rule,) = everywhere.cloud.group(everywhere.world.free).rules[-1:]
    edit.remove_rule(everywhere.cloud, everywhere.world.free, rule)
    other = dataclasses.replace(rule, id="9f0c1a52-0000-4000-8000-00000000feed")
    edit.add_rule(everywhere.cloud, everywhere.world.free, other)
    assert approve(asked.approval_id, "ada", everywhere.context())["outcome"] == "remediated"


def test_a_plan_that_was_shown_covers_it_too(here):
    pointing(here, "rewrite")
    here.policy = replace(here.policy, mode=Mode.ENFORCE)
    request = DeleteRequest((Address.parse(here.target),), "ada")
    [shown] = apply.propose([request], here.context())
    opened(here)
    with pytest.raises(InputError, match="changed since the plan was shown"):
        apply.carry_out(shown, here.context())
    assert not here.is_deleted


# -- time ----------------------------------------------------------------------------------


def test_a_question_that_is_open_for_longer_than_records_are_kept_is_not_forgotten(here):
    here.policy = replace(POLICY, approval=replace(POLICY.approval, expires_s=90 * 86400))
    asked = here.asked()
    here.clock.pass_(40 * retention.DAY_S)
    retention.purge(here.store, 30)
    assert approve(asked.approval_id, "ada", here.context())["outcome"] == "remediated"


@pytest.mark.parametrize("outcome", ["pending", "unfinished"])
@pytest.mark.sampled(2)
def test_what_was_approved_and_not_begun_is_not_forgotten(here, outcome):
    here.policy = replace(POLICY, approval=replace(POLICY.approval, expires_s=200 * 86400))
    asked = here.approved(outcome=outcome)
    for _ in range(3):
        here.clock.pass_(31 * retention.DAY_S)
        retention.purge(here.store, 30)
    assert resume.resume(asked.decision_id, here.context())["outcome"] == "remediated"
    here.clock.pass_(31 * retention.DAY_S)
    retention.purge(here.store, 30)
    assert here.store.approval(asked.approval_id) is None
    assert here.store.decision(asked.decision_id) is None


@pytest.mark.parametrize("outcome", ["pending", "unfinished"])
@pytest.mark.sampled(2)
def test_the_timer_ends_what_was_approved_and_not_begun_in_time(here, outcome):
    asked = here.approved(outcome=outcome, event_id="order-7")
    assert expire_all(Executor.of(here.context())) == ()
    here.clock.pass_(POLICY.approval.expires_s)
    [closed] = expire_all(Executor.of(here.context()))
    assert closed.approval_id == asked.approval_id
    found = here.ask(event_id="order-7")
    assert (found["outcome"], found["note"]) == (
        "refused",
        "approved, but not started in time: nothing was done",
    )
    assert expire_all(Executor.of(here.context())) == ()
    assert everything(here.context()) == ()


def test_the_timer_leaves_alone_what_a_worker_is_about_to_begin(here):
    asked = here.approved()
    here.clock.pass_(POLICY.approval.expires_s)
    about = {"owner": "w", "decision_id": asked.decision_id, "lease_s": LEASE_S}
    here.store.claim("approval", asked.approval_id, payload_hash=None, **about)
    assert expire_all(Executor.of(here.context())) == ()
    assert here.document(asked)["outcome"] == "pending"


def test_a_deadline_passes_while_the_machine_is_paused(monkeypatch):
    boot_s = [1000.0]
    monkeypatch.setattr("sgguard.wire.clock._BOOT", 7)
    monkeypatch.setattr("time.clock_gettime", lambda _: boot_s[0])
    deadline = Deadline.after(60.0)
    boot_s[0] += 61.0  # paused: the monotonic clock did not move
    assert deadline.remaining_s() == 0.0


def test_where_no_clock_counts_a_pause_the_monotonic_one_serves(monkeypatch):
    monkeypatch.setattr("sgguard.wire.clock._BOOT", None)
    monkeypatch.setattr("time.monotonic", lambda: 5.0)
    assert elapsed() == 5.0
