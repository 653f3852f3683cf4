"""Changing several rules of a group with few calls, in Tencent's API 3.0.

One call takes rules of one direction, by their positions, and the version that the positions were
read with: it makes all changes or, with an outdated version, none. Changes are split, in their
order, into parts that one call makes:

- rules that get another one in their place (an addition and a removal each): ReplaceSecurityGroup-
  Policies, which leaves no moment without either rule and moves no other rule;
- rules that are removed: DeleteSecurityGroupPolicies;
- any other change: by itself, as :mod:`~sgguard.providers.tencent.rule_change` makes it.

Before each part the rules are read with their version, and the positions found by content. Where
one change of a part is impossible (its rule is gone, or there already), it has its error, the other
half of its pair waits, and the rest of the part is made. After a part that was refused or lost,
the parts behind it are not sent.
Sources: https://cloud.tencent.com/document/api/215/88451 and /15809 (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sgguard.errors import (
    ApiAbsentError,
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    NotFoundError,
    SgguardError,
)
from sgguard.model.change import Change, content
from sgguard.model.resource import Rule
from sgguard.model.sending import MaySend
from sgguard.model.subject import rule_of
from sgguard.providers._tencent_positions import locate
from sgguard.providers._together import Result, attempted, held, is_of_one, late
from sgguard.providers.tencent import rule_change
from sgguard.providers.tencent.api import TencentApi
from sgguard.providers.tencent.codes import may_be_reached
from sgguard.providers.tencent.rule_shape import KEYS, PolicySet, row_of

RULES_PER_CALL = 100
"""A group has no more rules of a direction."""

_REPLACE, _REMOVE = "ReplaceSecurityGroupPolicies", "DeleteSecurityGroupPolicies"
_NOT_HERE = (ApiAbsentError, ForbiddenError, InvalidRequestError)
"""Refusals of the call that replaces: a region, or a policy of permissions, may be without it."""

Numbered = tuple[int, Change]
"""A change, and its place among all of the batch."""
Results = dict[int, Result]


def change_rules(
    api: TencentApi, group_id: str, changes: Sequence[Change], may_send: MaySend
) -> list[Result]:
    """Make changes of rules of one group, in their order; return the error of each."""
    results: Results = {}
    parts = list(_parts(list(enumerate(changes))))
    while parts:
        part = parts.pop(0)
        if not may_send():
            made: Results = {number: late() for number, _ in part}
        elif len(part) == 1:
            made = {number: _alone(api, group_id, change, may_send) for number, change in part}
        else:
            try:
                made = _together(api, group_id, part, may_send)
            except _NOT_HERE as error:
                if part[0][1].kind == "remove-rule":
                    made = {number: error for number, _ in part}
                else:  # one after another instead: the new rule of each before its old one
                    parts[:0] = [[one] for one in part]
                    continue
            except SgguardError as error:
                if is_of_one(error) and not isinstance(error, ConflictError):
                    parts[:0] = [[one] for one in part]  # which of them it was is not told
                    continue
                made = {number: error for number, _ in part}
        results |= made
        if any(made.values()):
            break
    return [results[n] if n in results else held() for n in range(len(changes))]


def _alone(api: TencentApi, group_id: str, change: Change, may_send: MaySend) -> Result:
    make = rule_change.add_rule if change.kind == "add-rule" else rule_change.remove_rule
    return attempted(lambda: make(api, group_id, rule_of(change)), may_send)


def _parts(changes: Sequence[Numbered]) -> Iterator[list[Numbered]]:
    """Yield the changes in the parts that one call makes, in their order."""
    part: list[Numbered] = []
    at = 0
    while at < len(changes):
        size = 2 if _is_pair(changes[at : at + 2]) else 1
        some, at = list(changes[at : at + size]), at + size
        if part and not _go_together(part, some):
            yield part
            part = []
        part += some
    if part:
        yield part


def _is_pair(two: Sequence[Numbered]) -> bool:
    """Return whether a rule gets another one in its place: the new one is added before it goes."""
    if [change.kind for _, change in two] != ["add-rule", "remove-rule"]:
        return False
    new, old = (rule_of(change) for _, change in two)
    return new.direction == old.direction and new.rule_id == old.rule_id


def _go_together(part: Sequence[Numbered], some: Sequence[Numbered]) -> bool:
    kinds = [change.kind for _, change in some]
    if kinds == ["add-rule"] or len(part) + len(some) > 2 * RULES_PER_CALL:
        return False
    same = [change.kind for _, change in part[: len(some)]] == kinds
    pairs = {len(kinds) == 2, _is_pair(part[:2])}  # noqa: PLR2004 - a pair
    directions = {rule_of(change).direction for _, change in (*part[:1], *some)}
    return same and len(pairs) == 1 and len(directions) == 1


def _together(
    api: TencentApi, group_id: str, part: Sequence[Numbered], may_send: MaySend
) -> Results:
    """Make the changes of one part with one call; once more where the version was outdated.

    Raises:
        CloudError, DeadlineError: for all of them that were sent.
    """
    try:
        return _once(api, group_id, part)
    except ConflictError as error:
        # Somebody changed the group since it was read, or a first try of the call was lost: what is
        # there now tells which changes are still to be made.
        if not may_be_reached(error) or not may_send():
            raise
        return _once(api, group_id, part, is_again=True)


def _once(
    api: TencentApi, group_id: str, part: Sequence[Numbered], *, is_again: bool = False
) -> Results:
    """Make the changes of one part with one call; ``is_again``: those that are not made yet.

    Raises:
        CloudError, DeadlineError: for all of them that were sent.
    """
    is_replacing = part[0][1].kind == "add-rule"
    action = _REPLACE if is_replacing else _REMOVE
    found = rule_change.versioned(api, group_id, action)
    results: Results = {}
    rows: dict[int, Mapping[str, Any]] = {}
    sent: list[int] = []
    for at in range(0, len(part), 2 if is_replacing else 1):
        number, change = part[at]
        old_number, old = part[at + 1] if is_replacing else part[at]
        place = _place(found, rule_of(old), rows)
        if place is None and is_again and (not is_replacing or _is_there(found, rule_of(change))):
            results |= {number: None, old_number: None}
        elif place is None:
            results[old_number] = NotFoundError(
                api.wire.provider, action, detail=f"{group_id} has no such rule (any more)"
            )
        elif is_replacing and _is_there(found, rule_of(change)):
            results[number] = ConflictError(
                api.wire.provider, action, detail=f"{group_id} has this rule already"
            )
        else:
            new = row_of(rule_of(change)) if is_replacing else {}
            rows[place] = {**new, "PolicyIndex": place}
            sent += [number, old_number]
            continue
        results |= {one: held() for one in (number, old_number) if one not in results}
    if rows:
        key = KEYS[rule_of(part[0][1]).direction]
        policies = {"Version": found.version, key: [rows[place] for place in sorted(rows)]}
        rule_change.send(api, action, group_id, policies)
    return results | dict.fromkeys(sent)


def _place(found: PolicySet, rule: Rule, taken: Mapping[int, object]) -> int | None:
    """Return where a rule is now, not at a place that another change of the call has."""
    left = [
        one
        for one in found.rules
        if one.direction == rule.direction
        and not any(one.rule_id == f"{rule.direction}[{place}]" for place in taken)
    ]
    return locate(left, rule)


def _is_there(found: PolicySet, rule: Rule) -> bool:
    return any(content(one) == content(rule) for one in found.rules)
