"""The security-group actions of Tencent's VPC service, 2017-03-12: reading, and deleting a group.

Referrers, counts of holders, and the limits: ``usage.py``. Changing groups and rules:
``change.py``; the groups of interfaces: ``interface_binding.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sgguard.emulator.faces.tencent import change, interface_binding, usage
from sgguard.emulator.faces.tencent.call import (
    Call,
    RefusedError,
    require_group_ids,
    require_known,
)
from sgguard.emulator.faces.tencent.rule import rule_row
from sgguard.emulator.state import Group, Interface, Rule, StateError

_IDS_MAX = 100


def describe_security_groups(call: Call) -> dict[str, Any]:
    """List groups by id or filter. ``Offset`` and ``Limit`` are texts here.

    Raises:
        RefusedError: an unknown id makes the whole call fail (quirk ``missing_group = "omitted"``
            leaves it out instead).
    """
    ids = call.texts("SecurityGroupIds", at_most=_IDS_MAX, is_required=False)
    filters = call.filters("security-group-id", "project-id", "security-group-name")
    if ids and filters:
        raise RefusedError("InvalidParameter.Coexist", "SecurityGroupIds and Filters coexist.")
    require_group_ids(ids, "InvalidParameterValue.Malformed")
    offset, limit = call.page(kind=str)
    known = call.groups()
    if call.cloud.quirks.get("missing_group") != "omitted":
        require_known(known, ids)
    wanted = {"security-group-id": lambda g: g.id, "project-id": lambda g: g.project}
    wanted["security-group-name"] = lambda g: g.name
    found = [
        group
        for group in known.values()
        if (not ids or group.id in ids)
        and not call.is_hidden(group.id)
        and all(wanted[name](group) in values for name, values in filters.items())
    ]
    rows = [_group(group) for group in call.page_of(found, offset, limit)]
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
    """List the rules of one group by position, per direction, without pages."""
    group = call.groups().get(_group_id(call, "InvalidParameterValue.Malformed"))
    if group is None:
        raise RefusedError("ResourceNotFound", "The security group does not exist.")
    filters = call.filters("security-group-id", "ip", "protocol-type", "port", "direction")
    lists = {
        key: [
            rule_row(call, rule, index)
            for index, rule in enumerate(r for r in group.rules if r.direction == direction)
            if _matches(rule, filters)
        ]
        for key, direction in (("Ingress", "ingress"), ("Egress", "egress"))
    }
    return {"SecurityGroupPolicySet": {"Version": str(group.version), **lists}}


def _matches(rule: Rule, filters: Mapping[str, list[str]]) -> bool:
    values_of = {
        "security-group-id": rule.peer_group,
        "ip": rule.cidr,
        "protocol-type": rule.protocol.upper(),
        "port": rule.ports,
        "direction": "INBOUND" if rule.direction == "ingress" else "OUTBOUND",
    }
    return all(values_of[name] in values or "ALL" in values for name, values in filters.items())


def describe_network_interfaces(call: Call) -> dict[str, Any]:
    """List interfaces by id or filter; ``Offset`` and ``Limit`` are numbers."""
    ids = call.texts("NetworkInterfaceIds", at_most=_IDS_MAX, is_required=False)
    filters = call.filters("groups.security-group-id", "attachment.instance-id", "vpc-id")
    if ids and filters:
        raise RefusedError("InvalidParameter.Coexist", "NetworkInterfaceIds and Filters coexist.")
    offset, limit = call.page(kind=int)
    values_of: dict[str, Callable[[Interface], list[str]]] = {
        "groups.security-group-id": lambda i: i.groups,
        "attachment.instance-id": lambda i: [i.instance],
        "vpc-id": lambda i: [i.network],
    }
    wanted, hidden = set(ids), set(call.cloud.quirks.get("lists_hide", []))
    checks = [(values_of[name], set(values)) for name, values in filters.items()]

    def find() -> list[Interface]:
        return [
            interface
            for interface in call.own(call.cloud.interfaces)
            if (not wanted or interface.id in wanted)
            and interface.id not in hidden
            and all(not values.isdisjoint(of(interface)) for of, values in checks)
        ]

    found = call.kept(("DescribeNetworkInterfaces", tuple(ids), repr(filters)), find)
    rows = [_interface(interface) for interface in call.page_of(found, offset, limit)]
    return {"TotalCount": len(found), "NetworkInterfaceSet": rows}


def _interface(interface: Interface) -> dict[str, Any]:
    attachment = {"InstanceId": interface.instance, "DeviceIndex": 0}
    return {
        "NetworkInterfaceId": interface.id,
        "NetworkInterfaceName": interface.name,
        "GroupSet": list(interface.groups),
        "Primary": interface.kind == "primary",
        "State": "AVAILABLE",  # of an interface at rest
        "Attachment": attachment if interface.instance else None,
        "VpcId": interface.network,
        "EniType": 0,
        "Business": interface.managed_by or "cvm",
    }


def delete_security_group(call: Call) -> dict[str, Any]:
    """Delete a group without holders or referrers; this API has no forced delete."""
    group_id = _group_id(call, "InvalidSecurityGroupID.Malformed")
    if group_id not in call.groups():
        raise RefusedError("InvalidSecurityGroupID.NotFound", "The group does not exist.")
    try:
        call.cloud.delete_group(group_id)
    except StateError as error:
        raise RefusedError(_REFUSALS[error.kind], f"`{group_id}` cannot be deleted.") from error
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
        raise RefusedError("MissingParameter", "`SecurityGroupId` is required.")
    require_group_ids([group_id], malformed)
    return group_id


Handler = Callable[[Call], dict[str, Any]]
ACTIONS: Mapping[str, tuple[Handler, frozenset[str]]] = {
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
    **usage.ACTIONS,
    **change.ACTIONS,
    **interface_binding.ACTIONS,
    "DescribeNetworkInterfaces": (
        describe_network_interfaces,
        frozenset({"NetworkInterfaceIds", "Filters", "Offset", "Limit"}),
    ),
    "DeleteSecurityGroup": (delete_security_group, frozenset({"SecurityGroupId"})),
}
"""The function and the parameter names of each action."""
