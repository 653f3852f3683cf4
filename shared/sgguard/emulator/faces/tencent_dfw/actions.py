"""Actions of Tencent's API 2.0 for security groups: reading, and deleting a group.

Creating groups and changing rules and bindings: ``change.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sgguard.emulator.faces.tencent_dfw import change
from sgguard.emulator.faces.tencent_dfw.call import Call, RefusedError
from sgguard.emulator.state import Group, Rule, StateError

_PAGE_MAX = 100


def describe_associate_security_groups(call: Call) -> dict[str, Any]:
    """List, by group, the other groups whose rules name it.

    A group that does not exist has no referrers: no error code for it is documented.
    """
    ids = call.texts("sgIds")
    if not ids:
        raise RefusedError(9003, "empty input")
    quirks = call.cloud.quirks
    data: dict[str, Any] = {}
    for group_id in ids:
        own = call.groups()
        names = list(dict.fromkeys(g.id for g, _ in call.cloud.references(group_id)))
        if quirks.get("references_reversed"):
            rules = own[group_id].rules if group_id in own else []
            names = list(dict.fromkeys(rule.peer_group for rule in rules))
        names = [name for name in names if name in own and name != group_id]
        if group_id in quirks.get("references_omit", []):
            continue
        if names or quirks.get("references_empty", "list") == "list":
            is_text = quirks.get("references_shape") == "string" and len(names) == 1
            data[group_id] = names[0] if is_text else names
    # The server is PHP: an empty map is encoded as an empty list.
    return {"data": data or ([] if quirks.get("references_empty") == "php" else {})}


def describe_security_groups(call: Call) -> dict[str, Any]:
    """List groups, by id, by name, by project, or those of one instance."""
    found = list(call.groups().values())
    for name, read in _FILTERS.items():
        if wanted := call.params.get(name):
            found = [group for group in found if read(group) == wanted]
    if instance_id := call.params.get("instanceId"):
        instance = call.cloud.instance(instance_id)
        if instance is None or instance.account != call.account.id:
            raise RefusedError(5000, "the instance does not exist")
        of_instance = call.cloud.groups_of(instance_id)
        by_id = {group.id: group for group in found}
        found = [by_id[group_id] for group_id in of_instance if group_id in by_id]
    return {"data": {"totalNum": len(found), "detail": [_group(call, g) for g in found]}}


_FILTERS: Mapping[str, Callable[[Group], str]] = {
    "sgId": lambda group: group.id,
    "sgName": lambda group: group.name,
    "projectId": lambda group: group.project,
}


def _group(call: Call, group: Group) -> dict[str, Any]:
    row: dict[str, Any] = {
        "sgId": group.id,
        "sgName": group.name,
        "sgRemark": group.description,
        "createTime": group.created,
        "projectId": int(group.project) if group.project.isdecimal() else 0,
    }
    if not call.cloud.quirks.get("associates_untold"):
        count = len({g.id for g, _ in call.cloud.references(group.id)})
        row["beAssociateCount"] = _count(call, count)
    if not call.cloud.quirks.get("default_untold"):
        row["isDefault"] = int(group.default)
    return row


def _count(call: Call, count: int) -> int | str:
    """Return a count as this cloud encodes it."""
    return str(count) if call.cloud.quirks.get("counts_as_text") else count


def describe_security_group_policies(call: Call) -> dict[str, Any]:
    """List the rules of a group with their version (DescribeSecurityGroupPolicys).

    Quirk ``version_told``: ``"data"`` (default) beside both lists, as clients have received it,
    ``"rows"`` in every rule, as its page states, or ``"nowhere"``, as in the page's sample.
    """
    version_place = call.cloud.quirks.get("version_told", "data")
    version = call.group().version
    data = describe_security_group_policy(call)["data"]
    if version_place == "rows":
        for row in (row for rows in data.values() for row in rows):
            row["version"] = version
    return {"data": {**data, "version": version} if version_place == "data" else data}


def describe_security_group_policy(call: Call) -> dict[str, Any]:
    """List the rules of a group by position, per direction; unset fields are absent."""
    group = call.group()
    lists = {
        direction: [
            _policy(rule, index)
            for index, rule in enumerate(r for r in group.rules if r.direction == direction)
        ]
        for direction in ("ingress", "egress")
    }
    if call.cloud.quirks.get("egress_absent") and not lists["egress"]:
        del lists["egress"]
    return {"data": lists}


def _policy(rule: Rule, index: int) -> dict[str, Any]:
    fields = {
        "sgId": rule.peer_group,
        "cidrIp": rule.cidr,
        "addressModule": rule.template,
        "ipProtocol": "" if rule.protocol == "any" else rule.protocol,
        "portRange": "" if rule.ports == "any" else rule.ports,
        "serviceModule": rule.service,
        "desc": rule.description,
    }
    row: dict[str, Any] = {"index": index, "action": rule.action.upper()}
    return row | {key: value for key, value in fields.items() if value}


def describe_instances_of_security_group(call: Call) -> dict[str, Any]:
    """List the instances that hold a group; the count is beside ``data``, not in it."""
    group = call.group()
    offset, limit = call.number("offset", 0), call.number("limit", 20)
    if not 1 <= limit <= _PAGE_MAX:
        raise RefusedError(4000, f"limit must be at most {_PAGE_MAX}")
    found = call.cloud.instances_with(group.id)
    limit = min(limit, call.cloud.quirks.get("page_max", limit))
    rows = [{"instanceId": instance.id} for instance in found[offset : offset + limit]]
    # The sample on the action's page has a count of 0 beside one instance.
    is_sample = call.cloud.quirks.get("total_zero")
    return {"totalCount": _count(call, 0 if is_sample else len(found)), "data": rows}


def describe_network_interfaces_of_security_group(call: Call) -> dict[str, Any]:
    """List the interfaces that hold a group and are not an instance's primary one."""
    group = call.group()
    found = [
        interface
        for interface in call.cloud.interfaces_with(group.id)
        if not (interface.kind == "primary" and interface.instance)
    ]
    rows = [{"networkInterfaceId": interface.id} for interface in found]
    body = {"totalCount": _count(call, len(found)), "networkInterfaceSet": rows}
    return body if call.cloud.quirks.get("interfaces_beside") else {"data": body}


def delete_security_group(call: Call) -> dict[str, Any]:
    """Delete a group; ``forced=1`` unbinds its instances first."""
    group = call.group()
    is_forced = call.number("forced", 0) == 1
    try:
        call.cloud.delete_group(group.id, is_forced=is_forced)
    except StateError as error:
        code = 7006 if error.kind == "default" else 5100
        raise RefusedError(code, f"{group.id} cannot be deleted") from error
    return {}


ACTIONS: Mapping[str, Callable[[Call], dict[str, Any]]] = {
    "DescribeAssociateSecurityGroups": describe_associate_security_groups,
    "DescribeSecurityGroups": describe_security_groups,
    "DescribeSecurityGroupPolicy": describe_security_group_policy,
    "DescribeSecurityGroupPolicys": describe_security_group_policies,
    "DescribeInstancesOfSecurityGroup": describe_instances_of_security_group,
    "DescribeNetworkInterfacesOfSecurityGroup": describe_network_interfaces_of_security_group,
    "DeleteSecurityGroup": delete_security_group,
    **change.ACTIONS,
}
"""The function of each action."""
