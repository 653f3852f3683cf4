"""What is particular to Tencent's API 2.0: imprecise documents, odd responses, numeric codes."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.errors import (
    ApiAbsentError,
    CloudError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    SettingsError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
    UnknownShapeError,
)
from sgguard.model.resource import Binding, Direction
from sgguard.render.language.sentence import in_english
from tests.worlds.tencent_dfw import WORLD

ASSOCIATES = "DescribeAssociateSecurityGroups"


def loaded(**changes):
    """An emulator of the world with top-level changes of its cloud."""
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0].update(changes)
    return Emulator.load(scenario)


def connected(emulator=None, **options):
    return WORLD.connect(emulator or WORLD.emulator(), **options)


def answering(action, answer):
    """A provider whose cloud answers one action with this JSON, or this text."""
    emulator = WORLD.emulator()
    body = answer if isinstance(answer, str) else json.dumps(answer)
    emulator.faults.append(
        Fault("garbage", action=action, count=99, body=body, content_type="application/json")
    )
    return connected(emulator, attempts=1)


def good(**body):
    return {"code": 0, "message": "", **body}


# -- references ----------------------------------------------------------------------------------


def test_a_reference_shows_the_referring_group_and_its_rule():
    references = connected().list_references([WORLD.referenced]).value[WORLD.referenced]
    shown = [
        (r.group_id, r.group_name, r.rule.rule_id, r.rule.ports, r.rule.description)
        for r in references
        if r.rule
    ]
    assert shown == [
        ("sg-exnsygsn", "web", "ingress[1]", "3306", "replication"),
        ("sg-outgoing", "jobs", "egress[0]", "any", "batch"),
    ]


@pytest.mark.parametrize("empty", ["list", "omit", "php"])
def test_an_empty_answer_about_one_group_says_that_it_is_not_referenced(empty):
    seen = connected(loaded(quirks={"references_empty": empty})).list_references([WORLD.free])
    assert (seen.value, seen.unseen) == ({WORLD.free: ()}, ())


def test_a_group_left_out_of_an_answer_about_several_is_asked_about_alone():
    emulator = loaded(quirks={"references_empty": "omit"})
    seen = connected(emulator).list_references([WORLD.free, WORLD.referenced])
    assert seen.value[WORLD.free] == ()
    assert len(seen.value[WORLD.referenced]) == 2
    asked = [parse_qs(r.body) for r in emulator.requests if r.action == ASSOCIATES]
    assert [[q[k] for k in q if k.startswith("sgIds")] for q in asked] == [
        [[WORLD.free], [WORLD.referenced]],
        [[WORLD.free]],
    ]


def test_one_referrer_as_a_text_is_understood_as_the_english_page_types_it():
    provider = answering(ASSOCIATES, good(data={"sg-5ua9adfv": "sg-exnsygsn"}))
    references = provider.list_references(["sg-5ua9adfv"]).value["sg-5ua9adfv"]
    assert [r.group_id for r in references] == ["sg-exnsygsn"]


def test_a_group_listed_among_its_own_referrers_is_dropped():
    provider = answering(ASSOCIATES, good(data={WORLD.free: [WORLD.free]}))
    seen = provider.list_references([WORLD.free])
    assert (seen.value, seen.unseen) == ({WORLD.free: ()}, ())


UNKNOWN = {
    "no data": good(),
    "null": good(data=None),
    "text": good(data="sg-exnsygsn"),
    "list with something": good(data=["sg-exnsygsn"]),
    "null value": good(data={"sg-5ua9adfv": None}),
    "empty text": good(data={"sg-5ua9adfv": ""}),
    "joined text": good(data={"sg-5ua9adfv": "sg-exnsygsn,sg-outgoing"}),
    "object value": good(data={"sg-5ua9adfv": {"0": "sg-exnsygsn"}}),
    "number in the list": good(data={"sg-5ua9adfv": [7]}),
    "another group": good(data={"sg-another0": ["sg-exnsygsn"]}),
    "no code": {"message": "", "data": {}},
    "code true": {"code": True, "data": {}},
    "single quotes": '{"code": 0, "message": "", "data": {\'sg-5ua9adfv\': []}}',
    "html": "<html></html>",
}


@pytest.mark.parametrize("answer", UNKNOWN.values(), ids=list(UNKNOWN))
def test_references_of_another_shape_are_refused_as_unknown(answer):
    seen = answering(ASSOCIATES, answer).list_references(["sg-5ua9adfv"])
    assert seen.value == {}
    assert [gap.code for gap in seen.unseen] == ["unknown-shape"]


def test_an_answer_printed_like_the_documents_sample_is_refused_not_read_as_empty():
    emulator = loaded(quirks={"references_shape": "single-quoted"})
    for group_id in (WORLD.referenced, WORLD.free):
        seen = connected(emulator).list_references([group_id])
        assert seen.value == {}
        assert [gap.code for gap in seen.unseen] == ["unknown-shape"]


def test_a_referring_group_whose_rules_may_not_be_read_is_kept_and_the_gap_is_named():
    emulator = WORLD.emulator()
    emulator.state.clouds[0].accounts[0].denied = ["DescribeSecurityGroupPolicy"]
    seen = connected(emulator).list_references([WORLD.referenced])
    assert [r.rule for r in seen.value[WORLD.referenced]] == [None, None]
    assert {gap.code for gap in seen.unseen} == {"no-permission"}


# -- bindings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("quirks", [{}, {"interfaces_beside": True}], ids=["in data", "beside"])
def test_instances_and_interfaces_are_bindings(quirks):
    seen = connected(loaded(quirks=quirks)).list_bindings([WORLD.bound])
    assert seen.value[WORLD.bound] == (
        Binding(
            "instance",
            "ins-915zrb0p",
            instance_id="ins-915zrb0p",
            other_group_ids=("sg-deflt000",),
        ),
        Binding(
            "instance",
            "ins-2zvpghhc",
            instance_id="ins-2zvpghhc",
            other_group_ids=("sg-deflt000",),
        ),
        Binding("interface", "eni-3056glfn"),
    )


def test_a_count_of_zero_beside_listed_instances_is_not_believed():
    # The sample on the action's own page counts 0 beside one instance.
    provider = connected(loaded(quirks={"total_zero": True}))
    assert len(provider.list_bindings([WORLD.bound]).value[WORLD.bound]) == 3
    assert provider.count_instances([WORLD.bound]).value == {WORLD.bound: 3}


def test_full_pages_are_followed_even_when_the_count_says_zero():
    instances = [{"id": f"ins-{number:08d}", "groups": [WORLD.free]} for number in range(250)]
    emulator = loaded(instances=instances, interfaces=[], quirks={"total_zero": True})
    provider = connected(emulator)
    assert provider.count_instances([WORLD.free]).value == {WORLD.free: 250}
    asked = [parse_qs(r.body) for r in emulator.requests]
    offsets = [sent["offset"] for sent in asked if "offset" in sent]
    assert offsets == [["0"], ["100"], ["200"], ["250"]]


def test_interfaces_that_are_counted_but_not_listed_remain_as_a_counted_binding():
    body = {"totalCount": 4, "networkInterfaceSet": [{"networkInterfaceId": "eni-3056glfn"}]}
    provider = answering("DescribeNetworkInterfacesOfSecurityGroup", good(data=body))
    bindings = provider.list_bindings([WORLD.free]).value[WORLD.free]
    assert bindings == (Binding("interface", "eni-3056glfn"), Binding("interface", count=3))


def test_instances_that_are_counted_but_not_listed_are_an_unknown_shape():
    provider = answering("DescribeInstancesOfSecurityGroup", good(totalCount=3, data=[]))
    seen = provider.list_bindings([WORLD.free])
    assert seen.value == {}
    assert [gap.code for gap in seen.unseen] == ["unknown-shape"]
    counted = provider.count_instances([WORLD.free])
    assert (counted.value, [gap.code for gap in counted.unseen]) == ({}, ["unknown-shape"])


def test_further_interfaces_count_towards_the_limit_as_instances_do():
    # CvmsVifsPerSecGroupLimitExceeded: machines and virtual interfaces are counted together.
    assert connected().count_instances([WORLD.bound]).value == {WORLD.bound: 3}


def test_a_group_that_does_not_exist_is_not_read_as_unbound():
    seen = connected().list_bindings([WORLD.missing])
    assert seen.value == {}
    assert {(gap.code, gap.group_id) for gap in seen.unseen} == {("not-told", WORLD.missing)}
    assert connected().count_instances([WORLD.missing]).value == {}


# -- groups, rules, instances, limits ------------------------------------------------------------


def test_a_group_is_read_from_a_bare_list_as_well():
    row = {"sgId": WORLD.free, "sgName": "x", "projectId": "7", "isDefault": True}
    group = answering("DescribeSecurityGroups", good(data=[row])).read_groups([WORLD.free])
    found = group.value[WORLD.free]
    assert found is not None
    assert (found.project, found.is_default, found.name) == ("7", True, "x")


def test_without_a_default_flag_the_group_named_default_is_the_default_one():
    provider = connected(loaded(quirks={"default_untold": True}))
    groups = provider.read_groups([WORLD.default, WORLD.free]).value
    assert groups[WORLD.default] is not None
    assert groups[WORLD.default].is_default
    assert not groups[WORLD.free].is_default


def test_another_group_than_asked_for_is_an_unknown_shape():
    row = {"sgId": WORLD.default, "sgName": "default"}
    provider = answering("DescribeSecurityGroups", good(data={"detail": [row]}))
    seen = provider.read_groups([WORLD.free])
    assert seen.value == {}
    assert [gap.code for gap in seen.unseen] == ["unknown-shape"]


def test_rules_as_in_the_documents_sample_are_understood():
    sample = {
        "ingress": [
            {"index": 0, "action": "ACCEPT", "serviceModule": "ppm-1", "addressModule": "ipmg-1"},
            {
                "index": 1,
                "action": "ACCEPT",
                "portRange": "22",
                "sgId": "sg-ghm9l8ve",
                "ipProtocol": "tcp",
            },
            {"index": 2, "action": "drop", "cidrIp": "10.1.1.10", "ipProtocol": "tcp"},
        ]
    }
    answer = good(codeDesc="Success", data=sample)
    rules = answering("DescribeSecurityGroupPolicy", answer).list_rules(WORLD.free).value
    assert {rule.direction for rule in rules} == {Direction.INGRESS}
    assert [(r.protocol, r.ports, r.peer_group, r.peer, r.action) for r in rules] == [
        ("service-template", "ppm-1", "", "ipmg-1", "accept"),
        ("tcp", "22", "sg-ghm9l8ve", "", "accept"),
        ("tcp", "any", "", "10.1.1.10", "drop"),
    ]


def test_rules_without_an_index_are_numbered_by_position():
    rows = [{"action": "ACCEPT"}, {"action": "DROP"}]
    answer = good(data={"ingress": [], "egress": rows})
    rules = answering("DescribeSecurityGroupPolicy", answer).list_rules(WORLD.free).value
    assert [rule.rule_id for rule in rules] == ["egress[0]", "egress[1]"]


@pytest.mark.parametrize(
    "data", [None, {}, {"ingress": None}, {"ingress": [{}]}, {"ingress": {"0": {}}}], ids=str
)
def test_rules_of_another_shape_are_refused_as_unknown(data):
    with pytest.raises(UnknownShapeError):
        answering("DescribeSecurityGroupPolicy", good(data=data)).list_rules(WORLD.free)


def test_the_groups_of_an_instance_are_told_and_its_state_is_not():
    seen = connected().read_instance(WORLD.server)
    assert seen.value is not None
    assert seen.value.group_ids == ("sg-carried0", "sg-deflt000")
    assert seen.unseen == ()
    assert [in_english(gap.what) for gap in seen.value.unseen_to_bind] == ["state of the instance"]


def test_limits_are_the_documented_ones_and_say_so():
    limits = {limit.name: limit for limit in connected().read_limits().value}
    assert limits["groups-per-instance"].ceiling == 5
    assert {limit.source for limit in limits.values()} == {"documented"}


# -- errors --------------------------------------------------------------------------------------

ERRORS = {
    4000: InvalidRequestError,
    4100: UnauthenticatedError,
    4101: ForbiddenError,
    4102: ForbiddenError,
    4103: ForbiddenError,
    4104: UnauthenticatedError,
    4105: UnauthenticatedError,
    4106: UnauthenticatedError,
    4110: ForbiddenError,
    4200: UnauthenticatedError,
    4300: ForbiddenError,
    4400: ThrottledError,
    4500: UnauthenticatedError,
    4600: InvalidRequestError,
    5000: NotFoundError,
    5100: CloudError,
    5200: CloudError,
    5300: CloudError,
    5400: UnavailableError,
    5500: ForbiddenError,
    6000: UnavailableError,
    6100: ApiAbsentError,
    6200: UnavailableError,
    7000: UnavailableError,
    7001: NotFoundError,
    7006: CloudError,
    9003: InvalidRequestError,
}


@pytest.mark.parametrize("spelling", [int, str])
@pytest.mark.parametrize(("code", "kind"), ERRORS.items(), ids=[str(code) for code in ERRORS])
def test_every_code_has_its_place_in_the_tree_as_number_and_as_text(code, kind, spelling):
    answer = {"code": spelling(code), "message": "(100004)no"}
    with pytest.raises(CloudError) as caught:
        answering("DescribeSecurityGroupPolicy", answer).list_rules(WORLD.free)
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.status) == (str(code), 200)


def test_a_good_code_as_text_is_good():
    quirks = {"code_as_string": True, "code_desc": True}
    assert connected(loaded(quirks=quirks)).read_groups([WORLD.free]).value[WORLD.free]


@pytest.mark.parametrize(("status", "kind"), [(200, UnknownShapeError), (502, UnavailableError)])
def test_what_a_proxy_says_in_the_clouds_place_is_told_by_its_status(status, kind):
    emulator = WORLD.emulator()
    emulator.faults.append(Fault("garbage", status=status, count=99))
    with pytest.raises(kind):
        connected(emulator, attempts=1).list_rules(WORLD.free)


def test_a_retried_read_is_signed_anew_and_not_taken_for_a_replay():
    emulator = WORLD.emulator()
    emulator.faults.append(Fault("drop", is_after=True))
    assert connected(emulator).read_groups([WORLD.free]).value[WORLD.free] is not None
    assert [r.status for r in emulator.requests] == [0, 200]


# -- changes -------------------------------------------------------------------------------------


def test_a_held_group_is_refused_and_forcing_unbinds_its_instances():
    emulator = WORLD.emulator()
    provider = connected(emulator)
    with pytest.raises(CloudError, match="5100"):
        provider.delete_group(WORLD.bound)
    provider.delete_group(WORLD.bound, is_forced=True)
    assert provider.read_groups([WORLD.bound]).value[WORLD.bound] is None
    found = provider.read_instance(WORLD.server).value
    assert found is not None
    assert found.group_ids == ("sg-deflt000",)


def test_forcing_does_not_delete_a_referenced_group():
    with pytest.raises(CloudError, match="5100"):
        connected().delete_group(WORLD.referenced, is_forced=True)


def test_the_default_group_and_a_missing_one_are_refused_with_their_codes():
    emulator = WORLD.emulator()
    emulator.state.clouds[0].interfaces.clear()
    with pytest.raises(CloudError, match="7006"):
        connected(emulator).delete_group(WORLD.default)
    with pytest.raises(NotFoundError):
        connected(emulator).delete_group(WORLD.missing)


# -- signature -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["HmacSHA1", "HmacSHA256"])
def test_both_signature_methods_can_be_chosen(method):
    emulator = WORLD.emulator()
    env = {**WORLD.env, "SGGUARD_TENCENT_DFW_SIGNATURE": method}
    assert connected(emulator, env=env).read_groups([WORLD.free]).value[WORLD.free] is not None
    assert parse_qs(emulator.requests[0].body)["SignatureMethod"] == [method]


def test_another_signature_method_is_refused_by_name():
    with pytest.raises(SettingsError, match="HmacMD5"):
        connected(env={**WORLD.env, "SGGUARD_TENCENT_DFW_SIGNATURE": "HmacMD5"})


def test_nothing_of_a_credential_is_in_an_address():
    emulator = WORLD.emulator()
    connected(emulator).read_groups([WORLD.free])
    assert {(r.method, r.path, r.query) for r in emulator.requests} == {
        ("POST", "/v2/index.php", "")
    }


def test_a_further_group_that_may_be_on_another_interface_is_not_told_of_the_instance():
    emulator = WORLD.emulator()
    (cloud,) = emulator.state.clouds
    (side, *_) = [one for one in cloud.interfaces if one.kind == "secondary"]
    side.groups.append("sg-deflt000")
    seen = WORLD.connect(emulator).list_bindings([WORLD.bound]).value[WORLD.bound]
    (found,) = [one for one in seen if one.holder_id == WORLD.server]
    assert found.other_group_ids == ()


def test_the_other_groups_of_very_many_instances_are_not_read():
    emulator = WORLD.emulator()
    (cloud,) = emulator.state.clouds
    for number in range(60):
        name = f"ins-{number:08}"
        cloud.instances.append(replace(cloud.instances[0], id=name))
        primary = replace(
            cloud.interfaces[0], id=f"eni-{number}", groups=[WORLD.bound], instance=name
        )
        cloud.interfaces.append(primary)
    seen = WORLD.connect(emulator).list_bindings([WORLD.bound]).value[WORLD.bound]
    assert {one.other_group_ids for one in seen} == {None}
    assert len(emulator.requests) < 10
