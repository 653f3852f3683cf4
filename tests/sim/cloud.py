"""What a cloud's state is, and what one call has changed in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sgguard.emulator import state
from sgguard.emulator.state import Cloud
from sgguard.model.bind import Batch
from sgguard.model.change import Change

Rule = tuple[str, str, str, str]
"""Direction, ports, peer and address of a rule."""


@dataclass(frozen=True)
class Effect:
    """One thing that changed. ``subject`` is a group or an interface.

    ``before`` and ``after`` are the groups of an interface.
    """

    kind: str
    subject: str
    rule: Rule = ("", "", "", "")
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "set-groups":
            return f"{self.subject} carries {self.after}, not {self.before}"
        return f"{self.kind} {self.subject} {' '.join(part for part in self.rule if part)}".strip()


@dataclass
class Picture:
    """Groups with their rules, and interfaces with their groups."""

    rules: dict[str, Counter[Rule]] = field(default_factory=dict)
    holders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, cloud: Cloud) -> Picture:
        """The state of a cloud now."""
        return cls(
            {one.id: Counter(map(_rule, one.rules)) for one in cloud.groups},
            {one.id: tuple(one.groups) for one in cloud.interfaces},
            {one.id: one.instance for one in cloud.interfaces},
            {one.id: one.name for one in cloud.groups},
        )

    def effects(self, now: Picture) -> list[Effect]:
        """What is different in another picture."""
        found = [Effect("create-group", one) for one in now.rules if one not in self.rules]
        for group_id, before in self.rules.items():
            after = now.rules.get(group_id)
            if after is None:
                found.append(Effect("delete-group", group_id))
            elif after != before:
                found += [Effect("remove-rule", group_id, one) for one in (before - after)]
                found += [Effect("add-rule", group_id, one) for one in (after - before)]
        for holder, before_groups in self.holders.items():
            after_groups = now.holders.get(holder, before_groups)
            if after_groups != before_groups:
                found.append(Effect("set-groups", holder, before=before_groups, after=after_groups))
        return found

    def lets_in(self, group_id: str, port: int) -> bool:
        """Whether a rule lets somebody in on a port."""
        wanted = ("any", str(port), f"{port}-{port}")
        rules = self.rules.get(group_id, Counter())
        return any(rule[0] == "ingress" and rule[1] in wanted for rule in rules)

    def naming(self, group_id: str) -> list[str]:
        """The other groups whose rules name a group, and the interfaces that carry it."""
        groups = [
            one
            for one, rules in self.rules.items()
            if one != group_id and any(rule[2] == group_id for rule in rules)
        ]
        return groups + [one for one, carried in self.holders.items() if group_id in carried]


Outline = tuple[list[Any], list[Any]]


def outline(cloud: Cloud) -> Outline:
    """All that a :class:`Picture` has: where this is the same, so is that."""
    return (
        [
            (one.id, one.name, [(r.direction, r.ports, r.peer_group, r.cidr) for r in one.rules])
            for one in cloud.groups
        ],
        [(one.id, one.instance, tuple(one.groups)) for one in cloud.interfaces],
    )


def _rule(rule: state.Rule) -> Rule:
    return rule.direction, rule.ports, rule.peer_group, rule.cidr


def is_of(effect: Effect, change: Change | Batch, made: dict[str, str], picture: Picture) -> bool:
    """Whether an effect is what a change does; ``made`` are new ids of groups by their old ones."""
    if isinstance(change, Batch):
        return _is_of_batch(effect, change, picture)

    def new(group_id: str) -> str:
        return made.get(group_id, group_id)

    if effect.kind != change.kind:
        return False
    match change.kind:
        case "add-rule" | "remove-rule":
            peer = change.rule.peer_group if change.rule else ""
            return effect.subject in (change.group_id, new(change.group_id)) and (
                effect.rule[2] in (peer, new(peer))
            )
        case "set-groups":
            holder: Any = change.holder
            names = {effect.subject, picture.instances.get(effect.subject, "")}
            return bool({holder.holder_id, holder.instance_id} & names - {""}) and set(
                map(new, effect.after)
            ) == set(map(new, change.after))
        case "create-group":
            group: Any = change.group
            return bool(picture.names.get(effect.subject) == group.name)
        case _:
            return effect.subject in (change.group_id, new(change.group_id))


def _is_of_batch(effect: Effect, batch: Batch, picture: Picture) -> bool:
    """Whether a holder got one more group, or lost that one, and nothing else."""
    names = {effect.subject, picture.instances.get(effect.subject, "")}
    if effect.kind != "set-groups" or names.isdisjoint(batch.holders):
        return False
    before, after, group = set(effect.before), set(effect.after), {batch.group_id}
    wanted = before | group if batch.action == "bind" else before - group
    return after == wanted != before


def is_delete(change: Change | Batch) -> bool:
    """Whether a change deletes a group."""
    return isinstance(change, Change) and change.kind == "delete-group"
