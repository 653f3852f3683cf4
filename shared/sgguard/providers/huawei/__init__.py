"""Huawei Cloud and Open Telekom Cloud: VPC v3, v2.0 where v3 is missing, and native Nova calls.

Facts that shape it: which calls a region has differs (v3 as a whole, v3 ports, supplementary
interfaces, quotas: 404 APIGW.0101, never "no such group"), so each is asked and its absence told;
an empty list is no proof that there is nothing (``proof.py``); VPC v1 has no call for references
to a group and is used for counts and as one more list of ports. What a
delete of a group that is only referenced does is unknown: the user guides say it is refused, the
API's error table lists only groups that ports carry, and OpenStack beneath it deletes the rules.
Sources: the VPC and ECS user guides and API references of both clouds,
https://support.huaweicloud.com/intl/en-us/api-vpc/ (read 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from sgguard import lazy
from sgguard.errors import NotFoundError, SgguardError
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
from sgguard.model.sentence import said
from sgguard.providers._shared import unseen_beyond, with_rules
from sgguard.providers.access import Access, seen_or_unseen
from sgguard.providers.huawei import bindings, listing, proof, quota, references, rule_change
from sgguard.providers.huawei.api import RATES as RATES
from sgguard.providers.huawei.api import Api, unless_absent
from sgguard.providers.huawei.creation import create_group, delete_group
from sgguard.providers.huawei.env import caller_of, iam_setting
from sgguard.providers.huawei.holder import read_holder, set_groups
from sgguard.providers.huawei.region import addresses_of, region_of
from sgguard.providers.huawei.response import Port
from sgguard.providers.huawei.server import (
    Server,
    hidden_interfaces,
    instance_of,
    parse_group_ids,
    parse_server,
)
from sgguard.providers.huawei.sharing import SHARING_REMEDY, group_signs
from sgguard.wire.openstack import neutron
from sgguard.wire.parallel import parallel

if TYPE_CHECKING:
    from sgguard.providers.huawei import batch
else:
    batch = lazy("sgguard.providers.huawei.batch")  # only a remedy needs it

CAPABILITIES = Capabilities(
    provider="huawei",
    on_delete_referenced="unknown",
    refused_with="VPC.9902",
    group_limit_per="interface",
    primary_holder="interface",
    rules_together="alike",
    orders_groups=True,
    group_id_example="b3e4b615-a40f-4e1c-92af-2e0d382141d5",
    blind_spots=(
        said("spot.huawei-templates"),
        said("spot.huawei-products"),
        said("spot.huawei-eps"),
        said("spot.huawei-iam"),
        said("spot.huawei-shared"),
        said("spot.huawei-fresh"),
    ),
)


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SERVER = "/v1/{project_id}/cloudservers/{id}"
_SERVER_GROUPS = (
    "/v2.1/{project_id}/servers/{id}/os-security-groups",
    "/v2/{project_id}/servers/{id}/os-security-groups",
)


def connect(access: Access) -> Huawei:
    """Return the provider for the region and credentials of ``access``.

    Raises:
        AddressError: no region can have that name.
        SettingsError: credentials are missing, or an address is none.
    """
    region = region_of(access.region, addresses_of(access, iam_setting(access.secret)))
    caller = caller_of(access.secret, region, access.wire, access.now)
    return Huawei(Api(access.paced(RATES, caller.name), region, caller))


class Huawei(msgspec.Struct, frozen=True):
    """One region of Huawei Cloud or Open Telekom Cloud."""

    api: Api

    @property
    def capabilities(self) -> Capabilities:
        """How this cloud behaves where clouds differ."""
        return CAPABILITIES

    @property
    def visibility(self) -> Visibility:
        """One project, whatever the credentials."""
        return Visibility.PROJECT

    def is_group_id(self, text: str) -> bool:
        """Return whether this is a UUID with hyphens."""
        return _UUID.fullmatch(text) is not None

    def read_groups(self, group_ids: Sequence[str]) -> Seen[dict[str, Group | None]]:
        """Return each group by id; None: the project has no such group, or does not list it yet.

        A group that the list does not show is read by its id, and the groups are counted: a list
        that hides groups from these credentials looks the same.
        """

        def read() -> Seen[dict[str, Group | None]]:
            listed = listing.groups(self.api, group_ids)
            groups: dict[str, Group | None] = {
                group.group_id: group for group in listed if group.group_id in group_ids
            }
            missing = [group_id for group_id in group_ids if group_id not in groups]
            nothing: dict[str, Group | None] = {}
            rest = proof.missing_groups(self.api, missing) if missing else Seen(nothing)
            groups |= rest.value
            present = (group for group in groups.values() if group)
            signs = group_signs(present, self.api.project())
            return Seen(groups, (*rest.unseen, *unseen_beyond(signs, SHARING_REMEDY)))

        return seen_or_unseen("groups", read, {}) if group_ids else Seen({})

    def list_references(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Reference, ...]]]:
        """Return, by id, every rule of another group that names it.

        Rules that deny and rules that are switched off are references as well.
        """
        read = partial(references.list_references, self.api, group_ids)
        return seen_or_unseen("references", read, {}) if group_ids else Seen({})

    def list_bindings(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Binding, ...]]]:
        """Return, by id, the bindings to ports and supplementary interfaces."""
        return bindings.list_bindings(self.api, group_ids) if group_ids else Seen({})

    def count_instances(self, group_ids: Sequence[str]) -> Seen[dict[str, int]]:
        """Return, by id, how many interfaces carry it: they are what this cloud's quota counts.

        Never fewer than the servers behind them, so a limit given in servers is not underestimated.
        """
        seen = self.list_bindings(group_ids)
        return Seen({i: len(found) for i, found in seen.value.items()}, seen.unseen)

    def list_rules(self, group_id: str) -> Seen[tuple[Rule, ...]]:
        """Return the group's own rules, ingress first."""

        def read() -> Seen[tuple[Rule, ...]]:
            seen = proof.own_rules(self.api, group_id)
            return Seen(neutron.ingress_first(row.rule for row in seen.value), seen.unseen)

        return seen_or_unseen("rules", read, ())

    def read_instance(self, instance_id: str) -> Seen[Instance | None]:
        """Return the server, its state and its interfaces; supplementary ones are not listed."""
        if not _UUID.fullmatch(instance_id):
            return Seen(None)
        what = said("part.whole-instance")
        reads: list[Callable[[], Seen[Any]]] = [
            partial(self._named, instance_id),
            partial(self._server, instance_id),
            partial(listing.ports, self.api, "device_id", [instance_id]),
        ]
        nothing: list[Any] = [(), None, []]
        parts = parallel(
            [partial(seen_or_unseen, what, *pair) for pair in zip(reads, nothing, strict=True)]
        )
        named, server, found = (part.value for part in parts)
        if named is None:
            return Seen(None)
        ports: list[Port] = found
        unseen = tuple(u for part in parts for u in part.unseen)
        return Seen(
            instance_of(instance_id, server, named, ports),
            unseen or hidden_interfaces(named, ports),
        )

    def read_limits(self, group_ids: Sequence[str] = ()) -> Seen[tuple[Limit, ...]]:
        """Return the live quotas, and the documented advice for what has none.

        For the groups named, ceilings per group come with the use of the fullest of them.
        """
        return quota.read_limits(self.api, group_ids)

    def add_rule(self, group_id: str, rule: Rule, *, token: str) -> None:
        """Add the rule to the group; ids are the cloud's own, so it has no position."""
        del token
        rule_change.add_rule(self.api, group_id, rule)

    def remove_rule(self, group_id: str, rule: Rule, *, token: str) -> None:
        """Remove the rule from the group."""
        del token
        rule_change.remove_rule(self.api, group_id, rule)

    def read_holder(self, holder: Holder) -> tuple[str, ...] | None:
        """Return the groups of a port or a supplementary interface, in their order."""
        return read_holder(self.api, holder)

    def set_groups(
        self, holder: Holder, before: tuple[str, ...], after: tuple[str, ...], *, token: str
    ) -> None:
        """Make the port or supplementary interface carry ``after``, in that order."""
        del token
        set_groups(self.api, holder, before, after)

    def read_holders_batch(self, wanted: Sequence[Holder]) -> list[tuple[str, ...] | None]:
        """Return the groups of many holders, forty ports a call."""
        return batch.read_holders_batch(self.api, wanted)

    def set_groups_batch(
        self, changes: Sequence[Change], may_send: MaySend = always
    ) -> list[SgguardError | None]:
        """Give many holders other groups: one list of all, and one call for each."""
        return batch.set_groups_batch(self.api, changes, may_send)

    def change_rules(
        self, group_id: str, changes: Sequence[Tokened], may_send: MaySend = always
    ) -> list[SgguardError | None]:
        """Add rules with one call where there is one, or delete rules after one read."""
        return batch.change_rules(self.api, group_id, changes, may_send)

    define_group = with_rules

    def create_group(self, group: Group, *, token: str) -> str:
        """Create a group without rules, in the same enterprise project where v3 is there."""
        del token
        return create_group(self.api, group)

    def find_groups(self, name: str) -> tuple[str, ...]:
        """Return the ids of all groups of exactly this name that these credentials can see."""
        return proof.find_groups(self.api, name)

    def delete_group(self, group_id: str, *, is_forced: bool = False) -> None:
        """Delete the group; this cloud has no delete that unbinds its holders first."""
        del is_forced
        delete_group(self.api, group_id)

    def _named(self, instance_id: str) -> Seen[tuple[str, ...] | None]:
        """Read the groups of the server from Nova, at the newer address first."""

        def at(path: str) -> tuple[str, ...]:
            body = self.api.ecs(path, thing_id=instance_id)
            return parse_group_ids(body, self.api.shape(path))

        try:
            newer, older = (partial(at, path) for path in _SERVER_GROUPS)
            return Seen(unless_absent(newer, older))
        except NotFoundError:
            return Seen(None)

    def _server(self, instance_id: str) -> Seen[Server | None]:
        try:
            body = self.api.ecs(_SERVER, thing_id=instance_id)
        except NotFoundError:
            return Seen(None)
        return Seen(parse_server(body.get("server"), self.api.shape(_SERVER)))
