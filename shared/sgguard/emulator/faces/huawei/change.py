"""Groups and rules of an emulated VPC v3, made and deleted.

Documented: a new group has four rules, which let its own members in and everything out; keys that
the API does not know are refused by name; a rule that does the same as another is refused.

Quirks read here: ``otc`` (rules have no switch), ``passes_over`` (keys of a rule that are accepted
and have no effect). Address groups are not emulated: each id is as good as any.
"""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

import httpx

from sgguard.emulator import edit
from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces.huawei import response
from sgguard.emulator.faces.huawei.binding import set_groups
from sgguard.emulator.faces.huawei.response import (
    RefusedError,
    Said,
    absent,
    missing,
    refusal,
    refused,
    said,
)
from sgguard.emulator.faces.huawei.vpc import (
    created,
    enterprise_project,
    group_row,
    groups_of,
    is_granted,
    rule_row,
)
from sgguard.emulator.state import Cloud, Group, Rule, StateError

_GROUP_KEYS = frozenset({"name", "description", "enterprise_project_id", "tags"})
_NAME_MAX = 64
_PEERS = ("remote_ip_prefix", "remote_group_id", "remote_address_group_id")
_RULE_KEYS = frozenset(
    {
        *("security_group_id", "description", "direction", "ethertype", "protocol", "multiport"),
        *(*_PEERS, "action", "priority", "enabled"),
    }
)
_DIRECTIONS = ("ingress", "egress")
_ACTIONS = {"allow": "accept", "deny": "drop"}
_VERSIONS = {"ipv4": "IPv4", "ipv6": "IPv6"}
_PRIORITIES = range(1, 101)


def answer(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, path: str
) -> httpx.Response:
    """Carry out one change; ``path`` is what follows the project, like ``vpc/security-groups``."""
    if not caller.may_write:
        return refusal("VPC.2201", "Policy doesn't allow the change.")
    try:
        return _carried_out(request, cloud, caller, region, path.strip("/").split("/"))
    except RefusedError as stopped:
        return stopped.answer


def _carried_out(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, parts: list[str]
) -> httpx.Response:
    mine = groups_of(cloud, caller, region)
    response = absent()
    match request.method, parts:
        case "POST", ["vpc", "security-groups"]:
            row = said(request, "security_group", _GROUP_KEYS)
            response = _create_group(cloud, caller, region, row)
        case "DELETE", ["vpc", "security-groups", group_id]:
            response = _delete_group(cloud, _required(mine, group_id, "security_group"))
        case "POST", ["vpc", "security-group-rules"]:
            known = _RULE_KEYS - {"enabled"} if cloud.quirks.get("otc") else _RULE_KEYS
            response = _create_rule(cloud, mine, said(request, "security_group_rule", known))
        case "DELETE", ["vpc", "security-group-rules", rule_id]:
            response = _delete_rule(cloud, mine, rule_id)
        case "PUT", _:
            response = set_groups(request, cloud, caller, region, parts)
    return response


def _required(groups: list[Group], group_id: object, name: str) -> Group:
    found = next((group for group in groups if group.id == group_id), None)
    if found is None:
        raise RefusedError(missing(name, str(group_id)))
    return found


def _create_group(cloud: Cloud, caller: Caller, region: str, row: Said) -> httpx.Response:
    name = row.get("name")
    if not isinstance(name, str) or not 0 < len(name) <= _NAME_MAX:
        raise refused("SYS.0400", "name must have 1 to 64 characters.")
    group = Group(
        id=str(uuid4()),
        name=name,
        description=row.get("description", ""),
        region=region,
        account=caller.account.id,
        project=caller.project,
        tags={tag["key"]: tag.get("value", "") for tag in row.get("tags", [])},
    )
    cloud.quirks.setdefault("enterprise_projects", {})[group.id] = row.get(
        "enterprise_project_id", "0"
    )
    try:
        if not is_granted(cloud, group):
            raise refused("VPC.2201", "Policy doesn't allow the enterprise project.")
        edit.create_group(cloud, group)
    except (RefusedError, StateError) as error:
        del cloud.quirks["enterprise_projects"][group.id]
        if isinstance(error, RefusedError):
            raise
        raise _over("security_group") from error
    group.rules.extend(_first_rules(group))
    return created(security_group=_whole(cloud, group))


def _first_rules(group: Group) -> list[Rule]:
    """Return the rules the document shows in a group that was just made."""
    common: dict[str, Any] = {"protocol": "any", "priority": _PRIORITIES[-1]}
    return [
        Rule("ingress", str(uuid4()), ethertype="IPv6", peer_group=group.id, **common),
        Rule("egress", str(uuid4()), ethertype="IPv6", **common),
        Rule("egress", str(uuid4()), ethertype="IPv4", **common),
        Rule("ingress", str(uuid4()), ethertype="IPv4", peer_group=group.id, **common),
    ]


def _whole(cloud: Cloud, group: Group) -> dict[str, Any]:
    rules = [rule_row(group, rule) for rule in group.rules]
    eps = enterprise_project(cloud, group)
    return group_row(group) | {"enterprise_project_id": eps, "security_group_rules": rules}


def _delete_group(cloud: Cloud, group: Group) -> httpx.Response:
    try:
        cloud.delete_group(group.id, is_cascading=bool(cloud.quirks.get("cascades")))
    except StateError as stopped:
        if stopped.kind in ("in-use", "referenced"):
            return refusal("VPC.9902", f"Security group {group.id} is in use.")
        return refusal("VPC.2201", "The default security group cannot be deleted.")
    return httpx.Response(204)


def _create_rule(cloud: Cloud, mine: list[Group], row: Said) -> httpx.Response:
    passed_over = cloud.quirks.get("passes_over", [])
    row = {key: value for key, value in row.items() if key not in passed_over}
    group = _required(mine, row.get("security_group_id"), "security_group_id")
    if peer := row.get("remote_group_id"):
        _required(mine, peer, "remote security group")
    rule = _rule(row)
    for other in group.rules:
        if _effect(other) == _effect(rule):
            text = f"Security group rule already exists. Rule id is {other.id}."
            raise refused("VPC.9902", text)
    in_project = sum(len(one.rules) for one in mine)
    if in_project >= cloud.limits.get("rules-per-project", in_project + 1):
        raise _over("security_group_rule")
    try:
        edit.add_rule(cloud, group.id, rule)
    except StateError as error:
        raise _over("security_group_rule") from error
    return created(security_group_rule=rule_row(group, rule))


def _rule(row: Said) -> Rule:
    """Read a rule as the document describes it."""
    version = _VERSIONS.get(str(row.get("ethertype", "IPv4")).lower())
    if version is None:
        text = f"Security group rule for ethertype {row['ethertype']} not supported."
        raise refused("VPC.9902", f"{text} Allowed values are [IPv4, IPv6].", 400)
    if row.get("direction") not in _DIRECTIONS or row.get("action", "allow") not in _ACTIONS:
        raise refused("SYS.0400", "direction or action is invalid.")
    priority = row.get("priority", _PRIORITIES[-1])
    if priority not in _PRIORITIES or isinstance(priority, bool):
        raise refused("SYS.0400", f"priority {priority} is invalid: 1 to 100.")
    if sum(key in row for key in _PEERS) > 1:
        raise refused("SYS.0400", f"{', '.join(_PEERS)}: only one of them.")
    return Rule(
        row["direction"],
        id=str(uuid4()),
        protocol=row.get("protocol") or "any",
        ports=row.get("multiport") or "any",
        cidr=row.get("remote_ip_prefix", ""),
        peer_group=row.get("remote_group_id", ""),
        template=row.get("remote_address_group_id", ""),
        action=_ACTIONS[row.get("action", "allow")],
        priority=priority,
        description=row.get("description", ""),
        enabled=row.get("enabled", True),
        ethertype=version,
    )


def _effect(rule: Rule) -> tuple[object, ...]:
    """Return what makes two rules the same to this cloud: neither description nor switch."""
    ports = (rule.direction, rule.ethertype, rule.protocol, rule.ports)
    return (*ports, rule.cidr, rule.peer_group, rule.template, rule.action, rule.priority)


def _delete_rule(cloud: Cloud, mine: list[Group], rule_id: str) -> httpx.Response:
    for group in mine:
        if rule := next((one for one in group.rules if one.id == rule_id), None):
            edit.remove_rule(cloud, group.id, rule)
            return httpx.Response(204)
    return missing("security_group_rule", rule_id)


def _over(resource: str) -> RefusedError:
    return refused("VPC.9905", f"Quota exceeded for resources: ['{resource}'].")


# Changes of VPC v3 that are only checked: with ``dry_run`` nothing happens, and 202 says it could.
#
# What is checked is whether the caller may and whether the request is well formed, not whether the
# group or the port exists.

_CHECKED = (
    ("POST", re.compile(r"vpc/security-groups"), "security_group"),
    ("POST", re.compile(r"vpc/security-group-rules"), "security_group_rule"),
    ("PUT", re.compile(r"vpc/sub-network-interfaces/[^/]+"), "sub_network_interface"),
    ("PUT", re.compile(r"ports/[^/]+/(insert|remove)-security-groups"), "port"),
)


def checked(request: httpx.Request, caller: Caller, path: str) -> httpx.Response | None:
    """Answer a change that is only to be checked, None when the request is no such thing."""
    for method, pattern, key in _CHECKED:
        if request.method != method or not pattern.fullmatch(path.rstrip("/")):
            continue
        try:
            body = json.loads(request.content)
        except ValueError:
            body = None
        if not isinstance(body, dict) or body.get("dry_run") is not True:
            return None
        if not caller.may_write:
            return response.refusal("VPC.2201", "Policy doesn't allow the change.")
        if not isinstance(body.get(key), dict):
            return response.refusal("VPC.0601", f"{key} is required.")
        return httpx.Response(202)
    return None
