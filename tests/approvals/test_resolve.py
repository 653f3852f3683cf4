"""What an approval or a denial does, on every cloud, whatever happens in between."""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from sgguard import schemas
from sgguard.approvals import approve, deny, finish
from sgguard.emulator import edit
from sgguard.emulator.faults import Fault
from sgguard.engine import handle, retention
from sgguard.engine.execute import LEASE_S
from sgguard.errors import (
    BusyError,
    EventError,
    HaltedError,
    SettingsError,
    SgguardError,
    StoreError,
    UnavailableError,
)
from sgguard.model.address import Scope
from sgguard.model.codes import Mode
from sgguard.model.event import Event
from sgguard.model.request import LaunchRequest
from sgguard.operations import resume
from sgguard.policy import DeletePolicy, Exemption, LaunchPolicy
from sgguard.store import open_store
from tests import stores
from tests.approvals.harness import POLICY, ApprovalHarness, approval_harness
from tests.deployment import CLOUDS
from tests.stores import Clock


@pytest.fixture(params=CLOUDS)
def everywhere(request, tmp_path):
    with approval_harness(request.param, tmp_path) as made:
        yield made


@pytest.fixture
def here(tmp_path):
    with approval_harness("tencent", tmp_path) as made:
        yield made


def refused(status: int, call, *args) -> str:
    with pytest.raises(EventError) as caught:
        call(*args)
    assert caught.value.status == status
    return str(caught.value)


# -- yes -----------------------------------------------------------------------------------


@pytest.mark.sampled(4)
def test_an_approved_plan_is_applied_and_recorded_with_its_approver(everywhere):
    asked = everywhere.asked()
    assert not everywhere.is_deleted
    document = approve(asked.approval_id, "ada", everywhere.context())
    assert (document["outcome"], everywhere.is_deleted) == ("remediated", True)
    assert schemas.problems("decision", document) == ()
    assert document["decision_id"] == asked.decision_id
    assert document["approval"]["state"] == "approved"
    record = everywhere.store.decision(asked.decision_id)
    assert (record.outcome, record.approver, record.requester) == ("remediated", "ada", "eve")
    assert (record.source, record.event_id) == ("delete_request /portal", "order-7")
    assert json.loads(record.document_json) == document
    assert everywhere.store.open_runs() == ()


@pytest.mark.sampled(3)
def test_an_approval_request_changes_nothing_in_the_cloud(everywhere):
    before = everywhere.emulator.state.dump()
    everywhere.asked()
    assert everywhere.emulator.state.dump() == before


@pytest.mark.sampled(6)
def test_a_second_approval_names_the_first_approver_and_does_nothing(everywhere):
    asked = everywhere.asked()
    approve(asked.approval_id, "ada", everywhere.context())
    after = everywhere.emulator.state.dump()
    said = refused(409, approve, asked.approval_id, "bob", everywhere.context())
    assert said.startswith("ada approved this already")
    assert "remediated" in said
    assert everywhere.emulator.state.dump() == after


@pytest.mark.sampled(4)
def test_of_two_simultaneous_clicks_one_works_and_the_other_gets_a_message(everywhere):
    asked = everywhere.asked()
    barrier = threading.Barrier(2)

    def click(by):
        barrier.wait()
        try:
            return approve(asked.approval_id, by, everywhere.context())
        except SgguardError as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(click, ("ada", "bob")))
    done = [one for one in found if isinstance(one, dict)]
    [told] = [one for one in found if not isinstance(one, dict)]
    assert [one["outcome"] for one in done] == ["remediated"]
    assert isinstance(told, BusyError | EventError)
    assert everywhere.is_deleted
    who = everywhere.approval(asked.approval_id).resolved_by
    assert done[0]["approval"]["resolved_by"] == who


def test_a_click_during_another_one_is_asked_to_retry(here):
    asked = here.asked()
    stores_claim = here.store.claim(
        "approval",
        asked.approval_id,
        owner="w",
        decision_id=asked.decision_id,
        lease_s=60.0,
        payload_hash=asked.facts_hash,
    )
    with pytest.raises(BusyError, match="being worked on") as caught:
        approve(asked.approval_id, "ada", here.context())
    assert caught.value.retry_after_s == pytest.approx(60.0)
    here.store.release(stores_claim)
    assert approve(asked.approval_id, "ada", here.context())["outcome"] == "remediated"


@pytest.mark.parametrize("provider", ["tencent", "openstack"])
@pytest.mark.sampled(2)
def test_a_launch_that_violates_the_policy_is_corrected_on_approval(tmp_path, provider):
    with approval_harness(provider, tmp_path) as given:
        forbidden = LaunchPolicy(forbidden=(given.world.bound,), remedies=("unbind",))
        # an instance with another group as well
        edit_holder(given)
        given.policy = replace(POLICY, launch=forbidden)
        scope = Scope(provider, "", given.world.region)
        request = LaunchRequest(scope, instance_id=given.world.server, requested_by="eve")
        event = Event("launched", {"instance": given.world.server}, "/bus")
        (document,) = handle.launches([(request, event)], given.context())
        assert document["outcome"] == "pending", document
        done = approve(document["approval"]["approval_id"], "ada", given.context())
        assert (done["guard"], done["outcome"]) == ("launch", "remediated")
        assert given.world.bound not in given.cloud.groups_of(given.world.server)


def edit_holder(given: ApprovalHarness) -> None:
    primary = given.cloud.interfaces_of(given.world.server)[0]
    if len(primary.groups) == 1:
        edit.set_groups(given.cloud, primary, [*primary.groups, given.world.free])


# -- who -----------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [approve, deny], ids=["approve", "deny"])
@pytest.mark.parametrize("by", ["mallory", "", " ", "Ada", "ada ", "*", "a?a"])
@pytest.mark.sampled(8)
def test_a_person_the_policy_does_not_name_cannot_decide(here, answer, by):
    asked = here.asked()
    before = here.emulator.state.dump()
    refused(403, answer, asked.approval_id, by, here.context())
    assert here.approval(asked.approval_id).state == "pending"
    assert here.emulator.state.dump() == before


def test_without_a_list_of_approvers_no_one_approves(here):
    asked = here.asked()
    here.policy = replace(POLICY, approval=replace(POLICY.approval, approvers=()))
    refused(403, approve, asked.approval_id, "ada", here.context())


@pytest.mark.parametrize("requester", ["eve", "Eve", " eve", "\uff45ve"])
@pytest.mark.sampled(3)
def test_a_requester_cannot_approve_under_any_spelling_of_their_name(here, requester):
    asked = here.asked(requester=requester)
    assert "requested this" in refused(403, approve, asked.approval_id, "eve", here.context())
    assert deny(asked.approval_id, "eve", here.context())["outcome"] == "refused"


def test_a_request_without_a_requester_cannot_be_approved(here):
    asked = here.asked(requester="")
    assert "requested_by" in refused(403, approve, asked.approval_id, "ada", here.context())


@pytest.mark.parametrize("requester", ["eve", ""])
@pytest.mark.sampled(2)
def test_a_policy_may_let_people_approve_their_own(here, requester):
    here.policy = replace(POLICY, approval=replace(POLICY.approval, may_approve_own=True))
    asked = here.asked(requester=requester)
    assert approve(asked.approval_id, "eve", here.context())["outcome"] == "remediated"


def test_an_unknown_approval_request_is_not_found(here):
    for answer in (approve, deny):
        assert "no approval 'nowhere'" in refused(404, answer, "nowhere", "ada", here.context())


def test_without_a_store_nothing_can_be_answered(here):
    for answer in (approve, deny):
        with pytest.raises(SettingsError, match="SGGUARD_STORE"):
            answer("a1", "ada", here.context(store=None))


# -- no, and too late ----------------------------------------------------------------------


@pytest.mark.sampled(6)
def test_a_no_is_kept_and_final(everywhere):
    asked = everywhere.asked()
    before = everywhere.emulator.state.dump()
    document = deny(asked.approval_id, "bob", everywhere.context())
    assert (document["outcome"], document["approval"]["resolved_by"]) == ("refused", "bob")
    assert schemas.problems("decision", document) == ()
    record = everywhere.store.decision(asked.decision_id)
    assert (record.outcome, record.approver) == ("refused", "bob")
    for answer in (approve, deny):
        said = refused(409, answer, asked.approval_id, "ada", everywhere.context())
        assert said.startswith("bob denied this already")
    assert everywhere.emulator.state.dump() == before


def test_a_denial_wins_over_an_approval_that_still_reads_the_cloud(here):
    asked = here.asked()

    class Denied(Watching):
        def begin_run(self, *args, **more):
            deny(asked.approval_id, "bob", here.context())
            return self.store.begin_run(*args, **more)

    said = refused(409, approve, asked.approval_id, "ada", here.context(store=Denied(here.store)))
    assert said.startswith("bob denied this already")
    assert not here.is_deleted


@pytest.mark.parametrize("answer", [approve, deny], ids=["approve", "deny"])
@pytest.mark.sampled(2)
def test_an_expired_approval_request_is_closed_with_a_message(here, answer):
    asked = here.asked()
    here.clock.pass_(POLICY.approval.expires_s)
    assert "expired" in refused(410, answer, asked.approval_id, "ada", here.context())
    assert here.approval(asked.approval_id).state == "expired"
    assert here.document(asked)["outcome"] == "refused"
    assert not here.is_deleted
    here.clock.pass_(-POLICY.approval.expires_s)
    refused(410, approve, asked.approval_id, "ada", here.context())


def test_an_approval_request_is_pending_until_it_expires(here):
    asked = here.asked()
    here.clock.pass_(POLICY.approval.expires_s - 1)
    assert approve(asked.approval_id, "ada", here.context())["outcome"] == "remediated"


# -- the world in between ------------------------------------------------------------------


def add_a_rule(given: ApprovalHarness) -> None:
    given.add_reference()


def change_a_rule(given: ApprovalHarness) -> None:
    group = given.cloud.group(given.world.referrer_in)
    [rule] = [one for one in group.rules if one.peer_group == given.world.referenced]
    edit.remove_rule(given.cloud, group.id, rule)
    edit.add_rule(given.cloud, group.id, dataclasses.replace(rule, ports="8443", id=""))


def carry_it(given: ApprovalHarness) -> None:
    primary = given.cloud.interfaces_of(given.world.server)[0]
    edit.set_groups(given.cloud, primary, [*primary.groups, given.world.referenced])


@pytest.mark.parametrize("happens", [add_a_rule, change_a_rule])
@pytest.mark.sampled(8)
def test_changed_facts_stop_the_plan_and_request_approval_of_the_new_one(everywhere, happens):
    asked = everywhere.asked()
    everywhere.clock.pass_(60)
    happens(everywhere)
    before = everywhere.emulator.state.dump()
    document = approve(asked.approval_id, "ada", everywhere.context())
    assert everywhere.emulator.state.dump() == before
    assert schemas.problems("decision", document) == ()
    assert document["outcome"] == "pending", document["reasons"]
    assert "changed" in document["note"]
    assert everywhere.approval(asked.approval_id).state == "superseded"
    [fresh] = everywhere.store.approvals("pending")
    assert document["approval"]["approval_id"] == fresh.approval_id != asked.approval_id
    assert fresh.requester == "eve"
    assert everywhere.document(asked) == document
    said = refused(409, approve, asked.approval_id, "bob", everywhere.context())
    assert fresh.approval_id in said
    assert approve(fresh.approval_id, "ada", everywhere.context())["outcome"] == "remediated"
    assert everywhere.is_deleted


@pytest.mark.sampled(3)
def test_a_group_bound_since_is_not_deleted_on_an_old_approval(everywhere):
    asked = everywhere.asked()
    carry_it(everywhere)
    before = everywhere.emulator.state.dump()
    document = approve(asked.approval_id, "ada", everywhere.context())
    assert everywhere.emulator.state.dump() == before
    # one of the clouds does not tell what else the holder carries: there is no plan for it
    assert document["outcome"] == (
        "pending" if document["verdict"] == "remediate" else "superseded"
    )
    assert "bound" in [reason["code"] for reason in document["reasons"]]


@pytest.mark.parametrize("what", ["protected", "gone"])
@pytest.mark.sampled(2)
def test_where_nothing_is_left_to_approve_the_decision_is_superseded(here, what):
    asked = here.asked()
    if what == "protected":
        guarded = DeletePolicy(remedies=("revoke",), protected=(here.world.referenced,))
        here.policy = replace(POLICY, delete=guarded)
    else:
        for group in here.cloud.groups:
            group.rules = [one for one in group.rules if one.peer_group != here.world.referenced]
    document = approve(asked.approval_id, "ada", here.context())
    assert document["outcome"] == "superseded"
    assert document["verdict"] == {"protected": "block", "gone": "allow"}[what]
    assert here.store.approvals("pending") == ()
    assert here.store.decision(asked.decision_id).outcome == "superseded"
    refused(409, approve, asked.approval_id, "ada", here.context())
    assert not here.is_deleted


def test_an_exemption_that_ended_in_between_no_longer_counts(tmp_path):
    tomorrow = timedelta(days=1).total_seconds()
    passed_s = [0.0]

    def now() -> float:
        return time.time() + passed_s[0]

    with approval_harness("tencent", tmp_path, now=now) as given:
        group, today = given.world.referenced, datetime.now(UTC).date()
        excused = Exemption(group, ("protected",), "ada", "moving", today)
        guarded = replace(POLICY.delete, protected=(group,))
        given.policy = replace(POLICY, delete=guarded, exemptions=(excused,))
        asked = given.asked()
        passed_s[0] = tomorrow
        document = approve(asked.approval_id, "ada", given.context(now=now))
        assert (document["outcome"], document["verdict"]) == ("superseded", "block")
        assert not given.is_deleted


@pytest.mark.sampled(4)
def test_incomplete_facts_are_not_compared_and_the_request_stays_pending(everywhere):
    asked = everywhere.asked()
    account = everywhere.cloud.accounts[0]
    account.denied = [everywhere.world.denied_references]
    before = everywhere.emulator.state.dump()
    with pytest.raises(SgguardError):
        approve(asked.approval_id, "ada", everywhere.context())
    assert everywhere.emulator.state.dump() == before
    assert everywhere.approval(asked.approval_id).state == "pending"
    account.denied = []
    document = approve(asked.approval_id, "ada", everywhere.context())
    assert document["outcome"] == "remediated"


def test_a_new_gap_is_a_change_even_where_the_policy_tolerates_it(here):
    tolerant = replace(POLICY.delete, tolerate_unseen=("no-permission",))
    here.policy = replace(POLICY, delete=tolerant)
    asked = here.asked()
    here.cloud.accounts[0].denied = ["DescribeSecurityGroupAssociationStatistics"]
    document = approve(asked.approval_id, "ada", here.context())
    assert document["facts"]["unseen"]
    assert document["outcome"] in ("pending", "superseded")
    assert here.approval(asked.approval_id).state == "superseded"
    assert not here.is_deleted


@pytest.mark.sampled(4)
def test_a_cloud_that_does_not_respond_leaves_the_request_pending(everywhere):
    asked = everywhere.asked()
    for trouble in ("drop", "garbage"):
        everywhere.emulator.faults.append(Fault(trouble, count=10_000))
        with pytest.raises(SgguardError):
            approve(asked.approval_id, "ada", everywhere.context())
        everywhere.emulator.faults.clear()
        assert everywhere.approval(asked.approval_id).state == "pending"
    assert not everywhere.is_deleted
    assert approve(asked.approval_id, "ada", everywhere.context())["outcome"] == "remediated"


def test_an_unreachable_cloud_is_no_verdict_on_the_request(here):
    here.policy = replace(POLICY, delete=replace(POLICY.delete, when_unreachable="block"))
    asked = here.asked()
    here.emulator.faults.append(Fault("drop", count=10_000))
    with pytest.raises(UnavailableError):
        approve(asked.approval_id, "ada", here.context())
    assert here.approval(asked.approval_id).state == "pending"


# -- stopped -------------------------------------------------------------------------------


@pytest.mark.sampled(8)
def test_a_halt_between_request_and_approval_is_honoured(everywhere):
    asked = everywhere.asked()
    everywhere.store.halt("ops", "incident 7")
    before = everywhere.emulator.state.dump()
    with pytest.raises(HaltedError, match="ops stopped all changes: incident 7"):
        approve(asked.approval_id, "ada", everywhere.context())
    assert everywhere.emulator.state.dump() == before
    assert everywhere.approval(asked.approval_id).state == "pending"
    everywhere.store.lift_halt()
    assert approve(asked.approval_id, "ada", everywhere.context())["outcome"] == "remediated"


def test_a_policy_that_stops_everything_is_honoured(here):
    asked = here.asked()
    with pytest.raises(HaltedError, match="policy"):
        approve(asked.approval_id, "ada", here.context(policy=replace(POLICY, halt=True)))
    assert not here.is_deleted


def test_in_mode_observe_an_approval_changes_nothing(here):
    asked = here.asked()
    with pytest.raises(HaltedError, match="observe"):
        approve(asked.approval_id, "ada", here.context(policy=replace(POLICY, mode=Mode.OBSERVE)))
    assert not here.is_deleted
    assert here.approval(asked.approval_id).state == "pending"


def test_a_group_locked_by_another_plan_waits_and_the_request_stays_pending(here):
    asked = here.asked()
    other = stores.claimed(here.store, "other")
    here.store.lock(other, [here.target], LEASE_S)
    with pytest.raises(BusyError, match="d-other"):
        approve(asked.approval_id, "ada", here.context())
    assert here.approval(asked.approval_id).state == "pending"
    here.store.release(other)
    assert approve(asked.approval_id, "ada", here.context())["outcome"] == "remediated"


# -- crashes -------------------------------------------------------------------------------


class DiedError(BaseException):
    """The process is no more: nothing of ours catches it."""


class Watching:
    """A store that somebody looks at, or that dies at one of its calls, before or after it."""

    def __init__(self, store, dies_at: int = -1, *, is_after: bool = False) -> None:
        self.store, self.dies_at, self.is_after = store, dies_at, is_after
        self.calls: list[str] = []

    def __getattr__(self, name):
        method = getattr(self.store, name)

        def call(*args, **kwargs):
            number = len(self.calls)
            self.calls.append(name)
            if number == self.dies_at and not self.is_after:
                raise DiedError(name)
            answer = method(*args, **kwargs)
            if number == self.dies_at:
                raise DiedError(name)
            return answer

        return call


def calls_of_a_yes(tmp_path, provider: str) -> list[str]:
    with approval_harness(provider, tmp_path) as given:
        asked = given.asked()
        watching = Watching(given.store)
        approve(asked.approval_id, "ada", given.context(store=watching))
    return watching.calls


@pytest.mark.parametrize("provider", CLOUDS)
@pytest.mark.sampled(5)
def test_an_approval_whose_process_is_killed_is_finished_by_the_next_click(tmp_path, provider):
    kill_at_every_call(tmp_path, provider, _MOMENTS)


@pytest.mark.slow
@pytest.mark.parametrize("provider", CLOUDS)
def test_an_approval_killed_at_any_call_of_the_store_is_finished_by_the_next_click(
    tmp_path, provider
):
    kill_at_every_call(tmp_path, provider, ())


def kill_at_every_call(tmp_path, provider: str, names: tuple[str, ...]) -> None:
    """Kill before and after each call of the store, only of these names if there are any."""
    counted = tmp_path / "counted"
    counted.mkdir()
    calls = calls_of_a_yes(counted, provider)
    assert {"claim", "lock", "begin_run", "intend", "settle", "end"} <= set(calls)
    tried = [n for n, name in enumerate(calls) if not names or name in names]
    for number in tried:
        for is_after in (False, True):
            folder = tmp_path / f"{number}-{is_after}"
            folder.mkdir()
            with approval_harness(provider, folder) as given:
                asked = given.asked()
                dying = Watching(given.store, number, is_after=is_after)
                with pytest.raises(DiedError):
                    approve(asked.approval_id, "ada", given.context(store=dying))
                given.clock.pass_(LEASE_S + 1)
                said = clicked(given, asked.approval_id)
                assert said in ("remediated", 409), said
                where = f"{calls[number]} {number} {is_after}"
                assert given.is_deleted, where
                assert given.store.open_runs() == (), where
                record = given.store.decision(asked.decision_id)
                assert (record.outcome, record.approver) == ("remediated", "ada"), where
                assert record.source == "delete_request /portal"


def clicked(given: ApprovalHarness, approval_id: str) -> str | int:
    try:
        return approve(approval_id, "ada", given.context())["outcome"]
    except EventError as told:
        return told.status


_MOMENTS = ("claim", "lock", "begin_run", "end")


def approved_before(given: ApprovalHarness):
    """A request that an older sgguard approved, whose process died before it began the plan."""
    asked = given.asked()
    assert given.store.resolve(asked.approval_id, "approved", "ada")
    given.clock.pass_(LEASE_S + 1)
    return given.approval(asked.approval_id)


def superseded_before(given: ApprovalHarness, asked) -> None:
    """Supersede a request as an older sgguard did, whose process died before it asked anew."""
    assert given.store.resolve(asked.approval_id, "superseded", "ada")
    given.clock.pass_(LEASE_S + 1)


def dying_after(store, method: str):
    """A store whose worker dies right after a call of it."""
    watching = Watching(store)
    original = watching.__getattr__

    class Dying(Watching):
        def __getattr__(self, name):
            call = original(name)
            if name != method:
                return call

            def die(*args, **kwargs):
                call(*args, **kwargs)
                raise DiedError(name)

            return die

    return Dying(store)


def died_after(given: ApprovalHarness, method: str):
    """Ask, and let the first click die right after a call of the store."""
    asked = given.asked()
    with pytest.raises(DiedError):
        approve(asked.approval_id, "ada", given.context(store=dying_after(given.store, method)))
    given.clock.pass_(LEASE_S + 1)
    return given.approval(asked.approval_id)


@pytest.mark.parametrize("provider", CLOUDS)
@pytest.mark.sampled(6)
def test_an_approved_plan_that_was_not_begun_is_finished_by_a_resume(tmp_path, provider):
    with approval_harness(provider, tmp_path) as given:
        asked = approved_before(given)
        assert not given.is_deleted
        document = finish(asked.approval_id, given.context())
        assert (document["outcome"], document["approval"]["resolved_by"]) == ("remediated", "ada")


def test_an_approved_plan_that_was_not_begun_is_compared_again(here):
    asked = approved_before(here)
    here.add_reference()
    document = approve(asked.approval_id, "bob", here.context())
    assert document["outcome"] == "pending"
    assert not here.is_deleted
    fresh = document["approval"]["approval_id"]
    assert fresh in refused(409, approve, asked.approval_id, "bob", here.context())
    assert approve(fresh, "bob", here.context())["outcome"] == "remediated"
    assert here.store.decision(asked.decision_id).approver == "bob"


def test_an_old_request_writes_nothing_into_a_decision_with_a_later_one(here):
    asked = approved_before(here)
    here.add_reference()
    fresh = approve(asked.approval_id, "bob", here.context())["approval"]["approval_id"]
    assert resume.unresolved(here.context()) == ()
    here.clock.pass_(POLICY.approval.expires_s - 1)
    refused(409, deny, asked.approval_id, "bob", here.context())
    document = here.document(asked)
    assert (document["outcome"], document["approval"]["approval_id"]) == ("pending", fresh)


def test_an_old_approval_that_was_never_begun_has_expired(here):
    asked = approved_before(here)
    here.clock.pass_(POLICY.approval.expires_s)
    refused(410, approve, asked.approval_id, "bob", here.context())
    refused(410, finish, asked.approval_id, here.context())
    assert here.document(asked)["outcome"] == "refused"
    assert not here.is_deleted


def test_a_halt_stops_begun_plans_too(here):
    asked = died_after(here, "begin_run")
    here.store.halt("ops", "incident")
    with pytest.raises(HaltedError):
        approve(asked.approval_id, "ada", here.context())
    here.store.lift_halt()
    assert approve(asked.approval_id, "ada", here.context())["outcome"] == "remediated"


def test_a_superseded_request_that_was_not_renewed_is_renewed(here):
    asked = here.asked()
    here.add_reference()
    superseded_before(here, asked)
    document = approve(asked.approval_id, "ada", here.context())
    assert document["outcome"] == "pending"
    assert document["approval"]["approval_id"] != asked.approval_id
    assert not here.is_deleted


def test_a_superseded_request_is_renewed_even_when_the_facts_are_the_old_ones(here):
    asked = here.asked()
    here.add_reference()
    superseded_before(here, asked)
    edit.remove_rule(here.cloud, here.world.bound, here.cloud.group(here.world.bound).rules[-1])
    document = approve(asked.approval_id, "ada", here.context())
    assert document["outcome"] == "pending"
    assert not here.is_deleted
    fresh = document["approval"]["approval_id"]
    assert approve(fresh, "ada", here.context())["outcome"] == "remediated"


def test_an_old_approval_does_not_resume_the_plan_of_a_later_one(here):
    asked = approved_before(here)
    here.add_reference()
    with pytest.raises(DiedError):
        approve(asked.approval_id, "ada", here.context(store=dying_after(here.store, "ask_for")))
    [fresh] = here.store.approvals("pending")
    here.clock.pass_(LEASE_S + 1)
    dying = _dying_at(Watching(here.store), "intend")
    with pytest.raises(DiedError):
        approve(fresh.approval_id, "bob", here.context(store=dying))
    here.clock.pass_(LEASE_S + 1)
    refused(409, approve, asked.approval_id, "ada", here.context())
    assert len(here.store.open_runs()) == 1
    assert approve(fresh.approval_id, "bob", here.context())["outcome"] == "remediated"


def test_a_new_request_whose_worker_was_killed_supersedes_the_old_one(here):
    asked = approved_before(here)
    here.add_reference()
    with pytest.raises(DiedError):
        approve(asked.approval_id, "ada", here.context(store=dying_after(here.store, "ask_for")))
    [fresh] = here.store.approvals("pending")
    here.clock.pass_(LEASE_S + 1)
    edit.remove_rule(here.cloud, here.world.bound, here.cloud.group(here.world.bound).rules[-1])
    said = refused(409, approve, asked.approval_id, "ada", here.context())
    assert fresh.approval_id in said or "already" in said
    assert not here.is_deleted


@pytest.mark.parametrize("is_written", [True, False])
@pytest.mark.sampled(2)
def test_a_denial_whose_worker_was_killed_is_written_whole_or_not_at_all(here, is_written):
    asked = here.asked()
    dying = (
        dying_after(here.store, "refuse")
        if is_written
        else _dying_at(Watching(here.store), "refuse")
    )
    with pytest.raises(DiedError):
        deny(asked.approval_id, "bob", here.context(store=dying))
    state, outcome = ("denied", "refused") if is_written else ("pending", "pending")
    assert here.approval(asked.approval_id).state == state
    assert here.document(asked)["outcome"] == outcome


def _dying_at(watching: Watching, method: str):
    class Dying:
        def __getattr__(self, name):
            if name == method:
                raise DiedError(name)
            return getattr(watching, name)

    return Dying()


def test_a_change_the_cloud_refuses_is_undone_and_reported(here):
    asked = here.asked()
    here.emulator.faults.append(
        Fault("error", action="DeleteSecurityGroup", count=10, code="ResourceInUse")
    )
    document = approve(asked.approval_id, "ada", here.context())
    assert document["outcome"] == "undone"
    assert not here.is_deleted
    assert here.store.decision(asked.decision_id).outcome == "undone"


def test_a_decision_that_is_not_stored_cannot_be_approved(here):
    asked = stores.an_approval("a7", "d7", expires_at_s=here.clock() + 60, requester="eve")
    here.store.ask(asked)
    with pytest.raises(StoreError, match="decision d7 is not in the store"):
        approve("a7", "ada", here.context())


# -- forgetting ----------------------------------------------------------------------------


def test_ended_records_are_purged_after_a_decision_at_most_once_an_hour(tmp_path):
    with approval_harness("tencent", tmp_path) as given:
        given.store.keep(stores.a_record("old"))
        given.clock.pass_(90 * retention.DAY_S)
        given.store.keep(stores.a_record("recent"))
        given.clock.pass_(retention.DAY_S)
        given.ask("one")
        assert given.store.decision("old") is None
        assert given.store.decision("recent") is not None
        given.store.keep(stores.a_record("older"))
        given.clock.pass_(91 * retention.DAY_S)
        given.ask("two")
        assert given.store.decision("older") is not None


def test_a_store_that_cannot_purge_delays_and_fails_no_decision(here, caplog):
    class Failing(Watching):
        purges = 0

        def purge(self, before_s, most=0):
            self.purges += 1
            raise StoreError("the disk is full")

    asked = here.asked()
    here.clock.pass_(3601)
    failing = Failing(here.store)
    assert approve(asked.approval_id, "ada", here.context(store=failing))["outcome"] == "remediated"
    assert failing.purges == 1
    retention.tidy(failing, here.context())
    assert failing.purges == 1


@pytest.mark.sampled(2)
def test_an_approval_works_the_same_on_postgresql(tmp_path, kept):
    with approval_harness("tencent", tmp_path) as given:
        given.store = kept.open(given.clock)
        asked = given.asked()
        assert approve(asked.approval_id, "ada", given.context())["outcome"] == "remediated"
        refused(409, approve, asked.approval_id, "bob", given.context())


def test_another_process_sees_the_request(here):
    asked = here.asked()
    other = open_store(here.url, Clock())
    try:
        document = approve(asked.approval_id, "ada", here.context(store=other))
        assert document["outcome"] == "remediated"
    finally:
        other.close()
