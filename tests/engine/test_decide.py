from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from sgguard import providers
from sgguard.emulator.core import Emulator
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import decide
from sgguard.engine.context import Context
from sgguard.errors import AddressError, EventError, PolicyError, SettingsError
from sgguard.model.address import Address, Scope
from sgguard.model.codes import Mode, Verdict
from sgguard.model.decision import Decision
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.operations import explain
from sgguard.wire.clock import Deadline
from tests.worlds import World, world_of

TENCENT = world_of("tencent")


@pytest.fixture(params=providers.names())
def world(request) -> World:
    return world_of(request.param)


def context_for(world: World, emulator: Emulator | None = None, **env: str) -> Context:
    transport = EmulatorTransport(emulator or world.emulator())
    return Context.from_env({**world.env, **env}, transport=transport)


def scope(world: World, account: str = "") -> Scope:
    return Scope(world.provider, account, world.region)


def delete(world: World, *group_ids: str, emulator: Emulator | None = None, **env: str) -> Decision:
    request = DeleteRequest(tuple(Address(scope(world), group_id) for group_id in group_ids))
    return decide.decide_delete(request, context_for(world, emulator, **env), event_id="e1")


def codes(decision: Decision) -> set[str]:
    return {reason.code for reason in decision.judgement.reasons}


# -- every cloud ---------------------------------------------------------------------------------


def test_a_free_group_may_be_deleted_on_every_cloud(world):
    decision = delete(world, world.free)
    assert (decision.judgement.verdict, codes(decision)) == (Verdict.ALLOW, {"free"})
    assert decision.target == (f"{world.provider}::{world.region}:{world.free}",)
    assert decision.guard == "delete"


@pytest.mark.sampled(3)
def test_a_referenced_group_may_not_be_deleted_on_any_cloud(world):
    decision = delete(world, world.referenced)
    assert decision.judgement.verdict is Verdict.BLOCK
    assert codes(decision) & {"referenced", "referenced-will-cascade"}


def test_a_bound_group_may_not_be_deleted_on_any_cloud(world):
    decision = delete(world, world.bound)
    assert decision.judgement.verdict is Verdict.BLOCK
    assert "bound" in codes(decision)


@pytest.mark.sampled(3)
def test_a_missing_group_is_not_found_on_any_cloud(world):
    decision = delete(world, world.missing)
    assert decision.judgement.verdict is Verdict.BLOCK
    assert codes(decision) == {"not-found"}


def test_a_free_group_may_be_launched_with_on_every_cloud(world):
    request = LaunchRequest(scope(world), (world.free,), count=2)
    decision = decide.decide_launch(request, context_for(world), event_id="e1")
    assert decision.judgement.verdict is Verdict.ALLOW
    assert decision.target == (f"{world.provider}::{world.region}",)


def test_an_instance_is_judged_by_its_own_groups_on_every_cloud(world):
    request = LaunchRequest(scope(world), instance_id=world.server)
    decision = decide.decide_launch(request, context_for(world), event_id="e1")
    assert decision.judgement.verdict is Verdict.ALLOW
    assert world.bound in {group.address.group_id for group in decision.facts.groups}
    assert decision.target == (f"{world.provider}::{world.region}:{world.server}",)


def test_an_instance_of_unknown_state_may_not_be_bound_to_more_groups():
    world = world_of("tencent-dfw")
    request = LaunchRequest(scope(world), (world.free,), instance_id=world.server)
    context = context_for(world)
    decision = decide.decide_launch(request, context, event_id="e1")
    assert decision.judgement.verdict is Verdict.BLOCK
    assert "facts-incomplete" in codes(decision)


@pytest.mark.sampled(3)
def test_a_group_is_explained_with_who_references_it_on_every_cloud(world):
    address = Address(scope(world), world.referenced)
    facts = explain.read(address, context_for(world))
    (found,) = facts.groups
    assert {r.group_id for r in found.references} == {world.referrer_in, world.referrer_out}
    assert found.group is not None
    assert found.group.rules is not None


def test_a_missing_permission_to_read_blocks_on_every_cloud(world):
    emulator = world.emulator()
    for account in emulator.state.clouds[0].accounts:
        account.denied.append(world.denied_references)
    decision = delete(world, world.free, emulator=emulator)
    assert decision.judgement.verdict is Verdict.BLOCK
    assert "facts-incomplete" in codes(decision)


# -- mode, policy, account -----------------------------------------------------------------------


def test_out_of_the_box_nothing_is_done_to_the_cloud():
    assert delete(TENCENT, TENCENT.free).mode is Mode.OBSERVE


@pytest.mark.parametrize(
    ("in_policy", "in_env", "mode"),
    [
        ("approve", "", Mode.APPROVE),
        ("approve", "enforce", Mode.ENFORCE),
        ("enforce", "observe", Mode.OBSERVE),
    ],
)
def test_the_mode_of_the_environment_wins_over_the_policys(tmp_path, in_policy, in_env, mode):
    policy = tmp_path / "policy.toml"
    policy.write_text(f'mode = "{in_policy}"\napproval.approvers = ["ada"]\n')
    env = {"SGGUARD_POLICY": str(policy), "SGGUARD_MODE": in_env}
    assert delete(TENCENT, TENCENT.free, **env).mode is mode


def test_the_policy_applies_and_is_read_once_per_process(tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text(f'[delete]\nprotected = ["{TENCENT.free}"]\n')
    decision = delete(TENCENT, TENCENT.free, SGGUARD_POLICY=str(policy))
    assert "protected" in codes(decision)
    policy.unlink()
    assert codes(delete(TENCENT, TENCENT.free, SGGUARD_POLICY=str(policy))) == codes(decision)


def test_a_policy_that_could_not_be_read_is_tried_again(tmp_path):
    policy = tmp_path / "policy.toml"
    env = {"SGGUARD_POLICY": str(policy)}
    with pytest.raises(PolicyError):
        Context.from_env(env)
    policy.write_text('mode = "approve"\napproval.approvers = ["ada"]\n')
    assert Context.from_env(env).mode is Mode.APPROVE


@pytest.mark.parametrize(("configured", "asked"), [("blue", "red"), ("", "blue")])
def test_another_account_than_the_configured_one_is_refused_before_any_call(configured, asked):
    emulator = TENCENT.emulator()
    request = DeleteRequest((Address(scope(TENCENT, asked), TENCENT.free),))
    context = context_for(TENCENT, emulator, SGGUARD_ACCOUNT_TENCENT=configured)
    with pytest.raises(EventError) as caught:
        decide.decide_delete(request, context, event_id="e1")
    assert caught.value.status == 422
    assert repr(asked) in str(caught.value)
    assert not emulator.requests


def test_an_unknown_cloud_is_refused_with_the_list_of_known_ones():
    request = DeleteRequest((Address.parse("nimbus::north:sg-1"),))
    with pytest.raises(AddressError, match="tencent"):
        decide.decide_delete(request, context_for(TENCENT), event_id="e1")


def test_an_endpoint_that_is_no_address_is_the_operators_mistake():
    with pytest.raises(SettingsError, match="SGGUARD_ENDPOINT_TENCENT"):
        delete(TENCENT, TENCENT.free, SGGUARD_ENDPOINT_TENCENT="localhost:8000")


# -- clocks and ids ------------------------------------------------------------------------------


def test_a_decision_carries_the_given_ids_and_times():
    # real time for the signature, which the emulator checks; half a second per look at the other
    ticks = itertools.count(step=0.5)
    context = Context.from_env(
        {**TENCENT.env, "SGGUARD_DEADLINE_S": "1000"},
        transport=EmulatorTransport(TENCENT.emulator()),
        clock=lambda: next(ticks),
        new_id=lambda: "d1",
    )
    request = DeleteRequest((Address(scope(TENCENT), TENCENT.free),))
    before = datetime.now(UTC)
    decision = decide.decide_delete(request, context, event_id="e1")
    assert (decision.decision_id, decision.event_id) == ("d1", "e1")
    assert decision.took_ms >= 500
    assert decision.took_ms % 500 == 0
    assert before <= decision.decided_at <= datetime.now(UTC)


def test_every_decision_has_an_id_of_its_own():
    assert len({delete(TENCENT, TENCENT.free).decision_id for _ in range(3)}) == 3


def test_all_decisions_of_one_context_share_its_deadline():
    context = Context.from_env({"SGGUARD_DEADLINE_S": "7"}, clock=lambda: 100.0)
    assert context.deadline.at_s == 107.0
    assert isinstance(context.deadline, Deadline)


def test_credentials_do_not_show_in_the_means():
    shown = repr(context_for(TENCENT))
    assert not any(value in shown for value in TENCENT.env.values())
