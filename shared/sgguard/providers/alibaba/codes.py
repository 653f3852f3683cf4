"""What each error code of Alibaba Cloud ECS means to us: one table, each code once.

A code is looked up by itself first, then among the families: ``*`` stands for the dotted variants
that the cloud adds without notice. Letter case is ignored, because the documents spell the same
code in several ways (``InvalidInstanceID.Malformed``, ``InvalidInstanceId.MalFormed``).

Two kinds matter most to a plan. ``NotFoundError`` and ``ConflictError`` say that the aim of a
change may be reached already: the world is observed before anything is undone. And a refusal that
no later delivery can change (:class:`InvalidRequestError`, :class:`ApiAbsentError`) is not one of
those for which a caller should ask again.

Source: "Common error codes" (in "Response results"), "Public error codes" of the API gateway
(document_detail/53438), and the error table of every action used here, help.aliyun.com, read
2026-11. ``tests/providers/test_alibaba_codes.py`` has them by document.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from sgguard.errors import (
    ApiAbsentError,
    CloudError,
    ConflictError,
    ForbiddenError,
    InUseError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
    UnreachableError,
)

DRY_RUN = "DryRunOperation"
"""A call with ``DryRun`` would have been permitted."""

NO_SUCH_GROUP = "InvalidSecurityGroupId.NotFound"
"""There is no such group, or not in this account and region."""

NUMBERS_RETIRED = "NotSupported.PageNumberAndPageSize"
"""The list has no page numbers any more, only tokens."""

_NO_SUCH_ACTION = "action or version"
"""Part of the text of ``InvalidParameter`` that says that the API has no such call."""

_BY_KIND: tuple[tuple[type[CloudError], str], ...] = (
    (
        ThrottledError,
        """
        Throttling Throttling.User Throttling.Api Rejected.Throttling
        """,
    ),
    # It may pass. The first request with the same token, or another change, is still running.
    (
        UnavailableError,
        """
        ServiceUnavailable ServiceUnavailable.RegionMaintaining InternalError UnknownError
        RequestTimeout OperationConflict InvalidOperation.Conflict IdempotentProcessing
        LastTokenProcessing
        """,
    ),
    # Our nonces never repeat: a proxy sent the request twice, and the response to the first one is
    # lost. A read is signed and sent again; the outcome of a write is unknown.
    (
        UnreachableError,
        """
        SignatureNonceUsed
        """,
    ),
    # Key, signature, token or clock. ``InvalidParamater`` (sic) is about the method of signing.
    (
        UnauthenticatedError,
        """
        SignatureDoesNotMatch IncompleteSignature InvalidSignatureMethod InvalidParamater
        InvalidAccessKeyId.NotFound InvalidAccessKeyId.Inactive MissingAccessKeyId
        Forbidden.AccessKeyDisabled InvalidSecurityToken.Expired InvalidSecurityToken.Malformed
        InvalidSecurityToken.MismatchWithAccessKey MissingSecurityToken IllegalTimestamp
        InvalidTimeStamp.Format InvalidTimeStamp.Expired InvalidAccount.NotFound
        Abs.InvalidAccount.NotFound
        """,
    ),
    # The account, or its user, may not.
    (
        ForbiddenError,
        """
        Forbidden Forbidden.RAM Forbidden.NotSupportRAM Forbedden.NotSupportRAM Forbidden.SubUser
        Forbidden.Unauthorized Forbidden.RiskControl Forbidden.UserVerification NoPermission
        ActionUnauthorized NotBelongUser RealNameAuthenticationError InsufficientBalance
        InvalidUser.Unauthorized InvalidUserType.NotSupported
        InvalidOperation.SecurityGroupNotAuthorized InvalidOperation.EniAndGroupNotBelongSameUser
        """,
    ),
    # Not offered here: retired, or not in this region, product or edition.
    (
        ApiAbsentError,
        f"""
        InvalidAction InvalidAction.NotFound InvalidApi.NotFound InvalidProduct.NotFound
        InvalidVersion NoSuchVersion UnsupportedOperation UnsupportedHTTPMethod Forbidden.RegionId
        RegionId.ApiNotSupported {NUMBERS_RETIRED}
        """,
    ),
    # A region, address or parameter that cannot exist.
    (
        InvalidRequestError,
        """
        InvalidRegionId InvalidRegionId.NotFound InvalidRegionId.Malformed
        InvalidOperation.InvalidRegion InvalidOperation.NotSupportedEndpoint
        InvalidProtocol.NeedSsl InvalidOwner InvalidOwnerId InvalidOwnerAccount InvalidParameter
        InvalidParamter InvalidParamter.Conflict MissingParameter UnsupportedParameter
        """,
    ),
    # The state is not what the change expects: left or joined already, being created or moved.
    # Some of the codes look like a missing permission or a missing object.
    (
        ConflictError,
        """
        InvalidInstanceId.AlreadyExists InvalidOperation.RuleDuplicate InstanceNotInSecurityGroup
        InvalidSecurityGroupAssociation.NotFound InstanceLastSecurityGroup
        InvalidOperation.AtLeastInOneGroup Forbidden.InstanceIsBeingCreated
        InvalidStatus.EniOrInstanceIsBeingCreated IncorrectInstanceStatus
        IncorrectInstanceStatus.Initializing IncorrectVpcStatus InvalidOperation.InvalidEcsState
        InvalidOperation.InvalidEniState InvalidVPCStatus.NotWorking InvalidNicType.Mismatch
        IdempotentParameterMismatch IdempotenceParamNotMatch InvalidIdempotenceParameter.Mismatch
        """,
    ),
    # One code for "still carried" and for "still referenced": only the text differs, and texts are
    # not part of the API. The references and bindings show which one it is.
    (
        InUseError,
        """
        DependencyViolation InvalidOperation.DeletionProtection
        InvalidOperation.ResourceManagedByCloudProduct
        """,
    ),
    # An advanced group names no group and is named by none: their documented ceiling is 0.
    (
        LimitError,
        """
        InstanceSecurityGroupLimitExceeded SecurityGroupInstanceLimitExceed JoinedGroupLimitExceed
        SecurityGroupInstanceLimitExceeded AclLimitExceed AuthorizationLimitExceed
        AuthorizedGroupRule.LimitExceed LimitExceed.PrefixListAssociationResource
        QuotaExceed.SecurityGroup QuotaExceed.Tags InvalidOperation.NetworkInterfaceCountExceeded
        InvalidOperation.EniCountExceeded MaxEniCountExceeded EniPerInstanceLimitExceeded
        InvalidGroupParameter.OperationDenied InvalidGroupAuthParameter.OperationDenied
        """,
    ),
    # Revoking knows three codes for a rule that is not there, by what the call named it.
    (
        NotFoundError,
        f"""
        {NO_SUCH_GROUP} InvalidGroupAuthItem.NotFound InvalidSecurityGroupRule.RuleNotExist
        InvalidSecurityGroupRuleId.NotFound SecurityGroupRule.NotFound InvalidInstanceId.NotFound
        InvalidEcsId.NotFound InvalidEniId.NotFound
        """,
    ),
    # Refused for what was asked, whatever the state: two types of groups, two VPCs, an interface
    # of a cloud service, a lock, a dry run.
    (
        CloudError,
        f"""
        EnterpriseGroupLimited.MutliGroupType InvalidOperation.MultiGroupType
        InvalidOperation.NotSupportEnterpriseGroup InvalidOperation.VpcMismatch
        InvalidOperation.AvailabilityZoneMismatch InvalidInstanceId.Mismatch
        InvalidSourceGroupId.Mismatch InvalidDestGroupId.Mismatch InvalidNetworkType.Conflict
        InvalidNetworkType.Mismatch InvalidNetworkType.NotSupported InvalidSecurityGroup.IsSame
        InvalidSecurityGroup.InvalidNetworkType InvalidSecurityGroupId.NotVpc
        InvalidSecurityGroupType.NotSupportClassic InvalidSecurityGroupVpc.NotBelongToOneVpc
        InvalidOperation.EniServiceManaged InvalidOperation.InvalidEniType
        InvalidOperation.DetachPrimaryEniNotAllowed InstanceLockedForSecurity OperationDenied
        ChargeTypeViolation {DRY_RUN}
        """,
    ),
)

CODES: dict[str, type[CloudError]] = {
    code.lower(): kind for kind, codes in _BY_KIND for code in codes.split()
}
"""The classes by code in lower case."""

FAMILIES: tuple[tuple[str, type[CloudError]], ...] = (
    ("throttling*", ThrottledError),
    ("rejected.throttling*", ThrottledError),
    ("serviceunavailable*", UnavailableError),
    ("internalerror*", UnavailableError),
    ("unknownerror*", UnavailableError),
    ("requesttimeout*", UnavailableError),
    ("operationconflict*", UnavailableError),
    ("idempotentprocessing*", UnavailableError),
    ("signaturenonceused*", UnreachableError),
    ("signaturedoesnotmatch*", UnauthenticatedError),
    ("invalidaccesskey*", UnauthenticatedError),
    ("missingaccesskey*", UnauthenticatedError),
    ("forbidden.accesskey*", UnauthenticatedError),
    ("invalidsecuritytoken*", UnauthenticatedError),
    ("missingsecuritytoken*", UnauthenticatedError),
    ("invalidtimestamp*", UnauthenticatedError),
    ("forbidden*", ForbiddenError),
    ("nopermission*", ForbiddenError),
    ("invalidapi*", ApiAbsentError),
    ("invalidaction*", ApiAbsentError),
    ("incorrect*status*", ConflictError),
    ("dependencyviolation*", InUseError),
    ("*.alreadyexist*", ConflictError),
    ("*limitexceed*", LimitError),
    ("quotaexceed*", LimitError),
    ("*.notfound", NotFoundError),
    ("*notexist*", NotFoundError),
    ("missing*", InvalidRequestError),
    ("invalidparam*", InvalidRequestError),
    ("duplicate.*", InvalidRequestError),
    ("*.malformed", InvalidRequestError),
    ("*.smalformed", InvalidRequestError),
    ("*.valuenotsupported", InvalidRequestError),
    ("invalid*", InvalidRequestError),
    ("notsupported*", InvalidRequestError),
)
"""Codes that begin or end so, where the table has them not; the first one that fits counts."""


def kind_of(code: str, message: str) -> type[CloudError] | None:
    """Return the class of a code, None where nothing is known of it.

    ``message`` is looked at for one code only: ``InvalidParameter`` is documented both for a value
    and for an action that the API does not have.
    """
    name = code.lower()
    if name == "invalidparameter" and _NO_SUCH_ACTION in message.lower():
        return ApiAbsentError
    return CODES.get(name) or next(
        (kind for pattern, kind in FAMILIES if fnmatchcase(name, pattern)), None
    )
