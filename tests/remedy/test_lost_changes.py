"""Changes that never arrive, whose responses are lost, or that are refused at the end."""

from __future__ import annotations

import dataclasses
from fnmatch import fnmatchcase

import httpx
import pytest
from msgspec.structs import replace

from sgguard import providers
from sgguard.emulator.core import Emulator
from sgguard.emulator.faces import all_faces
from sgguard.emulator.faults import Fault
from sgguard.model.change import Change
from sgguard.model.codes import Outcome
from sgguard.model.decision import Step
from sgguard.remedy.apply import carry_out
from sgguard.remedy.attempt import Worker
from sgguard.remedy.plan import Plan, Planned
from sgguard.remedy.snapshot import Snapshot
from sgguard.remedy.world import apply
from sgguard.store import codec, open_store
from sgguard.store.rows import Entry
from sgguard.wire.clock import Deadline
from tests.remedy.harness import Harness
from tests.stores import a_run, claimed
from tests.worlds import world_of

READING = ("GET*", "Describe*", "POST /v3/auth/tokens", "List*")


@pytest.fixture(params=providers.names())
def harness(request, tmp_path) -> Harness:
    return Harness(world_of(request.param), tmp_path)


def writes(harness: Harness) -> list[str]:
    return [
        one.action
        for one in harness.emulator.requests
        if not any(fnmatchcase(one.action, pattern) for pattern in READING)
    ]


def planned_writes(harness: Harness, tmp_path, *group_ids: str) -> list[str]:
    """What the plan sends where nothing goes wrong, seen on another copy of the cloud."""
    folder = tmp_path / "smooth"
    folder.mkdir()
    smooth = Harness(harness.world, folder, remedies=harness.remedies)
    assert smooth.delete(*group_ids)["outcome"] == "remediated"
    return writes(smooth)


@pytest.mark.parametrize("which", [0, -1], ids=["first", "last"])
@pytest.mark.sampled(8)
def test_a_change_that_never_arrived_is_made_all_the_same(harness, tmp_path, which):
    sent = planned_writes(harness, tmp_path, harness.world.referenced)
    skip = sent.count(sent[which]) - 1 if which else 0
    harness.emulator.faults.append(Fault("drop", action=sent[which], skip=skip))
    decision = harness.delete(harness.world.referenced)
    assert decision["outcome"] == "remediated"
    (cloud,) = harness.emulator.state.clouds
    assert cloud.group(harness.world.referenced) is None
    assert cloud.naming(harness.world.referenced) == []


@pytest.mark.parametrize("which", [0, -1], ids=["first", "last"])
@pytest.mark.sampled(16)
def test_a_change_with_a_lost_response_is_not_repeated(harness, tmp_path, which):
    sent = planned_writes(harness, tmp_path, harness.world.referenced)
    skip = sent.count(sent[which]) - 1 if which else 0
    harness.emulator.faults.append(Fault("drop", action=sent[which], skip=skip, is_after=True))
    assert harness.delete(harness.world.referenced)["outcome"] == "remediated"
    assert sorted(writes(harness)) == sorted(sent)


@pytest.mark.sampled(3)
def test_changes_for_a_group_that_was_deleted_are_not_undone(harness, tmp_path):
    """Of two groups the second is refused: what made way for the first cannot come back."""
    pair = (harness.world.referenced, harness.world.bound)
    delete = planned_writes(harness, tmp_path, *pair)[-1]
    state = harness.emulator.state
    (cloud,) = state.clouds

    class RefusesTheSecond(Emulator):
        def handle(self, request: httpx.Request) -> httpx.Response:
            is_second = any(cloud.group(one) is None for one in pair)
            for account in cloud.accounts:
                account.denied = [delete] if is_second else []
            return super().handle(request)

    harness.emulator = RefusesTheSecond(state)
    decision = harness.delete(*pair)
    [gone] = [one for one in pair if cloud.group(one) is None]
    assert decision["outcome"] == "partly-undone"
    assert "not undone" not in decision["note"]
    assert f"group {gone} was deleted" in decision["note"]
    assert cloud.naming(gone) == []
    if gone == harness.world.bound:
        assert len({group.id for group, _ in cloud.references(harness.world.referenced)}) > 1
    else:
        assert cloud.interfaces_with(harness.world.bound)


@pytest.mark.sampled(6)
def test_a_group_that_gets_a_new_reference_is_not_deleted(harness):
    """OpenStack would delete it, and with it the rule that was just made."""
    state, target = harness.emulator.state, harness.world.referenced
    (cloud,) = state.clouds
    before = len(cloud.references(target))
    another = "0f7b9b2a-51f4-4d7e-9d10-6f1f0a0a0a0a"
    newcomer = dataclasses.replace(cloud.references(target)[0][1], id=another)
    host = cloud.group(harness.world.free)

    class AddsARule(Emulator):
        def handle(self, request: httpx.Request) -> httpx.Response:
            response = super().handle(request)
            with state.lock:
                is_begun = len(cloud.references(target)) < before
                if is_begun and newcomer not in host.rules:
                    host.rules.append(newcomer)
            return response

    harness.emulator = AddsARule(state)
    decision = harness.delete(target)
    assert decision["outcome"] == "undone", decision["note"]
    assert cloud.group(target) is not None
    assert newcomer in host.rules


@pytest.mark.sampled(3)
def test_a_group_a_killed_worker_created_is_not_created_again(harness, tmp_path):
    """The journal has the intention and no end: the group is there, and nobody said so."""
    cloud = harness.world.connect(harness.emulator)
    template = cloud.read_groups([harness.world.free]).value[harness.world.free]
    again = replace(cloud.define_group(template), name="built-again", rules=())
    change = Change("create-group", harness.world.free, group=again)
    plan = Plan(harness.scope, (Planned(Step("create", f"{harness.scope}:x", "build it"), change),))
    store = open_store(f"sqlite:///{tmp_path / 'run.db'}")
    claim = claimed(store)
    store.begin_run(claim, a_run(claim.decision_id, claim.event_id))
    store.intend(claim, Entry(claim.decision_id, 0, 0, codec.dump(change)), 60.0)
    made = apply(cloud, change, "0123456789abcdef0123456789abcdef-0-0")

    worker = Worker(cloud, store, claim, Deadline.after(30), lambda _: (), Snapshot(plan.scope))
    assert carry_out(worker, plan).outcome is Outcome.REMEDIATED
    assert cloud.find_groups("built-again") == (made,)


@pytest.mark.sampled(8)
def test_every_change_is_in_the_journal_before_it_is_sent(harness):
    store, unwritten, sent = open_store(harness.env["SGGUARD_STORE"]), [], []

    class LooksIntoTheJournal(Emulator):
        def handle(self, request: httpx.Request) -> httpx.Response:
            action = all_faces()[harness.world.provider].action(request)
            if not any(fnmatchcase(action, pattern) for pattern in READING):
                (run,) = store.open_runs()
                states = [one.state for one in store.entries(run.decision_id)]
                sent.append(action)
                unwritten.extend([] if "intended" in states else [action])
            return super().handle(request)

    harness.emulator = LooksIntoTheJournal(harness.emulator.state)
    assert harness.delete(harness.world.referenced)["outcome"] == "remediated"
    assert len(sent) >= 3
    assert unwritten == []


@pytest.mark.sampled(3)
def test_a_change_a_killed_worker_did_not_make_is_made(harness, tmp_path):
    cloud, (state,) = harness.world.connect(harness.emulator), harness.emulator.state.clouds
    target, referrer = harness.world.referenced, harness.world.referrer_in
    rule = next(one for one in cloud.list_rules(referrer).value if one.peer_group == target)
    change = Change("remove-rule", referrer, rule=rule)
    step = Step("revoke", f"{harness.scope}:{referrer}", "revoke it")
    plan = Plan(harness.scope, (Planned(step, change, target),))
    store = open_store(f"sqlite:///{tmp_path / 'run.db'}")
    claim = claimed(store)
    store.begin_run(claim, a_run(claim.decision_id, claim.event_id))
    store.intend(claim, Entry(claim.decision_id, 0, 0, codec.dump(change)), 60.0)
    assert [one.id for one, _ in state.references(target)].count(referrer) == 1

    worker = Worker(cloud, store, claim, Deadline.after(30), lambda _: (), Snapshot(plan.scope))
    assert carry_out(worker, plan).outcome is Outcome.REMEDIATED
    assert [one.id for one, _ in state.references(target)].count(referrer) == 0


@pytest.mark.sampled(6)
def test_a_rule_that_is_rewritten_lets_its_traffic_through_all_the_time(harness):
    harness.remedies = ("rewrite",)
    state, old, new = harness.emulator.state, harness.world.referenced, harness.world.free
    (cloud,) = state.clouds
    referrers = {one.id for one, _ in cloud.references(old)}
    gaps = []

    class LooksAtTheRules(Emulator):
        def handle(self, request: httpx.Request) -> httpx.Response:
            response = super().handle(request)
            with state.lock:
                naming = {one.id for to in (old, new) for one, _ in cloud.references(to)}
                gaps.extend(referrers - naming)
            return response

    harness.emulator = LooksAtTheRules(state)
    assert harness.delete(old)["outcome"] == "remediated"
    assert gaps == []


@pytest.mark.parametrize("remedies", [("revoke",), ("rewrite",)], ids=["revoke", "rewrite"])
@pytest.mark.sampled(12)
def test_a_referring_group_that_somebody_deletes_meanwhile_is_out_of_the_way(harness, remedies):
    harness.remedies = remedies
    state, target = harness.emulator.state, harness.world.referenced
    (cloud,) = state.clouds

    class DeletesReferrers(Emulator):
        def handle(self, request: httpx.Request) -> httpx.Response:
            found = super().handle(request)
            is_write = not any(fnmatchcase(self.requests[-1].action, one) for one in READING)
            # As soon as the plan changes anything, somebody else deletes all it is yet to change.
            left = {group.id for group, _ in cloud.references(target)} if is_write else ()
            cloud.groups[:] = [group for group in cloud.groups if group.id not in left]
            return found

    harness.emulator = DeletesReferrers(state)
    decision = harness.delete(target)
    assert decision["outcome"] == "remediated", decision["note"]
    assert cloud.group(target) is None
