"""What a query of the emulated Alibaba Cloud ECS is answered without the permission for it.

Source: "Announcement of changes to the authentication mechanism for ECS query API operations",
alibabacloud.com/help/en/ecs, 2025-09: the response before the change.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

QUERIES: Mapping[str, tuple[str, str]] = {
    "DescribeInstances": ("Instances", "Instance"),
    "DescribeNetworkInterfaces": ("NetworkInterfaceSets", "NetworkInterfaceSet"),
    "DescribeSecurityGroupAttribute": ("Permissions", "Permission"),
    "DescribeSecurityGroupReferences": ("SecurityGroupReferences", "SecurityGroupReference"),
    "DescribeSecurityGroups": ("SecurityGroups", "SecurityGroup"),
}
"""Every query, and the list in its response."""

LISTS = frozenset({"DescribeInstances", "DescribeNetworkInterfaces", "DescribeSecurityGroups"})
"""Queries without a resource that must be authorised: "all resources" in their tables."""

_PAGED = {"NextToken": "", "PageNumber": 1, "PageSize": 10, "TotalCount": 0}


def nothing(action: str) -> dict[str, Any]:
    """Return the response to a denied query: an empty list."""
    container, item = QUERIES[action]
    paging = {} if action == "DescribeSecurityGroupReferences" else _PAGED
    return {container: {item: []}, **paging}
