"""What the Alibaba provider makes of an emulated ECS, its traps included."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.errors import (
    CredentialsError,
    InUseError,
    InvalidRequestError,
    NotFoundError,
    SettingsError,
    UnauthenticatedError,
    UnknownShapeError,
)
from sgguard.model.change import Holder
from sgguard.model.resource import Binding, Direction, Interface, Reference, Rule
from sgguard.providers.alibaba import RATES
from sgguard.render.language.sentence import whole_english as whole
from tests.worlds.alibaba import ADVANCED, ENV, OWN_UID, PEER_UID, WORLD, actions, add_referrers
from tests.worlds.alibaba import switch as quirks

WEB, APP, JOB, BOUND = WORLD.referenced, WORLD.referrer_in, WORLD.referrer_out, WORLD.bound
SHARED, PEER_GROUP = "sg-bp1sha00000000000008", "sg-bp1for00000000000009"
MANAGED, PROTECTED = "sg-bp1ack00000000000006", "sg-bp1lck00000000000007"
RPC = ENV | {"SGGUARD_ALIBABA_SIGNATURE": "rpc"}
INTRANET = (("NicType", "intranet"),)

OF_WEB = (
    Reference(
        APP,
        "app",
        rule=Rule(
            "sgr-bp1app1", Direction.INGRESS, "tcp", "8080", WEB, priority=1, native=INTRANET
        ),
        tags=(),
    ),
    Reference(
        JOB,
        "jobs",
        rule=Rule(
            *("sgr-bp1job1", Direction.EGRESS, "tcp", "443", WEB),
            action="drop",
            priority=7,
            native=INTRANET,
        ),
        tags=(),
    ),
)


@pytest.fixture
def scenario():
    return WORLD.scenario_copy()


@pytest.fixture
def emulator(scenario):
    return Emulator.load(scenario)


@pytest.fixture(params=[ENV, RPC], ids=["acs3", "rpc"])
def env(request):
    return request.param


@pytest.mark.parametrize(
    ("shape", "answer_format"),
    [("real", "json"), ("real", "xml"), ("documented", "json"), ("hybrid", "json")],
)
@pytest.mark.sampled(4)
def test_references_are_the_same_in_every_shape_format_and_signature(
    emulator, env, shape, answer_format
):
    quirks(emulator, references_shape=shape, format=answer_format)
    seen = WORLD.connect(emulator, env=env).list_references([WEB, WORLD.free])
    assert seen.value == {WEB: OF_WEB, WORLD.free: ()}
    assert seen.unseen == ()


@pytest.mark.parametrize("answer_format", ["json", "xml"])
def test_everything_else_reads_the_same_in_both_formats(emulator, env, answer_format):
    provider = WORLD.connect(quirks(emulator, format=answer_format), env=env)
    group = provider.read_groups([WEB]).value[WEB]
    assert group is not None
    assert (group.name, group.network, group.kind) == ("web", "vpc-bp1main", "basic")
    assert group.tags == (("team", "shop"),)
    assert [(r.ports, r.peer) for r in provider.list_rules(WEB).value] == [
        ("443", "0.0.0.0/0"),
        ("8000-8010", "10.0.0.0/8"),
    ]
    instance = provider.read_instance(WORLD.other_server).value
    assert instance is not None
    assert instance.interfaces == (
        Interface("eni-bp1primary00000002", (APP,), is_primary=True),
        Interface("eni-bp1second000000002", (BOUND,)),
    )
    assert provider.count_instances([BOUND]).value == {BOUND: 2}


def test_the_kind_and_the_owner_of_a_group_are_told(emulator):
    provider = WORLD.connect(emulator)
    groups = provider.read_groups([WORLD.free, ADVANCED, MANAGED]).value
    assert groups[WORLD.free].kind == "basic"
    assert groups[ADVANCED].kind == "advanced"
    assert groups[ADVANCED].managed_by == ""
    assert groups[MANAGED].managed_by == "service 1503405350102016"


def test_primary_interfaces_are_found_as_instances_and_secondary_ones_by_themselves(emulator):
    """DescribeNetworkInterfaces by group knows secondary interfaces only."""
    bound = WORLD.connect(emulator).list_bindings([BOUND]).value[BOUND]
    assert bound == (
        Binding(
            "instance",
            WORLD.server,
            name="shop-1",
            instance_id=WORLD.server,
            other_group_ids=(APP,),
        ),
        Binding(
            "interface",
            "eni-bp1second000000002",
            name="backup",
            instance_id=WORLD.other_server,
            other_group_ids=(),
        ),
    )


def test_an_interface_that_a_cloud_product_owns_names_its_owner(emulator):
    bound = WORLD.connect(emulator).list_bindings([APP]).value[APP]
    managed = next(one for one in bound if one.holder_id == "eni-bp1managed00000009")
    assert managed.owner == "service 1503405350102016"
    assert managed.instance_id == ""


def test_what_only_a_cloud_product_carries_counts_no_instance(emulator):
    assert WORLD.connect(emulator).count_instances([APP]).value == {APP: 2}


def test_a_group_of_another_account_is_a_reference_without_its_rule(emulator):
    seen = WORLD.connect(emulator).list_references([SHARED])
    assert seen.value == {SHARED: (Reference(PEER_GROUP, account=PEER_UID),)}
    assert seen.unseen == ()


@pytest.mark.parametrize("account", ["", "production", OWN_UID])
def test_a_foreign_group_is_not_asked_for_once_our_own_number_is_known(emulator, account):
    provider = WORLD.connect(emulator)
    provider = type(provider)(provider.ecs, account)
    seen = provider.list_references([SHARED])
    assert seen.value == {SHARED: (Reference(PEER_GROUP, account=PEER_UID),)}
    asked = "DescribeSecurityGroupAttribute" in actions(emulator)
    assert asked == (account != OWN_UID)


def test_references_cost_one_call_and_a_second_wave_only_when_there_are_some(emulator):
    WORLD.connect(emulator).list_references([WORLD.free, BOUND])
    assert actions(emulator) == ["DescribeSecurityGroupReferences"]
    emulator.requests.clear()
    WORLD.connect(emulator).list_references([WEB])
    assert actions(emulator) == [
        "DescribeSecurityGroupAttribute",
        "DescribeSecurityGroupAttribute",
        "DescribeSecurityGroupReferences",
        "DescribeSecurityGroups",
    ]


def test_more_than_ten_groups_are_asked_for_in_tens(emulator, scenario):
    ids = [group["id"] for group in scenario["clouds"][0]["groups"]][:8]
    add_referrers(emulator, "sg-nobody", 15)
    ids += [group.id for group in emulator.state.clouds[0].groups[-15:]]
    seen = WORLD.connect(emulator).list_references(ids)
    assert set(seen.value) == set(ids)
    assert actions(emulator).count("DescribeSecurityGroupReferences") == 3


def test_a_missing_group_does_not_hide_the_references_of_the_others(emulator):
    seen = WORLD.connect(emulator).list_references([WORLD.missing, WEB])
    assert seen.value == {WEB: OF_WEB}
    assert [(u.code, u.group_id) for u in seen.unseen] == [("not-told", WORLD.missing)]


def test_a_forbidden_call_is_unseen_for_every_group_asked_about(emulator):
    emulator.state.clouds[0].accounts[0].denied = ["DescribeSecurityGroupReferences"]
    seen = WORLD.connect(emulator).list_references([WEB, WORLD.free])
    assert seen.value == {}
    assert {(u.code, u.group_id) for u in seen.unseen} == {
        ("no-permission", WEB),
        ("no-permission", WORLD.free),
    }


def test_a_reference_stays_one_when_its_rules_may_not_be_read(emulator):
    emulator.state.clouds[0].accounts[0].denied = ["DescribeSecurityGroupAttribute"]
    seen = WORLD.connect(emulator).list_references([WEB])
    assert seen.value[WEB] == (
        Reference(APP, "app", tags=()),
        Reference(JOB, "jobs", tags=()),
    )
    assert {u.code for u in seen.unseen} == {"no-permission"}


@pytest.mark.parametrize("denied", ["DescribeInstances", "DescribeNetworkInterfaces"])
def test_half_of_the_bindings_is_not_a_count(emulator, denied):
    emulator.state.clouds[0].accounts[0].denied = [denied]
    provider = WORLD.connect(emulator)
    assert provider.list_bindings([BOUND]).unseen[0].group_id == BOUND
    counted = provider.count_instances([BOUND])
    assert counted.value == {}
    assert [u.code for u in counted.unseen] == ["no-permission"]


def test_small_pages_change_nothing(emulator):
    whole = WORLD.connect(emulator).list_bindings([BOUND, APP])
    rules = WORLD.connect(emulator).list_rules(WEB)
    quirks(emulator, page_max=1)
    assert WORLD.connect(emulator).list_bindings([BOUND, APP]) == whole
    assert WORLD.connect(emulator).list_rules(WEB) == rules


def test_a_list_that_never_ends_is_refused(emulator):
    quirks(emulator, endless_pages=True)
    with pytest.raises(UnknownShapeError):
        WORLD.connect(emulator).list_rules(WEB)
    seen = WORLD.connect(emulator).list_bindings([BOUND])
    assert {u.code for u in seen.unseen} == {"unknown-shape"}


def test_a_total_that_never_comes_out_is_noticed(emulator):
    body = '{"TotalCount": 11, "Instances": {"Instance": []}}'
    emulator.faults.append(Fault("garbage", action="DescribeInstances", body=body, count=9))
    seen = WORLD.connect(emulator).list_bindings([BOUND])
    assert [u.code for u in seen.unseen] == ["unknown-shape"]


@pytest.mark.parametrize(
    ("state", "is_bindable"),
    [("Running", True), ("Stopped", True), ("Starting", False), ("Stopping", False)],
)
def test_an_instance_can_be_bound_while_running_or_stopped(emulator, state, is_bindable):
    emulator.state.clouds[0].instance(WORLD.server).state = state
    instance = WORLD.connect(emulator).read_instance(WORLD.server).value
    assert instance.state == state
    assert (instance.binding_refusal == "") == is_bindable


@pytest.mark.parametrize("group_id", [WEB, BOUND])
@pytest.mark.sampled(3)
def test_a_group_in_use_is_not_deleted(emulator, env, group_id):
    with pytest.raises(InUseError) as caught:
        WORLD.connect(emulator, env=env).delete_group(group_id)
    assert caught.value.code == "DependencyViolation"
    assert emulator.state.clouds[0].group(group_id)


@pytest.mark.parametrize("group_id", [MANAGED, PROTECTED])
def test_a_group_of_a_cloud_product_is_not_deleted(emulator, group_id):
    with pytest.raises(InUseError):
        WORLD.connect(emulator).delete_group(group_id)


def test_a_free_group_is_deleted_once(emulator, env):
    WORLD.connect(emulator, env=env).delete_group(WORLD.free)
    with pytest.raises(NotFoundError):
        WORLD.connect(emulator, env=env).delete_group(WORLD.free)


def test_a_forced_delete_is_refused_before_anything_is_sent(emulator):
    with pytest.raises(SettingsError):
        WORLD.connect(emulator).delete_group(BOUND, is_forced=True)
    assert not emulator.requests


def test_a_throttled_delete_is_not_sent_again(emulator):
    emulator.faults.append(Fault("throttle"))
    with pytest.raises(Exception, match="Throttling"):
        WORLD.connect(emulator).delete_group(WORLD.free)
    assert len(emulator.requests) == 1


def test_the_older_signature_keeps_key_and_token_out_of_the_url(emulator):
    WORLD.connect(emulator, env=RPC).read_groups([WEB])
    (request,) = emulator.requests
    assert "Action=DescribeSecurityGroups" in request.query
    assert not any(text in request.query for text in ("LTAI", "CAIS", "Signature"))


def test_an_unknown_signature_setting_is_refused():
    with pytest.raises(SettingsError, match="expected acs3 or rpc"):
        WORLD.connect(WORLD.emulator(), env=ENV | {"SGGUARD_ALIBABA_SIGNATURE": "v4"})


@pytest.mark.parametrize("missing", [name for name in ENV if "TOKEN" not in name])
def test_a_missing_half_of_the_key_is_named(missing):
    env = {name: value for name, value in ENV.items() if name != missing}
    with pytest.raises(CredentialsError, match=missing):
        WORLD.connect(WORLD.emulator(), env=env)


@pytest.mark.parametrize("token", ["", "CAIS/of-someone-else"])
def test_a_wrong_session_token_is_refused(emulator, env, token):
    provider = WORLD.connect(emulator, env=env | {"ALIBABA_CLOUD_SECURITY_TOKEN": token})
    with pytest.raises(UnauthenticatedError):
        provider.read_groups([WEB])


def test_an_unknown_region_is_not_a_region_without_groups(emulator):
    with pytest.raises(InvalidRequestError) as caught:
        WORLD.connect(emulator, region="cn-nowhere").read_groups([WEB])
    assert caught.value.code == "InvalidRegionId.NotFound"


def test_an_endpoint_replaces_the_regions_own(emulator):
    own = WORLD.connect(emulator)
    other = WORLD.connect(emulator, env=ENV | {"SGGUARD_ENDPOINT_ALIBABA": "http://127.0.0.1:9/"})
    assert own.ecs.url == "https://ecs.cn-hangzhou.aliyuncs.com"
    assert other.ecs.url == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("text", "is_id"),
    [
        ("sg-bp67acfmxazb4p2jfvo1", True),
        ("sg-1133aa", True),
        ("sg-", False),
        ("sg-bp1 2", False),
        ("sg-bp1\n", False),
        ("i-bp67acfmxazb4p2jfvo1", False),
        ('sg-1"]', False),
        ("", False),
    ],
)
def test_group_ids_are_told_from_other_text(emulator, text, is_id):
    assert WORLD.connect(emulator).is_group_id(text) is is_id


def test_the_groups_of_an_instance_are_those_of_its_primary_interface(emulator):
    """JoinSecurityGroup binds to the primary interface; the others have a limit of their own."""
    provider = WORLD.connect(emulator)
    instance = provider.read_instance(WORLD.other_server).value
    assert provider.capabilities.group_limit_per == "instance"
    assert instance.group_ids == (APP,)
    limits = {limit.name: limit.ceiling for limit in provider.read_limits().value}
    assert limits["groups-per-instance"] == limits["groups-per-interface"] == 5


def test_a_limit_says_which_kind_of_group_it_is_for(emulator):
    limits = {
        (one.name, one.applies_to): one.ceiling
        for one in WORLD.connect(emulator).read_limits().value
        if one.applies_to
    }
    assert limits == {
        ("instances-per-group", "basic"): 2000,
        ("instances-per-group", "advanced"): 65536,
        ("references-per-group", "basic"): 20,
        ("references-per-group", "advanced"): 0,
    }


def test_every_limit_names_its_page(emulator):
    limits = WORLD.connect(emulator).read_limits().value
    assert [one.name for one in limits if not one.note] == []
    assert {one.source for one in limits} == {"documented"}


def test_what_no_call_tells_is_said(emulator):
    capabilities = WORLD.connect(emulator).capabilities
    for word in ("Deletion protection", "Launch templates", "RDS"):
        assert [one for one in capabilities.blind_spots if word in whole(one)], word


def test_every_action_has_a_rate(emulator):
    provider = WORLD.connect(emulator)
    provider.read_groups([WEB])
    server = Holder("instance", WORLD.server, WORLD.server)
    provider.set_groups(server, (BOUND, APP), (BOUND, APP, WORLD.free), token="")
    for action in actions(emulator):
        assert next(rate for pattern, rate in RATES.items() if fnmatchcase(action, pattern)) > 0
