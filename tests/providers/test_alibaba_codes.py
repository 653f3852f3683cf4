"""Every error code that the documents list, by document, is classified once."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import httpx
import pytest

from sgguard.errors import (
    ApiAbsentError,
    CloudError,
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
)
from sgguard.providers.alibaba import codes
from sgguard.providers.alibaba.api import parse_response
from sgguard.providers.alibaba.codes import CODES, FAMILIES, kind_of

RULES = """
    InvalidIpProtocol.ValueNotSupported InvalidIpPortRange.Malformed InvalidSourceCidrIp.Malformed
    InvalidDestCidrIp.Malformed InvalidDestCidrIp.sMalformed InvalidPolicy.Malformed
    InvalidNicType.ValueNotSupported InvalidNicType.Mismatch InvalidSourceGroupId.Mismatch
    InvalidDestGroupId.Mismatch InvalidSourceGroup.NotFound InvalidDestGroup.NotFound
    InvalidSourceGroupId.NotFound InvalidDestGroupId.NotFound InvalidPriority.Malformed
    InvalidPriority.ValueNotSupported InvalidSecurityGroupDiscription.Malformed MissingParameter
    MissingParameter.Source MissingParameter.Dest InvalidParam.PortRange InvalidParam.SourceIp
    InvalidParam.DestIp InvalidParam.Ipv6DestCidrIp InvalidParam.Ipv6SourceCidrIp
    InvalidParam.Ipv4ProtocolConflictWithIpv6Address InvalidParameter.Ipv6CidrIp
    InvalidParam.Ipv6ProtocolConflictWithIpv4Address InvalidParam.DestCidrIp
    InvalidParam.SourceCidrIp InvalidParam.Permissions InvalidParam.DuplicatePermissions
    InvalidParam.PrefixListAddressFamilyMismatch InvalidParam.ProtocolNotSupportPortRangeList
    InvalidParameter.Conflict InvalidParamter.Conflict InvalidSourcePortRange.Malformed
    InvalidPortRange.Malformed InvalidPortRangeListId.NotFound InvalidPrefixListId.NotFound
    NotSupported.ClassicNetworkPrefixList InvalidGroupAuthParameter.OperationDenied
    InvalidGroupParameter.OperationDenied InvalidSecurityGroup.InvalidNetworkType
    InvalidSecurityGroup.IsSame InvalidNetworkType.Conflict InvalidNetworkType.Mismatch VPCDisabled
    InvalidOperation.SecurityGroupNotAuthorized InvalidOperation.ResourceManagedByCloudProduct
    InvalidSecurityGroupId.NotFound InvalidSecurityGroupId.Malformed InternalError
"""
INTERFACES = """
    InvalidUserType.NotSupported Abs.InvalidAccount.NotFound MissingParameter
    Forbidden.NotSupportRAM UnsupportedParameter Forbidden.SubUser InvalidParameter
    InvalidInstanceID.Malformed InvalidInstanceId.MalFormed InvalidOperation.InvalidEcsState
    InvalidOperation.InvalidEniState InvalidOperation.DetachPrimaryEniNotAllowed
    InvalidParams.EniId InvalidEcsId.NotFound InvalidEniId.NotFound InvalidVSwitchId.NotFound
    InvalidSecurityGroupId.NotFound MaxEniCountExceeded EniPerInstanceLimitExceeded
    InvalidOperation.AvailabilityZoneMismatch InvalidOperation.VpcMismatch
    SecurityGroupInstanceLimitExceed InvalidSecurityGroupId.NotVpc InvalidOperation.InvalidEniType
    Forbidden.RegionId InvalidOperation.EniServiceManaged
    InvalidOperation.ResourceManagedByCloudProduct
"""
DOCUMENTS = {
    "Response results, common error codes": """
        IdempotentParameterMismatch IllegalTimestamp IncompleteSignature InsufficientBalance
        InvalidAccessKeyId.NotFound InvalidOwner InvalidOwnerAccount InvalidOwnerId
        InvalidParamater InvalidParameter InvalidParameter.IsNull MissingParameter
        SignatureNonceUsed Throttling UnsupportedParameter UnknownError ChargeTypeViolation
        Forbidden.AccessKeyDisabled Forbidden.NotSupportRAM Forbidden.RAM Forbidden.RiskControl
        Forbidden.SubUser Forbidden.Unauthorized InvalidAccount.NotFound InvalidAction
        InvalidIdempotenceParameter.Mismatch InvalidParameter.OwnerAccount
        InvalidParameter.ResourceOwnerAccount LastTokenProcessing RealNameAuthenticationError
        UnsupportedHTTPMethod InvalidDiskId.NotFound InvalidImageId.NotFound
        InvalidInstanceId.NotFound InvalidRegionId.NotFound InvalidSecurityGroupId.NotFound
        InvalidSnapshotId.NotFound OperationConflict InternalError ServiceUnavailable
        ServiceUnavailable.RegionMaintaining
    """,
    "Public error codes of the gateway (53438)": """
        InvalidProduct.NotFound InvalidApi.NotFound InvalidProtocol.NeedSsl
        InvalidAccessKeyId.NotFound InvalidAccessKeyId.Inactive InvalidTimeStamp.Format
        InvalidTimeStamp.Expired InvalidParameter.Format InvalidParameter.Accept
        InvalidSecurityToken.Expired InvalidSecurityToken.MismatchWithAccessKey
        InvalidSecurityToken.Malformed InvalidSignatureMethod SignatureDoesNotMatch
        SignatureNonceUsed UnsupportedHTTPMethod Throttling.User Throttling.Api
        RegionId.ApiNotSupported UnsupportedOperation NoSuchVersion Forbidden
        Forbidden.UserVerification ActionUnauthorized
    """,
    "DescribeSecurityGroups": """
        NotSupported.PageNumberAndPageSize InValidParameter.NextToken MissingParameter.RegionId
        InvalidParameter.SecurityGroupType InvalidSecurityGroupId.Malformed
        InvalidSecurityGroupName.Malformed InternalError DryRunOperation
    """,
    "DescribeSecurityGroupAttribute": """
        InvalidNicType.ValueNotSupported InvalidParamter InvalidSecurityGroupId.Malformed
        MissingParameter.RegionId InvalidParameter.AttributeNotSupported InternalError
        ServiceUnavailable InvalidRegionId.NotFound InvalidSecurityGroupId.NotFound
    """,
    "DescribeSecurityGroupReferences": """
        InvalidSecurityGroupId.Malformed InvalidRegionId.NotFound InvalidSecurityGroupId.NotFound
        Abs.GroupNos.Malformed
    """,
    "DescribeNetworkInterfaces": INTERFACES + "InvalidVpc.Empty InvalidRegionId.MalFormed",
    "ModifyNetworkInterfaceAttribute": INTERFACES
    + """
        InvalidParameter.InvalidEniQueueNumber InvalidOperation.MaxEniQueueNumberExceeded
        InvalidOperation.ExceedInstanceTypeQueueNumber
    """,
    "AuthorizeSecurityGroup, AuthorizeSecurityGroupEgress": RULES
    + "AuthorizationLimitExceed AuthorizedGroupRule.LimitExceed"
    " LimitExceed.PrefixListAssociationResource",
    "RevokeSecurityGroup, RevokeSecurityGroupEgress": RULES
    + """
        InvalidParam.SecurityGroupRuleId InvalidParam.SecurityGroupRuleIdRepeated
        InvalidSecurityGroupRule.RuleNotExist InvalidSecurityGroupRuleId.NotFound
        InvalidGroupAuthItem.NotFound
    """,
    "ModifySecurityGroupRule": "SecurityGroupRule.NotFound InvalidOperation.RuleDuplicate",
    "JoinSecurityGroup": """
        InstanceSecurityGroupLimitExceeded InvalidInstanceId.Mismatch InvalidInstanceId.Malformed
        InvalidOperation.NotSupportEnterpriseGroup InvalidOperation.MultiGroupType
        InvalidOperation.InvalidEniState InvalidOperation.EniAndGroupNotBelongSameUser
        NotBelongUser MissingParameter.RegionId InvalidStatus.EniOrInstanceIsBeingCreated
        InternalError IncorrectInstanceStatus InstanceLockedForSecurity
        SecurityGroupInstanceLimitExceeded InvalidInstanceId.AlreadyExists AclLimitExceed
        InvalidOperation.NetworkInterfaceCountExceeded
        InvalidOperation.ResourceManagedByCloudProduct InvalidOperation.InvalidEniType
        InvalidOperation.VpcMismatch InvalidOperation.EniServiceManaged InvalidParam.Malformed
        InvalidParam.EniIdAndInstanceId.Conflict Forbidden.InstanceIsBeingCreated
        InvalidSecurityGroupId.NotFound InvalidInstanceId.NotFound InvalidEniId.NotFound
        InvalidOperation.Conflict
    """,
    "LeaveSecurityGroup": """
        InvalidInstanceId.Malformed MissingParameter.RegionId InvalidOperation.InvalidEniState
        InvalidSecurityGroupAssociation.NotFound InstanceLastSecurityGroup
        IncorrectInstanceStatus InstanceLockedForSecurity InstanceNotInSecurityGroup
        InvalidOperation.ResourceManagedByCloudProduct InvalidOperation.AtLeastInOneGroup
        InvalidOperation.EniServiceManaged InvalidOperation.InvalidEniType InvalidParam.Malformed
        InvalidParam.EniIdAndInstanceId.Conflict InvalidInstanceId.NotFound
        InvalidSecurityGroupId.NotFound InvalidEniId.NotFound InvalidVSwitchId.NotFound
        RequestTimeout InvalidOperation.Conflict
    """,
    "ModifyInstanceAttribute, as far as it is about groups": """
        InvalidNetworkType.NotSupported InvalidOperation.EniCountExceeded JoinedGroupLimitExceed
        InvalidParameter InvalidOperation.InvalidEcsState IncorrectInstanceStatus
        InstanceLockedForSecurity OperationDenied InvalidUser.Unauthorized
        EnterpriseGroupLimited.MutliGroupType SecurityGroupInstanceLimitExceed
        InstanceNotInSecurityGroup InvalidOperation.InvalidRegion ChargeTypeViolation
        InvalidOperation.ResourceManagedByCloudProduct AclLimitExceed InvalidInstanceId.NotFound
        InvalidSecurityGroupId.NotFound InvalidParameter.SecurityGroupIdRepeated
        InvalidSecurityGroupType.NotSupportClassic InvalidSecurityGroupVpc.NotBelongToOneVpc
        InternalError
    """,
    "CreateSecurityGroup": """
        InvalidDescription.Malformed IncorrectVpcStatus InvalidTagKey.Malformed
        InvalidTagValue.Malformed Duplicate.TagKey InvalidParams.GroupType
        InvalidParams.VpcIdGroupType InvalidSecurityGroupName.Malformed InternalError
        ServiceUnavailable QuotaExceed.SecurityGroup InvalidVpcId.NotFound IdempotentProcessing
        QuotaExceed.Tags InvalidOperation.ResourceManagedByCloudProduct
        InvalidRegionId.NotFound InvalidResourceGroup.NotFound
    """,
    "ModifySecurityGroupPolicy": """
        MissingParamter.RegionId InvalidSecurityGroupId.Malformed InvalidPolicy.Malformed
        InvalidOperation.ResourceManagedByCloudProduct InvalidSecurityGroupId.NotFound
        InvalidParameter.InnerAccessPolicy
    """,
    "DeleteSecurityGroup": """
        DependencyViolation InternalError InvalidOperation.ResourceManagedByCloudProduct
        InvalidOperation.DeletionProtection InvalidSecurityGroupId.NotFound
    """,
    "How to ensure idempotence": "IdempotentParameterMismatch IdempotenceParamNotMatch",
}
EVERY = sorted({code for text in DOCUMENTS.values() for code in text.split()})
PASSING = {ThrottledError, UnavailableError}


def kind(code, message=""):
    found = kind_of(code, message)
    assert found is not None, code
    return found


def error_of(code, message="why", status=400):
    body = {"RequestId": "1", "HostId": "ecs.aliyuncs.com", "Code": code, "Message": message}
    with pytest.raises(CloudError) as caught:
        parse_response(httpx.Response(status, json=body), "DescribeSecurityGroups")
    return caught.value


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_code_of_a_document_has_a_class(document):
    unknown = [
        code
        for code in DOCUMENTS[document].split()
        if kind_of(code, "") is None and code not in ("VPCDisabled", "Abs.GroupNos.Malformed")
    ]
    assert unknown == []


def test_no_code_is_in_the_table_twice():
    source = Path(codes.__file__).read_text()
    table = source[source.index("_BY_KIND") : source.index("CODES: dict")]
    texts = re.findall(r'"""(.*?)"""', table, re.DOTALL)
    words = [word.lower() for text in texts for word in text.split()]
    assert [word for word, count in Counter(words).items() if count > 1] == []
    assert len(words) == len(CODES)


def test_no_code_of_the_table_is_only_a_family_that_says_the_same():
    """The table has what is documented; families are for the variants that are not."""
    undocumented = [
        code
        for code in CODES
        if code not in {one.lower() for one in EVERY} and "{" not in code and "." not in code
    ]
    assert set(undocumented) <= {
        *("missingaccesskeyid", "missingsecuritytoken", "nopermission", "invalidregionid"),
        *("forbedden.notsupportram", "invalidversion", "rejected.throttling"),
    }


def test_every_family_is_reached():
    reached = {pattern for pattern, _ in FAMILIES}
    assert len(reached) == len(FAMILIES)


def test_letter_case_does_not_matter():
    for code in EVERY:
        assert kind_of(code.upper(), "") is kind_of(code, "") is kind_of(code.lower(), ""), code


def test_only_what_may_pass_is_asked_again():
    passing = {code for code in EVERY if (known := kind_of(code, "")) and known in PASSING}
    assert passing == {
        *("Throttling", "Throttling.Api", "Throttling.User", "InternalError", "UnknownError"),
        *("ServiceUnavailable", "ServiceUnavailable.RegionMaintaining", "OperationConflict"),
        *("InvalidOperation.Conflict", "IdempotentProcessing", "LastTokenProcessing"),
        "RequestTimeout",
    }


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("InvalidRegionId.NotFound", InvalidRequestError),
        ("InvalidRegionId.MalFormed", InvalidRequestError),
        ("InvalidOperation.InvalidRegion", InvalidRequestError),
        ("InvalidOperation.NotSupportedEndpoint", InvalidRequestError),
        ("InValidParameter.NextToken", InvalidRequestError),
        ("MissingParameter.RegionId", InvalidRequestError),
        ("InvalidSomethingNew.Malformed", InvalidRequestError),
        ("InvalidAction", ApiAbsentError),
        ("InvalidAction.NotFound", ApiAbsentError),
        ("InvalidApi.NotFound", ApiAbsentError),
        ("InvalidProduct.NotFound", ApiAbsentError),
        ("InvalidVersion", ApiAbsentError),
        ("Forbidden.RegionId", ApiAbsentError),
        ("RegionId.ApiNotSupported", ApiAbsentError),
        ("UnsupportedOperation", ApiAbsentError),
        ("NotSupported.PageNumberAndPageSize", ApiAbsentError),
        ("Abs.InvalidAccount.NotFound", UnauthenticatedError),
        ("InvalidParamater", UnauthenticatedError),
        ("NotBelongUser", ForbiddenError),
        ("InvalidUserType.NotSupported", ForbiddenError),
        ("InvalidSecurityGroupRule.RuleNotExist", NotFoundError),
        ("InvalidSecurityGroupRuleId.NotFound", NotFoundError),
        ("InvalidGroupAuthItem.NotFound", NotFoundError),
        ("SecurityGroupRule.NotFound", NotFoundError),
        ("InvalidOperation.RuleDuplicate", ConflictError),
        ("InvalidOperation.EniServiceManaged", CloudError),
        ("InstanceLockedForSecurity", CloudError),
    ],
)
def test_a_refusal_is_what_it_says(code, expected):
    assert type(error_of(code)) is expected


def test_an_unknown_action_hides_behind_a_common_code():
    """ "The specified parameter Action or Version is not valid"."""
    text = "The specified parameter “Action or Version” is not valid."
    assert type(error_of("InvalidParameter", text)) is ApiAbsentError
    assert type(error_of("InvalidParameter", "PageSize is not valid")) is InvalidRequestError
