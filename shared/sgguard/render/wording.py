"""Words for lines of text: on one line, cut where there is no room, counted where many.

Names and texts come from clouds and are written by others: all of them pass through here,
so that no text can forge a second line or a terminal command.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from sgguard.model.resource import Binding, Limit, Reference, Rule

MESSAGE_MAX = 200
"""Longest reason message, in columns and so in characters: it must fit a chat line."""

_SHORTEST_NAME = 4
_WIDE = ("W", "F")
_UUID = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b")


_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
"""Printable ASCII with single spaces between words: one column each."""


_MAYBE_WIDE = re.compile("[^\0-\u036f]")
"""No sign before these takes two columns. Told by what it is not: that is compiled in no time."""


def columns(text: str) -> int:
    """Return how many columns of a terminal the text takes: wide East Asian signs take two."""
    if text.isascii():
        return len(text)
    return len(text) + sum(_columns_of(one) - 1 for one in _MAYBE_WIDE.findall(text))


def _columns_of(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def one_line(text: str, width: int) -> str:
    """Return the text on one line of at most ``width`` columns, cut with an ellipsis.

    Line breaks and control characters become spaces.
    """
    if len(text) <= width and _PLAIN.fullmatch(text):
        return text  # nearly every text: ids, names, ports
    plain = text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
    flat = " ".join(plain.split())
    # No character takes less than a column: of 40 KB only what has room is measured.
    if len(flat) <= width and columns(flat) <= width:
        return flat
    return _head(flat[:width], max(width - 1, 0)).rstrip() + "…"


def wrapped(text: str, width: int, lead: str = "") -> Iterator[str]:
    """Yield the text in lines of at most ``width`` columns, broken between words.

    ``lead`` stands before the first line, and as many spaces before the others. A word that is
    wider than a line is divided: nothing is lost.
    """
    margin = " " * columns(lead)
    room = max(width - len(margin), 1)
    line = ""
    for word in one_line(text, len(text) * 2).split():
        if line and columns(f"{line} {word}") > room:
            yield lead + line
            lead, line = margin, ""
        line = f"{line} {word}" if line else word
        while columns(line) > room:
            head = _head(line, room) or line[:1]
            yield lead + head
            lead, line = margin, line[len(head) :]
    yield lead + line


def _head(text: str, width: int) -> str:
    """Return as much of the text's beginning as fits into the columns."""
    if text.isascii():
        return text[:width]
    taken = 0
    for index, character in enumerate(text):
        taken += _columns_of(character)
        if taken > width:
            return text[:index]
    return text


def pad(text: str, width: int) -> str:
    """Return the text with spaces behind it, so that it takes at least ``width`` columns."""
    return text + " " * (width - columns(text))


def short_ids(text: str) -> str:
    """Return the text with every UUID as ``5c7f0a11…0001``: a line has no room for whole ones."""
    return _UUID.sub(lambda found: f"{found[0][:8]}…{found[0][-4:]}", text)


def percent(limit: Limit) -> float | None:
    """Return how full the limit is after the change (or now), None where it is unknown."""
    number = limit.used if limit.after is None else limit.after
    if number is None or not limit.ceiling:
        return None
    return round(number * 100 / limit.ceiling, 1)


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
        if shown and columns(", ".join([*shown, name]) + tail) > width:
            return f"{', '.join(shown)} and {rest + 1} more"
        shown.append(one_line(name, max(width - len(tail), 8)))
    return ", ".join(shown)


@lru_cache(maxsize=1024)
def label(group_id: str, name: str | None = None, width: int = 60) -> str:
    """Return ``sg-1 (web)``, without the name where it is not told, empty or equal to the id."""
    plain = one_line(group_id, width)
    room = width - columns(plain) - 3
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
    """Return ``ingress[0]: tcp 22 accept "from the web"``, with a priority where it has one."""
    parts = [rule.direction.value, rule.protocol, rule.ports, rule.action]
    if rule.priority is not None:
        parts.append(f"priority {rule.priority}")
    if not rule.is_enabled:
        parts.append("disabled")
    if rule.description:
        parts.append(f'"{one_line(rule.description, 60)}"')
    # The id of a rule that is known by its position has the direction already.
    shown = parts[1:] if rule.rule_id.startswith(rule.direction.value) else parts
    return one_line(f"{rule.rule_id}: {' '.join(shown)}", MESSAGE_MAX)


def reference_words(reference: Reference) -> str:
    """Return which group references and by which rule, and its account where it is another one."""
    owner = f", account {one_line(reference.account, 40)}" if reference.account else ""
    project = f", project {one_line(reference.project, 40)}" if reference.project else ""
    rule = rule_words(reference.rule) if reference.rule else "a rule that could not be read"
    group = label(reference.group_id, reference.group_name)
    return one_line(f"{group}{owner}{project}: {rule}", MESSAGE_MAX)


def binding_words(binding: Binding) -> str:
    """Return ``interface eni-1 (name) of instance ins-1, owner compute:nova``, or a number."""
    if not binding.holder_id:
        return one_line(f"{binding.kind} ({binding.count}, only counted)", MESSAGE_MAX)
    words = f"{one_line(binding.kind, 30)} {label(binding.holder_id, binding.name)}"
    if binding.instance_id and binding.instance_id != binding.holder_id:
        words += f" of instance {one_line(binding.instance_id, 60)}"
    if binding.owner:
        words += f", owner {one_line(binding.owner, 60)}"
    if binding.count > 1:
        words += f", {binding.count} times"
    return one_line(words, MESSAGE_MAX)
