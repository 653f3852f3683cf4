"""Which groups an instance or interface of the emulated ECS carries: one more, one less, or a list.

A change shows a little later where the quirk ``binding_delay_s`` says so: until then instances and
interfaces are listed as they were.

Source: JoinSecurityGroup, LeaveSecurityGroup, ModifyInstanceAttribute and
ModifyNetworkInterfaceAttribute, alibabacloud.com/help/en/ecs, every revision up to 2026-01.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sgguard.emulator import edit
from sgguard.emulator.faces.alibaba.call import Call, numbered
from sgguard.emulator.faces.alibaba.response import RefusedError
from sgguard.emulator.faces.alibaba.rows import groups_shown, keep_shown
from sgguard.emulator.state import Group, Interface

GROUPS_MAX = 5
REGIONLESS = frozenset({"JoinSecurityGroup", "LeaveSecurityGroup", "ModifyInstanceAttribute"})
"""Actions that know the region by the instance they are about."""

_SIZES = {"advanced": 65536}
_SIZE = 2000


def join_group(call: Call) -> dict[str, Any]:
    """Bind a group to an instance's primary interface, or to a secondary interface."""
    group = call.group(call.required("SecurityGroupId"))
    interface = _one_interface(call)
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
        why = "The specified instance can't join different types of security group."
        raise RefusedError("InvalidOperation.MultiGroupType", why)
    _require_place(call, group, "SecurityGroupInstanceLimitExceeded")
    return _changed(call, interface, [*interface.groups, group.id])


def leave_group(call: Call) -> dict[str, Any]:
    """Unbind a group; nothing is ever left without one."""
    group = call.group(call.required("SecurityGroupId"))
    interface = _one_interface(call)
    is_instance = "InstanceId" in call.params
    if group.id not in interface.groups:
        if is_instance:
            raise RefusedError("InstanceNotInSecurityGroup", "The instance not in the group.", 403)
        why = "The specified ENI is not associated with the specified security group."
        raise RefusedError("InvalidSecurityGroupAssociation.NotFound", why)
    if len(interface.groups) == 1:
        code = "InstanceLastSecurityGroup" if is_instance else "InvalidOperation.AtLeastInOneGroup"
        why = "The specified security group is the last security group for the instance."
        raise RefusedError(code, why, 403)
    return _changed(call, interface, [one for one in interface.groups if one != group.id])


def modify_instance(call: Call) -> dict[str, Any]:
    """Give an instance's primary interface the groups of the list instead of those it has."""
    interface = _of_instance(call, call.required("InstanceId"))
    group_ids = _listed(call, "SecurityGroupIds")
    _require_together(call, interface, group_ids, "InvalidInstanceId.Mismatch", 400)
    return _changed(call, interface, group_ids)


def modify_interface(call: Call) -> dict[str, Any]:
    """Give a secondary interface the groups of the list instead of those it has."""
    interface = _secondary(call, call.required("NetworkInterfaceId"))
    group_ids = _listed(call, "SecurityGroupId")
    _require_together(call, interface, group_ids, "InvalidOperation.VpcMismatch", 403)
    return _changed(call, interface, group_ids)


ACTIONS = {
    "JoinSecurityGroup": join_group,
    "LeaveSecurityGroup": leave_group,
    "ModifyInstanceAttribute": modify_instance,
    "ModifyNetworkInterfaceAttribute": modify_interface,
}


def _changed(call: Call, interface: Interface, group_ids: Sequence[str]) -> dict[str, Any]:
    keep_shown(call, interface, groups_shown(call, interface))
    edit.set_groups(call.cloud, interface, group_ids)
    return {}


def _listed(call: Call, name: str) -> list[str]:
    """Return the groups of a list, which exist and come once each."""
    group_ids = list(numbered(call, name))
    if not group_ids:
        raise RefusedError("MissingParameter", f'The input parameter "{name}" is not supplied.')
    if len(set(group_ids)) < len(group_ids):
        raise RefusedError("InvalidParameter", f"The specified {name} are repeated.")
    for group_id in group_ids:
        call.group(group_id)
    return group_ids


def _require_together(
    call: Call, interface: Interface, group_ids: Sequence[str], code: str, status: int
) -> None:
    """Refuse groups of another VPC, of two types, too many, or too full."""
    groups = [call.group(group_id) for group_id in group_ids]
    if any(group.network != interface.network for group in groups):
        raise RefusedError(code, "The specified groups are not in the VPC.", status)
    if len(group_ids) > call.cloud.limits.get("groups-per-interface", GROUPS_MAX):
        why = "The specified instance has exceed quota of SecurityGroup."
        raise RefusedError("JoinedGroupLimitExceed", why)
    if len(_kinds(call, group_ids)) > 1:
        why = "The specified instance can not join multi SecurityGroup types."
        raise RefusedError("EnterpriseGroupLimited.MutliGroupType", why, 403)
    for group in groups:
        if group.id not in interface.groups:
            _require_place(call, group, "SecurityGroupInstanceLimitExceed")


def _kinds(call: Call, group_ids: Sequence[str]) -> set[str]:
    groups = (call.cloud.group(group_id) for group_id in group_ids)
    return {group.kind or "basic" for group in groups if group is not None}


def _require_place(call: Call, group: Group, code: str) -> None:
    ceiling = call.cloud.limits.get("instances-per-group", _SIZES.get(group.kind, _SIZE))
    if len(call.cloud.instances_with(group.id)) >= ceiling:
        why = "The maximum number of instances in a security group is exceeded."
        raise RefusedError(code, why, 403)


def _one_interface(call: Call) -> Interface:
    """Return the interface that a call names, by itself or by its instance."""
    if interface_id := call.params.get("NetworkInterfaceId"):
        if "InstanceId" in call.params:
            code = "InvalidParam.EniIdAndInstanceId.Conflict"
            raise RefusedError(code, "InstanceId and NetworkInterfaceId are both set.", 403)
        return _secondary(call, interface_id)
    return _of_instance(call, call.required("InstanceId"))


def _secondary(call: Call, interface_id: str) -> Interface:
    interface = call.cloud.interface(interface_id)
    if interface is None or not call.sees(interface):
        raise RefusedError("InvalidEniId.NotFound", "The specified ENI ID does not exist.", 404)
    if interface.managed_by:
        raise RefusedError("InvalidOperation.EniServiceManaged", "The ENI is managed.", 403)
    if interface.kind == "primary":
        raise RefusedError("InvalidOperation.InvalidEniType", "The ENI is a primary one.", 403)
    return interface


def _of_instance(call: Call, instance_id: str) -> Interface:
    instance = call.cloud.instance(instance_id)
    carried = call.cloud.interfaces_of(instance.id) if instance else []
    if instance is None or instance.account != call.account.id or not carried:
        raise RefusedError(
            "InvalidInstanceId.NotFound", "The specified InstanceId does not exist.", 404
        )
    if instance.state.capitalize() not in ("Running", "Stopped"):
        raise RefusedError(
            "IncorrectInstanceStatus",
            "The current status of the resource does not support this operation.",
            403,
        )
    return carried[0]
