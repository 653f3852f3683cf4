"""One server from three responses: Nova's server, Nova's groups of it, Neutron's ports of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from sgguard.errors import NotFoundError
from sgguard.model.resource import Instance, Interface, Seen
from sgguard.model.sentence import Text, said
from sgguard.providers.openstack.api import OpenStackApi
from sgguard.providers.openstack.binding import read_ports
from sgguard.wire.openstack import nova
from sgguard.wire.openstack.neutron import PortRow


class ServerPart(msgspec.Struct, frozen=True):
    """The content of one of the responses; the other fields are empty."""

    server: nova.Server | None = None
    group_ids: tuple[str, ...] = ()
    ports: tuple[PortRow, ...] = ()


_NO_PORT_SECURITY = said("refusal.no-port-security")

Read = Callable[[], Seen[ServerPart]]


def part_reads(api: OpenStackApi, server_id: str) -> list[tuple[str, Read]]:
    """Return the three reads, each with the name of what it reads."""
    return [
        ("server", partial(_read_server, api, server_id)),
        ("groups of the server", partial(_read_groups, api, server_id)),
        ("ports of the server", partial(_read_ports, api, server_id)),
    ]


def instance_of(server_id: str, parts: Sequence[ServerPart]) -> Instance:
    """Merge the responses. Groups are those of the ports, then those that only Nova lists."""
    server = next((part.server for part in parts if part.server), None)
    ports = [port for part in parts for port in part.ports]
    named = [group_id for part in parts for group_id in part.group_ids]
    on_ports = [group_id for port in ports for group_id in port.group_ids]
    networks = {port.network for port in ports}
    return Instance(
        instance_id=server_id,
        name=server.name if server else "",
        state=server.status if server else "",
        project=server.project if server else "",
        network=networks.pop() if len(networks) == 1 else "",
        group_ids=tuple(dict.fromkeys([*on_ports, *named])),
        interfaces=tuple(
            Interface(
                port.port_id,
                port.group_ids,
                change_refusal="" if port.has_port_security else _NO_PORT_SECURITY,
            )
            for port in ports
        ),
        binding_refusal=_refusal(ports),
    )


def _refusal(ports: Sequence[PortRow]) -> Text:
    """Return why Nova would not add a group: it adds to every port of a server, or to none."""
    if not ports:
        return said("refusal.no-port")
    for port in ports:
        if not port.has_port_security:
            return said("refusal.port-security-of", port=port.port_id)
        if not port.has_address:
            return said("refusal.port-no-address", port=port.port_id)
    return ""


def _read_server(api: OpenStackApi, server_id: str) -> Seen[ServerPart]:
    action = "GET /v2.1/servers/{id}"
    body = api.get(api.compute(f"servers/{server_id}"), action)
    return Seen(ServerPart(server=nova.parse_server(body, api.shape(action))))


def _read_groups(api: OpenStackApi, server_id: str) -> Seen[ServerPart]:
    action = "GET /v2.1/servers/{id}/os-security-groups"
    try:
        body = api.get(api.compute(f"servers/{server_id}/os-security-groups"), action)
    except NotFoundError as error:
        # The read of the server itself shows whether it exists.
        raise api.shape(action).wrong("no groups of a server that may exist") from error
    return Seen(ServerPart(group_ids=nova.parse_server_group_ids(body, api.shape(action))))


def _read_ports(api: OpenStackApi, server_id: str) -> Seen[ServerPart]:
    seen = read_ports(api, server_id)
    return Seen(ServerPart(ports=seen.value), seen.unseen)
