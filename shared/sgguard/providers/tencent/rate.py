"""How often each action of Tencent's API 3.0 may be called, per second.

Counted by API, region and sub-account (https://cloud.tencent.com/document/api/1709/106767).
Sources: the sentence at the top of each action's page (read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Mapping

RATES: Mapping[str, float] = {
    "AssociateSecurityGroups": 10,
    "DisassociateSecurityGroups": 10,
    "ModifyInstancesAttribute": 10,
    "DescribeInstances": 40,
    "DescribeSecurityGroupReferences": 20,
    "DescribeSecurityGroupLimits": 20,
    "CreateSecurityGroup": 100,
    "DeleteSecurityGroup": 100,
    "DescribeSecurityGroupAssociationStatistics": 100,
    "DescribeSecurityGroupPolicies": 100,
    "CreateSecurityGroupPolicies": 100,
    "DescribeSecurityGroups": 100,
    "DescribeNetworkInterfaces": 100,
    "DeleteSecurityGroupPolicies": 100,
    "AssociateNetworkInterfaceSecurityGroups": 20,
    "DisassociateNetworkInterfaceSecurityGroups": 20,
    "ModifyNetworkInterfaceAttribute": 20,
}
"""Calls per second, by action."""

INFERRED: frozenset[str] = frozenset(
    {
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
        "DeleteSecurityGroupPolicies",
        "DisassociateSecurityGroups",
        "AssociateNetworkInterfaceSecurityGroups",
        "ModifyNetworkInterfaceAttribute",
    }
)
"""Those whose pages name no rate that could be found: taken from their family's other actions."""
