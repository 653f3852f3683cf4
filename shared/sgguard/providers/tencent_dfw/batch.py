"""Many instances, and many rules of one group, with few calls, in Tencent's API 2.0.

One call replaces the lists of several instances; what each carries is told one instance a call,
before it; after it the lists of the groups that they got and lost tell of all of them. Whether
further interfaces carry a group is asked once for each group.

A call for rules takes several positions of one direction with one version, so all its changes are
made or none. New rules of one call stand behind each other, before the rules at their positions. So
only rules that are to replace those are added together: once the old ones go, each has its place.
Sources: those of :mod:`sgguard.providers.tencent_dfw.holder` and ``rule_change``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from msgspec.structs import replace

from sgguard.errors import ConflictError, NotFoundError, SgguardError
from sgguard.model.change import Change, Holder, content
from sgguard.model.resource import Direction, Rule
from sgguard.model.sending import MaySend
from sgguard.model.subject import holder_of, rule_of
from sgguard.providers import _together as together
from sgguard.providers._shared import read_back
from sgguard.providers._tencent_positions import locate, position
from sgguard.providers._together import Result
from sgguard.providers.tencent_dfw import rule_change
from sgguard.providers.tencent_dfw.api import DfwApi
from sgguard.providers.tencent_dfw.bindings import interface_ids
from sgguard.providers.tencent_dfw.holder import (
    ACTION,
    problem_of,
    read_holder,
    set_groups,
    shared_conflict,
)
from sgguard.providers.tencent_dfw.moved import await_all
from sgguard.wire.parallel import parallel

INSTANCES_PER_CALL = 20
"""How many a call takes."""

Numbered = tuple[int, Change]
Results = dict[int, Result]


# -- instances -------------------------------------------------------------------------------


def set_groups_batch(api: DfwApi, changes: Sequence[Change], may_send: MaySend) -> list[Result]:
    """Make changes of kind ``set-groups``, of different holders; return the error of each."""
    results: Results = {}
    # 1. What each carries now; what cannot be changed has its result.
    now = parallel([partial(_read, api, holder_of(change)) for change in changes])
    for n, (change, groups) in enumerate(zip(changes, now, strict=True)):
        if isinstance(groups, SgguardError):
            results[n] = groups
        elif (problem := problem_of(api, change, groups)) or change.after == change.before:
            results[n] = problem
    # 2. A group that stays must not be on further interfaces: asked once for each group.
    left = [(n, change) for n, change in enumerate(changes) if n not in results]
    results |= _shared(api, left)
    left = [one for one in left if one[0] not in results]
    # 3. Some instances a call, and 4. all of them until they carry their groups.
    parts = [left[at : at + INSTANCES_PER_CALL] for at in range(0, len(left), INSTANCES_PER_CALL)]
    for part in parallel([partial(_change_many, api, some, may_send) for some in parts]):
        results |= part
    results |= await_all(api, [one for one in left if one[0] not in results])
    return [results[n] for n in range(len(changes))]


def _read(api: DfwApi, holder: Holder) -> tuple[str, ...] | SgguardError | None:
    try:
        return read_holder(api, holder)
    except SgguardError as error:
        return error


def _shared(api: DfwApi, some: Sequence[Numbered]) -> Results:
    """Return why a change is not sent: a group that stays may be that of a further interface."""
    kept = {n: [one for one in change.after if one in change.before] for n, change in some}
    asked = list(dict.fromkeys(one for groups in kept.values() for one in groups))
    try:
        read = parallel([partial(interface_ids, api, one) for one in asked])
    except SgguardError as error:
        return {n: error for n, groups in kept.items() if groups}
    shared = {one for one, (_, count) in zip(asked, read, strict=True) if count}
    return {
        n: shared_conflict(api, holder_of(change).holder_id, found)
        for n, change in some
        if (found := [one for one in kept[n] if one in shared])
    }


def _change_many(api: DfwApi, some: Sequence[Numbered], may_send: MaySend) -> Results:
    """Make changes with one call; return nothing of those that the cloud accepted."""
    if not may_send():
        return {n: together.late() for n, _ in some}
    rows = [
        {"instanceId": holder_of(change).holder_id, "sgIds": list(change.after)}
        for _, change in some
    ]
    try:
        api.write(ACTION, instanceSet=rows)
    except SgguardError as error:
        if not together.is_of_one(error):
            return {n: error for n, _ in some}
        # It is not told which one was meant: each by itself, unless it was made after all.
        alone = [partial(_change_unless_made, api, change) for _, change in some]
        ended = parallel([partial(together.attempted, one, may_send) for one in alone])
        return {n: how for (n, _), how in zip(some, ended, strict=True)}
    return {}


def _change_unless_made(api: DfwApi, change: Change) -> None:
    holder = holder_of(change)
    what = f"a change of {holder.holder_id}"
    if read_back(partial(read_holder, api, holder), what) != change.after:
        set_groups(api, holder, change.before, change.after)


# -- rules -----------------------------------------------------------------------------------


def change_rules(
    api: DfwApi, group_id: str, changes: Sequence[Change], may_send: MaySend
) -> list[Result]:
    """Add rules to a group, or remove rules of it, with few calls; return the error of each."""
    numbered = list(enumerate(changes))
    results: Results = {}
    parts = list(_added(numbered) if changes[0].kind == "add-rule" else _removed(numbered))
    while parts:
        part = parts.pop(0)
        try:
            made = _make(api, group_id, part, may_send)
        except _ApartError:
            parts[:0] = _singly(part)
            continue
        except SgguardError as error:
            if len(part) > 1 and together.is_of_one(error) and not isinstance(error, ConflictError):
                parts[:0] = _singly(part)  # which of them it was is not told
                continue
            made = {n: error for n, _ in part}
        results |= made
        if any(made.values()):
            break
    return [results[n] if n in results else together.held() for n in range(len(changes))]


def _singly(part: Sequence[Numbered]) -> list[list[Numbered]]:
    """Return the changes of a part by themselves, in the order in which they were given."""
    return [[one] for one in sorted(part, key=lambda one: one[0])]


def _make(api: DfwApi, group_id: str, part: Sequence[Numbered], may_send: MaySend) -> Results:
    if not may_send():
        return {n: together.late() for n, _ in part}
    is_adding = part[0][1].kind == "add-rule"
    rules = [rule_of(change) for _, change in part]
    if len(part) == 1:
        make = rule_change.add_rule if is_adding else rule_change.remove_rule
        make(api, group_id, rules[0])
        return {part[0][0]: None}
    if is_adding:
        found = rule_change.read(api, group_id)
        if all(_replaces(found.rules, rule) for rule in rules):
            rule_change.add_rules(api, group_id, rules, found)
            return {n: None for n, _ in part}
        raise _ApartError
    return _remove(api, group_id, part)


class _ApartError(Exception):
    """Rules were to be added behind each other that must be added one by one; none was."""


def _remove(api: DfwApi, group_id: str, part: Sequence[Numbered]) -> Results:
    found = rule_change.read(api, group_id)
    results: Results = {}
    places: dict[int, int] = {}
    for n, change in part:
        rule = rule_of(change)
        taken = {f"{rule.direction}[{place}]" for place in places.values()}
        left = [
            one
            for one in found.rules
            if one.direction == rule.direction and one.rule_id not in taken
        ]
        place = locate(left, rule)
        if place is None:
            results[n] = NotFoundError(
                api.wire.provider,
                rule_change.REMOVE,
                detail=f"{group_id} has no such rule as {rule.rule_id}",
            )
        else:
            places[n] = place
    # All or none: where new rules stand before old ones, an old one that stays among them would
    # have others put back on its wrong side.
    if results:
        return results | {n: together.held() for n in places}
    rules = [rule_of(change) for _, change in part]
    rule_change.remove_at(api, group_id, found, rules, sorted(places.values()))
    return dict.fromkeys(places)


def _replaces(rules: Sequence[Rule], new: Rule) -> bool:
    """Return whether the rule at the new one's position differs from it only in what it names."""
    old = next((one for one in rules if one.rule_id == new.rule_id), None)
    alike = [replace(content(one), peer_group="", description="") for one in (old or new, new)]
    return old is not None and alike[0] == alike[1]


def _removed(changes: Sequence[Numbered]) -> Iterator[list[Numbered]]:
    """Yield the removals of each direction."""
    for direction in Direction:
        part = [one for one in changes if rule_of(one[1]).direction == direction]
        if part:
            yield part


def _added(changes: Sequence[Numbered]) -> Iterator[list[Numbered]]:
    """Yield the additions that stand behind each other, the first of them first.

    They are given from the last position to the first, or without positions.
    """
    part: list[Numbered] = []
    for one in changes:
        if part and not _is_before(rule_of(one[1]), rule_of(part[0][1])):
            yield part
            part = []
        part.insert(0, one)
    if part:
        yield part


def _is_before(one: Rule, other: Rule) -> bool:
    here, there = position(one), position(other)
    is_next = here is not None and there is not None and here + 1 == there
    return one.direction == other.direction and is_next
