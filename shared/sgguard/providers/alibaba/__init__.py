"""Alibaba Cloud ECS (API 2014-05-26): groups, references, bindings, instances, limits.

Calls are POST, RPC style: parameters in the query, signed with ACS3-HMAC-SHA256.
``SGGUARD_ALIBABA_SIGNATURE=rpc`` signs with the older RPC signature (HMAC-SHA1) instead, for
private clouds that know only that one; ``acs3`` is the default.

Reads: groups and their rules in ``group``, references in ``references`` (from the call in
``referrers``, the rules in ``referring_group`` and, where that is incomplete, ``scan``), bindings
in ``bindings``, counts in ``count``, one instance in ``holder``. That an empty list may be empty is
proven in ``proof``. What no call reports is in ``documented``. Changes: rules in
``rule_change``, new groups in ``creation``, the groups of instances and interfaces in ``holder``;
``settle`` waits until a change shows.

Source: the pages of each action below alibabacloud.com/help/en/ecs, read 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from sgguard import lazy
from sgguard.errors import SettingsError, SgguardError
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
from sgguard.providers.access import Access
from sgguard.providers.alibaba import bindings, group, references, rule_change
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.count import count_instances
from sgguard.providers.alibaba.creation import create_group
from sgguard.providers.alibaba.documented import CAPABILITIES, LIMITS, RATES
from sgguard.providers.alibaba.endpoint import region_url
from sgguard.providers.alibaba.group import define_group
from sgguard.providers.alibaba.holder import read_holder, read_instance, set_groups
from sgguard.wire.acs3 import Acs3Auth
from sgguard.wire.rpc_v1 import RpcV1Auth

if TYPE_CHECKING:
    from sgguard.providers.alibaba import batch
else:
    batch = lazy("sgguard.providers.alibaba.batch")  # only a remedy needs it

__all__ = ["RATES", "Alibaba", "connect"]

_GROUP_ID = re.compile(r"sg-[A-Za-z0-9]{1,64}")


def connect(access: Access) -> Alibaba:
    """Return the provider for one region.

    Raises:
        AddressError: no region can have that name.
        SettingsError: credentials are missing, or a setting has no known value.
    """
    url = region_url(access)
    auths: dict[str, type[Acs3Auth | RpcV1Auth]] = {"acs3": Acs3Auth, "rpc": RpcV1Auth}
    signature = access.env.get("SGGUARD_ALIBABA_SIGNATURE", "").strip() or "acs3"
    if signature not in auths:
        raise SettingsError(f"SGGUARD_ALIBABA_SIGNATURE={signature!r}: expected acs3 or rpc")
    key_id = access.require_secret("ALIBABA_CLOUD_ACCESS_KEY_ID")
    auth = auths[signature](
        key_id,
        access.require_secret("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
        access.secret("ALIBABA_CLOUD_SECURITY_TOKEN"),
        nonce=access.nonce,
        now=access.now,
    )
    wire = access.paced(RATES, key_id)
    return Alibaba(EcsClient(wire, access.region, url, auth), access.account)


class Alibaba(msgspec.Struct, frozen=True):
    """One region of one account, with the methods of :class:`~sgguard.providers.base.Cloud`.

    ``account`` is the AliUid of the credentials, where it is known: groups of another account are
    then known to be foreign without a call.
    """

    ecs: EcsClient
    account: str = ""

    @property
    def capabilities(self) -> Capabilities:
        """Alibaba refuses to delete a group that is referenced or carried."""
        return CAPABILITIES

    @property
    def visibility(self) -> Visibility:
        """Referring groups of other accounts are named, their rules are not readable."""
        return Visibility.ACCOUNT

    def is_group_id(self, text: str) -> bool:
        """Return whether this could be a group id here."""
        return _GROUP_ID.fullmatch(text) is not None

    # -- reading ---------------------------------------------------------------------------

    def read_groups(self, group_ids: Sequence[str]) -> Seen[dict[str, Group | None]]:
        """Return each group by id, a hundred ids a call; None: there is no such group."""
        return group.read_groups(self.ecs, group_ids)

    def list_references(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Reference, ...]]]:
        """Return the rules of other groups that name each group, ten ids a call.

        A second wave of calls reads the rules of the referring groups, if there are any. Only where
        the call is incomplete, the rules of every group of the account are read.
        """
        return references.list_references(self.ecs, self.account, group_ids)

    def list_bindings(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Binding, ...]]]:
        """Return instances (by their primary interface) and other interfaces of each group."""
        return bindings.list_bindings(self.ecs, group_ids)

    def count_instances(self, group_ids: Sequence[str]) -> Seen[dict[str, int]]:
        """Return how many instances carry each group, interfaces of an advanced one."""
        return count_instances(self.ecs, group_ids)

    def list_rules(self, group_id: str) -> Seen[tuple[Rule, ...]]:
        """Return the group's own rules, ingress first."""
        return Seen(group.read_with_rules(self.ecs, group_id).rules or ())

    def read_instance(self, instance_id: str) -> Seen[Instance | None]:
        """Return the instance and its interfaces; None: there is no such instance."""
        return read_instance(self.ecs, instance_id)

    def read_limits(self, group_ids: Sequence[str] = ()) -> Seen[tuple[Limit, ...]]:
        """Return the documented limits; ECS has no call that reports them."""
        del group_ids  # no ceiling of this cloud needs a count of rules
        return Seen(LIMITS)

    # -- changing --------------------------------------------------------------------------

    def add_rule(self, group_id: str, rule: Rule, *, token: str) -> None:
        """Add a rule to the group; see :func:`~sgguard.providers.alibaba.rule_change.add_rule`."""
        rule_change.add_rule(self.ecs, group_id, rule, token)

    def remove_rule(self, group_id: str, rule: Rule, *, token: str) -> None:
        """Remove exactly this rule from the group, by its id and direction."""
        rule_change.remove_rule(self.ecs, group_id, rule, token)

    def read_holder(self, holder: Holder) -> tuple[str, ...] | None:
        """Return the groups of an instance's primary interface, or of another interface."""
        return read_holder(self.ecs, holder)

    def set_groups(
        self, holder: Holder, before: tuple[str, ...], after: tuple[str, ...], *, token: str
    ) -> None:
        """Join or leave one group, or replace all in one call; return when the change shows."""
        del token  # these calls take none; the list read beforehand shows whether it is done
        set_groups(self.ecs, holder, before, after)

    def read_holders_batch(self, wanted: Sequence[Holder]) -> list[tuple[str, ...] | None]:
        """Return the groups of many holders, a hundred a call."""
        return batch.read_holders_batch(self.ecs, wanted)

    def set_groups_batch(
        self, changes: Sequence[Change], may_send: MaySend = always
    ) -> list[SgguardError | None]:
        """Give many holders other groups: lists of all before and after, one call for each."""
        return batch.set_groups_batch(self.ecs, changes, may_send)

    def change_rules(
        self, group_id: str, changes: Sequence[Tokened], may_send: MaySend = always
    ) -> list[SgguardError | None]:
        """Add or revoke rules of a group, a hundred of one direction a call."""
        return batch.change_rules(self.ecs, group_id, changes, may_send)

    def define_group(self, group: Group) -> Group:
        """Return the group with its rules, and whether its members reach each other without one."""
        return define_group(self.ecs, group)

    def create_group(self, group: Group, *, token: str) -> str:
        """Create a group like this one, without any rule, and return its id."""
        return create_group(self.ecs, group, token)

    def find_groups(self, name: str) -> tuple[str, ...]:
        """Return the ids of all groups of exactly this name that these credentials can see."""
        return group.find_groups(self.ecs, name)

    def delete_group(self, group_id: str, *, is_forced: bool = False) -> None:
        """Delete the group.

        Raises:
            SettingsError: ``is_forced``, which Alibaba does not know; nothing was sent.
            InUseError: something carries or references it, a cloud product owns it, or it is
                protected; the references and bindings show which.
        """
        if is_forced:
            raise SettingsError("alibaba knows no forced delete: unbind the holders first")
        self.ecs.write("DeleteSecurityGroup", {"SecurityGroupId": group_id})
