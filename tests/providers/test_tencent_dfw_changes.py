"""Changing rules, groups and bindings through Tencent's API 2.0, as far as its pages allow it."""

from __future__ import annotations

import copy
from urllib.parse import parse_qs

import pytest
from msgspec.structs import replace

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.errors import (
    CloudError,
    ConflictError,
    InputError,
    LimitError,
    NotFoundError,
    SettingsError,
    UnavailableError,
    UnknownShapeError,
    UnreachableError,
)
from sgguard.model.change import Holder, content
from sgguard.model.resource import Direction, Group, Rule
from sgguard.wire.qcloud_v2 import params_of
from tests.worlds.tencent_dfw import WORLD

WEB = WORLD.referrer_in
A, B, C, D = WORLD.bound, WORLD.default, WORLD.free, WORLD.referenced
SERVER = Holder("instance", WORLD.server, WORLD.server)
ADD, REMOVE = "CreateSecurityGroupPolicy", "DeleteSecurityGroupPolicy"


class ConcurrentEdit:
    """A cloud in which somebody else does something right before a call of ours arrives."""

    def __init__(self, emulator, action, edit):
        self.emulator, self.action, self.edit = emulator, action, edit

    def handle(self, request):
        if params_of(request).get("Action") == self.action and self.edit:
            edit, self.edit = self.edit, None
            edit(self.emulator.state.clouds[0])
        return self.emulator.handle(request)


def loaded(**changes):
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0].update(changes)
    return Emulator.load(scenario)


def ruled(*rules, **changes):
    """A provider whose group WEB has these rules, and its emulator."""
    emulator = loaded(**changes)
    emulator.state.clouds[0].group(WEB).rules.clear()
    provider = WORLD.connect(emulator)
    for rule in rules:
        provider.add_rule(WEB, rule, token="t")
    return provider, emulator


def writes(emulator):
    return [r for r in emulator.requests if not r.action.startswith("Describe")]


def sent(emulator, action):
    """The parameters of the calls of one action, without those that every call has."""
    common = {"Action", "Region", "SecretId", "Nonce", "Timestamp", "SignatureMethod"}
    return [
        {
            name: value
            for name, (value,) in parse_qs(r.body).items()
            if name not in common | {"Signature", "Token"}
        }
        for r in emulator.requests
        if r.action == action
    ]


def port(number, **more):
    more.setdefault("peer", "10.0.0.0/8")
    return Rule("", Direction.INGRESS, "tcp", str(number), **more)


def ports(provider):
    return [rule.ports for rule in provider.list_rules(WEB).value]


# -- rules ---------------------------------------------------------------------------------------

RULES = {
    "a port": port(22),
    "ports": Rule("", Direction.EGRESS, "udp", "8000-8010", peer="0.0.0.0/0"),
    "everything from everywhere": Rule("", Direction.INGRESS, action="drop"),
    "icmp": Rule("", Direction.INGRESS, "icmp", peer="10.0.0.0/8"),
    "a group": Rule("", Direction.INGRESS, "tcp", "3306", peer_group=WORLD.referenced),
    "itself": Rule("", Direction.INGRESS, peer_group=WEB),
    "a description": port(22, description="für die Leitung; 运维 #1 & mehr"),
    "addresses": port(22, peer="ipm-1", native=(("addressModule", "ipm-1"),)),
    "a service": Rule("", Direction.INGRESS, "service-template", "ppm-1", peer="10.0.0.0/8"),
    "both modules": Rule(
        "",
        Direction.EGRESS,
        "service-template",
        "ppmg-1",
        peer="ipmg-1",
        native=(("addressModule", "ipmg-1"),),
    ),
}


@pytest.mark.parametrize("told", ["data", "rows"])
@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
@pytest.mark.sampled(6)
def test_a_rule_removed_and_restored_is_unchanged(rule, told):
    provider, _ = ruled(port(1), rule, port(9), quirks={"version_told": told})
    before = provider.list_rules(WEB).value
    (there,) = [one for one in before if content(one) == content(rule)]
    provider.remove_rule(WEB, there, token="t")
    assert content(there) not in map(content, provider.list_rules(WEB).value)
    provider.add_rule(WEB, there, token="t")
    assert provider.list_rules(WEB).value == before


def test_rules_are_changed_by_position_and_version():
    provider, emulator = ruled(port(1), port(2))
    second = provider.list_rules(WEB).value[1]
    provider.remove_rule(WEB, second, token="t")
    provider.add_rule(WEB, replace(second, rule_id="ingress[0]"), token="t")
    assert sent(emulator, REMOVE) == [
        {"sgId": WEB, "version": "3", "direction": "ingress", "indexes.0": "1"}
    ]
    assert sent(emulator, ADD)[-1] == {
        "sgId": WEB,
        "version": "4",
        "direction": "ingress",
        "index": "0",
        "policys.0.action": "accept",
        "policys.0.ipProtocol": "tcp",
        "policys.0.portRange": "2",
        "policys.0.cidrIp": "10.0.0.0/8",
    }
    assert {r.action for r in writes(emulator)} == {ADD, REMOVE}


def test_the_first_rule_of_a_direction_is_put_at_minus_one_as_the_page_wants():
    _, emulator = ruled(port(1), replace(port(1), direction=Direction.EGRESS), port(2))
    assert [call["index"] for call in sent(emulator, ADD)] == ["-1", "-1", "1"]


@pytest.mark.parametrize(
    ("rule_id", "expected"),
    [
        ("ingress[0]", ["9", "1", "2"]),
        ("ingress[1]", ["1", "9", "2"]),
        ("ingress[7]", ["1", "2", "9"]),
        ("", ["1", "2", "9"]),
    ],
)
def test_a_rule_is_put_at_its_position_or_last(rule_id, expected):
    provider, _ = ruled(port(1), port(2))
    provider.add_rule(WEB, replace(port(9), rule_id=rule_id), token="t")
    assert ports(provider) == expected


def test_a_rule_that_others_have_shifted_is_found_and_no_other_is_taken():
    provider, _ = ruled(port(1), port(2), port(3))
    third = provider.list_rules(WEB).value[2]
    provider.add_rule(WEB, replace(port(9), rule_id="ingress[0]"), token="t")
    provider.remove_rule(WEB, third, token="t")
    assert ports(provider) == ["9", "1", "2"]
    with pytest.raises(NotFoundError):
        provider.remove_rule(WEB, third, token="t")


def test_a_rule_the_cloud_adds_at_another_position_is_removed_again():
    provider, emulator = ruled(port(1), port(2))
    emulator.state.clouds[0].quirks["index_means"] = "behind"
    with pytest.raises(ConflictError, match="removed again") as caught:
        provider.add_rule(WEB, replace(port(9), rule_id="ingress[0]"), token="t")
    assert caught.value.is_outcome_known
    assert ports(provider) == ["1", "2"]


def test_a_rule_that_a_concurrent_edit_shifted_is_kept():
    provider, emulator = ruled(port(1), port(2))

    def push(cloud):
        group = cloud.group(WEB)
        group.rules.insert(0, copy.copy(group.rules[1]))
        group.version += 1

    emulator.requests.clear()
    reads = iter([None, push])

    class Third:
        """Somebody pushes a rule in front between our write and our look at it."""

        def handle(self, request):
            if params_of(request).get("Action") == "DescribeSecurityGroupPolicys":
                edit = next(reads, None)
                if edit:
                    edit(emulator.state.clouds[0])
            return emulator.handle(request)

    WORLD.connect(Third()).add_rule(WEB, replace(port(9), rule_id="ingress[1]"), token="t")
    assert ports(provider) == ["9", "1", "9", "2"]
    assert not sent(emulator, REMOVE)


@pytest.mark.parametrize("change", ["add_rule", "remove_rule"])
def test_without_a_version_no_position_is_relied_on(change):
    provider, emulator = ruled(port(1))
    emulator.state.clouds[0].quirks["version_told"] = "nowhere"
    emulator.requests.clear()
    with pytest.raises(SettingsError, match="reports no version"):
        getattr(provider, change)(WEB, port(1), token="t")
    assert not writes(emulator)


def test_the_first_rule_of_all_needs_no_version():
    provider, _ = ruled(port(1), quirks={"version_told": "nowhere"})
    assert ports(provider) == ["1"]


CHANGES = {
    "add": (ADD, lambda provider: provider.add_rule(WEB, port(9), token="t")),
    "remove": (
        REMOVE,
        lambda provider: provider.remove_rule(WEB, provider.list_rules(WEB).value[0], token="t"),
    ),
}


@pytest.mark.parametrize(("action", "change"), CHANGES.values(), ids=list(CHANGES))
def test_a_version_that_moved_between_reading_and_writing_is_a_conflict_and_changes_nothing(
    action, change
):
    emulator = loaded()
    group = emulator.state.clouds[0].group(WEB)

    def swap(cloud):
        group.rules.reverse()
        group.version += 1

    expected = list(reversed(group.rules))
    with pytest.raises(ConflictError, match="changed meanwhile") as caught:
        change(WORLD.connect(ConcurrentEdit(emulator, action, swap)))
    assert caught.value.is_outcome_known
    assert group.rules == expected


@pytest.mark.parametrize(("action", "change"), CHANGES.values(), ids=list(CHANGES))
def test_a_backend_error_leaves_the_outcome_open(action, change):
    emulator = loaded()
    emulator.faults.append(Fault("error", action=action, code="7000"))
    with pytest.raises(UnavailableError) as caught:
        change(WORLD.connect(emulator))
    assert not caught.value.is_outcome_known


@pytest.mark.parametrize(("action", "change"), CHANGES.values(), ids=list(CHANGES))
def test_a_change_that_was_made_and_then_called_an_error_is_no_conflict(action, change):
    emulator = loaded()
    emulator.faults.append(Fault("error", action=action, code="7000", is_after=True))
    with pytest.raises(UnavailableError):
        change(WORLD.connect(emulator))
    assert len(sent(emulator, action)) == 1


@pytest.mark.parametrize(("action", "change"), CHANGES.values(), ids=list(CHANGES))
def test_a_change_whose_answer_is_lost_is_not_sent_again(action, change):
    emulator = loaded()
    emulator.faults.append(Fault("drop", action=action, is_after=True))
    with pytest.raises(UnreachableError):
        change(WORLD.connect(emulator))
    assert len(sent(emulator, action)) == 1


def test_one_rule_too_many_is_a_limit():
    provider, _ = ruled(port(1), limits={"rules-per-group": 1})
    with pytest.raises(LimitError):
        provider.add_rule(WEB, port(2), token="t")


def test_a_rule_cannot_name_a_group_that_does_not_exist():
    provider, _ = ruled()
    with pytest.raises(NotFoundError):
        provider.add_rule(WEB, port(1, peer="", peer_group=WORLD.missing), token="t")


def test_the_default_groups_rules_are_the_clouds_own():
    with pytest.raises(CloudError, match="7006"):
        WORLD.connect(loaded()).add_rule(WORLD.default, port(1), token="t")


# -- groups --------------------------------------------------------------------------------------


def test_a_created_group_is_like_the_other_and_empty():
    provider = WORLD.connect(loaded())
    like = Group("sg-was00000", "another", "the old one", project="0", kind="")
    group_id = provider.create_group(like, token="t")
    made = provider.read_groups([group_id]).value[group_id]
    assert made == replace(like, group_id=group_id)
    assert provider.list_rules(group_id).value == ()


def test_a_name_that_exists_is_a_conflict_and_a_group_too_many_a_limit():
    provider = WORLD.connect(loaded(limits={"groups-per-project": 7}))
    with pytest.raises(ConflictError):
        provider.create_group(Group("sg-was00000", "web"), token="t")
    with pytest.raises(LimitError):
        provider.create_group(Group("sg-was00000", "another"), token="t")


@pytest.mark.parametrize(("is_forced", "forced"), [(True, "1"), (False, "0")])
def test_a_delete_is_forced_only_when_it_should_be(is_forced, forced):
    emulator = loaded()
    WORLD.connect(emulator).delete_group(WORLD.free, is_forced=is_forced)
    assert sent(emulator, "DeleteSecurityGroup") == [{"sgId": WORLD.free, "forced": forced}]


# -- bindings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [(A, B, C), (B,), (C, A, B), (B, A), (D, C)], ids=str)
def test_the_whole_list_of_an_instance_is_replaced_in_its_order(after):
    emulator = loaded(interfaces=[])
    provider = WORLD.connect(emulator)
    provider.set_groups(SERVER, (A, B), after, token="t")
    assert provider.read_holder(SERVER) == after
    expected = {"instanceSet.0.instanceId": WORLD.server}
    expected |= {f"instanceSet.0.sgIds.{n}": one for n, one in enumerate(after)}
    assert sent(emulator, "ModifySecurityGroupsOfInstance") == [expected]


def test_a_group_that_goes_may_be_on_further_interfaces_and_one_that_stays_may_not():
    emulator = loaded()  # another instance's further interface carries A
    provider = WORLD.connect(emulator)
    with pytest.raises(ConflictError, match="further interfaces"):
        provider.set_groups(SERVER, (A, B), (A, B, C), token="t")
    assert not writes(emulator)
    provider.set_groups(SERVER, (A, B), (B, C), token="t")
    assert provider.read_holder(SERVER) == (B, C)


def test_nothing_is_ever_left_without_a_group():
    emulator = loaded()
    with pytest.raises(InputError, match="without a group"):
        WORLD.connect(emulator).set_groups(SERVER, (A, B), (), token="t")
    assert not emulator.requests


@pytest.mark.parametrize("before", [(A,), (B, A), ()], ids=str)
def test_groups_that_are_not_as_expected_are_a_conflict_and_stay(before):
    emulator = loaded()
    with pytest.raises(ConflictError):
        WORLD.connect(emulator).set_groups(SERVER, before, (C,), token="t")
    assert not writes(emulator)


def test_groups_that_are_right_already_need_no_call():
    emulator = loaded()
    WORLD.connect(emulator).set_groups(SERVER, (A, B), (A, B), token="t")
    assert not writes(emulator)


@pytest.mark.parametrize("instance_id", ["ins-nowhere0", "x"])
def test_an_instance_that_does_not_exist_has_no_groups_and_gets_none(instance_id):
    provider = WORLD.connect(loaded())
    assert provider.read_holder(Holder("instance", instance_id)) is None
    with pytest.raises(NotFoundError):
        provider.set_groups(Holder("instance", instance_id), (A,), (B,), token="t")


def test_an_interface_with_unreported_groups_is_not_changed():
    emulator = loaded()
    provider = WORLD.connect(emulator)
    side = Holder("interface", "eni-3056glfn", WORLD.other_server)
    for ask in (
        lambda: provider.read_holder(side),
        lambda: provider.set_groups(side, (A,), (C,), token="t"),
    ):
        with pytest.raises(SettingsError, match="does not report which groups"):
            ask()
    assert not emulator.requests


def test_products_are_not_bound_here():
    with pytest.raises(InputError, match="database"):
        WORLD.connect(loaded()).read_holder(Holder("database", "cdb-1"))


def test_an_answer_that_names_no_group_is_not_read_as_none():
    emulator = loaded()
    body = '{"code": 0, "message": "", "data": []}'
    emulator.faults.append(Fault("garbage", action="DescribeSecurityGroups", body=body))
    with pytest.raises(UnknownShapeError):
        WORLD.connect(emulator).read_holder(SERVER)


def test_a_state_that_forbids_it_and_a_group_too_many_are_said():
    emulator = loaded(limits={"groups-per-instance": 2})
    provider = WORLD.connect(emulator)
    with pytest.raises(LimitError, match="7002"):
        provider.set_groups(SERVER, (A, B), (B, C, D), token="t")
    emulator.state.clouds[0].instances[0].state = "PENDING"
    with pytest.raises(CloudError, match="7003"):
        provider.set_groups(SERVER, (A, B), (B,), token="t")
