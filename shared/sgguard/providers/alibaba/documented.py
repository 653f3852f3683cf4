"""What Alibaba Cloud documents and no call reports: capabilities, limits and rates.

Source: "Limits", "Basic security groups and advanced security groups", JoinSecurityGroup,
AuthorizeSecurityGroup and DeleteSecurityGroup, alibabacloud.com/help/en/ecs, 2021 to 2026.
"""

from __future__ import annotations

from collections.abc import Mapping

from sgguard.model.capabilities import Capabilities
from sgguard.model.resource import Limit
from sgguard.model.sentence import said
from sgguard.providers.alibaba.response import PROVIDER

_UNREADABLE = said("spot.alibaba-protection")
_UNLAUNCHED = said("spot.alibaba-templates")
_ELSEWHERE = said("spot.alibaba-whitelists")

_PARTIAL = said("spot.alibaba-ram")

CAPABILITIES = Capabilities(
    provider=PROVIDER,
    on_delete_referenced="refused",
    # One code for "still carried" and for "still referenced": what was read shows which.
    refused_with="DependencyViolation",
    managed_refused_with="InvalidOperation.ResourceManagedByCloudProduct",
    group_limit_per="instance",
    group_id_example="sg-bp67acfmxazb4p2jfvo1",
    replaces_groups=True,
    rules_together="alike",
    # Both calls that authorise refuse one as InvalidSecurityGroup.IsSame.
    has_self_references=False,
    # A basic and an advanced group on one interface (JoinSecurityGroup; the spelling is theirs).
    mixed_kinds_refused_with="EnterpriseGroupLimited.MutliGroupType",
    # By the ClientToken ("How to ensure idempotence").
    resumes_creation=True,
    blind_spots=(_UNREADABLE, _UNLAUNCHED, _ELSEWHERE, _PARTIAL),
)

_RAISABLE = said("limit.raisable", page="ECS, Limits")
LIMITS = (
    Limit("groups-per-instance", 5, note=_RAISABLE),
    Limit("groups-per-interface", 5, note=_RAISABLE),
    Limit(
        "instances-per-group",
        2000,
        note=said("limit.basic-holders", page="JoinSecurityGroup"),
        applies_to="basic",
    ),
    Limit(
        "instances-per-group",
        65536,
        note=said("limit.advanced-holders", page="JoinSecurityGroup"),
        applies_to="advanced",
    ),
    Limit("rules-per-group", 200, note=said("limit.prefix-lists", page="ECS, Limits")),
    Limit(
        "rules-per-interface",
        1000,
        note=said("limit.over-all-groups", page="AuthorizeSecurityGroup"),
    ),
    Limit(
        "references-per-group",
        20,
        note=said("limit.basic-peers", page="AuthorizeSecurityGroup"),
        applies_to="basic",
    ),
    Limit(
        "references-per-group",
        0,
        note=said("limit.advanced-peers", page="AuthorizeSecurityGroup"),
        applies_to="advanced",
    ),
    Limit("groups-per-project", 100, note=said("limit.of-region")),
)
"""The documented limits; where two pages disagree the lower number counts."""

RATES: Mapping[str, float] = {"Describe*": 50.0, "*": 10.0}
"""Calls per second by action. Alibaba Cloud documents no numbers for ECS: these are conservative
estimates of our own. A wait that the cloud requests (``x-acs-retry-after``) takes precedence."""
