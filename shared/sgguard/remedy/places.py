"""Where a rule belongs in its group again, where the ids of rules are positions.

Each decision wrote down positions as they were before it. Another one that removed a rule before
it has moved them, and so has a restore in between. So the past of a group is played once more, on
a row of slots: a rule that is removed leaves its slot empty, and a rule that is restored fills it.
A rule then belongs before as many rules as there are full slots before its own.

What other people changed meanwhile is not known here; the cloud's own check of a position that
does not exist remains.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from sgguard.model.change import content
from sgguard.model.resource import Rule
from sgguard.remedy.plan import Plan, position_of
from sgguard.remedy.snapshot import ReferringRule, Snapshot

_Key = tuple[str, Rule]


class Past(msgspec.Struct, frozen=True):
    """What one run did to rules of groups that stayed: it removed some, then it restored some.

    ``removed`` are at the positions before the run; the second is the rule that took its place.
    """

    removed: tuple[tuple[ReferringRule, ReferringRule | None], ...] = ()
    restored: tuple[ReferringRule, ...] = ()


def past_of_decision(snapshot: Snapshot) -> Past:
    """Return what a decision did, by the snapshot that was taken before it."""
    going = {group.group_id for group in snapshot.groups}
    left = list(snapshot.added)
    removed: list[tuple[ReferringRule, ReferringRule | None]] = []
    for one in snapshot.referrers:
        if one.group_id in going:
            continue
        new = next((each for each in left if _is_in_place(each, one)), None)
        if new is not None:
            left.remove(new)
        removed.append((one, new))
    return Past(tuple(removed))


def past_of_restore(plan: Plan, snapshot: Snapshot) -> Past:
    """Return what a restore did; own rules of a group that it left out are missing from then on."""
    changes = [one.change for one in plan.planned]
    made = {one.group_id for one in changes if one.kind == "create-group"}
    waiting = [
        ReferringRule(one.group_id, one.rule)
        for one in snapshot.waiting
        if one.kind == "add-rule" and one.group_id in made and one.rule is not None
    ]
    restored = [
        ReferringRule(one.group_id, one.rule)
        for one in changes
        if one.kind == "add-rule" and one.rule is not None
    ]
    return Past(tuple((one, None) for one in waiting), tuple(restored))


class _Row(msgspec.Struct):
    """The slots of one direction of a group, full or not; and which slot a rule has."""

    is_full: list[bool] = msgspec.field(default_factory=list)
    slots: dict[_Key, int] = msgspec.field(default_factory=dict)

    def slot(self, position: int) -> int:
        """Return the slot of the rule at a position."""
        while sum(self.is_full) <= position:
            self.is_full.append(True)
        return [slot for slot, is_full in enumerate(self.is_full) if is_full][position]


class Places:
    """The positions of rules, as the past of their groups has left them.

    ``made`` are the new ids of groups by their old ones: a group is the same under both.
    """

    def __init__(self, past: Iterable[Past], made: Mapping[str, str]) -> None:
        self._old = {new: old for old, new in made.items()}
        self._rows: dict[tuple[str, str], _Row] = {}
        for one in past:
            self.remove(one.removed)
            for each in one.restored:
                self.restore(each.group_id, each.rule)

    def remove(self, removed: Sequence[tuple[ReferringRule, ReferringRule | None]]) -> None:
        """Note that rules are removed, all at the positions before that."""
        slots = []
        for one, new in removed:
            place = _place(one.rule)
            if place is None:
                continue
            row = self._row(one.group_id, place[0])
            slot = row.slot(place[1])
            row.slots[self._key(one.group_id, one.rule)] = slot
            if new is None:
                slots.append((row, slot))
            else:
                row.slots[self._key(new.group_id, new.rule)] = slot
        for row, slot in slots:
            row.is_full[slot] = False

    def restore(self, group_id: str, rule: Rule) -> str:
        """Note that a rule is restored; return the id, a position, with which it is added."""
        place = _place(rule)
        row = self._row(group_id, rule.direction)
        slot = row.slots.get(self._key(group_id, rule))
        if slot is None:
            return position_of(rule)
        position = sum(row.is_full[:slot])
        row.is_full[slot] = True
        return position_of(rule) if place is None else f"{place[0]}[{position}]"

    def _row(self, group_id: str, direction: str) -> _Row:
        return self._rows.setdefault((self._root(group_id), direction), _Row())

    def _key(self, group_id: str, rule: Rule) -> _Key:
        return self._root(group_id), replace(content(rule), peer_group=self._root(rule.peer_group))

    def _root(self, group_id: str) -> str:
        """Return the id that a group had first."""
        seen = {group_id}
        while (older := self._old.get(group_id)) is not None and older not in seen:
            seen.add(older)
            group_id = older
        return group_id


def _place(rule: Rule) -> tuple[str, int] | None:
    """Return direction and position of a rule; None where its id is none."""
    direction, bracket, number = position_of(rule).rstrip("]").partition("[")
    return (direction, int(number)) if bracket else None


def _is_in_place(new: ReferringRule, old: ReferringRule) -> bool:
    """Whether a rule took the place of another one: the same but for the group that it names."""
    return new.group_id == old.group_id and content(
        replace(new.rule, peer_group=old.rule.peer_group)
    ) == content(old.rule)
