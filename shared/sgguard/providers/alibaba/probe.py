"""Permission checks for Alibaba Cloud ECS: one per action that verdicts and remedies use.

An empty list is no sign of a permission: what shows one is in ``proof``. Of the actions here only
DescribeInstances and DescribeSecurityGroups know ``DryRun`` (API 2014-05-26, SDK 7.11.8); none that
changes a group, a rule or a binding does, so that is not reported.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sgguard.model.sentence import Text
from sgguard.providers._probing import PermissionCheck, Probe, Setup
from sgguard.providers.alibaba import Alibaba
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.endpoint import regions
from sgguard.providers.alibaba.listing import GROUPS, INSTANCES, INTERFACES, RULES
from sgguard.providers.alibaba.proof import (
    REFERENCES,
    doubt_of_groups,
    doubt_of_instances,
    doubt_of_interfaces,
    doubt_of_references,
    doubt_of_rules,
    unpermitted,
)

MAX_SKEW_S = 15 * 60

_ENDPOINT = "SGGUARD_ENDPOINT_ALIBABA"

SETUP = Setup(
    is_configured=lambda read: bool(
        read("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    ),
    credentials="ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    # The second one is set by Function Compute.
    region=lambda read: regions(read(f"{_ENDPOINT}_ECS", _ENDPOINT)).setting(
        read, "ALIBABA_CLOUD_REGION_ID", "FC_REGION"
    ),
    region_variable="ALIBABA_CLOUD_REGION_ID",
)

_READS: tuple[tuple[str, Callable[[EcsClient], Text], str], ...] = (
    (GROUPS.action, doubt_of_groups, "groups"),
    (REFERENCES, doubt_of_references, "who references a group"),
    (RULES.action, doubt_of_rules, "rules"),
    (INSTANCES.action, doubt_of_instances, "instances"),
    (INTERFACES.action, doubt_of_interfaces, "network interfaces"),
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
        PermissionCheck(action, brings, _grant(action), ask=partial(_ask, ecs, action, doubt))
        for action, doubt, brings in _READS
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
        region_codes=("InvalidRegionId*", "InvalidOperation.InvalidRegion"),
        absent_codes=("InvalidAction*", "InvalidApi*", "UnsupportedOperation"),
    )


def _ask(ecs: EcsClient, action: str, doubt_of: Callable[[EcsClient], Text]) -> None:
    """Call, and raise ForbiddenError where nothing shows that the call may list anything."""
    if doubt := doubt_of(ecs):
        raise unpermitted(action, doubt)


def _grant(action: str) -> str:
    return f"ecs:{action} in RAM"
