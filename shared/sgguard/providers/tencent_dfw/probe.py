"""Permission checks for Tencent's API 2.0: one per action, for a group that cannot exist.

It shares its credentials with API 3.0, so it counts as set up only where one of its own settings is
set. API 2.0 has no dry run.
"""

from __future__ import annotations

from functools import partial

from sgguard.providers._probing import PermissionCheck, Probe, Setup
from sgguard.providers._tencent import REGIONS
from sgguard.providers.access import ReadVariable
from sgguard.providers.tencent_dfw import TencentDfw
from sgguard.providers.tencent_dfw.api import PATH
from sgguard.wire.qcloud_v2 import MAX_SKEW_S

_WANTED = (
    "SGGUARD_ENDPOINT_TENCENT_DFW",
    "SGGUARD_ACCOUNT_TENCENT_DFW",
    "SGGUARD_TENCENT_DFW_SIGNATURE",
)
_CREDENTIALS = (
    "TENCENTCLOUD_SECRET_ID",
    "TENCENTCLOUD_SECRETID",
    "TENCENTCLOUD_SECRET_KEY",
    "TENCENTCLOUD_SECRETKEY",
)
_ABSENT_ID = "sg-00000000"
_READS: tuple[tuple[str, dict[str, object], str], ...] = (
    ("DescribeSecurityGroups", {"sgId": _ABSENT_ID}, "groups"),
    ("DescribeAssociateSecurityGroups", {"sgIds": [_ABSENT_ID]}, "who references a group"),
    ("DescribeSecurityGroupPolicy", {"sgId": _ABSENT_ID}, "rules"),
    (
        "DescribeInstancesOfSecurityGroup",
        {"sgId": _ABSENT_ID, "offset": 0, "limit": 1},
        "instances that carry a group",
    ),
    (
        "DescribeNetworkInterfacesOfSecurityGroup",
        {"sgId": _ABSENT_ID},
        "interfaces that carry a group",
    ),
)
_CHANGES = (
    ("DeleteSecurityGroup", "deleting a group"),
    ("DeleteSecurityGroupPolicy", "revoking a rule"),
    ("CreateSecurityGroupPolicy", "restoring a rule"),
    ("ModifySecurityGroupsOfInstance", "binding and unbinding an instance"),
    ("CreateSecurityGroup", "restoring a group"),
)


def _is_configured(read: ReadVariable) -> bool:
    return bool(read(*_CREDENTIALS) and read(*_WANTED))


SETUP = Setup(
    is_configured=_is_configured,
    credentials=(
        "TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY, and SGGUARD_ENDPOINT_TENCENT_DFW "
        "(or name it with --provider)"
    ),
    region=lambda read: REGIONS.setting(read, "TENCENTCLOUD_REGION"),
    region_variable="TENCENTCLOUD_REGION",
)


def probe(provider: TencentDfw) -> Probe:
    """Return how to examine this region."""
    api = provider.api
    reads = (
        PermissionCheck(action, brings, f"dfw:{action}", ask=partial(api.read, action, **params))
        for action, params, brings in _READS
    )
    changes = (
        PermissionCheck(
            action, brings, f"dfw:{action}", need="change", why_untested="API 2.0 has no dry run"
        )
        for action, brings in _CHANGES
    )
    action = "DescribeSecurityGroupPolicys"
    version = PermissionCheck(
        action,
        "the version of rules, without which none is changed",
        f"dfw:{action}",
        need="change",
        ask=partial(api.read, action, sgId=_ABSENT_ID),
    )
    return Probe(
        endpoints=(f"{api.url}{PATH}",),
        clock_tolerance_s=MAX_SKEW_S,
        checks=(*reads, version, *changes),
        skew_codes=("4200", "4500"),
        # "A parameter is wrong": of what is sent here only the region can be.
        region_codes=("4000",),
    )
