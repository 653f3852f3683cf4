"""Binding groups to instances in Tencent's CVM service. Interfaces: ``interface_binding.py``.

Groups of an instance are bound asynchronously. The state changes at once, and for ``binding_s``
seconds (a quirk) a task is in progress: DescribeInstances lists the previous groups and
``OPERATING``, and further bindings are refused. A task with an error (quirk ``binding_fails``)
changes nothing, and DescribeInstances reports it once its time is over. A scenario may
have instances that are refused (quirk ``binding_refused_with``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sgguard.emulator import edit
from sgguard.emulator.faces.tencent.call import Call, RefusedError, require_group_ids
from sgguard.emulator.state import Instance, Interface

INSTANCES_MAX = 100
_INSTANCE_ID = re.compile(r"ins-[0-9a-z]{8}")
_ISOLATING = frozenset({"ISOLATING", "SHUTDOWN", "TERMINATING"})
_TASKS = "tencent-binding-tasks"


@dataclass(frozen=True, slots=True)
class Task:
    """An operation on an instance, which ends at ``until_s`` (epoch seconds).

    Until then the instance is listed with ``previous_groups``. Two tasks with one ``identity`` are
    the same operation. ``error`` is empty if it succeeds.
    """

    action: str
    request_id: str
    identity: tuple[str, ...]
    until_s: float
    previous_groups: tuple[str, ...]
    error: str = ""


def task_of(call: Call, instance_id: str) -> Task | None:
    """Return the latest operation on an instance, if there was one."""
    task: Task | None = call.cloud.tokens.get(_TASKS, {}).get(instance_id)
    return task


def is_operating(call: Call) -> bool:
    """Return whether an operation is under way on any instance."""
    tasks: Mapping[str, Task] = call.cloud.tokens.get(_TASKS, {})
    return any(call.now < task.until_s for task in tasks.values())


def listed_groups(call: Call, instance_id: str) -> list[str]:
    """Return the groups an instance is listed with: the previous ones during an operation."""
    task = task_of(call, instance_id)
    if task is not None and call.now < task.until_s:
        return list(task.previous_groups)
    primary = call.primary(instance_id)
    return list(primary.groups) if primary else []


def may_list(call: Call, group_ids: Sequence[str]) -> set[str]:
    """Return the ids of instances that may be listed with one of the groups.

    Those that carry it now, and those with an operation, which are listed with what they had.
    """
    carrying = (one for group_id in group_ids for one in call.cloud.interfaces_with(group_id))
    return {*(one.instance for one in carrying), *call.cloud.tokens.get(_TASKS, ())}


def associate_security_groups(call: Call) -> dict[str, Any]:
    """Bind one group to instances: all of them or none."""
    group_id, found = _bind_params(call)
    missing = [(i, interface) for i, interface in found if group_id not in interface.groups]
    refuse_over_limits(call, group_id, [interface for _, interface in missing])
    return _start_tasks(
        call,
        "AssociateSecurityGroups",
        (group_id,),
        [(i, interface, [*interface.groups, group_id]) for i, interface in missing],
    )


def disassociate_security_groups(call: Call) -> dict[str, Any]:
    """Unbind one group from instances; the last one is never unbound."""
    group_id, found = _bind_params(call)
    holding = [(i, interface) for i, interface in found if group_id in interface.groups]
    for instance, interface in holding:
        if len(interface.groups) == 1:
            raise RefusedError("UnsupportedOperation", f"`{instance.id}` keeps one group.")
    return _start_tasks(
        call,
        "DisassociateSecurityGroups",
        (group_id,),
        [
            (i, interface, [g for g in interface.groups if g != group_id])
            for i, interface in holding
        ],
    )


def modify_instances_attribute(call: Call) -> dict[str, Any]:
    """Replace the groups of instances, in this order."""
    group_ids = call.texts("SecurityGroups", at_most=INSTANCES_MAX)
    found = _instances(call, tuple(group_ids))
    for group_id in group_ids:
        refuse_over_limits(call, group_id, [n for _, n in found if group_id not in n.groups], 0)
    if len(set(group_ids)) > call.cloud.limits.get("groups-per-instance", 5):
        raise RefusedError("LimitExceeded.AssociateUSGLimitExceeded", "too many security groups")
    wanted = list(dict.fromkeys(group_ids))
    return _start_tasks(
        call,
        "ModifyInstancesAttribute",
        tuple(wanted),
        [(i, interface, wanted) for i, interface in found],
    )


def _start_tasks(
    call: Call,
    action: str,
    identity: tuple[str, ...],
    changes: Sequence[tuple[Instance, Interface, list[str]]],
) -> dict[str, Any]:
    # The state changes at once; the task hides the change until its end.
    quirks = call.cloud.quirks
    request_id, error = str(uuid4()), str(quirks.get("binding_fails", ""))
    for instance, interface, group_ids in changes:
        call.cloud.tokens.setdefault(_TASKS, {})[instance.id] = Task(
            action,
            request_id,
            identity=(action, *identity),
            until_s=call.now + float(quirks.get("binding_s", 0)),
            previous_groups=tuple(interface.groups),
            error=error,
        )
        if not error:
            edit.set_groups(call.cloud, interface, group_ids)
    return {"RequestId": request_id}


def _bind_params(call: Call) -> tuple[str, list[tuple[Instance, Interface]]]:
    # The parameter is a list, and more than one group is refused.
    (group_id,) = call.texts("SecurityGroupIds", at_most=1)
    return group_id, _instances(call, (group_id,))


def _instances(call: Call, group_ids: tuple[str, ...]) -> list[tuple[Instance, Interface]]:
    most = int(call.cloud.quirks.get("binds_at_most", INSTANCES_MAX))
    ids = call.texts("InstanceIds", at_most=most)
    require_instance_ids(ids)
    require_groups(call, group_ids)
    known = call.instances()
    found = []
    for instance_id in ids:
        instance = known.get(instance_id)
        if instance is None:
            raise RefusedError("InvalidInstanceId.NotFound", f"`{instance_id}` does not exist.")
        _refuse_by_quirk(call, instance_id)
        _refuse_state(call, instance, group_ids)
        interface = call.primary(instance_id)
        if interface is None:
            raise RefusedError("FailedOperation.SecurityGroupActionFailed")
        found.append((instance, interface))
    return found


def _refuse_by_quirk(call: Call, instance_id: str) -> None:
    """Refuse what a scenario says of one instance: always with a code, or with each of a list."""
    told = call.cloud.quirks.get("binding_refused_with", {}).get(instance_id)
    code = (told.pop(0) if told else "") if isinstance(told, list) else told
    if code:
        raise RefusedError(code, f"`{instance_id}` was refused.")


def _refuse_state(call: Call, instance: Instance, group_ids: tuple[str, ...]) -> None:
    if instance.state == "PENDING":
        raise RefusedError("UnsupportedOperation.InstanceStatePending", f"`{instance.id}`")
    if instance.state in _ISOLATING:
        raise RefusedError("UnsupportedOperation.InstanceStateIsolating", f"`{instance.id}`")
    task = task_of(call, instance.id)
    is_running = task is not None and call.now < task.until_s
    if is_running and task is not None and task.identity[1:] == group_ids:
        raise RefusedError("MutexOperation.TaskRunning", "An identical job is running.")
    if is_running or instance.operation == "OPERATING":
        raise RefusedError("OperationDenied.InstanceOperationInProgress", f"`{instance.id}`")


def refuse_over_limits(
    call: Call, group_id: str, interfaces: Sequence[Interface], added: int = 1
) -> None:
    """Refuse a binding of the group to further interfaces, each with ``added`` more groups.

    Raises:
        RefusedError: a limit of an instance, the group or its project would be exceeded.
    """
    limits = call.cloud.limits
    per_instance = limits.get("groups-per-instance", 5)
    if any(len(interface.groups) + added > per_instance for interface in interfaces):
        raise RefusedError(
            "LimitExceeded.AssociateUSGLimitExceeded",
            f"An instance can be bound with up to {per_instance} security groups.",
        )
    per_group = limits.get("interfaces-per-group", limits.get("instances-per-group", 2000))
    if call.cloud.references(group_id):
        per_group = min(per_group, limits.get("instances-per-referenced-group", per_group))
    if len(call.cloud.interfaces_with(group_id)) + len(interfaces) > per_group:
        raise RefusedError("LimitExceeded.CvmsVifsPerSecGroupLimitExceeded", f"{per_group}")
    project = call.groups()[group_id].project
    owned = sum(group.project == project for group in call.groups().values())
    if owned > limits.get("groups-per-project", 50):
        raise RefusedError("LimitExceeded.SingleUSGQuota", f"{owned}")


def require_instance_ids(ids: Sequence[str]) -> None:
    """Refuse malformed instance ids.

    Raises:
        RefusedError: one of two codes, naming the first malformed one.
    """
    for instance_id in ids:
        if not instance_id.startswith("ins-"):
            raise RefusedError("InvalidParameterValue.InstanceIdMalformed", f"`{instance_id}`")
        if not _INSTANCE_ID.fullmatch(instance_id):
            raise RefusedError("InvalidInstanceId.Malformed", f"`{instance_id}` is malformed.")


def require_groups(call: Call, ids: Sequence[str]) -> None:
    """Refuse ids of groups that do not exist, with CVM's codes.

    Raises:
        RefusedError: malformed or unknown, naming the first.
    """
    require_group_ids(ids, "InvalidSgId.Malformed")
    for group_id in ids:
        if group_id not in call.groups():
            raise RefusedError("InvalidSecurityGroupId.NotFound", f"`{group_id}` does not exist.")


Handler = Callable[[Call], dict[str, Any]]
_ONE = frozenset({"SecurityGroupIds", "InstanceIds"})
ACTIONS: Mapping[str, tuple[Handler, frozenset[str]]] = {
    "AssociateSecurityGroups": (associate_security_groups, _ONE),
    "DisassociateSecurityGroups": (disassociate_security_groups, _ONE),
    "ModifyInstancesAttribute": (
        modify_instances_attribute,
        frozenset({"InstanceIds", "SecurityGroups"}),
    ),
}
"""The function and the parameter names of each action."""
