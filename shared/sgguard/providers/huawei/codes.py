"""Every error code of Huawei Cloud and Open Telekom Cloud, as an error class: one table.

Documents (read 2026-11), one per part of the table:

- the gateway, ``APIGW.*``: https://support.huaweicloud.com/intl/en-us/devg-apisign/ (error codes),
  and its other generation, ``APIG.*``: the same under ``usermanual-apig/apig_03_0048.html``;
- VPC v1 and v3, ``VPC.*`` and ``SYS.*``: ``api-vpc/vpc_api_0003.html``, and the same appendix of
  https://docs.otc.t-systems.com/virtual-private-cloud/api-ref/;
- ECS v1, ``Ecs.*``: the appendix of https://docs.otc.t-systems.com/elastic-cloud-server/api-ref/;
- IAM: ``iam_02_0006.html`` of https://docs.otc.t-systems.com/identity-access-management/api-ref/;
- VPC v2.0, types of Neutron: https://docs.openstack.org/api-ref/network/v2/ and Neutron's source.

What these codes have in common: "contact technical support" may pass and is tried again; a wrong
parameter never is. A code that is not in the table is classified by its HTTP status.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
)

Kind = type[CloudError]


def _each(kind: Kind, codes: Iterable[str]) -> dict[str, Kind]:
    return dict.fromkeys(codes, kind)


_GATEWAY: Mapping[str, Kind] = {
    # 0101: the gateway knows no such API, or not this method of it. It never means "no such group".
    **_each(ApiAbsentError, ["0101"]),
    **_each(InvalidRequestError, ["0106", "0201", "0204", "0602", "0607"]),
    **_each(UnauthenticatedError, ["0301", "0303", "0305", "0307", "0310", "0311", "0312", "0313"]),
    **_each(UnauthenticatedError, ["0314", "0315", "1009"]),
    # 0309 and 0502: the project or the app is frozen; 0802: this region is closed to the user.
    **_each(ForbiddenError, ["0302", "0304", "0306", "0309", "0401", "0402", "0404", "0502"]),
    **_each(ForbiddenError, ["0802"]),
    **_each(ThrottledError, ["0308"]),
    **_each(LimitError, ["0501"]),
    **_each(UnavailableError, ["0103", "0104", "0105", "0107", "0202", "0203", "0601", "0605"]),
    **_each(UnavailableError, ["0606", "0608", "0609", "0610", "0611", "0612", "0613", "0614"]),
    **_each(UnavailableError, ["0615", "0705"]),
}
"""The last four digits; both generations of the gateway number the same errors alike."""

_VPC: Mapping[str, Kind] = {
    # 0003: the VPC is not there, which says nothing of a group. 0007: another project's address.
    **_each(InvalidRequestError, ["VPC.0002", "VPC.0003", "VPC.0007", "VPC.0601", "VPC.1207"]),
    **_each(InvalidRequestError, ["SYS.0400"]),
    # 0004: "not active, please try later".
    **_each(UnavailableError, ["VPC.0004", "SYS.0500"]),
    # 0005: an account that is restricted; 0009: one without a verified name.
    **_each(UnauthenticatedError, ["VPC.0005", "VPC.0008", "VPC.0009"]),
    **_each(ForbiddenError, ["VPC.0010", "VPC.2201", "VPC.2701"]),
    **_each(NotFoundError, ["VPC.0603", "VPC.9904"]),
    **_each(LimitError, ["VPC.0604", "VPC.0607", "VPC.0609", "VPC.9905"]),
    **_each(InUseError, ["VPC.9907"]),
}
"""``VPC.0602``, ``VPC.0608`` and ``VPC.0612`` wrap other errors: see :data:`NEUTRON`.

``VPC.9902`` has several meanings: see :data:`SEVERAL`.
"""

_ECS: Mapping[str, Kind] = {
    "Ecs.0000": UnavailableError,
    "Ecs.0001": LimitError,
    "Ecs.0002": UnavailableError,
    "Ecs.0003": ForbiddenError,
    "Ecs.0004": UnauthenticatedError,
    "Ecs.0005": InvalidRequestError,
    "Ecs.0014": InvalidRequestError,
    "Ecs.0050": LimitError,
    "Ecs.0114": NotFoundError,
    # Native Nova.
    "itemNotFound": NotFoundError,
    "forbidden": ForbiddenError,
    "conflictingRequest": ConflictError,
    "overLimit": ThrottledError,
    "computeFault": UnavailableError,
}

_IAM: Mapping[str, Kind] = {
    **_each(InvalidRequestError, ["IAM.0001", "IAM.0007", "IAM.0009", "IAM.0011", "IAM.0072"]),
    **_each(InvalidRequestError, ["1100"]),
    **_each(UnauthenticatedError, ["IAM.0002", "IAM.0005", "1101", "1103", "Unauthorized"]),
    "IAM.0003": ForbiddenError,
    "IAM.0004": NotFoundError,
    "IAM.0006": UnavailableError,
}

NEUTRON: Mapping[str, Kind] = {
    "SecurityGroupInUse": InUseError,
    "SecurityGroupRuleInUse": InUseError,
    "SecurityGroupNotFound": NotFoundError,
    "SecurityGroupRuleNotFound": NotFoundError,
    "AddressGroupNotFound": NotFoundError,
    "PortNotFound": NotFoundError,
    "SecurityGroupRuleExists": ConflictError,
    "SecurityGroupDefaultAlreadyExists": ConflictError,
    "RevisionNumberConstraintFailed": ConflictError,
    "PolicyNotAuthorized": ForbiddenError,
    "OverQuota": LimitError,
    "HTTPBadRequest": InvalidRequestError,
}
"""Types inside a NeutronError, whatever the status: VPC.0602 wraps them with 409 and with 500."""

BY_CODE: Mapping[str, Kind] = {
    **{f"{name}.{digits}": kind for name in ("APIGW", "APIG") for digits, kind in _GATEWAY.items()},
    **_VPC,
    **_ECS,
    **_IAM,
    **NEUTRON,
}

SEVERAL: Mapping[tuple[str, int, str], Kind] = {
    ("VPC.9902", 400, ""): InvalidRequestError,
    ("VPC.9902", 409, ""): ConflictError,
    ("VPC.9902", 409, "DELETE"): InUseError,
}
"""Codes with several meanings, by code, status and method; the empty method is any other.

A group to delete is in use, a rule to create exists already, or a rule is malformed.
"""

ABSENT = frozenset(code for code, kind in BY_CODE.items() if kind is ApiAbsentError)
"""The call is not offered here."""


def kind_of(code: str, status: int, method: str) -> Kind | None:
    """Return what a code means, None for one that the table does not have.

    The cloud's own fault comes before a wrong parameter: documents give some of these codes for
    both, with a status of 500 and more for the former.
    """
    for wanted in (method, ""):
        if several := SEVERAL.get((code, status, wanted)):
            return several
    kind = BY_CODE.get(code)
    is_its_fault = kind is InvalidRequestError and status >= _OWN_FAULT
    return UnavailableError if is_its_fault else kind


_OWN_FAULT = 500
