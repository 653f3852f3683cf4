"""The security-group side of Tencent's CVM service, 2017-03-12, on the emulated state."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from sgguard.emulator.faces.tencent.call import Call, TencentError, require_group_ids
from sgguard.emulator.state import Instance, Interface

_INSTANCES_MAX = 100
_FILTER_VALUES_MAX = 5
_INSTANCE_ID = re.compile(r"ins-[0-9a-z]{8}")
_ISOLATING = frozenset({"ISOLATING", "SHUTDOWN", "TERMINATING"})
_TASKS = "tencent-binding-tasks"


def describe_instances(call: Call) -> dict[str, Any]:
    """List instances by id or filter; their groups are those of the primary interface."""
    ids = call.texts("InstanceIds", at_most=_INSTANCES_MAX, is_required=False)
    filters = call.filters(
        "security-group-id", "vpc-id", "instance-state", values_max=_FILTER_VALUES_MAX
    )
    if ids and filters:
        raise TencentError("InvalidParameter", "InstanceIds and Filters coexist.")
    _require_instance_ids(ids)
    _require_groups(call, filters.get("security-group-id", []))
    offset, limit = call.page(kind=int)
    said: dict[str, Callable[[Instance], list[str]]] = {
        "security-group-id": lambda i: _groups(call, i),
        "vpc-id": lambda i: [i.network],
        "instance-state": lambda i: [i.state],
    }
    found = [
        instance
        for instance in call.instances().values()
        if (not ids or instance.id in ids)
        and not call.is_hidden(instance.id)
        and all(set(said[name](instance)) & set(values) for name, values in filters.items())
    ]
    rows = [_instance(call, instance) for instance in call.page_of(found, offset, limit)]
    return {"TotalCount": len(found), "InstanceSet": rows}


def _groups(call: Call, instance: Instance) -> list[str]:
    primary = call.primary(instance.id)
    return list(primary.groups) if primary else []


def _instance(call: Call, instance: Instance) -> dict[str, Any]:
    return {
        "InstanceId": instance.id,
        "InstanceName": instance.name,
        "InstanceState": instance.state,
        "RestrictState": "EXPIRED" if instance.state == "SHUTDOWN" else "NORMAL",
        "LatestOperation": "AssociateSecurityGroups",
        "LatestOperationState": _operation(call, instance),
        "Placement": {"ProjectId": int(instance.project) if instance.project.isdecimal() else 0},
        "VirtualPrivateCloud": {"VpcId": instance.network},
        "SecurityGroupIds": _groups(call, instance),
    }


def associate_security_groups(call: Call) -> dict[str, Any]:
    """Bind one group to instances: all of them or none.

    Quirk ``binding_s``: seconds for which the instances then have an operation in progress.
    """
    group_id, instances = _bind_params(call)
    missing = [(i, nic) for i, nic in instances if group_id not in nic.groups]
    _refuse_over_limits(call, group_id, [nic for _, nic in missing])
    for instance, interface in missing:
        call.cloud.bind(interface.id, group_id)
        call.cloud.tokens.setdefault(_TASKS, {})[instance.id] = (
            group_id,
            call.now + float(call.cloud.quirks.get("binding_s", 0)),
        )
    return {}


def disassociate_security_groups(call: Call) -> dict[str, Any]:
    """Unbind one group from instances."""
    group_id, instances = _bind_params(call)
    for _, interface in instances:
        if group_id in interface.groups:
            interface.groups.remove(group_id)
    return {}


def _bind_params(call: Call) -> tuple[str, list[tuple[Instance, Interface]]]:
    # More than one group is refused although the parameter is a list.
    (group_id,) = call.texts("SecurityGroupIds", at_most=1)
    ids = call.texts("InstanceIds", at_most=_INSTANCES_MAX)
    _require_instance_ids(ids)
    _require_groups(call, [group_id])
    known = call.instances()
    found = []
    for instance_id in ids:
        instance = known.get(instance_id)
        if instance is None:
            raise TencentError("InvalidInstanceId.NotFound", f"`{instance_id}` does not exist.")
        _refuse_state(call, instance, group_id)
        interface = call.primary(instance_id)
        if interface is None:
            raise TencentError("FailedOperation.SecurityGroupActionFailed")
        found.append((instance, interface))
    return group_id, found


def _refuse_state(call: Call, instance: Instance, group_id: str) -> None:
    if instance.state == "PENDING":
        raise TencentError("UnsupportedOperation.InstanceStatePending", f"`{instance.id}`")
    if instance.state in _ISOLATING:
        raise TencentError("UnsupportedOperation.InstanceStateIsolating", f"`{instance.id}`")
    task = _task(call, instance)
    if task == group_id:
        raise TencentError("MutexOperation.TaskRunning", "An identical job is running.")
    if task or instance.operation == "OPERATING":
        raise TencentError("OperationDenied.InstanceOperationInProgress", f"`{instance.id}`")


def _refuse_over_limits(call: Call, group_id: str, interfaces: list[Interface]) -> None:
    limits = call.cloud.limits
    per_instance = limits.get("groups-per-instance", 5)
    if any(len(interface.groups) >= per_instance for interface in interfaces):
        raise TencentError(
            "LimitExceeded.AssociateUSGLimitExceeded",
            f"An instance can be bound with up to {per_instance} security groups.",
        )
    per_group = limits.get("interfaces-per-group", limits.get("instances-per-group", 2000))
    if len(call.cloud.interfaces_with(group_id)) + len(interfaces) > per_group:
        raise TencentError("LimitExceeded.CvmsVifsPerSecGroupLimitExceeded", f"{per_group}")
    project = call.groups()[group_id].project
    held = sum(group.project == project for group in call.groups().values())
    if held > limits.get("groups-per-project", 50):
        raise TencentError("LimitExceeded.SingleUSGQuota", f"{held}")


def _task(call: Call, instance: Instance) -> str:
    """Return the group that is being bound to the instance at this moment."""
    group_id, until = call.cloud.tokens.get(_TASKS, {}).get(instance.id, ("", 0.0))
    return str(group_id) if call.now < until else ""


def _operation(call: Call, instance: Instance) -> str:
    return "OPERATING" if _task(call, instance) else instance.operation


def _require_instance_ids(ids: list[str]) -> None:
    for instance_id in ids:
        if not instance_id.startswith("ins-"):
            raise TencentError("InvalidParameterValue.InstanceIdMalformed", f"`{instance_id}`")
        if not _INSTANCE_ID.fullmatch(instance_id):
            raise TencentError("InvalidInstanceId.Malformed", f"`{instance_id}` is malformed.")


def _require_groups(call: Call, ids: list[str]) -> None:
    require_group_ids(ids, "InvalidSgId.Malformed")
    for group_id in ids:
        if group_id not in call.groups():
            raise TencentError("InvalidSecurityGroupId.NotFound", f"`{group_id}` does not exist.")


Action = Callable[[Call], dict[str, Any]]
ACTIONS: Mapping[str, tuple[Action, frozenset[str]]] = {
    "DescribeInstances": (
        describe_instances,
        frozenset({"InstanceIds", "Filters", "Offset", "Limit"}),
    ),
    "AssociateSecurityGroups": (
        associate_security_groups,
        frozenset({"SecurityGroupIds", "InstanceIds"}),
    ),
    "DisassociateSecurityGroups": (
        disassociate_security_groups,
        frozenset({"SecurityGroupIds", "InstanceIds"}),
    ),
}
"""What each action does and which parameters it knows."""
