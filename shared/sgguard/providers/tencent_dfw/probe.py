"""Permission checks for Tencent's API 2.0: one per action, for a group that cannot exist.

It shares its credentials with API 3.0, so it counts as set up only where one of its own settings is
set. API 2.0 has no dry run.
"""

from __future__ import annotations

from functools import partial

from sgguard.errors import CloudError
from sgguard.providers._probing import Grant, PermissionCheck, Probe, Setup
from sgguard.providers._tencent import REGIONS
from sgguard.providers.access import ReadVariable
from sgguard.providers.tencent_dfw import TencentDfw, response
from sgguard.providers.tencent_dfw.api import PATH, DfwApi
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
_GROUPS_MAX = 50
_EMPTY = "the answer is empty, which does not show whether it may be read"
# The cloud checks the permission before it looks for the group, and says that there is none.
_READS: tuple[tuple[str, dict[str, object], str], ...] = (
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
    lists = (
        PermissionCheck(action, brings, f"dfw:{action}", ask=partial(ask, api), why_untested=_EMPTY)
        for action, brings, ask in (
            ("DescribeSecurityGroups", "groups", _has_groups),
            ("DescribeAssociateSecurityGroups", "who references a group", _has_associates),
        )
    )
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
        checks=(*lists, *reads, version, *changes),
        skew_codes=("4200", "4500"),
        # "A parameter is wrong": of what is sent here only the region can be.
        region_codes=("4000",),
    )


def _has_groups(api: DfwApi) -> Grant | None:
    return None if _groups(api) else Grant.NOT_TOLD


def _has_associates(api: DfwApi) -> Grant | None:
    """Ask about groups that exist: the action has no error for one that does not."""
    action = "DescribeAssociateSecurityGroups"
    try:
        ids = _groups(api)[:_GROUPS_MAX] or [_ABSENT_ID]
    except CloudError:
        ids = [_ABSENT_ID]  # which groups exist is another permission
    told = response.associates(api.shape(action), api.read(action, sgIds=ids), asked=ids)
    return None if told else Grant.NOT_TOLD


def _groups(api: DfwApi) -> list[str]:
    action = "DescribeSecurityGroups"
    return [one.group_id for one in response.groups(api.shape(action), api.read(action))]
