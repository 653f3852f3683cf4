"""Who references a group: the answer of DescribeSecurityGroupReferences, in all its shapes.

The servers answer nested (``SecurityGroupReferences.SecurityGroupReference[]`` with
``ReferencingSecurityGroups.ReferencingSecurityGroup[]``). The document's JSON sample has bare
arrays and calls the inner one ``SecurityReferencingGroups``; the vendor's SDK reads a nested answer
with that inner name as "no references". Here both names and both forms are known, in any
combination, and everything else is an unknown shape.

Source: DescribeSecurityGroupReferences, alibabacloud.com/help, every revision up to 2026-01.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sgguard.errors import NotFoundError
from sgguard.model import Seen, Unseen
from sgguard.providers.alibaba.answer import NO_SUCH_GROUP, Answer
from sgguard.providers.alibaba.client import EcsClient
from sgguard.wire.parallel import parallel

T = TypeVar("T")

REFERENCES_A_CALL = 10
"""A query takes at most this many groups."""

RECORDS_MAX = 100
"""A query answers with at most this many records, and has no second page."""

_INNER = {
    "ReferencingSecurityGroups": "ReferencingSecurityGroup",
    "SecurityReferencingGroups": "SecurityReferencingGroup",
}


@dataclass(frozen=True, slots=True)
class Referrer:
    """A group with a rule that names the group asked about; ``account`` is its owner's AliUid."""

    group_id: str
    account: str = ""


def ask_referrers(
    ecs: EcsClient, group_ids: Sequence[str]
) -> Seen[dict[str, tuple[Referrer, ...]]]:
    """Return the groups that reference each of at most ten groups.

    A full answer about several groups is asked for again, one group at a time; one about a single
    group is ``record-ceiling``. A group the cloud does not answer for, or does not know, is left
    out and ``not-told``.

    Raises:
        CloudError: the cloud refused, did not answer, or answered something else.
    """
    numbered = {f"SecurityGroupId.{n}": one for n, one in enumerate(group_ids, start=1)}
    try:
        answer = ecs.read("DescribeSecurityGroupReferences", numbered)
    except NotFoundError as error:
        if error.code != NO_SUCH_GROUP:
            raise
        if len(group_ids) > 1:
            return _one_by_one(ecs, group_ids)
        return Seen({}, (_not_told(group_ids[0], str(error)),))
    found, records = parse_references(answer, group_ids)
    is_full = records >= RECORDS_MAX
    if is_full and len(group_ids) > 1:
        return _one_by_one(ecs, group_ids)
    why = "the answer does not mention this group"
    unseen = [_not_told(group_id, why) for group_id in group_ids if group_id not in found]
    return Seen(found, (*unseen, *(_ceiling(one) for one in group_ids if is_full)))


def _one_by_one(ecs: EcsClient, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Referrer, ...]]]:
    return merged(parallel([partial(ask_referrers, ecs, [one]) for one in group_ids]))


def merged(parts: Sequence[Seen[dict[str, T]]]) -> Seen[dict[str, T]]:
    """Return the answers about different groups as one."""
    value = {group_id: one for part in parts for group_id, one in part.value.items()}
    return Seen(value, tuple(unseen for part in parts for unseen in part.unseen))


def _not_told(group_id: str, why: str) -> Unseen:
    remedy = "ask again; if it stays so, report it to the maintainers of sgguard"
    return Unseen("not-told", f"references of {group_id}", why, remedy, group_id)


def _ceiling(group_id: str) -> Unseen:
    return Unseen(
        "record-ceiling",
        f"references of {group_id} beyond the first {RECORDS_MAX}",
        f"the cloud tells at most {RECORDS_MAX} records and has no second page",
        "revoke the references that are known, then ask again",
        group_id,
    )


def parse_references(
    answer: Answer, asked: Collection[str]
) -> tuple[dict[str, tuple[Referrer, ...]], int]:
    """Return the referrers of each group the answer speaks of, and how many records it has.

    Groups that were not asked about are left out; a group asked about that the answer does not
    mention is not in the result, which is not the same as having no referrers.

    Raises:
        UnknownShapeError: any part is neither of the known shapes, or the answer has a page token,
            which the document does not know.
    """
    if answer.fields.get("NextToken"):
        raise answer.unknown("there is a NextToken, so this is not everything")
    found: dict[str, tuple[Referrer, ...]] = {}
    records = 0
    for entry in _entries(answer):
        group_id = _required_id(answer, entry)
        referrers = tuple(_referrer(answer, raw) for raw in _inner(answer, entry))
        records += len(referrers)
        if group_id in asked:
            found[group_id] = tuple(dict.fromkeys(found.get(group_id, ()) + referrers))
    return found, records


def _entries(answer: Answer) -> list[Any]:
    outer = answer.fields.get("SecurityGroupReferences")
    entries = outer.get("SecurityGroupReference") if isinstance(outer, dict) else outer
    if not isinstance(entries, list):
        raise answer.unknown("SecurityGroupReferences is in neither of the known shapes")
    return entries


def _inner(answer: Answer, entry: dict[str, Any]) -> list[Any]:
    names = [name for name in _INNER if name in entry]
    if len(names) != 1:
        raise answer.unknown("a SecurityGroupReference without ReferencingSecurityGroups")
    value = entry[names[0]]
    if isinstance(value, dict):
        known = [value[item] for item in _INNER.values() if item in value]
        value = known[0] if len(known) == 1 else None
    if not isinstance(value, list):
        raise answer.unknown(f"{names[0]} is in neither of the known shapes")
    return value


def _referrer(answer: Answer, raw: Any) -> Referrer:
    group_id = _required_id(answer, raw)
    account = raw.get("AliUid", "")
    if isinstance(account, bool) or not isinstance(account, str | int):
        raise answer.unknown("AliUid is neither text nor a number")
    return Referrer(group_id, str(account))


def _required_id(answer: Answer, raw: Any) -> str:
    group_id = raw.get("SecurityGroupId") if isinstance(raw, dict) else None
    if not isinstance(group_id, str) or not group_id:
        raise answer.unknown("an entry of SecurityGroupReferences without SecurityGroupId")
    return group_id
