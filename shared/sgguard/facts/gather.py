"""Reading what a judgement needs: all parts side by side, and what could not be read, by name.

A group that a response leaves out never looks like a group that is not used: an id that is missing
from an answer becomes ``unseen``, and so does a part the credentials may not read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, TypeVar, overload

import msgspec
from msgspec.structs import replace

from sgguard.facts.guarded import with_guard
from sgguard.facts.sharing import with_sharing
from sgguard.model.address import Address
from sgguard.model.codes import UnseenCode
from sgguard.model.facts import DeleteFacts, GroupFacts, LaunchFacts
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.model.resource import Group, Instance, Limit, Rule, Seen, Unseen
from sgguard.model.sentence import said
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.base import Provider
from sgguard.wire.parallel import parallel

_DEFAULT = "default"

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


class _Part(msgspec.Struct, Generic[T], frozen=True):
    """One part of the facts, by group id, of every id it was asked for."""

    what: str
    values: Mapping[str, T] = msgspec.field(default_factory=dict)
    unseen: tuple[Unseen, ...] = ()
    asked: tuple[str, ...] = ()

    def unseen_of(self, group_id: str) -> tuple[Unseen, ...]:
        """Return what this part could not see of one group."""
        if group_id not in self.asked:
            return ()
        # A gap that names a group outside the request is taken to concern every group of it.
        own = tuple(u for u in self.unseen if u.group_id == group_id or not self._names(u))
        if group_id in self.values or own:
            return own
        return (
            Unseen(
                code=UnseenCode.NOT_TOLD,
                what=said("part.of", part=self.what, thing=group_id),
                why=said("why.group-not-mentioned"),
                remedy=said("remedy.again-or-report"),
                group_id=group_id,
            ),
        )

    def _names(self, unseen: Unseen) -> bool:
        return unseen.group_id in self.asked

    def and_also(self, other: _Part[T]) -> _Part[T]:
        """Return the two parts as one; each keeps what it could not see to its own groups."""
        return replace(
            self,
            values={**self.values, **other.values},
            unseen=(*_named(self), *_named(other)),
            asked=(*self.asked, *other.asked),
        )


def _named(part: _Part[Any]) -> tuple[Unseen, ...]:
    return tuple(
        replace(unseen, group_id=group_id)
        for group_id in part.asked
        for unseen in part.unseen_of(group_id)
    )


def gather_delete(provider: Provider, request: DeleteRequest) -> DeleteFacts:
    """Read groups, references and bindings of every target in one wave.

    Raises:
        CloudError: the cloud could not be asked at all.
        DeadlineError: the time was used up.
    """
    ids = _askable(provider, [target.group_id for target in request.targets])
    groups, references, bindings = _together(
        partial(_read, "groups", provider.read_groups, ids),
        partial(_read, "references", provider.list_references, ids),
        partial(_read, "bindings", provider.list_bindings, ids),
    )
    return DeleteFacts(
        capabilities=with_guard(provider, references.values),
        groups=tuple(
            GroupFacts(
                address=target,
                group=_group(groups, target.group_id),
                references=references.values.get(target.group_id, ()),
                bindings=bindings.values.get(target.group_id, ()),
                unseen=_unseen(target.group_id, groups, references, bindings),
                is_malformed=target.group_id not in ids,
            )
            for target in request.targets
        ),
        visibility=provider.visibility,
    )


def gather_explanation(provider: Provider, address: Address) -> DeleteFacts:
    """Read what :func:`gather_delete` reads and the group's own rules, in one wave.

    Raises:
        CloudError: the cloud could not be asked at all.
        DeadlineError: the time was used up.
    """
    request = DeleteRequest((address,))
    if not provider.is_group_id(address.group_id):
        return gather_delete(provider, request)
    facts, rules = _together(
        partial(gather_delete, provider, request),
        partial(_read_rules, provider, address.group_id),
    )
    (own_facts,) = facts.groups
    if own_facts.group is None:
        return facts
    group = replace(own_facts.group, rules=rules.value)
    own_facts = replace(own_facts, group=group, unseen=(*own_facts.unseen, *rules.unseen))
    return replace(facts, groups=(own_facts,))


def gather_launch(provider: Provider, request: LaunchRequest) -> LaunchFacts:
    """Read the groups, how many instances carry each, the limits and the instance, if any.

    One wave; one before it where no group is given, for the one that the cloud then takes; a second
    one for the groups of an existing instance, which only its own answer
    names; and one for the references to groups that are so full that they matter.

    Raises:
        CloudError: the cloud could not be asked at all.
        DeadlineError: the time was used up.
    """
    default = _default(provider, request)
    asked = tuple(dict.fromkeys((*request.group_ids, *default.value)))
    groups, counts, limits, found = _together(
        partial(_read, "groups", provider.read_groups, _askable(provider, asked)),
        partial(_read, "instance counts", provider.count_instances, _askable(provider, asked)),
        partial(_read_limits, provider, _askable(provider, asked)),
        partial(_read_instance, provider, request.instance_id),
    )
    own = _groups_of(found.value)
    groups, counts = _with_own(provider, own, groups, counts)
    project = found.value.project if found.value else request.project
    groups = replace(groups, values=with_sharing(provider, project, groups.values))
    crowded = _crowded(request, counts, limits.value)
    references = _read("references", provider.list_references, crowded)
    return LaunchFacts(
        capabilities=provider.capabilities,
        scope=request.scope,
        groups=tuple(
            GroupFacts(
                address=Address(request.scope, group_id),
                group=_group(groups, group_id),
                references=references.values.get(group_id, ()),
                unseen=_unseen(group_id, groups, counts, references),
                is_malformed=group_id not in groups.asked,
                instance_count=counts.values.get(group_id),
            )
            for group_id in dict.fromkeys((*own, *asked))
        ),
        count=request.count,
        instance_id=request.instance_id,
        instance=found.value,
        project=request.project,
        network=request.network,
        limits=limits.value,
        unseen=(*limits.unseen, *found.unseen, *default.unseen),
        visibility=provider.visibility,
        additional=asked if request.instance_id else (),
        is_default_applied=bool(default.value),
    )


def _with_own(
    provider: Provider, own: Sequence[str], groups: _Part[Group | None], counts: _Part[int]
) -> tuple[_Part[Group | None], _Part[int]]:
    """Return the parts with the groups that an instance carries and that were not asked for."""
    more = tuple(group_id for group_id in own if group_id not in groups.asked)
    if not more:
        return groups, counts
    more_groups, more_counts = _together(
        partial(_read, "groups", provider.read_groups, more),
        partial(_read, "instance counts", provider.count_instances, more),
    )
    return groups.and_also(more_groups), counts.and_also(more_counts)


def _default(provider: Provider, request: LaunchRequest) -> Seen[tuple[str, ...]]:
    """Return the group that the cloud takes where none is given; none where it cannot be told.

    Clouds that have such a group name it ``default``; which of several it is, its project tells.
    """

    def read() -> Seen[tuple[str, ...]]:
        named = provider.find_groups(_DEFAULT)
        seen: Seen[dict[str, Group | None]] = provider.read_groups(named) if named else Seen({})
        known = [one for one in seen.value.values() if one and one.is_default]
        mine = [one for one in known if not request.project or one.project == request.project]
        unread = tuple(one for one in seen.unseen if one.group_id not in seen.value)
        return Seen((mine[0].group_id,) if len(mine) == 1 else (), unread)

    nothing: tuple[str, ...] = ()
    if request.group_ids or request.instance_id:
        return Seen(nothing)
    return seen_or_unseen("which group the cloud takes where none is given", read, nothing)


def _crowded(
    request: LaunchRequest, counts: _Part[int], limits: Sequence[Limit]
) -> tuple[str, ...]:
    """Return the groups that would have more instances than one that is referenced may have.

    Only of these it matters whether rules of other groups name them.
    """
    ceilings = [one.ceiling for one in limits if one.name == "instances-per-referenced-group"]
    ceiling = min((one for one in ceilings if one is not None), default=None)
    if ceiling is None:
        return ()
    return tuple(one for one in counts.asked if counts.values.get(one, 0) + request.count > ceiling)


def _askable(provider: Provider, group_ids: Sequence[str]) -> tuple[str, ...]:
    return tuple(group_id for group_id in group_ids if provider.is_group_id(group_id))


def _read(
    what: str, read: Callable[[Sequence[str]], Seen[dict[str, T]]], group_ids: tuple[str, ...]
) -> _Part[T]:
    if not group_ids:
        return _Part(what)
    nothing: dict[str, T] = {}
    seen = seen_or_unseen(what, partial(read, group_ids), nothing)
    return _Part(what, seen.value, seen.unseen, group_ids)


def _read_rules(provider: Provider, group_id: str) -> Seen[tuple[Rule, ...] | None]:
    def read() -> Seen[tuple[Rule, ...] | None]:
        seen = provider.list_rules(group_id)
        return Seen(seen.value, seen.unseen)

    return seen_or_unseen("rules", read, None)


def _read_limits(provider: Provider, group_ids: tuple[str, ...]) -> Seen[tuple[Limit, ...]]:
    nothing: tuple[Limit, ...] = ()
    return seen_or_unseen("limits", partial(provider.read_limits, group_ids), nothing)


def _read_instance(provider: Provider, instance_id: str) -> Seen[Instance | None]:
    if not instance_id:
        return Seen(None)
    # None would mean that it does not exist, which is unknown when it could not be read.
    unknown: Instance | None = Instance(instance_id)
    return seen_or_unseen("instance", partial(provider.read_instance, instance_id), unknown)


def _groups_of(instance: Instance | None) -> tuple[str, ...]:
    if instance is None:
        return ()
    on_interfaces = (g for interface in instance.interfaces for g in interface.group_ids)
    return tuple(dict.fromkeys((*instance.group_ids, *on_interfaces)))


def _group(groups: _Part[Group | None], group_id: str) -> Group | None:
    """Return the group; one that was asked for and is not in the response is not missing."""
    if group_id in groups.asked and group_id not in groups.values:
        return Group(group_id)
    return groups.values.get(group_id)


def _unseen(group_id: str, *parts: _Part[Any]) -> tuple[Unseen, ...]:
    return tuple(unseen for part in parts for unseen in part.unseen_of(group_id))


@overload
def _together(a: Callable[[], A], b: Callable[[], B], /) -> tuple[A, B]: ...
@overload
def _together(a: Callable[[], A], b: Callable[[], B], c: Callable[[], C], /) -> tuple[A, B, C]: ...
@overload
def _together(
    a: Callable[[], A], b: Callable[[], B], c: Callable[[], C], d: Callable[[], D], /
) -> tuple[A, B, C, D]: ...
def _together(*calls: Callable[[], Any]) -> tuple[Any, ...]:
    """Run reads of different types side by side; the overloads keep each result's type."""
    return tuple(parallel(calls))
