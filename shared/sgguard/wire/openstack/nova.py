"""Nova's view of servers and their security groups (``os-security-groups``), which is incomplete.

``GET /servers/{id}/os-security-groups`` is reliable for the groups of a server. It is never used
for references: it drops egress rules and rules whose peer the caller cannot see, names peers
without their ids, lists a group once per interface, shows 0.0.0.0/0 for a rule without CIDR, also
of IPv6, and 1-65535 for a rule without ports.
Fields: https://docs.openstack.org/api-ref/compute/#list-security-groups-by-server (read 2026-11).
"""

from __future__ import annotations

from dataclasses import dataclass

from sgguard.model.resource import Direction, Group, Rule
from sgguard.wire.openstack.neutron.rule import same_id
from sgguard.wire.shape import Json, Shape

_UNUSED_PORT = -1
"""The port that Nova shows for a protocol without ports."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server as Nova describes it. ``status`` is Nova's word in upper case."""

    server_id: str
    name: str
    status: str
    project: str


def parse_server(body: object, shape: Shape) -> Server:
    """Read ``GET /servers/{id}``; name and status are only shown.

    Raises:
        UnknownShapeError: no ``server`` object, or one without id.
    """
    row = shape.table(shape.table(body, "answer").get("server"), "server")
    return Server(
        server_id=shape.text(row, "id", "server"),
        name=shape.shown(row, "name"),
        status=shape.shown(row, "status"),
        project=shape.text_or_empty(row, "tenant_id", "server"),
    )


def parse_server_groups(body: object, shape: Shape) -> tuple[Group, ...]:
    """Read ``GET /servers/{id}/os-security-groups``: each group once, in the cloud's order.

    The rules are incomplete, see above.

    Raises:
        UnknownShapeError: no list of groups, or a group or rule without id.
    """
    rows = shape.tables(shape.table(body, "answer").get("security_groups"), "security_groups")
    groups: dict[str, Group] = {}
    for n, row in enumerate(rows):
        group = _group(row, shape, f"security_groups[{n}]")
        groups.setdefault(group.group_id, group)
    return tuple(groups.values())


def parse_server_group_ids(body: object, shape: Shape) -> tuple[str, ...]:
    """Read of the same response only the ids: nothing else of it is needed to know the groups.

    Raises:
        UnknownShapeError: no list of groups, or a group without id.
    """
    rows = shape.tables(shape.table(body, "answer").get("security_groups"), "security_groups")
    ids = (shape.text(row, "id", f"security_groups[{n}]") for n, row in enumerate(rows))
    return tuple(dict.fromkeys(same_id(one) for one in ids))


def _group(row: Json, shape: Shape, path: str) -> Group:
    name = shape.text_or_none(row, "name", path)
    rules = shape.tables(row.get("rules"), f"{path}.rules")
    return Group(
        group_id=shape.text(row, "id", path),
        name=name,
        description=shape.text_or_empty(row, "description", path),
        project=shape.text_or_empty(row, "tenant_id", path),
        is_default=name == "default",
        rules=tuple(_rule(rule, shape, f"{path}.rules[{n}]") for n, rule in enumerate(rules)),
    )


def _rule(row: Json, shape: Shape, path: str) -> Rule:
    return Rule(
        rule_id=shape.text(row, "id", path),
        direction=Direction.INGRESS,
        protocol=shape.text_or_empty(row, "ip_protocol", path).lower() or "any",
        ports=_ports(row, shape, path),
        peer=_peer(row, shape, path),
    )


def _ports(row: Json, shape: Shape, path: str) -> str:
    low = shape.integer_or_none(row, "from_port", path)
    high = shape.integer_or_none(row, "to_port", path)
    if low is None or high is None or _UNUSED_PORT in (low, high):
        return "any"
    return str(low) if low == high else f"{low}-{high}"


def _peer(row: Json, shape: Shape, path: str) -> str:
    """Return the peer as text; a group stays a name, because names are not unique."""
    group = shape.table(row.get("group") or {}, f"{path}.group")
    if group:
        name = shape.text_or_empty(group, "name", f"{path}.group")
        return f"group {name!r} of project {group.get('tenant_id', '')}"
    ip_range = shape.table(row.get("ip_range") or {}, f"{path}.ip_range")
    return shape.text_or_empty(ip_range, "cidr", f"{path}.ip_range") or "any"
