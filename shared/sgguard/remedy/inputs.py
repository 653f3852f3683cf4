"""Reading what a plan needs beyond the facts of the verdict, side by side.

A plan is made again once its keys are locked. Where a cloud tells the groups of one holder a call,
what each carried a moment ago is taken again, if lists that are read now show it with every group
of then. They do not show a further group or another order: those are found right before the change,
when each holder is read and one that differs is not changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from sgguard.errors import NotFoundError
from sgguard.model.change import Holder, holder_of
from sgguard.model.decision import Step
from sgguard.model.facts import DeleteFacts, LaunchFacts
from sgguard.model.resource import Group, Limit
from sgguard.policy.limit import PER_REFERENCED
from sgguard.providers import HolderLists
from sgguard.providers.base import Cloud
from sgguard.remedy.plan import PlanInputs
from sgguard.remedy.snapshot import HolderGroups
from sgguard.remedy.world import read_holders, rules_of
from sgguard.wire.parallel import parallel

_T = TypeVar("_T")

Carried = Sequence[HolderGroups]

_RULE_ACTIONS = frozenset({"revoke", "rewrite", "delete"})
_RESTORABLE_ACTIONS = frozenset({"revoke", "rewrite"})
_HOLDER_ACTIONS = frozenset({"unbind", "move", "bind", "replace"})


def read_inputs(
    cloud: Cloud,
    facts: DeleteFacts | LaunchFacts,
    outline: Sequence[Step],
    extra: Iterable[str],
    earlier: Carried = (),
) -> PlanInputs:
    """Read each group to be deleted, the rules of groups whose rules change, and every holder.

    ``extra`` are ids of further groups that must exist: a replacement, a fallback. ``earlier`` is
    what holders carried when the same plan was made before.

    Raises:
        UnknownShapeError: a part could not be read completely.
        CloudError, DeadlineError: the cloud could not be asked.
    """
    ruled = _unique(_group_id_of(step) for step in outline if step.action in _RULE_ACTIONS)
    changed = [_holder_of(step) for step in outline if step.action in _HOLDER_ACTIONS]
    held = _unique([*changed, *_force_released(facts, outline)])
    wanted = _unique(extra)
    known = _known(cloud, facts, held, {one.holder: one.group_ids for one in earlier})
    asked = [holder for holder in held if holder not in known]
    gaining = _unique(_gained(outline))
    needs_limits = bool(gaining) or any(
        step.action in _RESTORABLE_ACTIONS or "to_group" in step.details for step in outline
    )
    going = _going(facts, outline)
    both = [(one, going.get(one)) for one in ruled]
    read = _read(cloud, both, asked, wanted, gaining, needs_limits=needs_limits)
    whole, limits = read.whole, tuple(read.limits)
    crowded = _crowded(read, len(held))
    return PlanInputs(
        rules={one.group_id: one.rules or () for one in whole},
        going={one.group_id: one for one in whole if one.group_id in going},
        holders=known
        | {one: has for one, has in zip(asked, read.holders, strict=True) if has is not None},
        groups=read.groups,
        rules_ceiling=_ceiling(limits, "rules-per-group"),
        is_per_direction=cloud.capabilities.rule_limit_per == "direction",
        groups_ceiling=_ceiling(limits, f"groups-per-{cloud.capabilities.group_limit_per}"),
        replaces_groups=cloud.capabilities.replaces_groups,
        adds_together=cloud.capabilities.rules_together == "alike",
        rules_left=_left(limits, "rules-per-project"),
        limits=limits,
        counts=read.counts,
        referenced=_referenced(cloud, crowded) if crowded else frozenset(),
    )


class _Read(msgspec.Struct):
    """What one wave of reads brought."""

    whole: list[Group] = msgspec.field(default_factory=list)
    holders: list[tuple[str, ...] | None] = msgspec.field(default_factory=list)
    groups: dict[str, Group | None] = msgspec.field(default_factory=dict)
    limits: list[Limit] = msgspec.field(default_factory=list)
    counts: dict[str, int] = msgspec.field(default_factory=dict)


def _read(
    cloud: Cloud,
    ruled: Sequence[tuple[str, Group | None]],
    held: Sequence[Holder],
    wanted: Sequence[str],
    gaining: Sequence[str],
    *,
    needs_limits: bool,
) -> _Read:
    read = _Read()
    parallel(
        [
            lambda: read.whole.extend(parallel([partial(_whole, cloud, *one) for one in ruled])),
            lambda: read.holders.extend(read_holders(cloud, held)),
            lambda: read.groups.update(cloud.read_groups(wanted).value if wanted else {}),
            lambda: read.limits.extend(cloud.read_limits().value if needs_limits else ()),
            lambda: read.counts.update(cloud.count_instances(gaining).value if gaining else {}),
        ]
    )
    return read


def _gained(outline: Sequence[Step]) -> Iterator[str]:
    """Yield the groups that holders get, which then carry one more of them."""
    for step in outline:
        if step.action in ("bind", "replace"):
            yield _group_id_of(step)
        elif step.action == "move":
            yield step.details["to_group"]


def _crowded(read: _Read, more: int) -> tuple[str, ...]:
    """Return the groups of which it matters whether rules of others name them."""
    ceilings = [one.ceiling for one in read.limits if one.name == PER_REFERENCED]
    ceiling = min((one for one in ceilings if one is not None), default=None)
    if ceiling is None:
        return ()
    return tuple(one for one, used in read.counts.items() if used + more > ceiling)


def _referenced(cloud: Cloud, group_ids: Sequence[str]) -> frozenset[str]:
    """Return those of the groups that rules of others name; what is not told counts as named."""
    seen = cloud.list_references(group_ids)
    gaps = {one.group_id for one in seen.unseen}
    return frozenset(
        one for one in group_ids if seen.value.get(one) != () or one in gaps or "" in gaps
    )


def _going(facts: DeleteFacts | LaunchFacts, outline: Sequence[Step]) -> dict[str, Group]:
    """Return the groups that are to be deleted, as the facts have them."""
    deleted = {step.target for step in outline if step.action == "delete"}
    return {
        one.address.group_id: one.group
        for one in facts.groups
        if one.group is not None and str(one.address) in deleted
    }


def _whole(cloud: Cloud, group_id: str, going: Group | None) -> Group:
    """Return a group with its rules; one to be deleted with all that creates it again."""
    try:
        if going is not None:
            return cloud.define_group(going)
        return Group(group_id, rules=rules_of(cloud, group_id))
    except NotFoundError:
        return replace(going or Group(group_id), rules=())


def _known_holders(
    facts: DeleteFacts | LaunchFacts, held: Sequence[Holder]
) -> dict[Holder, tuple[str, ...]]:
    """Return the groups of those holders that the facts hold already, in no particular order."""
    known: dict[Holder, tuple[str, ...]] = {}
    for group in facts.groups:
        for one in group.bindings:
            holder = Holder(one.kind, one.holder_id, one.instance_id)
            if holder in held and one.other_group_ids is not None:
                known[holder] = (group.address.group_id, *one.other_group_ids)
    return known


def _known(
    cloud: Cloud,
    facts: DeleteFacts | LaunchFacts,
    held: Sequence[Holder],
    earlier: Mapping[Holder, tuple[str, ...]],
) -> dict[Holder, tuple[str, ...]]:
    """Return the groups of those holders that need not be read: of them it is known already."""
    now = _known_holders(facts, held)
    if not cloud.capabilities.orders_groups:
        return now
    if not isinstance(cloud, HolderLists):
        return {}
    # 1. What holders carried earlier. Where the facts tell their groups, in no particular order,
    #    they are the same.
    some = {
        one: earlier[one]
        for one in held
        if one in earlier and (one not in now or set(now[one]) == set(earlier[one]))
    }
    # 2. Lists show it with all of them.
    told = {
        one.address.group_id: frozenset(binding.holder_id for binding in one.bindings)
        for one in facts.groups
    }
    still = cloud.still_carrying(some, told) if some else frozenset()
    return {one: groups for one, groups in some.items() if one in still}


def _force_released(facts: DeleteFacts | LaunchFacts, outline: Sequence[Step]) -> Iterator[Holder]:
    """Yield the holders that the cloud itself releases from a group that it deletes by force."""
    forced = {step.target for step in outline if step.details.get("is_forced") == "true"}
    for group in facts.groups:
        if str(group.address) in forced:
            yield from (holder_of(one) for one in group.bindings if one.holder_id)


def _group_id_of(step: Step) -> str:
    return step.target.rsplit(":", 1)[-1]


def _holder_of(step: Step) -> Holder:
    details = step.details
    return Holder(details["kind"], details["holder_id"], details.get("instance_id", ""))


def _unique(things: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(things))


def _ceiling(limits: Sequence[Limit], name: str) -> int | None:
    found = [limit.ceiling for limit in limits if limit.name == name and limit.is_enforced]
    ceilings = [one for one in found if one is not None]
    return min(ceilings, default=None)


def _left(limits: Sequence[Limit], name: str) -> int | None:
    """Return how much is left of a limit whose use the cloud reports."""
    left = [
        limit.ceiling - limit.used
        for limit in limits
        if limit.name == name and limit.ceiling is not None and limit.used is not None
    ]
    return min(left, default=None)
