"""Comparison of two cloud states, and the invariants that hold after every call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from sgguard.emulator.core import Emulator
from sgguard.emulator.state import Cloud, Rule

Snapshot = dict[str, Any]

# Where the place of a rule is its priority; elsewhere a list of rules is a set.
_PLACED = ("tencent", "tencent-dfw")
# Where the order of a holder's groups means something.
_ORDERED = ("tencent", "tencent-dfw", "huawei")


def snapshot(dump: dict[str, Any]) -> Snapshot:
    """A cloud's state without what a change and its inverse may alter: ids of rules, versions."""
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


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """The kind and id of everything that differs between two snapshots."""
    return [
        f"{kind} {one_id}"
        for kind in before
        for one_id in {**before[kind], **after[kind]}
        if before[kind].get(one_id) != after[kind].get(one_id)
    ]


def describe_differences(before: Snapshot, after: Snapshot) -> str:
    """The differences between two snapshots, one line each."""
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


def without_rule_order(world: Snapshot) -> Snapshot:
    """The snapshot without the order of rules."""
    groups = {key: {**one, "rules": sorted(one["rules"])} for key, one in world["groups"].items()}
    return {**world, "groups": groups}


@dataclass
class InvariantMonitor:
    """What never happens: a holder without a group, a group that is not there, a rule twice.

    Nor is a rule lost that names none of the groups that go; and of one that is to name another
    group, the old or the new one is there all the time: ``covers`` are, by group, sets of rules
    one of which there always is.
    """

    holders_with_groups: frozenset[str]
    counts: dict[str, Counter[str]]
    covers: dict[str, list[set[str]]]
    violations: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, cloud: Cloud, gone: Collection[str] = (), to_group: str = "") -> InvariantMonitor:
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

    def check(self, cloud: Cloud, when: str) -> None:
        known = {one.id for one in cloud.groups}
        self._check_holders(cloud, known, when)
        self._check_rules(cloud, known, when)

    def _check_holders(self, cloud: Cloud, known: set[str], when: str) -> None:
        for one in cloud.interfaces:
            if one.id in self.holders_with_groups and not one.groups:
                self.violations.append(f"{when}: {one.id} has no group")
            if missing := set(one.groups) - known:
                self.violations.append(f"{when}: {one.id} carries {missing}, which is gone")
            if len(set(one.groups)) < len(one.groups):
                self.violations.append(f"{when}: {one.id} carries a group twice: {one.groups}")

    def _check_rules(self, cloud: Cloud, known: set[str], when: str) -> None:
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


class MonitoredEmulator(Emulator):
    """An emulator whose state is checked after every call; ``before_call`` may act before each."""

    monitor: InvariantMonitor | None = None
    before_call: Any = None

    def handle(self, request: Any) -> Any:
        # The hook and the call are one step: no call of another thread comes between them.
        with self.state.lock if self.before_call is not None else nullcontext():
            if self.before_call is not None:
                self.before_call(request)
            return self._handled(request)

    def _handled(self, request: Any) -> Any:
        try:
            return super().handle(request)
        finally:
            if self.monitor is not None:
                with self.state.lock:
                    done = self.requests[-1].action if self.requests else ""
                    self.monitor.check(self.state.clouds[0], f"after {done}")
