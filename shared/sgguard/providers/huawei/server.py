"""An elastic cloud server as ECS v1 describes it.

``GET /v1/{project_id}/cloudservers/{server_id}``; the same object as in ``cloudservers/detail``.
https://support.huaweicloud.com/intl/en-us/api-ecs/ (read 2026-11). The response also holds the
server's user data, often with secrets in it: only the members named here are read.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sgguard.model.codes import UnseenCode
from sgguard.model.resource import Instance, Interface, Unseen
from sgguard.model.sentence import Text, listed, said
from sgguard.providers.huawei.bindings import change_refusal
from sgguard.providers.huawei.response import Port, one_spelling
from sgguard.wire.shape import Json, Shape

_DELETED = frozenset({"DELETED", "SOFT_DELETED"})


class Server(msgspec.Struct, frozen=True):
    """A server. ``status`` is the cloud's word in upper case.

    Its ``security_groups`` are not read: Open Telekom Cloud's sample has the VPC in their place;
    Nova's list of groups and the interfaces say what it carries.
    """

    server_id: str
    name: str
    status: str
    project: str
    vpc: str


def parse_server(raw: object, shape: Shape, path: str = "server") -> Server:
    """Read one server.

    Raises:
        UnknownShapeError: the id is missing, or the status is no text.
    """
    row = shape.table(raw, path)
    metadata = row.get("metadata")
    return Server(
        server_id=shape.text(row, "id", path),
        name=shape.shown(row, "name"),
        status=shape.text_or_empty(row, "status", path).upper(),
        project=shape.shown(row, "tenant_id"),
        vpc=shape.shown(metadata, "vpc_id") if isinstance(metadata, dict) else "",
    )


def parse_group_ids(body: Json, shape: Shape) -> tuple[str, ...]:
    """Read the ids in Nova's list of a server's groups: each once, in the cloud's order.

    Nothing else of it is used: its rules are incomplete, and a group is listed once per interface.

    Raises:
        UnknownShapeError: no list of groups, or a group without id.
    """
    rows = shape.tables(body.get("security_groups"), "security_groups")
    ids = (one_spelling(shape.text(row, "id", "security_groups")) for row in rows)
    return tuple(dict.fromkeys(ids))


def instance_of(
    instance_id: str, server: Server | None, named: Sequence[str], ports: Sequence[Port]
) -> Instance:
    """Return the instance from ECS, Nova's list of its groups, and its ports.

    The groups are those of the primary interface; without a visible one, those that Nova lists.
    """
    ordered = sorted(ports, key=lambda port: not port.is_primary)
    return Instance(
        instance_id=instance_id,
        name=server.name if server else "",
        state=server.status if server else "",
        project=server.project if server else "",
        network=server.vpc if server else "",
        group_ids=ordered[0].row.group_ids if ordered else tuple(named),
        interfaces=tuple(
            Interface(
                port.row.port_id,
                port.row.group_ids,
                is_primary=n == 0,
                change_refusal=change_refusal(port),
            )
            for n, port in enumerate(ordered)
        ),
        binding_refusal=_binding_refusal(server, named, ordered),
    )


def hidden_interfaces(named: Sequence[str], ports: Sequence[Port]) -> tuple[Unseen, ...]:
    """Return a gap where Nova lists groups that no visible interface carries."""
    visible = {group_id for port in ports for group_id in port.row.group_ids}
    hidden = [group_id for group_id in named if group_id not in visible]
    if not hidden:
        return ()
    return (
        Unseen(
            code=UnseenCode.NOT_TOLD,
            what=said("part.interfaces"),
            why=said("why.carried-nowhere", groups=listed(hidden)),
            remedy=said("remedy.owner-of-interfaces"),
        ),
    )


def _binding_refusal(server: Server | None, named: Sequence[str], ports: Sequence[Port]) -> Text:
    """Return why Nova would refuse to add a group, empty when no reason is known."""
    if server is not None and server.status in _DELETED:
        return said("refusal.server-state", state=server.status)
    if not named and not ports:
        return said("refusal.server-bare")
    for port in ports:
        if not port.row.has_port_security:
            return said("refusal.port-security-off", port=port.row.port_id)
    return ""
