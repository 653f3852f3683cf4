"""Creating and deleting groups and rules of an emulated VPC v3, and dry runs of changes.

Documented: a new group has four rules, for traffic from its own members and for all outgoing
traffic; unknown fields are refused by name; a rule with the same effect as another is refused.

A change with ``dry_run`` is only checked: nothing changes, and the response is 202. It checks the
caller's role and the shape of the body. It does not check whether the group or port exists, so a
dry run may pass where the change itself is refused.

Quirks read here: ``otc`` (rules cannot be disabled), ``passes_over`` (fields of a rule that are
accepted and have no effect). Address groups are not emulated: every id is accepted.
"""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import httpx

from sgguard.emulator import edit
from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces.huawei.binding import set_groups
from sgguard.emulator.faces.huawei.response import (
    RefusedError,
    Row,
    body_of,
    created,
    error,
    json_of,
    not_found,
    not_implemented,
    refused,
)
from sgguard.emulator.faces.huawei.vpc import (
    enterprise_project,
    group_row,
    groups_of,
    is_granted,
    rule_row,
)
from sgguard.emulator.state import Cloud, Group, Rule, StateError

_GROUP_KEYS = frozenset({"name", "description", "enterprise_project_id", "tags"})
_NAME_MAX = 64
_RULES_MAX = 200
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


def respond(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, path: str
) -> httpx.Response:
    """Apply one change; ``path`` is what follows the project, like ``vpc/security-groups``."""
    if not caller.may_write:
        return error("VPC.2201", "Policy doesn't allow the change.")
    try:
        return _apply(request, cloud, caller, region, path.strip("/").split("/"))
    except RefusedError as failure:
        return failure.response


def _apply(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, parts: list[str]
) -> httpx.Response:
    groups = groups_of(cloud, caller, region)
    response = not_implemented(request)
    match request.method, parts:
        case "POST", ["vpc", "security-groups"]:
            row = body_of(request, "security_group", _GROUP_KEYS)
            response = _create_group(cloud, caller, region, row)
        case "DELETE", ["vpc", "security-groups", group_id]:
            response = _delete_group(cloud, _required(groups, group_id, "security_group"))
        case "POST", ["vpc", "security-group-rules"]:
            known = _RULE_KEYS - {"enabled"} if cloud.quirks.get("otc") else _RULE_KEYS
            response = _create_rule(cloud, groups, body_of(request, "security_group_rule", known))
        case "POST", ["vpc", "security-groups", group_id, "security-group-rules", "batch-create"]:
            response = _create_rules(request, cloud, groups, group_id)
        case "DELETE", ["vpc", "security-group-rules", rule_id]:
            response = _delete_rule(cloud, groups, rule_id)
        case "PUT", _:
            response = set_groups(request, cloud, caller, region, parts)
    return response


def _required(groups: list[Group], group_id: object, name: str) -> Group:
    found = next((group for group in groups if group.id == group_id), None)
    if found is None:
        raise RefusedError(not_found(name, str(group_id)))
    return found


def _create_group(cloud: Cloud, caller: Caller, region: str, row: Row) -> httpx.Response:
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
    except (RefusedError, StateError) as failure:
        del cloud.quirks["enterprise_projects"][group.id]
        if isinstance(failure, RefusedError):
            raise
        raise _over_quota("security_group") from failure
    group.rules.extend(_default_rules(group))
    return created(security_group=_group_with_rules(cloud, group))


def _default_rules(group: Group) -> list[Rule]:
    """Return the documented rules of a new group."""
    common: dict[str, Any] = {"protocol": "any", "priority": _PRIORITIES[-1]}
    return [
        Rule("ingress", str(uuid4()), ethertype="IPv6", peer_group=group.id, **common),
        Rule("egress", str(uuid4()), ethertype="IPv6", **common),
        Rule("egress", str(uuid4()), ethertype="IPv4", **common),
        Rule("ingress", str(uuid4()), ethertype="IPv4", peer_group=group.id, **common),
    ]


def _group_with_rules(cloud: Cloud, group: Group) -> dict[str, Any]:
    rules = [rule_row(group, rule) for rule in group.rules]
    eps = enterprise_project(cloud, group)
    return group_row(group) | {"enterprise_project_id": eps, "security_group_rules": rules}


def _delete_group(cloud: Cloud, group: Group) -> httpx.Response:
    try:
        cloud.delete_group(group.id, is_cascading=bool(cloud.quirks.get("cascades")))
    except StateError as failure:
        if failure.kind in ("in-use", "referenced"):
            return error("VPC.9902", f"Security group {group.id} is in use.")
        return error("VPC.2201", "The default security group cannot be deleted.")
    return httpx.Response(204)


def _create_rule(cloud: Cloud, groups: list[Group], row: Row) -> httpx.Response:
    ignored = cloud.quirks.get("passes_over", [])
    row = {key: value for key, value in row.items() if key not in ignored}
    group = _required(groups, row.get("security_group_id"), "security_group_id")
    if peer := row.get("remote_group_id"):
        _required(groups, peer, "remote security group")
    rule = _rule(row)
    for other in group.rules:
        if _effect(other) == _effect(rule):
            text = f"Security group rule already exists. Rule id is {other.id}."
            raise refused("VPC.9902", text)
    in_project = sum(len(one.rules) for one in groups)
    if in_project >= cloud.limits.get("rules-per-project", in_project + 1):
        raise _over_quota("security_group_rule")
    try:
        edit.add_rule(cloud, group.id, rule)
    except StateError as failure:
        raise _over_quota("security_group_rule") from failure
    return created(security_group_rule=rule_row(group, rule))


def _create_rules(
    request: httpx.Request, cloud: Cloud, groups: list[Group], group_id: str
) -> httpx.Response:
    """Add up to 200 rules to one group, all of them or none (BatchCreateSecurityGroupRules)."""
    group = _required(groups, group_id, "security_group_id")
    rows = json_of(request).get("security_group_rules")
    known = _RULE_KEYS - {"security_group_id"} - ({"enabled"} if cloud.quirks.get("otc") else set())
    if not isinstance(rows, list) or not 0 < len(rows) <= _RULES_MAX:
        raise refused("SYS.0400", f"security_group_rules: 1 to {_RULES_MAX} of them.")
    for row in rows:
        if unknown := row.keys() - known:
            raise refused("SYS.0400", f"{', '.join(sorted(unknown))}: unknown field.")
    before = list(group.rules)
    made: list[Any] = []
    try:
        for row in rows:
            single = _create_rule(cloud, groups, row | {"security_group_id": group_id})
            made.append(single.json()["security_group_rule"])
    except RefusedError:
        group.rules[:] = before
        raise
    return created(security_group_rules=made)


def _rule(row: Row) -> Rule:
    """Return the rule that the fields of a request describe."""
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
    """Return what two equal rules have in common: all but id, description and ``enabled``."""
    ports = (rule.direction, rule.ethertype, rule.protocol, rule.ports)
    return (*ports, rule.cidr, rule.peer_group, rule.template, rule.action, rule.priority)


def _delete_rule(cloud: Cloud, groups: list[Group], rule_id: str) -> httpx.Response:
    for group in groups:
        if rule := next((one for one in group.rules if one.id == rule_id), None):
            edit.remove_rule(cloud, group.id, rule)
            return httpx.Response(204)
    return not_found("security_group_rule", rule_id)


def _over_quota(resource: str) -> RefusedError:
    return refused("VPC.9905", f"Quota exceeded for resources: ['{resource}'].")


# The changes that take ``dry_run``, with the key of the body's object.
_DRY_RUNS = (
    ("POST", re.compile(r"vpc/security-groups"), "security_group"),
    ("POST", re.compile(r"vpc/security-group-rules"), "security_group_rule"),
    ("PUT", re.compile(r"vpc/sub-network-interfaces/[^/]+"), "sub_network_interface"),
    ("PUT", re.compile(r"ports/[^/]+/(insert|remove)-security-groups"), "port"),
)


def dry_run(request: httpx.Request, caller: Caller, path: str) -> httpx.Response | None:
    """Return the response to a dry run, None when the request is not one."""
    for method, pattern, key in _DRY_RUNS:
        if request.method != method or not pattern.fullmatch(path.rstrip("/")):
            continue
        body = json_of(request)
        if body.get("dry_run") is not True:
            return None
        if not caller.may_write:
            return error("VPC.2201", "Policy doesn't allow the change.")
        if not isinstance(body.get(key), dict):
            return error("VPC.0601", f"{key} is required.")
        return httpx.Response(202)
    return None
