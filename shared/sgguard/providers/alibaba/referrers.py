"""The groups that reference a group, by DescribeSecurityGroupReferences, in all its shapes.

The servers respond nested (``SecurityGroupReferences.SecurityGroupReference[]`` with
``ReferencingSecurityGroups.ReferencingSecurityGroup[]``). The document's JSON sample has bare
arrays and calls the inner one ``SecurityReferencingGroups``; the vendor's SDK reads a nested
response with that inner name as "no references". Here both names and both forms are accepted, in
any combination, and everything else is an unknown shape.

Source: DescribeSecurityGroupReferences, alibabacloud.com/help, every revision up to 2026-01.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from sgguard.errors import NotFoundError, UnknownShapeError
from sgguard.model.codes import UnseenCode
from sgguard.model.failure import failure_of
from sgguard.model.resource import Seen, Unseen
from sgguard.model.sentence import Sentence, said
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.codes import NO_SUCH_GROUP
from sgguard.providers.alibaba.proof import REFERENCES
from sgguard.providers.alibaba.response import Response
from sgguard.wire.parallel import chunks, parallel

REFERENCES_A_CALL = 10
"""A call takes at most this many groups."""

RECORDS_MAX = 100
"""A response has at most this many records, and there is no second page."""

_OUTER = "SecurityGroupReferences"
_INNER = {
    "ReferencingSecurityGroups": "ReferencingSecurityGroup",
    "SecurityReferencingGroups": "SecurityReferencingGroup",
}


class Referrer(msgspec.Struct, frozen=True):
    """A group with a rule that names another group; ``account`` is its owner's AliUid."""

    group_id: str
    account: str = ""


class ReferrerReport(msgspec.Struct, frozen=True):
    """What the call reports: the groups that reference each group, and where that is incomplete.

    ``full`` are groups whose response has as many records as a response can have. ``silent`` are
    groups that were asked for alone, with an empty list as the response: a server may leave out
    groups without references. A group that is missing from ``referrers`` was not reported, and
    ``unseen`` says why.
    """

    referrers: Mapping[str, tuple[Referrer, ...]] = msgspec.field(default_factory=dict)
    full: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    unseen: tuple[Unseen, ...] = ()

    @property
    def is_answered(self) -> bool:
        """Return whether the cloud mentioned any group, as only a permitted caller is told."""
        return bool(self.referrers.keys() - self.silent)


def read_referrers(ecs: EcsClient, group_ids: Sequence[str]) -> ReferrerReport:
    """Return the groups that reference each group, ten ids a call.

    Groups are asked for again, one at a time, where the response about several is full, is of
    unknown shape, or does not mention them.

    Raises:
        CloudError: a call failed.
    """
    asked = chunks(group_ids, REFERENCES_A_CALL)
    return _merged(parallel([partial(_read_or_unseen, ecs, some) for some in asked]))


def _read_or_unseen(ecs: EcsClient, group_ids: Sequence[str]) -> ReferrerReport:
    seen = seen_or_unseen(
        "references", lambda: Seen(_read_or_split(ecs, group_ids)), ReferrerReport()
    )
    named = (replace(one, group_id=group_id) for group_id in group_ids for one in seen.unseen)
    return replace(seen.value, unseen=(*seen.value.unseen, *named))


def _read_or_split(ecs: EcsClient, group_ids: Sequence[str]) -> ReferrerReport:
    try:
        return _read(ecs, group_ids)
    except UnknownShapeError:
        if len(group_ids) == 1:
            raise
        # One garbled response must not leave ten groups without a verdict.
        return _one_by_one(ecs, group_ids)


def _read(ecs: EcsClient, group_ids: Sequence[str]) -> ReferrerReport:
    """Send one call, and further ones for single groups where its response is not enough."""
    is_alone = len(group_ids) == 1
    numbered = {f"SecurityGroupId.{n}": one for n, one in enumerate(group_ids, start=1)}
    # 1. One unknown id makes the cloud refuse the whole call.
    try:
        response = ecs.read(REFERENCES, numbered)
    except NotFoundError as error:
        if error.code != NO_SUCH_GROUP:
            raise
        if is_alone:
            return ReferrerReport(unseen=(_unreported(group_ids[0], failure_of(error)),))
        return _one_by_one(ecs, group_ids)
    found, records = parse_references(response, group_ids)
    # 2. A full response about several groups may have cut the records of any of them.
    is_full = records >= RECORDS_MAX
    if is_full and not is_alone:
        return _one_by_one(ecs, group_ids)
    # 3. A group that is not mentioned is read alone; alone, only an empty list means "none".
    missing = [group_id for group_id in group_ids if group_id not in found]
    if missing and not is_alone:
        return _merged([ReferrerReport(found), _one_by_one(ecs, missing)])
    if missing and not is_silent(response):
        return ReferrerReport(unseen=(_unreported(missing[0], said("why.group-not-mentioned")),))
    reported = {group_id: found.get(group_id, ()) for group_id in group_ids}
    return ReferrerReport(
        reported, full=frozenset(reported if is_full else ()), silent=frozenset(missing)
    )


def _one_by_one(ecs: EcsClient, group_ids: Sequence[str]) -> ReferrerReport:
    return _merged(parallel([partial(_read_or_unseen, ecs, [one]) for one in group_ids]))


def _merged(parts: Sequence[ReferrerReport]) -> ReferrerReport:
    """Merge the reports about different groups."""
    return ReferrerReport(
        referrers={group_id: some for part in parts for group_id, some in part.referrers.items()},
        full=frozenset().union(*(part.full for part in parts)),
        silent=frozenset().union(*(part.silent for part in parts)),
        unseen=tuple(unseen for part in parts for unseen in part.unseen),
    )


def _unreported(group_id: str, why: Sentence) -> Unseen:
    remedy = said("remedy.again-or-report")
    return Unseen(
        UnseenCode.NOT_TOLD,
        said("part.of", part="references", thing=group_id),
        why,
        remedy,
        group_id,
    )


def parse_references(
    response: Response, asked: Collection[str]
) -> tuple[dict[str, tuple[Referrer, ...]], int]:
    """Return the referrers of each group in the response, and how many records it has.

    Groups that were not asked about are left out. A group asked about that the response does not
    mention is missing from the result, which is not the same as having no referrers.

    Raises:
        UnknownShapeError: any part is in neither of the known shapes, or the response has a page
            token, which the document does not mention.
    """
    if response.fields.get("NextToken"):
        raise response.unknown("there is a NextToken, so this is not everything")
    found: dict[str, tuple[Referrer, ...]] = {}
    records = 0
    for entry in _entries(response):
        group_id = _required_id(response, entry)
        referrers = tuple(_referrer(response, raw) for raw in _inner(response, entry))
        records += len(referrers)
        if group_id in asked:
            found[group_id] = tuple(dict.fromkeys(found.get(group_id, ()) + referrers))
    return found, records


def is_silent(response: Response) -> bool:
    """Return whether a response mentions no group at all, in the form that servers use.

    The bare array of the document was never seen empty; it may be a truncated response.
    """
    return bool(response.fields[_OUTER] == {"SecurityGroupReference": []})


def _entries(response: Response) -> list[Any]:
    outer = response.fields.get(_OUTER)
    entries = outer.get("SecurityGroupReference") if isinstance(outer, dict) else outer
    if not isinstance(entries, list):
        raise response.unknown("SecurityGroupReferences is in neither of the known shapes")
    return entries


def _inner(response: Response, entry: dict[str, Any]) -> list[Any]:
    names = [name for name in _INNER if name in entry]
    if len(names) != 1:
        raise response.unknown("a SecurityGroupReference without ReferencingSecurityGroups")
    value = entry[names[0]]
    is_mixed = isinstance(value, list) and isinstance(response.fields[_OUTER], dict)
    if isinstance(value, dict):
        known = [value[item] for item in _INNER.values() if item in value]
        value = known[0] if len(known) == 1 else None
    # No document or server has a bare array in a nested response: an empty one may be truncated.
    if not isinstance(value, list) or (is_mixed and not value):
        raise response.unknown(f"{names[0]} is in neither of the known shapes")
    return value


def _referrer(response: Response, raw: Any) -> Referrer:
    group_id = _required_id(response, raw)
    account = raw.get("AliUid", "")
    if isinstance(account, bool) or not isinstance(account, str | int):
        raise response.unknown("AliUid is neither text nor a number")
    return Referrer(group_id, str(account))


def _required_id(response: Response, raw: Any) -> str:
    group_id = raw.get("SecurityGroupId") if isinstance(raw, dict) else None
    if not isinstance(group_id, str) or not group_id:
        raise response.unknown("an entry of SecurityGroupReferences without SecurityGroupId")
    return group_id
