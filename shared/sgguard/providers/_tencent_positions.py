"""Finding a rule whose id is its position, for both Tencent APIs.

Positions count the rules of one direction from 0, and every change shifts those behind it. So a
rule is found by its content near the place it had, and put where its place is now.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sgguard.model.change import content
from sgguard.model.resource import Rule

_ID = re.compile(r"(?:ingress|egress)\[([0-9]{1,9})\]")


def position(rule: Rule) -> int | None:
    """Return the position in a rule's id, None where the id tells none."""
    told = _ID.fullmatch(rule.rule_id)
    return int(told[1]) if told else None


def locate(rules: Sequence[Rule], wanted: Rule) -> int | None:
    """Return where the rule is: the position with its content that is nearest to its own.

    Of two that are equally near the later one counts: rules are put in more often before others
    than they are taken out there, and two of the same content do the same.
    """
    same = [one for one in rules if content(one) == content(wanted)]
    found = [place for place in map(position, same) if place is not None]
    was = position(wanted)
    if was is None:
        return max(found, default=None)
    return min(found, key=lambda place: (abs(place - was), -place), default=None)


def place_of(rules: Sequence[Rule], wanted: Rule) -> int | None:
    """Return the position to put a rule in front of; None: behind all of its direction."""
    place = position(wanted)
    count = sum(one.direction == wanted.direction for one in rules)
    return place if place is not None and place < count else None
