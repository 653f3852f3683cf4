"""Rules of an emulated Neutron: created one by one or in bulk, and deleted, never changed.

Two rules are equal if they differ only in their descriptions, if one has the name of a protocol and
the other its number, or if one has ``0.0.0.0/0`` and the other no address.

Quirk read here: ``address_groups`` (the ids that exist; without it every id is accepted).
"""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import httpx

from sgguard.emulator import edit
from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._openstack.neutron.protocol import NUMBERS
from sgguard.emulator.faces._openstack.neutron.quota import require_room
from sgguard.emulator.faces._openstack.neutron.response import (
    RefusedError,
    bad_request,
    bodies_of,
    json_of,
    no_such_group,
    not_shown,
    project_in,
    refused,
    require_owner,
    require_revision,
    text_in,
)
from sgguard.emulator.faces._openstack.neutron.rows import (
    RULE_REVISION,
    Row,
    is_visible_rule,
    listed_rules,
    rule_row,
    visible_groups,
)
from sgguard.emulator.state import Cloud, Group, Rule, StateError

_ATTRIBUTES = frozenset(
    {
        "security_group_id",
        "direction",
        "ethertype",
        "protocol",
        "port_range_min",
        "port_range_max",
        "remote_ip_prefix",
        "remote_group_id",
        "remote_address_group_id",
        "description",
        "project_id",
        "tenant_id",
    }
)
_REMOTES = ("remote_ip_prefix", "remote_group_id", "remote_address_group_id")
_COMPARED = ("direction", "ethertype", "port_range_min", "port_range_max", *_REMOTES)
_WITH_PORTS = frozenset({6, 17, 33, 132, 136})
_ICMP = frozenset({1, 58})
_BYTE_MAX = 255
_PORT_MAX = 65535


def create(request: httpx.Request, cloud: Cloud, caller: Caller, region: str) -> httpx.Response:
    """Respond to ``POST security-group-rules``: all rules of the body are created, or none.

    Raises:
        RefusedError: 400, 403, 404 or 409.
    """
    bodies = bodies_of(request, "security_group_rule", _ATTRIBUTES)
    wanted = [_rule(body, cloud, caller, region) for body in bodies]
    group = wanted[0][0]
    if any(other is not group for other, _ in wanted):
        text = "Only allowed to update rules for one security profile at a time"
        raise refused(400, "SecurityGroupNotSingleGroupRules", text)
    _require_new(group, [rule for _, rule in wanted])
    for project in {rule.project or group.project for _, rule in wanted}:
        count = sum((rule.project or group.project) == project for _, rule in wanted)
        require_room(cloud, region, project, "security_group_rule", count)
    rows = [_added(cloud, group, rule) for _, rule in wanted]
    is_bulk = "security_group_rules" in json_of(request)
    body = {"security_group_rules": rows} if is_bulk else {"security_group_rule": rows[0]}
    return httpx.Response(201, json=body)


def delete(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, rule_id: str
) -> httpx.Response:
    """Respond to ``DELETE security-group-rules/{id}``.

    Raises:
        RefusedError: 403, 404 or 412.
    """
    every = listed_rules(cloud, caller, region, is_filtered=True)
    group, rule = next(((g, r) for g, r in every if r.id == rule_id), (None, None))
    if group is None or rule is None:
        text = f"Security group rule {rule_id} does not exist"
        raise refused(404, "SecurityGroupRuleNotFound", text)
    if not is_visible_rule(caller, group):
        raise RefusedError(not_shown())
    require_owner(caller, group.project, "delete_security_group_rule")
    require_revision(request, RULE_REVISION)
    edit.remove_rule(cloud, group.id, rule)
    return httpx.Response(204)


def _rule(body: Row, cloud: Cloud, caller: Caller, region: str) -> tuple[Group, Rule]:
    """Return the rule a body describes, and its group; nothing is created yet."""
    project = project_in(body, caller)
    rule = _rule_in(body)
    groups = {group.id: group for group in visible_groups(cloud, caller, region)}
    group = groups.get(str(body.get("security_group_id")))
    if group is None:
        raise no_such_group(str(body.get("security_group_id")))
    require_owner(caller, group.project, "create_security_group_rule")
    if rule.peer_group and rule.peer_group not in groups:
        raise no_such_group(rule.peer_group)
    known = cloud.quirks.get("address_groups")
    if rule.template and known is not None and rule.template not in known:
        text = f"Address group {rule.template} could not be found."
        raise refused(404, "AddressGroupNotFound", text)
    rule.project = "" if project == group.project else project
    return group, rule


def _rule_in(body: Row) -> Rule:
    """Return the rule that the body describes, without checking its group or peer."""
    direction, ethertype = body.get("direction"), body.get("ethertype") or "IPv4"
    if direction not in ("ingress", "egress"):
        values = "['ingress', 'egress']"
        raise bad_request(f"Invalid input for direction. Reason: '{direction}' is not in {values}.")
    if ethertype not in ("IPv4", "IPv6"):
        text = f"Security group rule for ethertype '{ethertype}' not supported."
        raise refused(400, "SecurityGroupRuleInvalidEtherType", text)
    if sum(bool(body.get(name)) for name in _REMOTES) > 1:
        text = "Only one of remote_ip_prefix, remote_group_id, remote_address_group_id may be given"
        raise refused(400, "SecurityGroupMultipleRemoteEntites", text)
    protocol = _protocol(body.get("protocol"), ethertype)
    return Rule(
        direction,
        protocol=protocol or "any",
        ports=_ports(_number(body, "port_range_min"), _number(body, "port_range_max"), protocol),
        cidr=_prefix(text_in(body | _no_nulls(body), "remote_ip_prefix"), ethertype),
        peer_group=body.get("remote_group_id") or "",
        template=body.get("remote_address_group_id") or "",
        description=text_in(body | _no_nulls(body), "description"),
        ethertype=ethertype,
    )


def _no_nulls(body: Row) -> Row:
    return {name: "" for name, value in body.items() if value is None}


def _protocol(value: object, ethertype: str) -> str:
    """Return the protocol as Neutron stores it, empty for any."""
    text = "" if value is None else str(value).lower()
    if text in ("", "any"):
        return ""
    is_number = text.isdigit() and int(text) <= _BYTE_MAX
    if text not in NUMBERS and not is_number:
        message = f"Security group rule protocol {value} not supported."
        raise refused(400, "SecurityGroupRuleInvalidProtocol", message)
    if ethertype == "IPv6" and text in ("icmp", "icmpv6"):
        return "ipv6-icmp"
    if ethertype == "IPv4" and text in ("icmpv6", "ipv6-icmp"):
        message = f"Invalid ethertype {ethertype} for protocol {text}."
        raise refused(400, "SecurityGroupEthertypeConflictWithProtocol", message)
    return text


def _number(body: Row, name: str) -> int | None:
    value = body.get(name)
    try:
        number = None if value is None else int(value)
    except (TypeError, ValueError):
        number = -1
    if number is not None and not 0 <= number <= _PORT_MAX:
        raise refused(400, "SecurityGroupInvalidPortValue", f"Invalid value for port {value}")
    return number


def _ports(low: int | None, high: int | None, protocol: str) -> str:
    """Return ports, or type and code of ICMP (``8-`` for every code of a type)."""
    if low is None and high is None:
        return "any"
    if not protocol:
        message = "Must also specify protocol if port range is given."
        raise refused(400, "SecurityGroupProtocolRequiredWithPorts", message)
    number = NUMBERS.get(protocol) or int(protocol)
    if number in _ICMP:
        if low is None:
            message = f"ICMP code (port-range-max) {high} is provided but ICMP type is missing."
            raise refused(400, "SecurityGroupMissingIcmpType", message)
        if max(low, high or 0) > _BYTE_MAX:
            message = "Invalid value for ICMP type or code. It must be 0 to 255."
            raise refused(400, "SecurityGroupInvalidIcmpValue", message)
        return f"{low}-" if high is None else f"{low}-{high}"
    if number not in _WITH_PORTS:
        message = f"Invalid protocol {protocol} for port range."
        raise refused(400, "SecurityGroupInvalidProtocolForPort", message)
    if low is None or high is None or not 0 < low <= high:
        message = "For TCP/UDP protocols, port_range_min must be <= port_range_max"
        raise refused(400, "SecurityGroupInvalidPortRange", message)
    return str(low) if low == high else f"{low}-{high}"


def _prefix(text: str, ethertype: str) -> str:
    """Return the address range as given: Neutron stores it beside the normalised one."""
    if not text:
        return ""
    try:
        version = ip_network(text, strict=False).version
    except ValueError:
        message = f"Invalid input for remote_ip_prefix. Reason: '{text}' is not a valid CIDR."
        raise bad_request(message) from None
    if ethertype != f"IPv{version}":
        message = f"Conflicting value ethertype {ethertype} for CIDR {text}"
        raise refused(400, "SecurityGroupRuleParameterConflict", message)
    return text if "/" in text else f"{text}/{32 if version == 4 else 128}"  # noqa: PLR2004


def _require_new(group: Group, rules: list[Rule]) -> None:
    keys = [_key(rule_row(group, rule)) for rule in rules]
    if len(set(keys)) < len(keys):
        text = "Duplicate Security Group Rule in POST."
        raise refused(409, "DuplicateSecurityGroupRuleInPost", text)
    for one in group.rules:
        if _key(rule_row(group, one)) in keys:
            text = f"Security group rule already exists. Rule id is {one.id}."
            raise refused(409, "SecurityGroupRuleExists", text)


def _key(row: Row) -> tuple[Any, ...]:
    compared = {name: row[name] for name in _COMPARED}
    if compared["remote_ip_prefix"] in ("0.0.0.0/0", "::/0"):
        compared["remote_ip_prefix"] = None
    protocol = str(row["protocol"])
    return (*compared.values(), str(NUMBERS.get(protocol, protocol)))


def _added(cloud: Cloud, group: Group, rule: Rule) -> Row:
    try:
        return rule_row(group, edit.add_rule(cloud, group.id, rule))
    except StateError as error:
        text = "Quota exceeded for resources: ['security_group_rule']."
        raise refused(409, "OverQuota", text) from error
