"""Many holders of a cloud whose calls take one: read and changed side by side, each by itself.

A holder is an instance, with every interface of it where groups hang on interfaces, or a single
interface or port by its own id. A change reads the holder first and adds or removes one group,
so what others changed meanwhile stays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from sgguard.errors import (
    CloudError,
    ConflictError,
    ForbiddenError,
    LimitError,
    NotFoundError,
    SettingsError,
    SgguardError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
    UnknownShapeError,
)
from sgguard.model.bind import HolderState, Part, Refusal, Sent, Target
from sgguard.model.change import Holder
from sgguard.model.codes import UnseenCode
from sgguard.model.failure import failure_of
from sgguard.model.request import Action, HolderFilter
from sgguard.model.resource import Instance, Seen, Unseen
from sgguard.model.sentence import said
from sgguard.providers.base import Cloud
from sgguard.wire.parallel import parallel

_TOGETHER = 16
_TRIES = 3
_REACHED, _CHANGED = "as wanted already", "changed"
_UNREADABLE = (ForbiddenError, SettingsError, UnknownShapeError, ConflictError)

States = dict[str, HolderState | None]


class OneByOne(msgspec.Struct, frozen=True):
    """How many holders of any cloud are changed (see :class:`sgguard.providers.base.Bulk`)."""

    cloud: Cloud
    largest: int = _TOGETHER
    looks_first: bool = True

    def kind_of(self, holder_id: str) -> str:
        """Return ``instance``, or ``interface`` where the id says so; empty where it is none."""
        example = self.cloud.capabilities.group_id_example
        if self.cloud.is_group_id(example) and "-" in example and not example.startswith("sg-"):
            return "instance" if self.cloud.is_group_id(holder_id) else ""
        kinds = {"i-": "instance", "ins-": "instance", "eni-": "interface"}
        is_plain = holder_id.replace("-", "").isalnum() and holder_id.isascii()
        return next((k for begin, k in kinds.items() if holder_id.startswith(begin)), "") * is_plain

    def read(self, holder_ids: Sequence[str]) -> Seen[States]:
        """Return each holder by id, side by side; None: the cloud has no such holder."""
        parts = parallel([partial(self._read, one) for one in dict.fromkeys(holder_ids)])
        found: States = {}
        for part in parts:
            found |= part.value
        return Seen(found, tuple(gap for part in parts for gap in part.unseen))

    def find(self, wanted: HolderFilter) -> Seen[tuple[HolderState, ...]]:
        """Return what fits among the holders that carry the group of the filter."""
        return holders_of(self.cloud, wanted, self.read)

    def send(self, action: Action, group_id: str, some: Sequence[Target]) -> Sent:
        """Change each holder by itself, side by side."""
        done = parallel([partial(self._change, action, group_id, one) for one in some])
        results = {one.holder_id: how for one, how in zip(some, done, strict=True)}
        reached = frozenset(one for one, how in results.items() if how == _REACHED)
        errors = {one: None if isinstance(how, str) else how for one, how in results.items()}
        return Sent(results=errors, reached=reached)

    def meaning(self, error: SgguardError) -> Refusal:
        """Return what an error means, by its kind."""
        if isinstance(error, ThrottledError):
            return "throttled"
        if isinstance(error, ConflictError | UnavailableError):
            return "later"
        if isinstance(error, ForbiddenError | UnauthenticatedError):
            return "denied"
        return "holder" if error.is_outcome_known else "unknown"

    # -- parts ------------------------------------------------------------------------------

    def _read(self, holder_id: str) -> Seen[States]:
        try:
            if self.kind_of(holder_id) == "instance":
                seen = self.cloud.read_instance(holder_id)
                gaps = (*seen.unseen, *(seen.value.unseen_to_bind if seen.value else ()))
                if gaps:
                    return Seen({}, tuple(replace(one, group_id=holder_id) for one in gaps))
                if seen.value is not None:
                    return Seen({holder_id: self._state(seen.value)})
            return Seen({holder_id: self._interface(holder_id)})
        except NotFoundError:
            return Seen({holder_id: None})
        except _UNREADABLE as error:
            return Seen({}, (_unread(holder_id, error),))

    def _state(self, one: Instance) -> HolderState:
        """Return an instance with the parts of it that a group is put on."""
        refusals = [one.binding_refusal, *(each.change_refusal for each in one.interfaces)]
        is_whole = self.cloud.capabilities.primary_holder == "instance"
        kind = self.cloud.capabilities.primary_holder
        if is_whole or not one.interfaces:
            parts: tuple[Part, ...] = (
                Part(Holder("instance", one.instance_id, one.instance_id), one.group_ids),
            )
            refusals = refusals[:1]
        else:
            parts = tuple(
                Part(Holder(kind, each.interface_id, one.instance_id), each.group_ids)
                for each in one.interfaces
            )
        return HolderState(
            one.instance_id,
            "instance",
            parts,
            name=one.name,
            state=one.state,
            project=one.project,
            network=one.network,
            refusal=next((each for each in refusals if each), ""),
        )

    def _interface(self, holder_id: str) -> HolderState | None:
        """Return an interface or port of that id, where there is one."""
        whole = self.cloud.capabilities.primary_holder
        kind = "interface" if whole == "instance" else whole
        if self.kind_of(holder_id) == "instance" and whole == "instance":
            return None
        holder = Holder(kind, holder_id)
        found = self.cloud.read_holder(holder)
        return None if found is None else HolderState(holder_id, kind, (Part(holder, found),))

    def _change(self, action: Action, group_id: str, target: Target) -> SgguardError | str:
        done = _REACHED
        for part in target.parts:
            how = self._change_part(action, group_id, part)
            if isinstance(how, SgguardError):
                return how
            done = done if how == _REACHED else how
        return done

    def _change_part(self, action: Action, group_id: str, part: Holder) -> SgguardError | str:
        """Put the group on one part, or take it off, on top of what it carries now."""
        failure: SgguardError | str = _REACHED
        for number in range(_TRIES):
            try:
                before = self.cloud.read_holder(part)
                if before is None:
                    return NotFoundError(
                        self.cloud.capabilities.provider, action, detail=f"no {part.holder_id}"
                    )
                if (group_id in before) == (action == "bind"):
                    return _REACHED
                after = (*before, group_id)
                if action == "unbind":
                    after = tuple(one for one in before if one != group_id)
                if not after:
                    return LimitError(
                        self.cloud.capabilities.provider,
                        action,
                        detail=f"{part.holder_id} would be left without a group",
                    )
                token = f"{action}-{group_id}-{part.holder_id}-{number}"
                self.cloud.set_groups(part, before, after, token=token)
            except ConflictError as error:  # somebody changed it since it was read: look again
                failure = error
            except SgguardError as error:
                return error
            else:
                return _CHANGED
        return failure


def holders_of(
    cloud: Cloud, wanted: HolderFilter, read: Callable[[Sequence[str]], Seen[States]]
) -> Seen[tuple[HolderState, ...]]:
    """Return the holders that carry the group of a filter; other filters are not answered."""
    if not wanted.group or wanted.tag:
        return Seen((), (_unanswered(wanted),))
    seen = cloud.list_bindings([wanted.group])
    bindings = seen.value.get(wanted.group, ())
    ids = [one.instance_id or one.holder_id for one in bindings if one.holder_id]
    found = read(ids)
    is_counted = any(not one.holder_id for one in bindings)
    gaps = (*seen.unseen, *found.unseen, *((_unnamed(wanted.group),) if is_counted else ()))
    return Seen(tuple(one for one in found.value.values() if one is not None), gaps)


def _unread(holder_id: str, error: SgguardError) -> Unseen:
    code = UnseenCode.UNKNOWN_SHAPE
    if isinstance(error, ForbiddenError | SettingsError):
        code = UnseenCode.NO_PERMISSION
    action = error.action if isinstance(error, CloudError) else "credentials"
    return Unseen(
        code,
        said("part.holder", holder=holder_id),
        failure_of(error),
        said("remedy.permit", action=action),
        holder_id,
    )


def _unanswered(wanted: HolderFilter) -> Unseen:
    how = said("filter.tags") if wanted.tag else said("filter.others")
    return Unseen(
        UnseenCode.API_ABSENT,
        said("part.filtered"),
        said("why.no-filter", how=how),
        said("remedy.name-holders-or-group"),
    )


def _unnamed(group_id: str) -> Unseen:
    return Unseen(
        UnseenCode.NOT_TOLD,
        said("part.of", part="holders", thing=group_id),
        said("why.only-counted"),
        said("remedy.name-holders"),
        group_id,
    )
