"""Reading what a judgement needs: all parts side by side, and what could not be read, by name.

A group that a response leaves out never looks like a group that is not used: an id that is missing
from an answer becomes ``unseen``, and so does a part the credentials may not read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar, overload

from msgspec.structs import replace

from sgguard.errors import DeadlineError
from sgguard.facts.guarded import with_guard
from sgguard.facts.part import Part, gaps_of
from sgguard.facts.sharing import with_sharing
from sgguard.model.address import Address
from sgguard.model.codes import UnseenCode
from sgguard.model.facts import DeleteFacts, GroupFacts, LaunchFacts
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.model.resource import Group, Instance, Limit, Rule, Seen, Unseen
from sgguard.model.sentence import said
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.base import Provider
from sgguard.wire.parallel import ask

_DEFAULT = "default"

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

SLICE = 100
"""Groups read at once: what the widest of the clouds' calls takes."""


def gather_delete(provider: Provider, request: DeleteRequest) -> DeleteFacts:
    """Read groups, references and bindings of every target: in one wave, of a large set in slices.

    A slice that there is no time for leaves its groups unseen; the slices before it are read.

    Raises:
        CloudError: the cloud could not be asked at all.
        DeadlineError: the time was used up, and nothing was read.
    """
    slices = [
        request.targets[start : start + SLICE] for start in range(0, len(request.targets), SLICE)
    ]
    groups: list[GroupFacts] = []
    for number, targets in enumerate(slices):
        try:
            groups += _gather_slice(provider, targets)
        except DeadlineError:
            if not groups:
                raise
            groups += [_out_of_time(one) for late in slices[number:] for one in late]
            break
    references = {one.address.group_id: one.references for one in groups}
    return DeleteFacts(
        capabilities=with_guard(provider, references),
        groups=tuple(groups),
        visibility=provider.visibility,
    )


def _gather_slice(provider: Provider, targets: Sequence[Address]) -> list[GroupFacts]:
    ids = _askable(provider, [target.group_id for target in targets])
    groups, references, bindings = _together(
        partial(_read, "groups", provider.read_groups, ids),
        partial(_read, "references", provider.list_references, ids),
        partial(_read, "bindings", provider.list_bindings, ids),
    )
    gaps = gaps_of(groups, references, bindings)
    return [
        GroupFacts(
            address=target,
            group=_group(groups, target.group_id),
            references=references.values.get(target.group_id, ()),
            bindings=bindings.values.get(target.group_id, ()),
            unseen=gaps.get(target.group_id, ()),
            is_malformed=target.group_id not in ids,
        )
        for target in targets
    ]


def _out_of_time(target: Address) -> GroupFacts:
    gap = Unseen(
        code=UnseenCode.OUT_OF_TIME,
        what=said("part.anything"),
        why=said("why.out-of-time"),
        remedy=said("remedy.fewer"),
        group_id=target.group_id,
    )
    return GroupFacts(address=target, group=Group(target.group_id), unseen=(gap,))


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

    One wave; one before it for the group that the cloud takes where none is given; one after it for
    groups that only the instance names; one for references to groups so full that they matter.

    Raises:
        CloudError: the cloud could not be asked at all.
        DeadlineError: the time was used up.
    """
    default = _default(provider, request)
    asked = tuple(dict.fromkeys((*request.group_ids, *default.value)))
    ids = _askable(provider, asked)
    groups, counts, limits, found = _together(
        partial(_read, "groups", provider.read_groups, ids),
        partial(_read, "instance counts", provider.count_instances, ids),
        partial(_read_limits, provider, ids),
        partial(_read_instance, provider, request.instance_id),
    )
    own = _groups_of(found.value)
    groups, counts = _with_own(provider, own, groups, counts)
    groups = _shared(provider, request, found.value, groups)
    crowded = _crowded(request, counts, limits.value)
    references = _read("references", provider.list_references, crowded)
    gaps = gaps_of(groups, counts, references)
    return LaunchFacts(
        capabilities=provider.capabilities,
        scope=request.scope,
        groups=tuple(
            GroupFacts(
                address=Address(request.scope, group_id),
                group=_group(groups, group_id),
                references=references.values.get(group_id, ()),
                unseen=gaps.get(group_id, ()),
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


def _shared(
    provider: Provider,
    request: LaunchRequest,
    instance: Instance | None,
    groups: Part[Group | None],
) -> Part[Group | None]:
    """Return the groups with what is shared with the project of the instance or the request."""
    project = instance.project if instance else request.project
    return replace(groups, values=with_sharing(provider, project, groups.values))


def _with_own(
    provider: Provider, own: Sequence[str], groups: Part[Group | None], counts: Part[int]
) -> tuple[Part[Group | None], Part[int]]:
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


def _crowded(request: LaunchRequest, counts: Part[int], limits: Sequence[Limit]) -> tuple[str, ...]:
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
) -> Part[T]:
    if not group_ids:
        return Part(what)
    nothing: dict[str, T] = {}
    seen = seen_or_unseen(what, partial(read, group_ids), nothing)
    return Part(what, seen.value, seen.unseen, group_ids)


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


def _group(groups: Part[Group | None], group_id: str) -> Group | None:
    """Return the group; one that was asked for and is not in the response is not missing."""
    if group_id in groups.asked and group_id not in groups.values:
        return Group(group_id)
    return groups.values.get(group_id)


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
    return tuple(ask(calls))
