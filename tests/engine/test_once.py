"""One worker at a time, whatever brought it; and whoever dies, nothing is left that nobody ends."""

from __future__ import annotations

import dataclasses
import json

import pytest
from msgspec.structs import replace

from sgguard.approvals import approve, deny, reminders
from sgguard.emulator.faults import Fault
from sgguard.engine.execute import LEASE_S
from sgguard.errors import BusyError, DeadlineError, LeaseLostError
from sgguard.model.event import Event
from sgguard.operations import resume
from sgguard.store import open_store
from sgguard.store.rows import Query
from tests.approvals.harness import approval_harness
from tests.engine.interleaved import (
    Between,
    DiedError,
    Watching,
    a_delete,
    context_of,
    deliver,
)
from tests.remedy.harness import Harness
from tests.stores import Clock
from tests.worlds import world_of


@pytest.fixture
def harness(tmp_path) -> Harness:
    return Harness(world_of("tencent"), tmp_path)


@pytest.fixture
def here(tmp_path):
    with approval_harness("tencent", tmp_path) as made:
        yield made


def cloud_of(harness: Harness):
    (cloud,) = harness.emulator.state.clouds
    return cloud


def die() -> None:
    raise DiedError


# -- one worker --------------------------------------------------------------------------------


def test_an_approval_and_a_redelivery_never_work_on_one_decision_together(here):
    """The answer to the event was lost after the question was kept: the event comes again."""
    asked = here.asked()
    record = here.store.decision(asked.decision_id)
    told = []

    def redelivery() -> None:
        claimed = here.store.claim(
            record.source,
            record.event_id,
            owner="w-again",
            decision_id="d-again",
            lease_s=60.0,
            payload_hash=None,
        )
        told.append(type(claimed).__name__)

    between = Between(here.store, ("settle",), redelivery)
    done = approve(asked.approval_id, "ada", here.context(store=between))
    assert done["outcome"] == "remediated"
    assert told == ["Busy"]


def test_what_is_forgotten_while_it_is_answered_is_asked_anew(here):
    """A redelivery of what was pending: it was denied since, and is forgotten at that moment."""
    asked = here.asked()
    deny(asked.approval_id, "ada", here.context())

    def forget() -> None:
        here.clock.pass_(1.0)
        here.store.purge(here.clock.now_s)

    between = Between(here.store, ("decision",), forget)
    told = here.ask(store=between)
    assert told["outcome"] == "pending"
    assert told["decision_id"] != asked.decision_id
    assert here.approval(told["approval"]["approval_id"]).state == "pending"


def test_a_worker_that_was_frozen_writes_nothing_over_what_another_one_did(harness):
    """It asks for an approval when another one, under another mode, has deleted the group."""
    harness.mode = "approve"
    clock = Clock()
    store = open_store(harness.env["SGGUARD_STORE"], clock)
    enforcing = dataclasses.replace(harness, mode="enforce")
    enforcing.emulator = harness.emulator
    asked = a_delete(harness, harness.world.referenced)
    done = []

    def another_worker() -> None:
        clock.pass_(10 * LEASE_S)
        done.append(deliver(context_of(enforcing, store=store), asked))

    between = Between(store, ("ask", "ask_for"), another_worker)
    told = deliver(context_of(harness, store=between), asked)
    assert isinstance(told, LeaseLostError)
    assert done[0]["outcome"] == "remediated"
    record = store.decision(done[0]["decision_id"])
    assert record.outcome == "remediated"
    assert json.loads(record.document_json) == done[0]
    assert store.approvals() == ()


def test_a_worker_that_is_changing_something_is_not_disturbed_by_its_own_event(harness):
    asked = a_delete(harness, harness.world.referenced)
    told = []
    context = context_of(harness)
    between = Between(
        context.store, ("settle",), lambda: told.append(deliver(context_of(harness), asked))
    )
    assert deliver(replace(context, store=between), asked)["outcome"] == "remediated"
    assert isinstance(told[0], BusyError)


def test_a_worker_that_slept_past_its_lease_sends_nothing_of_what_it_intended(harness):
    """The machine was paused, and the clock of the deadline with it."""
    clock = Clock(harness.emulator.now())
    context = context_of(harness, now=clock)
    writes: list[str] = []

    def note(action: str) -> None:
        writes.extend([] if action.startswith("Describe") else [action])

    between = Between(context.store, ("intend",), lambda: clock.pass_(LEASE_S + 1), is_after=True)
    paused = context_of(harness, now=clock, store=between, transport=Watching(harness, note))
    asked = a_delete(harness, harness.world.referenced)
    assert isinstance(deliver(paused, asked), DeadlineError)
    assert writes == []
    assert deliver(context, asked)["outcome"] == "remediated"


# -- never forward again -----------------------------------------------------------------------


class Meddler:
    """Another user who changes each holder of a group right before the group is to be deleted."""

    def __init__(self, harness: Harness) -> None:
        self.cloud = cloud_of(harness)
        carried = harness.world.bound
        self.holders = [one for one in self.cloud.interfaces if carried in one.groups]
        self.before = [list(one.groups) for one in self.holders]
        self.moved: list[list[str]] = []
        self.other = harness.world.self_referencing

    def __call__(self, action: str) -> None:
        if action == "DeleteSecurityGroup" and not self.moved:
            self.moved = [list(one.groups) for one in self.holders]
            self.set([[self.other] for _ in self.holders])

    def set(self, groups: list[list[str]]) -> None:
        for one, wanted in zip(self.holders, groups, strict=True):
            one.groups = list(wanted)

    def now(self) -> list[list[str]]:
        return [sorted(one.groups) for one in self.holders]


def stuck(harness: Harness, store) -> tuple[dict, Meddler]:
    """A plan that moved holders, could not delete their group, and undid nothing."""
    refusal = {"kind": "error", "count": 100, "code": "UnsupportedOperation"}
    harness.emulator.faults.append(Fault(action="DeleteSecurityGroup", **refusal))
    meddler = Meddler(harness)
    context = context_of(harness, transport=Watching(harness, meddler), store=store)
    found = deliver(context, a_delete(harness, harness.world.bound))
    assert found["outcome"] == "partly-undone", found["note"]
    assert [one for one in found["journal"] if one["is_undo"]] == []
    harness.emulator.faults.clear()
    return found, meddler


def test_a_stuck_plan_of_which_nothing_was_undone_is_never_carried_out_after_a_repair(harness):
    clock = Clock()
    store = open_store(harness.env["SGGUARD_STORE"], clock)
    found, meddler = stuck(harness, store)
    # The operator repairs what was in the way: everything is as the plan had left it.
    meddler.set(meddler.moved)
    ended = resume.resume(found["decision_id"], context_of(harness, store=store))
    assert cloud_of(harness).group(harness.world.bound) is not None
    assert ended["outcome"] == "undone"
    assert meddler.now() == [sorted(one) for one in meddler.before]


# -- whoever dies ------------------------------------------------------------------------------


def calls_of(harness: Harness, mode: str) -> list[str]:
    counting = dataclasses.replace(harness, mode=mode)
    context = context_of(counting)
    between = Between(context.store, (), lambda: None)
    deliver(replace(context, store=between), a_delete(counting, harness.world.referenced))
    return between.calls


@pytest.mark.parametrize("mode", ["enforce", "approve"])
@pytest.mark.parametrize("is_after", [False, True])
@pytest.mark.sampled(4)
def test_whoever_dies_a_decision_says_what_is_so_and_can_be_ended(tmp_path, mode, is_after):
    """No death leaves a decision that says ``unfinished`` and that no resume finds."""
    first = tmp_path / "count"
    first.mkdir()
    names = calls_of(Harness(world_of("tencent"), first), mode)
    for number, name in enumerate(names):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        harness = Harness(world_of("tencent"), folder, mode=mode)
        clock = Clock()
        store = open_store(harness.env["SGGUARD_STORE"], clock)

        class Dying(Between):
            def __getattr__(self, method, number=number):
                call = super().__getattr__(method)

                def counted(*args, **given):
                    if len(self.calls) == number and not is_after:
                        die()
                    result = call(*args, **given)
                    if len(self.calls) == number + 1 and is_after:
                        die()
                    return result

                return counted if callable(call) else call

        asked = a_delete(harness, harness.world.referenced)
        with pytest.raises(DiedError):
            deliver(context_of(harness, store=Dying(store, (), die)), asked)
        where = f"{name} {number}"
        clock.pass_(10 * LEASE_S)
        context = context_of(harness, store=store)
        waiting = {one.decision_id for one in store.approvals("pending")}
        for record in store.decisions(Query(limit=100)):
            open_ = {one.decision_id for one in resume.unresolved(context)}
            assert (record.outcome == "unfinished") == (record.decision_id in open_), where
            assert (record.outcome == "pending") == (record.decision_id in waiting), where
        # The next delivery brings it to its end.
        done = deliver(context, asked)
        assert done["outcome"] == {"enforce": "remediated", "approve": "pending"}[mode], where
        if mode == "approve":
            approve(done["approval"]["approval_id"], "olga", context)
        assert resume.unresolved(context) == ()
        assert cloud_of(harness).group(harness.world.referenced) is None, where


def due(event_id: str, context):
    """Deliver the event of a cron trigger."""
    (found,) = reminders.handle([({}, Event(event_id, {}, "/cron"))], context)
    return found


def test_an_expired_request_is_told_although_the_worker_that_closed_it_died(here):
    asked = here.asked()
    here.clock.pass_(here.policy.approval.expires_s)
    dying = Between(here.store, ("finish", "tell"), die)
    with pytest.raises(DiedError):
        due("r-1", here.context(store=dying))
    assert here.approval(asked.approval_id).state == "expired"
    here.clock.pass_(10 * LEASE_S)
    told = due("r-1", here.context())
    assert [one["approval_id"] for one in told["expired"]] == [asked.approval_id]
    assert due("r-2", here.context())["expired"] == []


def test_an_accepted_plan_is_never_told_to_be_carried_out(harness):
    """Its worker died between the end of the run and the answer, and the event comes again."""
    clock = Clock()
    store = open_store(harness.env["SGGUARD_STORE"], clock)
    found, _ = stuck(harness, store)
    dying = Between(store, ("end",), die, is_after=True)
    with pytest.raises(DiedError):
        resume.accept(found["decision_id"], context_of(harness, store=dying), by="olga")
    clock.pass_(10 * LEASE_S)
    again = deliver(context_of(harness, store=store), a_delete(harness, harness.world.bound))
    assert again["outcome"] == "accepted"
    assert store.run(found["decision_id"]).state == "accepted"
    assert cloud_of(harness).group(harness.world.bound) is not None
