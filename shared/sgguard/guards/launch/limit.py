"""Which ceilings a launch would break or come near: counted after the change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec
from msgspec.structs import replace

from sgguard.model.codes import ReasonCode, UnseenCode
from sgguard.model.decision import Reason
from sgguard.model.facts import GroupFacts, LaunchFacts
from sgguard.model.resource import Instance, Limit, Unseen
from sgguard.model.sentence import Sentence, counted, said, thing
from sgguard.policy.limit import PER_GROUP, PER_HOLDER, PER_REFERENCED, effective
from sgguard.render.wording import percent

_PER_PROJECT = "ports-per-project"
_PER_RULE = "composite-rules-per-group"


class LaunchChange(msgspec.Struct, frozen=True):
    """What would be bound: ``current`` are the groups the instance has anywhere already."""

    facts: LaunchFacts
    current: frozenset[str]
    added: tuple[str, ...]


class Usage(msgspec.Struct, frozen=True):
    """One ceiling compared: ``limit.used`` is the number now, ``limit.after`` after the change.

    ``held`` says the number and its ceiling, ``change`` what the change would make of it.
    """

    limit: Limit
    held: Sentence
    change: Sentence
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
    for name in PER_HOLDER:
        limit = effective(change.facts.limits, overrides, name, kinds)
        if limit is None or limit.ceiling is None:
            continue
        fullest = max(holders(change, name), key=lambda one: (len(one.after), repr(one.shown)))
        after = len(fullest.after)
        unit = name.removeprefix("groups-per-")
        change_said = said("limit.would-carry", holder=fullest.shown, n=after)
        held = said("limit.of-holder", after=after, ceiling=limit.ceiling, unit=unit)
        target = change.facts.instance_id or str(change.facts.scope)
        compared = replace(limit, used=len(fullest.now), after=after)
        yield Usage(compared, held, change_said, target)


class Holder(msgspec.Struct, frozen=True):
    """An instance or interface, with the groups it carries now and after the change."""

    shown: Sentence
    now: frozenset[str]
    after: frozenset[str]


def holders(change: LaunchChange, name: str) -> list[Holder]:
    """Return who would carry which groups: the planned or present instance, or its interfaces."""
    instance, added = change.facts.instance, frozenset(change.added)
    if instance is None:
        is_one = change.facts.count == 1
        planned = said("holder.planned") if is_one else said("holder.each-planned")
        return [Holder(planned, frozenset(), added)]
    shown, own = thing(instance.instance_id, instance.name), frozenset(instance.group_ids)
    is_per_interface = change.facts.capabilities.group_limit_per == "interface"
    if name == "groups-per-instance":
        own = change.current if is_per_interface else own
        return [Holder(shown, own, own | added)]
    # Where groups hang on the instance, only its primary interface gets the additional ones.
    interfaces = [
        Holder(
            said("holder.interface", interface=one.interface_id, instance=shown),
            frozenset(one.group_ids),
            frozenset(one.group_ids)
            | (added if is_per_interface or one.is_primary else frozenset()),
        )
        for one in instance.interfaces
    ]
    return interfaces or [Holder(shown, own, own | added)]


def _per_group(change: LaunchChange, overrides: Mapping[str, int]) -> Iterator[Usage]:
    for name in PER_GROUP:
        unit = name.partition("s-per-")[0]
        for one in sorted(change.facts.groups, key=lambda one: one.address):
            if one.group is None or one.instance_count is None or not _holds_for(name, one):
                continue
            limit = effective(change.facts.limits, overrides, name, (one.group.kind,))
            if limit is None or limit.ceiling is None:
                continue
            now, more = one.instance_count, _added_count(change, one, name)
            after = now + more
            shown, count = thing(one.address.group_id, one.group.name), counted(after, unit)
            on = said("limit.would-be-on", group=shown, count=count, now=now, more=more)
            ceiling, target = limit.ceiling, str(one.address)
            held = said("limit.of-group", group=shown, unit=unit, after=after, ceiling=ceiling)
            yield Usage(replace(limit, used=now, after=after), held, on, target)


def _holds_for(name: str, group: GroupFacts) -> bool:
    """Return whether a ceiling is one of this group: of two only what names it tells which.

    A group that was not read wholly may be referenced.
    """
    return name != PER_REFERENCED or bool(group.references or group.unseen)


def _per_project(change: LaunchChange, overrides: Mapping[str, int]) -> Iterator[Usage]:
    """Compare the ports of the project: a planned instance makes one, a present one has its own."""
    facts = change.facts
    limit = effective(facts.limits, overrides, _PER_PROJECT)
    used = next((one.used for one in facts.limits if one.name == _PER_PROJECT), None)
    if facts.instance_id or limit is None or limit.ceiling is None or used is None:
        return
    after = used + facts.count
    would = said("limit.would-have", n=after, now=used, more=facts.count)
    held = said("limit.of-project", after=after, ceiling=limit.ceiling)
    compared = replace(limit, used=used, after=after)
    yield Usage(compared, held, would, str(facts.scope))


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
            or not any(_added_count(change, one, n) for n in PER_GROUP)
        ):
            continue
        kinds = (one.group.kind,)
        limits = [effective(change.facts.limits, overrides, name, kinds) for name in PER_GROUP]
        if any(each and each.is_enforced and each.ceiling is not None for each in limits):
            group_id = one.address.group_id
            yield (
                one,
                Unseen(
                    code=UnseenCode.NOT_TOLD,
                    what=said("part.instances-count"),
                    why=said("why.usage-untold"),
                    remedy=said("remedy.list-instances"),
                    group_id=group_id,
                ),
            )


def exceeded(usage: Usage) -> Reason:
    """A ceiling would break; where it is only the vendor's advice, it warns."""
    code, per = _whose(usage.limit.name)
    sentence = said(
        "limit.exceeded",
        change=usage.change,
        ceiling=usage.limit.ceiling or 0,
        per=per,
        source=usage.limit.source,
        advice="" if usage.limit.is_enforced else said("limit.advice"),
    )
    effect: Literal["block", "warn"] = "block" if usage.limit.is_enforced else "warn"
    return Reason(code, sentence, effect, usage.target, (usage.limit,))


def _whose(name: str) -> tuple[ReasonCode, Sentence]:
    """Return the reason code of a ceiling that would break, and whose ceiling it is."""
    if name == _PER_PROJECT:
        return ReasonCode.PROJECT_LIMIT_EXCEEDED, said("per.project")
    if name == PER_REFERENCED:
        return ReasonCode.INSTANCES_PER_GROUP_EXCEEDED, said("per.referenced-group")
    if name in PER_GROUP:
        return ReasonCode.INSTANCES_PER_GROUP_EXCEEDED, said("per.group")
    is_instance = name.endswith("per-instance")
    per = said("per.instance") if is_instance else said("per.interface")
    return ReasonCode.GROUPS_PER_INSTANCE_EXCEEDED, per


def near(usage: Usage) -> Reason:
    """A ceiling holds, but most of it is used after the change."""
    full = percent(usage.limit)
    sentence = said(
        "limit.near",
        change=usage.change,
        after=usage.limit.after or 0,
        ceiling=usage.limit.ceiling or 0,
        share="" if full is None else said("limit.share", percent=f"{full:g}"),
        source=usage.limit.source,
    )
    return Reason(ReasonCode.LIMIT_NEAR, sentence, "warn", usage.target, (usage.limit,))


def without_effect(facts: LaunchFacts, target: str) -> Iterator[Reason]:
    """Yield a warning for a group with rules the cloud accepted and does not apply.

    Nothing about the launch breaks that ceiling: it is over already, and what is launched would
    lack protection that its groups seem to give.
    """
    for limit in facts.limits:
        if limit.name != _PER_RULE or limit.ceiling is None or limit.used is None:
            continue
        if limit.used > limit.ceiling:
            sentence = said(
                "limit.without-effect", used=limit.used, ceiling=limit.ceiling, note=limit.note
            )
            yield Reason(ReasonCode.RULES_WITHOUT_EFFECT, sentence, "warn", target, (limit,))


def fullness(usage: Usage) -> tuple[float, bool, str, str]:
    """Rank by how full a limit is after the change, the fullest first."""
    after, ceiling, name = usage.limit.after or 0, usage.limit.ceiling or 1, usage.limit.name
    return -after / ceiling, name in PER_GROUP, usage.target, name
