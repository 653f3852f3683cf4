"""One rule of Tencent's VPC service: as it is listed, and as a request describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sgguard.emulator.faces.tencent.call import Call, RefusedError, number_of
from sgguard.emulator.state import Group, Rule

_KEYS = frozenset(
    {
        *("PolicyIndex", "Protocol", "Port", "ServiceTemplate", "CidrBlock", "Ipv6CidrBlock"),
        *("SecurityGroupId", "AddressTemplate", "Action", "PolicyDescription", "ModifyTime"),
        "Priority",
    }
)
_PEERS = ("CidrBlock", "Ipv6CidrBlock", "SecurityGroupId", "AddressTemplate")
_PROTOCOLS = frozenset({"tcp", "udp", "icmp", "icmpv6", "gre", "all"})
_DESCRIPTION_MAX = 100


def rule_row(call: Call, rule: Rule, index: int) -> dict[str, Any]:
    """Return a rule as it is listed; ``index`` is its position in its direction.

    Quirk ``unset_fields``: unset fields are ``"empty"`` (default), ``"null"`` or ``"absent"``.
    """
    is_ipv6 = ":" in rule.cidr
    policy: dict[str, Any] = {
        "PolicyIndex": index,
        "Action": rule.action.upper(),
        "PolicyDescription": rule.description,
        "ModifyTime": "2026-11-01 00:00:00",
        "Priority": rule.priority,
    }
    plain = (
        {} if rule.service else {"Protocol": _or_all(rule.protocol), "Port": _or_all(rule.ports)}
    )
    fields: dict[str, Any] = {
        **plain,
        "CidrBlock": "" if is_ipv6 else rule.cidr,
        "Ipv6CidrBlock": rule.cidr if is_ipv6 else "",
        "SecurityGroupId": rule.peer_group,
    }
    templates = {
        "AddressTemplate": _template("Address", rule.template, "ipmg-"),
        "ServiceTemplate": _template("Service", rule.service, "ppmg-"),
    }
    unset = call.cloud.quirks.get("unset_fields", "empty")
    if unset == "empty":
        return {**policy, "Protocol": "", "Port": "", **fields, **templates}
    fields_set = {key: value for key, value in fields.items() if value}
    fields_set |= {key: template for key, template in templates.items() if any(template.values())}
    if unset == "null":
        return {**policy, **dict.fromkeys((*fields, *templates)), **fields_set}
    return {**policy, **fields_set}


def _or_all(text: str) -> str:
    return "ALL" if text == "any" else text


def _template(kind: str, template_id: str, group_prefix: str) -> dict[str, str]:
    is_group = template_id.startswith(group_prefix)
    return {
        f"{kind}Id": "" if is_group else template_id,
        f"{kind}GroupId": template_id if is_group else "",
    }


def rule_of(call: Call, group: Group, row: Mapping[str, Any], direction: str) -> Rule:
    """Return the rule that a request describes.

    Raises:
        RefusedError: something is missing, excludes something else, or does not exist.
    """
    for name in row:
        if name not in _KEYS:
            raise RefusedError("UnknownParameter.WithGuess", f"`{name}` is not recognized.")
    action = _text(row, "Action").lower()
    if action not in ("accept", "drop"):
        raise RefusedError("InvalidParameterValue", "`Action` is neither ACCEPT nor DROP.")
    if sum(bool(row.get(name)) for name in _PEERS) > 1:
        raise RefusedError("InvalidParameter.Coexist", f"only one of {', '.join(_PEERS)}")
    if ":" in _text(row, "CidrBlock") or ":" not in (_text(row, "Ipv6CidrBlock") or ":"):
        raise RefusedError("InvalidParameterValue", "`CidrBlock` is not of its family.")
    description = _text(row, "PolicyDescription")
    if len(description) > _DESCRIPTION_MAX:
        raise RefusedError("InvalidParameterValue.TooLong", "`PolicyDescription`")
    protocol, ports = _traffic(row)
    return Rule(
        direction=direction,
        protocol=protocol,
        ports=ports,
        service=_named(row, "ServiceTemplate", "Service"),
        cidr=_text(row, "CidrBlock") or _text(row, "Ipv6CidrBlock"),
        peer_group=_peer(call, group, row),
        template=_named(row, "AddressTemplate", "Address"),
        action=action,
        description=description,
    )


def _traffic(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return protocol and ports; TCP and UDP take ports, and ALL takes only all of them."""
    protocol, ports = _text(row, "Protocol").lower(), _text(row, "Port").lower()
    if row.get("ServiceTemplate"):
        if protocol or ports:
            raise RefusedError("InvalidParameter.Coexist", "Protocol and ServiceTemplate coexist.")
        return "any", "any"
    if protocol not in _PROTOCOLS:
        raise RefusedError("InvalidParameterValue", "`Protocol` is not supported.")
    if protocol == "icmp" and row.get("Ipv6CidrBlock"):
        raise RefusedError("InvalidParameter.Coexist", "ICMP and Ipv6CidrBlock coexist.")
    if protocol == "all":
        if ports not in ("", "all"):
            raise RefusedError("InvalidParameterValue", "`Port` must be all when Protocol is ALL.")
        return "any", "any"
    if protocol not in ("tcp", "udp"):
        if ports:
            raise RefusedError("InvalidParameter.Coexist", f"`Port` coexists with {protocol}.")
        return protocol, "any"
    return protocol, "any" if ports in ("", "all") else ports


def _peer(call: Call, group: Group, row: Mapping[str, Any]) -> str:
    """Return the group that a rule names: one of the same project."""
    peer_id = _text(row, "SecurityGroupId")
    peer = call.groups().get(peer_id)
    if peer_id and (peer is None or peer.project != group.project):
        raise RefusedError("ResourceNotFound", f"The resource `{peer_id}` does not exist.")
    return peer_id


def _named(row: Mapping[str, Any], key: str, kind: str) -> str:
    template = row.get(key) or {}
    if not isinstance(template, dict):
        raise RefusedError("InvalidParameter", f"`{key}` is no object.")
    return _text(template, f"{kind}Id") or _text(template, f"{kind}GroupId")


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is not None and not isinstance(value, str):
        raise RefusedError("InvalidParameter", f"`{name}` is not String.")
    return value or ""


def index_of(row: Mapping[str, Any]) -> int | None:
    """Return the position in a rule of a request, None where it is left out.

    Raises:
        RefusedError: it is not a whole number.
    """
    index = row.get("PolicyIndex")
    number = None if index is None else number_of(index)
    if index is not None and number is None:
        raise RefusedError("InvalidParameter", "`PolicyIndex` is not Integer.")
    return number


def is_same(one: Rule, other: Rule) -> bool:
    """Return whether two rules have the same effect; descriptions are ignored."""
    return _effect(one) == _effect(other)


def _effect(rule: Rule) -> tuple[str, ...]:
    traffic = (rule.direction, rule.protocol, rule.ports, rule.service)
    return (*traffic, rule.cidr, rule.peer_group, rule.template, rule.action)
