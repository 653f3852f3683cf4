"""What the error codes of API 3.0 mean: one table, by the document that lists them.

A code stands in the table once, whole or as its family (the part before the first dot); a whole
code comes before its family. A code of neither kind is a plain ``CloudError``.

A refusal that no later delivery of the same event can change is no "unavailable": a call that is
not offered here is ``ApiAbsentError``, a parameter that cannot exist ``InvalidRequestError``. Some
codes mean one thing in a read and another in a change: a read uses up no quota, so the limit it
exceeds is a rate; and a read that is "not supported" is not offered at all, while a change may be
refused for the state that its target is in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

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
    UnknownShapeError,
)

DUPLICATE_POLICY = "UnsupportedOperation.DuplicatePolicy"
"""A rule of the same effect exists; it may have another description."""

TOO_MANY_VALUES = "InvalidParameterValue.LimitExceeded"
"""More values in one call than it takes: no limit of the cloud."""


class Meaning(msgspec.Struct, frozen=True):
    """The error that a code is, and the one it is as the answer to a read, where that differs.

    ``may_be_reached``: the documents do not exclude that the cloud answers so to a change whose
    aim is reached already (the rule is gone, the holder is off the group). So the state is read
    before such a refusal counts.
    """

    kind: type[CloudError]
    in_reads: type[CloudError] | None = None
    may_be_reached: bool = False


def _each(codes: Iterable[str], meaning: Meaning) -> dict[str, Meaning]:
    return dict.fromkeys(codes, meaning)


_WRONG = Meaning(InvalidRequestError, may_be_reached=True)
_ABSENT = Meaning(ApiAbsentError)
_REFUSED = Meaning(CloudError, in_reads=ApiAbsentError, may_be_reached=True)
_LIMIT = Meaning(LimitError, in_reads=ThrottledError, may_be_reached=True)
_RATE = Meaning(ThrottledError)
_MISSING = Meaning(NotFoundError, may_be_reached=True)
_BUSY = Meaning(UnavailableError)
_WHO = Meaning(UnauthenticatedError)
_APPROVAL = Meaning(CloudError)

COMMON = {
    **_each(("ActionOffline", "InvalidAction", "NoSuchProduct", "NoSuchVersion"), _ABSENT),
    **_each(("UnsupportedProtocol", "UnsupportedRegion"), _ABSENT),
    **_each(("AuthFailure.InvalidAuthorization", "AuthFailure.InvalidSecretId"), _WHO),
    **_each(("AuthFailure.MFAFailure", "AuthFailure.SecretIdNotFound"), _WHO),
    **_each(("AuthFailure.SignatureExpire", "AuthFailure.SignatureFailure"), _WHO),
    **_each(("AuthFailure.TokenFailure", "IpInBlacklist", "IpNotInWhitelist"), _WHO),
    **_each(
        ("AuthFailure.UnauthorizedOperation", "UnauthorizedOperation"), Meaning(ForbiddenError)
    ),
    # Nothing here asks for a dry run.
    **_each(("DryRunOperation", "InvalidRequest", "RequestSizeLimitExceeded"), _WRONG),
    **_each(("InvalidParameter", "InvalidParameterValue"), _WRONG),
    **_each(("MissingParameter", "UnknownParameter"), _WRONG),
    "FailedOperation": Meaning(CloudError, in_reads=UnavailableError, may_be_reached=True),
    **_each(("InternalError", "ServiceUnavailable", "ResourceUnavailable"), _BUSY),
    "ResourceInsufficient": _BUSY,
    "LimitExceeded": _LIMIT,
    "RequestLimitExceeded": _RATE,
    "RequestLimitExceeded.GlobalRegionUinLimitExceeded": _RATE,
    "RequestLimitExceeded.IPLimitExceeded": _RATE,
    "RequestLimitExceeded.UinLimitExceeded": _RATE,
    "ResourceInUse": Meaning(InUseError),
    "ResourceNotFound": _MISSING,
    # The answer is larger than 10 MB: it never comes, and is no empty one.
    "ResponseSizeLimitExceeded": Meaning(UnknownShapeError),
    "UnsupportedOperation": _REFUSED,
}
"""The common codes: https://cloud.tencent.com/document/api/213/30435 (read 2026-11-28)."""

SECURITY_GROUPS = {
    "InternalError.ModuleError": _BUSY,
    **_each(("InvalidParameter.Coexist", "InvalidParameter.FilterInvalidKey"), _WRONG),
    **_each(("InvalidParameter.FilterNotDict", "InvalidParameter.FilterValuesNotList"), _WRONG),
    **_each(("InvalidParameterValue.Empty", "InvalidParameterValue.Malformed"), _WRONG),
    **_each(("InvalidParameterValue.Range", "InvalidParameterValue.TooLong"), _WRONG),
    TOO_MANY_VALUES: _WRONG,
    # Somebody has to approve the change, which a later delivery may find done.
    **_each(
        (
            "InvalidParameterValue.MemberApprovalApplicationIdMismatch",
            "InvalidParameterValue.MemberApprovalApplicationNotApproved",
            "InvalidParameterValue.MemberApprovalApplicationRejected",
            "InvalidParameterValue.MemberApprovalApplicationStarted",
        ),
        _APPROVAL,
    ),
    # VPC writes ID, CVM Id.
    "InvalidSecurityGroupID.Malformed": _WRONG,
    "InvalidSecurityGroupID.NotFound": _MISSING,
    "LimitExceeded.ActionLimited": _RATE,
    "LimitExceeded.SecurityGroupPolicySet": _LIMIT,
    "UnknownParameter.WithGuess": _WRONG,
    **_each(
        (
            "UnsupportedOperation.BpaasResources",
            "UnsupportedOperation.LockedResources",
            "UnsupportedOperation.SubEniNotSupportTrunking",
        ),
        _REFUSED,
    ),
    **_each(
        (
            "UnsupportedOperation.ClbPolicyExceedLimit",
            "UnsupportedOperation.ClbPolicyLimit",
            "UnsupportedOperation.SgNumExceedLimit",
        ),
        _LIMIT,
    ),
    DUPLICATE_POLICY: Meaning(ConflictError, may_be_reached=True),
    "UnsupportedOperation.VersionMismatch": Meaning(ConflictError, may_be_reached=True),
    # Of other actions of the same service.
    **_each(
        (
            "UnsupportedOperation.ActionNotFound",
            "UnsupportedOperation.InvalidAction",
            "UnsupportedOperation.UnsupportedRegion",
        ),
        _ABSENT,
    ),
}
"""The codes of the VPC actions used here: the error lists of their pages under
https://cloud.tencent.com/document/api/215, and of the same actions in the vendor's SDK for Go
(``vpc/v20170312/client.go``; read 2026-11-28)."""

INSTANCES = {
    "FailedOperation.SecurityGroupActionFailed": Meaning(CloudError, may_be_reached=True),
    "InternalServerError": _BUSY,
    **_each(("InvalidFilter", "InvalidFilterValue.LimitExceeded"), _WRONG),
    **_each(("InvalidInstanceId.Malformed", "InvalidSgId.Malformed"), _WRONG),
    **_each(("InvalidInstanceId.NotFound", "InvalidSecurityGroupId.NotFound"), _MISSING),
    "InvalidParameterValue.InstanceIdMalformed": _WRONG,
    "LimitExceeded.AssociateUSGLimitExceeded": _LIMIT,
    "LimitExceeded.CvmsVifsPerSecGroupLimitExceeded": _LIMIT,
    "LimitExceeded.SingleUSGQuota": _LIMIT,
    "MutexOperation.TaskRunning": _BUSY,
    "OperationDenied.InstanceOperationInProgress": _BUSY,
    "SecGroupActionFailure": _BUSY,
    "UnauthorizedOperation.InvalidToken": _WHO,
    "UnsupportedOperation.InstanceStateIsolating": _REFUSED,
    "UnsupportedOperation.InstanceStatePending": _BUSY,
}
"""The codes of the CVM actions used here: the error lists of their pages under
https://cloud.tencent.com/document/api/213 (read 2026-11-22)."""

OTHERS = {
    "AuthFailure": _WHO,
    "InvalidFilterValue": _WRONG,
    "LimitExceeded.RateLimitExceeded": _RATE,
    "ResourceBusy": _BUSY,
}
"""Families of which pages name members only, and codes that Terraform's provider asks again for
(``tencentcloud/common/common.go``)."""

MEANINGS: Mapping[str, Meaning] = {**COMMON, **SECURITY_GROUPS, **INSTANCES, **OTHERS}

_UNKNOWN = Meaning(CloudError, may_be_reached=True)


def meaning_of(code: str) -> Meaning:
    """Return what a code means: by itself, or as one of its family."""
    return MEANINGS.get(code) or MEANINGS.get(code.partition(".")[0], _UNKNOWN)


def kind_of(code: str, *, is_read: bool) -> type[CloudError]:
    """Return the error that a code is, as the answer to a read or to a change."""
    meaning = meaning_of(code)
    return (meaning.in_reads if is_read else None) or meaning.kind


def may_be_reached(error: CloudError) -> bool:
    """Return whether a refused change may have found its aim reached: then the state tells."""
    return bool(error.code) and error.is_outcome_known and meaning_of(error.code).may_be_reached


ABSENT_CODES = tuple(code for code, one in MEANINGS.items() if one.kind is ApiAbsentError)
"""The codes of a call that is not offered here, whatever was asked."""
