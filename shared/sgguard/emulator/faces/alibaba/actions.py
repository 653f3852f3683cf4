"""Actions of the emulated Alibaba Cloud ECS: reading, and deleting a group.

One function per action. Creating groups: ``group.py``; rules: ``rule.py``; bindings:
``binding.py``.

Source: the page of each action, alibabacloud.com/help/en/ecs, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sgguard.emulator.faces._rows import Rows
from sgguard.emulator.faces.alibaba import binding, rule
from sgguard.emulator.faces.alibaba.call import (
    Call,
    id_list,
    numbered,
    page,
    page_by_token,
    require_unmanaged,
)
from sgguard.emulator.faces.alibaba.group import create_group, modify_policy
from sgguard.emulator.faces.alibaba.response import RefusedError
from sgguard.emulator.faces.alibaba.rows import (
    group_row,
    inner_access_fields,
    instance_row,
    interface_row,
    listed_groups,
    references_table,
    rule_row,
)
from sgguard.emulator.state import Group, Instance, Interface

RECORDS_MAX = 100
IDS_MAX = 10


def describe_references(call: Call) -> dict[str, Any]:
    """List the groups whose rules name each of one to ten groups, a hundred records at most."""
    group_ids = numbered(call, "SecurityGroupId")
    if not 1 <= len(group_ids) <= IDS_MAX:
        raise RefusedError(
            "InvalidSecurityGroupId.Malformed",
            "The specified parameter SecurityGroupId is essential and size should less than 10",
        )
    records_left = RECORDS_MAX
    referrers: dict[str, list[Group]] = {}
    for group_id in group_ids:
        call.group(group_id)
        naming = {group.id: group for group, _ in call.cloud.references(group_id)}
        listed = list(naming.values())[:records_left]
        records_left -= len(listed)
        if listed or not call.cloud.quirks.get("references_silent"):
            referrers[group_id] = listed
    return references_table(referrers, call.cloud.quirks.get("references_shape", "real"))


def describe_groups(call: Call) -> dict[str, Any]:
    """List groups, by id, network or type."""
    wanted = id_list(call, "SecurityGroupIds")
    if group_id := call.params.get("SecurityGroupId"):
        wanted = [group_id]
    network = call.params.get("VpcId")
    groups = [
        group
        for group in call.cloud.groups
        if call.sees(group)
        and group.id not in call.cloud.quirks.get("hidden_groups", ())
        and (wanted is None or group.id in wanted)
        and network in (None, group.network)
    ]
    rows = [group_row(call, group) for group in groups]
    return page(call, rows, "SecurityGroups", "SecurityGroup", sizes=(1, 10, 100))


def describe_attribute(call: Call) -> dict[str, Any]:
    """Describe one group and list its rules; of a classic group those of one network."""
    group = call.group(call.required("SecurityGroupId"))
    direction = call.params.get("Direction", "all")
    if direction not in ("all", "ingress", "egress"):
        raise RefusedError("InvalidParamter", "The specified Direction is not valid.")
    nic = "" if group.network else call.params.get("NicType", "internet")
    rows = [
        rule_row(call.cloud, one)
        for one in group.rules
        if direction in ("all", one.direction) and nic in ("", one.nic)
    ]
    return {
        "RegionId": group.region,
        "SecurityGroupId": group.id,
        "SecurityGroupName": group.name,
        "Description": group.description,
        "VpcId": group.network,
        **inner_access_fields(call.cloud, group),
        **page_by_token(call, rows, "Permissions", "Permission", sizes=(10, 500, 1000)),
    }


def describe_instances(call: Call) -> dict[str, Any]:
    """List instances; the filter by group considers primary interfaces only."""
    wanted = id_list(call, "InstanceIds")
    group_id = call.params.get("SecurityGroupId")

    def find() -> list[Instance]:
        holders = set() if group_id is None else _primary_holders(call, group_id)
        return [
            instance
            for instance in call.cloud.instances
            if call.sees(instance)
            and instance.id not in call.cloud.quirks.get("hidden_instances", ())
            and (wanted is None or instance.id in wanted)
            and (group_id is None or instance.id in holders)
        ]

    found = call.kept(("instances", repr(wanted), group_id), find)
    rows = Rows(found, partial(instance_row, call))
    return page(call, rows, "Instances", "Instance", sizes=(10, 10, 100))


def _primary_holders(call: Call, group_id: str) -> set[str]:
    """Return the instances whose primary interface is listed with the group now."""
    is_delayed = bool(call.cloud.quirks.get("binding_delay_s"))
    return {
        interface.instance
        for interface in call.cloud.interfaces
        if (is_delayed or group_id in interface.groups)
        and interface.kind == "primary"
        and group_id in listed_groups(call, interface)
    }


def describe_interfaces(call: Call) -> dict[str, Any]:
    """List interfaces; with a group, which must exist, the secondary ones only."""
    group_id, instance_id = call.params.get("SecurityGroupId"), call.params.get("InstanceId")
    if group_id is not None:
        call.group(group_id)
    wanted = [value for key, value in call.params.items() if key.startswith("NetworkInterfaceId.")]

    def find() -> list[Interface]:
        return [
            interface
            for interface in call.cloud.interfaces
            if call.sees(interface)
            and interface.id not in call.cloud.quirks.get("hidden_interfaces", ())
            and (not wanted or interface.id in wanted)
            and instance_id in (None, interface.instance)
            and (group_id is None or _is_secondary_with(call, interface, group_id))
        ]

    found = call.kept(("interfaces", tuple(wanted), instance_id, group_id), find)
    rows = Rows(found, partial(interface_row, call))
    return page(call, rows, "NetworkInterfaceSets", "NetworkInterfaceSet", sizes=(10, 10, 500))


def _is_secondary_with(call: Call, interface: Interface, group_id: str) -> bool:
    return interface.kind != "primary" and group_id in listed_groups(call, interface)


def delete_group(call: Call) -> dict[str, Any]:
    """Delete a group without holders, referrers or managing service."""
    group = call.group(call.required("SecurityGroupId"))
    require_unmanaged(group)
    if group.protected:
        raise RefusedError(
            "InvalidOperation.DeletionProtection",
            "The specified security group is protected from deletion.",
        )
    if call.cloud.interfaces_with(group.id) or call.cloud.attachments_with(group.id):
        raise RefusedError(
            "DependencyViolation",
            "There is still instance(s) in the specified security group.",
            403,
        )
    if call.cloud.references(group.id):
        raise RefusedError(
            "DependencyViolation",
            "The specified security group has been authorized in another one.",
            403,
        )
    call.cloud.groups.remove(group)
    return {}


ACTIONS: Mapping[str, Callable[[Call], dict[str, Any]]] = {
    "CreateSecurityGroup": create_group,
    "DeleteSecurityGroup": delete_group,
    "DescribeInstances": describe_instances,
    "DescribeNetworkInterfaces": describe_interfaces,
    "DescribeSecurityGroupAttribute": describe_attribute,
    "DescribeSecurityGroupReferences": describe_references,
    "DescribeSecurityGroups": describe_groups,
    "ModifySecurityGroupPolicy": modify_policy,
    **binding.ACTIONS,
    **rule.ACTIONS,
}
