"""What the emulated Alibaba Cloud ECS does: one function an action, over the shared state.

Source: the page of each action, alibabacloud.com/help/en/ecs, read 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sgguard.emulator.faces.alibaba.answers import RefusedError
from sgguard.emulator.faces.alibaba.call import Call, id_list, page, page_by_token
from sgguard.emulator.faces.alibaba.render import (
    render_group,
    render_instance,
    render_interface,
    render_references,
    render_rule,
)
from sgguard.emulator.state import Group, Interface

RECORDS_MAX = 100
IDS_MAX = 10


def describe_references(call: Call) -> dict[str, Any]:
    """Name the groups whose rules name each of one to ten groups, a hundred records at most."""
    numbered = sorted(
        (int(number), value)
        for key, value in call.params.items()
        for name, _, number in (key.partition("."),)
        if name == "SecurityGroupId" and number.isdigit()
    )
    if not 1 <= len(numbered) <= IDS_MAX:
        raise RefusedError(
            "InvalidSecurityGroupId.Malformed",
            "The specified parameter SecurityGroupId is essential and size should less than 10",
        )
    room = RECORDS_MAX
    referrers: dict[str, list[Group]] = {}
    for _, group_id in numbered:
        call.group(group_id)
        holders = {group.id: group for group, _ in call.cloud.references(group_id)}
        told = list(holders.values())[:room]
        room -= len(told)
        if told or not call.cloud.quirks.get("references_silent"):
            referrers[group_id] = told
    return render_references(referrers, call.cloud.quirks.get("references_shape", "real"))


def describe_groups(call: Call) -> dict[str, Any]:
    """List groups, by id, network or type."""
    wanted = id_list(call, "SecurityGroupIds")
    if one := call.params.get("SecurityGroupId"):
        wanted = [one]
    network = call.params.get("VpcId")
    groups = [
        group
        for group in call.cloud.groups
        if call.sees(group)
        and group.id not in call.cloud.quirks.get("hidden_groups", ())
        and (wanted is None or group.id in wanted)
        and network in (None, group.network)
    ]
    rows = [render_group(group, call.cloud.quirks.get("group_rule_count", "")) for group in groups]
    return page(call, rows, "SecurityGroups", "SecurityGroup", sizes=(1, 10, 100))


def describe_attribute(call: Call) -> dict[str, Any]:
    """Describe one group and list its rules; of a classic group those of one network."""
    group = call.group(call.required("SecurityGroupId"))
    direction = call.params.get("Direction", "all")
    if direction not in ("all", "ingress", "egress"):
        raise RefusedError("InvalidParamter", "The specified Direction is not valid.")
    nic = "" if group.network else call.params.get("NicType", "internet")
    rules = [
        rule
        for rule in group.rules
        if direction in ("all", rule.direction) and nic in ("", rule.nic)
    ]
    rows = [render_rule(call.cloud, rule) for rule in rules]
    return {
        "RegionId": group.region,
        "SecurityGroupId": group.id,
        "SecurityGroupName": group.name,
        "Description": group.description,
        "VpcId": group.network,
        "InnerAccessPolicy": "Accept",
        **page_by_token(call, rows, "Permissions", "Permission", sizes=(10, 500, 1000)),
    }


def describe_instances(call: Call) -> dict[str, Any]:
    """List instances; a group is looked for on primary interfaces only."""
    wanted = id_list(call, "InstanceIds")
    group_id = call.params.get("SecurityGroupId")
    carriers = {
        interface.instance
        for interface in call.cloud.interfaces
        if interface.kind == "primary" and group_id in interface.groups
    }
    rows = [
        render_instance(call.cloud, instance)
        for instance in call.cloud.instances
        if call.sees(instance)
        and (wanted is None or instance.id in wanted)
        and (group_id is None or instance.id in carriers)
    ]
    return page(call, rows, "Instances", "Instance", sizes=(10, 10, 100))


def describe_interfaces(call: Call) -> dict[str, Any]:
    """List interfaces; with a group, the secondary ones only."""
    group_id, instance_id = call.params.get("SecurityGroupId"), call.params.get("InstanceId")
    wanted = [value for key, value in call.params.items() if key.startswith("NetworkInterfaceId.")]
    rows = [
        render_interface(interface)
        for interface in call.cloud.interfaces
        if call.sees(interface)
        and (not wanted or interface.id in wanted)
        and instance_id in (None, interface.instance)
        and (group_id is None or (interface.kind != "primary" and group_id in interface.groups))
    ]
    return page(call, rows, "NetworkInterfaceSets", "NetworkInterfaceSet", sizes=(10, 10, 500))


def delete_group(call: Call) -> dict[str, Any]:
    """Delete a group that nothing carries, references or owns."""
    group = call.group(call.required("SecurityGroupId"))
    if group.managed_by:
        raise RefusedError(
            "InvalidOperation.ResourceManagedByCloudProduct",
            "The resource is managed by a cloud product.",
            403,
        )
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


def join_group(call: Call) -> dict[str, Any]:
    """Bind a group to an instance's primary interface, or to a secondary interface."""
    group = call.group(call.required("SecurityGroupId"))
    interface = _interface_to_join(call)
    if interface.managed_by:
        raise RefusedError("InvalidOperation.EniServiceManaged", "The ENI is managed.", 403)
    if interface.network != group.network:
        raise RefusedError(
            "InvalidInstanceId.Mismatch", "Instance and security group are not in one VPC."
        )
    if group.id in interface.groups:
        raise RefusedError(
            "InvalidInstanceId.AlreadyExists", "The instance is in the security group already.", 403
        )
    if len(interface.groups) >= call.cloud.limits.get("groups-per-interface", 5):
        raise RefusedError(
            "InstanceSecurityGroupLimitExceeded",
            "Exceeding the allowed amount of security groups that an instance can be in.",
            403,
        )
    ceiling = 65536 if group.kind == "advanced" else 2000
    carrying = len(call.cloud.instances_with(group.id))
    if carrying >= call.cloud.limits.get("instances-per-group", ceiling):
        raise RefusedError(
            "SecurityGroupInstanceLimitExceeded",
            "The maximum number of instances in a security group is exceeded.",
            403,
        )
    interface.groups.append(group.id)
    return {}


ACTIONS: Mapping[str, Callable[[Call], dict[str, Any]]] = {
    "DeleteSecurityGroup": delete_group,
    "DescribeInstances": describe_instances,
    "DescribeNetworkInterfaces": describe_interfaces,
    "DescribeSecurityGroupAttribute": describe_attribute,
    "DescribeSecurityGroupReferences": describe_references,
    "DescribeSecurityGroups": describe_groups,
    "JoinSecurityGroup": join_group,
}


def _interface_to_join(call: Call) -> Interface:
    if interface_id := call.params.get("NetworkInterfaceId"):
        interface = call.cloud.interface(interface_id)
        if interface is None or not call.sees(interface):
            raise RefusedError("InvalidNetworkInterfaceId.NotFound", "No such ENI.", 404)
        return interface
    instance = call.cloud.instance(call.required("InstanceId"))
    carried = call.cloud.interfaces_of(instance.id) if instance else []
    if instance is None or instance.account != call.account.id or not carried:
        raise RefusedError(
            "InvalidInstanceId.NotFound", "The specified InstanceId does not exist.", 404
        )
    if instance.state.capitalize() not in ("Running", "Stopped"):
        raise RefusedError(
            "IncorrectInstanceStatus", "The current status of the resource does not allow it.", 403
        )
    return carried[0]
