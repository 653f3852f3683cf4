"""Tencent's legacy API 2.0 at ``dfw.api.qcloud.com``, which private Tencent clouds still provide.

Holders of a group are instances and network interfaces only. There is no call for quotas, so the
documented ones are returned. The API reports which groups an instance has, but not its state, which
binding a further group depends on: for that use the provider ``tencent``. It can change the groups
of an instance, but not those of an interface, which it does not report.

Credentials are those of ``tencent``. Requests are signed with HmacSHA256;
``SGGUARD_TENCENT_DFW_SIGNATURE=HmacSHA1`` selects the older method.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from sgguard import lazy
from sgguard.errors import NotFoundError, SettingsError, SgguardError
from sgguard.model.capabilities import Capabilities
from sgguard.model.change import Change, Holder
from sgguard.model.codes import UnseenCode
from sgguard.model.resource import (
    Binding,
    Group,
    Instance,
    Limit,
    Reference,
    Rule,
    Seen,
    Unseen,
    Visibility,
)
from sgguard.model.sending import MaySend, Tokened, always
from sgguard.model.sentence import said
from sgguard.providers._shared import about_group, unreported, with_rules
from sgguard.providers._tencent import REGIONS
from sgguard.providers._tencent_limits import documented_limits
from sgguard.providers.access import Access, seen_or_unseen
from sgguard.providers.tencent_dfw import response
from sgguard.providers.tencent_dfw.api import RATES as RATES
from sgguard.providers.tencent_dfw.api import DfwApi
from sgguard.providers.tencent_dfw.bindings import instance_ids, interface_ids, others_of
from sgguard.providers.tencent_dfw.creation import create_group, delete_group
from sgguard.providers.tencent_dfw.documented import CAPABILITIES
from sgguard.providers.tencent_dfw.holder import read_holder, set_groups
from sgguard.providers.tencent_dfw.references import list_references
from sgguard.providers.tencent_dfw.rule_change import add_rule, remove_rule
from sgguard.wire.parallel import parallel
from sgguard.wire.qcloud_v2 import Algorithm, QcloudV2Auth

if TYPE_CHECKING:
    from sgguard.providers.tencent_dfw import batch, moved
else:
    batch = lazy("sgguard.providers.tencent_dfw.batch")  # only a remedy needs it
    moved = lazy("sgguard.providers.tencent_dfw.moved")

_GROUP_ID = re.compile(r"sg-[0-9a-z]{8}")
_INSTANCE_ID = re.compile(r"ins-[0-9a-z]{8}")


def connect(access: Access) -> TencentDfw:
    """Return the provider for one region.

    Raises:
        AddressError: no region can have that name.
        CredentialsError: no key id or no secret key is set.
        SettingsError: endpoint or signature method is unusable.
    """
    REGIONS.check(access.region)
    name = "SGGUARD_TENCENT_DFW_SIGNATURE"
    wanted = access.secret(name) or "HmacSHA256"
    algorithm: Algorithm | None = next((a for a in get_args(Algorithm) if a == wanted), None)
    if algorithm is None:
        raise SettingsError(f"{name}={wanted!r}: expected HmacSHA256 or HmacSHA1")
    key_id = access.require_secret("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRETID")
    auth = QcloudV2Auth(
        key_id=key_id,
        secret=access.require_secret("TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_SECRETKEY"),
        token=access.secret("TENCENTCLOUD_TOKEN", "TENCENTCLOUD_SESSIONTOKEN"),
        now=access.now,
        nonce=lambda: int(access.nonce(), 16) % sys.maxsize + 1,
        algorithm=algorithm,
    )
    url = access.endpoint() or "https://dfw.api.qcloud.com"
    api = DfwApi(access.paced(RATES, key_id), access.region, url, auth)
    return TencentDfw(api, is_thorough=access.is_thorough)


class TencentDfw(msgspec.Struct, frozen=True):
    """One region of one account: a ``Provider`` with ``Changes``.

    ``is_thorough`` is that of :class:`~sgguard.providers.access.Access`.
    """

    api: DfwApi
    is_thorough: bool = True

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
        """Return each group by id, one call each; None: the cloud has no such group."""
        ids = list(dict.fromkeys(group_ids))
        read = parallel([partial(self._group, group_id) for group_id in ids])
        found = {key: one.value for key, one in zip(ids, read, strict=True) if not one.unseen}
        return Seen(found, tuple(gap for one in read for gap in one.unseen))

    def list_references(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Reference, ...]]]:
        """Return, by id, every rule of another group that names it."""
        return list_references(self.api, group_ids)

    def list_bindings(self, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Binding, ...]]]:
        """Return, by id, the bindings of the group to instances and interfaces."""
        ids = list(dict.fromkeys(group_ids))
        calls = [
            partial(self._bindings, kind, group_id)
            for group_id in ids
            for kind in ("instance", "interface")
        ]
        read = parallel(calls)
        bindings: dict[str, tuple[Binding, ...]] = {}
        for number, group_id in enumerate(ids):
            instances, interfaces = read[2 * number : 2 * number + 2]
            found = (*instances.value, *interfaces.value)
            if found or not (instances.unseen or interfaces.unseen):
                bindings[group_id] = found
        return Seen(bindings, tuple(gap for one in read for gap in one.unseen))

    def count_instances(self, group_ids: Sequence[str]) -> Seen[dict[str, int]]:
        """Return, by id, how many instances and further interfaces carry the group.

        The cloud's limit counts both: its error is ``CvmsVifsPerSecGroupLimitExceeded``.
        """
        ids = list(dict.fromkeys(group_ids))
        read = parallel([partial(self._count, group_id) for group_id in ids])
        counts = {key: one.value for key, one in zip(ids, read, strict=True)}
        return Seen(
            {key: count for key, count in counts.items() if count is not None},
            tuple(gap for one in read for gap in one.unseen),
        )

    def list_rules(self, group_id: str) -> Seen[tuple[Rule, ...]]:
        """Return the group's own rules; their ids are positions, valid until the next change."""
        return Seen(response.rules(self.api, group_id))

    def read_instance(self, instance_id: str) -> Seen[Instance | None]:
        """Return the groups of an instance; its state, network and interfaces are not reported.

        The state matters only for binding a further group, so it is a gap of that alone.
        """
        if not _INSTANCE_ID.fullmatch(instance_id):
            return Seen(None)
        try:
            group_ids = response.groups_of_instance(self.api, instance_id)
        except NotFoundError:
            return Seen(None)
        state = Unseen(
            code=UnseenCode.NOT_TOLD,
            what=said("part.state"),
            why=said("why.dfw-only-groups"),
            remedy=said("remedy.ask-api3"),
        )
        found = Instance(instance_id, group_ids=group_ids or (), unseen_to_bind=(state,))
        if group_ids is not None:
            return Seen(found)
        groups = Unseen(
            code=UnseenCode.NOT_TOLD,
            what=said("part.groups-of-instance"),
            why=said("why.dfw-no-group"),
            remedy=state.remedy,
        )
        return Seen(found, (groups,))

    def read_limits(self, group_ids: Sequence[str] = ()) -> Seen[tuple[Limit, ...]]:
        """Return the documented quotas: API 2.0 has no call for the account's own."""
        del group_ids  # no verdict needs a count of rules, which would cost a call for each
        return Seen(documented_limits(said("limit.no-call")))

    def find_groups(self, name: str) -> tuple[str, ...]:
        """Return the ids of all groups of exactly this name that these credentials can see."""
        return response.find_groups(self.api, name)

    def delete_group(self, group_id: str, *, is_forced: bool = False) -> None:
        """Delete the group; ``is_forced`` unbinds every instance first, which is not reversible.

        Newer documents do not mention ``forced``, so a cloud may ignore it.
        """
        delete_group(self.api, group_id, is_forced=is_forced)

    define_group = with_rules

    def create_group(self, group: Group, *, token: str) -> str:
        """Create a group like this one, without rules; API 2.0 knows no tags."""
        del token  # the call takes none
        return create_group(self.api, group)

    def add_rule(self, group_id: str, rule: Rule, *, token: str) -> None:
        """Insert the rule before the one at its position, or append it."""
        del token  # the version of the rules serves instead
        add_rule(self.api, group_id, rule)

    def remove_rule(self, group_id: str, rule: Rule, *, token: str) -> None:
        """Remove the rule, wherever its position is now."""
        del token  # the version of the rules serves instead
        remove_rule(self.api, group_id, rule)

    def read_holder(self, holder: Holder) -> tuple[str, ...] | None:
        """Return the groups of an instance; those of an interface are not reported."""
        return read_holder(self.api, holder)

    def set_groups(
        self, holder: Holder, before: tuple[str, ...], after: tuple[str, ...], *, token: str
    ) -> None:
        """Give an instance other groups, in their order."""
        del token  # the call takes none
        set_groups(self.api, holder, before, after)

    def read_holders_batch(self, wanted: Sequence[Holder]) -> list[tuple[str, ...] | None]:
        """Return the groups of many instances, side by side: one call tells those of one."""
        return parallel([partial(read_holder, self.api, one) for one in wanted])

    def still_carrying(
        self, known: Mapping[Holder, tuple[str, ...]], told: Mapping[str, frozenset[str]]
    ) -> frozenset[Holder]:
        """Return the instances that lists show with each group they were known to carry."""
        return moved.still_carrying(self.api, known, told)

    def set_groups_batch(
        self, changes: Sequence[Change], may_send: MaySend = always
    ) -> list[SgguardError | None]:
        """Give many instances other groups, twenty a call."""
        return batch.set_groups_batch(self.api, changes, may_send)

    def change_rules(
        self, group_id: str, changes: Sequence[Tokened], may_send: MaySend = always
    ) -> list[SgguardError | None]:
        """Add rules that stand behind each other, or remove rules, with one call each."""
        return batch.change_rules(self.api, group_id, [one for one, _ in changes], may_send)

    # -- parts ------------------------------------------------------------------------------

    def _count(self, group_id: str) -> Seen[Any]:
        def ask() -> Seen[Any]:
            try:
                reads = (instance_ids, interface_ids)
                counted = parallel([partial(read, self.api, group_id) for read in reads])
                return Seen(sum(total for _, total in counted))
            except NotFoundError:
                return Seen(None)

        nothing: Any = None
        return about_group(
            group_id, seen_or_unseen(said("part.instances-with", group=group_id), ask, nothing)
        )

    def _bindings(self, kind: str, group_id: str) -> Seen[Any]:
        """Return the bindings of one kind: listed holders, and one counted entry for any others."""
        read = instance_ids if kind == "instance" else interface_ids

        def ask() -> Seen[Any]:
            try:
                ids, total = read(self.api, group_id)
            except NotFoundError:
                return Seen((), tuple(unreported("bindings", [group_id], ())))
            if kind == "instance":
                others = others_of(self.api, group_id, ids) if self.is_thorough else {}
                named = tuple(
                    Binding(kind, one, instance_id=one, other_group_ids=others.get(one))
                    for one in ids
                )
            else:
                named = tuple(Binding(kind, one) for one in ids)
            rest = total - len(ids)
            return Seen((*named, Binding(kind, count=rest)) if rest else named)

        return about_group(
            group_id, seen_or_unseen(said("part.of", part=f"{kind}s", thing=group_id), ask, ())
        )

    def _group(self, group_id: str) -> Seen[Any]:
        nothing: Any = None
        what, read = said("part.group", group=group_id), partial(response.group, self.api, group_id)
        return about_group(group_id, seen_or_unseen(what, lambda: Seen(read()), nothing))
