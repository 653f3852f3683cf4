"""Binding groups to network interfaces in Tencent's VPC service. Instances: ``binding.py``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sgguard.emulator import edit
from sgguard.emulator.faces.tencent.call import (
    Call,
    RefusedError,
    require_group_ids,
    require_known,
)
from sgguard.emulator.state import Interface

_IDS_MAX = 100


def associate_network_interface_security_groups(call: Call) -> dict[str, Any]:
    """Bind groups to interfaces, after those they have; a primary interface is refused."""
    found, group_ids = _params(call)
    if any(interface.kind == "primary" for interface in found):
        raise RefusedError("UnsupportedOperation", "a primary interface is not supported.")
    wanted = [list(dict.fromkeys([*interface.groups, *group_ids])) for interface in found]
    ceiling = call.cloud.limits.get("groups-per-instance", 5)
    if any(len(groups) > ceiling for groups in wanted):
        raise RefusedError("LimitExceeded", f"at most {ceiling} security groups")
    return _set(call, found, wanted)


def disassociate_network_interface_security_groups(call: Call) -> dict[str, Any]:
    """Unbind groups from interfaces; an interface may end up with none."""
    found, removed = _params(call)
    return _set(
        call,
        found,
        [[one for one in interface.groups if one not in removed] for interface in found],
    )


def modify_network_interface_attribute(call: Call) -> dict[str, Any]:
    """Rename an interface, or replace its groups."""
    interface_id = call.params.get("NetworkInterfaceId")
    if not isinstance(interface_id, str):
        raise RefusedError("MissingParameter", "`NetworkInterfaceId` is required.")
    found = _interfaces(call, [interface_id])
    group_ids = call.texts("SecurityGroupIds", at_most=_IDS_MAX, is_required=False)
    require_group_ids(group_ids, "InvalidParameterValue.Malformed")
    require_known(call.groups(), group_ids)
    name = call.params.get("NetworkInterfaceName")
    if isinstance(name, str):
        found[0].name = name
    return _set(call, found, [list(dict.fromkeys(group_ids))]) if group_ids else {}


def _params(call: Call) -> tuple[list[Interface], list[str]]:
    found = _interfaces(call, call.texts("NetworkInterfaceIds", at_most=_IDS_MAX))
    group_ids = call.texts("SecurityGroupIds", at_most=_IDS_MAX)
    require_group_ids(group_ids, "InvalidParameterValue.Malformed")
    require_known(call.groups(), group_ids)
    return found, group_ids


def _interfaces(call: Call, ids: Sequence[str]) -> list[Interface]:
    known = {one.id: one for one in call.own(call.cloud.interfaces)}
    for interface_id in ids:
        if interface_id not in known:
            raise RefusedError("ResourceNotFound", f"The resource `{interface_id}` is unknown.")
    for interface_id in ids:
        if owner := known[interface_id].managed_by:
            raise RefusedError("UnsupportedOperation", f"`{interface_id}` belongs to {owner}.")
    return [known[interface_id] for interface_id in ids]


def _set(
    call: Call, interfaces: Sequence[Interface], wanted: Sequence[Sequence[str]]
) -> dict[str, Any]:
    for interface, group_ids in zip(interfaces, wanted, strict=True):
        edit.set_groups(call.cloud, interface, group_ids)
    return {}


_MANY = frozenset({"NetworkInterfaceIds", "SecurityGroupIds"})
ACTIONS: Mapping[str, tuple[Callable[[Call], dict[str, Any]], frozenset[str]]] = {
    "AssociateNetworkInterfaceSecurityGroups": (
        associate_network_interface_security_groups,
        _MANY,
    ),
    "DisassociateNetworkInterfaceSecurityGroups": (
        disassociate_network_interface_security_groups,
        _MANY,
    ),
    "ModifyNetworkInterfaceAttribute": (
        modify_network_interface_attribute,
        frozenset({"NetworkInterfaceId", "NetworkInterfaceName", "SecurityGroupIds"}),
    ),
}
"""The function and the parameter names of each action."""
