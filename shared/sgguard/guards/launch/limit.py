"""Which ceilings a launch would break or come near: counted after the change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from sgguard.model.codes import ReasonCode, UnseenCode
from sgguard.model.decision import Reason
from sgguard.model.facts import GroupFacts, LaunchFacts
from sgguard.model.resource import Instance, Limit, Unseen
from sgguard.policy.limit import effective
from sgguard.render.wording import MESSAGE_MAX, count, label, one_line, percent

_PER_HOLDER = ("groups-per-instance", "groups-per-interface")
_PER_REFERENCED = "instances-per-referenced-group"
_PER_GROUP = ("instances-per-group", "interfaces-per-group", _PER_REFERENCED)
_PER_PROJECT = "ports-per-project"
_PER_RULE = "composite-rules-per-group"


@dataclass(frozen=True, slots=True)
class LaunchChange:
    """What would be bound: ``current`` are the groups the instance has anywhere already."""

    facts: LaunchFacts
    current: frozenset[str]
    added: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """One ceiling compared: ``limit.used`` is the number now, ``limit.after`` after the change."""

    limit: Limit
    subject: str
    message: str
    target: str

    @property
    def is_exceeded(self) -> bool:
        """Return whether the number is over the ceiling."""
        ceiling, after = self.limit.ceiling, self.limit.after
        return ceiling is not None and after is not None and after > ceiling

    def is_near(self, percent: int) -> bool:
        """Return whether the number has reached the percentage of a ceiling that is enforced."""
        ceiling, after = self.limit.ceiling, self.limit.after
        if ceiling is None or after is None or not self.limit.is_enforced:
            return False
        return after * 100 >= percent * ceiling


def change_of(facts: LaunchFacts, more: Iterable[str] = ()) -> LaunchChange:
    """Return what would be bound; ``more`` are groups a remedy would bind as well."""
    current = frozenset(_current_groups(facts.instance)) if facts.instance else frozenset()
    planned = [one.address.group_id for one in facts.groups if one.address.group_id not in current]
    asked = [one for one in facts.additional if _is_new(one, facts)]
    added = tuple(dict.fromkeys((*planned, *asked, *more)))
    return LaunchChange(facts, current, added)


def _is_new(group_id: str, facts: LaunchFacts) -> bool:
    """Return whether binding the group would change the instance or one of its interfaces."""
    instance = facts.instance
    if instance is None:
        return True
    if facts.capabilities.group_limit_per == "interface" and instance.interfaces:
        return any(group_id not in one.group_ids for one in instance.interfaces)
    return group_id not in instance.group_ids


def _current_groups(instance: Instance) -> Iterator[str]:
    yield from instance.group_ids
    for interface in instance.interfaces:
        yield from interface.group_ids


def usages(change: LaunchChange, overrides: Mapping[str, int]) -> tuple[Usage, ...]:
    """Return every ceiling that concerns the change, with the number after it."""
    return (
        *_per_holder(change, overrides),
        *_per_group(change, overrides),
        *_per_project(change, overrides),
    )


def _per_holder(change: LaunchChange, overrides: Mapping[str, int]) -> Iterator[Usage]:
    kinds = {one.group.kind for one in change.facts.groups if one.group}
    for name in _PER_HOLDER:
        limit = effective(change.facts.limits, overrides, name, kinds)
        if limit is None or limit.ceiling is None:
            continue
        fullest = max(holders(change, name), key=lambda one: (len(one.after), one.shown))
        after = len(fullest.after)
        unit = name.removeprefix("groups-per-")
        message = f"{fullest.shown} would carry {count(after, 'group')}"
        target = change.facts.instance_id or str(change.facts.scope)
        compared = replace(limit, used=len(fullest.now), after=after)
        yield Usage(compared, f"{_of(limit, after)} groups per {unit}", message, target)


@dataclass(frozen=True, slots=True)
class Holder:
    """An instance or interface, with the groups it carries now and after the change."""

    shown: str
    now: frozenset[str]
    after: frozenset[str]


def holders(change: LaunchChange, name: str) -> list[Holder]:
    """Return who would carry which groups: the planned or present instance, or its interfaces."""
    instance, added = change.facts.instance, frozenset(change.added)
    if instance is None:
        planned = "Each instance" if change.facts.count > 1 else "The instance"
        return [Holder(planned, frozenset(), added)]
    shown, own = label(instance.instance_id, instance.name), frozenset(instance.group_ids)
    is_per_interface = change.facts.capabilities.group_limit_per == "interface"
    if name == "groups-per-instance":
        own = change.current if is_per_interface else own
        return [Holder(shown, own, own | added)]
    # Where groups hang on the instance, only its primary interface gets the additional ones.
    interfaces = [
        Holder(
            one_line(f"{one.interface_id} of {shown}", 80),
            frozenset(one.group_ids),
            frozenset(one.group_ids)
            | (added if is_per_interface or one.is_primary else frozenset()),
        )
        for one in instance.interfaces
    ]
    return interfaces or [Holder(shown, own, own | added)]


def _per_group(change: LaunchChange, overrides: Mapping[str, int]) -> Iterator[Usage]:
    for name in _PER_GROUP:
        unit = name.partition("s-per-")[0]
        for one in sorted(change.facts.groups, key=lambda one: one.address):
            if one.group is None or one.instance_count is None or not _holds_for(name, one):
                continue
            limit = effective(change.facts.limits, overrides, name, (one.group.kind,))
            if limit is None or limit.ceiling is None:
                continue
            now, more = one.instance_count, _added_count(change, one, name)
            after = now + more
            shown = label(one.address.group_id, one.group.name)
            message = f"{shown} would be on {count(after, unit)} ({now} now, {more} more)"
            subject = f"{shown} on {_of(limit, after)} {unit}s"
            yield Usage(replace(limit, used=now, after=after), subject, message, str(one.address))


def _holds_for(name: str, group: GroupFacts) -> bool:
    """Return whether a ceiling is one of this group: of two only what names it tells which.

    A group that was not read wholly may be referenced.
    """
    return name != _PER_REFERENCED or bool(group.references or group.unseen)


def _per_project(change: LaunchChange, overrides: Mapping[str, int]) -> Iterator[Usage]:
    """Compare the ports of the project: a planned instance makes one, a present one has its own."""
    facts = change.facts
    limit = effective(facts.limits, overrides, _PER_PROJECT)
    used = next((one.used for one in facts.limits if one.name == _PER_PROJECT), None)
    if facts.instance_id or limit is None or limit.ceiling is None or used is None:
        return
    after = used + facts.count
    message = f"The project would have {count(after, 'port')} ({used} now, {facts.count} more)"
    compared = replace(limit, used=used, after=after)
    yield Usage(compared, f"{_of(limit, after)} ports of the project", message, str(facts.scope))


def _of(limit: Limit, used: int) -> str:
    return f"{used} of {limit.ceiling}"


def _added_count(change: LaunchChange, group: GroupFacts, name: str) -> int:
    """Return how many of what the limit counts the change adds to the group.

    A new instance has one interface. Of a present one binding reaches every interface where the
    cloud binds interfaces, else the primary one; those that carry the group already add nothing.
    """
    facts, group_id = change.facts, group.address.group_id
    if not facts.instance_id:
        return facts.count
    is_per_interface = facts.capabilities.group_limit_per == "interface"
    if name == "interfaces-per-group" and facts.instance and facts.instance.interfaces:
        reached = [one for one in facts.instance.interfaces if is_per_interface or one.is_primary]
        fresh = [one for one in reached if group_id not in one.group_ids]
        return len(fresh) if group_id in change.added else 0
    if is_per_interface:
        return 0 if group_id in change.current else 1
    # The instance becomes a holder of its own, also where a secondary interface is one already.
    own = facts.instance.group_ids if facts.instance else ()
    return 1 if group_id in change.added and group_id not in own else 0


def uncounted(
    change: LaunchChange, overrides: Mapping[str, int]
) -> Iterator[tuple[GroupFacts, Unseen]]:
    """Return the groups that have an enforced ceiling, and whose use of it is not reported."""
    for one in sorted(change.facts.groups, key=lambda one: one.address):
        is_reported = one.instance_count is not None or one.unseen
        if (
            one.group is None
            or is_reported
            or not any(_added_count(change, one, n) for n in _PER_GROUP)
        ):
            continue
        kinds = (one.group.kind,)
        limits = [effective(change.facts.limits, overrides, name, kinds) for name in _PER_GROUP]
        if any(each and each.is_enforced and each.ceiling is not None for each in limits):
            group_id = one.address.group_id
            yield (
                one,
                Unseen(
                    code=UnseenCode.NOT_TOLD,
                    what="how many instances carry it",
                    why="the cloud named a limit but not how much of it is used",
                    remedy="let these credentials list the group's instances",
                    group_id=group_id,
                ),
            )


def exceeded(usage: Usage) -> Reason:
    """A ceiling would break; where it is only the vendor's advice, it warns."""
    code, per = _whose(usage.limit.name)
    limit = f"the limit of {usage.limit.ceiling} for {per} ({usage.limit.source})"
    advice = "" if usage.limit.is_enforced else "; the cloud advises it, but does not enforce it"
    message = one_line(f"{usage.message}, over {limit}{advice}.", MESSAGE_MAX)
    effect: Literal["block", "warn"] = "block" if usage.limit.is_enforced else "warn"
    return Reason(code, message, effect, usage.target, (usage.limit,))


def _whose(name: str) -> tuple[ReasonCode, str]:
    """Return the reason code of a ceiling that would break, and whose ceiling it is."""
    if name == _PER_PROJECT:
        return ReasonCode.PROJECT_LIMIT_EXCEEDED, "the project"
    if name == _PER_REFERENCED:
        whose = "a group that rules of others name"
        return ReasonCode.INSTANCES_PER_GROUP_EXCEEDED, whose
    if name in _PER_GROUP:
        return ReasonCode.INSTANCES_PER_GROUP_EXCEEDED, "a group"
    unit = "instance" if name.endswith("per-instance") else "interface"
    return ReasonCode.GROUPS_PER_INSTANCE_EXCEEDED, f"an {unit}"


def near(usage: Usage) -> Reason:
    """A ceiling holds, but most of it is used after the change."""
    full, source = percent(usage.limit), usage.limit.source
    share = "" if full is None else f", {full:g} %"
    message = f"{usage.message}: {usage.limit.after} of {usage.limit.ceiling}{share} ({source})."
    return Reason(
        ReasonCode.LIMIT_NEAR, one_line(message, MESSAGE_MAX), "warn", usage.target, (usage.limit,)
    )


def without_effect(facts: LaunchFacts, target: str) -> Iterator[Reason]:
    """Yield a warning for a group with rules the cloud accepted and does not apply.

    Nothing about the launch breaks that ceiling: it is over already, and what is launched would
    lack protection that its groups seem to give.
    """
    for limit in facts.limits:
        if limit.name != _PER_RULE or limit.ceiling is None or limit.used is None:
            continue
        if limit.used > limit.ceiling:
            message = f"{limit.used} composite rules of {limit.ceiling} ({limit.note})."
            message = one_line(message, MESSAGE_MAX)
            yield Reason(ReasonCode.RULES_WITHOUT_EFFECT, message, "warn", target, (limit,))
