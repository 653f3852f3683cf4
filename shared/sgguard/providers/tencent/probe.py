"""Permission checks for Tencent Cloud: one per action that verdicts and remedies use.

Lists are read with one row, everything else for a group that cannot exist: the cloud checks the
permission before it looks for the group. A list without a row shows nothing: with some policies of
CAM what may not be seen is left out of a list without an error. No action that changes groups or
bindings has a dry run, so no call shows which changes are permitted.
CAM actions: https://cloud.tencent.com/document/product/598.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sgguard.providers._probing import Grant, PermissionCheck, Probe, Setup
from sgguard.providers._tencent import REGIONS
from sgguard.providers.tencent import Tencent
from sgguard.providers.tencent.api import SERVICES, Service, TencentApi
from sgguard.providers.tencent.codes import ABSENT_CODES
from sgguard.wire.tc3 import MAX_SKEW_S

_CREDENTIALS = (
    "TENCENTCLOUD_SECRET_ID",
    "TENCENTCLOUD_SECRETID",
    "TENCENTCLOUD_SECRET_KEY",
    "TENCENTCLOUD_SECRETKEY",
)
SETUP = Setup(
    is_configured=lambda read: bool(read(*_CREDENTIALS)),
    credentials="TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY",
    region=lambda read: REGIONS.setting(read, "TENCENTCLOUD_REGION"),
    region_variable="TENCENTCLOUD_REGION",
)

_ABSENT_ID = "sg-00000000"
_ONE: dict[str, object] = {"Offset": 0, "Limit": 1}
_EMPTY = "the answer is empty, which does not show whether it may be read"
_OF_ABSENT: dict[str, object] = {"SecurityGroupIds": [_ABSENT_ID]}

_READS: tuple[tuple[Service, str, dict[str, object], str, str], ...] = (
    # Offset and Limit are texts in this one action.
    ("vpc", "DescribeSecurityGroups", {"Offset": "0", "Limit": "1"}, "groups", ""),
    ("vpc", "DescribeSecurityGroupReferences", _OF_ABSENT, "who references a group", ""),
    ("vpc", "DescribeSecurityGroupAssociationStatistics", _OF_ABSENT, "what carries a group", ""),
    ("vpc", "DescribeSecurityGroupPolicies", {"SecurityGroupId": _ABSENT_ID}, "rules", ""),
    ("cvm", "DescribeInstances", _ONE, "instances", ""),
    ("vpc", "DescribeNetworkInterfaces", _ONE, "network interfaces", ""),
    (
        "vpc",
        "DescribeSecurityGroupLimits",
        {},
        "limits",
        "the documented limits are used (the international site has no call for them)",
    ),
)
_CHANGES: tuple[tuple[Service, str, str], ...] = (
    ("vpc", "DeleteSecurityGroup", "deleting a group"),
    ("vpc", "DeleteSecurityGroupPolicies", "revoking a rule"),
    ("vpc", "CreateSecurityGroupPolicies", "restoring a rule"),
    ("vpc", "ReplaceSecurityGroupPolicies", "rewriting a rule"),
    ("vpc", "CreateSecurityGroup", "restoring a group"),
    ("cvm", "AssociateSecurityGroups", "binding an instance"),
    ("cvm", "DisassociateSecurityGroups", "unbinding an instance"),
    ("cvm", "ModifyInstancesAttribute", "replacing the groups of an instance"),
    ("vpc", "AssociateNetworkInterfaceSecurityGroups", "binding an interface"),
    ("vpc", "DisassociateNetworkInterfaceSecurityGroups", "unbinding an interface"),
    ("vpc", "ModifyNetworkInterfaceAttribute", "replacing the groups of an interface"),
)


def probe(provider: Tencent) -> Probe:
    """Return how to examine this region: both services, each at its own address."""
    api = provider.api

    def ask(service: Service, action: str, params: dict[str, object]) -> Callable[[], object]:
        return partial(_answered, api, service, action, params)

    reads = (
        PermissionCheck(
            action,
            brings,
            _grant(service, action),
            ask=ask(service, action, params),
            why_untested=_EMPTY if params.get("Limit") else "",
            if_absent=otherwise,
        )
        for service, action, params, brings, otherwise in _READS
    )
    changes = (
        PermissionCheck(
            action,
            brings,
            _grant(service, action),
            need="change",
            why_untested="Tencent documents no dry run for it",
        )
        for service, action, brings in _CHANGES
    )
    return Probe(
        endpoints=tuple(dict.fromkeys(f"{api.urls[service]}/" for service in SERVICES)),
        clock_tolerance_s=MAX_SKEW_S,
        checks=(*reads, *changes),
        skew_codes=("AuthFailure.SignatureExpire",),
        region_codes=("UnsupportedRegion",),
        absent_codes=(*ABSENT_CODES, "UnsupportedOperation"),
    )


def _answered(
    api: TencentApi, service: Service, action: str, params: dict[str, object]
) -> Grant | None:
    """Send a read; an answer whose lists are all empty shows no permission."""
    body = api.read(service, action, params)
    lists = [value for value in body.values() if isinstance(value, list)]
    return Grant.NOT_TOLD if lists and not any(lists) else None


def _grant(service: Service, action: str) -> str:
    return f"{service}:{action} in CAM"
