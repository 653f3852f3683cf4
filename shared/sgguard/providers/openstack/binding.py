"""What carries a group: every visible port, in whichever field it carries it.

A list of ports by group is read, and an empty one is proved (:mod:`.proof`). A port that answered
and shows the group nowhere is a gap: an extension may carry it where nothing else tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from sgguard.errors import InvalidRequestError
from sgguard.model.resource import Binding, Seen, Unseen
from sgguard.model.sentence import Text, as_sentence, said
from sgguard.providers._shared import is_foreign, unproved, unseen_beyond
from sgguard.providers.openstack import proof
from sgguard.providers.openstack.api import GROUP_FIELDS, IDS_PER_CALL, OpenStackApi
from sgguard.providers.openstack.sharing import SHARING_REMEDY, port_signs
from sgguard.wire.openstack import neutron
from sgguard.wire.openstack.neutron import PortRow
from sgguard.wire.parallel import chunks, parallel
from sgguard.wire.shape import Json

_PORTS = "ports"
_FILTER = "security_groups"
_BAD_QUERY = "HTTPBadRequest"
_ROUTER_OWNERS = frozenset(
    {
        "network:router_interface",
        "network:router_interface_distributed",
        "network:ha_router_replicated_interface",
    }
)


def list_bindings(
    api: OpenStackApi, group_ids: Sequence[str]
) -> Seen[dict[str, tuple[Binding, ...]]]:
    """Return, by id, the bindings of each group to visible ports."""
    found = parallel(
        [partial(_ports_with, api, chunk) for chunk in chunks(group_ids, IDS_PER_CALL)]
    )
    ports = list({port.port_id: port for part in found for port in part.value}.values())
    home = api.token().project_id
    signs = port_signs(ports, group_ids, home) if api.is_confined else ()
    bindings = {
        group_id: tuple(
            _binding(port, group_id, "" if api.may_change_all else home)
            for port in ports
            if group_id in _carried(port)
        )
        for group_id in group_ids
    }
    unseen = tuple(item for part in found for item in part.unseen)
    return Seen(bindings, (*unseen, *unseen_beyond(signs, SHARING_REMEDY)))


def read_ports(api: OpenStackApi, server_id: str) -> Seen[tuple[PortRow, ...]]:
    """Return every visible port of a server."""
    ask = partial(api.rows, _PORTS, [("device_id", server_id)])
    seen = _read(api, ask, about="")
    wanted = [port for port in seen.value if port.device_id == server_id]
    odd = [port.port_id for port in seen.value if port.device_id != server_id]
    more = proof.unexplained(api, _PORTS, "device_id", odd, ("",))
    return Seen(tuple(wanted), (*seen.unseen, *more))


def _ports_with(api: OpenStackApi, group_ids: Sequence[str]) -> Seen[tuple[PortRow, ...]]:
    """Return at least every visible port that carries one of the groups."""
    ask = partial(_rows_with, api, group_ids)
    seen = _read(api, ask, about=group_ids, is_mostly_empty=True)
    odd = [port.port_id for port in seen.value if not _carried(port) & set(group_ids)]
    unseen = (*seen.unseen, *proof.unexplained(api, _PORTS, _FILTER, odd, group_ids))
    return Seen(seen.value, unseen)


def _rows_with(api: OpenStackApi, group_ids: Sequence[str]) -> list[Json]:
    try:
        return api.rows(_PORTS, [(_FILTER, group_id) for group_id in group_ids])
    except InvalidRequestError as error:
        if error.code != _BAD_QUERY:
            raise
        return api.rows(_PORTS, ())  # a cloud that cannot filter ports by group


def _read(
    api: OpenStackApi,
    ask: partial[list[Json]],
    about: Sequence[str],
    *,
    is_mostly_empty: bool = False,
) -> Seen[tuple[PortRow, ...]]:
    """Read a list of ports; a gap, about these groups, where it is empty and nothing proves it."""

    def is_nothing_there() -> bool:
        return proof.is_without_ports(api, _projects_of(api, about))

    rows, doubt = proof.proved(api, _PORTS, ask, is_nothing_there, is_mostly_empty=is_mostly_empty)
    shape = api.shape(f"GET /v2.0/{_PORTS}")
    ports = tuple(neutron.parse_port(row, shape) for row in rows)
    unseen: tuple[Unseen, ...] = ()
    if doubt:
        unseen = unproved("bindings", as_sentence(doubt), proof.GRANT, about or ("",))
    return Seen(ports, unseen)


def _projects_of(api: OpenStackApi, group_ids: Sequence[str]) -> set[str]:
    """Return the projects of the groups, for a token of the whole cloud: their ports are there."""
    if api.is_confined:
        return set()
    shape = api.shape("GET /v2.0/security-groups")
    rows = api.rows_by("security-groups", "id", group_ids, GROUP_FIELDS)
    return {neutron.parse_group(row, shape).project for row in rows} - {""}


def _carried(port: PortRow) -> set[str]:
    return {*port.group_ids, *(group_id for _, group_id in port.elsewhere)}


def _binding(port: PortRow, group_id: str, confined_to: str) -> Binding:
    """Return the binding; ``confined_to`` is the project of a token that can change no other."""
    others = tuple(one for one in port.group_ids if one != group_id)
    refusal = _change_refusal(port, group_id, confined_to)
    return replace(neutron.binding_of(port), other_group_ids=others, change_refusal=refusal)


def _change_refusal(port: PortRow, group_id: str, confined_to: str) -> Text:
    """Return why Neutron would not change the groups of the port now; empty where it would."""
    if group_id not in port.group_ids:
        field = next(name for name, one in port.elsewhere if one == group_id)
        return said("refusal.in-field", field=field)
    if not port.has_port_security:
        return said("refusal.no-port-security")
    if confined_to and is_foreign(port.project, confined_to):
        return said("refusal.port-of-project", project=port.project)
    if confined_to and port.device_owner in _ROUTER_OWNERS:
        return said("refusal.port-of-router")
    return ""
