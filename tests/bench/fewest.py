"""The fewest calls that take a group apart, counted from the documents of each cloud.

They are those of a plan that is as safe:

- what the verdict reads, twice: once to plan, once before the group goes;
- the rules of every group whose rules change, once;
- the order of each holder's groups where it has a meaning and the verdict does not tell it, as many
  holders a call as the API lists: the plan has it, and is kept whole before the first change;
- the groups of each holder once more right before a call that replaces its whole list without a
  version or a condition: it would take away what another user bound meanwhile;
- every change once, as many a call as the API takes, and for an asynchronous one a look at its end;
- the delete.

``LEAST`` has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.remedy import Crowd


@dataclass(frozen=True)
class Least:
    """What one call of a cloud's API does at most.

    ``rules_removed`` and ``rules_added`` are rules of one group and direction, ``rules_replaced``
    those that get another rule in their place. ``holders`` are instances or ports whose groups one
    call changes, ``holders_read`` holders whose groups one call tells, None where the verdict's own
    reads tell them; ``holders_awaited`` those whose end of a change one call tells, None where the
    change itself does. ``holders_looked_at`` are those that one call tells right before their whole
    lists are replaced, None where a change adds or removes one group, or is bound to a version.
    ``is_moved_at_once``: one call puts another group in the place of one.
    """

    rules_removed: int
    rules_added: int
    holders: int
    holders_read: int | None
    holders_awaited: int | None = None
    holders_looked_at: int | None = None
    rules_replaced: int = 0
    is_moved_at_once: bool = True


LEAST: Mapping[str, Least] = {
    # DeleteSecurityGroupPolicies and ReplaceSecurityGroupPolicies take all rules of a direction;
    # (Dis)AssociateSecurityGroups take one group and 100 instances, DescribeInstances 100 ids.
    # ModifyInstancesAttribute moves in one call, but gives all its instances the same list, and
    # has no version that would keep what others change meanwhile.
    "tencent": Least(100, 100, 100, 100, 100, rules_replaced=100, is_moved_at_once=False),
    # ModifySecurityGroupsOfInstance takes twenty instances, covers what each carried before, in the
    # order that is given, and has neither a version nor a way to add one group. What an instance
    # carries is told one a call; lists of 100 of a group have their ids only, and tell the end. So
    # each instance is read for the plan, and once more before its call.
    # cloud.tencent.com/document/api/213/1367 (1.4, 1.5, 2) and 213/1366, read 2026-11-29.
    "tencent-dfw": Least(100, 100, 20, 1, 100, holders_looked_at=1),
    # RevokeSecurityGroup takes 100 rule ids, ModifyInstanceAttribute one holder; what it carries is
    # told with the verdict, and looked at right before and once it has been changed, 100 instances
    # a call: it replaces the whole list, too.
    "alibaba": Least(100, 100, 1, None, 100, holders_looked_at=100),
    # Up to 200 new rules of a group a call, one to delete. Batch add and remove of 20 ports (v2.0)
    # keeps no order of groups, so v3's calls for one port are what a plan that keeps it can use;
    # none of them puts a group in the place of another.
    "huawei": Least(1, 200, 1, None, is_moved_at_once=False),
    # Neutron makes any number of rules of one group in one call (400 SecurityGroupNotSingleGroup-
    # Rules for several groups), and deletes one; a port is changed alone, as a whole list.
    "openstack": Least(1, 1000, 1, None),
}


def fewest(crowd: Crowd, verdict: int) -> int:
    """The calls of the shortest plan that is as safe; ``verdict`` are those of one verdict."""
    least = LEAST[crowd.world.provider]
    each = crowd.references // crowd.referrers
    is_rewritten, is_moved = "rewrite" in crowd.remedies, "move" in crowd.remedies

    def rules(per_call: int) -> int:
        return crowd.referrers * math.ceil(each / per_call)

    changes = rules(least.rules_removed)
    if is_rewritten:
        in_place = least.rules_replaced
        changes = rules(in_place) if in_place else changes + rules(least.rules_added)
    moves = 1 if not is_moved or least.is_moved_at_once else 2
    looks = [least.holders_read, least.holders_looked_at, *[least.holders_awaited] * moves]
    return (
        2 * verdict
        + crowd.referrers  # the rules of each
        + 1  # the rules of the target, to be kept
        + (1 if is_rewritten or is_moved else 0)  # is the group there that is used instead?
        + sum(math.ceil(crowd.holders / per_call) for per_call in looks if per_call)
        + changes
        + moves * math.ceil(crowd.holders / least.holders)
        + 1
    )
