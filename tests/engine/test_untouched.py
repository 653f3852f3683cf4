"""A run that was begun and has changed nothing is looked at as at its begin, before it goes on."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from sgguard.approvals import approve
from sgguard.emulator.faults import Fault
from sgguard.engine.execute import LEASE_S
from sgguard.errors import HaltedError, SgguardError, UnavailableError
from sgguard.model.codes import Mode
from sgguard.operations import apply, resume
from sgguard.operations.unresolved import everything
from sgguard.wire.clock import Deadline
from tests.approvals.harness import POLICY, ApprovalHarness, approval_harness
from tests.approvals.test_what_a_yes_covers import only, opened, pointing
from tests.deployment import CLOUDS
from tests.engine.interleaved import Between, DiedError, a_delete
from tests.stores import kept, postgres_server
from tests.worlds import world_of

__all__ = ["kept", "postgres_server"]  # fixtures

ENFORCING = replace(POLICY, mode=Mode.ENFORCE)


@pytest.fixture
def here(kept):
    """Tencent Cloud, on each kind of store."""
    world = world_of("tencent")
    return ApprovalHarness(world, world.emulator(), kept.url, kept.open(), kept.clock)


@pytest.fixture(params=CLOUDS)
def everywhere(request, tmp_path):
    with approval_harness(request.param, tmp_path) as made:
        yield made


def dies(given: ApprovalHarness, after: str, *, is_after: bool = True):
    """The context of a worker that dies after (or before) a step of the store."""

    def die() -> None:
        raise DiedError

    return given.context(store=Between(given.store, (after,), die, is_after=is_after))


def begun(given: ApprovalHarness, after: str = "begin_run", **how):
    """A plan that was approved and begun; its worker died, and its lease ended."""
    asked = given.asked()
    with pytest.raises(DiedError):
        approve(asked.approval_id, "ada", dies(given, after, **how))
    given.clock.pass_(2 * LEASE_S)
    return asked


def enforced(given: ApprovalHarness) -> str:
    """A plan that was begun without a question; return its decision."""
    context = given.context
    given.context = lambda **more: context(**more) if more else dies(given, "begin_run")
    with pytest.raises(DiedError):
        given.ask()
    given.context = context
    given.clock.pass_(2 * LEASE_S)
    [run] = given.store.open_runs()
    return run.decision_id


def require_nothing_done(given: ApprovalHarness, found, words: str, before) -> None:
    assert found["outcome"] == "undone"
    assert words in found["note"]
    assert given.emulator.state.dump() == before
    assert given.store.open_runs() == ()
    assert everything(given.context()) == ()
    assert json.loads(given.store.decision(found["decision_id"]).document_json) == found


# -- what a yes covers -------------------------------------------------------------------------


@pytest.mark.parametrize("after", ["begin_run", "intend"])
@pytest.mark.parametrize("remedy", ["rewrite", "move"])
@pytest.mark.sampled(16)
def test_a_group_that_was_opened_after_the_begin_is_not_what_was_approved(
    everywhere, remedy, after
):
    pointing(everywhere, remedy)
    asked = begun(everywhere, after)
    opened(everywhere)
    before = everywhere.emulator.state.dump()
    found = resume.resume(asked.decision_id, everywhere.context())
    require_nothing_done(everywhere, found, "has changed since it was begun", before)
    assert everywhere.ask(event_id="other")["outcome"] == "pending"


@pytest.mark.parametrize("remedy", ["rewrite", "move"])
@pytest.mark.sampled(16)
def test_where_nothing_has_changed_it_goes_on(everywhere, remedy):
    pointing(everywhere, remedy)
    asked = begun(everywhere)
    assert resume.resume(asked.decision_id, everywhere.context())["outcome"] == "remediated"
    assert everywhere.is_deleted


@pytest.mark.sampled(2)
def test_on_either_store_a_click_that_goes_on_looks_as_well(here):
    pointing(here, "rewrite")
    asked = begun(here)
    opened(here)
    before = here.emulator.state.dump()
    found = approve(asked.approval_id, "ada", here.context())
    require_nothing_done(here, found, "has changed since it was begun", before)


@pytest.mark.sampled(2)
def test_what_has_changed_something_goes_on_by_its_journal(here):
    pointing(here, "rewrite")
    asked = begun(here, "settle", is_after=False)
    opened(here)
    assert resume.resume(asked.decision_id, here.context())["outcome"] == "remediated"
    assert here.is_deleted


@pytest.mark.sampled(2)
def test_on_the_word_of_one_who_was_removed_nothing_is_changed(here):
    asked, before = begun(here), here.emulator.state.dump()
    here.policy = only("bob")
    found = resume.resume(asked.decision_id, here.context())
    require_nothing_done(here, found, "ada may not approve", before)


@pytest.mark.sampled(2)
def test_a_yes_that_is_too_old_is_not_acted_on(here):
    asked, before = begun(here), here.emulator.state.dump()
    here.clock.pass_(here.policy.approval.expires_s)
    found = resume.resume(asked.decision_id, here.context())
    require_nothing_done(here, found, "not started in time", before)


@pytest.mark.sampled(2)
def test_a_new_reference_is_judged_and_asked_about_anew(here):
    asked = begun(here)
    here.add_reference()
    before = here.emulator.state.dump()
    found = resume.resume(asked.decision_id, here.context())
    require_nothing_done(here, found, "has changed since it was begun", before)


@pytest.mark.sampled(2)
def test_what_cannot_be_read_leaves_it_open_until_it_can(here):
    asked, before = begun(here), here.emulator.state.dump()
    here.emulator.faults.append(
        Fault(
            "error", action="DescribeSecurityGroupPolicies", count=50, code="UnauthorizedOperation"
        )
    )
    with pytest.raises(SgguardError) as raised:
        resume.resume(asked.decision_id, here.context())
    assert isinstance(raised.value, UnavailableError), raised.value
    here.emulator.faults.clear()
    assert here.emulator.state.dump() == before
    assert resume.resume(asked.decision_id, here.context())["outcome"] == "remediated"


@pytest.mark.sampled(2)
def test_while_all_is_stopped_it_stays_open(here):
    asked = begun(here)
    here.store.halt("olga", "a drill")
    with pytest.raises(HaltedError):
        resume.resume(asked.decision_id, here.context())
    here.store.lift_halt()
    assert resume.resume(asked.decision_id, here.context())["outcome"] == "remediated"


@pytest.mark.sampled(2)
def test_without_time_for_the_look_the_next_one_looks(here):
    pointing(here, "rewrite")
    asked = begun(here)
    opened(here)
    with pytest.raises(SgguardError):
        resume.resume(asked.decision_id, here.context(deadline=Deadline.after(0.0)))
    assert resume.resume(asked.decision_id, here.context())["outcome"] == "undone"


# -- modes -------------------------------------------------------------------------------------


@pytest.mark.sampled(2)
def test_where_the_mode_observes_by_now_nothing_is_changed(here):
    asked, before = begun(here), here.emulator.state.dump()
    here.policy = replace(POLICY, mode=Mode.OBSERVE)
    found = resume.resume(asked.decision_id, here.context())
    require_nothing_done(here, found, "observe", before)


@pytest.mark.sampled(2)
def test_where_the_mode_asks_by_now_nothing_is_changed_unasked(here):
    here.policy = ENFORCING
    decision_id, before = enforced(here), here.emulator.state.dump()
    here.policy = POLICY
    found = resume.resume(decision_id, here.context())
    require_nothing_done(here, found, "nobody was asked", before)
    assert here.ask() == found


@pytest.mark.sampled(2)
def test_what_was_approved_is_carried_out_where_nobody_needs_to_be_asked_by_now(here):
    asked = begun(here)
    here.policy = ENFORCING
    assert resume.resume(asked.decision_id, here.context())["outcome"] == "remediated"


@pytest.mark.sampled(4)
def test_a_redelivery_looks_again_at_what_it_was_judged_on(everywhere):
    everywhere.policy = ENFORCING
    enforced(everywhere)
    everywhere.add_reference()
    before = everywhere.emulator.state.dump()
    found = everywhere.ask()
    require_nothing_done(everywhere, found, "has changed since it was begun", before)


@pytest.mark.sampled(8)
def test_a_redelivery_finishes_what_is_as_it_was(everywhere):
    everywhere.policy = ENFORCING
    enforced(everywhere)
    assert everywhere.ask()["outcome"] == "remediated"


def shown_and_begun(given: ApprovalHarness) -> str:
    """A plan that a person was shown and said yes to; its worker died when it had begun."""
    request, _ = a_delete(given, given.world.referenced)
    [shown] = apply.propose([request], given.context())
    with pytest.raises(DiedError):
        apply.carry_out(shown, dies(given, "begin_run"))
    given.clock.pass_(2 * LEASE_S)
    return shown.decision_id


@pytest.mark.parametrize("remedy", ["rewrite", "move"])
@pytest.mark.sampled(8)
def test_a_group_that_was_opened_after_the_begin_is_not_what_a_person_was_shown(everywhere, remedy):
    pointing(everywhere, remedy)
    everywhere.policy = replace(everywhere.policy, mode=Mode.ENFORCE)
    decision_id = shown_and_begun(everywhere)
    opened(everywhere)
    before = everywhere.emulator.state.dump()
    found = resume.resume(decision_id, everywhere.context())
    require_nothing_done(everywhere, found, "has changed since it was begun", before)


@pytest.mark.sampled(8)
def test_what_a_person_was_shown_goes_on_where_nothing_has_changed(everywhere):
    pointing(everywhere, "rewrite")
    everywhere.policy = replace(everywhere.policy, mode=Mode.ENFORCE)
    decision_id = shown_and_begun(everywhere)
    assert resume.resume(decision_id, everywhere.context())["outcome"] == "remediated"
    assert everywhere.is_deleted


@pytest.mark.sampled(2)
def test_a_plan_that_a_person_was_shown_is_looked_at_too(here):
    here.policy = ENFORCING
    decision_id = shown_and_begun(here)
    here.add_reference()
    found = resume.resume(decision_id, here.context())
    assert found["outcome"] == "undone"
    assert not here.is_deleted
