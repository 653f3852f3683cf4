"""Tencent Cloud through its API 3.0 (VPC and CVM, 2017-03-12).

One wave of calls is enough for a decision; a second one, for the rules behind references, is made
only where something references a group. What the cloud reports twice is compared, and a
contradiction never reads as "not in use": statistics that count more than the lists show remain as
counted bindings, and a counted reference without a named referrer becomes ``unseen``.

Credentials: ``TENCENTCLOUD_SECRET_ID``, ``_SECRET_KEY``, ``_TOKEN``, or the names the serverless
runtime SCF sets (``TENCENTCLOUD_SECRETID``, ``_SECRETKEY``, ``_SESSIONTOKEN``).
``TENCENTCLOUD_DOMAIN`` is the root domain (the variable Terraform's provider reads), such as
``intl.tencentcloudapi.com`` for the international site. Addresses: :mod:`.address`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from sgguard import lazy
from sgguard.errors import InputError, SgguardError
from sgguard.model.capabilities import Capabilities
from sgguard.model.change import Change, Holder
from sgguard.model.resource import (
    Binding,
    Group,
    Instance,
    Interface,
    Limit,
    Reference,
    Rule,
    Seen,
    Unseen,
    Visibility,
)
from sgguard.model.sending import MaySend, Tokened, always
from sgguard.model.sentence import said
from sgguard.providers._shared import unproved, unreported, with_rules
from sgguard.providers._tencent import REGIONS
from sgguard.providers._tencent_limits import documented_limits
from sgguard.providers.access import Access, seen_or_unseen
from sgguard.providers.tencent import group_reads, reads
from sgguard.providers.tencent.address import address_of
from sgguard.providers.tencent.api import RATES as RATES
from sgguard.providers.tencent.api import SERVICES, Service, TencentApi
from sgguard.providers.tencent.bindings import bindings_of
from sgguard.providers.tencent.references import list_references
from sgguard.wire.parallel import parallel
from sgguard.wire.tc3 import Tc3Auth

if TYPE_CHECKING:
    from sgguard.providers.tencent import batch, creation, rule_batch, rule_change
    from sgguard.providers.tencent import holder as holders
else:
    # Only a remedy needs them.
    batch = lazy("sgguard.providers.tencent.batch")
    creation = lazy("sgguard.providers.tencent.creation")
    holders = lazy("sgguard.providers.tencent.holder")
    rule_batch = lazy("sgguard.providers.tencent.rule_batch")
    rule_change = lazy("sgguard.providers.tencent.rule_change")

BLIND_SPOTS = (
    said("spot.tencent-templates"),
    said("spot.tencent-locked"),
    said("spot.tencent-cam"),
)
CAPABILITIES = Capabilities(
    provider="tencent",
    on_delete_referenced="refused",
    refused_with="ResourceInUse",
    group_limit_per="instance",
    orders_groups=True,
    group_id_example="sg-5ua9adfv",
    rule_limit_per="direction",
    rules_together="mixed",
    # "An instance can only be bound to groups of its region": no page names the project
    # (https://cloud.tencent.com/document/product/213/15379, read 2026-11-28).
    has_projects_apart=False,
    blind_spots=BLIND_SPOTS,
)

_GROUP_ID = re.compile(r"sg-[0-9a-z]{8}")
_INSTANCE_ID = re.compile(r"ins-[0-9a-z]{8}")


def connect(access: Access) -> Tencent:
    """Return the provider for one region.

    Raises:
        AddressError: no region can have that name.
        CredentialsError: no key id or no secret key is set.
        SettingsError: endpoint or domain is unusable.
    """
    REGIONS.check(access.region)
    key_id = access.require_secret("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRETID")
    secret = access.require_secret("TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_SECRETKEY")
    token = access.secret("TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SESSIONTOKEN")
    auths: dict[Service, Tc3Auth] = {
        service: Tc3Auth(key_id=key_id, secret=secret, service=service, now=access.now, token=token)
        for service in SERVICES
    }
    urls: dict[Service, str] = {service: address_of(access, service) for service in SERVICES}
    return Tencent(TencentApi(access.paced(RATES, key_id), access.region, urls, auths))


class Tencent(msgspec.Struct, frozen=True):
    """One region of one Tencent Cloud account: a ``Provider`` with ``Changes``."""

    api: TencentApi

    @property
    def capabilities(self) -> Capabilities:
        """How this cloud behaves where clouds differ."""
        return CAPABILITIES

    @property
    def visibility(self) -> Visibility:
        """Every project of the account, as far as CAM shows it; others cannot name its groups."""
        return Visibility.ACCOUNT

    def is_group_id(self, text: str) -> bool:
        """Return whether this is ``sg-`` and eight lower-case letters or digits."""
        return _GROUP_ID.fullmatch(text) is not None

    def read_groups(self, group_ids: Sequence[str]) -> Seen[dict[str, Group | None]]:
        """Return each group by id; one that is missing from a complete list does not exist."""
        return group_reads.groups(self.api, group_ids)

    def list_references(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Reference, ...]]]:
        """Return, by id, every rule of another group that names it."""
        return list_references(self.api, group_ids)

    def list_bindings(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Binding, ...]]]:
        """Return, by id, the bindings of the group: by id where listed, counted where not."""
        counted, instances, nics = _parallel(
            partial(seen_or_unseen, said("part.statistics"), self._statistics(group_ids), {}),
            partial(seen_or_unseen, "instances", self._instances(group_ids), {}),
            partial(seen_or_unseen, "interfaces", self._nics(group_ids), {}),
        )
        bindings: dict[str, tuple[Binding, ...]] = {}
        for group_id in dict.fromkeys(group_ids):
            found = bindings_of(
                group_id,
                counted.value.get(group_id),
                instances.value.get(group_id, ()),
                nics.value.get(group_id, ()),
            )
            if found or group_id in counted.value:
                bindings[group_id] = found
        unseen = [*counted.unseen, *instances.unseen, *nics.unseen]
        if not counted.unseen:
            unseen += unreported("bindings", group_ids, counted.value)
        return Seen(bindings, tuple(unseen))

    def count_instances(self, group_ids: Sequence[str]) -> Seen[dict[str, int]]:
        """Return, by id, how many instances and further interfaces carry the group.

        The cloud's limit counts both: its error is ``CvmsVifsPerSecGroupLimitExceeded``.
        """
        counted = reads.statistics(self.api, group_ids)
        return Seen(
            {
                group_id: one.products["CVM"] + one.products["ENI"]
                for group_id, one in counted.items()
            }
        )

    def list_rules(self, group_id: str) -> Seen[tuple[Rule, ...]]:
        """Return the group's own rules; their ids are positions, valid until the next change."""
        return Seen(reads.rules(self.api, group_id))

    def read_instance(self, instance_id: str) -> Seen[Instance | None]:
        """Return the instance, the order of its groups and whether it can be bound now."""
        if not _INSTANCE_ID.fullmatch(instance_id):
            return Seen(None)
        found, nics = _parallel(
            lambda: Seen(reads.instance(self.api, instance_id)),
            partial(seen_or_unseen, "interfaces", self._nics_of(instance_id), ()),
        )
        if found.value is None:
            return Seen(None)
        interfaces = sorted((nic.interface for nic in nics.value), key=lambda i: not i.is_primary)
        unseen = nics.unseen or _unproved(found.value, interfaces)
        return Seen(replace(found.value, interfaces=tuple(interfaces)), unseen)

    def read_limits(self, group_ids: Sequence[str] = ()) -> Seen[tuple[Limit, ...]]:
        """Return the quotas of the account, or the documented ones where they cannot be read."""
        del group_ids  # no verdict needs a count of rules, which would cost a call for each
        return seen_or_unseen(
            "limits",
            lambda: reads.limits(self.api),
            documented_limits(said("limit.not-read")),
        )

    def find_groups(self, name: str) -> tuple[str, ...]:
        """Return the ids of all groups of exactly this name that these credentials can see."""
        return group_reads.find_groups(self.api, name)

    def delete_group(self, group_id: str, *, is_forced: bool = False) -> None:
        """Delete the group.

        Raises:
            InputError: ``is_forced``: API 3.0 cannot unbind holders while deleting.
            InUseError: something carries or references the group (one code for both).
            NotFoundError: there is no such group (any more).
        """
        if is_forced:
            raise InputError(
                "tencent: API 3.0 has no forced delete: unbind what carries the group first"
            )
        creation.delete_group(self.api, group_id)

    define_group = with_rules

    def create_group(self, group: Group, *, token: str) -> str:
        """Create a group like this one, without rules; kind and network mean nothing here.

        Raises:
            LimitError: the project has as many groups as it may have.
        """
        del token  # the call takes none
        return creation.create_group(self.api, group)

    def add_rule(self, group_id: str, rule: Rule, *, token: str) -> None:
        """Insert the rule before the one at its position, or append it."""
        del token  # the version of the rules serves instead
        rule_change.add_rule(self.api, group_id, rule)

    def remove_rule(self, group_id: str, rule: Rule, *, token: str) -> None:
        """Remove the rule, wherever its position is now."""
        del token  # the version of the rules serves instead
        rule_change.remove_rule(self.api, group_id, rule)

    def read_holder(self, holder: Holder) -> tuple[str, ...] | None:
        """Return the groups of an instance or interface, in the order in which they are matched."""
        return holders.read_holder(self.api, holder)

    def set_groups(
        self, holder: Holder, before: tuple[str, ...], after: tuple[str, ...], *, token: str
    ) -> None:
        """Give the holder other groups, in their order, and wait until the change is complete."""
        del token  # the calls take none
        holders.set_groups(self.api, holder, before, after)

    def read_holders_batch(self, wanted: Sequence[Holder]) -> list[tuple[str, ...] | None]:
        """Return the groups of many holders, a hundred instances a call."""
        return batch.read_holders_batch(self.api, wanted)

    def set_groups_batch(
        self, changes: Sequence[Change], may_send: MaySend = always
    ) -> list[SgguardError | None]:
        """Give many holders other groups, a hundred instances a call."""
        return batch.set_groups_batch(self.api, changes, may_send)

    def change_rules(
        self, group_id: str, changes: Sequence[Tokened], may_send: MaySend = always
    ) -> list[SgguardError | None]:
        """Change rules of a group with as few calls as it takes, each with their version."""
        return rule_batch.change_rules(
            self.api, group_id, [change for change, _ in changes], may_send
        )

    # -- parts ------------------------------------------------------------------------------

    def _statistics(self, group_ids: Sequence[str]) -> Callable[[], Seen[Any]]:
        return lambda: Seen(reads.statistics(self.api, group_ids))

    def _instances(self, group_ids: Sequence[str]) -> Callable[[], Seen[Any]]:
        return lambda: reads.instances_by_group(self.api, group_ids)

    def _nics(self, group_ids: Sequence[str]) -> Callable[[], Seen[Any]]:
        return lambda: reads.nics_by_group(self.api, group_ids)

    def _nics_of(self, instance_id: str) -> Callable[[], Seen[Any]]:
        return lambda: reads.nics_of(self.api, instance_id)


def _unproved(instance: Instance, interfaces: Sequence[Interface]) -> tuple[Unseen, ...]:
    """Return a gap where the list lacks the interface that every instance of a VPC has."""
    if not instance.network or any(one.is_primary for one in interfaces):
        return ()
    return unproved(
        "interfaces",
        said("why.no-primary", instance=instance.instance_id),
        said("remedy.grant-vpc-interfaces", action="DescribeNetworkInterfaces"),
    )


def _parallel(*calls: Callable[[], Seen[Any]]) -> list[Seen[Any]]:
    return parallel(calls)
