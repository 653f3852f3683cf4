"""Nova's view of servers and their security groups (``os-security-groups``), which is incomplete.

``GET /servers/{id}/os-security-groups`` is reliable for the groups of a server. It is never used
for references: it drops egress rules and rules whose peer the caller cannot see, names peers
without their ids, lists a group once per interface, shows 0.0.0.0/0 for a rule without CIDR, also
of IPv6, and 1-65535 for a rule without ports.
Fields: https://docs.openstack.org/api-ref/compute/#list-security-groups-by-server (read 2026-11).
"""

from __future__ import annotations

import msgspec

from sgguard.wire.openstack.neutron.rule import same_id
from sgguard.wire.shape import Shape


class Server(msgspec.Struct, frozen=True):
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


def parse_server_group_ids(body: object, shape: Shape) -> tuple[str, ...]:
    """Read ``GET /servers/{id}/os-security-groups``: each id once, in the cloud's order.

    Nothing else of it is needed to know the groups of a server.

    Raises:
        UnknownShapeError: no list of groups, or a group without id.
    """
    rows = shape.tables(shape.table(body, "answer").get("security_groups"), "security_groups")
    ids = (shape.text(row, "id", f"security_groups[{n}]") for n, row in enumerate(rows))
    return tuple(dict.fromkeys(same_id(one) for one in ids))
