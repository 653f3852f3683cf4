"""Ceilings and refusals of Tencent Cloud as the cloud means them: read, and on the emulator."""

from __future__ import annotations

import pytest

from sgguard.errors import CloudError, InputError, LimitError
from sgguard.facts.gather import gather_launch
from sgguard.guards.launch import judge
from sgguard.model.address import Scope
from sgguard.model.change import Holder
from sgguard.model.request import LaunchRequest
from sgguard.model.resource import Direction, Rule
from sgguard.policy import Policy
from sgguard.render.language.sentence import whole_english
from tests.providers.test_tencent import connected, loaded
from tests.remedy.harness import Harness
from tests.worlds import tencent, tencent_dfw

WORLD = tencent.WORLD
WORLDS = pytest.mark.parametrize("world", [tencent.WORLD, tencent_dfw.WORLD], ids=["3.0", "2.0"])


def rows(count, direction, **more):
    return [
        {"direction": direction, "ports": str(number + 1), "cidr": "10.0.0.0/8", **more}
        for number in range(count)
    ]


def full_cloud(world, ingress, egress, limit=100):
    """A cloud whose group ``referrer_in`` has so many rules, the first of which names a group."""
    emulator = world.emulator()
    cloud = emulator.state.clouds[0]
    cloud.limits["rules-per-group"] = limit
    scenario = world.scenario_copy()
    (raw,) = [one for one in scenario["clouds"][0]["groups"] if one["id"] == world.referrer_in]
    raw["rules"] = [*rows(ingress, "ingress"), *rows(egress, "egress")]
    raw["rules"][0] = {**raw["rules"][0], "cidr": "", "peer_group": world.referenced}
    fresh = type(emulator).load(scenario)
    cloud.groups[:] = fresh.state.clouds[0].groups
    return emulator


def port(number, direction):
    return Rule("", direction, "tcp", str(number), peer="10.0.0.0/8")


# -- rules of each direction -----------------------------------------------------------------------


@WORLDS
@pytest.mark.parametrize(("ingress", "egress"), [(60, 60), (99, 100), (99, 1)])
@pytest.mark.sampled(3)
def test_the_rules_of_each_direction_are_counted_by_themselves(world, ingress, egress):
    provider = world.connect(full_cloud(world, ingress, egress))
    provider.add_rule(world.referrer_in, port(9000, Direction.INGRESS), token="t")
    rules = provider.list_rules(world.referrer_in).value
    assert sum(rule.direction == Direction.INGRESS for rule in rules) == ingress + 1


@WORLDS
@pytest.mark.parametrize("direction", Direction)
@pytest.mark.sampled(3)
def test_one_rule_more_than_a_direction_may_have_is_a_limit(world, direction):
    provider = world.connect(full_cloud(world, 100, 100))
    with pytest.raises(LimitError):
        provider.add_rule(world.referrer_in, port(9000, direction), token="t")


@WORLDS
@pytest.mark.parametrize(("ingress", "verdict"), [(60, "remediate"), (100, "block")])
@pytest.mark.sampled(6)
def test_a_rule_is_rewritten_where_its_own_direction_has_room(world, tmp_path, ingress, verdict):
    harness = Harness(world, tmp_path, remedies=("rewrite",))
    harness.emulator = full_cloud(world, ingress, 60)
    cloud = harness.emulator.state.clouds[0]
    cloud.group(world.referrer_out).rules.clear()
    document = harness.delete(world.referenced)
    assert document["verdict"] == verdict
    codes = {reason["code"] for reason in document["reasons"] if reason["effect"] == "block"}
    assert ("cap-exceeded" in codes) == (verdict == "block")
    assert (cloud.group(world.referenced) is None) == (verdict == "remediate")


# -- holders ---------------------------------------------------------------------------------------


def test_a_referenced_group_has_a_ceiling_of_its_own_where_the_cloud_tells_one():
    limits = {"instances-per-referenced-group": 40}
    (limit,) = [
        one
        for one in connected(loaded(limits=limits)).read_limits().value
        if one.name == "instances-per-referenced-group"
    ]
    assert (limit.ceiling, limit.source) == (40, "live")
    names = {one.name for one in connected().read_limits().value}
    assert "instances-per-referenced-group" not in names


@pytest.mark.parametrize(("group_id", "is_referenced"), [(WORLD.referenced, True), (WORLD.free, 0)])
def test_the_cloud_holds_a_referenced_group_to_its_lower_ceiling(group_id, is_referenced):
    emulator = loaded(limits={"instances-per-referenced-group": 1})
    cloud = emulator.state.clouds[0]
    cloud.interfaces_of(WORLD.server)[0].groups.append(group_id)
    provider = connected(emulator)
    holder = Holder("instance", WORLD.other_server, WORLD.other_server)
    before = (WORLD.default,)
    if is_referenced:
        with pytest.raises(LimitError, match="CvmsVifsPerSecGroupLimitExceeded"):
            provider.set_groups(holder, before, (*before, group_id), token="t")
    else:
        provider.set_groups(holder, before, (*before, group_id), token="t")


STATES = {
    "RUNNING": "",
    "STOPPED": "",
    "PENDING": "UnsupportedOperation.InstanceStatePending",
    "SHUTDOWN": "UnsupportedOperation.InstanceStateIsolating",
    "TERMINATING": "UnsupportedOperation.InstanceStateIsolating",
    "ISOLATING": "UnsupportedOperation.InstanceStateIsolating",
}


@pytest.mark.parametrize(("state", "code"), STATES.items(), ids=list(STATES))
def test_an_instance_whose_groups_cannot_be_changed_says_so_with_the_clouds_code(state, code):
    emulator = WORLD.emulator()
    emulator.state.clouds[0].instance(WORLD.server).state = state
    provider = connected(emulator)
    bindings = provider.list_bindings([WORLD.bound]).value[WORLD.bound]
    (refusal,) = [
        whole_english(one.change_refusal) for one in bindings if one.holder_id == WORLD.server
    ]
    assert refusal.partition(":")[0] == code
    holder, before = Holder("instance", WORLD.server, WORLD.server), (WORLD.bound, WORLD.default)
    if code:
        with pytest.raises(CloudError, match=code):
            provider.set_groups(holder, before, before[:1], token="t")
    else:
        provider.set_groups(holder, before, before[:1], token="t")


def test_an_operation_that_passes_by_itself_is_no_refusal():
    emulator = WORLD.emulator()
    emulator.state.clouds[0].instance(WORLD.server).operation = "OPERATING"
    bindings = connected(emulator).list_bindings([WORLD.bound]).value[WORLD.bound]
    assert {one.change_refusal for one in bindings} == {""}


@pytest.mark.parametrize("owner", ["eks", "hai", "a-product-of-next-year"])
def test_an_interface_of_a_product_says_that_it_is_not_to_be_changed(owner):
    emulator = WORLD.emulator()
    emulator.state.clouds[0].interface("eni-3056glfn").managed_by = owner
    provider = connected(emulator)
    bindings = provider.list_bindings([WORLD.bound]).value[WORLD.bound]
    (found,) = [one for one in bindings if one.holder_id == "eni-3056glfn"]
    assert (found.owner, whole_english(found.change_refusal).partition(":")[0]) == (
        owner,
        "UnsupportedOperation",
    )
    assert owner in whole_english(found.change_refusal)
    side = Holder("interface", "eni-3056glfn", WORLD.other_server)
    with pytest.raises(CloudError, match="UnsupportedOperation"):
        provider.set_groups(side, (WORLD.bound,), (WORLD.free,), token="t")


@pytest.mark.parametrize("is_primary", [True, False])
def test_what_is_attached_to_something_else_than_an_instance_is_an_interface(is_primary):
    emulator = WORLD.emulator()
    side = emulator.state.clouds[0].interface("eni-3056glfn")
    side.instance, side.kind = "eks-28kd9sz2", "primary" if is_primary else "secondary"
    bindings = connected(emulator).list_bindings([WORLD.bound]).value[WORLD.bound]
    (found,) = [one for one in bindings if one.holder_id == "eni-3056glfn"]
    assert found.kind == "interface"
    assert "no CVM instance" in whole_english(found.change_refusal)


def test_the_groups_of_a_product_are_changed_by_no_call_of_ours():
    with pytest.raises(InputError):
        connected().read_holder(Holder("load-balancer", "lb-1", ""))


# -- projects --------------------------------------------------------------------------------------


@WORLDS
@pytest.mark.parametrize("is_planned", [True, False])
def test_a_group_of_another_project_can_be_bound(world, is_planned):
    """The documents confine a group to its region, and no page confines it to its project."""
    emulator = world.emulator()
    cloud = emulator.state.clouds[0]
    cloud.group(world.free).project = "1100"
    scope = Scope(world.provider, "", world.region)
    instance_id = "" if is_planned else world.server
    request = LaunchRequest(scope, (world.free,), instance_id=instance_id, project="0")
    judgement = judge(gather_launch(world.connect(emulator), request), Policy())
    assert "group-other-project" not in {reason.code for reason in judgement.reasons}
