"""Alibaba Cloud ECS (API 2014-05-26): groups, references, bindings, instances, limits.

Calls are POST, RPC style: parameters in the query, signed with ACS3-HMAC-SHA256.
``SGGUARD_ALIBABA_SIGNATURE=rpc`` signs with the older RPC signature (HMAC-SHA1) instead, for
private clouds that know only that one; ``acs3`` is the default.

References have their own call, but it answers with at most 100 records and has no second page:
an answer that full may be truncated, and becomes ``unseen`` (``record-ceiling``). A listing by
group knows the instances by their primary interface and the interfaces that are secondary, so
bindings take both.

Source: the pages of each action below alibabacloud.com/help/en/ecs, read 2026-11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sgguard.errors import NotFoundError, SettingsError
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
from sgguard.providers.alibaba.answer import NO_SUCH_GROUP, PROVIDER
from sgguard.providers.alibaba.client import EcsClient, Entry
from sgguard.providers.alibaba.ecs import (
    LIMITS,
    group_of,
    instance_binding,
    instance_of,
    interface_binding,
    interface_of,
    rules_of,
)
from sgguard.providers.alibaba.references import REFERENCES_A_CALL, Referrer, ask_referrers, merged
from sgguard.providers.base import Access, seen_or_unseen
from sgguard.wire.acs3 import Acs3Auth
from sgguard.wire.paging import chunks
from sgguard.wire.parallel import parallel
from sgguard.wire.rpc_v1 import RpcV1Auth

_Listing = tuple[str, str, str]

TRAITS = Traits(
    provider=PROVIDER,
    on_delete_referenced="refused",
    refused_with="DependencyViolation",
    group_limit_per="instance",
    group_id_example="sg-bp67acfmxazb4p2jfvo1",
)

_GROUP_ID = re.compile(r"sg-[A-Za-z0-9]{1,64}")
_GROUPS_A_CALL = 100
_INTERFACES = ("DescribeNetworkInterfaces", "NetworkInterfaceSets", "NetworkInterfaceSet")
_INSTANCES = ("DescribeInstances", "Instances", "Instance")


def connect(access: Access) -> Alibaba:
    """Return the provider for one region.

    Raises:
        SettingsError: credentials are missing, or a setting has no known value.
    """
    auths: dict[str, type[Acs3Auth | RpcV1Auth]] = {"acs3": Acs3Auth, "rpc": RpcV1Auth}
    signature = access.env.get("SGGUARD_ALIBABA_SIGNATURE", "").strip() or "acs3"
    if signature not in auths:
        raise SettingsError(f"SGGUARD_ALIBABA_SIGNATURE={signature!r}: expected acs3 or rpc")
    auth = auths[signature](
        access.require_secret("ALIBABA_CLOUD_ACCESS_KEY_ID"),
        access.require_secret("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
        access.secret("ALIBABA_CLOUD_SECURITY_TOKEN"),
        nonce=access.nonce,
        now=access.now,
    )
    url = access.endpoint() or f"https://ecs.{access.region}.aliyuncs.com"
    return Alibaba(EcsClient(access.wire, access.region, url, auth), access.account)


@dataclass(frozen=True, slots=True)
class Alibaba:
    """One region of one account; the methods are those of :class:`~sgguard.providers.Provider`.

    ``account`` is the AliUid of the credentials, where it is known: groups of another one are
    then known to be foreign without asking for them.
    """

    ecs: EcsClient
    account: str = ""

    @property
    def traits(self) -> Traits:
        """Alibaba refuses to delete a group that is referenced or carried."""
        return TRAITS

    @property
    def visibility(self) -> Visibility:
        """Referring groups of other accounts are named, their rules are not readable."""
        return Visibility.ACCOUNT

    def is_group_id(self, text: str) -> bool:
        """Tell whether this could be a group id here."""
        return _GROUP_ID.fullmatch(text) is not None

    # -- reading ---------------------------------------------------------------------------

    def read_groups(self, group_ids: Sequence[str]) -> Seen[dict[str, Group | None]]:
        """Return each group by id, a hundred ids a call; None says there is no such group."""
        asked = chunks(group_ids, _GROUPS_A_CALL)
        return merged(parallel([partial(self._groups, some) for some in asked]))

    def list_references(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Reference, ...]]]:
        """Return the rules of other groups that name each group, ten ids a call.

        Only when there are references, a second wave of calls reads the rules.
        """
        asked = chunks(group_ids, REFERENCES_A_CALL)
        found = merged(parallel([partial(self._referrers, some) for some in asked]))
        others = {
            group_id: [one for one in referrers if one.group_id != group_id]
            for group_id, referrers in found.value.items()
        }
        ours = sorted({o.group_id for some in others.values() for o in some if self._is_ours(o)})
        details = parallel([partial(self._holder, group_id) for group_id in ours])
        holders = {group_id: seen.value for group_id, seen in zip(ours, details, strict=True)}
        references = {
            group_id: tuple(
                reference
                for one in some
                for reference in _references(group_id, one, holders.get(one.group_id))
            )
            for group_id, some in others.items()
        }
        return Seen(references, (*found.unseen, *(u for seen in details for u in seen.unseen)))

    def list_bindings(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Binding, ...]]]:
        """Return instances (by their primary interface) and other interfaces of each group."""
        listings = ((_INSTANCES, instance_binding), (_INTERFACES, interface_binding))
        parts = parallel(
            [
                partial(self._bindings, group_id, listing, binding_of)
                for group_id in group_ids
                for listing, binding_of in listings
            ]
        )
        bound: dict[str, tuple[Binding, ...]] = dict.fromkeys(group_ids, ())
        for group_id, part in parts:
            bound[group_id] += part.value
        return Seen(bound, tuple(unseen for _, part in parts for unseen in part.unseen))

    def count_instances(self, group_ids: Sequence[str]) -> Seen[dict[str, int]]:
        """Return how many instances carry each group on any of their interfaces."""
        bindings = self.list_bindings(group_ids)
        hidden = {unseen.group_id for unseen in bindings.unseen}
        counts = {
            group_id: len({one.instance_id for one in bound if one.instance_id})
            for group_id, bound in bindings.value.items()
            if group_id not in hidden
        }
        return Seen(counts, bindings.unseen)

    def list_rules(self, group_id: str) -> Seen[tuple[Rule, ...]]:
        """Return the group's own rules, ingress first."""
        return Seen(rules_of(self._permissions(group_id)))

    def read_instance(self, instance_id: str) -> Seen[Instance | None]:
        """Return the instance and its interfaces; None says there is no such instance."""
        wanted = {"InstanceIds": json.dumps([instance_id])}
        found, interfaces = parallel(
            [
                partial(self.ecs.read_list, action, params, container, item)
                for (action, container, item), params in (
                    (_INSTANCES, wanted),
                    (_INTERFACES, {"InstanceId": instance_id}),
                )
            ]
        )
        carried = tuple(interface_of(*entry) for entry in interfaces)
        instances = [instance_of(*entry, carried) for entry in found]
        return Seen(next((one for one in instances if one.instance_id == instance_id), None))

    def read_limits(self) -> Seen[tuple[Limit, ...]]:
        """Return the documented limits; ECS has no call that tells them."""
        return Seen(LIMITS)

    # -- changing --------------------------------------------------------------------------

    def delete_group(self, group_id: str, *, is_forced: bool = False) -> None:
        """Delete the group.

        Raises:
            SettingsError: ``is_forced``, which Alibaba does not know; nothing was sent.
        """
        if is_forced:
            raise SettingsError("alibaba knows no forced delete: unbind the holders first")
        self.ecs.write("DeleteSecurityGroup", {"SecurityGroupId": group_id})

    def bind_group(self, group_id: str, instance_ids: Sequence[str]) -> None:
        """Bind the group to the primary interface of each instance: one call each, in order."""
        for instance_id in instance_ids:
            params = {"SecurityGroupId": group_id, "InstanceId": instance_id}
            self.ecs.write("JoinSecurityGroup", params)

    # -- parts of the reads ----------------------------------------------------------------

    def _groups(self, group_ids: Sequence[str]) -> Seen[dict[str, Group | None]]:
        params = {"SecurityGroupIds": json.dumps(list(group_ids))}
        try:
            entries = self.ecs.read_list(
                "DescribeSecurityGroups", params, "SecurityGroups", "SecurityGroup"
            )
        except NotFoundError as error:
            if error.code != NO_SUCH_GROUP:
                raise
            if len(group_ids) == 1:
                return Seen({group_ids[0]: None})
            return merged(parallel([partial(self._groups, [one]) for one in group_ids]))
        found = {group.group_id: group for group in (group_of(*entry) for entry in entries)}
        return Seen({group_id: found.get(group_id) for group_id in group_ids})

    def _referrers(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Referrer, ...]]]:
        nothing: dict[str, tuple[Referrer, ...]] = {}
        seen = seen_or_unseen("references", partial(ask_referrers, self.ecs, group_ids), nothing)
        return replace(seen, unseen=_for_each(group_ids, seen.unseen))

    def _is_ours(self, referrer: Referrer) -> bool:
        """Tell whether the referring group's rules are worth asking for.

        The account's configured name need not be its AliUid; only a number can contradict one.
        """
        is_known = self.account.isdigit() and referrer.account.isdigit()
        return not is_known or self.account == referrer.account

    def _holder(self, group_id: str) -> Seen[Group | None]:
        """Return a referring group with its rules; None says that it is not ours to read."""

        def read() -> Seen[Group | None]:
            try:
                entries = self._permissions(group_id)
            except NotFoundError:
                return Seen(None)
            name = next((str(a.fields.get("SecurityGroupName", "")) for a, _ in entries), "")
            return Seen(Group(group_id, name=name, rules=rules_of(entries)))

        return seen_or_unseen(f"rules of {group_id}", read, Group(group_id))

    def _permissions(self, group_id: str) -> list[Entry]:
        params = {"SecurityGroupId": group_id, "Direction": "all"}
        return self.ecs.read_list(
            "DescribeSecurityGroupAttribute", params, "Permissions", "Permission"
        )

    def _bindings(
        self, group_id: str, listing: _Listing, binding_of: Callable[..., Binding]
    ) -> tuple[str, Seen[tuple[Binding, ...]]]:
        """Return what one listing says carries the group, beside the group's id."""
        action, container, item = listing

        def read() -> Seen[tuple[Binding, ...]]:
            params = {"SecurityGroupId": group_id}
            entries = self.ecs.read_list(action, params, container, item)
            return Seen(tuple(binding_of(*entry) for entry in entries))

        nothing: tuple[Binding, ...] = ()
        seen = seen_or_unseen(f"{container} that carry {group_id}", read, nothing)
        return group_id, replace(seen, unseen=_for_each([group_id], seen.unseen))


def _references(group_id: str, referrer: Referrer, holder: Group | None) -> list[Reference]:
    """Return a reference for each rule that names the group, at least one for the referrer."""
    if holder is None:
        return [Reference(referrer.group_id, account=referrer.account)]
    reference = Reference(holder.group_id, holder.name)
    named = [rule for rule in holder.rules or () if rule.peer_group == group_id]
    return [replace(reference, rule=rule) for rule in named] or [reference]


def _for_each(group_ids: Sequence[str], unseen: Sequence[Unseen]) -> tuple[Unseen, ...]:
    """Say of each group what is said of all of them."""
    nameless = [one for one in unseen if not one.group_id]
    named = [replace(one, group_id=group_id) for group_id in group_ids for one in nameless]
    return (*(one for one in unseen if one.group_id), *named)
