"""The steps that free groups, and the order in which a set can be deleted.

A group that references another is deleted before it. Where groups name each other in a circle,
rules of a group that is deleted anyway are revoked first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush

import msgspec

from sgguard.model.address import Address, Scope
from sgguard.model.decision import Step
from sgguard.model.resource import Binding, Direction, Reference, Rule
from sgguard.model.sentence import Sentence, said, thing
from sgguard.render.language.step import step_of

_POSITION = re.compile(r"(ingress|egress)\[(\d+)\]")

Edges = Mapping[str, Mapping[str, tuple[Reference, ...]]]
"""By group id, who references it: the referring group's id and its rules."""


class Order(msgspec.Struct, frozen=True):
    """How a set can be deleted.

    ``first`` lists the ids, the first to delete first. ``revoked`` are the references whose rules
    must go before that, by the id they name; ``cycles`` the ids of each circle; ``stuck`` the
    references that close a circle and whose rule is unknown, by the id they name.
    """

    first: tuple[str, ...]
    revoked: Mapping[str, tuple[Reference, ...]]
    cycles: tuple[tuple[str, ...], ...]
    stuck: Mapping[str, tuple[Reference, ...]]


def order(members: Iterable[str], edges: Edges) -> Order:
    """Return the order in which the members can be deleted; the same for any order of input."""
    # 1. Groups that name each other directly or by way of others are one circle; most groups are
    #    a circle of their own. Circles come referrers first: a group goes before those it names.
    # 2. Inside a circle no order is without a reference. Take the group whose deletion needs the
    #    fewest rules revoked among those still there, and go on with the rest.
    # 3. The rules of the rest that name it are revoked beforehand. Where one of those rules is
    #    unknown, nothing can be revoked and the circle is stuck.
    first: list[str] = []
    revoked: dict[str, tuple[Reference, ...]] = {}
    stuck: dict[str, tuple[Reference, ...]] = {}
    circles = _circles(sorted(members), edges)
    for circle in circles:
        left = set(circle)
        for group_id in _fewest_first(circle, edges):
            left.remove(group_id)
            first.append(group_id)
            ahead = _naming(group_id, left, edges)
            if unknown := tuple(one for one in ahead if one.rule is None):
                stuck[group_id] = unknown
            elif ahead:
                revoked[group_id] = ahead
    cycles = tuple(tuple(sorted(circle)) for circle in circles if len(circle) > 1)
    return Order(tuple(first), revoked, cycles, stuck)


def _naming(group_id: str, among: set[str], edges: Edges) -> tuple[Reference, ...]:
    """Return the references to the group that are held by one of ``among``."""
    held = edges.get(group_id, {})
    return tuple(one for referrer in sorted(held) if referrer in among for one in held[referrer])


def _fewest_first(circle: Sequence[str], edges: Edges) -> Iterator[str]:
    """Yield the groups of a circle: of those left always the one that the fewest of them name.

    Unknown rules count first, then all rules, then the id. When one goes, only what it names gets
    cheaper: a circle of a thousand costs its rules once.
    """
    unknown, rules = dict.fromkeys(circle, 0), dict.fromkeys(circle, 0)
    named: dict[str, list[str]] = {one: [] for one in circle}
    for one in circle:
        for referrer, held in edges.get(one, {}).items():
            if referrer in rules and referrer != one:
                named[referrer].append(one)
                unknown[one] += sum(each.rule is None for each in held)
                rules[one] += len(held)
    waiting = [(unknown[one], rules[one], one) for one in circle]
    heapify(waiting)
    left = set(circle)
    while waiting:
        cost = heappop(waiting)
        group_id = cost[2]
        if group_id not in left or cost != (unknown[group_id], rules[group_id], group_id):
            continue  # it went, or got cheaper and is waiting once more
        left.remove(group_id)
        yield group_id
        for one in named[group_id]:
            if one in left:
                held = edges[one][group_id]
                unknown[one] -= sum(each.rule is None for each in held)
                rules[one] -= len(held)
                heappush(waiting, (unknown[one], rules[one], one))


def _circles(members: Sequence[str], edges: Edges) -> list[list[str]]:
    """Group the members into circles (most are alone), referrers before those they name.

    Kosaraju's two passes: what finishes last in the first pass names others but is named by
    none outside its circle; going backwards from there reaches its circle and nothing else.
    """
    known = set(members)
    holders = {one: sorted(set(edges.get(one, {})) & known) for one in members}
    named: dict[str, list[str]] = {one: [] for one in members}
    for one, referrers in holders.items():
        for referrer in referrers:
            named[referrer].append(one)
    finished = [one for part in _walk(members, named.__getitem__) for one in part]
    return [sorted(part) for part in _walk(finished[::-1], holders.__getitem__)]


def _walk(starts: Iterable[str], onward: Callable[[str], list[str]]) -> Iterable[list[str]]:
    """Visit everything once, depth first; yield for each new start what it reached, deepest first.

    Without recursion: a chain of a thousand groups is longer than Python's stack.
    """
    seen: set[str] = set()
    for start in starts:
        if start in seen:
            continue
        seen.add(start)
        reached: list[str] = []
        stack = [(start, iter(onward(start)))]
        while stack:
            here, ways = stack[-1]
            step = next((way for way in ways if way not in seen), None)
            if step is None:
                stack.pop()
                reached.append(here)
            else:
                seen.add(step)
                stack.append((step, iter(onward(step))))
        yield reached


class Ruled(msgspec.Struct, frozen=True):
    """A rule that must stop naming a group: by going, or by naming ``to_group`` instead."""

    named: str
    reference: Reference
    to_group: str = ""


def rule_changes(scope: Scope, wanted: Iterable[Ruled]) -> tuple[Step, ...]:
    """Return one step for each rule that must change, each rule once.

    Rules known by position are changed from the last to the first: every removal shifts those
    behind it, and undoing in reverse order puts each back at its own place.
    """
    known = [(one, one.reference.rule) for one in wanted if one.reference.rule is not None]
    rules = {(one.reference.group_id, rule.rule_id): (one, rule) for one, rule in known}
    chosen = sorted(rules.values(), key=lambda one: (one[0].reference.group_id, _from_last(one[1])))
    return tuple(
        _rewrite(scope, one, rule) if one.to_group else _revoke(scope, one, rule)
        for one, rule in chosen
    )


def _from_last(rule: Rule) -> tuple[str, int, str]:
    position = _POSITION.fullmatch(rule.rule_id)
    return (rule.direction, -int(position[2]) if position else 0, rule.rule_id)


def _revoke(scope: Scope, ruled: Ruled, rule: Rule) -> Step:
    target = str(Address(scope, ruled.reference.group_id))
    details = _rule_details(rule, ruled.named)
    shown, way, holder = _shown(rule, ruled.named), rule.direction.value, _holder(ruled.reference)
    back = said("plan.put-back", rule=rule.rule_id, traffic=shown, way=way, holder=holder)
    gone = said("plan.revoke", rule=rule.rule_id, traffic=shown, way=way, holder=holder)
    return step_of("revoke", target, gone, details, step_of("authorize", target, back, details))


def _rewrite(scope: Scope, ruled: Ruled, rule: Rule) -> Step:
    target = str(Address(scope, ruled.reference.group_id))
    details = {**_rule_details(rule, ruled.named), "to_group": ruled.to_group}
    behind = {**_rule_details(rule, ruled.to_group), "to_group": ruled.named}
    shown, way, holder = _shown(rule, ruled.named), rule.direction.value, _holder(ruled.reference)
    to, old = ruled.to_group, ruled.named
    there = said("plan.rewrite", rule=rule.rule_id, traffic=shown, way=way, holder=holder, group=to)
    back = said(
        "plan.rewrite-back", rule=rule.rule_id, traffic=shown, way=way, holder=holder, group=old
    )
    return step_of("rewrite", target, there, details, step_of("rewrite", target, back, behind))


def _shown(rule: Rule, named: str) -> Sentence:
    """Return which traffic a rule is about: of what kind, from or to which group."""
    traffic = "any" if rule.protocol == rule.ports == "any" else f"{rule.protocol} {rule.ports}"
    if rule.direction is Direction.INGRESS:
        return said("traffic.from", traffic=traffic, group=named)
    return said("traffic.to", traffic=traffic, group=named)


def _holder(reference: Reference) -> Sentence:
    return thing(reference.group_id, reference.group_name)


def _rule_details(rule: Rule, named: str) -> dict[str, str]:
    """Everything that builds the rule again, as text."""
    return {
        "rule_id": rule.rule_id,
        "direction": rule.direction.value,
        "protocol": rule.protocol,
        "ports": rule.ports,
        "peer_group": named,
        "action": rule.action,
        "priority": "" if rule.priority is None else str(rule.priority),
        "description": rule.description,
        "is_enabled": "true" if rule.is_enabled else "false",
    }


def release(address: Address, binding: Binding, fallback: str) -> Step:
    """Return the step that takes the group off a holder; a fallback takes its place if given."""
    details = {
        "kind": binding.kind,
        "holder_id": binding.holder_id,
        "instance_id": binding.instance_id,
    }
    target, group = str(address), address.group_id
    holder = said("holder.named", kind=binding.kind, holder=thing(binding.holder_id, binding.name))
    if not fallback:
        back = said("plan.bind-again", group=group, holder=holder)
        away = said("plan.unbind", group=group, holder=holder)
        return step_of("unbind", target, away, details, step_of("bind", target, back, details))
    there = {**details, "from_group": group, "to_group": fallback}
    back_again = {**details, "from_group": fallback, "to_group": group}
    back = said("plan.move-back", group=group, holder=holder)
    moved = said("plan.move", group=group, holder=holder, new=fallback)
    return step_of("move", target, moved, there, step_of("move", target, back, back_again))


def deletion(address: Address, name: str | None, *, is_forced: bool = False) -> Step:
    """Return the last step for a group; it has no inverse but a snapshot.

    Forced, the cloud itself takes the group off the instances that still carry it.
    """
    group = thing(address.group_id, name)
    if not is_forced:
        return step_of("delete", str(address), said("plan.delete", group=group))
    sentence = said("plan.delete-forced", group=group)
    return step_of("delete", str(address), sentence, {"is_forced": "true"})
