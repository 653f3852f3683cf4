"""Every error code that the documents of both Tencent APIs list: one place, and what it means."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sgguard.emulator.faults import Fault
from sgguard.errors import (
    CloudError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from sgguard.facts.gather import gather_delete, gather_launch
from sgguard.model.address import Address, Scope
from sgguard.model.change import Change, Holder
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.providers.tencent import codes
from sgguard.providers.tencent_dfw import codes as dfw_codes
from sgguard.web import problem
from tests.providers.test_tencent_changes import WEB, ConcurrentEdit, port, ruled
from tests.worlds import tencent, tencent_dfw

WORLD = tencent.WORLD
SCOPE = Scope("tencent", "", WORLD.region)

# https://cloud.tencent.com/document/api/213/30435, "common error codes"; the same list stands on
# the error page of every product.
COMMON = [
    "ActionOffline",
    "AuthFailure.InvalidAuthorization",
    "AuthFailure.InvalidSecretId",
    "AuthFailure.MFAFailure",
    "AuthFailure.SecretIdNotFound",
    "AuthFailure.SignatureExpire",
    "AuthFailure.SignatureFailure",
    "AuthFailure.TokenFailure",
    "AuthFailure.UnauthorizedOperation",
    "DryRunOperation",
    "FailedOperation",
    "InternalError",
    "InvalidAction",
    "InvalidParameter",
    "InvalidParameterValue",
    "InvalidRequest",
    "IpInBlacklist",
    "IpNotInWhitelist",
    "LimitExceeded",
    "MissingParameter",
    "NoSuchProduct",
    "NoSuchVersion",
    "RequestLimitExceeded",
    "RequestLimitExceeded.GlobalRegionUinLimitExceeded",
    "RequestLimitExceeded.IPLimitExceeded",
    "RequestLimitExceeded.UinLimitExceeded",
    "RequestSizeLimitExceeded",
    "ResourceInUse",
    "ResourceInsufficient",
    "ResourceNotFound",
    "ResourceUnavailable",
    "ResponseSizeLimitExceeded",
    "ServiceUnavailable",
    "UnauthorizedOperation",
    "UnknownParameter",
    "UnsupportedOperation",
    "UnsupportedProtocol",
    "UnsupportedRegion",
]

_APPROVAL = [
    f"InvalidParameterValue.MemberApprovalApplication{how}"
    for how in ("IdMismatch", "NotApproved", "Rejected", "Started")
]
_BIND = [
    "FailedOperation.SecurityGroupActionFailed",
    "InvalidInstanceId.Malformed",
    "InvalidInstanceId.NotFound",
    "InvalidParameterValue.InstanceIdMalformed",
    "InvalidParameterValue.LimitExceeded",
    "InvalidSecurityGroupId.NotFound",
    "InvalidSgId.Malformed",
    "MutexOperation.TaskRunning",
    "OperationDenied.InstanceOperationInProgress",
    "SecGroupActionFailure",
    "UnsupportedOperation.InstanceStateIsolating",
    "UnsupportedOperation.InstanceStatePending",
]
_INSTANCE_LIMITS = [
    "LimitExceeded.AssociateUSGLimitExceeded",
    "LimitExceeded.CvmsVifsPerSecGroupLimitExceeded",
    "LimitExceeded.SingleUSGQuota",
]

# The error list of each action's page, and of the same action in the vendor's SDK for Go.
BY_ACTION = {
    "DescribeSecurityGroups": [
        "InvalidParameter.Coexist",
        "InvalidParameter.FilterInvalidKey",
        "InvalidParameter.FilterNotDict",
        "InvalidParameter.FilterValuesNotList",
        "InvalidParameterValue.LimitExceeded",
        "InvalidParameterValue.Malformed",
        "InvalidParameterValue.Range",
        "ResourceNotFound",
        "UnsupportedOperation",
    ],
    "DescribeSecurityGroupReferences": [
        "InternalError.ModuleError",
        "InvalidParameterValue.LimitExceeded",
        "InvalidParameterValue.Malformed",
        "ResourceNotFound",
    ],
    "DescribeSecurityGroupAssociationStatistics": [
        "InvalidParameterValue.LimitExceeded",
        "InvalidParameterValue.Malformed",
        "ResourceNotFound",
        "UnsupportedOperation",
    ],
    "DescribeNetworkInterfaces": ["LimitExceeded.ActionLimited"],
    "DescribeInstances": [
        "InternalServerError",
        "InvalidFilter",
        "InvalidFilterValue.LimitExceeded",
        "InvalidInstanceId.Malformed",
        "InvalidSecurityGroupId.NotFound",
        "InvalidSgId.Malformed",
        "UnauthorizedOperation.InvalidToken",
    ],
    "DeleteSecurityGroup": [
        *_APPROVAL,
        *[
            "InternalError.ModuleError",
            "InvalidParameterValue.Malformed",
            "InvalidParameterValue.Range",
            "InvalidSecurityGroupID.Malformed",
            "InvalidSecurityGroupID.NotFound",
            "ResourceInUse",
            "ResourceNotFound",
            "UnsupportedOperation",
            "UnsupportedOperation.LockedResources",
        ],
    ],
    "DeleteSecurityGroupPolicies": [
        "InvalidParameter.Coexist",
        "ResourceNotFound",
        "UnsupportedOperation.VersionMismatch",
    ],
    "CreateSecurityGroupPolicies": [
        *_APPROVAL,
        *[
            "InternalError.ModuleError",
            "InvalidParameter",
            "InvalidParameter.Coexist",
            "InvalidParameterValue",
            "InvalidParameterValue.Empty",
            "InvalidParameterValue.LimitExceeded",
            "InvalidParameterValue.Malformed",
            "InvalidParameterValue.Range",
            "InvalidParameterValue.TooLong",
            "LimitExceeded",
            "LimitExceeded.SecurityGroupPolicySet",
            "ResourceNotFound",
            "UnknownParameter.WithGuess",
            "UnsupportedOperation.BpaasResources",
            "UnsupportedOperation.ClbPolicyExceedLimit",
            "UnsupportedOperation.ClbPolicyLimit",
            "UnsupportedOperation.DuplicatePolicy",
            "UnsupportedOperation.LockedResources",
            "UnsupportedOperation.SgNumExceedLimit",
            "UnsupportedOperation.VersionMismatch",
        ],
    ],
    "CreateSecurityGroup": [
        "InvalidParameterValue.TooLong",
        "LimitExceeded",
        "MissingParameter",
        "ResourceNotFound",
    ],
    "AssociateNetworkInterfaceSecurityGroups": [
        "InvalidParameterValue.LimitExceeded",
        "InvalidParameterValue.Malformed",
        "LimitExceeded",
        "ResourceNotFound",
        "UnsupportedOperation",
    ],
    "ModifyNetworkInterfaceAttribute": [
        "InvalidParameterValue.Malformed",
        "InvalidParameterValue.TooLong",
        "LimitExceeded",
        "LimitExceeded.ActionLimited",
        "ResourceNotFound",
        "UnsupportedOperation",
        "UnsupportedOperation.SubEniNotSupportTrunking",
    ],
    "AssociateSecurityGroups": [*_BIND, *_INSTANCE_LIMITS],
    "DisassociateSecurityGroups": [*_BIND, "UnsupportedOperation"],
    "ModifyInstancesAttribute": [*_BIND, *_INSTANCE_LIMITS],
}
# Of other actions of VPC: what a retired or a regional call answers there.
ELSEWHERE = [
    "UnsupportedOperation.ActionNotFound",
    "UnsupportedOperation.InvalidAction",
    "UnsupportedOperation.UnsupportedRegion",
]

# https://cloud.tencent.com/doc/api/245/4781, and the tables of the module's actions.
DFW_COMMON = [
    "4000",
    "4100",
    "4101",
    "4102",
    "4103",
    "4104",
    "4105",
    "4106",
    "4110",
    "4200",
    "4300",
    "4400",
    "4500",
    "4600",
    "5000",
    "5100",
    "5200",
    "5300",
    "5400",
    "5500",
    "6000",
    "6100",
    "6200",
]
DFW_MODULE = ["7000", "7001", "7002", "7003", "7005", "7006", "9003"]


def test_every_code_of_the_common_list_is_in_the_table_of_common_codes():
    assert sorted(codes.COMMON) == sorted(COMMON)


def test_every_code_of_an_action_is_in_a_table_by_itself():
    listed = {code for some in BY_ACTION.values() for code in some}
    assert listed - codes.MEANINGS.keys() == set()
    # No row without a document, but the families and codes that the table itself explains.
    rows = codes.SECURITY_GROUPS | codes.INSTANCES
    assert rows.keys() - listed == set(ELSEWHERE)


def test_no_code_of_api_3_0_stands_in_two_tables():
    tables = (codes.COMMON, codes.SECURITY_GROUPS, codes.INSTANCES, codes.OTHERS)
    assert sum(map(len, tables)) == len(codes.MEANINGS)


def test_every_code_of_api_2_0_is_classified_once():
    assert sorted(map(str, dfw_codes.COMMON)) == sorted(DFW_COMMON)
    assert sorted(map(str, dfw_codes.SECURITY_GROUPS)) == sorted(DFW_MODULE)
    assert len(dfw_codes.MEANINGS) == len(DFW_COMMON) + len(DFW_MODULE)


def test_a_code_that_no_document_lists_is_one_of_its_family():
    assert codes.kind_of("InvalidParameterValue.OfNextYear", is_read=True) is InvalidRequestError
    assert codes.kind_of("AuthFailure.OfNextYear", is_read=True) is UnauthenticatedError
    assert codes.kind_of("NextYear", is_read=True) is CloudError


# -- reads ---------------------------------------------------------------------------------------

ABSENT = [
    "ActionOffline",
    "InvalidAction",
    "NoSuchProduct",
    "NoSuchVersion",
    "UnsupportedProtocol",
    "UnsupportedRegion",
    "UnsupportedOperation",
    "UnsupportedOperation.ActionNotFound",
    "UnsupportedOperation.InvalidAction",
    "UnsupportedOperation.UnsupportedRegion",
]
IMPOSSIBLE = [
    code
    for code in [*COMMON, *codes.SECURITY_GROUPS, *codes.INSTANCES]
    if code.startswith(("Invalid", "MissingParameter", "UnknownParameter", "RequestSize"))
    and "NotFound" not in code
    and "MemberApproval" not in code
    and code != "InvalidAction"
]


def failing(world, action, code, **options):
    emulator = world.emulator()
    emulator.faults.append(Fault("error", action=action, count=999, code=code))
    return world.connect(emulator, attempts=1, **options)


@pytest.mark.parametrize("code", ABSENT)
@pytest.mark.parametrize(
    "action",
    [
        "DescribeSecurityGroupReferences",
        "DescribeSecurityGroupAssociationStatistics",
        "DescribeInstances",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
    ],
)
@pytest.mark.sampled(8)
def test_a_read_that_is_not_offered_here_is_a_gap_and_no_error(action, code):
    if (action, code) == ("DescribeSecurityGroups", "UnsupportedRegion"):
        pytest.skip("there is no such region: the next test")
    request = DeleteRequest((Address(SCOPE, WORLD.free),))
    (facts,) = gather_delete(failing(WORLD, action, code), request).groups
    assert {gap.code for gap in facts.unseen} == {"api-absent"}


@pytest.mark.parametrize("code", ABSENT)
def test_limits_that_are_not_offered_are_a_gap_unless_the_site_has_no_such_call(code):
    seen = failing(WORLD, "DescribeSecurityGroupLimits", code).read_limits()
    assert {limit.source for limit in seen.value} == {"documented"}
    is_of_site = code in ("ActionOffline", "InvalidAction", "UnsupportedOperation")
    assert [gap.code for gap in seen.unseen] == ([] if is_of_site else ["api-absent"])


@pytest.mark.parametrize("code", IMPOSSIBLE)
def test_a_parameter_that_cannot_exist_is_the_callers_fault_and_not_asked_again(code):
    with pytest.raises(InvalidRequestError) as caught:
        failing(WORLD, "DescribeSecurityGroupPolicies", code).list_rules(WORLD.free)
    assert not caught.value.is_retryable
    assert problem.of(caught.value).status == 422


# What a later delivery may find changed: load, permissions, keys, approvals, holders, quotas.
PASSING = (
    *("AuthFailure", "FailedOperation", "InternalError", "InternalServerError", "IpInBlacklist"),
    *("IpNotInWhitelist", "LimitExceeded", "MutexOperation", "OperationDenied", "ResourceBusy"),
    *("RequestLimitExceeded", "ResourceInUse", "ResourceInsufficient", "ResourceNotFound"),
    *("ResourceUnavailable", "SecGroupActionFailure", "ServiceUnavailable"),
    *("UnauthorizedOperation", "InvalidParameterValue.MemberApproval"),
    *("InvalidInstanceId.NotFound", "InvalidSecurityGroupI", "UnsupportedOperation.ClbPolicy"),
    *("UnsupportedOperation.SgNum", "UnsupportedOperation.VersionMismatch"),
    *("UnsupportedOperation.DuplicatePolicy", "UnsupportedOperation.InstanceStatePending"),
    "ResponseSizeLimitExceeded",  # never raised as such: a gap of what was read
)


@pytest.mark.parametrize("code", codes.MEANINGS)
def test_a_read_is_answered_with_503_only_where_it_may_pass(code):
    kind = codes.kind_of(code, is_read=True)
    may_pass = code.startswith(PASSING) and not code.endswith("Malformed")
    status = problem.of(kind("tencent", "Describe", code=code)).status
    assert (status == 422) != may_pass, status


@pytest.mark.parametrize("code", dfw_codes.MEANINGS)
def test_a_call_of_api_2_0_is_answered_with_503_only_where_it_may_pass(code):
    error = dfw_codes.meaning_of(code).kind("tencent-dfw", "Describe", code=str(code))
    assert (problem.of(error).status == 422) == (code in (4000, 4600, 6100, 9003))


def test_a_version_that_the_address_of_api_2_0_lacks_is_a_gap():
    provider = failing(tencent_dfw.WORLD, "DescribeAssociateSecurityGroups", "6100")
    seen = provider.list_references([WORLD.free])
    assert [gap.code for gap in seen.unseen] == ["api-absent"]


@pytest.mark.parametrize("code", ["4000", "4600", "9003"])
def test_an_impossible_parameter_of_api_2_0_is_the_callers_fault(code):
    with pytest.raises(InvalidRequestError):
        failing(tencent_dfw.WORLD, "*", code).list_rules(WORLD.free)


def test_a_change_that_was_made_partly_has_an_unknown_outcome():
    with pytest.raises(UnavailableError) as caught:
        failing(tencent_dfw.WORLD, "DeleteSecurityGroup", "5400").delete_group(WORLD.free)
    assert not caught.value.is_outcome_known


GATHERED = {
    "delete": (gather_delete, DeleteRequest((Address(SCOPE, WORLD.free),))),
    "launch": (gather_launch, LaunchRequest(SCOPE, (WORLD.free,))),
}


@pytest.mark.parametrize(("gather", "request_"), GATHERED.values(), ids=list(GATHERED))
def test_a_region_that_does_not_exist_is_the_callers_fault(gather, request_):
    """Every region has security groups: one that has none is no region."""
    provider = failing(WORLD, "*", "UnsupportedRegion")
    with pytest.raises(InvalidRequestError, match="does not exist"):
        gather(provider, request_)


# -- changes whose aim is reached ------------------------------------------------------------------


def _reached(action):
    """The documented codes of an action, and of the common list, that may mean that."""
    listed = dict.fromkeys([*BY_ACTION.get(action, ()), *COMMON])
    return [one for one in listed if codes.meaning_of(one).may_be_reached]


def _refusing(emulator, action, code, edit):
    """A cloud in which somebody reaches the aim first, and which refuses the call with the code."""
    emulator.faults.append(Fault("error", action=action, code=code))
    return WORLD.connect(ConcurrentEdit(emulator, action, edit), attempts=1)


@pytest.mark.parametrize("code", _reached("DeleteSecurityGroupPolicies"))
@pytest.mark.sampled(3)
def test_a_rule_that_is_gone_is_not_found_whatever_code_says_so(code):
    provider, emulator = ruled(port(1), port(2))
    rule = provider.list_rules(WEB).value[1]

    def edit(cloud):
        cloud.group(WEB).rules.pop()

    other = _refusing(emulator, "DeleteSecurityGroupPolicies", code, edit)
    with pytest.raises(NotFoundError) as caught:
        other.remove_rule(WEB, rule, token="t")
    assert caught.value.code == code


@pytest.mark.parametrize("code", _reached("DeleteSecurityGroupPolicies"))
@pytest.mark.sampled(6)
def test_a_rule_that_is_there_still_was_not_removed(code):
    provider, emulator = ruled(port(1), port(2))
    rule = provider.list_rules(WEB).value[1]
    emulator.faults.append(Fault("error", action="DeleteSecurityGroupPolicies", code=code))
    with pytest.raises(CloudError) as caught:
        provider.remove_rule(WEB, rule, token="t")
    assert type(caught.value) is codes.kind_of(code, is_read=False)


@pytest.mark.parametrize("code", _reached("CreateSecurityGroupPolicies"))
@pytest.mark.sampled(6)
def test_a_rule_that_is_there_already_is_a_conflict_whatever_code_says_so(code):
    provider, emulator = ruled(port(1))

    def edit(cloud):
        cloud.group(WEB).rules.append(replace_port(cloud.group(WEB).rules[0], "2"))

    other = _refusing(emulator, "CreateSecurityGroupPolicies", code, edit)
    with pytest.raises(ConflictError) as caught:
        other.add_rule(WEB, port(2), token="t")
    assert caught.value.code == code
    assert [rule.ports for rule in provider.list_rules(WEB).value] == ["1", "2"]


def replace_port(rule, ports):
    return replace(rule, id=f"{rule.id}-{ports}", ports=ports)


@pytest.mark.parametrize("code", _reached("DeleteSecurityGroup"))
@pytest.mark.sampled(6)
def test_a_group_that_is_gone_is_not_found_whatever_code_says_so(code):
    emulator = WORLD.emulator()

    def edit(cloud):
        cloud.groups.remove(cloud.group(WORLD.free))

    provider = _refusing(emulator, "DeleteSecurityGroup", code, edit)
    with pytest.raises(NotFoundError):
        provider.delete_group(WORLD.free)


SERVER = Holder("instance", WORLD.server, WORLD.server)
SIDE = Holder("interface", "eni-3056glfn", WORLD.other_server)
OFF, BOTH = (WORLD.default,), (WORLD.bound, WORLD.default)
BINDINGS = {
    "off an instance": (SERVER, "DisassociateSecurityGroups", BOTH, OFF),
    "onto an instance": (SERVER, "AssociateSecurityGroups", BOTH, (*BOTH, WORLD.free)),
    "another list": (SERVER, "ModifyInstancesAttribute", BOTH, (WORLD.default, WORLD.free)),
    "onto an interface": (
        SIDE,
        "AssociateNetworkInterfaceSecurityGroups",
        (WORLD.bound,),
        (WORLD.bound, WORLD.free),
    ),
}
CASES = [(name, code) for name, one in BINDINGS.items() for code in _reached(one[1])]


@pytest.mark.parametrize("is_batch", [False, True], ids=["alone", "in a batch"])
@pytest.mark.parametrize(("name", "code"), CASES)
@pytest.mark.sampled(3)
def test_a_holder_that_has_its_groups_already_is_changed_whatever_code_says_so(
    name, code, is_batch
):
    holder, action, before, after = BINDINGS[name]
    emulator = WORLD.emulator()

    def edit(cloud):
        found = cloud.interface(holder.holder_id) or cloud.interfaces_of(holder.holder_id)[0]
        found.groups[:] = after

    provider = _refusing(emulator, action, code, edit)
    if is_batch:
        change = Change("set-groups", WORLD.free, holder=holder, before=before, after=after)
        assert provider.set_groups_batch([change]) == [None]
    else:
        provider.set_groups(holder, before, after, token="t")
    assert provider.read_holder(holder) == after


def test_a_refusal_stands_where_the_state_cannot_be_read_afterwards():
    emulator = WORLD.emulator()
    emulator.faults += [
        Fault("error", action="DisassociateSecurityGroups", code="UnsupportedOperation"),
        Fault("error", action="DescribeInstances", code="UnauthorizedOperation", skip=1, count=9),
    ]
    with pytest.raises(CloudError, match="UnsupportedOperation"):
        WORLD.connect(emulator, attempts=1).set_groups(SERVER, BOTH, OFF, token="t")


def test_a_text_that_is_no_text_in_an_error_hides_no_code():
    emulator = WORLD.emulator()
    error = {"Code": "UnauthorizedOperation", "Message": ["no"]}
    body = json.dumps({"Response": {"Error": error, "RequestId": 7}})
    emulator.faults.append(Fault("garbage", count=9, body=body, content_type="application/json"))
    with pytest.raises(CloudError, match="UnauthorizedOperation"):
        WORLD.connect(emulator, attempts=1).list_rules(WORLD.free)
