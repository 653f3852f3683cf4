"""The security-group actions of Tencent's CVM service, 2017-03-12: instances and their groups."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sgguard.emulator.faces.tencent import binding
from sgguard.emulator.faces.tencent.call import Call, RefusedError
from sgguard.emulator.state import Instance

_FILTER_VALUES_MAX = 5
_OPERATION_NAMES = {"ModifyInstancesAttribute": "ModifyInstancesAttribute.SecurityGroups"}


def describe_instances(call: Call) -> dict[str, Any]:
    """List instances by id or filter; their groups are those of the primary interface."""
    ids = call.texts("InstanceIds", at_most=binding.INSTANCES_MAX, is_required=False)
    filters = call.filters(
        *("security-group-id", "vpc-id", "instance-state", "tag-key", "tag:"),
        values_max=_FILTER_VALUES_MAX,
    )
    if ids and filters:
        raise RefusedError("InvalidParameter", "InstanceIds and Filters coexist.")
    binding.require_instance_ids(ids)
    binding.require_groups(call, filters.get("security-group-id", []))
    offset, limit = call.page(kind=int)
    values_of: dict[str, Callable[[Instance], list[str]]] = {
        "security-group-id": lambda i: binding.listed_groups(call, i.id),
        "vpc-id": lambda i: [i.network],
        "instance-state": lambda i: [i.state],
        "tag-key": lambda i: list(i.tags),
    }
    for name in filters:
        if name.startswith("tag:"):
            values_of[name] = partial(_tag, name.removeprefix("tag:"))
    checks = [(values_of[name], set(values)) for name, values in filters.items()]
    find = partial(_matching, call, ids, filters.get("security-group-id"), checks)
    is_still = not binding.is_operating(call)  # else what is found depends on the time
    key = ("DescribeInstances", tuple(ids), repr(filters))
    found = call.kept(key, find) if is_still else find()
    rows = [_instance(call, instance) for instance in call.page_of(found, offset, limit)]
    return {"TotalCount": len(found), "InstanceSet": rows}


def _matching(
    call: Call,
    ids: Sequence[str],
    groups: Sequence[str] | None,
    checks: Sequence[tuple[Callable[[Instance], list[str]], set[str]]],
) -> list[Instance]:
    """Return the caller's instances of these ids or groups, if any, that pass all checks."""
    some = set(ids) or None
    if groups is not None:
        some = binding.may_list(call, groups)
    hidden = set(call.cloud.quirks.get("lists_hide", []))
    return [
        instance
        for instance in call.own(call.cloud.instances)
        if (some is None or instance.id in some)
        and instance.id not in hidden
        and all(not values.isdisjoint(of(instance)) for of, values in checks)
    ]


def _tag(key: str, instance: Instance) -> list[str]:
    return [instance.tags[key]] if key in instance.tags else []


def _instance(call: Call, instance: Instance) -> dict[str, Any]:
    return {
        "InstanceId": instance.id,
        "InstanceName": instance.name,
        "InstanceState": instance.state,
        "RestrictState": "EXPIRED" if instance.state == "SHUTDOWN" else "NORMAL",
        **_operation(call, instance),
        "Placement": {"ProjectId": int(instance.project) if instance.project.isdecimal() else 0},
        "VirtualPrivateCloud": {"VpcId": instance.network},
        "SecurityGroupIds": binding.listed_groups(call, instance.id),
        "Tags": [{"Key": key, "Value": value} for key, value in instance.tags.items()],
    }


def _operation(call: Call, instance: Instance) -> dict[str, Any]:
    """Return the latest operation and its state; a failed one has an error code."""
    task = binding.task_of(call, instance.id)
    if task is None:
        return {"LatestOperation": None, "LatestOperationState": instance.operation}
    is_running = call.now < task.until_s
    state = "OPERATING" if is_running else "FAILED" if task.error else instance.operation
    row = {
        "LatestOperation": _OPERATION_NAMES.get(task.action, task.action),
        "LatestOperationState": state,
        "LatestOperationRequestId": task.request_id,
    }
    return row | ({"LatestOperationErrorCode": task.error} if state == "FAILED" else {})


Handler = Callable[[Call], dict[str, Any]]
ACTIONS: Mapping[str, tuple[Handler, frozenset[str]]] = {
    "DescribeInstances": (
        describe_instances,
        frozenset({"InstanceIds", "Filters", "Offset", "Limit"}),
    ),
    **binding.ACTIONS,
}
"""The function and the parameter names of each action."""
