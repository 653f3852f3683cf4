"""OpenStack: Neutron v2.0 for groups, rules and ports, Nova v2.1 for servers, Keystone v3.

Variables: the usual ``OS_*`` (password, application credential or token). With
``SGGUARD_ENDPOINT_OPENSTACK`` scheme, host and port of the authentication address and of every
catalog entry are replaced and the paths kept. A private certificate authority is trusted through
``SSL_CERT_FILE``. Neutron deletes a referenced group without a word,
and the referring rules with it; a token confined to one project sees neither rules nor ports of
others. So every sign of sharing becomes ``unseen`` unless the token has the role admin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from sgguard.errors import CloudError, InputError, NotFoundError, UnknownShapeError
from sgguard.model import (
    Binding,
    Group,
    Instance,
    Limit,
    Reference,
    Rule,
    Seen,
    Traits,
    Unseen,
    Visibility,
)
from sgguard.providers.base import Access, seen_or_unseen
from sgguard.providers.openstack.api import OpenStackApi
from sgguard.providers.openstack.env import read_identity
from sgguard.providers.openstack.server import ServerPart, instance_of, part_reads
from sgguard.providers.openstack.sharing import group_signs, policy_signs, unseen_beyond
from sgguard.wire.openstack import neutron
from sgguard.wire.openstack.keystone_auth import KeystoneAuth
from sgguard.wire.parallel import parallel
from sgguard.wire.shape import Json

TRAITS = Traits(
    provider="openstack",
    on_delete_referenced="cascades",
    refused_with="SecurityGroupInUse",
    group_limit_per="interface",
    group_id_example="1dd6e298-5f3a-4d0b-9a52-6f1c2d3e4f50",
)

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_QUOTAS = (("security_group", "groups-per-project"), ("security_group_rule", "rules-per-project"))
_NO_SUCH_API = "HTTPNotFound"
_BAD_QUERY = "HTTPBadRequest"
_NO_GROUP_LIMIT = Limit(
    "groups-per-interface",
    None,
    is_enforced=False,
    note="OpenStack limits neither groups per port nor ports per group",
)


def connect(access: Access) -> OpenStack:
    """Return the provider for one project of one region; nothing is sent yet.

    Raises:
        SettingsError: credentials or addresses are missing or unusable.
    """
    endpoint = access.endpoint()
    auth = KeystoneAuth(read_identity(access.secret, endpoint), access.wire, access.now)
    interface = access.secret("OS_INTERFACE") or "public"
    return OpenStack(OpenStackApi(access.wire, auth, access.region, interface, endpoint))


@dataclass(frozen=True, slots=True)
class OpenStack:
    """One project of one OpenStack region (see :class:`sgguard.providers.base.Provider`)."""

    api: OpenStackApi

    @property
    def traits(self) -> Traits:
        """How OpenStack behaves: it deletes a referenced group, and the references with it."""
        return TRAITS

    @property
    def visibility(self) -> Visibility:
        """The whole cloud for the role admin, else one project."""
        return Visibility.CLOUD if "admin" in self.api.token().roles else Visibility.PROJECT

    def is_group_id(self, text: str) -> bool:
        """Tell whether this is a UUID as Neutron writes it."""
        return _ID.fullmatch(text) is not None

    def read_groups(self, group_ids: Sequence[str]) -> Seen[dict[str, Group | None]]:
        """Return each group by id; None says that there is none these credentials may see."""

        def read() -> Seen[dict[str, Group | None]]:
            shape = self.api.shape("GET /v2.0/security-groups")
            rows = self.api.rows_by("security-groups", "id", group_ids)
            groups = {g.group_id: g for g in (neutron.parse_group(row, shape) for row in rows)}
            return Seen({group_id: groups.get(group_id) for group_id in group_ids})

        return seen_or_unseen("groups", read, {})

    def list_references(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Reference, ...]]]:
        """Return, by id, every visible rule of another group whose peer is that group."""
        return seen_or_unseen("references", lambda: self._references(group_ids), {})

    def list_bindings(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Binding, ...]]]:
        """Return, by id, every visible port that carries that group."""

        def read() -> Seen[dict[str, tuple[Binding, ...]]]:
            # Clouds without the filter answer every port there is: each is looked at again.
            ports = self._ports_with(group_ids)
            return Seen(
                {
                    group_id: tuple(neutron.binding_of(p) for p in ports if group_id in p.group_ids)
                    for group_id in group_ids
                }
            )

        return seen_or_unseen("bindings", read, {})

    def count_instances(self, group_ids: Sequence[str]) -> Seen[dict[str, int]]:
        """Return, by id, how many servers have a visible port that carries that group."""
        bindings = self.list_bindings(group_ids)
        counts = {
            group_id: len({b.instance_id for b in held if b.instance_id})
            for group_id, held in bindings.value.items()
        }
        return Seen(counts, bindings.unseen)

    def list_rules(self, group_id: str) -> Seen[tuple[Rule, ...]]:
        """Return the group's own rules.

        Raises:
            NotFoundError: there is no such group these credentials may see.
        """

        def read() -> Seen[tuple[Rule, ...]]:
            action = "GET /v2.0/security-groups/{id}"
            shape = self.api.shape(action)
            url = self.api.network(f"security-groups/{_checked(group_id)}")
            body = self.api.get(url, action)
            row = shape.table(body, "answer").get("security_group")
            group = neutron.parse_group(row, shape)
            if group.rules is None:
                raise shape.wrong("security_group.security_group_rules: missing")
            return Seen(group.rules)

        return seen_or_unseen("rules", read, ())

    def read_instance(self, instance_id: str) -> Seen[Instance | None]:
        """Return a server with its ports; None when Nova shows these credentials no such one."""
        if _ID.fullmatch(instance_id) is None:
            return Seen(None)  # servers have ids of the same form, and this one none
        reads = [
            partial(seen_or_unseen, what, partial(_seen, read), ServerPart())
            for what, read in part_reads(self.api, instance_id)
        ]
        try:
            parts = parallel(reads)
        except NotFoundError:
            return Seen(None)
        unseen = tuple(item for part in parts for item in part.unseen)
        return Seen(instance_of(instance_id, [part.value for part in parts]), unseen)

    def read_limits(self) -> Seen[tuple[Limit, ...]]:
        """Return the project's quotas; OpenStack has no ceiling of groups per port or server."""

        def read() -> Seen[tuple[Limit, ...]]:
            return Seen(self._quotas())

        nothing: tuple[Limit, ...] = ()
        seen = seen_or_unseen("limits", read, nothing)
        return Seen((*seen.value, _NO_GROUP_LIMIT), seen.unseen)

    def delete_group(self, group_id: str, *, is_forced: bool = False) -> None:
        """Delete the group; rules of other groups that name it vanish with it.

        Raises:
            InputError: a forced delete was asked for, which OpenStack does not have.
            InUseError: a port carries the group.
        """
        if is_forced:
            raise InputError("OpenStack has no forced delete: unbind the group's ports first")
        url = self.api.network(f"security-groups/{_checked(group_id)}")
        self.api.send("DELETE", url, "DELETE /v2.0/security-groups/{id}")

    def bind_group(self, group_id: str, instance_ids: Sequence[str]) -> None:
        """Add the group to every port of each server: one call per server, in order."""
        for instance_id in instance_ids:
            self.api.send(
                "POST",
                self.api.compute(f"servers/{_checked(instance_id)}/action"),
                "POST /v2.1/servers/{id}/action",
                {"addSecurityGroup": {"name": group_id}},
            )

    def _references(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Reference, ...]]]:
        """Read rules and signs of sharing side by side; names of groups only when there are any."""
        if not group_ids:
            return Seen({})
        shape = self.api.shape("GET /v2.0/security-group-rules")
        rules = partial(self.api.rows_by, "security-group-rules", "remote_group_id", group_ids)
        calls: list[Callable[[], list[Json] | Seen[frozenset[str]]]] = [rules]
        if self.visibility is Visibility.PROJECT:
            calls += [partial(self._signs, read, group_ids) for read in (policy_signs, group_signs)]
        rows: list[neutron.RuleRow] = []
        shared: set[str] = set()
        unseen: list[Unseen] = []
        for found in parallel(calls):
            if isinstance(found, Seen):
                shared |= found.value
                unseen += found.unseen
            else:
                rows += [neutron.parse_rule(row, shape) for row in found]
        references = self._by_peer(group_ids, rows)
        beyond = [unseen_beyond(group_id) for group_id in group_ids if group_id in shared]
        return Seen(references, (*unseen, *beyond))

    def _signs(
        self,
        read: Callable[[OpenStackApi, Sequence[str]], frozenset[str]],
        group_ids: Sequence[str],
    ) -> Seen[frozenset[str]]:
        def signs() -> Seen[frozenset[str]]:
            return Seen(read(self.api, group_ids))

        return seen_or_unseen("whether the group is shared", signs, frozenset())

    def _by_peer(
        self, group_ids: Sequence[str], rows: Sequence[neutron.RuleRow]
    ) -> dict[str, tuple[Reference, ...]]:
        """Return the rules of other groups by their peer; older clouds answer more than asked."""
        naming = [r for r in rows if r.rule.peer_group in group_ids and not _is_self(r)]
        naming.sort(key=lambda row: (row.group_id, row.rule.direction, row.rule.rule_id))
        names = self._names(sorted({row.group_id for row in naming}))
        return {
            group_id: tuple(
                Reference(
                    row.group_id,
                    group_name=names.get(row.group_id, ""),
                    project=row.project,
                    rule=row.rule,
                )
                for row in naming
                if row.rule.peer_group == group_id
            )
            for group_id in group_ids
        }

    def _names(self, group_ids: Sequence[str]) -> Mapping[str, str]:
        """Return names for the evidence; a verdict does not need them."""
        groups = self.read_groups(group_ids).value if group_ids else {}
        return {group_id: group.name for group_id, group in groups.items() if group}

    def _ports_with(self, group_ids: Sequence[str]) -> list[neutron.PortRow]:
        """Return at least every visible port that carries one of the groups."""
        try:
            rows = self.api.rows_by("ports", "security_groups", group_ids)
        except CloudError as error:
            if error.code != _BAD_QUERY:
                raise
            rows = self.api.rows("ports", ())  # a cloud that cannot filter ports by group
        shape = self.api.shape("GET /v2.0/ports")
        return [neutron.parse_port(row, shape) for row in rows]

    def _quotas(self) -> tuple[Limit, ...]:
        project = self.api.token().project_id
        try:
            action = "GET /v2.0/quotas/{id}/details"
            body = self.api.get(self.api.network(f"quotas/{project}/details.json"), action)
        except UnknownShapeError as error:
            if error.code != _NO_SUCH_API:
                raise
            action = "GET /v2.0/quotas/{id}"
            body = self.api.get(self.api.network(f"quotas/{project}"), action)
        quotas = neutron.parse_quotas(body, self.api.shape(action))
        return tuple(
            Limit(name, quotas[key].ceiling, quotas[key].used, source="live")
            for key, name in _QUOTAS
            if key in quotas
        )


def _checked(text: str) -> str:
    """Return an id that may go into an address; anything else could lead elsewhere."""
    if _ID.fullmatch(text) is None:
        raise InputError(f"{text!r} is no id here: expected one like {TRAITS.group_id_example}")
    return text


def _is_self(row: neutron.RuleRow) -> bool:
    return row.group_id == row.rule.peer_group


def _seen(read: Callable[[], ServerPart]) -> Seen[ServerPart]:
    return Seen(read())
