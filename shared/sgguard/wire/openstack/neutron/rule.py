"""The shape of Neutron's rules: read from a response, written for a request.

Field names: https://docs.openstack.org/api-ref/network/v2/ (read 2026-11). Rules are immutable: a
rule is created and deleted, never modified. Two rules are the same to Neutron when only their
descriptions differ, or when one has ``0.0.0.0/0`` and the other no prefix.

A verdict needs of a rule: its id, its group, its peer and its direction; its project, which tells
whether other projects use the group; and its ports, for a plan must not close a way in that the
policy protects. Everything else is shown, and may be anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from sgguard.model.resource import Direction, Rule
from sgguard.wire.shape import Json, Shape

_NATIVE_NUMBERS = ("port_range_min", "port_range_max")
_NATIVE_TEXTS = ("ethertype", "remote_ip_prefix", "remote_address_group_id")


class RuleRow(msgspec.Struct, frozen=True):
    """A rule and the group that has it. ``revision`` is None where it is not reported."""

    group_id: str
    project: str
    rule: Rule
    revision: int | None = None


def parse_rule(raw: object, shape: Shape, path: str = "security_group_rule") -> RuleRow:
    """Read one rule row.

    Raises:
        UnknownShapeError: a key that names the rule, its group or its peer is missing or odd.
    """
    row = shape.table(raw, path)
    if "remote_group_id" not in row:
        # A rule whose peer was left out would look like one without a peer.
        raise shape.wrong(f"{path}.remote_group_id: missing")
    return RuleRow(
        group_id=same_id(shape.text(row, "security_group_id", path)),
        project=project_of(row, shape, path),
        rule=Rule(
            rule_id=same_id(shape.text(row, "id", path)),
            direction=_direction(row, shape, path),
            protocol=shape.shown(row, "protocol").lower() or "any",
            ports=_ports(row, shape, path),
            peer_group=same_id(shape.text_or_empty(row, "remote_group_id", path)),
            peer=_peer(row, shape, path),
            description=shape.shown(row, "description"),
            native=_native(row, shape),
        ),
        revision=revision_of(row),
    )


def same_id(text: str) -> str:
    """Return an id in the one form in which ids of groups are compared.

    Neutron keeps an id as it was sent, and MySQL's usual collations ignore the case of letters: a
    rule whose peer was written in capitals names the group, and is deleted with it.
    """
    return text.strip().lower()


def rule_body(group_id: str, rule: Rule) -> dict[str, Any]:
    """Return the body of a request for this rule in that group.

    ``normalized_cidr``, project and revision are set by the cloud. Members without a value are left
    out: older clouds refuse members they do not know, even empty ones.
    """
    native = dict(rule.native)
    body: dict[str, Any] = {
        "security_group_id": group_id,
        "direction": str(rule.direction),
        "protocol": "" if rule.protocol == "any" else rule.protocol,
        "remote_group_id": rule.peer_group,
        "description": rule.description,
        **{name: native.get(name, "") for name in _NATIVE_TEXTS},
        **{name: int(native[name]) for name in _NATIVE_NUMBERS if name in native},
    }
    return {name: value for name, value in body.items() if value != ""}


def ingress_first(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Return rules in the cloud's order, those about incoming traffic before the others."""
    return tuple(sorted(rules, key=lambda rule: rule.direction is not Direction.INGRESS))


def project_of(row: Json, shape: Shape, path: str) -> str:
    """Return the project of an object, empty where it is not reported."""
    # `tenant_id` is the older spelling; older clouds send only that one.
    return shape.text_or_empty(row, "project_id", path) or shape.text_or_empty(
        row, "tenant_id", path
    )


def revision_of(row: Json) -> int | None:
    """Return the revision of an object, None where it is missing or no number."""
    value = row.get("revision_number")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _direction(row: Json, shape: Shape, path: str) -> Direction:
    text = shape.text(row, "direction", path)
    if text not in (Direction.INGRESS, Direction.EGRESS):
        raise shape.wrong(f"{path}.direction: expected ingress or egress")
    return Direction(text)


def _ports(row: Json, shape: Shape, path: str) -> str:
    low = shape.integer_or_none(row, "port_range_min", path)
    high = shape.integer_or_none(row, "port_range_max", path)
    if low is None and high is None:
        return "any"
    if low == high or high is None or low is None:
        return str(high if low is None else low)
    return f"{low}-{high}"


def _peer(row: Json, shape: Shape, path: str) -> str:
    if shape.text_or_empty(row, "remote_group_id", path):
        return ""
    if address_group := shape.shown(row, "remote_address_group_id"):
        return f"address group {address_group}"
    anywhere = {"IPv4": "0.0.0.0/0", "IPv6": "::/0"}
    prefix = shape.shown(row, "remote_ip_prefix")
    return prefix or anywhere.get(shape.shown(row, "ethertype"), "any")


def _native(row: Json, shape: Shape) -> tuple[tuple[str, str], ...]:
    """Return the members that ``Rule`` has no exact field for, and a new rule needs again.

    An ICMP type without a code and one with the same number both read as one "port".
    """
    found = ((name, shape.shown(row, name)) for name in (*_NATIVE_TEXTS, *_NATIVE_NUMBERS))
    return tuple((name, text) for name, text in found if text)
