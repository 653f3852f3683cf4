"""Finding a rule whose id is its position, for both Tencent APIs.

The id of a rule is its position among the rules of its direction, counted from 0 (``ingress[3]``),
and every insertion or removal before it shifts it. A rule that was read earlier is found again by
its content (:func:`locate`), and inserted where its position is now (:func:`insert_position`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sgguard.model.change import content
from sgguard.model.resource import Rule

_ID = re.compile(r"(?:ingress|egress)\[([0-9]{1,9})\]")


def position(rule: Rule) -> int | None:
    """Return the position in a rule's id, None where the id has none."""
    found = _ID.fullmatch(rule.rule_id)
    return int(found[1]) if found else None


def locate(rules: Sequence[Rule], wanted: Rule) -> int | None:
    """Return where a rule read earlier is now, None where it is gone.

    Of two that are equally near the later one is taken: rules are inserted before others more often
    than removed there. A wrong choice does no harm, since both have the same content.
    """
    # 1. Only rules of the same content (direction included) qualify, wherever they are.
    same = [one for one in rules if content(one) == content(wanted)]
    found = [place for place in map(position, same) if place is not None]
    # 2. The nearest to the old position is taken; without an old position, the last one.
    was = position(wanted)
    if was is None:
        return max(found, default=None)
    return min(found, key=lambda place: (abs(place - was), -place), default=None)


def insert_position(rules: Sequence[Rule], wanted: Rule) -> int | None:
    """Return the position to insert a rule before; None: append it to its direction.

    It is the position in the rule's id, as long as the group has that many rules.
    """
    place = position(wanted)
    count = sum(one.direction == wanted.direction for one in rules)
    return place if place is not None and place < count else None
