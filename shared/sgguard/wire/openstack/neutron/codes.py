"""Every error code of Keystone, Neutron and Nova that a call of this program can meet, classified.

Sources, read 2026-11: the exceptions of Neutron 29 (``neutron.extensions.securitygroup``,
``neutron_lib.exceptions``, ``…exceptions.port_security``), which are the ``type`` of a
``NeutronError``; the faults of Nova (https://docs.openstack.org/api-guide/compute/faults.html);
the titles of Keystone (https://docs.openstack.org/api-ref/identity/v3/#unscoped). Neutron's API
reference documents no codes (https://docs.openstack.org/api-ref/network/v2/), only statuses.

A status that means one thing everywhere comes before the code (:data:`BY_STATUS`). A status of 400
with any other code is a request that cannot be right, as Neutron's base class for it says.
"""

from __future__ import annotations

from collections.abc import Mapping

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

BY_STATUS: Mapping[int, type[CloudError]] = {
    401: UnauthenticatedError,
    403: ForbiddenError,
    429: ThrottledError,
}

_NOT_FOUND = (
    "SecurityGroupNotFound",
    "SecurityGroupRuleNotFound",
    "AddressGroupNotFound",
    "PortNotFound",
    "NetworkNotFound",
    "RbacPolicyNotFound",
    "TagNotFound",
    "itemNotFound",
)
"""A 404 with one of these codes is about the requested object; any other is about the address."""

_ABOUT_THE_ADDRESS = ("HTTPNotFound", "Not Found")
"""No such address. Neutron's policy engine says the same of an object that it hides."""

_IN_USE = ("SecurityGroupInUse", "SecurityGroupRuleInUse", "RbacPolicyInUse")

_CHANGED = (
    # The aim of the change may be reached already: the rule, the default group, the policy exists.
    "SecurityGroupRuleExists",
    "DuplicateSecurityGroupRuleInPost",
    "SecurityGroupDefaultAlreadyExists",
    "DuplicateRbacPolicy",
    # It was changed since the revision that the change was made for.
    "RevisionNumberConstraintFailed",
)

_REFUSED = (
    "SecurityGroupConflict",  # stateful and stateless groups on one port
    "SecurityGroupCannotRemoveDefault",
    "SecurityGroupCannotUpdateDefault",
    "PortSecurityPortHasSecurityGroup",
    "DeviceIDNotOwnedByTenant",
    # Nova: the server is locked or in a state that permits no change now, or a name is ambiguous.
    "conflictingRequest",
    "Conflict",
)
"""A change that is refused as the cloud is now; reads never get these."""

_LIMIT = ("OverQuota", "QuotaResourceUnknown", "QuotaMissingTenant")

_NEVER = (
    "HTTPBadRequest",
    "BadRequest",
    "badRequest",
    "Bad Request",
    "InvalidInput",
    "InvalidCIDR",
    "HTTPUnsupportedMediaType",
    "badMediaType",
    "SecurityGroupEthertypeConflictWithProtocol",
    "SecurityGroupInvalidIcmpValue",
    "SecurityGroupInvalidPortRange",
    "SecurityGroupInvalidPortValue",
    "SecurityGroupInvalidProtocolForPort",
    "SecurityGroupMissingIcmpType",
    "SecurityGroupMultipleRemoteEntites",  # as Neutron spells it
    "SecurityGroupNotSingleGroupRules",
    "SecurityGroupProtocolRequiredWithPorts",
    "SecurityGroupRemoteGroupAndRemoteIpPrefix",
    "SecurityGroupRuleInvalidEtherType",
    "SecurityGroupRuleInvalidProtocol",
    "SecurityGroupRuleParameterConflict",
    "SecurityGroupRulesNotSingleProject",
    "SecurityGroupRulesNotSingleTenant",
    "PortSecurityAndIPRequiredForSecurityGroups",
)

_ABSENT = (
    "HTTPMethodNotAllowed",
    "badMethod",
    "HTTPNotImplemented",
    "NotImplemented",
    "notImplemented",
    "Not Implemented",
)

_FORBIDDEN = ("PolicyNotAuthorized", "AdminRequired", "NotAuthorized", "forbidden", "Forbidden")

_THROTTLED = ("OverLimit", "overLimit", "HTTPTooManyRequests", "tooManyRequests")

_FAILED = (
    "NeutronError",  # Neutron's rendering of an error it has no class for
    "HTTPInternalServerError",
    "HTTPBadGateway",
    "HTTPServiceUnavailable",
    "HTTPGatewayTimeout",
    "ServiceUnavailable",
    "RetryRequest",
    "computeFault",
    "serviceUnavailable",
    "Internal Server Error",
    "Service Unavailable",
)

CODES: Mapping[str, type[CloudError]] = {
    **dict.fromkeys(_NOT_FOUND, NotFoundError),
    **dict.fromkeys(_ABOUT_THE_ADDRESS, UnknownShapeError),
    **dict.fromkeys(_IN_USE, InUseError),
    **dict.fromkeys(_CHANGED, ConflictError),
    **dict.fromkeys(_REFUSED, CloudError),
    **dict.fromkeys(_LIMIT, LimitError),
    **dict.fromkeys(_NEVER, InvalidRequestError),
    **dict.fromkeys(_ABSENT, ApiAbsentError),
    **dict.fromkeys(_FORBIDDEN, ForbiddenError),
    **dict.fromkeys(_THROTTLED, ThrottledError),
    **dict.fromkeys(_FAILED, UnavailableError),
    "Unauthorized": UnauthenticatedError,
    "unauthorized": UnauthenticatedError,
}

_ALREADY_SO: Mapping[str, frozenset[str]] = {
    "share-group": frozenset({"DuplicateRbacPolicy"}),
    # Nova: the server has the group already (a duplicate in the list), or has it no more.
    "add-group": frozenset({"badRequest", "conflictingRequest"}),
    "remove-group": frozenset({"itemNotFound"}),
}


def may_be_reached(change: str, code: str) -> bool:
    """Return whether an error of this change may mean that its aim is reached already.

    Only reading it back tells: the same codes have other meanings too.
    """
    return code in _ALREADY_SO[change]
