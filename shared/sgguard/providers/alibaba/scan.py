"""References to a group, found in the rules of every group of the account and region.

The fallback where DescribeSecurityGroupReferences is incomplete. It sees both directions and every
page, but only this account: groups of other accounts are never listed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from sgguard.errors import CloudError, DeadlineError, NotFoundError
from sgguard.model.failure import failure_of
from sgguard.model.resource import Group, Reference
from sgguard.model.sentence import Text, said
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.group import read_with_rules
from sgguard.providers.alibaba.listing import GROUPS, read_all
from sgguard.providers.alibaba.referring_group import naming, references_of
from sgguard.providers.alibaba.response import group_of, number
from sgguard.wire.parallel import chunks, parallel

AT_ONCE = 32
"""Groups whose rules are read in parallel."""

RESERVE_S = 0.5
"""Seconds before the event's deadline at which a scan ends, so that its result is still used."""


class Scan(msgspec.Struct, frozen=True):
    """References by the group they name; ``gap`` says why there may be more of them."""

    references: Mapping[str, tuple[Reference, ...]]
    gap: Text = ""


class _Candidate(msgspec.Struct, frozen=True):
    """A listed group, and how many of its rules name groups according to the list."""

    group: Group
    counted: int | None


def scan(ecs: EcsClient, group_ids: Collection[str], known: Mapping[str, Group]) -> Scan:
    """Return every reference to the groups from rules of this account's groups.

    ``known`` are groups whose rules were read already. Nothing is raised: an error becomes the gap,
    and what was found until then is returned.
    """
    # 1. List all groups, within a deadline that leaves time to use the result.
    hurried = _ending_earlier(ecs)
    try:
        candidates = _list(hurried)
    except (CloudError, DeadlineError) as error:
        return Scan({}, said("why.groups-unlisted", why=failure_of(error)))
    # 2. A list without a group that is known to exist may lack others as well.
    listed = {one.group.group_id for one in candidates}
    hidden = sorted({*group_ids, *known} - listed)
    if hidden:
        return Scan({}, said("why.list-lacks", action=GROUPS.action, group=hidden[0]))
    # 3. Read the rules, and collect those that name the groups.
    read, gap = _read(hurried, candidates, known)
    ruled = [naming(one) for one in read]
    references = {
        group_id: tuple(
            reference
            for referring_group in ruled
            if referring_group.group.group_id != group_id
            for reference in references_of(group_id, referring_group)
        )
        for group_id in group_ids
    }
    return Scan(references, gap)


def _ending_earlier(ecs: EcsClient) -> EcsClient:
    return replace(ecs, wire=replace(ecs.wire, deadline=ecs.wire.deadline.earlier(RESERVE_S)))


def _list(ecs: EcsClient) -> list[_Candidate]:
    listed = read_all(ecs, GROUPS, {})
    return [
        _Candidate(group_of(listed.response, row), number(row.get("GroupToGroupRuleCount")))
        for row in listed.rows
    ]


def _read(
    ecs: EcsClient, candidates: Sequence[_Candidate], known: Mapping[str, Group]
) -> tuple[list[Group], Text]:
    """Return the groups with those of their rules that name groups, and the gap.

    Groups with a count of 0 are skipped only while the counts are plausible: there is one for every
    group, some are not zero, and none is below what was read.
    """
    counts = [one.counted for one in candidates]
    is_counted = None not in counts and any(counts)
    read = [_with_naming_rules(one, known) for one in candidates if one.group.group_id in known]
    rest = [one for one in candidates if one.group.group_id not in known]
    first = [one for one in rest if one.counted or not is_counted]
    # 1. The groups with a count above 0; all groups where the counts are not plausible.
    more, gap = _side_by_side(ecs, first)
    read += more
    # 2. A count that proves too low refutes the others: the skipped groups are read as well.
    is_too_low = any(_naming_rules(group) > (one.counted or 0) for one, group in read)
    if not gap and is_counted and is_too_low:
        more, gap = _side_by_side(ecs, [one for one in rest if not one.counted])
        read += more
    # 3. A count above the rules that were read: rules are missing.
    short = next((g.group_id for one, g in read if _naming_rules(g) < (one.counted or 0)), "")
    if short and not gap:
        gap = said("why.rules-short", group=short)
    return [group for _, group in read], gap


def _side_by_side(
    ecs: EcsClient, candidates: Sequence[_Candidate]
) -> tuple[list[tuple[_Candidate, Group]], Text]:
    """Return the groups with their rules; the first error is the gap."""
    by_id = {one.group.group_id: one for one in candidates}
    read: list[tuple[_Candidate, Group]] = []
    for some in chunks(by_id, AT_ONCE):
        results = parallel([partial(_rules, ecs, group_id) for group_id in some])
        for group_id, result in zip(some, results, strict=True):
            if isinstance(result, Group):
                read.append(_with_naming_rules(by_id[group_id], {group_id: result}))
        failed = next((one for one in results if isinstance(one, Exception)), None)
        if failed is not None:
            why = failure_of(failed)
            gap = said("why.rules-ended", read=len(read), total=len(candidates), why=why)
            return read, gap
    return read, ""


def _rules(ecs: EcsClient, group_id: str) -> Group | CloudError | DeadlineError | None:
    """Return the group with its rules, None when it was deleted meanwhile, or the error."""
    try:
        return read_with_rules(ecs, group_id)
    except NotFoundError:
        return None
    except (CloudError, DeadlineError) as error:
        return error


def _with_naming_rules(one: _Candidate, read: Mapping[str, Group]) -> tuple[_Candidate, Group]:
    """Return the listed group with the rules that name groups; the others are not kept."""
    rules = tuple(rule for rule in read[one.group.group_id].rules or () if rule.peer_group)
    return one, replace(one.group, rules=rules)


def _naming_rules(group: Group) -> int:
    return len(group.rules or ())
