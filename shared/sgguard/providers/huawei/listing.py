"""Lists of groups, rules, ports and supplementary interfaces, from the APIs that a region has.

VPC v3 has all of them where it is published at all; a region or edition may lack some of its calls,
which its gateway says (:class:`~sgguard.errors.ApiAbsentError`). Then v2.0 is asked. Every list is
complete or an error, as far as paging goes; whether these credentials see everything is proved in
:mod:`sgguard.providers.huawei.proof`. Rows that a filter brought are kept or explained
(:mod:`sgguard.providers.huawei.filters`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, TypeVar

import httpx
import msgspec

from sgguard.errors import CloudError, NotFoundError
from sgguard.model.resource import Group, Seen
from sgguard.providers.huawei import pages, response
from sgguard.providers.huawei.api import Api, unless_absent
from sgguard.providers.huawei.filters import Asked, explained
from sgguard.providers.huawei.response import Port, SubInterface
from sgguard.wire.openstack.neutron import RuleRow
from sgguard.wire.openstack.neutron.page import Params
from sgguard.wire.parallel import chunks, parallel
from sgguard.wire.shape import Json, Shape

T = TypeVar("T")


class Source(msgspec.Struct, Generic[T], frozen=True):
    """One list of one API: its path, the key its rows are under, and how one row is read.

    ``is_v3`` says that filters may be repeated and that pages say when they end.
    """

    path: str
    collection: str
    parse: Callable[[object, Shape, str], T]
    is_v3: bool = True

    @property
    def one(self) -> str:
        """The path of one row by its id."""
        return self.path + "/{id}"

    def read(self, rows: list[Json], shape: Shape) -> list[T]:
        """Return the rows as values."""
        return [self.parse(row, shape, f"{self.collection}[{n}]") for n, row in enumerate(rows)]


GROUPS = Source("/v3/{project_id}/vpc/security-groups", "security_groups", response.parse_group)
RULES = Source(
    "/v3/{project_id}/vpc/security-group-rules", "security_group_rules", response.parse_rule
)
PORTS = Source("/v3/{project_id}/ports", "ports", response.parse_port)
SUB_INTERFACES = Source(
    "/v3/{project_id}/vpc/sub-network-interfaces",
    "sub_network_interfaces",
    response.parse_sub_interface,
)
GROUPS_V2 = Source("/v2.0/security-groups", "security_groups", response.parse_group_v2, is_v3=False)
RULES_V2 = Source(
    "/v2.0/security-group-rules", "security_group_rules", response.parse_rule_v2, is_v3=False
)
PORTS_V2 = Source("/v2.0/ports", "ports", response.parse_port, is_v3=False)
PORTS_V1 = Source("/v1/{project_id}/ports", "ports", response.parse_port, is_v3=False)

_VALUES_PER_CALL = 40
"""Keeps an address below the 4 KiB that every gateway takes: one id costs about 60 bytes."""

_EVERY_ENTERPRISE_PROJECT = ("enterprise_project_id", "all_granted_eps")
_DOWN = ("admin_state_up", "false")


def groups(api: Api, group_ids: Sequence[str]) -> list[Group]:
    """Return those of the groups that are listed."""
    return unless_absent(
        lambda: _with_every_ep(partial(_listed, api, GROUPS, "id", group_ids)),
        lambda: [g for g in parallel([partial(_group_v2, api, i) for i in group_ids]) if g],
    )


def all_groups(api: Api) -> list[Group]:
    """Return every group that these credentials see."""
    return unless_absent(
        lambda: _with_every_ep(partial(_all, api, GROUPS)), lambda: _all(api, GROUPS_V2)
    )


def find_groups(api: Api, name: str) -> tuple[str, ...]:
    """Return the ids of all groups of exactly this name; an older API may ignore the filter."""
    found = unless_absent(
        lambda: _with_every_ep(partial(_listed, api, GROUPS, "name", [name])),
        lambda: _listed(api, GROUPS_V2, "name", [name]),
    )
    return tuple(one.group_id for one in found if one.name == name)


def rules(api: Api, key: str, group_ids: Sequence[str]) -> Seen[list[RuleRow]]:
    """Return the rules whose ``key`` (security_group_id, remote_group_id) is one of the groups."""
    newer, older = (partial(_rules, api, source, key, group_ids) for source in (RULES, RULES_V2))
    return unless_absent(newer, older)


def all_rules(api: Api) -> list[RuleRow]:
    """Return every rule that these credentials see."""
    return unless_absent(lambda: _all(api, RULES), lambda: _all(api, RULES_V2))


def rule_rows(api: Api, group_ids: Sequence[str]) -> list[Json]:
    """Return the groups' own rules as rows of VPC v3; rows of other groups are left out."""
    rows = _rows(api, RULES, "security_group_id", group_ids)
    spelt = [(row, response.one_spelling(str(row.get("security_group_id")))) for row in rows]
    return [row for row, group_id in spelt if group_id in group_ids]


def ports(api: Api, key: str, values: Sequence[str]) -> Seen[list[Port]]:
    """Return the ports whose ``key`` (security_groups, device_id) is one of the values."""
    newer, older = (partial(ports_of, api, source, key, values) for source in (PORTS, PORTS_V2))
    return unless_absent(newer, older)


def ports_by_id(api: Api, port_ids: Sequence[str]) -> list[Port]:
    """Return those of the ports that v3 lists; a port that is down may be missing.

    Raises:
        ApiAbsentError: this region has no v3 ports.
    """
    return _listed(api, PORTS, "id", port_ids)


def ports_of(api: Api, source: Source[Port], key: str, values: Sequence[str]) -> Seen[list[Port]]:
    """Return what :func:`ports` returns, from one API.

    Those that are administratively down are included: v3 documents a default of true for its
    filter ``admin_state_up``, so ports that are down may be left out unless they are asked for. A
    port that is down still carries its groups. Only v1 sees, with ``all_granted_eps``, what is
    granted by enterprise project.
    """
    if source is PORTS_V1:
        found = _with_every_ep(partial(_listed, api, source, key, values))
    else:
        extras: list[Params] = [(), (_DOWN,)] if source is PORTS else [()]
        parts = parallel([partial(_listed, api, source, key, values, extra) for extra in extras])
        found = list({port.row.port_id: port for part in parts for port in part}.values())

    def ids_of(port: Port) -> tuple[str, ...]:
        return port.carried if key == "security_groups" else (port.row.device_id,)

    asked = Asked(source.path, source.collection, key, values, partial(has_any, api, source))
    return explained(api, asked, found, ids_of, lambda port: port.row.port_id)


def sub_interfaces(api: Api) -> list[SubInterface]:
    """Return every supplementary interface: the API cannot filter them by group.

    Raises:
        ApiAbsentError: this region does not publish the call.
    """
    return _all(api, SUB_INTERFACES)


def has_any(api: Api, source: Source[T], wanted: Params = ()) -> bool:
    """Return whether a list shows anything at all, or anything ``wanted``; it costs one row."""

    def ask(extra: Params) -> bool:
        body = api.vpc(source.path, (("limit", "1"), *wanted, *extra))
        return bool(api.shape(source.path).tables(body.get(source.collection), source.collection))

    if source is PORTS:
        return ask(()) or ask((_DOWN,))
    return _with_every_ep(ask) if source in (GROUPS, PORTS_V1) else ask(())


def embedded_rules(api: Api, group_id: str) -> list[RuleRow]:
    """Return the rules inside the group's own entry: another call, with another permission.

    Raises:
        NotFoundError: there is no such group.
        UnknownShapeError: the entry does not have them.
    """

    def read(source: Source[Group], rules: Source[RuleRow]) -> list[RuleRow]:
        shape = api.shape(source.one)
        body = api.vpc(source.one, thing_id=group_id)
        row = shape.table(body.get("security_group"), "security_group")
        rows = shape.tables(row.get(rules.collection), f"security_group.{rules.collection}")
        return rules.read(rows, shape)

    return unless_absent(partial(read, GROUPS, RULES), partial(read, GROUPS_V2, RULES_V2))


def show_group(api: Api, group_id: str) -> Group | None:
    """Return one group by a read of its id; None: the cloud says that there is none."""

    def read(source: Source[Group]) -> Group:
        body = api.vpc(source.one, thing_id=group_id)
        return source.parse(body.get("security_group"), api.shape(source.one), "security_group")

    try:
        return unless_absent(partial(read, GROUPS), partial(read, GROUPS_V2))
    except NotFoundError:
        return None


def _rules(
    api: Api, source: Source[RuleRow], key: str, group_ids: Sequence[str]
) -> Seen[list[RuleRow]]:
    def ids_of(row: RuleRow) -> tuple[str, ...]:
        return (row.rule.peer_group if key == "remote_group_id" else row.group_id,)

    asked = Asked(source.path, source.collection, key, group_ids, partial(has_any, api, source))
    found = _listed(api, source, key, group_ids)
    return explained(api, asked, found, ids_of, lambda row: row.rule.rule_id)


def _with_every_ep(read: Callable[[Params], T]) -> T:
    """Read the groups or ports of every enterprise project that is granted.

    Without the parameter a list may cover one enterprise project only. A cloud that has none, or
    does not know the parameter here, may refuse it: then it is left out.
    """
    try:
        return read((_EVERY_ENTERPRISE_PROJECT,))
    except CloudError as error:
        if error.status != httpx.codes.BAD_REQUEST:
            raise
    return read(())


def _all(api: Api, source: Source[T], extra: Params = ()) -> list[T]:
    return source.read(_pages(api, source, extra), api.shape(source.path))


def _listed(
    api: Api, source: Source[T], key: str, values: Sequence[str], extra: Params = ()
) -> list[T]:
    """List with a filter of several values and return the rows as values."""
    return source.read(_rows(api, source, key, values, extra), api.shape(source.path))


def _rows(
    api: Api, source: Source[T], key: str, values: Sequence[str], extra: Params = ()
) -> list[Json]:
    """List with a filter: a bounded number of values in each call, one where it is not repeated."""
    size = _VALUES_PER_CALL if source.is_v3 else 1
    calls = [
        partial(_pages, api, source, (*((key, v) for v in chunk), *extra))
        for chunk in chunks(values, size)
    ]
    unique = {row["id"]: row for part in parallel(calls) for row in part}
    return list(unique.values())


def _pages(api: Api, source: Source[T], params: Params) -> list[Json]:
    read = pages.read_pages if source.is_v3 else pages.read_pages_until_empty
    fetch = partial(api.vpc, source.path)
    return read(fetch, params, source.collection, api.shape(source.path))


def _group_v2(api: Api, group_id: str) -> Group | None:
    try:
        body = api.vpc(GROUPS_V2.one, thing_id=group_id)
    except NotFoundError:
        return None
    return response.parse_group_v2(body.get("security_group"), api.shape(GROUPS_V2.one))
