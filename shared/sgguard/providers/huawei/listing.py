"""Lists of groups, rules, ports and supplementary interfaces, from the APIs that a region has.

Huawei Cloud has all of them in VPC v3, where that is published at all; Open Telekom Cloud has
groups and rules in v3, ports only in v2.0 and no supplementary interfaces. Every list is
complete or an error.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from sgguard.errors import NotFoundError
from sgguard.model.codes import UnseenCode
from sgguard.model.resource import Group, Seen, Unseen
from sgguard.providers.huawei import response
from sgguard.providers.huawei.api import Api, unless_absent
from sgguard.providers.huawei.response import Port, SubInterface
from sgguard.wire.openstack import neutron
from sgguard.wire.openstack.neutron import RuleRow, page
from sgguard.wire.openstack.neutron.page import Params
from sgguard.wire.parallel import chunks, parallel
from sgguard.wire.shape import Json, Shape

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Source(Generic[T]):
    """One list of one API: its path, the key its rows are under, and how one row is read."""

    path: str
    collection: str
    parse: Callable[[object, Shape, str], T]

    def read(self, rows: list[Json], shape: Shape) -> list[T]:
        """Return the rows as values."""
        return [self.parse(row, shape, f"{self.collection}[{n}]") for n, row in enumerate(rows)]


GROUPS = "/v3/{project_id}/vpc/security-groups"
GROUP_V2 = "/v2.0/security-groups/{id}"
RULES = "/v3/{project_id}/vpc/security-group-rules"
RULES_V2 = "/v2.0/security-group-rules"

_GROUPS = _Source(GROUPS, "security_groups", response.parse_group)
_RULES = _Source(RULES, "security_group_rules", response.parse_rule)
_RULES_V2 = _Source(RULES_V2, "security_group_rules", neutron.parse_rule)
_GROUPS_V2 = _Source("/v2.0/security-groups", "security_groups", neutron.parse_group)
_PORTS = _Source("/v3/{project_id}/ports", "ports", response.parse_port)
_PORTS_V2 = _Source("/v2.0/ports", "ports", response.parse_port)
_SUB_INTERFACES = _Source(
    "/v3/{project_id}/vpc/sub-network-interfaces",
    "sub_network_interfaces",
    response.parse_sub_interface,
)

_VALUES_PER_CALL = 40
"""Keeps an address below the 4 KiB that every gateway takes: one id costs about 60 bytes."""

_EVERY_ENTERPRISE_PROJECT = ("enterprise_project_id", "all_granted_eps")


def groups(api: Api, group_ids: Sequence[str]) -> list[Group]:
    """Return those of the groups that exist."""
    # Without it the list may cover one enterprise project only. Open Telekom Cloud has none.
    extra = () if api.region.is_otc else (_EVERY_ENTERPRISE_PROJECT,)
    return unless_absent(
        lambda: _v3(api, _GROUPS, "id", group_ids, extra),
        lambda: [g for g in parallel([partial(_group_v2, api, i) for i in group_ids]) if g],
    )


def find_groups(api: Api, name: str) -> tuple[str, ...]:
    """Return the ids of all groups of exactly this name; an older API may ignore the filter."""
    extra = () if api.region.is_otc else (_EVERY_ENTERPRISE_PROJECT,)
    found = unless_absent(
        lambda: _v3(api, _GROUPS, "name", [name], extra),
        lambda: _v2(api, _GROUPS_V2, "name", [name]),
    )
    return tuple(one.group_id for one in found if one.name == name)


def rules(api: Api, key: str, group_ids: Sequence[str]) -> list[RuleRow]:
    """Return the rules whose ``key`` (security_group_id, remote_group_id) is one of the groups."""
    return unless_absent(
        lambda: _v3(api, _RULES, key, group_ids), lambda: _v2(api, _RULES_V2, key, group_ids)
    )


def rule_rows(api: Api, group_ids: Sequence[str]) -> list[Json]:
    """Return the groups' own rules as rows of VPC v3; rows of other groups are left out."""
    rows = _v3_rows(api, _RULES, "security_group_id", group_ids)
    return [row for row in rows if row.get("security_group_id") in group_ids]


def ports(api: Api, key: str, values: Sequence[str]) -> list[Port]:
    """Return the ports whose ``key`` (security_groups, device_id) is one of the values."""
    if api.region.is_otc:
        return _v2(api, _PORTS_V2, key, values)
    return unless_absent(
        lambda: _ports_v3(api, key, values), lambda: _v2(api, _PORTS_V2, key, values)
    )


def sub_interfaces(api: Api) -> Seen[list[SubInterface]]:
    """Return every supplementary interface: the API cannot filter them by group."""
    if api.region.is_otc:
        return Seen([])  # the product does not exist there
    shape = api.shape(_SUB_INTERFACES.path)
    return unless_absent(
        lambda: Seen(_SUB_INTERFACES.read(_pages(api, _SUB_INTERFACES, ()), shape)),
        lambda: Seen([], (_SUB_INTERFACES_UNSEEN,)),
    )


_SUB_INTERFACES_UNSEEN = Unseen(
    code=UnseenCode.API_ABSENT,
    what="supplementary network interfaces",
    why="this region does not publish the API that lists them",
    remedy="check in the console that none of them carries the group",
)


def _ports_v3(api: Api, key: str, values: Sequence[str]) -> list[Port]:
    """Return ports, those that are administratively down included.

    The document gives the filter ``admin_state_up`` a default of true, so ports that are down
    may be left out unless they are listed explicitly; a port that is down still carries its
    groups.
    """
    down = (("admin_state_up", "false"),)
    found = parallel([partial(_v3, api, _PORTS, key, values, extra) for extra in ((), down)])
    return list({port.row.port_id: port for part in found for port in part}.values())


def _v3(
    api: Api, source: _Source[T], key: str, values: Sequence[str], extra: Params = ()
) -> list[T]:
    """List with a repeated filter and return the rows as values."""
    return source.read(_v3_rows(api, source, key, values, extra), api.shape(source.path))


def _v3_rows(
    api: Api, source: _Source[T], key: str, values: Sequence[str], extra: Params = ()
) -> list[Json]:
    """List with a repeated filter, a bounded number of values in each call."""
    calls = [
        partial(_pages, api, source, (*((key, v) for v in chunk), *extra))
        for chunk in chunks(values, _VALUES_PER_CALL)
    ]
    return [row for part in parallel(calls) for row in part]


def _pages(api: Api, source: _Source[T], params: Params) -> list[Json]:
    shape = api.shape(source.path)
    return response.read_pages(partial(api.vpc, source.path), params, source.collection, shape)


def _v2(api: Api, source: _Source[T], key: str, values: Sequence[str]) -> list[T]:
    """List with one call per value: v2.0 documents the filters as single here."""
    shape = api.shape(source.path)

    def one(value: str) -> list[Json]:
        return page.read_all_without_links(
            partial(api.vpc, source.path), ((key, value),), source.collection, shape
        )

    found = parallel([partial(one, value) for value in values])
    unique = {row["id"]: row for part in found for row in part}
    return source.read(list(unique.values()), shape)


def _group_v2(api: Api, group_id: str) -> Group | None:
    try:
        body = api.vpc(GROUP_V2, thing_id=group_id)
    except NotFoundError:
        return None
    return neutron.parse_group(body.get("security_group"), api.shape(GROUP_V2))
