"""How decisions are put into words: on one line, cut where there is no room, counted where many.

Names and texts come from clouds and are written by others: whatever goes into a line passes here,
so that nobody can forge a second line or a terminal command.
"""

from __future__ import annotations

from collections.abc import Iterable

from sgguard.model import Binding, Rule

MESSAGE_MAX = 200
"""Longest reason message, in characters: it must fit a chat line and a terminal row or two."""

_SHORTEST_NAME = 4


def one_line(text: str, width: int) -> str:
    """Return the text on one line of at most ``width`` characters, cut with an ellipsis.

    Line breaks and control characters become spaces.
    """
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= width else flat[: max(width - 1, 0)].rstrip() + "…"


def count(number: int, thing: str) -> str:
    """Return ``1 rule``, ``2 rules``: the number with the thing in singular or plural."""
    plural = thing[:-1] + "ies" if thing.endswith("y") else thing + "s"
    return f"{number} {thing if number == 1 else plural}"


def listing(names: Iterable[str], width: int) -> str:
    """Return as many of the distinct names as fit, and how many more there are."""
    distinct = list(dict.fromkeys(names))
    shown: list[str] = []
    for index, name in enumerate(distinct):
        rest = len(distinct) - index - 1
        tail = f" and {rest} more" if rest else ""
        if shown and len(", ".join([*shown, name]) + tail) > width:
            return f"{', '.join(shown)} and {rest + 1} more"
        shown.append(one_line(name, max(width - len(tail), 8)))
    return ", ".join(shown)


def label(group_id: str, name: str = "", width: int = 60) -> str:
    """Return ``sg-1 (web)``, the name left out where it is empty or says nothing new."""
    plain = one_line(group_id, width)
    room = width - len(plain) - 3
    if not name or name == group_id or room < _SHORTEST_NAME:
        return plain
    return f"{plain} ({one_line(name, room)})"


def kinds(bindings: Iterable[Binding]) -> str:
    """Return ``3 instances, 1 load-balancer``."""
    totals: dict[str, int] = {}
    for one in bindings:
        totals[one.kind] = totals.get(one.kind, 0) + one.count
    return listing((count(n, one_line(kind, 30)) for kind, n in sorted(totals.items())), 80)


def rule_words(rule: Rule) -> str:
    """Return ``ingress[0]: tcp 22 accept "from the web"``; what is unusual is said."""
    parts = [rule.direction.value, rule.protocol, rule.ports, rule.action]
    if rule.priority is not None:
        parts.append(f"priority {rule.priority}")
    if not rule.is_enabled:
        parts.append("disabled")
    if rule.description:
        parts.append(f'"{one_line(rule.description, 60)}"')
    # A rule that is known by its position says its direction twice otherwise.
    shown = parts[1:] if rule.rule_id.startswith(rule.direction.value) else parts
    return one_line(f"{rule.rule_id}: {' '.join(shown)}", MESSAGE_MAX)


def binding_words(binding: Binding) -> str:
    """Return ``interface eni-1 (name) of ins-1, owner compute:nova``, or ``database (3)``."""
    if not binding.holder_id:
        return one_line(f"{binding.kind} ({binding.count}, only counted)", MESSAGE_MAX)
    words = f"{one_line(binding.kind, 30)} {label(binding.holder_id, binding.name)}"
    if binding.instance_id and binding.instance_id != binding.holder_id:
        words += f" of {one_line(binding.instance_id, 60)}"
    if binding.owner:
        words += f", owner {one_line(binding.owner, 60)}"
    if binding.count > 1:
        words += f", {binding.count} times"
    return one_line(words, MESSAGE_MAX)
