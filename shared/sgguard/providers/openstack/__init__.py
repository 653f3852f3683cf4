"""OpenStack: Neutron v2.0 for groups, rules and ports, Nova v2.1 for servers, Keystone v3.

Variables: the usual ``OS_*`` (password, application credential or token). With
``SGGUARD_ENDPOINT_OPENSTACK`` scheme, host and port of the authentication address and of every
catalog entry are replaced and the paths kept; ``…_IDENTITY``, ``…_NETWORK`` and ``…_COMPUTE``
replace those of one service. ``OS_INTERFACE`` or ``OS_ENDPOINT_TYPE`` says which endpoints of the
catalog are used: public, internal or admin; ``OS_NETWORK_INTERFACE`` and ``OS_COMPUTE_INTERFACE``
say it of one service. A private certificate authority is
trusted through ``SSL_CERT_FILE``. ``SGGUARD_OPENSTACK_CLOUD_ROLES`` names further roles (besides
``admin``) that Neutron's policy lets read every project.

Neutron deletes a referenced group without a warning, and the referring rules with it; a token
confined to one project sees neither rules nor ports of others. So every sign of sharing becomes
``unseen`` unless the token sees the whole cloud. A group that was just created may not be found
yet, and neither may a rule that names it: "not found" never means "not in use". Nor is an empty
list believed without a proof (:mod:`.proof`).

Sources: the Networking API reference v2.0 (https://docs.openstack.org/api-ref/network/v2/), its
responses on Neutron 29 and Nova 34, https://docs.openstack.org/neutron/latest/admin/
(read 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from sgguard import lazy
from sgguard.errors import InputError, NotFoundError, SgguardError
from sgguard.model.capabilities import Capabilities
from sgguard.model.change import Change, Holder
from sgguard.model.resource import (
    Binding,
    Group,
    Instance,
    Limit,
    Reference,
    Rule,
    Seen,
    Visibility,
)
from sgguard.model.sending import MaySend, Tokened, always
from sgguard.model.sentence import as_told, said
from sgguard.providers._shared import is_foreign
from sgguard.providers.access import Access, seen_or_unseen
from sgguard.providers.openstack import guard, proof, rule_change
from sgguard.providers.openstack.api import RATES as RATES
from sgguard.providers.openstack.api import OpenStackApi
from sgguard.providers.openstack.binding import list_bindings
from sgguard.providers.openstack.creation import create_group, define_group
from sgguard.providers.openstack.env import (
    REGIONS,
    cloud_roles,
    read_identity,
    read_interface,
)
from sgguard.providers.openstack.group import read_groups
from sgguard.providers.openstack.holder import read_holder, set_groups
from sgguard.providers.openstack.quota import NO_GROUP_LIMIT, read_quotas
from sgguard.providers.openstack.references import list_references
from sgguard.providers.openstack.server import ServerPart, instance_of, part_reads
from sgguard.providers.openstack.sharing import targets
from sgguard.wire.openstack import neutron
from sgguard.wire.openstack.keystone_auth import KeystoneAuth
from sgguard.wire.parallel import parallel

if TYPE_CHECKING:
    from sgguard.providers.openstack import batch
else:
    batch = lazy("sgguard.providers.openstack.batch")  # only a remedy needs it

CAPABILITIES = Capabilities(
    provider="openstack",
    on_delete_referenced="cascades",
    refused_with="SecurityGroupInUse",
    default_refused_with="SecurityGroupCannotRemoveDefault",
    foreign_refused_with="PolicyNotAuthorized",
    group_limit_per="interface",
    primary_holder="port",
    mixed_kinds_refused_with="SecurityGroupConflict",
    sharing_native="shared with",
    replaces_groups=True,
    rules_together="alike",
    group_id_example="1dd6e298-5f3a-4d0b-9a52-6f1c2d3e4f50",
    blind_spots=(
        said("spot.openstack-projects"),
        said("spot.openstack-policy"),
        said("spot.openstack-building"),
        said("spot.openstack-services"),
        said("spot.openstack-defaults"),
    ),
)


_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SERVICES = ("network", "compute")


def connect(access: Access) -> OpenStack:
    """Return the provider for one project of one region; nothing is sent yet.

    Raises:
        AddressError: no region can have that name.
        SettingsError: credentials or addresses are missing or unusable.
    """
    REGIONS.check(access.region)
    identity = read_identity(access.secret, access.endpoint("identity"))
    wire = access.paced(RATES, identity.name)
    auth = KeystoneAuth(identity, wire, access.now)
    interfaces = {service: read_interface(access.secret, service) for service in _SERVICES}
    endpoints = {service: access.endpoint(service) for service in _SERVICES}
    roles = cloud_roles(access.secret)
    return OpenStack(OpenStackApi(wire, auth, access.region, interfaces, endpoints, roles))


class OpenStack(msgspec.Struct, frozen=True):
    """One project of one OpenStack region (see :class:`sgguard.providers.base.Provider`)."""

    api: OpenStackApi

    @property
    def capabilities(self) -> Capabilities:
        """OpenStack deletes a referenced group, and the references with it."""
        return CAPABILITIES

    @property
    def visibility(self) -> Visibility:
        """The whole cloud for a role that reads every project, else one project."""
        return Visibility.PROJECT if self.api.is_confined else Visibility.CLOUD

    def is_group_id(self, text: str) -> bool:
        """Return whether this is a UUID as Neutron writes it."""
        return _ID.fullmatch(text) is not None

    def read_groups(self, group_ids: Sequence[str]) -> Seen[dict[str, Group | None]]:
        """Return each group by id; None: these credentials see no such group."""
        return read_groups(self.api, group_ids, self._marked)

    def list_references(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Reference, ...]]]:
        """Return, by id, every visible rule of another group whose peer is that group."""
        read = partial(list_references, self.api, group_ids)
        return seen_or_unseen("references", read, {})

    def list_bindings(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Binding, ...]]]:
        """Return, by id, the bindings of the group to visible ports."""
        read = partial(list_bindings, self.api, group_ids)
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
            rows = rule_change.read_rules(self.api, _checked(group_id))
            return Seen(neutron.ingress_first(row.rule for row in rows))

        return seen_or_unseen("rules", read, ())

    def read_instance(self, instance_id: str) -> Seen[Instance | None]:
        """Return a server with its ports; None: these credentials see no such server."""
        if _ID.fullmatch(instance_id) is None:
            return Seen(None)  # servers have ids of the same form, and this one none
        nothing = ServerPart()
        reads = [
            partial(seen_or_unseen, what, read, nothing)
            for what, read in part_reads(self.api, instance_id)
        ]
        try:
            parts = parallel(reads)
        except NotFoundError:
            return Seen(None)
        unseen = tuple(item for part in parts for item in part.unseen)
        return Seen(instance_of(instance_id, [part.value for part in parts]), unseen)

    def read_limits(self, group_ids: Sequence[str] = ()) -> Seen[tuple[Limit, ...]]:
        """Return the project's quotas; OpenStack has no ceiling of groups per port or server."""
        del group_ids  # no ceiling of this cloud needs a count of rules

        def read() -> Seen[tuple[Limit, ...]]:
            return Seen(read_quotas(self.api))

        nothing: tuple[Limit, ...] = ()
        seen = seen_or_unseen("limits", read, nothing)
        return Seen((*seen.value, NO_GROUP_LIMIT), seen.unseen)

    def add_rule(self, group_id: str, rule: Rule, *, token: str) -> None:
        """Add a rule to the group, or accept an equal one that exists."""
        del token  # Neutron takes none: a second rule like the first is refused
        rule_change.add_rule(self.api, _checked(group_id), rule, sees_all=not self.api.is_confined)

    def remove_rule(self, group_id: str, rule: Rule, *, token: str) -> None:
        """Remove exactly this rule from the group, and no other."""
        del token
        rule_change.remove_rule(self.api, _checked(group_id), rule)

    def read_holder(self, holder: Holder) -> tuple[str, ...] | None:
        """Return the groups of a port, or of a server whose ports agree; they have no order."""
        return read_holder(self.api, holder)

    def set_groups(
        self, holder: Holder, before: tuple[str, ...], after: tuple[str, ...], *, token: str
    ) -> None:
        """Make a port, or a server whose ports agree, carry other groups."""
        del token  # the revision of the port serves instead
        set_groups(self.api, holder, before, after)

    def read_holders_batch(self, wanted: Sequence[Holder]) -> list[tuple[str, ...] | None]:
        """Return the groups of many holders, fifty ports a call."""
        return batch.read_holders_batch(self.api, wanted)

    def set_groups_batch(
        self, changes: Sequence[Change], may_send: MaySend = always
    ) -> list[SgguardError | None]:
        """Give many holders other groups: one list of all, and one call for each."""
        return batch.set_groups_batch(self.api, changes, may_send)

    def change_rules(
        self, group_id: str, changes: Sequence[Tokened], may_send: MaySend = always
    ) -> list[SgguardError | None]:
        """Add rules with one call, or delete rules after one read of the group."""
        of = _checked(group_id)
        sees_all = not self.api.is_confined
        return batch.change_rules(self.api, of, changes, may_send, sees_all=sees_all)

    def define_group(self, group: Group) -> Group:
        """Return the group with its rules, and whom visible policies share it with."""
        return define_group(self, self.api, group)

    def shared_with(self, group_ids: Sequence[str]) -> Mapping[str, tuple[str, ...]]:
        """Return, by id, the projects that visible policies share a group with."""
        return targets(self.api, group_ids)

    def delete_guard(self) -> str:
        """Return the plugin that keeps referenced groups, where this Neutron has it."""
        return guard.read(self.api)

    def create_group(self, group: Group, *, token: str) -> str:
        """Create a group like this one, without any rule; shared as far as the token may share."""
        del token
        return create_group(self.api, group)

    def find_groups(self, name: str) -> tuple[str, ...]:
        """Return the ids of all groups of exactly this name that these credentials can see."""
        ask = partial(self.api.rows, "security-groups", [("name", name)])
        rows, doubt = proof.proved(self.api, "security-groups", ask)
        if doubt:
            raise self.api.shape("GET /v2.0/security-groups").wrong(as_told(doubt))
        # A cloud that does not know the filter returns every group.
        return tuple(str(row["id"]) for row in rows if row.get("name") == name)

    def delete_group(self, group_id: str, *, is_forced: bool = False) -> None:
        """Delete the group; Neutron deletes rules of other groups that name it as well.

        Raises:
            InputError: a forced delete was asked for, which OpenStack does not have.
            InUseError: a port carries the group.
        """
        if is_forced:
            raise InputError("OpenStack has no forced delete: unbind the group's ports first")
        url = self.api.network(f"security-groups/{_checked(group_id)}")
        self.api.send("DELETE", url, "DELETE /v2.0/security-groups/{id}")

    def _marked(self, group: Group) -> Group:
        """Return the group, marked as foreign where this token may use but not change it."""
        token = self.api.token()
        foreign = is_foreign(group.project, token.project_id)
        # By Neutron's own policy; whoever has another role as well may be permitted by another.
        is_reader = set(token.roles) == {"reader"}
        return replace(
            group,
            is_foreign=foreign and not self.api.may_change_all,
            delete_refused_with=CAPABILITIES.foreign_refused_with if is_reader else "",
        )


def _checked(text: str) -> str:
    """Return an id that may be part of an address; anything else could lead elsewhere."""
    if _ID.fullmatch(text) is None:
        raise InputError(
            f"{text!r} is no id here: expected one like {CAPABILITIES.group_id_example}"
        )
    return text
