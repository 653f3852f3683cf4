"""Rules and groups that the Alibaba provider changes, the cloud's traps included."""

from __future__ import annotations

import copy
import dataclasses
from urllib.parse import parse_qsl

import pytest
from msgspec.structs import replace

from sgguard.emulator.faults import Fault
from sgguard.emulator.resource import Rule as Thing
from sgguard.errors import (
    CloudError,
    ConflictError,
    DeadlineError,
    InUseError,
    LimitError,
    NotFoundError,
    ThrottledError,
    UnavailableError,
    UnknownShapeError,
    UnreachableError,
)
from sgguard.model.change import content
from sgguard.model.resource import Direction, Group, Rule
from tests.worlds.alibaba import ADVANCED, ENV, OWN_UID, PEER_UID, WORLD, actions, switch

WEB, APP, JOB, FREE = WORLD.referenced, WORLD.referrer_in, WORLD.referrer_out, WORLD.free
MANAGED, FOREIGN = "sg-bp1ack00000000000006", "sg-bp1for00000000000009"
RPC = ENV | {"SGGUARD_ALIBABA_SIGNATURE": "rpc"}

RULES = {
    "plain": Thing("ingress", ports="22", cidr="10.0.0.0/8"),
    "every-port": Thing("egress", protocol="any", cidr="0.0.0.0/0"),
    "range": Thing("ingress", protocol="udp", ports="8000-8010", cidr="10.0.0.1"),
    "drop": Thing("egress", ports="25", cidr="0.0.0.0/0", action="drop", priority=100),
    "ping": Thing("ingress", protocol="icmp", cidr="0.0.0.0/0", priority=50),
    "number": Thing("ingress", protocol="47", cidr="10.0.0.0/8"),
    "ipv6": Thing("ingress", ports="443", cidr="2001:db8::/32", ethertype="IPv6"),
    "ipv6-out": Thing("egress", ports="443", cidr="::/0", ethertype="IPv6"),
    "prefix-list": Thing("ingress", ports="443", template="pl-x1j1k5ykzqlixdcy0001"),
    "prefix-list-out": Thing("egress", ports="443", template="pl-x1j1k5ykzqlixdcy0001"),
    "port-list": Thing("ingress", ports="prl-2ze9743x1g2ibp0001", cidr="10.0.0.0/8"),
    "group": Thing("ingress", ports="8080", peer_group=WEB),
    "group-out": Thing("egress", ports="8080", peer_group=WEB, action="drop", priority=7),
    "own-account": Thing("ingress", ports="1", peer_group=WEB, peer_account=OWN_UID),
    "foreign": Thing("egress", ports="1", peer_group=FOREIGN, peer_account=PEER_UID),
    "five-parts": Thing(
        *("ingress", "", "tcp", "22", "10.0.0.0/8"), source_ports="1024-65535", near_cidr="10.1.0.1"
    ),
    "five-parts-out": Thing(
        *("egress", "", "tcp", "22", "2001:db8::/32"),
        ethertype="IPv6",
        source_ports="53",
        near_cidr="2001:db8:1::/64",
    ),
    "described": Thing("ingress", ports="22", cidr="10.0.0.0/8", description='a=b & "ü" 组 / ~*'),
}


@pytest.fixture
def emulator():
    return WORLD.emulator()


@pytest.fixture
def cloud(emulator):
    return emulator.state.clouds[0]


@pytest.fixture
def provider(emulator):
    return WORLD.connect(emulator)


def sent(emulator, action):
    request = next(one for one in emulator.requests if one.action == action)
    return dict(parse_qsl(request.query + "&" + request.body, keep_blank_values=True))


def only(provider, group_id):
    (rule,) = provider.list_rules(group_id).value
    return rule


def wire_rule(**members):
    return Rule("", Direction.INGRESS, "tcp", "22", peer="10.0.0.0/8", priority=1, **members)


@pytest.mark.parametrize("answer_format", ["json", "xml"])
@pytest.mark.parametrize("env", [ENV, RPC], ids=["acs3", "rpc"])
@pytest.mark.parametrize("name", RULES)
@pytest.mark.sampled(16)
def test_a_restored_rule_is_exactly_the_removed_one(emulator, cloud, name, env, answer_format):
    switch(emulator, format=answer_format)
    provider = WORLD.connect(emulator, env=env)
    cloud.group(FREE).rules = [copy.deepcopy(RULES[name])]
    cloud.group(FREE).rules[0].id = "sgr-bp1before"
    before = copy.deepcopy(cloud.group(FREE).rules)
    rule = only(provider, FREE)

    provider.remove_rule(FREE, rule, token="t-1")
    assert cloud.group(FREE).rules == []
    provider.add_rule(FREE, rule, token="t-2")

    (after,) = cloud.group(FREE).rules
    assert dataclasses.replace(after, id="sgr-bp1before") == before[0]
    assert content(only(provider, FREE)) == content(rule)
    assert only(provider, FREE).rule_id != "sgr-bp1before"


@pytest.mark.parametrize("nic", ["internet", "intranet"])
def test_a_rule_of_a_classic_group_is_restored_for_the_same_network(emulator, cloud, provider, nic):
    """The default is ``internet``; a rule that is revoked without its network is not found."""
    classic = cloud.group(FREE)
    classic.network = ""
    classic.rules = [Thing("egress", "sgr-1", ports="22", cidr="10.0.0.0/8", nic=nic)]
    rule = only(provider, FREE)
    assert dict(rule.native) == {"NicType": nic}
    for rule_ids in ("present", "absent"):
        switch(emulator, rule_ids=rule_ids)
        provider.remove_rule(FREE, rule, token=f"out {rule_ids}")
        assert classic.rules == []
        provider.add_rule(FREE, rule, token=f"in {rule_ids}")
        assert [one.nic for one in classic.rules] == [nic]


def test_each_direction_has_its_own_call(emulator, provider):
    (ingress, egress) = provider.list_rules(APP).value
    emulator.requests.clear()
    for rule in (ingress, egress):
        provider.remove_rule(APP, rule, token="")
        provider.add_rule(APP, rule, token="")
    assert [one for one in actions(emulator) if "Describe" not in one] == [
        "AuthorizeSecurityGroup",
        "AuthorizeSecurityGroupEgress",
        "RevokeSecurityGroup",
        "RevokeSecurityGroupEgress",
    ]


def test_the_same_id_in_both_directions_takes_the_right_rule(cloud, provider):
    """Rule ids are per direction: the other direction's call answers success and takes nothing."""
    cloud.group(FREE).rules = [
        Thing("ingress", "sgr-1", ports="22", cidr="10.0.0.0/8"),
        Thing("egress", "sgr-2", ports="22", cidr="10.0.0.0/8"),
    ]
    provider.remove_rule(FREE, provider.list_rules(FREE).value[1], token="")
    assert [rule.id for rule in cloud.group(FREE).rules] == ["sgr-1"]


def test_a_reference_is_rewritten_to_another_group(cloud, provider):
    rule = provider.list_rules(JOB).value[0]
    provider.add_rule(JOB, replace(rule, peer_group=FREE), token="new")
    provider.remove_rule(JOB, rule, token="old")
    (after,) = cloud.group(JOB).rules
    assert (after.peer_group, after.action, after.priority) == (FREE, "drop", 7)
    assert provider.list_references([WEB]).value[WEB][0].group_id == APP


def test_a_rule_is_sent_with_its_token_and_accept_goes_unsaid(emulator, provider):
    rule = provider.list_rules(APP).value[0]
    provider.add_rule(FREE, rule, token="step-1 of plan")
    params = sent(emulator, "AuthorizeSecurityGroup")
    assert {name: value for name, value in params.items() if "." in name} == {
        "Permissions.1.IpProtocol": "tcp",
        "Permissions.1.PortRange": "8080/8080",
        "Permissions.1.SourceGroupId": WEB,
        "Permissions.1.Priority": "1",
        "Permissions.1.NicType": "intranet",
    }
    assert params["ClientToken"] == "step-1 of plan"


@pytest.mark.parametrize(
    ("owner", "member"),
    [(PEER_UID, "DestGroupOwnerId"), ("ops@example.com", "DestGroupOwnerAccount")],
)
def test_the_account_of_a_foreign_group_is_named_by_number_or_by_login(
    emulator, cloud, provider, owner, member
):
    """Both are read back as the same member; a number is no login, and a login no number."""
    cloud.group(FOREIGN).account = owner
    rule = replace(wire_rule(), peer="", peer_group=FOREIGN, direction=Direction.EGRESS)
    native = (("DestGroupOwnerAccount", owner), ("NicType", "intranet"))
    provider.add_rule(FREE, replace(rule, native=native), token="")
    owners = {k: v for k, v in sent(emulator, "AuthorizeSecurityGroupEgress").items() if "Own" in k}
    assert owners == {f"Permissions.1.{member}": owner}
    assert dict(only(provider, FREE).native)["DestGroupOwnerAccount"] == owner


@pytest.mark.parametrize("token", ["x" * 65, "schritt für schritt", "a\nb"])
def test_a_token_the_cloud_would_not_take_is_hashed(emulator, provider, token):
    rule = provider.list_rules(APP).value[0]
    provider.add_rule(FREE, rule, token=token)
    hashed = sent(emulator, "AuthorizeSecurityGroup")["ClientToken"]
    assert hashed != token
    assert len(hashed) == 64
    assert hashed.isascii()


def test_a_rule_that_is_there_already_is_a_conflict(cloud, provider):
    """The cloud answers success and adds nothing, so it is looked at before."""
    rule = provider.list_rules(APP).value[0]
    with pytest.raises(ConflictError):
        provider.add_rule(APP, rule, token="again")
    assert len(cloud.group(APP).rules) == 2


def test_the_same_rule_with_another_description_is_a_conflict(cloud, provider):
    """The cloud answers success, adds nothing and keeps the description that was there."""
    cloud.group(FREE).rules = [Thing("ingress", ports="22", cidr="10.0.0.0/8", description="mine")]
    before = copy.deepcopy(cloud.group(FREE).rules)
    with pytest.raises(ConflictError, match="another description"):
        provider.add_rule(FREE, wire_rule(description="yours"), token="")
    assert cloud.group(FREE).rules == before


def test_the_same_rule_with_another_priority_is_another_rule(cloud, provider):
    for priority in (1, 2):
        provider.add_rule(FREE, replace(wire_rule(), priority=priority), token=f"{priority}")
    assert [rule.priority for rule in cloud.group(FREE).rules] == [1, 2]


def test_a_rule_made_by_hand_is_found_again(provider):
    provider.add_rule(FREE, replace(wire_rule(), priority=None), token="")
    assert only(provider, FREE).priority == 1
    provider.remove_rule(FREE, wire_rule(), token="")
    assert provider.list_rules(FREE).value == ()


def test_a_repeated_token_adds_once_and_a_removed_rule_is_not_taken_for_added(emulator, provider):
    """The second answer is the first one's, without an effect: only reading back tells."""
    rule = wire_rule()
    provider.add_rule(FREE, rule, token="same")
    with pytest.raises(ConflictError):
        provider.add_rule(FREE, rule, token="same")
    provider.remove_rule(FREE, rule, token="out")
    with pytest.raises(DeadlineError):
        WORLD.connect(emulator, deadline_s=0.5).add_rule(FREE, rule, token="same")


def test_a_token_used_for_another_rule_is_a_conflict(cloud, provider):
    provider.add_rule(FREE, wire_rule(), token="same")
    with pytest.raises(ConflictError) as caught:
        provider.add_rule(FREE, replace(wire_rule(), ports="23"), token="same")
    assert caught.value.code == "IdempotentParameterMismatch"
    assert [rule.ports for rule in cloud.group(FREE).rules] == ["22"]


@pytest.mark.parametrize(
    ("limit", "ceiling", "code"),
    [
        ("rules-per-group", 2, "AuthorizationLimitExceed"),
        ("references-per-group", 1, "AuthorizedGroupRule.LimitExceed"),
    ],
)
def test_a_rule_over_a_limit_is_refused(cloud, provider, limit, ceiling, code):
    cloud.limits[limit] = ceiling
    rule = replace(wire_rule(), peer="", peer_group=FREE)
    with pytest.raises(LimitError) as caught:
        provider.add_rule(APP, rule, token="")
    assert caught.value.code == code
    assert len(cloud.group(APP).rules) == 2


def test_a_basic_group_names_twenty_groups_and_no_more(cloud, provider):
    rules = [Thing("ingress", f"sgr-{n}", ports=f"{n}", peer_group=WEB) for n in range(1, 20)]
    cloud.group(FREE).rules = rules
    rule = replace(wire_rule(), peer="", peer_group=WEB)
    provider.add_rule(FREE, rule, token="20th")
    with pytest.raises(LimitError):
        provider.add_rule(FREE, replace(rule, ports="23"), token="21st")
    provider.add_rule(FREE, wire_rule(), token="no group")


@pytest.mark.parametrize(
    ("holder", "peer", "code"),
    [
        (ADVANCED, WEB, "InvalidGroupParameter.OperationDenied"),
        (FREE, ADVANCED, "InvalidGroupAuthParameter.OperationDenied"),
    ],
    ids=["names-none", "is-named-by-none"],
)
def test_advanced_groups_know_no_references(provider, holder, peer, code):
    with pytest.raises(LimitError) as caught:
        provider.add_rule(holder, replace(wire_rule(), peer="", peer_group=peer), token="")
    assert caught.value.code == code
    provider.add_rule(holder, wire_rule(), token="a range")


@pytest.mark.parametrize(
    ("direction", "peer", "error", "code"),
    [
        (Direction.INGRESS, WORLD.missing, NotFoundError, "InvalidSourceGroupId.NotFound"),
        (Direction.EGRESS, WORLD.missing, NotFoundError, "InvalidDestGroupId.NotFound"),
        (Direction.INGRESS, FOREIGN, NotFoundError, "InvalidSourceGroupId.NotFound"),
        (Direction.INGRESS, FREE, CloudError, "InvalidParamter.Conflict"),
        (Direction.EGRESS, FREE, CloudError, "InvalidSecurityGroup.IsSame"),
    ],
)
def test_a_peer_that_cannot_be_named_is_told(provider, direction, peer, error, code):
    rule = replace(wire_rule(), peer="", peer_group=peer, direction=direction)
    with pytest.raises(error) as caught:
        provider.add_rule(FREE, rule, token="")
    assert caught.value.code == code
    assert caught.value.is_outcome_known


def test_a_rule_of_a_missing_or_managed_group_is_not_changed(provider):
    for change in (provider.add_rule, provider.remove_rule):
        with pytest.raises(NotFoundError):
            change(WORLD.missing, wire_rule(), token="")
    with pytest.raises(InUseError):
        provider.add_rule(MANAGED, wire_rule(), token="")


# -- removing ------------------------------------------------------------------------------------


def test_a_rule_that_is_gone_is_not_found_and_nothing_is_sent(emulator, cloud, provider):
    """The cloud would answer success: a rule that is not there is revoked with pleasure."""
    rule = provider.list_rules(APP).value[0]
    provider.remove_rule(APP, rule, token="")
    emulator.requests.clear()
    with pytest.raises(NotFoundError):
        provider.remove_rule(APP, rule, token="")
    assert actions(emulator) == ["DescribeSecurityGroupAttribute"]
    assert len(cloud.group(APP).rules) == 1


def test_a_rule_with_a_concurrent_edit_is_not_removed(emulator, cloud, provider):
    rule = provider.list_rules(APP).value[0]
    cloud.group(APP).rules[0].ports = "9090"
    emulator.requests.clear()
    with pytest.raises(ConflictError, match="another rule"):
        provider.remove_rule(APP, rule, token="")
    assert actions(emulator) == ["DescribeSecurityGroupAttribute"]
    assert len(cloud.group(APP).rules) == 2


@pytest.mark.parametrize("rule_id", ["", "sgr-bp1ofbefore"])
def test_a_rule_with_another_id_is_found_by_its_content(cloud, provider, rule_id):
    rule = provider.list_rules(APP).value[0]
    provider.remove_rule(APP, replace(rule, rule_id=rule_id), token="")
    assert [one.direction for one in cloud.group(APP).rules] == ["egress"]


def test_a_server_without_rule_ids_is_told_all_of_the_rule(emulator, cloud, provider):
    switch(emulator, rule_ids="absent")
    cloud.group(FREE).rules = [
        Thing("egress", f"sgr-{n}", ports="22", cidr="10.0.0.0/8", action=action, priority=n)
        for n, action in ((1, "accept"), (2, "drop"), (3, "accept"))
    ]
    rules = provider.list_rules(FREE).value
    assert [rule.rule_id for rule in rules] == ["egress[0]", "egress[1]", "egress[2]"]
    provider.remove_rule(FREE, rules[1], token="")
    assert [rule.id for rule in cloud.group(FREE).rules] == ["sgr-1", "sgr-3"]
    assert "SecurityGroupRuleId.1" not in sent(emulator, "RevokeSecurityGroupEgress")


# -- what goes wrong -----------------------------------------------------------------------------


def test_a_lost_answer_to_a_new_rule_is_settled_by_looking(emulator, cloud, provider):
    emulator.faults.append(Fault("drop", action="Authorize*", is_after=True))
    with pytest.raises(UnreachableError) as caught:
        provider.add_rule(FREE, wire_rule(), token="t")
    assert not caught.value.is_outcome_known
    assert actions(emulator) == ["AuthorizeSecurityGroup", "DescribeSecurityGroupAttribute"]
    with pytest.raises(ConflictError):
        provider.add_rule(FREE, wire_rule(), token="t")
    assert len(cloud.group(FREE).rules) == 1


def test_a_lost_answer_to_a_revoke_is_settled_by_looking(emulator, cloud, provider):
    rule = provider.list_rules(APP).value[0]
    emulator.requests.clear()
    emulator.faults.append(Fault("drop", action="Revoke*", is_after=True))
    with pytest.raises(UnreachableError) as caught:
        provider.remove_rule(APP, rule, token="t")
    assert not caught.value.is_outcome_known
    assert actions(emulator) == ["DescribeSecurityGroupAttribute", "RevokeSecurityGroup"]
    with pytest.raises(NotFoundError):
        provider.remove_rule(APP, rule, token="t")
    assert len(cloud.group(APP).rules) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("throttle", action="Describe*", count=99),
        Fault("error", action="Describe*", code="Forbidden.RAM", count=99),
        Fault("error", action="Describe*", code="InvalidSecurityGroupId.NotFound"),
    ],
    ids=["throttled", "forbidden", "group-gone"],
)
def test_a_change_that_cannot_be_read_back_may_have_been_made(emulator, cloud, provider, fault):
    emulator.faults.append(dataclasses.replace(fault, skip=1))
    with pytest.raises(UnavailableError) as caught:
        provider.add_rule(FREE, wire_rule(), token="")
    assert not caught.value.is_outcome_known
    assert caught.value.code in ("Throttling.User", fault.code)
    assert len(cloud.group(FREE).rules) == 1


def test_a_throttled_change_is_known_not_to_have_been_made(emulator, cloud, provider):
    emulator.faults.append(Fault("throttle", action="Authorize*"))
    with pytest.raises(CloudError) as caught:
        provider.add_rule(FREE, wire_rule(), token="")
    assert caught.value.is_outcome_known
    assert cloud.group(FREE).rules == []
    assert actions(emulator) == ["AuthorizeSecurityGroup", "DescribeSecurityGroupAttribute"]


# -- groups --------------------------------------------------------------------------------------


def restored(provider, group_id):
    (group,) = provider.read_groups([group_id]).value.values()
    return replace(group, group_id="")


def test_a_group_is_created_like_the_one_that_was(cloud, provider):
    cloud.group(WEB).description = "front doors"
    cloud.group(WEB).project = "rg-bp67acfmxazb4p"
    cloud.group(WEB).tags = {"team": "shop", "cost": ""}
    group = provider.read_groups([WEB]).value[WEB]
    new = provider.create_group(group, token="restore web")
    assert new not in (WEB, "")
    assert provider.is_group_id(new)
    assert restored(provider, new) == replace(group, group_id="")
    assert provider.list_rules(new).value == ()


@pytest.mark.parametrize("group_id", [FREE, ADVANCED])
def test_the_type_of_a_group_is_kept(provider, group_id):
    group = provider.read_groups([group_id]).value[group_id]
    new = provider.create_group(group, token="")
    assert restored(provider, new).kind == group.kind != ""


def defined(provider, group_id):
    return provider.define_group(provider.read_groups([group_id]).value[group_id])


@pytest.mark.parametrize("is_isolated", [True, False])
def test_whether_members_reach_each_other_is_kept(emulator, cloud, provider, is_isolated):
    cloud.group(WEB).isolated = is_isolated
    group = defined(provider, WEB)
    assert len(group.rules) == len(cloud.group(WEB).rules)
    new = provider.create_group(group, token="t")
    assert cloud.group(new).isolated is is_isolated
    assert actions(emulator).count("ModifySecurityGroupPolicy") == int(is_isolated)


def test_a_classic_group_is_isolated_again_as_well(cloud, provider):
    cloud.group(FREE).network, cloud.group(FREE).isolated = "", True
    assert cloud.group(provider.create_group(defined(provider, FREE), token="t")).isolated


def test_an_advanced_group_isolates_its_members_without_being_told(emulator, cloud, provider):
    group = defined(provider, ADVANCED)
    assert group.native == (("InnerAccessPolicy", "Drop"),)
    new = provider.create_group(group, token="t")
    assert cloud.group(new).kind == "advanced"
    assert "ModifySecurityGroupPolicy" not in actions(emulator)


def test_a_group_that_says_nothing_of_its_members_is_not_taken_for_an_open_one(emulator, provider):
    switch(emulator, omits_inner_access=True)
    with pytest.raises(UnknownShapeError, match="InnerAccessPolicy"):
        defined(provider, WEB)
    assert len(provider.list_rules(WEB).value) == 2  # which is all a verdict needs
    assert defined(provider, ADVANCED).native == ()  # there it can be only one thing


def test_the_policy_has_a_token_of_its_own(emulator, cloud, provider):
    cloud.group(WEB).isolated = True
    group = defined(provider, WEB)
    provider.create_group(group, token="t")
    first = sent(emulator, "CreateSecurityGroup")
    second = sent(emulator, "ModifySecurityGroupPolicy")
    assert second["ClientToken"] not in ("", first["ClientToken"])
    provider.create_group(group, token="")
    last = [one for one in emulator.requests if one.action == "ModifySecurityGroupPolicy"][-1]
    assert "ClientToken" not in last.query + last.body


def isolated(cloud, provider):
    cloud.group(WEB).isolated = True
    return defined(provider, WEB)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("throttle", action="ModifySecurityGroupPolicy"),
        Fault("error", action="ModifySecurityGroupPolicy", code="Forbidden.RAM"),
        Fault("error", action="ModifySecurityGroupPolicy", code="IdempotentParameterMismatch"),
        Fault("drop", action="ModifySecurityGroupPolicy"),
        Fault("drop", action="ModifySecurityGroupPolicy", is_after=True),
        Fault("garbage", action="ModifySecurityGroupPolicy"),
    ],
    ids=["throttled", "forbidden", "conflict", "lost-before", "lost-after", "garbled"],
)
@pytest.mark.sampled(3)
def test_a_group_that_cannot_be_isolated_is_deleted_again(emulator, cloud, provider, fault):
    group = isolated(cloud, provider)
    before = emulator.state.dump()
    emulator.faults.append(copy.copy(fault))
    with pytest.raises(CloudError, match="deleted again") as caught:
        provider.create_group(group, token="t")
    # Its token is used up: whoever tried again with it would get the id of the group that is gone.
    assert caught.value.is_outcome_known
    assert not isinstance(caught.value, ThrottledError | ConflictError | NotFoundError)
    assert emulator.state.dump()["clouds"][0]["groups"] == before["clouds"][0]["groups"]


def test_a_group_that_can_be_neither_isolated_nor_deleted_may_be_there(emulator, cloud, provider):
    group = isolated(cloud, provider)
    known = {one.id for one in cloud.groups}
    cloud.accounts[0].denied += ["ModifySecurityGroupPolicy", "DeleteSecurityGroup"]
    with pytest.raises(UnavailableError) as caught:
        provider.create_group(group, token="t")
    assert not caught.value.is_outcome_known
    (half,) = {one.id for one in cloud.groups} - known
    assert half in str(caught.value)


def test_a_policy_that_does_not_show_in_time_leaves_the_group_to_the_next_try(
    emulator, cloud, provider
):
    group = isolated(cloud, provider)
    known = {one.id for one in cloud.groups}
    switch(emulator, omits_inner_access=True)
    with pytest.raises(DeadlineError):
        WORLD.connect(emulator, deadline_s=0.5).create_group(group, token="t")
    switch(emulator, omits_inner_access=False)
    new = provider.create_group(group, token="t")
    assert {one.id for one in cloud.groups} - known == {new}
    assert cloud.group(new).isolated


@pytest.mark.parametrize(
    ("name", "sent_name"),
    [
        ("left over", "left-over"),
        ("1st", "sg-1st"),
        ("a", "sg-a"),
        ("http://x", "http---x"),
        ("安全组 一", "安全组-一"),
        ("n" * 200, "n" * 128),
        ("ok:_.-9", "ok:_.-9"),
    ],
)
def test_a_name_the_cloud_no_longer_takes_is_made_to_fit(provider, name, sent_name):
    new = provider.create_group(Group("sg-1", name, network="vpc-bp1main"), token="")
    assert restored(provider, new).name == sent_name


@pytest.mark.parametrize("text", ["x", "https://wiki/sg", "d" * 257])
def test_a_description_the_cloud_does_not_take_is_cut_or_left_out(provider, text):
    new = provider.create_group(Group("sg-1", "web", text, network="vpc-bp1main"), token="")
    assert restored(provider, new).description == ("d" * 256 if text[0] == "d" else "")


def test_a_group_without_name_is_created_without_one(emulator, provider):
    new = provider.create_group(Group("sg-1", network="vpc-bp1main"), token="t")
    assert restored(provider, new).name == ""
    params = sent(emulator, "CreateSecurityGroup")
    assert {"SecurityGroupName", "Description", "ResourceGroupId"}.isdisjoint(params)


def test_the_same_token_creates_one_group(emulator, cloud, provider):
    group = provider.read_groups([FREE]).value[FREE]
    emulator.faults.append(Fault("drop", action="Create*", is_after=True))
    known = {one.id for one in cloud.groups}
    with pytest.raises(UnreachableError):
        provider.create_group(group, token="restore")
    new = provider.create_group(group, token="restore")
    assert {one.id for one in cloud.groups} - known == {new}


def test_tags_of_the_cloud_itself_are_not_sent(cloud, provider):
    own = {f"k{n:02}": "v" for n in range(25)}
    tags = (("acs:rm", "x"), ("aliyun-made", "y"), *own.items())
    new = provider.create_group(Group("sg-1", network="vpc-bp1main", tags=tags), token="t")
    assert cloud.group(new).tags == dict(list(own.items())[:20])


def test_rules_a_server_gives_a_new_group_are_removed(emulator, cloud, provider):
    switch(emulator, new_group_rules=True)
    new = provider.create_group(Group("sg-1", network="vpc-bp1main"), token="t")
    assert cloud.group(new).rules == []


def test_a_group_whose_default_rules_cannot_be_removed_still_exists(emulator, provider):
    switch(emulator, new_group_rules=True)
    emulator.faults.append(Fault("error", action="Revoke*", code="Forbidden.RAM"))
    with pytest.raises(UnavailableError) as caught:
        provider.create_group(Group("sg-1", network="vpc-bp1main"), token="t")
    assert not caught.value.is_outcome_known


def test_a_new_group_may_show_a_little_later(emulator, provider):
    emulator.faults.append(
        Fault("error", action="DescribeSecurityGroupAttr*", code="InvalidSecurityGroupId.NotFound")
    )
    new = provider.create_group(Group("sg-1", network="vpc-bp1main"), token="t")
    assert actions(emulator).count("DescribeSecurityGroupAttribute") == 2
    assert provider.list_rules(new).value == ()


def test_one_group_too_many_is_refused(cloud, provider):
    cloud.limits["groups-per-project"] = 8  # the ninth is of another account
    with pytest.raises(LimitError) as caught:
        provider.create_group(Group("sg-1", network="vpc-bp1main"), token="t")
    assert caught.value.code == "QuotaExceed.SecurityGroup"


def test_a_group_comes_back_whole(cloud, provider):
    """Delete and restore: the group, its rules and the rule that referenced it."""
    before = [dataclasses.replace(rule, id="") for rule in cloud.group(WEB).rules]
    group = provider.read_groups([WEB]).value[WEB]
    rules = provider.list_rules(WEB).value
    references = provider.list_references([WEB]).value[WEB]
    for one in references:
        provider.remove_rule(one.group_id, one.rule, token=f"revoke {one.group_id}")
    provider.delete_group(WEB)
    new = provider.create_group(group, token="restore")
    for number, rule in enumerate(rules):
        provider.add_rule(new, rule, token=f"rule {number}")
    for one in references:
        rule = replace(one.rule, peer_group=new)
        provider.add_rule(one.group_id, rule, token=f"rewrite {one.group_id}")
    assert [dataclasses.replace(rule, id="") for rule in cloud.group(new).rules] == before
    again = provider.list_references([new]).value[new]
    assert [one.group_id for one in again] == [one.group_id for one in references]
