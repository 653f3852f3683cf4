"""Changing rules, groups and bindings through Tencent's API 3.0, and every trap on the way."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import (
    CloudError,
    ConflictError,
    DeadlineError,
    InputError,
    LimitError,
    NotFoundError,
    UnreachableError,
)
from sgguard.model.change import Holder, content
from sgguard.model.resource import Direction, Group, Rule
from sgguard.providers import connect
from sgguard.providers.access import Access
from sgguard.providers.tencent.rule_shape import policy_set, row_of
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.pacing import Pace
from sgguard.wire.retry import Retry
from sgguard.wire.shape import Shape
from tests.examples import examples
from tests.worlds import lanes
from tests.worlds.tencent import ENV, WORLD

WEB = WORLD.referrer_in
SERVER = Holder("instance", WORLD.server, WORLD.server)
SIDE = Holder("interface", "eni-3056glfn", WORLD.other_server)


class Clock:
    """One clock for cloud and caller that only ever moves while somebody waits."""

    def __init__(self):
        self.now_s = 1_700_000_000.0

    def __call__(self):
        return self.now_s

    def sleep(self, seconds):
        self.now_s += seconds


class ConcurrentEdit:
    """A cloud in which somebody else does something right before a call of ours arrives."""

    def __init__(self, emulator, action, edit):
        self.emulator, self.action, self.edit = emulator, action, edit

    def handle(self, request):
        if request.headers.get("x-tc-action") == self.action and self.edit:
            edit, self.edit = self.edit, None
            edit(self.emulator.state.clouds[0])
        return self.emulator.handle(request)


def loaded(clock=None, **changes):
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0].update(changes)
    return Emulator.load(scenario, **({"now": clock} if clock else {}))


def timed(emulator, clock, deadline_s=30.0):
    """The real provider on a clock that moves only while somebody waits."""
    wire = Wire(
        "tencent",
        Deadline.after(deadline_s, clock),
        transport=EmulatorTransport(emulator),
        retry=Retry(attempts=1, sleep=clock.sleep),
        pace=Pace(lanes=lanes()),
    )
    return connect("tencent", Access(wire, WORLD.region, env=ENV, now=clock))


def ruled(*rules, **changes):
    """A provider whose group WEB has these rules, and its emulator."""
    emulator = loaded(**changes)
    group = emulator.state.clouds[0].group(WEB)
    group.rules.clear()
    provider = WORLD.connect(emulator)
    for rule in rules:
        provider.add_rule(WEB, rule, token="t")
    return provider, emulator


def writes(emulator):
    return [r for r in emulator.requests if not r.action.startswith("Describe")]


def sent(emulator, action):
    return [json.loads(r.body) for r in emulator.requests if r.action == action]


def port(number, **more):
    more.setdefault("peer", "10.0.0.0/8")
    return Rule("", Direction.INGRESS, "tcp", str(number), **more)


def ports(provider):
    return [rule.ports for rule in provider.list_rules(WEB).value]


# -- rules ---------------------------------------------------------------------------------------

RULES = {
    "a port": port(22),
    "ports": Rule("", Direction.EGRESS, "udp", "8000-8010", peer="0.0.0.0/0"),
    "a list of ports": Rule("", Direction.INGRESS, "tcp", "80,443", peer="0.0.0.0/0"),
    "all ports": Rule("", Direction.INGRESS, "tcp", peer="10.0.0.0/8"),
    "everything": Rule("", Direction.EGRESS, peer="0.0.0.0/0", action="drop"),
    "icmp": Rule("", Direction.INGRESS, "icmp", peer="10.0.0.0/8"),
    "icmp of IPv6": Rule("", Direction.INGRESS, "icmpv6", peer="::/0"),
    "gre": Rule("", Direction.INGRESS, "gre", peer="10.0.0.0/8"),
    "IPv6": Rule("", Direction.INGRESS, "tcp", "22", peer="2001:db8::/32"),
    "a group": Rule("", Direction.INGRESS, "tcp", "3306", peer_group=WORLD.referenced),
    "itself": Rule("", Direction.INGRESS, peer_group=WEB),
    "a description": port(22, description="für die Leitung; 运维 #1"),
    "addresses": port(
        22, peer="ipm-2uw6ujo6", native=(("AddressTemplate.AddressId", "ipm-2uw6ujo6"),)
    ),
    "a group of addresses": port(
        22, peer="ipmg-2uw6ujo6", native=(("AddressTemplate.AddressGroupId", "ipmg-2uw6ujo6"),)
    ),
    "a service": Rule(
        "",
        Direction.INGRESS,
        "service-template",
        "ppm-f5n1f8da",
        peer="10.0.0.0/8",
        native=(("ServiceTemplate.ServiceId", "ppm-f5n1f8da"),),
    ),
    "a group of services for a group": Rule(
        "",
        Direction.EGRESS,
        "service-template",
        "ppmg-f5n1f8da",
        peer_group=WORLD.referenced,
        native=(("ServiceTemplate.ServiceGroupId", "ppmg-f5n1f8da"),),
    ),
    "both templates": Rule(
        "",
        Direction.INGRESS,
        "service-template",
        "ppm-f5n1f8da",
        peer="ipm-2uw6ujo6",
        native=(
            ("ServiceTemplate.ServiceId", "ppm-f5n1f8da"),
            ("AddressTemplate.AddressId", "ipm-2uw6ujo6"),
        ),
    ),
}


@pytest.mark.parametrize("unset", ["empty", "null", "absent"])
@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
@pytest.mark.sampled(12)
def test_a_rule_removed_and_restored_is_unchanged(rule, unset):
    provider, emulator = ruled(port(1), rule, port(9), quirks={"unset_fields": unset})
    before = provider.list_rules(WEB).value
    (there,) = [one for one in before if content(one) == content(rule)]
    provider.remove_rule(WEB, there, token="t")
    assert content(there) not in map(content, provider.list_rules(WEB).value)
    provider.add_rule(WEB, there, token="t")
    assert provider.list_rules(WEB).value == before
    assert emulator.state.clouds[0].group(WEB).version > 1


@given(
    rules=st.lists(
        st.sampled_from(list(RULES.values())),
        unique_by=lambda rule: replace(rule, description=""),
        max_size=8,
    ),
    gone=st.integers(0, 7),
)
@examples(40)
def test_taking_out_any_rule_and_putting_it_back_changes_nothing(rules, gone):
    provider, _ = ruled(*rules)
    before = provider.list_rules(WEB).value
    for rule in before[gone : gone + 1]:
        provider.remove_rule(WEB, rule, token="t")
        assert len(provider.list_rules(WEB).value) == len(before) - 1
        provider.add_rule(WEB, rule, token="t")
    assert provider.list_rules(WEB).value == before


@given(rule=st.sampled_from(list(RULES.values())))
def test_what_is_written_is_what_is_read(rule):
    shape = Shape("tencent", "DescribeSecurityGroupPolicies")
    row = {"PolicyIndex": 0, **row_of(rule)}
    key = "Ingress" if rule.direction == Direction.INGRESS else "Egress"
    policies = {"Version": "1", "Ingress": [], "Egress": [], key: [row]}
    (read,) = policy_set(shape, {"SecurityGroupPolicySet": policies}).rules
    assert content(read) == content(rule)


def test_rules_are_changed_by_position_and_version_and_never_all_at_once():
    provider, emulator = ruled(port(1), port(2))
    second = provider.list_rules(WEB).value[1]
    provider.remove_rule(WEB, second, token="t")
    provider.add_rule(WEB, replace(second, rule_id="ingress[0]"), token="t")
    assert sent(emulator, "DeleteSecurityGroupPolicies")[-1] == {
        "SecurityGroupId": WEB,
        "SecurityGroupPolicySet": {"Version": "3", "Ingress": [{"PolicyIndex": 1}]},
    }
    policies = sent(emulator, "CreateSecurityGroupPolicies")[-1]["SecurityGroupPolicySet"]
    assert (policies["Version"], policies["Ingress"][0]["PolicyIndex"]) == ("4", 0)
    assert "Egress" not in policies
    assert {r.action for r in writes(emulator)} == {
        "CreateSecurityGroupPolicies",
        "DeleteSecurityGroupPolicies",
    }


@pytest.mark.parametrize(
    ("rule_id", "expected"),
    [
        ("ingress[0]", ["9", "1", "2"]),
        ("ingress[1]", ["1", "9", "2"]),
        ("ingress[2]", ["1", "2", "9"]),
        ("ingress[7]", ["1", "2", "9"]),
        ("", ["1", "2", "9"]),
    ],
)
def test_a_rule_is_put_at_its_position_or_last(rule_id, expected):
    provider, _ = ruled(port(1), port(2))
    provider.add_rule(WEB, replace(port(9), rule_id=rule_id), token="t")
    assert ports(provider) == expected


def test_positions_count_the_rules_of_one_direction_only():
    out = [replace(port(number), direction=Direction.EGRESS) for number in (1, 2, 3)]
    provider, _ = ruled(port(1), *out)
    provider.add_rule(WEB, replace(port(9), rule_id="ingress[3]"), token="t")
    assert ports(provider) == ["1", "9", "1", "2", "3"]


def test_a_rule_that_others_have_shifted_is_found_and_no_other_is_taken():
    provider, _ = ruled(port(1), port(2), port(3))
    third = provider.list_rules(WEB).value[2]
    provider.add_rule(WEB, replace(port(9), rule_id="ingress[0]"), token="t")
    provider.remove_rule(WEB, third, token="t")
    assert ports(provider) == ["9", "1", "2"]


def test_a_rule_at_the_position_with_another_content_is_left_alone():
    provider, emulator = ruled(port(1), port(2))
    second = provider.list_rules(WEB).value[1]
    provider.remove_rule(WEB, second, token="t")
    provider.add_rule(WEB, replace(port(2, description="not it"), rule_id="ingress[1]"), token="t")
    count = len(writes(emulator))
    with pytest.raises(NotFoundError, match="no such rule"):
        provider.remove_rule(WEB, second, token="t")
    assert len(writes(emulator)) == count


def test_the_same_content_in_the_other_direction_is_another_rule():
    provider, _ = ruled(port(1), replace(port(1), direction=Direction.EGRESS))
    provider.remove_rule(WEB, replace(port(1), direction=Direction.EGRESS), token="t")
    assert [r.rule_id for r in provider.list_rules(WEB).value] == ["ingress[0]"]


CHANGES = {
    "add": (
        "CreateSecurityGroupPolicies",
        lambda provider: provider.add_rule(WEB, port(9), token="t"),
    ),
    "remove": (
        "DeleteSecurityGroupPolicies",
        lambda provider: provider.remove_rule(WEB, provider.list_rules(WEB).value[0], token="t"),
    ),
}


@pytest.mark.parametrize(("action", "change"), CHANGES.values(), ids=list(CHANGES))
def test_a_version_that_moved_between_reading_and_writing_is_a_conflict_and_changes_nothing(
    action, change
):
    emulator = loaded()

    def swap(cloud):
        group = cloud.group(WEB)
        group.rules.reverse()
        group.version += 1

    expected = [rule.cidr for rule in reversed(emulator.state.clouds[0].group(WEB).rules)]
    provider = WORLD.connect(ConcurrentEdit(emulator, action, swap))
    with pytest.raises(ConflictError, match="VersionMismatch") as caught:
        change(provider)
    assert caught.value.is_outcome_known
    assert [rule.cidr for rule in emulator.state.clouds[0].group(WEB).rules] == expected


@pytest.mark.parametrize(("action", "change"), CHANGES.values(), ids=list(CHANGES))
def test_without_a_version_no_position_is_relied_on(action, change):
    emulator = loaded()
    policies = {"Ingress": [{"PolicyIndex": 0, **row_of(port(1))}], "Egress": []}
    body = json.dumps({"Response": {"RequestId": "r", "SecurityGroupPolicySet": policies}})
    emulator.faults.append(
        Fault("garbage", action="DescribeSecurityGroupPolicies", count=9, body=body)
    )
    with pytest.raises(ConflictError, match="no version"):
        change(WORLD.connect(emulator))
    assert not sent(emulator, action)


def test_a_rule_that_is_there_already_is_put_there_once():
    provider, _ = ruled(port(1), port(2, description="same"))
    with pytest.raises(ConflictError):
        provider.add_rule(WEB, port(2, description="same"), token="t")
    assert ports(provider) == ["1", "2"]


def test_a_rule_that_is_there_in_other_words_is_a_conflict():
    provider, _ = ruled(port(1, description="mine"))
    with pytest.raises(ConflictError, match="DuplicatePolicy"):
        provider.add_rule(WEB, port(1, description="yours"), token="t")
    assert [r.description for r in provider.list_rules(WEB).value] == ["mine"]


def test_one_rule_too_many_is_a_limit():
    provider, _ = ruled(port(1), limits={"rules-per-group": 1})
    with pytest.raises(LimitError, match=r"LimitExceeded\.SecurityGroupPolicySet"):
        provider.add_rule(WEB, port(2), token="t")


@pytest.mark.parametrize(
    "code",
    [
        "UnsupportedOperation.SgNumExceedLimit",
        "UnsupportedOperation.ClbPolicyExceedLimit",
        "UnsupportedOperation.ClbPolicyLimit",
        "LimitExceeded.SecurityGroupPolicySet",
    ],
)
def test_every_documented_ceiling_of_a_rule_is_a_limit(code):
    emulator = loaded()
    emulator.faults.append(Fault("error", action="Create*", code=code))
    with pytest.raises(LimitError):
        WORLD.connect(emulator).add_rule(WEB, port(9), token="t")


def test_a_rule_cannot_name_a_group_that_does_not_exist():
    provider, _ = ruled()
    with pytest.raises(NotFoundError):
        provider.add_rule(WEB, port(1, peer="", peer_group=WORLD.missing), token="t")


@pytest.mark.parametrize("change", ["add_rule", "remove_rule"])
def test_rules_of_a_group_that_does_not_exist_are_not_changed(change):
    emulator = loaded()
    with pytest.raises(NotFoundError):
        getattr(WORLD.connect(emulator), change)(WORLD.missing, port(1), token="t")
    assert not writes(emulator)


@pytest.mark.parametrize(("action", "change"), CHANGES.values(), ids=list(CHANGES))
def test_a_change_whose_answer_is_lost_is_not_sent_again(action, change):
    emulator = loaded()
    before = emulator.state.clouds[0].group(WEB).version
    emulator.faults.append(Fault("drop", action=action, is_after=True))
    with pytest.raises(UnreachableError) as caught:
        change(WORLD.connect(emulator))
    assert not caught.value.is_outcome_known
    assert len(sent(emulator, action)) == 1
    assert emulator.state.clouds[0].group(WEB).version == before + 1


# -- groups --------------------------------------------------------------------------------------


def test_a_created_group_is_like_the_other_and_empty():
    emulator = loaded(quirks={"default_rules": [{"direction": "ingress", "cidr": "0.0.0.0/0"}] * 2})
    provider = WORLD.connect(emulator)
    like = Group("sg-was", "web", "the old one", "0", kind="", tags=(("team", "data"),))
    group_id = provider.create_group(like, token="t")
    made = provider.read_groups([group_id]).value[group_id]
    assert made == replace(like, group_id=group_id)
    assert provider.list_rules(group_id).value == ()


def test_a_group_too_many_is_a_limit():
    provider = WORLD.connect(loaded(limits={"groups-per-project": 7}))
    with pytest.raises(LimitError):
        provider.create_group(Group("sg-was00000", "web"), token="t")


# -- bindings ------------------------------------------------------------------------------------

A, B, C, D = WORLD.bound, WORLD.default, WORLD.free, WORLD.referenced
LEAST = {
    "one more, last": ((A, B), (A, B, C), "AssociateSecurityGroups"),
    "one less": ((A, B), (B,), "DisassociateSecurityGroups"),
    "one more, first": ((A, B), (C, A, B), "ModifyInstancesAttribute"),
    "another order": ((A, B), (B, A), "ModifyInstancesAttribute"),
    "another one": ((A, B), (A, C), "ModifyInstancesAttribute"),
    "two more": ((A, B), (A, B, C, D), "ModifyInstancesAttribute"),
    "all others": ((A, B), (C,), "ModifyInstancesAttribute"),
}


@pytest.mark.parametrize(("before", "after", "action"), LEAST.values(), ids=list(LEAST))
def test_an_instance_is_bound_by_the_call_that_touches_least(before, after, action):
    emulator = loaded()
    provider = WORLD.connect(emulator)
    provider.set_groups(SERVER, before, after, token="t")
    assert provider.read_holder(SERVER) == after
    assert [r.action for r in writes(emulator)] == [action]


SIDES = {
    "one more, last": ((A,), (A, C), "AssociateNetworkInterfaceSecurityGroups"),
    "another one": ((A,), (C,), "ModifyNetworkInterfaceAttribute"),
    "one more, first": ((A,), (C, A), "ModifyNetworkInterfaceAttribute"),
}


@pytest.mark.parametrize(("before", "after", "action"), SIDES.values(), ids=list(SIDES))
def test_an_interface_is_bound_by_the_call_that_touches_least(before, after, action):
    emulator = loaded()
    provider = WORLD.connect(emulator)
    provider.set_groups(SIDE, before, after, token="t")
    assert provider.read_holder(SIDE) == after
    assert [r.action for r in writes(emulator)] == [action]
    provider.set_groups(SIDE, after, before, token="t")
    assert provider.read_holder(SIDE) == before


def test_the_primary_interface_is_bound_through_its_instance():
    emulator = loaded()
    provider = WORLD.connect(emulator)
    primary = Holder("interface", f"eni-of-{WORLD.server}", WORLD.server)
    assert provider.read_holder(primary) == (A, B)
    provider.set_groups(primary, (A, B), (A, B, C), token="t")
    assert [r.action for r in writes(emulator)] == ["AssociateSecurityGroups"]
    assert provider.read_holder(SERVER) == (A, B, C)


@pytest.mark.parametrize("holder", [SERVER, SIDE], ids=["instance", "interface"])
def test_nothing_is_ever_left_without_a_group(holder):
    emulator = loaded()
    with pytest.raises(InputError, match="without a group"):
        WORLD.connect(emulator).set_groups(holder, (A,), (), token="t")
    assert not emulator.requests


@pytest.mark.parametrize("before", [(A,), (B, A), (A, B, C), ()], ids=str)
def test_groups_that_are_not_as_expected_are_a_conflict_and_stay(before):
    emulator = loaded()
    with pytest.raises(ConflictError, match=A):
        WORLD.connect(emulator).set_groups(SERVER, before, (C,), token="t")
    assert not writes(emulator)


def test_groups_that_are_right_already_need_no_call():
    emulator = loaded()
    WORLD.connect(emulator).set_groups(SERVER, (A, B), (A, B), token="t")
    assert not writes(emulator)


@pytest.mark.parametrize(
    "holder",
    [Holder("instance", "ins-nowhere0"), Holder("interface", "eni-nowhere0")],
    ids=["instance", "interface"],
)
def test_a_holder_that_does_not_exist_has_no_groups_and_gets_none(holder):
    provider = WORLD.connect(loaded())
    assert provider.read_holder(holder) is None
    with pytest.raises(NotFoundError):
        provider.set_groups(holder, (A,), (B,), token="t")


def test_products_are_not_bound_here():
    provider = WORLD.connect(loaded())
    with pytest.raises(InputError, match="load-balancer"):
        provider.read_holder(Holder("load-balancer", "lb-1"))


@pytest.mark.parametrize("after", [(A, B, C), (C, A, B)], ids=["bound", "replaced"])
@pytest.mark.parametrize("limit", ["groups-per-instance", "instances-per-group"])
def test_a_group_too_many_and_a_holder_too_many_are_limits(after, limit):
    ceiling = 2 if limit == "groups-per-instance" else 0
    provider = WORLD.connect(loaded(limits={limit: ceiling}))
    with pytest.raises(LimitError, match="LimitExceeded"):
        provider.set_groups(SERVER, (A, B), after, token="t")
    assert provider.read_holder(SERVER) == (A, B)


@pytest.mark.parametrize("after", [(A, B, C), (B,), (C,)], ids=["bound", "unbound", "replaced"])
def test_a_binding_is_followed_to_its_end(after):
    clock = Clock()
    emulator = loaded(clock, quirks={"binding_s": 5})
    provider = timed(emulator, clock)
    begun_s = clock()
    provider.set_groups(SERVER, (A, B), after, token="t")
    assert 5 <= clock() - begun_s < 8
    assert provider.read_holder(SERVER) == after
    assert len(writes(emulator)) == 1
    assert len(sent(emulator, "DescribeInstances")) < 10


def test_a_binding_that_takes_too_long_has_an_unknown_outcome():
    clock = Clock()
    provider = timed(loaded(clock, quirks={"binding_s": 60}), clock, deadline_s=10)
    begun_s = clock()
    with pytest.raises(DeadlineError) as caught:
        provider.set_groups(SERVER, (A, B), (A, B, C), token="t")
    assert not caught.value.is_outcome_known
    assert clock() - begun_s <= 10


def test_a_read_during_a_binding_waits_for_its_result():
    # A worker died after the call: to the next one it must not look as if nothing was done.
    clock = Clock()
    emulator = loaded(clock, quirks={"binding_s": 5})
    timed(emulator, clock).api.write(
        "cvm",
        "AssociateSecurityGroups",
        {"InstanceIds": [WORLD.server], "SecurityGroupIds": [C]},
    )
    assert timed(emulator, clock).read_holder(SERVER) == (A, B, C)


def test_another_operation_is_not_waited_for():
    clock = Clock()
    emulator = loaded(clock)
    emulator.state.clouds[0].instances[0].operation = "OPERATING"
    row = {"LatestOperation": "StopInstances", "LatestOperationState": "OPERATING"}
    body = instance_answer(**row)
    emulator.faults.append(Fault("garbage", action="DescribeInstances", body=body))
    begun_s = clock()
    assert timed(emulator, clock).read_holder(SERVER) == (A, B)
    assert clock() == begun_s


def instance_answer(groups=(A, B), **more):
    row = {
        "InstanceId": WORLD.server,
        "InstanceState": "RUNNING",
        "SecurityGroupIds": list(groups),
        **more,
    }
    return json.dumps({"Response": {"RequestId": "r", "TotalCount": 1, "InstanceSet": [row]}})


def test_a_binding_that_fails_says_so_and_with_which_code():
    clock = Clock()
    emulator = loaded(clock, quirks={"binding_s": 1, "binding_fails": "FailedOperation.Vpc"})
    with pytest.raises(CloudError, match=r"FailedOperation\.Vpc"):
        timed(emulator, clock).set_groups(SERVER, (A, B), (A, B, C), token="t")
    assert timed(emulator, clock).read_holder(SERVER) == (A, B)


def test_a_failure_of_an_older_operation_is_not_taken_for_ours():
    clock = Clock()
    emulator = loaded(clock)
    old = {"LatestOperationState": "FAILED", "LatestOperationRequestId": "long-ago"}
    emulator.faults.append(
        Fault("garbage", action="DescribeInstances", skip=1, count=2, body=instance_answer(**old))
    )
    provider = timed(emulator, clock)
    provider.set_groups(SERVER, (A, B), (A, B, C), token="t")
    assert provider.read_holder(SERVER) == (A, B, C)
    assert len(writes(emulator)) == 1


def test_a_binding_is_not_over_while_it_is_under_way_even_if_the_groups_are_shown():
    clock = Clock()
    emulator = loaded(clock)
    early = instance_answer((A, B, C), LatestOperationState="OPERATING")
    emulator.faults.append(
        Fault("garbage", action="DescribeInstances", skip=1, count=3, body=early)
    )
    begun_s = clock()
    timed(emulator, clock).set_groups(SERVER, (A, B), (A, B, C), token="t")
    assert clock() > begun_s


def test_what_is_shown_from_before_the_binding_is_not_its_end():
    clock = Clock()
    emulator = loaded(clock)
    stale = instance_answer(LatestOperationState="SUCCESS")
    emulator.faults.append(
        Fault("garbage", action="DescribeInstances", skip=1, count=3, body=stale)
    )
    begun_s = clock()
    timed(emulator, clock).set_groups(SERVER, (A, B), (A, B, C), token="t")
    assert clock() > begun_s
