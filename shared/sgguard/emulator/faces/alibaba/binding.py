"""Binding groups to instances and interfaces of the emulated Alibaba Cloud ECS.

A call binds one group, unbinds one, or replaces the list. With the quirk ``binding_delay_s`` the
change takes effect at once and is listed only after that time, as on the real cloud: see
``listed_groups`` in ``rows.py``.

Source: JoinSecurityGroup, LeaveSecurityGroup, ModifyInstanceAttribute and
ModifyNetworkInterfaceAttribute, alibabacloud.com/help/en/ecs, every revision up to 2026-01.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sgguard.emulator import edit
from sgguard.emulator.faces.alibaba.call import Call, numbered
from sgguard.emulator.faces.alibaba.response import RefusedError
from sgguard.emulator.faces.alibaba.rows import interface_state, keep_listed, listed_groups
from sgguard.emulator.state import Group, Interface

GROUPS_MAX = 5
REGION_OPTIONAL = frozenset({"JoinSecurityGroup", "LeaveSecurityGroup", "ModifyInstanceAttribute"})
"""Actions that take the region from their instance if it is left out."""

_SIZES = {"advanced": 65536}
_SIZE = 2000


def join_group(call: Call) -> dict[str, Any]:
    """Bind a group to an instance's primary interface, or to a secondary interface."""
    group = call.group(call.required("SecurityGroupId"))
    interface = _target(call)
    if group.id in interface.groups:
        raise RefusedError(
            "InvalidInstanceId.AlreadyExists",
            "The specified instance already exists in the specified security group.",
            403,
        )
    if interface.network != group.network:
        code = "InvalidInstanceId.Mismatch"
        raise RefusedError(code, "Instance and security group are not in one VPC.")
    if len(interface.groups) >= call.cloud.limits.get("groups-per-interface", GROUPS_MAX):
        raise RefusedError(
            "InstanceSecurityGroupLimitExceeded",
            "Exceeding the allowed amount of security groups that an instance can be in.",
            403,
        )
    if len(_kinds(call, [*interface.groups, group.id])) > 1:
        message = "The specified instance can't join different types of security group."
        raise RefusedError("InvalidOperation.MultiGroupType", message)
    _require_capacity(call, group, "SecurityGroupInstanceLimitExceeded")
    return _set_groups(call, interface, [*interface.groups, group.id])


def leave_group(call: Call) -> dict[str, Any]:
    """Unbind a group; the last one is never unbound."""
    group = call.group(call.required("SecurityGroupId"))
    interface = _target(call)
    is_instance = "InstanceId" in call.params
    if group.id not in interface.groups:
        if is_instance:
            raise RefusedError("InstanceNotInSecurityGroup", "The instance not in the group.", 403)
        message = "The specified ENI is not associated with the specified security group."
        raise RefusedError("InvalidSecurityGroupAssociation.NotFound", message)
    if len(interface.groups) == 1:
        code = "InstanceLastSecurityGroup" if is_instance else "InvalidOperation.AtLeastInOneGroup"
        message = "The specified security group is the last security group for the instance."
        raise RefusedError(code, message, 403)
    return _set_groups(call, interface, [one for one in interface.groups if one != group.id])


def modify_instance(call: Call) -> dict[str, Any]:
    """Replace the groups of an instance's primary interface."""
    interface = _primary_of(call, call.required("InstanceId"))
    group_ids = _group_ids(call, "SecurityGroupIds")
    _require_compatible(call, interface, group_ids, "InvalidInstanceId.Mismatch", 400)
    return _set_groups(call, interface, group_ids)


def modify_interface(call: Call) -> dict[str, Any]:
    """Replace the groups of a secondary interface."""
    interface = _secondary(call, call.required("NetworkInterfaceId"))
    group_ids = _group_ids(call, "SecurityGroupId")
    _require_compatible(call, interface, group_ids, "InvalidOperation.VpcMismatch", 403)
    return _set_groups(call, interface, group_ids)


ACTIONS = {
    "JoinSecurityGroup": join_group,
    "LeaveSecurityGroup": leave_group,
    "ModifyInstanceAttribute": modify_instance,
    "ModifyNetworkInterfaceAttribute": modify_interface,
}


def _set_groups(call: Call, interface: Interface, group_ids: Sequence[str]) -> dict[str, Any]:
    keep_listed(call, interface, listed_groups(call, interface))
    edit.set_groups(call.cloud, interface, group_ids)
    return {}


def _group_ids(call: Call, name: str) -> list[str]:
    """Return the ids of a list; each exists and is unique."""
    group_ids = list(numbered(call, name))
    if not group_ids:
        raise RefusedError("MissingParameter", f'The input parameter "{name}" is not supplied.')
    if len(set(group_ids)) < len(group_ids):
        raise RefusedError("InvalidParameter", f"The specified {name} are repeated.")
    for group_id in group_ids:
        call.group(group_id)
    return group_ids


def _require_compatible(
    call: Call, interface: Interface, group_ids: Sequence[str], code: str, status: int
) -> None:
    """Refuse groups of another VPC, of two types, too many, or with too many instances."""
    groups = [call.group(group_id) for group_id in group_ids]
    if any(group.network != interface.network for group in groups):
        raise RefusedError(code, "The specified groups are not in the VPC.", status)
    if len(group_ids) > call.cloud.limits.get("groups-per-interface", GROUPS_MAX):
        message = "The specified instance has exceed quota of SecurityGroup."
        raise RefusedError("JoinedGroupLimitExceed", message)
    if len(_kinds(call, group_ids)) > 1:
        message = "The specified instance can not join multi SecurityGroup types."
        raise RefusedError("EnterpriseGroupLimited.MutliGroupType", message, 403)
    for group in groups:
        if group.id not in interface.groups:
            _require_capacity(call, group, "SecurityGroupInstanceLimitExceed")


def _kinds(call: Call, group_ids: Sequence[str]) -> set[str]:
    groups = (call.cloud.group(group_id) for group_id in group_ids)
    return {group.kind or "basic" for group in groups if group is not None}


def _require_capacity(call: Call, group: Group, code: str) -> None:
    """Refuse a holder more than fits: a basic group counts instances, an advanced one interfaces.

    Raises:
        RefusedError: ``code``, or InvalidOperation.NetworkInterfaceCountExceeded.
    """
    ceiling = call.cloud.limits.get("instances-per-group", _SIZES.get(group.kind, _SIZE))
    if group.kind == "advanced":
        if len(call.cloud.interfaces_with(group.id)) >= ceiling:
            message = "The maximum number of NetworkInterface in a enterprise level security group"
            code = "InvalidOperation.NetworkInterfaceCountExceeded"
            raise RefusedError(code, f"{message} is exceeded.", 403)
    elif len(call.cloud.instances_with(group.id)) >= ceiling:
        message = "The maximum number of instances in a security group is exceeded."
        raise RefusedError(code, message, 403)


def _target(call: Call) -> Interface:
    """Return the interface that a call names by its id or by its instance."""
    if interface_id := call.params.get("NetworkInterfaceId"):
        if "InstanceId" in call.params:
            code = "InvalidParam.EniIdAndInstanceId.Conflict"
            raise RefusedError(code, "InstanceId and NetworkInterfaceId are both set.", 403)
        return _secondary(call, interface_id)
    return _primary_of(call, call.required("InstanceId"))


def _secondary(call: Call, interface_id: str) -> Interface:
    interface = call.cloud.interface(interface_id)
    if interface is None or not call.sees(interface):
        raise RefusedError("InvalidEniId.NotFound", "The specified ENI ID does not exist.", 404)
    if interface.managed_by:
        raise RefusedError("InvalidOperation.EniServiceManaged", "The ENI is managed.", 403)
    if interface.kind == "primary":
        raise RefusedError("InvalidOperation.InvalidEniType", "The ENI is a primary one.", 403)
    if interface_state(call, interface) not in ("Available", "InUse"):
        raise RefusedError("InvalidOperation.InvalidEniState", "The ENI state is not valid.")
    return interface


def _primary_of(call: Call, instance_id: str) -> Interface:
    instance = call.cloud.instance(instance_id)
    interfaces = call.cloud.interfaces_of(instance.id) if instance else []
    if instance is None or instance.account != call.account.id or not interfaces:
        raise RefusedError(
            "InvalidInstanceId.NotFound", "The specified InstanceId does not exist.", 404
        )
    if instance.state.capitalize() not in ("Running", "Stopped"):
        raise RefusedError(
            "IncorrectInstanceStatus",
            "The current status of the resource does not support this operation.",
            403,
        )
    if call.cloud.quirks.get("locks", {}).get(instance.id):
        raise RefusedError(
            "InstanceLockedForSecurity",
            "The specified operation is denied as your instance is locked for security reasons.",
            403,
        )
    return interfaces[0]
