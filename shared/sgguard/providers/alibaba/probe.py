"""Permission checks for Alibaba Cloud ECS: one per action that verdicts and remedies use.

Lists are read with their smallest page, everything else for a group that cannot exist. Of the
actions here only DescribeSecurityGroups knows ``DryRun`` (API 2014-05-26, read 2026-11), which
needs none; none that changes a group, a rule or a binding does, so that is not reported.
"""

from __future__ import annotations

from functools import partial

from sgguard.providers._probing import PermissionCheck, Probe, Setup
from sgguard.providers.alibaba import Alibaba
from sgguard.providers.alibaba.api import EcsClient, regions

MAX_SKEW_S = 15 * 60

SETUP = Setup(
    is_configured=lambda read: bool(
        read("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    ),
    credentials="ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    # The second one is set by Function Compute.
    region=lambda read: regions(read("SGGUARD_ENDPOINT_ALIBABA")).setting(
        read, "ALIBABA_CLOUD_REGION_ID", "FC_REGION"
    ),
    region_variable="ALIBABA_CLOUD_REGION_ID",
)

_ABSENT_ID = "sg-00000000000000000000"
_SMALLEST = {"MaxResults": "10"}
_READS: tuple[tuple[str, dict[str, str], tuple[str, str], str], ...] = (
    ("DescribeSecurityGroups", _SMALLEST, ("SecurityGroups", "SecurityGroup"), "groups"),
    (
        "DescribeSecurityGroupReferences",
        {"SecurityGroupId.1": _ABSENT_ID},
        ("SecurityGroupReferences", "SecurityGroupReference"),
        "who references a group",
    ),
    (
        "DescribeSecurityGroupAttribute",
        {"SecurityGroupId": _ABSENT_ID, **_SMALLEST},
        ("Permissions", "Permission"),
        "rules",
    ),
    ("DescribeInstances", _SMALLEST, ("Instances", "Instance"), "instances"),
    (
        "DescribeNetworkInterfaces",
        _SMALLEST,
        ("NetworkInterfaceSets", "NetworkInterfaceSet"),
        "network interfaces",
    ),
)
_CHANGES = (
    ("DeleteSecurityGroup", "deleting a group"),
    ("RevokeSecurityGroup", "revoking an ingress rule"),
    ("RevokeSecurityGroupEgress", "revoking an egress rule"),
    ("AuthorizeSecurityGroup", "restoring an ingress rule"),
    ("AuthorizeSecurityGroupEgress", "restoring an egress rule"),
    ("ModifyInstanceAttribute", "moving an instance to other groups"),
    ("ModifyNetworkInterfaceAttribute", "moving an interface to other groups"),
    ("JoinSecurityGroup", "binding an instance or interface"),
    ("LeaveSecurityGroup", "unbinding an instance or interface"),
    ("CreateSecurityGroup", "restoring a deleted group"),
    ("ModifySecurityGroupPolicy", "restoring a group whose members do not reach each other"),
)


def probe(provider: Alibaba) -> Probe:
    """Return how to examine this region."""
    ecs = provider.ecs
    reads = (
        PermissionCheck(
            action, brings, _grant(action), ask=partial(_ask, ecs, action, params, where)
        )
        for action, params, where, brings in _READS
    )
    changes = (
        PermissionCheck(
            action,
            brings,
            _grant(action),
            need="change",
            why_untested="ECS documents no dry run for it",
        )
        for action, brings in _CHANGES
    )
    return Probe(
        endpoints=(f"{ecs.url}/",),
        clock_tolerance_s=MAX_SKEW_S,
        checks=(*reads, *changes),
        skew_codes=("IllegalTimestamp*", "InvalidTimeStamp*"),
        region_codes=("InvalidRegionId*",),
        absent_codes=("InvalidAction*",),
    )


def _ask(ecs: EcsClient, action: str, params: dict[str, str], where: tuple[str, str]) -> object:
    """Call, and require the list that every successful response has."""
    return ecs.read(action, params).items(*where)


def _grant(action: str) -> str:
    return f"ecs:{action} in RAM"
