"""Uses of a group in Tencent's VPC service: referrers, counts of holders, and the limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sgguard.emulator.faces.tencent.call import (
    Call,
    RefusedError,
    require_group_ids,
    require_known,
)

# Not documented; Terraform's provider sends at most 50 in one call.
_IDS_MAX = 50

PRODUCTS: Mapping[str, str] = {
    "load-balancer": "CLB",
    "database": "CDB",
    "redis": "Redis",
    "mongodb": "MongoDB",
}
"""Product types by the kind of an attachment; other kinds keep their name."""

PRODUCT_TYPES = (
    *("CDB", "CVM", "ENI", "CLB", "DCDB", "HSM", "MongoDB", "Mariadb", "Redis", "TBASE"),
    *("SQLSERVER", "CHC", "CTSDBI", "POSTGRES", "CYNOSDBPG", "TDAPG", "ELASTICSEARCH", "NATGW"),
    *("ENDPOINT", "CASB", "CVP", "KONISGRAPH", "TDSTORE", "LB-WAN", "CVD", "EKS", "LB-LAN"),
)
"""The types counted in a response recorded in 2023, in its order; a new product adds one."""


def describe_security_group_references(call: Call) -> dict[str, Any]:
    """List, by group, the groups whose rules name it.

    Quirk ``references_reversed``: the groups that its own rules name, which is another reading of
    the English page. Quirk ``references_hide``: without these, although they are counted.
    """
    quirks = call.cloud.quirks
    is_with_self = bool(quirks.get("references_include_self"))
    omitted, hidden = quirks.get("references_omit", []), quirks.get("references_hide", [])
    named = _referred if quirks.get("references_reversed") else _referrers
    rows = [
        {
            "SecurityGroupId": group_id,
            "ReferredSecurityGroupIds": [
                name
                for name in named(call, group_id)
                if name not in hidden
                and not call.is_hidden(name)
                and (is_with_self or name != group_id)
            ],
        }
        for group_id in _ids(call)
        if group_id not in omitted
    ]
    return {"ReferredSecurityGroupSet": rows}


def _referrers(call: Call, group_id: str) -> list[str]:
    naming = {group.id for group, _ in call.cloud.naming(group_id)}
    return [name for name in call.groups() if name in naming]


def _referred(call: Call, group_id: str) -> list[str]:
    peers = (rule.peer_group for rule in call.groups()[group_id].rules)
    return list(dict.fromkeys(peer for peer in peers if peer))


def describe_security_group_association_statistics(call: Call) -> dict[str, Any]:
    """Count the holders of each group, by product. The order is not that of the request."""
    ids = _ids(call)
    omitted = call.cloud.quirks.get("statistics_omit", [])
    rows = [_statistics(call, group_id) for group_id in reversed(ids) if group_id not in omitted]
    return {"SecurityGroupAssociationStatisticsSet": rows}


def _statistics(call: Call, group_id: str) -> dict[str, Any]:
    counts = dict.fromkeys(PRODUCT_TYPES, 0)
    for interface in call.cloud.interfaces_with(group_id):
        counts["CVM" if interface.kind == "primary" and interface.instance else "ENI"] += 1
    for attachment in call.cloud.attachments_with(group_id):
        product = PRODUCTS.get(attachment.kind, attachment.kind)
        counts[product] = counts.get(product, 0) + 1
    row: dict[str, Any] = {name: counts[name] for name in ("CVM", "CDB", "ENI", "CLB")}
    # The group's own rules are counted, as are those of groups the list may leave out.
    row["SG"] = len(_referrers(call, group_id))
    row["SecurityGroupId"] = group_id
    row["TotalCount"] = sum(counts.values())
    if not call.cloud.quirks.get("statistics_brief"):
        row["InstanceStatistics"] = [
            {"InstanceType": name, "InstanceCount": count} for name, count in counts.items()
        ]
    return row


def describe_security_group_limits(call: Call) -> dict[str, Any]:
    """Return the quotas.

    Quirk ``limits_sample`` repeats the page's own sample (2000 groups per instance),
    ``limits_omit`` leaves keys out.
    """
    quirks = call.cloud.quirks
    if quirks.get("limits_absent"):
        raise RefusedError("InvalidAction", "The action is not found.")
    limits = call.cloud.limits
    per_instance = 2000 if quirks.get("limits_sample") else limits.get("groups-per-instance", 5)
    values = {
        "SecurityGroupLimit": limits.get("groups-per-project", 50),
        "SecurityGroupPolicyLimit": limits.get("rules-per-group", 100),
        "ReferedSecurityGroupLimit": limits.get("references-per-group", 10),
        "SecurityGroupInstanceLimit": limits.get("instances-per-group", 2000),
        "InstanceSecurityGroupLimit": per_instance,
    }
    # Newer than the page's sample, which lacks it.
    if (per_referenced := limits.get("instances-per-referenced-group")) is not None:
        values["SecurityGroupReferedCvmAndEniLimit"] = per_referenced
    omitted = quirks.get("limits_omit", [])
    return {"SecurityGroupLimitSet": {k: v for k, v in values.items() if k not in omitted}}


def _ids(call: Call) -> list[str]:
    """Return the ids of the call (quirk ``ids_max``: how many it may have)."""
    ids = call.texts("SecurityGroupIds", at_most=call.cloud.quirks.get("ids_max", _IDS_MAX))
    require_group_ids(ids, "InvalidParameterValue.Malformed")
    require_known(call.groups(), ids)
    return ids


ACTIONS: Mapping[str, tuple[Callable[[Call], dict[str, Any]], frozenset[str]]] = {
    "DescribeSecurityGroupReferences": (
        describe_security_group_references,
        frozenset({"SecurityGroupIds"}),
    ),
    "DescribeSecurityGroupAssociationStatistics": (
        describe_security_group_association_statistics,
        frozenset({"SecurityGroupIds"}),
    ),
    "DescribeSecurityGroupLimits": (describe_security_group_limits, frozenset()),
}
"""The function and the parameter names of each action."""
