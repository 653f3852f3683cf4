"""How two worlds are compared, and what must hold in a world at every moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from sgguard.emulator.core import Emulator
from sgguard.emulator.state import Cloud, Rule

Seen = dict[str, Any]

# Where the place of a rule is its priority; elsewhere a list of rules is a set.
_PLACED = ("tencent", "tencent-dfw")
# Where the order of a holder's groups means something.
_ORDERED = ("tencent", "tencent-dfw", "huawei")


def seen(dump: dict[str, Any]) -> Seen:
    """A world up to what a change and its inverse may leave: ids of rules, versions, times."""
    (cloud,) = dump["clouds"]
    provider = cloud["provider"]
    return {
        "groups": {one["id"]: _group(one, provider) for one in cloud["groups"]},
        "interfaces": {one["id"]: _interface(one, provider) for one in cloud["interfaces"]},
        "attachments": {one["id"]: one for one in cloud["attachments"]},
        "instances": {one["id"]: one for one in cloud["instances"]},
    }


def _group(raw: dict[str, Any], provider: str) -> dict[str, Any]:
    rules = [rule_text(rule) for rule in raw["rules"]]
    ordered = sorted(rules, key=lambda text: text.split()[0])  # by direction; stable
    left_out = ("version", "created", "rules")
    return {
        **{name: value for name, value in raw.items() if name not in left_out},
        "rules": ordered if provider in _PLACED else sorted(rules),
    }


def rule_text(rule: dict[str, Any]) -> str:
    rest = {
        name: value for name, value in rule.items() if value and name not in ("id", "direction")
    }
    return f"{rule['direction']} {sorted(rest.items())}"


def _interface(raw: dict[str, Any], provider: str) -> dict[str, Any]:
    groups = list(raw["groups"])
    kept = {name: value for name, value in raw.items() if name not in ("version", "groups")}
    return {**kept, "groups": groups if provider in _ORDERED else sorted(groups)}


def differences(before: Seen, after: Seen) -> list[str]:
    """The ids of everything that is not alike in two worlds, with what it is."""
    return [
        f"{kind} {one_id}"
        for kind in before
        for one_id in {**before[kind], **after[kind]}
        if before[kind].get(one_id) != after[kind].get(one_id)
    ]


def shown(before: Seen, after: Seen) -> str:
    """What is not alike in two worlds, as short as can be understood."""
    return "\n".join(
        f"{line}: {_change(before[kind].get(one_id), after[kind].get(one_id))}"
        for line in differences(before, after)
        for kind, one_id in [line.split(" ", 1)]
    )


def _change(old: Any, new: Any) -> str:
    if old is None or new is None:
        return "is new" if old is None else "is gone"
    changed = {name for name in old if old[name] != new[name]}
    parts = [f"{name} was {old[name]} is {new[name]}" for name in changed - {"rules"}]
    if "rules" in changed:
        lost, made = Counter(old["rules"]), Counter(new["rules"])
        parts.append(f"rules lost {sorted(lost - made)}, gained {sorted(made - lost)}")
    return "; ".join(parts)


def loosely(world: Seen) -> Seen:
    """The world without the order of rules."""
    groups = {key: {**one, "rules": sorted(one["rules"])} for key, one in world["groups"].items()}
    return {**world, "groups": groups}


@dataclass
class Watch:
    """What never happens: a holder without a group, a group that is not there, a rule twice.

    Nor is a rule lost that names none of the groups that go; and of one that is to name another
    group, the old or the new one is there all the time: ``covers`` are, by group, sets of rules
    one of which there always is.
    """

    dressed: frozenset[str]
    counts: dict[str, Counter[str]]
    covers: dict[str, list[set[str]]]
    violations: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, cloud: Cloud, gone: Collection[str] = (), to_group: str = "") -> Watch:
        covers: dict[str, list[set[str]]] = {}
        for group in cloud.groups:
            for rule in group.rules:
                if rule.peer_group not in gone:
                    covers.setdefault(group.id, []).append({_content(rule)})
                elif to_group:
                    either = {_content(rule), _content(replace(rule, peer_group=to_group))}
                    covers.setdefault(group.id, []).append(either)
        return cls(
            frozenset(one.id for one in cloud.interfaces if one.groups),
            {one.id: Counter(map(_content, one.rules)) for one in cloud.groups},
            covers,
        )

    def look(self, cloud: Cloud, when: str) -> None:
        known = {one.id for one in cloud.groups}
        self._look_at_holders(cloud, known, when)
        self._look_at_rules(cloud, known, when)

    def _look_at_holders(self, cloud: Cloud, known: set[str], when: str) -> None:
        for one in cloud.interfaces:
            if one.id in self.dressed and not one.groups:
                self.violations.append(f"{when}: {one.id} has no group")
            if missing := set(one.groups) - known:
                self.violations.append(f"{when}: {one.id} carries {missing}, which is gone")
            if len(set(one.groups)) < len(one.groups):
                self.violations.append(f"{when}: {one.id} carries a group twice: {one.groups}")

    def _look_at_rules(self, cloud: Cloud, known: set[str], when: str) -> None:
        for group in cloud.groups:
            allowed = self.counts.get(group.id, Counter())
            present = Counter(map(_content, group.rules))
            for either in self.covers.get(group.id, ()):
                if not either & set(present):
                    self.violations.append(f"{when}: {group.id} has lost {min(either)}")
            for text, count in present.items():
                if count > max(1, allowed[text]):
                    self.violations.append(f"{when}: {group.id} has {count} times {text}")
            for rule in group.rules:
                if rule.peer_group and rule.peer_group not in known and not rule.peer_account:
                    self.violations.append(f"{when}: a rule of {group.id} names a group gone")


def _content(rule: Rule) -> str:
    names = ("direction", "protocol", "ports", "cidr", "peer_group", "template", "action")
    more = ("ethertype", "nic", "service", "source_ports")
    return str([getattr(rule, name) for name in (*names, *more)])


class Watched(Emulator):
    """An emulator that is looked at after every call; ``meddle`` may act before each."""

    watch: Watch | None = None
    meddle: Any = None

    def handle(self, request: Any) -> Any:
        # Whoever meddles does it right before this call: none of another thread comes between.
        with self.state.lock if self.meddle is not None else nullcontext():
            if self.meddle is not None:
                self.meddle(request)
            return self._handled(request)

    def _handled(self, request: Any) -> Any:
        try:
            return super().handle(request)
        finally:
            if self.watch is not None:
                with self.state.lock:
                    done = self.requests[-1].action if self.requests else ""
                    self.watch.look(self.state.clouds[0], f"after {done}")
