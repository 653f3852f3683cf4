"""What is particular to Tencent's API 3.0: contradictions, spellings, pages, errors."""

from __future__ import annotations

import json
import threading

import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.errors import (
    ApiAbsentError,
    CloudError,
    CredentialsError,
    ForbiddenError,
    GarbledError,
    InputError,
    InUseError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    SettingsError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
    UnknownShapeError,
)
from sgguard.facts.gather import gather_delete
from sgguard.model.address import Address, Scope
from sgguard.model.change import Holder
from sgguard.model.request import DeleteRequest
from sgguard.model.resource import Binding, Direction, Reference, Rule
from sgguard.render.language.sentence import whole_english
from tests.worlds.tencent import ENV, WORLD

OTHER_SERVER = Holder("instance", WORLD.other_server, WORLD.other_server)


def loaded(**changes):
    """An emulator of the world with top-level changes of its cloud."""
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0].update(changes)
    return Emulator.load(scenario)


def connected(emulator=None, **options):
    return WORLD.connect(emulator or WORLD.emulator(), **options)


def answering(action, response, **options):
    """A provider whose cloud answers one action with this inner Response."""
    emulator = WORLD.emulator()
    body = json.dumps({"Response": {"RequestId": "r-1", **response}})
    emulator.faults.append(
        Fault("garbage", action=action, count=99, body=body, content_type="application/json")
    )
    return connected(emulator, attempts=1, **options)


def failing(action, code):
    emulator = WORLD.emulator()
    emulator.faults.append(Fault("error", action=action, count=99, code=code))
    return connected(emulator, attempts=1)


# -- references ----------------------------------------------------------------------------------


def test_a_reference_shows_the_referring_group_and_its_rule():
    references = connected().list_references([WORLD.referenced]).value[WORLD.referenced]
    assert references == (
        Reference(
            "sg-exnsygsn",
            group_name="web",
            project="0",
            rule=Rule(
                "ingress[1]",
                Direction.INGRESS,
                "tcp",
                "3306",
                peer_group=WORLD.referenced,
                description="replication",
            ),
            tags=(),
        ),
        Reference(
            "sg-outgoing",
            group_name="jobs",
            project="0",
            rule=Rule(
                "egress[0]",
                Direction.EGRESS,
                peer_group=WORLD.referenced,
                description="batch",
            ),
            tags=(),
        ),
    )


def test_a_group_listed_among_its_own_referrers_is_dropped():
    seen = connected(loaded(quirks={"references_include_self": True})).list_references(
        [WORLD.self_referencing]
    )
    assert (seen.value, seen.unseen) == ({WORLD.self_referencing: ()}, ())


def test_a_referring_group_whose_rules_do_not_name_the_group_is_kept_without_a_rule():
    emptied = {"SecurityGroupPolicySet": {"Version": "1", "Ingress": [], "Egress": []}}
    seen = answering("DescribeSecurityGroupPolicies", emptied).list_references([WORLD.referenced])
    assert [(r.group_id, r.rule) for r in seen.value[WORLD.referenced]] == [
        ("sg-exnsygsn", None),
        ("sg-outgoing", None),
    ]


def test_a_referring_group_whose_rules_may_not_be_read_is_kept_and_the_gap_is_named():
    seen = failing("DescribeSecurityGroupPolicies", "UnauthorizedOperation").list_references(
        [WORLD.referenced]
    )
    assert [r.rule for r in seen.value[WORLD.referenced]] == [None, None]
    assert {gap.code for gap in seen.unseen} == {"no-permission"}


def test_a_referring_group_deleted_meanwhile_is_still_a_reference():
    seen = failing("DescribeSecurityGroupPolicies", "ResourceNotFound").list_references(
        [WORLD.referenced]
    )
    assert [r.group_id for r in seen.value[WORLD.referenced]] == ["sg-exnsygsn", "sg-outgoing"]


def test_names_of_referring_groups_are_comfort_not_evidence():
    seen = failing("DescribeSecurityGroups", "UnauthorizedOperation").list_references(
        [WORLD.referenced]
    )
    assert [(r.group_name, r.rule is not None) for r in seen.value[WORLD.referenced]] == [
        (None, True),
        (None, True),
    ]
    assert seen.unseen == ()


def test_an_id_the_answer_does_not_mention_is_not_read_as_unreferenced():
    emulator = loaded(quirks={"references_omit": [WORLD.referenced]})
    seen = connected(emulator).list_references([WORLD.referenced, WORLD.free])
    assert seen.value == {WORLD.free: ()}
    assert [(gap.code, gap.group_id) for gap in seen.unseen] == [("not-told", WORLD.referenced)]


def test_a_counted_reference_without_a_name_is_not_read_as_unreferenced():
    # If the answer's direction were read backwards, this is how it would show.
    nobody = {
        "ReferredSecurityGroupSet": [
            {"SecurityGroupId": WORLD.referenced, "ReferredSecurityGroupIds": []}
        ]
    }
    seen = answering("DescribeSecurityGroupReferences", nobody).list_references([WORLD.referenced])
    assert seen.value == {}
    assert [(gap.code, gap.group_id) for gap in seen.unseen] == [("not-told", WORLD.referenced)]


def test_a_counted_reference_of_the_group_to_itself_explains_the_count():
    emulator = WORLD.emulator()
    seen = connected(emulator).list_references([WORLD.self_referencing])
    assert (seen.value, seen.unseen) == ({WORLD.self_referencing: ()}, ())
    assert "DescribeSecurityGroupPolicies" in {r.action for r in emulator.requests}


@pytest.mark.parametrize(
    "rows",
    [
        None,
        {},
        [{"SecurityGroupId": "sg-5ua9adfv"}],
        [{"SecurityGroupId": "sg-5ua9adfv", "ReferredSecurityGroupIds": None}],
        [{"SecurityGroupId": "sg-5ua9adfv", "ReferredSecurityGroupIds": "sg-exnsygsn"}],
        [{"ReferredSecurityGroupIds": []}],
        [{"SecurityGroupId": "sg-5ua9adfv", "SecurityReferencingGroups": []}],
    ],
    ids=str,
)
def test_references_of_another_shape_are_refused_as_unknown(rows):
    provider = answering("DescribeSecurityGroupReferences", {"ReferredSecurityGroupSet": rows})
    seen = provider.list_references([WORLD.referenced])
    assert seen.value == {}
    assert [gap.code for gap in seen.unseen] == ["unknown-shape"]


# -- bindings ------------------------------------------------------------------------------------


def test_instances_and_interfaces_are_named_once_each():
    bindings = connected().list_bindings([WORLD.bound]).value[WORLD.bound]
    assert bindings == (
        Binding(
            "instance",
            "ins-915zrb0p",
            "db-1",
            instance_id="ins-915zrb0p",
            project="0",
            other_group_ids=("sg-deflt000",),
        ),
        Binding(
            "interface",
            "eni-3056glfn",
            "side",
            instance_id="ins-2zvpghhc",
            other_group_ids=(),
        ),
    )


def test_products_of_every_type_are_bindings_not_only_the_five_of_old():
    emulator = loaded(
        attachments=[
            {"id": "lb-1", "kind": "load-balancer", "groups": [WORLD.free]},
            {"id": "crs-1", "kind": "redis", "groups": [WORLD.free]},
            {"id": "crs-2", "kind": "redis", "groups": [WORLD.free]},
            {"id": "x-1", "kind": "KONISGRAPH", "groups": [WORLD.free]},
        ]
    )
    bindings = connected(emulator).list_bindings([WORLD.free]).value[WORLD.free]
    assert {(b.kind, b.holder_id, b.count) for b in bindings} == {
        ("load-balancer", "", 1),
        ("redis", "", 2),
        ("konisgraph", "", 1),
    }


def test_a_total_above_the_sum_of_its_products_remains_as_a_binding():
    row = {"SecurityGroupId": WORLD.free, "CVM": 0, "CDB": 0, "ENI": 0, "CLB": 0, "SG": 0}
    provider = answering(
        "DescribeSecurityGroupAssociationStatistics",
        {"SecurityGroupAssociationStatisticsSet": [{**row, "TotalCount": 3}]},
    )
    bindings = provider.list_bindings([WORLD.free]).value[WORLD.free]
    assert bindings == (Binding("other", count=3),)


def test_statistics_that_count_more_than_the_lists_show_remain_as_counted_bindings():
    emulator = loaded(quirks={"lists_hide": ["ins-915zrb0p", "eni-of-ins-915zrb0p"]})
    bindings = connected(emulator).list_bindings([WORLD.bound]).value[WORLD.bound]
    assert {(b.kind, b.holder_id, b.count) for b in bindings} == {
        ("interface", "eni-3056glfn", 1),
        ("instance", "", 1),
    }


def test_lists_that_show_more_than_the_statistics_count_are_believed():
    row = {"SecurityGroupId": WORLD.bound, "CVM": 0, "CDB": 0, "ENI": 0, "CLB": 0, "SG": 0}
    provider = answering(
        "DescribeSecurityGroupAssociationStatistics",
        {"SecurityGroupAssociationStatisticsSet": [{**row, "TotalCount": 0}]},
    )
    assert len(provider.list_bindings([WORLD.bound]).value[WORLD.bound]) == 2


def test_statistics_without_the_list_of_products_are_understood_as_in_the_documents_sample():
    emulator = loaded(quirks={"statistics_brief": True})
    assert len(connected(emulator).list_bindings([WORLD.bound]).value[WORLD.bound]) == 2


def test_a_group_the_statistics_do_not_mention_is_not_free():
    emulator = loaded(quirks={"statistics_omit": [WORLD.free]})
    seen = connected(emulator).list_bindings([WORLD.free, WORLD.bound])
    assert set(seen.value) == {WORLD.bound}
    assert [(gap.code, gap.group_id) for gap in seen.unseen] == [("not-told", WORLD.free)]


@pytest.mark.parametrize(
    "action",
    [
        "DescribeSecurityGroupAssociationStatistics",
        "DescribeInstances",
        "DescribeNetworkInterfaces",
    ],
)
def test_a_part_that_may_not_be_read_is_named_and_the_others_are_kept(action):
    seen = failing(action, "UnauthorizedOperation").list_bindings([WORLD.bound])
    assert len(seen.value[WORLD.bound]) == 2
    assert [gap.code for gap in seen.unseen] == ["no-permission"]


def test_an_instance_that_does_not_say_which_group_let_it_through_counts_for_all_asked():
    instance = {
        "InstanceId": "ins-00000000",
        "InstanceState": "RUNNING",
        "SecurityGroupIds": ["sg-another0"],
    }
    provider = answering("DescribeInstances", {"TotalCount": 1, "InstanceSet": [instance]})
    bindings = provider.list_bindings([WORLD.free, WORLD.default]).value
    assert "ins-00000000" in {b.holder_id for b in bindings[WORLD.free]}
    assert "ins-00000000" in {b.holder_id for b in bindings[WORLD.default]}


def test_a_count_below_zero_is_an_unknown_shape():
    row = {"SecurityGroupId": WORLD.free, "CVM": -1, "CDB": 0, "ENI": 0, "CLB": 0, "SG": 0}
    provider = answering(
        "DescribeSecurityGroupAssociationStatistics",
        {"SecurityGroupAssociationStatisticsSet": [{**row, "TotalCount": 0}]},
    )
    assert [gap.code for gap in provider.list_bindings([WORLD.free]).unseen] == ["unknown-shape"]


# -- groups, rules, instances, limits ------------------------------------------------------------


def test_hundreds_of_groups_are_asked_for_in_chunks_and_all_answered():
    groups = [{"id": f"sg-{number:08d}"} for number in range(230)]
    emulator = loaded(groups=groups, instances=[], interfaces=[])
    ids = [group["id"] for group in groups]
    provider = connected(emulator)
    assert [g for g in provider.read_groups(ids).value.values() if g is None] == []
    asked = [json.loads(r.body) for r in emulator.requests]
    assert sorted(len(body["SecurityGroupIds"]) for body in asked) == [30, 100, 100]
    assert {(body["Offset"], body["Limit"]) for body in asked} == {("0", "100")}

    emulator.requests.clear()
    assert len(provider.list_references(ids).value) == 230
    asked = [json.loads(r.body) for r in emulator.requests]
    assert max(len(body["SecurityGroupIds"]) for body in asked) == 50


@pytest.mark.parametrize("manner", ["not-found", "omitted"])
def test_an_absent_group_is_none_whether_the_call_fails_or_leaves_it_out(manner):
    emulator = loaded(quirks={"missing_group": manner})
    groups = connected(emulator).read_groups([WORLD.missing, WORLD.free]).value
    assert groups[WORLD.missing] is None
    assert groups[WORLD.free] is not None


def test_a_group_of_another_account_does_not_exist_here():
    emulator = WORLD.emulator()
    emulator.state.clouds[0].group(WORLD.free).account = "100000000002"
    assert connected(emulator).read_groups([WORLD.free]).value == {WORLD.free: None}


def test_more_groups_than_asked_for_are_an_unknown_shape():
    row = {"SecurityGroupId": WORLD.default, "IsDefault": False, "ProjectId": "0"}
    provider = answering("DescribeSecurityGroups", {"TotalCount": 1, "SecurityGroupSet": [row]})
    with pytest.raises(UnknownShapeError):
        provider.read_groups([WORLD.free])


def test_a_group_that_does_not_say_whether_it_is_the_default_one_is_an_unknown_shape():
    row = {"SecurityGroupId": WORLD.free, "IsDefault": None, "ProjectId": "0"}
    provider = answering("DescribeSecurityGroups", {"TotalCount": 1, "SecurityGroupSet": [row]})
    with pytest.raises(UnknownShapeError):
        provider.read_groups([WORLD.free])


@pytest.mark.parametrize("unset", ["empty", "null", "absent"])
def test_rules_read_the_same_however_unset_fields_are_sent(unset):
    emulator = loaded(quirks={"unset_fields": unset})
    provider = connected(emulator)
    plain = connected()
    for group_id in (WORLD.referrer_in, WORLD.referrer_out):
        assert provider.list_rules(group_id) == plain.list_rules(group_id)
    assert provider.list_references([WORLD.referenced]) == plain.list_references([WORLD.referenced])


def test_rules_keep_direction_position_action_and_the_other_end():
    rules = connected().list_rules(WORLD.referrer_in).value
    assert [(r.rule_id, r.protocol, r.ports, r.peer or r.peer_group, r.action) for r in rules] == [
        ("ingress[0]", "tcp", "443", "0.0.0.0/0", "accept"),
        ("ingress[1]", "tcp", "3306", "sg-5ua9adfv", "accept"),
        ("egress[0]", "any", "any", "::/0", "accept"),
    ]


def test_templates_are_shown_as_the_other_end_and_as_ports():
    policy = {
        "PolicyIndex": 4,
        "Action": "DROP",
        "ServiceTemplate": {"ServiceId": "", "ServiceGroupId": "ppmg-2klmrefu"},
        "AddressTemplate": {"AddressId": "ipm-2uw6ujo6", "AddressGroupId": ""},
    }
    provider = answering(
        "DescribeSecurityGroupPolicies",
        {"SecurityGroupPolicySet": {"Version": "1", "Ingress": [policy], "Egress": []}},
    )
    (rule,) = provider.list_rules(WORLD.free).value
    assert (rule.rule_id, rule.action) == ("ingress[4]", "drop")
    assert (rule.protocol, rule.ports, rule.peer) == (
        "service-template",
        "ppmg-2klmrefu",
        "ipm-2uw6ujo6",
    )


@pytest.mark.parametrize(
    "policies",
    [{"Ingress": [], "Egress": None}, {"Ingress": []}, {"Ingress": [{"PolicyIndex": 0}]}, None],
    ids=str,
)
def test_rules_of_another_shape_are_refused_as_unknown(policies):
    provider = answering("DescribeSecurityGroupPolicies", {"SecurityGroupPolicySet": policies})
    with pytest.raises(UnknownShapeError):
        provider.list_rules(WORLD.free)


@pytest.mark.parametrize(
    ("instance", "refusal"),
    [
        ({}, ""),
        ({"InstanceState": "STOPPED", "LatestOperationState": None}, ""),
        ({"InstanceState": "PENDING"}, "UnsupportedOperation.InstanceStatePending"),
        ({"InstanceState": "LAUNCH_FAILED"}, "FailedOperation"),
        ({"InstanceState": "SHUTDOWN"}, "UnsupportedOperation.InstanceStateIsolating"),
        ({"InstanceState": "TERMINATING"}, "UnsupportedOperation.InstanceStateIsolating"),
        ({"RestrictState": "EXPIRED"}, "UnsupportedOperation.InstanceStateIsolating"),
        ({"RestrictState": "PROTECTIVELY_ISOLATED"}, "UnsupportedOperation.InstanceStateIsolating"),
        ({"LatestOperationState": "OPERATING"}, "OperationDenied.InstanceOperationInProgress"),
        ({"LatestOperationState": "FAILED"}, ""),
    ],
    ids=str,
)
def test_an_instance_says_why_it_cannot_be_bound_now(instance, refusal):
    row = {
        "InstanceId": WORLD.server,
        "InstanceState": "RUNNING",
        "RestrictState": "NORMAL",
        "LatestOperationState": "SUCCESS",
        "SecurityGroupIds": ["sg-b0000000", "sg-a0000000"],
        **instance,
    }
    provider = answering("DescribeInstances", {"TotalCount": 1, "InstanceSet": [row]})
    found = provider.read_instance(WORLD.server).value
    assert found is not None
    assert found.group_ids == ("sg-b0000000", "sg-a0000000")
    assert whole_english(found.binding_refusal).startswith(refusal)
    assert bool(found.binding_refusal) == bool(refusal)


def test_an_instance_has_its_interfaces_the_primary_one_first():
    found = connected().read_instance(WORLD.other_server).value
    assert found is not None
    assert [(i.is_primary, i.group_ids) for i in found.interfaces] == [
        (True, ("sg-deflt000",)),
        (False, ("sg-carried0",)),
    ]
    assert (found.network, found.project, found.name) == ("vpc-2hxl6jir", "0", "db-2")


def test_a_malformed_instance_id_is_never_sent():
    emulator = WORLD.emulator()
    assert connected(emulator).read_instance("i-1234").value is None
    assert not emulator.requests


def test_limits_are_the_accounts_own():
    emulator = loaded(limits={"instances-per-group": 1500, "groups-per-instance": 3})
    limits = {limit.name: limit for limit in connected(emulator).read_limits().value}
    assert (limits["instances-per-group"].ceiling, limits["groups-per-instance"].ceiling) == (
        1500,
        3,
    )
    assert {limit.source for limit in limits.values()} == {"live"}


def test_the_documents_sample_of_2000_groups_an_instance_is_not_believed():
    limits = connected(loaded(quirks={"limits_sample": True})).read_limits().value
    limit = next(limit for limit in limits if limit.name == "groups-per-instance")
    assert (limit.ceiling, limit.source) == (5, "documented")
    assert "2000" in whole_english(limit.note)


def test_where_the_action_is_not_offered_the_documented_limits_are_given():
    seen = connected(loaded(quirks={"limits_absent": True})).read_limits()
    assert {limit.source for limit in seen.value} == {"documented"}
    assert all("not offered" in whole_english(limit.note) for limit in seen.value)
    assert seen.unseen == ()


def test_limits_that_may_not_be_read_are_a_gap_beside_the_documented_ones():
    seen = failing("DescribeSecurityGroupLimits", "UnauthorizedOperation").read_limits()
    assert {limit.source for limit in seen.value} == {"documented"}
    assert [gap.code for gap in seen.unseen] == ["no-permission"]


# -- errors --------------------------------------------------------------------------------------

ERRORS = {
    "AuthFailure.SecretIdNotFound": UnauthenticatedError,
    "AuthFailure.SignatureExpire": UnauthenticatedError,
    "AuthFailure.TokenFailure": UnauthenticatedError,
    "AuthFailure.UnauthorizedOperation": ForbiddenError,
    "InternalError": UnavailableError,
    "InternalError.ModuleError": UnavailableError,
    "InternalServerError": UnavailableError,
    "InvalidSecurityGroupID.NotFound": NotFoundError,
    "InvalidSecurityGroupId.NotFound": NotFoundError,
    "LimitExceeded.ActionLimited": ThrottledError,
    "LimitExceeded.RateLimitExceeded": ThrottledError,
    "LimitExceeded.SecurityGroupPolicySet": ThrottledError,  # a read exceeds nothing but rates
    "RequestLimitExceeded": ThrottledError,
    "RequestLimitExceeded.GlobalRegionUinLimitExceeded": ThrottledError,
    "RequestLimitExceeded.UinLimitExceeded": ThrottledError,
    "ResourceInUse": InUseError,
    "ResourceNotFound": NotFoundError,
    "UnauthorizedOperation": ForbiddenError,
    "UnauthorizedOperation.InvalidToken": UnauthenticatedError,
    "UnknownParameter.WithGuess": InvalidRequestError,
    "UnsupportedOperation.LockedResources": ApiAbsentError,
}


@pytest.mark.parametrize(("code", "kind"), ERRORS.items(), ids=list(ERRORS))
@pytest.mark.sampled(6)
def test_every_error_code_has_its_place_in_the_tree(code, kind):
    with pytest.raises(CloudError) as caught:
        failing("DescribeSecurityGroupPolicies", code).list_rules(WORLD.free)
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.status) == (code, 200)
    assert caught.value.request_id


def test_a_throttled_call_waits_for_the_next_second():
    with pytest.raises(ThrottledError) as caught:
        failing("DescribeSecurityGroupPolicies", "RequestLimitExceeded").list_rules(WORLD.free)
    assert caught.value.retry_after_s == 1.0


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "text/plain", "text/html", ""]
)
def test_an_error_is_seen_whatever_content_type_it_claims(content_type):
    emulator = WORLD.emulator()
    body = '{"Response":{"Error":{"Code":"ResourceInUse","Message":"m"},"RequestId":"r"}}'
    emulator.faults.append(
        Fault("garbage", action="DeleteSecurityGroup", body=body, content_type=content_type)
    )
    with pytest.raises(InUseError):
        connected(emulator).delete_group(WORLD.free)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, GarbledError),
        (302, UnknownShapeError),
        (403, UnknownShapeError),
        (429, ThrottledError),
        (500, UnavailableError),
        (502, UnavailableError),
    ],
)
def test_what_a_proxy_says_in_the_clouds_place_is_told_by_its_status(status, kind):
    emulator = WORLD.emulator()
    emulator.faults.append(Fault("garbage", status=status, count=99))
    with pytest.raises(kind) as caught:
        connected(emulator, attempts=1).list_rules(WORLD.free)
    assert type(caught.value) is kind
    assert "<html>" not in str(caught.value)


@pytest.mark.parametrize("error", [None, "ResourceInUse", {}, {"Code": []}], ids=str)
def test_an_error_of_another_shape_is_an_unknown_shape(error):
    with pytest.raises(UnknownShapeError):
        answering("DescribeSecurityGroupPolicies", {"Error": error}).list_rules(WORLD.free)


def test_an_unknown_region_is_one_clear_line():
    with pytest.raises(CloudError) as caught:
        connected(region="ap-nowhere").read_groups([WORLD.free])
    assert caught.value.code == "UnsupportedRegion"
    assert "'ap-nowhere'" in str(caught.value)
    assert "\n" not in str(caught.value)


# -- changes -------------------------------------------------------------------------------------

# Every code of the action's document.
BIND_ERRORS = {
    "FailedOperation.SecurityGroupActionFailed": CloudError,
    "InvalidInstanceId.Malformed": InvalidRequestError,
    "InvalidInstanceId.NotFound": NotFoundError,
    "InvalidParameterValue.InstanceIdMalformed": InvalidRequestError,
    "InvalidParameterValue.LimitExceeded": InvalidRequestError,
    "InvalidSecurityGroupId.NotFound": NotFoundError,
    "InvalidSgId.Malformed": InvalidRequestError,
    "LimitExceeded.AssociateUSGLimitExceeded": LimitError,
    "LimitExceeded.CvmsVifsPerSecGroupLimitExceeded": LimitError,
    "LimitExceeded.SingleUSGQuota": LimitError,
    "MutexOperation.TaskRunning": UnavailableError,
    "OperationDenied.InstanceOperationInProgress": UnavailableError,
    "SecGroupActionFailure": UnavailableError,
    "UnsupportedOperation.InstanceStateIsolating": CloudError,
    "UnsupportedOperation.InstanceStatePending": UnavailableError,
}


@pytest.mark.parametrize(("code", "kind"), BIND_ERRORS.items(), ids=list(BIND_ERRORS))
def test_every_documented_error_of_a_binding_has_its_place_in_the_tree(code, kind):
    provider = failing("AssociateSecurityGroups", code)
    before = (WORLD.default,)
    with pytest.raises(CloudError) as caught:
        provider.set_groups(OTHER_SERVER, before, (*before, WORLD.free), token="t")
    assert type(caught.value) is kind


def test_a_change_is_sent_once_even_when_throttled():
    emulator = WORLD.emulator()
    emulator.faults.append(Fault("throttle", count=9))
    with pytest.raises(ThrottledError):
        connected(emulator).delete_group(WORLD.free)
    assert len(emulator.requests) == 1


def test_a_free_group_is_deleted_and_a_held_one_is_not():
    emulator = WORLD.emulator()
    provider = connected(emulator)
    provider.delete_group(WORLD.free)
    assert provider.read_groups([WORLD.free]).value[WORLD.free] is None
    for group_id in (WORLD.referenced, WORLD.bound):
        with pytest.raises(InUseError):
            provider.delete_group(group_id)
    emulator.state.clouds[0].interfaces.clear()
    with pytest.raises(CloudError, match="UnsupportedOperation"):
        provider.delete_group(WORLD.default)
    with pytest.raises(NotFoundError):
        provider.delete_group(WORLD.missing)


def test_a_forced_delete_is_refused_before_anything_is_sent():
    emulator = WORLD.emulator()
    with pytest.raises(InputError, match="no forced delete"):
        connected(emulator).delete_group(WORLD.bound, is_forced=True)
    assert not emulator.requests


# -- credentials and addresses -------------------------------------------------------------------


def test_the_serverless_runtimes_variable_names_work_as_well():
    env = {
        "TENCENTCLOUD_SECRETID": ENV["TENCENTCLOUD_SECRET_ID"],
        "TENCENTCLOUD_SECRETKEY": ENV["TENCENTCLOUD_SECRET_KEY"],
        "TENCENTCLOUD_SESSIONTOKEN": ENV["TENCENTCLOUD_TOKEN"],
    }
    assert connected(env=env).read_groups([WORLD.free]).value[WORLD.free] is not None


@pytest.mark.parametrize("missing", ["TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY"])
def test_missing_credentials_name_the_variable_to_set(missing):
    env = {name: value for name, value in ENV.items() if name != missing}
    with pytest.raises(CredentialsError, match=missing):
        connected(env=env)


@pytest.mark.parametrize(
    ("extra", "hosts"),
    [
        ({}, {"vpc.tencentcloudapi.com", "cvm.tencentcloudapi.com"}),
        (
            {"TENCENTCLOUD_DOMAIN": "intl.tencentcloudapi.com"},
            {"vpc.intl.tencentcloudapi.com", "cvm.intl.tencentcloudapi.com"},
        ),
        ({"SGGUARD_ENDPOINT_TENCENT": "http://127.0.0.1:9/"}, {"127.0.0.1:9"}),
    ],
    ids=["mainland", "international", "override"],
)
def test_requests_go_to_the_host_of_each_service(extra, hosts):
    emulator = WORLD.emulator()
    seen = set()
    handle = emulator.handle

    class Spy:
        def handle(self, request):
            seen.add(request.headers["host"])
            return handle(request)

    connected(Spy(), env={**ENV, **extra}).read_instance(WORLD.server)
    assert seen == hosts


def test_a_domain_that_is_none_is_refused():
    with pytest.raises(SettingsError, match="TENCENTCLOUD_DOMAIN"):
        connected(env={**ENV, "TENCENTCLOUD_DOMAIN": "https://x/"})


class Rendezvous:
    """An emulator that answers no call before all of a wave have arrived."""

    def __init__(self, calls):
        self.emulator = WORLD.emulator()
        self.barrier = threading.Barrier(calls, timeout=60)

    def handle(self, request):
        self.barrier.wait()
        return self.emulator.handle(request)


ADDRESS = Address(Scope("tencent", "", WORLD.region), WORLD.free)
WAVES = {
    "references of a free group": (2, lambda provider: provider.list_references([WORLD.free])),
    "bindings": (3, lambda provider: provider.list_bindings([WORLD.bound])),
    "instance": (2, lambda provider: provider.read_instance(WORLD.server)),
    "whole delete decision": (
        6,
        lambda provider: gather_delete(provider, DeleteRequest((ADDRESS,))),
    ),
}


@pytest.mark.parametrize(("calls", "read"), WAVES.values(), ids=list(WAVES))
def test_all_calls_of_a_question_go_out_side_by_side(calls, read):
    rendezvous = Rendezvous(calls)
    read(connected(rendezvous))
    assert len(rendezvous.emulator.requests) == calls
