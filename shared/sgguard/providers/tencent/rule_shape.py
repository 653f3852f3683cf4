"""The shape of rules in Tencent's API 3.0: read from a response, written for a request.

``Rule.native`` has the templates that a rule names, as ``ServiceTemplate.ServiceGroupId`` and the
like; all else follows from the rule itself. ``Priority`` is left out: like ``PolicyIndex``, which
is part of the rule's id, it shifts with every change according to the documents.
Sources: https://cloud.tencent.com/document/api/215/15804 and /15807 (read 2026-11-22).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from sgguard.model.resource import Direction, Rule
from sgguard.wire.shape import Json, Shape

KEYS: Mapping[Direction, str] = {Direction.INGRESS: "Ingress", Direction.EGRESS: "Egress"}
"""The member of ``SecurityGroupPolicySet`` with the rules of a direction."""

_ACTIONS: Mapping[str, Literal["accept", "drop"]] = {"ACCEPT": "accept", "DROP": "drop"}
_TEMPLATES = {"ServiceTemplate": "Service", "AddressTemplate": "Address"}
_WITH_PORTS = ("tcp", "udp")


class PolicySet(msgspec.Struct, frozen=True):
    """The rules of a group, ingress first, and their version; ``""`` where it is not reported."""

    version: str
    rules: tuple[Rule, ...]


def policy_set(shape: Shape, body: Json) -> PolicySet:
    """Read DescribeSecurityGroupPolicies: each direction in the order the cloud applies.

    Needed of a rule: the group it names (a reference), action, position, protocol and ports (what
    a plan may change, and where). The version is needed for changes only: of any other type it is
    taken for not reported. Everything else is only shown, or kept for building the rule again.
    """
    policies = shape.table(body.get("SecurityGroupPolicySet"), "SecurityGroupPolicySet")
    rules = tuple(
        _rule(shape, row, direction, f"{key}[{number}]")
        for direction, key in KEYS.items()
        for number, row in enumerate(shape.tables(policies.get(key), key))
    )
    version = policies.get("Version")
    is_told = isinstance(version, str | int) and not isinstance(version, bool)
    return PolicySet(str(version) if is_told else "", rules)


def _rule(shape: Shape, row: Json, direction: Direction, path: str) -> Rule:
    # Unset fields come as "", as null or not at all, depending on region and age of the rule.
    action = _ACTIONS.get(shape.text(row, "Action", path).upper())
    if action is None:
        raise shape.wrong(f"{path}.Action: expected ACCEPT or DROP")
    service = _templates(shape, row, "ServiceTemplate", path)
    address = _templates(shape, row, "AddressTemplate", path)
    return Rule(
        rule_id=f"{direction}[{shape.integer(row, 'PolicyIndex', path)}]",
        direction=direction,
        protocol="service-template" if service else _any(shape, row, "Protocol", path),
        ports=service[0][1] if service else _any(shape, row, "Port", path),
        peer_group=shape.text_or_empty(row, "SecurityGroupId", path),
        peer=shape.shown(row, "CidrBlock")
        or shape.shown(row, "Ipv6CidrBlock")
        or (address[0][1] if address else ""),
        action=action,
        description=shape.shown(row, "PolicyDescription"),
        native=(*service, *address),
    )


def _any(shape: Shape, row: Json, key: str, path: str) -> str:
    text = shape.text_or_empty(row, key, path).lower()
    return "any" if text in {"", "all"} else text


def _templates(shape: Shape, row: Json, key: str, path: str) -> tuple[tuple[str, str], ...]:
    """Return the templates named under a key, one of them or a group of them."""
    if row.get(key) is None:
        return ()
    template = shape.table(row[key], f"{path}.{key}")
    names = (f"{_TEMPLATES[key]}Id", f"{_TEMPLATES[key]}GroupId")
    found = ((name, shape.text_or_empty(template, name, path)) for name in names)
    return tuple((f"{key}.{name}", value) for name, value in found if value)


def row_of(rule: Rule) -> dict[str, Any]:
    """Return the rule as a request takes it, without its position.

    ``Port`` is only accepted with TCP and UDP, and must be ``all`` where the protocol is.
    """
    row: dict[str, Any] = {"Action": rule.action.upper()}
    if rule.description:
        row["PolicyDescription"] = rule.description
    if service := _named(rule, "ServiceTemplate"):
        row["ServiceTemplate"] = service
    elif rule.protocol == "any":
        row |= {"Protocol": "ALL", "Port": "all"}
    else:
        row["Protocol"] = rule.protocol.upper()
        if rule.protocol in _WITH_PORTS:
            row["Port"] = "all" if rule.ports == "any" else rule.ports
    if rule.peer_group:
        row["SecurityGroupId"] = rule.peer_group
    elif address := _named(rule, "AddressTemplate"):
        row["AddressTemplate"] = address
    elif rule.peer:
        row["Ipv6CidrBlock" if ":" in rule.peer else "CidrBlock"] = rule.peer
    return row


def _named(rule: Rule, key: str) -> dict[str, str]:
    prefix = f"{key}."
    named = ((name, value) for name, value in rule.native if name.startswith(prefix))
    return {name.removeprefix(prefix): value for name, value in named}
