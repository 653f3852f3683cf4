"""One group put on many instances in Tencent's API 2.0: one call for many, each with its list.

ModifySecurityGroupsOfInstance replaces the whole list of each instance that it names, so every list
is read right before, and only what is read is written back, with one group more or less. The state
of an instance is not told: the call itself says whether it permits a change. Interfaces are not
changed (:mod:`sgguard.providers.tencent_dfw.holder`).
Source: https://cloud.tencent.com/document/api/213/1367 (read 2026-11-29).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

import msgspec

from sgguard.errors import (
    CloudError,
    ConflictError,
    ForbiddenError,
    InputError,
    LimitError,
    NotFoundError,
    SgguardError,
    ThrottledError,
    UnauthenticatedError,
    UnknownShapeError,
)
from sgguard.model.bind import HolderState, Part, Refusal, Sent, Target
from sgguard.model.change import Holder
from sgguard.model.codes import UnseenCode
from sgguard.model.failure import failure_of
from sgguard.model.request import Action, HolderFilter
from sgguard.model.resource import Seen, Unseen
from sgguard.model.sentence import said
from sgguard.providers._one_by_one import holders_of
from sgguard.providers.base import Cloud
from sgguard.providers.tencent_dfw import TencentDfw
from sgguard.providers.tencent_dfw.api import DfwApi
from sgguard.providers.tencent_dfw.holder import read_holder, require_primary_only
from sgguard.wire.parallel import parallel

LARGEST = 20
"""How many instances a call takes; a refused one is halved."""

_ACTION = "ModifySecurityGroupsOfInstance"
_INSTANCE_ID = re.compile(r"ins-[0-9a-z]{8}")

States = dict[str, HolderState | None]
Groups = tuple[str, ...]


def bulk(cloud: Cloud) -> DfwBulk:
    """Return how this cloud changes many holders."""
    if not isinstance(cloud, TencentDfw):
        raise InputError("this is another cloud")
    return DfwBulk(cloud)


class DfwBulk(msgspec.Struct, frozen=True):
    """Many instances of one region (see :class:`sgguard.providers.base.Bulk`)."""

    cloud: TencentDfw
    largest: int = LARGEST
    looks_first: bool = True

    @property
    def api(self) -> DfwApi:
        """The calls of this region."""
        return self.cloud.api

    def kind_of(self, holder_id: str) -> str:
        """Return ``instance``; empty: it is no id of one."""
        return "instance" if _INSTANCE_ID.fullmatch(holder_id) else ""

    def read(self, holder_ids: Sequence[str]) -> Seen[States]:
        """Return each instance with its groups, side by side; nothing else of it is told."""
        found: States = {}
        unseen: list[Unseen] = []
        for part in parallel([partial(self._read, one) for one in dict.fromkeys(holder_ids)]):
            found |= part.value
            unseen += part.unseen
        return Seen(found, tuple(unseen))

    def find(self, wanted: HolderFilter) -> Seen[tuple[HolderState, ...]]:
        """Return the instances that carry the group of the filter; no other filter is answered."""
        return holders_of(self.cloud, wanted, self.read)

    def send(self, action: Action, group_id: str, some: Sequence[Target]) -> Sent:
        """Read the list of each instance, and send one call for all whose list changes."""
        prepared = parallel([partial(self._after, action, group_id, one) for one in some])
        results: dict[str, SgguardError | None] = {}
        reached: set[str] = set()
        wanted = []
        for one, how in zip(some, prepared, strict=True):
            if how is None:
                reached.add(one.holder_id)
                results[one.holder_id] = None
            elif isinstance(how, SgguardError):
                results[one.holder_id] = how
            else:
                wanted.append({"instanceId": one.holder_id, "sgIds": list(how)})
        if wanted:
            self.api.write(_ACTION, instanceSet=wanted)
        return Sent(results=results, reached=frozenset(reached))

    def meaning(self, error: SgguardError) -> Refusal:
        """Return what an error means, by its kind: no page lists the codes of the call."""
        if isinstance(error, ThrottledError):
            return "throttled"
        if isinstance(error, ForbiddenError | UnauthenticatedError):
            return "denied"
        if isinstance(error, ConflictError):
            return "later"
        return "holder" if error.is_outcome_known else "unknown"

    # -- parts ------------------------------------------------------------------------------

    def _read(self, holder_id: str) -> Seen[States]:
        holder = Holder("instance", holder_id, holder_id)
        try:
            groups = read_holder(self.api, holder)
        except (ForbiddenError, UnknownShapeError) as error:
            is_denied = isinstance(error, ForbiddenError)
            code = UnseenCode.NO_PERMISSION if is_denied else UnseenCode.UNKNOWN_SHAPE
            what = said("part.holder", holder=holder_id)
            remedy = said("remedy.permit", action=error.action)
            return Seen({}, (Unseen(code, what, failure_of(error), remedy, holder_id),))
        if groups is None:
            return Seen({holder_id: None})
        return Seen({holder_id: HolderState(holder_id, "instance", (Part(holder, groups),))})

    def _after(self, action: Action, group_id: str, target: Target) -> Groups | SgguardError | None:
        """Return the list that an instance is to have; None where it has it, or why it cannot."""
        holder, provider = target.parts[0], self.api.wire.provider
        try:
            before = read_holder(self.api, holder)
            if before is None:
                return NotFoundError(provider, _ACTION, detail=f"no {target.holder_id}")
            if (group_id in before) == (action == "bind"):
                return None
            if action == "unbind" and before == (group_id,):
                detail = f"{target.holder_id} would be left without a group"
                return LimitError(provider, _ACTION, detail=detail)
            kept = [one for one in before if one != group_id]
            require_primary_only(self.api, target.holder_id, kept)
        except CloudError as error:
            return error
        return (*kept, group_id) if action == "bind" else tuple(kept)
