"""The groups of one holder, read and changed: a port, or a server whose ports carry the same ones.

Neutron replaces the whole list of a port at once, and keeps it as a set: its order has no meaning.
The revision that was read is sent along, so that no concurrent change is overwritten; it must be
well-formed, since Neutron ignores one that does not parse.
"""

from __future__ import annotations

from collections.abc import Sequence

from sgguard.errors import CloudError, ConflictError, InputError, NotFoundError
from sgguard.model.change import Holder
from sgguard.model.sentence import as_told
from sgguard.providers.openstack.api import OpenStackApi, checked
from sgguard.providers.openstack.binding import read_ports
from sgguard.wire.openstack import neutron
from sgguard.wire.openstack.neutron import PortRow
from sgguard.wire.openstack.neutron.codes import may_be_reached

SERVER = "instance"
_READ = "GET /v2.0/ports/{id}"
_UPDATE = "PUT /v2.0/ports/{id}"
_ACT = "POST /v2.1/servers/{id}/action"


def read_holder(api: OpenStackApi, holder: Holder) -> tuple[str, ...] | None:
    """Return the groups of the holder; None: these credentials see no such holder.

    Raises:
        ConflictError: it is a server, and its ports carry different groups.
        UnknownShapeError: it is a server, and not all its ports could be seen.
    """
    try:
        ports = _ports(api, holder)
    except NotFoundError:
        return None
    return _agreed(api, holder, ports)


def set_groups(
    api: OpenStackApi,
    holder: Holder,
    before: tuple[str, ...],
    after: tuple[str, ...],
    ports: Sequence[PortRow] | None = None,
) -> None:
    """Make the holder carry ``after`` instead of ``before``: one call.

    ``ports`` are those of the holder as they were just read, where they were.

    Raises:
        InputError: ``after`` is empty, or has a malformed id.
        ConflictError: the holder does not carry ``before`` (any more).
        NotFoundError: there is no such port, server or group.
        CloudError: a server with several ports, and more than one group to add or to remove.
    """
    if not after:
        raise InputError("a port that lost its last group would be cut off: name one to keep")
    for group_id in after:
        checked(group_id)
    ports = _ports(api, holder) if ports is None else ports
    current = _agreed(api, holder, ports)
    if set(current) != set(before):
        raise _conflict(api, f"{_name(holder)} carries {', '.join(current) or 'no group'}")
    if set(after) == set(before):
        return
    if len(ports) == 1:
        _replace(api, ports[0], after)
        return
    change, body = _action(api, holder, before, after)
    try:
        api.send("POST", api.compute(f"servers/{checked(holder.holder_id)}/action"), _ACT, body)
    except CloudError as error:
        if not may_be_reached(change, error.code):
            raise
        # Somebody else may have done it meanwhile: then every port is as it should be.
        ports = _ports(api, holder)
        if any(set(port.group_ids) != set(after) for port in ports):
            raise


def _ports(api: OpenStackApi, holder: Holder) -> Sequence[PortRow]:
    """Return the ports of the holder: one, or all of a server.

    Raises:
        NotFoundError: there is no such port or server.
    """
    if holder.kind != SERVER:
        shape = api.shape(_READ)
        body = api.get(api.network(f"ports/{checked(holder.holder_id)}"), _READ)
        return [neutron.parse_port(shape.table(body, "answer").get("port"), shape)]
    seen = read_ports(api, checked(holder.holder_id))
    if seen.unseen:
        raise api.shape("GET /v2.0/ports").wrong(as_told(seen.unseen[0].why))
    if not (ports := seen.value):
        # Nova shows whether the server has no ports or does not exist.
        api.get(api.compute(f"servers/{holder.holder_id}"), "GET /v2.1/servers/{id}")
    return ports


def _agreed(api: OpenStackApi, holder: Holder, ports: Sequence[PortRow]) -> tuple[str, ...]:
    current = {frozenset(port.group_ids): port.group_ids for port in ports}
    if len(current) > 1:
        raise _conflict(api, f"the ports of {_name(holder)} carry different groups: name a port")
    return next(iter(current.values()), ())


def _replace(api: OpenStackApi, port: PortRow, after: Sequence[str]) -> None:
    body = {"port": {"security_groups": list(after)}}
    url = api.network(f"ports/{port.port_id}")
    result = api.send("PUT", url, _UPDATE, body, revision=port.revision)
    shape = api.shape(_UPDATE)
    changed = neutron.parse_port(shape.table(result, "answer").get("port"), shape)
    if set(changed.group_ids) != set(after):
        raise shape.wrong("port.security_groups: not those that were sent")


def _action(
    api: OpenStackApi, holder: Holder, before: Sequence[str], after: Sequence[str]
) -> tuple[str, dict[str, dict[str, str]]]:
    """Return kind and body of the call to Nova that adds or removes one group at every port."""
    added = [one for one in after if one not in before]
    removed = [one for one in before if one not in after]
    match added, removed:
        case [group_id], []:
            return "add-group", {"addSecurityGroup": {"name": group_id}}
        case [], [group_id]:
            return "remove-group", {"removeSecurityGroup": {"name": group_id}}
        case _:
            raise CloudError(
                api.wire.provider,
                _ACT,
                code="SeveralPorts",
                detail=f"{_name(holder)} has several ports: change them one by one",
            )


def _conflict(api: OpenStackApi, detail: str) -> ConflictError:
    return ConflictError(api.wire.provider, _UPDATE, detail=detail)


def _name(holder: Holder) -> str:
    return f"{holder.kind} {holder.holder_id}"
