"""Changing groups, rules and bindings in Tencent's API 2.0.

A rule has no id: it is found by its position among the rules of its direction. Positions shift with
every rule that is added or removed before them, so a caller names the version of the rules it has
read, and a call that names an older one is refused. Each call is one version, however many rules it
is about.

Sources: https://cloud.tencent.com/document/api/213/10144 (CreateSecurityGroupPolicy), /1238, /1367
and /5438, and the page of DeleteSecurityGroupPolicy (read 2026-11-22). No page has a code for an
outdated version: 7000 is the only one they mention, so it is used here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

from sgguard.emulator import edit
from sgguard.emulator.faces.tencent_dfw.call import Call, RefusedError, number_of
from sgguard.emulator.state import Group, Interface, Rule, StateError

_NAME_MAX = 60
_REMARK_MAX = 100
_DESC_MAX = 50
_RULES_MAX = 100
_HOLDERS_MAX = 20


def create_security_group(call: Call) -> dict[str, Any]:
    """Create a group without rules; its name must be unique in its project."""
    name, remark = call.params.get("sgName", ""), call.params.get("sgRemark", "")
    project = call.params.get("projectId", "0")
    if not name or len(name) > _NAME_MAX or len(remark) > _REMARK_MAX:
        raise RefusedError(9003, "sgName or sgRemark is too long or empty")
    if any(g.name == name and g.project == project for g in call.groups().values()):
        raise RefusedError(7005, "the name exists")
    group = Group(
        id=f"sg-{uuid4().hex[:8]}",
        name=name,
        description=remark,
        region=call.region,
        account=call.account.id,
        project=project,
    )
    try:
        edit.create_group(call.cloud, group)
    except StateError as error:
        raise RefusedError(7002, "too many security groups") from error
    return {"data": {"sgId": group.id, "sgName": name, "sgRemark": remark}}


def create_security_group_policy(call: Call) -> dict[str, Any]:
    """Insert rules before the one at ``index``; -1 means last.

    Quirk ``index_means``: ``"behind"``: after the one at ``index``; -1 means first.
    """
    group, direction = _group_and_direction(call)
    version = group.version
    existing = [rule for rule in group.rules if rule.direction == direction]
    index = _index(call.params.get("index", ""))
    if not -1 <= index <= len(existing):
        raise RefusedError(9003, "index is out of range")
    new = [_rule(call, group, direction, row) for row in call.rows("policys")]
    if not new:
        raise RefusedError(9003, "policys is empty")
    ceiling = call.cloud.limits.get("rules-per-group", _RULES_MAX)
    if len(existing) + len(new) > ceiling:
        raise RefusedError(7002, "too many rules")
    is_after = call.cloud.quirks.get("index_means") == "behind"
    position = index + 1 if is_after else len(existing) if index < 0 else index
    for number, rule in enumerate(new):
        edit.add_rule(call.cloud, group.id, rule, position + number, is_per_direction=True)
    # edit.add_rule counts each rule; the call counts as one change.
    group.version = version + 1
    return {}


def delete_security_group_policy(call: Call) -> dict[str, Any]:
    """Remove the rules at these positions."""
    group, direction = _group_and_direction(call)
    version = group.version
    existing = [rule for rule in group.rules if rule.direction == direction]
    indexes = {_index(text) for text in call.texts("indexes")}
    if not indexes or not all(0 <= index < len(existing) for index in indexes):
        raise RefusedError(9003, "indexes is empty or out of range")
    # The list was read before the first removal, so no position shifts meanwhile.
    for index in indexes:
        edit.remove_rule(call.cloud, group.id, existing[index])
    group.version = version + 1
    return {"data": []}


def _group_and_direction(call: Call) -> tuple[Group, str]:
    group, direction = call.group(), call.params.get("direction", "")
    if group.default:
        raise RefusedError(7006, "the default security group cannot be modified")
    if direction not in ("ingress", "egress"):
        raise RefusedError(9003, "direction is neither ingress nor egress")
    version = call.params.get("version")
    if version is not None and version != str(group.version):
        raise RefusedError(7000, "security group backend error")
    return group, direction


def _index(text: str) -> int:
    number = -1 if text == "-1" else number_of(text)
    if number is None:
        raise RefusedError(9003, "not a position")
    return number


_FIELDS = frozenset(
    {
        *("ipProtocol", "portRange", "serviceModule", "cidrIp", "sgId", "addressModule"),
        *("desc", "action"),
    }
)


def _rule(call: Call, group: Group, direction: str, row: Mapping[str, str]) -> Rule:
    given = {name: value for name, value in row.items() if value}
    if not given.keys() <= _FIELDS:
        raise RefusedError(9003, "an unknown field")
    action = given.get("action", "").lower()
    if action not in ("accept", "drop"):
        raise RefusedError(9003, "action is neither accept nor drop")
    if len(given.keys() & {"cidrIp", "sgId", "addressModule"}) > 1:
        raise RefusedError(9003, "cidrIp, sgId and addressModule exclude each other")
    if "serviceModule" in given and given.keys() & {"ipProtocol", "portRange"}:
        raise RefusedError(9003, "serviceModule excludes ipProtocol and portRange")
    if "portRange" in given and given.get("ipProtocol", "").lower() not in ("tcp", "udp"):
        raise RefusedError(9003, "portRange needs tcp or udp")
    peer = call.groups().get(given.get("sgId", ""))
    if "sgId" in given and (peer is None or peer.project != group.project):
        raise RefusedError(7001, "security group does not belong to the current user")
    if len(given.get("desc", "")) > _DESC_MAX:
        raise RefusedError(9003, "desc is too long")
    return Rule(
        direction=direction,
        protocol=given.get("ipProtocol", "any").lower(),
        ports=given.get("portRange", "any"),
        service=given.get("serviceModule", ""),
        cidr=given.get("cidrIp", ""),
        peer_group=given.get("sgId", ""),
        template=given.get("addressModule", ""),
        action=action,
        description=given.get("desc", ""),
    )


def modify_security_groups_of_instance(call: Call) -> dict[str, Any]:
    """Replace the groups of instances, in this order, on their primary interfaces."""
    changes = []
    for row in call.rows("instanceSet"):
        instance = call.cloud.instance(row.get("instanceId", ""))
        if instance is None or (instance.account, instance.region) != call.scope:
            raise RefusedError(5000, "the instance does not exist")
        interfaces = [n for n in call.cloud.interfaces_of(instance.id) if n.kind == "primary"]
        if instance.state != "RUNNING" or not interfaces:
            raise RefusedError(7003, "the state of the instance forbids it")
        changes.append((interfaces[0], _group_ids(call, row)))
    return _set(call, changes)


def modify_security_groups_of_network_interface(call: Call) -> dict[str, Any]:
    """Replace the groups of interfaces, in this order."""
    changes = []
    for row in call.rows("networkInterfaceSet"):
        interface = call.cloud.interface(row.get("networkInterfaceId", ""))
        if interface is None or (interface.account, interface.region) != call.scope:
            raise RefusedError(5000, "the interface does not exist")
        changes.append((interface, _group_ids(call, row)))
    return _set(call, changes)


def _group_ids(call: Call, row: Mapping[str, str]) -> list[str]:
    named = {number_of(key.removeprefix("sgIds.")): value for key, value in row.items()}
    ids = [named[number] for number in sorted(n for n in named if n is not None)]
    if not ids or len(ids) > call.cloud.limits.get("groups-per-instance", 5):
        raise RefusedError(7002, "too many security groups, or none")
    if not set(ids) <= call.groups().keys():
        raise RefusedError(7001, "security group does not belong to the current user")
    return list(dict.fromkeys(ids))


def _set(call: Call, changes: list[tuple[Interface, list[str]]]) -> dict[str, Any]:
    if not 1 <= len(changes) <= _HOLDERS_MAX:
        raise RefusedError(9003, f"1 to {_HOLDERS_MAX} holders")
    for interface, group_ids in changes:
        edit.set_groups(call.cloud, interface, group_ids)
    return {}


ACTIONS: Mapping[str, Callable[[Call], dict[str, Any]]] = {
    "CreateSecurityGroup": create_security_group,
    "CreateSecurityGroupPolicy": create_security_group_policy,
    "DeleteSecurityGroupPolicy": delete_security_group_policy,
    "ModifySecurityGroupsOfInstance": modify_security_groups_of_instance,
    "ModifySecurityGroupsOfNetworkInterface": modify_security_groups_of_network_interface,
}
"""The function of each action."""
