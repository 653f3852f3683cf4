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

_RAISABLE = "5 by default; Alibaba raises it to 10 or 16 on request, the policy can say so"
LIMITS = (
    Limit("groups-per-instance", 5, note=f"{_RAISABLE} (ECS, Limits)"),
    Limit("groups-per-interface", 5, note=f"{_RAISABLE} (ECS, Limits)"),
    Limit(
        "instances-per-group",
        2000,
        note="of a basic group (JoinSecurityGroup); newer pages count up to 6000 private addresses",
        applies_to="basic",
    ),
    Limit(
        "instances-per-group",
        65536,
        note="of an advanced group, counted in interfaces (JoinSecurityGroup)",
        applies_to="advanced",
    ),
    Limit("rules-per-group", 200, note="a prefix list counts with its capacity (ECS, Limits)"),
    Limit(
        "rules-per-interface",
        1000,
        note="groups times their rules, over all groups of an interface (AuthorizeSecurityGroup)",
    ),
    Limit(
        "references-per-group",
        20,
        note="groups that a basic group may name (AuthorizeSecurityGroup)",
        applies_to="basic",
    ),
    Limit(
        "references-per-group",
        0,
        note="an advanced group names no groups (AuthorizeSecurityGroup)",
        applies_to="advanced",
    ),
    Limit("groups-per-project", 100, note="of an account and region; raised on request"),
)
"""The documented limits; where two pages disagree the lower number counts."""

RATES: Mapping[str, float] = {"Describe*": 50.0, "*": 10.0}
"""Calls per second by action. Alibaba Cloud documents no numbers for ECS: these are conservative
estimates of our own. A wait that the cloud requests (``x-acs-retry-after``) takes precedence."""
