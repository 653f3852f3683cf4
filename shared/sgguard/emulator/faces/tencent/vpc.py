"""The security-group actions of Tencent's VPC service, 2017-03-12, on the emulated state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sgguard.emulator.faces.tencent.call import Call, TencentError, require_group_ids
from sgguard.emulator.state import Group, Interface, Rule, StateError

_IDS_MAX = 100
# Not documented; Terraform's provider sends no more in one call.
_COUNTED_MAX = 50

PRODUCTS: Mapping[str, str] = {
    "load-balancer": "CLB",
    "database": "CDB",
    "redis": "Redis",
    "mongodb": "MongoDB",
}
"""Product types by the kind of an attachment; other kinds are shown as they are."""

_SHOWN = ("CDB", "CVM", "ENI", "CLB", "DCDB", "MongoDB", "Mariadb", "Redis", "POSTGRES", "NATGW")


def describe_security_groups(call: Call) -> dict[str, Any]:
    """List groups by id or filter. ``Offset`` and ``Limit`` are texts here.

    Raises:
        TencentError: an unknown id makes the whole call fail (quirk ``missing_group = "omitted"``
            leaves it out instead).
    """
    ids = call.texts("SecurityGroupIds", at_most=_IDS_MAX, is_required=False)
    filters = call.filters("security-group-id", "project-id", "security-group-name")
    if ids and filters:
        raise TencentError("InvalidParameter.Coexist", "SecurityGroupIds and Filters coexist.")
    require_group_ids(ids, "InvalidParameterValue.Malformed")
    offset, limit = call.page(kind=str)
    known = call.groups()
    if call.cloud.quirks.get("missing_group") != "omitted":
        _require(known, ids)
    wanted = {"security-group-id": lambda g: g.id, "project-id": lambda g: g.project}
    wanted["security-group-name"] = lambda g: g.name
    found = [
        group
        for group in known.values()
        if (not ids or group.id in ids)
        and all(wanted[name](group) in values for name, values in filters.items())
    ]
    rows = [_group(group) for group in found[offset : offset + limit]]
    return {"TotalCount": len(found), "SecurityGroupSet": rows}


def _group(group: Group) -> dict[str, Any]:
    return {
        "SecurityGroupId": group.id,
        "SecurityGroupName": group.name,
        "SecurityGroupDesc": group.description,
        "ProjectId": group.project or "0",
        "IsDefault": group.default,
        "CreatedTime": group.created,
        "UpdateTime": group.created,
        "TagSet": [{"Key": key, "Value": value} for key, value in group.tags.items()],
    }


def describe_security_group_policies(call: Call) -> dict[str, Any]:
    """List the rules of one group, both directions, without pages."""
    group = call.groups().get(_group_id(call, "InvalidParameterValue.Malformed"))
    if group is None:
        raise TencentError("ResourceNotFound", "The security group does not exist.")
    filters = call.filters("security-group-id", "ip", "protocol-type", "port", "direction")
    policies = {
        key: [
            _policy(call, rule, index)
            for index, rule in enumerate(r for r in group.rules if r.direction == direction)
            if _matches(rule, filters)
        ]
        for key, direction in (("Ingress", "ingress"), ("Egress", "egress"))
    }
    return {"SecurityGroupPolicySet": {"Version": str(group.version), **policies}}


def _policy(call: Call, rule: Rule, index: int) -> dict[str, Any]:
    is_ipv6 = ":" in rule.cidr
    policy: dict[str, Any] = {
        "PolicyIndex": index,
        "Protocol": "ALL" if rule.protocol == "any" else rule.protocol,
        "Port": "ALL" if rule.ports == "any" else rule.ports,
        "Action": rule.action.upper(),
        "PolicyDescription": rule.description,
        "ModifyTime": "2026-11-01 00:00:00",
        "Priority": rule.priority,
    }
    exclusive = {
        "CidrBlock": "" if is_ipv6 else rule.cidr,
        "Ipv6CidrBlock": rule.cidr if is_ipv6 else "",
        "SecurityGroupId": rule.peer_group,
    }
    template = {"AddressId": rule.template, "AddressGroupId": ""}
    unset = call.cloud.quirks.get("unset_fields", "empty")
    if unset == "empty":
        empty = {"ServiceId": "", "ServiceGroupId": ""}
        return {**policy, **exclusive, "AddressTemplate": template, "ServiceTemplate": empty}
    set_fields = {key: value for key, value in exclusive.items() if value}
    if rule.template:
        set_fields["AddressTemplate"] = template  # type: ignore[assignment]  # JSON values differ
    if unset == "null":
        nothing = dict.fromkeys((*exclusive, "AddressTemplate", "ServiceTemplate"))
        return {**policy, **nothing, **set_fields}
    return {**policy, **set_fields}


def _matches(rule: Rule, filters: Mapping[str, list[str]]) -> bool:
    said = {
        "security-group-id": rule.peer_group,
        "ip": rule.cidr,
        "protocol-type": rule.protocol.upper(),
        "port": rule.ports,
        "direction": "INBOUND" if rule.direction == "ingress" else "OUTBOUND",
    }
    return all(said[name] in values or "ALL" in values for name, values in filters.items())


def describe_security_group_references(call: Call) -> dict[str, Any]:
    """Say, by group, which groups' rules name it."""
    ids = _counted_ids(call)
    is_with_self = bool(call.cloud.quirks.get("references_include_self"))
    omitted = call.cloud.quirks.get("references_omit", [])
    rows = [
        {"SecurityGroupId": group_id, "ReferredSecurityGroupIds": list(names)}
        for group_id in ids
        if group_id not in omitted
        for names in [_referrers(call, group_id, is_with_self=is_with_self)]
    ]
    return {"ReferredSecurityGroupSet": rows}


def _referrers(call: Call, group_id: str, *, is_with_self: bool) -> dict[str, None]:
    return dict.fromkeys(
        group.id
        for group in call.groups().values()
        if (is_with_self or group.id != group_id)
        and any(rule.peer_group == group_id for rule in group.rules)
    )


def describe_security_group_association_statistics(call: Call) -> dict[str, Any]:
    """Count what carries each group, by product. The order is not the one asked in."""
    ids = _counted_ids(call)
    omitted = call.cloud.quirks.get("statistics_omit", [])
    rows = [_statistics(call, group_id) for group_id in reversed(ids) if group_id not in omitted]
    return {"SecurityGroupAssociationStatisticsSet": rows}


def _statistics(call: Call, group_id: str) -> dict[str, Any]:
    counts = dict.fromkeys(_SHOWN, 0)
    for interface in call.cloud.interfaces_with(group_id):
        counts["CVM" if interface.kind == "primary" and interface.instance else "ENI"] += 1
    for attachment in call.cloud.attachments_with(group_id):
        product = PRODUCTS.get(attachment.kind, attachment.kind)
        counts[product] = counts.get(product, 0) + 1
    row: dict[str, Any] = {name: counts[name] for name in ("CVM", "CDB", "ENI", "CLB")}
    # The group's own rules are counted, as are those of groups the list may leave out.
    row["SG"] = len(_referrers(call, group_id, is_with_self=True))
    row["SecurityGroupId"] = group_id
    row["TotalCount"] = sum(counts.values())
    if not call.cloud.quirks.get("statistics_brief"):
        row["InstanceStatistics"] = [
            {"InstanceType": name, "InstanceCount": count} for name, count in counts.items()
        ]
    return row


def describe_security_group_limits(call: Call) -> dict[str, Any]:
    """Give the quotas; quirk ``limits_sample`` repeats the page's own sample (2000 groups)."""
    if call.cloud.quirks.get("limits_absent"):
        raise TencentError("InvalidAction", "The action is not found.")
    limits = call.cloud.limits
    is_sample = call.cloud.quirks.get("limits_sample")
    per_instance = 2000 if is_sample else limits.get("groups-per-instance", 5)
    return {
        "SecurityGroupLimitSet": {
            "SecurityGroupLimit": limits.get("groups-per-project", 50),
            "SecurityGroupPolicyLimit": limits.get("rules-per-group", 100),
            "ReferedSecurityGroupLimit": limits.get("references-per-group", 10),
            "SecurityGroupInstanceLimit": limits.get("instances-per-group", 2000),
            "InstanceSecurityGroupLimit": per_instance,
        }
    }


def describe_network_interfaces(call: Call) -> dict[str, Any]:
    """List interfaces by id or filter; ``Offset`` and ``Limit`` are numbers."""
    ids = call.texts("NetworkInterfaceIds", at_most=_IDS_MAX, is_required=False)
    filters = call.filters("groups.security-group-id", "attachment.instance-id", "vpc-id")
    if ids and filters:
        raise TencentError("InvalidParameter.Coexist", "NetworkInterfaceIds and Filters coexist.")
    offset, limit = call.page(kind=int)
    said: dict[str, Callable[[Interface], list[str]]] = {
        "groups.security-group-id": lambda i: i.groups,
        "attachment.instance-id": lambda i: [i.instance],
        "vpc-id": lambda i: [i.network],
    }
    found = [
        interface
        for interface in call.mine(call.cloud.interfaces)
        if (not ids or interface.id in ids)
        and not call.is_hidden(interface.id)
        and all(set(said[name](interface)) & set(values) for name, values in filters.items())
    ]
    rows = [_interface(interface) for interface in found[offset : offset + limit]]
    return {"TotalCount": len(found), "NetworkInterfaceSet": rows}


def _interface(interface: Interface) -> dict[str, Any]:
    attachment = {"InstanceId": interface.instance, "DeviceIndex": 0}
    return {
        "NetworkInterfaceId": interface.id,
        "NetworkInterfaceName": interface.name,
        "GroupSet": list(interface.groups),
        "Primary": interface.kind == "primary",
        "State": "AVAILABLE",
        "Attachment": attachment if interface.instance else None,
        "VpcId": interface.network,
        "EniType": 0,
        "Business": "cvm",
    }


def delete_security_group(call: Call) -> dict[str, Any]:
    """Delete a group that nothing carries or references; there is no forced delete here."""
    group_id = _group_id(call, "InvalidSecurityGroupID.Malformed")
    if group_id not in call.groups():
        raise TencentError("InvalidSecurityGroupID.NotFound", "The group does not exist.")
    try:
        call.cloud.delete_group(group_id)
    except StateError as error:
        raise TencentError(_REFUSALS[error.kind], f"`{group_id}` cannot be deleted.") from error
    return {}


_REFUSALS = {
    "in-use": "ResourceInUse",
    "referenced": "ResourceInUse",
    "default": "UnsupportedOperation",
    "managed": "UnsupportedOperation.LockedResources",
}


def _group_id(call: Call, malformed: str) -> str:
    group_id = call.params.get("SecurityGroupId")
    if not isinstance(group_id, str) or not group_id:
        raise TencentError("MissingParameter", "`SecurityGroupId` is required.")
    require_group_ids([group_id], malformed)
    return group_id


def _counted_ids(call: Call) -> list[str]:
    ids = call.texts("SecurityGroupIds", at_most=_COUNTED_MAX)
    require_group_ids(ids, "InvalidParameterValue.Malformed")
    _require(call.groups(), ids)
    return ids


def _require(known: Mapping[str, Group], ids: list[str]) -> None:
    for group_id in ids:
        if group_id not in known:
            raise TencentError("ResourceNotFound", f"The resource `{group_id}` does not exist.")


Action = Callable[[Call], dict[str, Any]]
ACTIONS: Mapping[str, tuple[Action, frozenset[str]]] = {
    "DescribeSecurityGroups": (
        describe_security_groups,
        frozenset(
            {"SecurityGroupIds", "Filters", "Offset", "Limit", "OrderField", "OrderDirection"}
        ),
    ),
    "DescribeSecurityGroupPolicies": (
        describe_security_group_policies,
        frozenset({"SecurityGroupId", "Filters"}),
    ),
    "DescribeSecurityGroupReferences": (
        describe_security_group_references,
        frozenset({"SecurityGroupIds"}),
    ),
    "DescribeSecurityGroupAssociationStatistics": (
        describe_security_group_association_statistics,
        frozenset({"SecurityGroupIds"}),
    ),
    "DescribeSecurityGroupLimits": (describe_security_group_limits, frozenset()),
    "DescribeNetworkInterfaces": (
        describe_network_interfaces,
        frozenset({"NetworkInterfaceIds", "Filters", "Offset", "Limit"}),
    ),
    "DeleteSecurityGroup": (delete_security_group, frozenset({"SecurityGroupId"})),
}
"""What each action does and which parameters it knows."""
