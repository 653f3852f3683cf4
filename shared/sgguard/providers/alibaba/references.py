"""Which rules of other groups name a group: the call, the rules, and a scan where needed.

1. The call (``referrers``) names the referring groups, other accounts included, in at most a
   hundred records and without a second page. Below that ceiling it is complete.
2. The rules of the named groups of this account are read for the evidence (``referring_group``).
3. At the ceiling the rules of all groups of this account are read instead (``scan``), and only
   other accounts remain unseen.
4. A group that the call leaves out, asked for alone, has no references according to the cloud.
   The rules of all groups must agree, and the call must mention another group, or refuse one that
   cannot exist: else the empty response proves nothing of other accounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sgguard.model.codes import UnseenCode
from sgguard.model.resource import Group, Reference, Seen, Unseen
from sgguard.model.sentence import said
from sgguard.providers._shared import unproved
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.proof import REFERENCES, doubt_of_references, grant
from sgguard.providers.alibaba.referrers import (
    RECORDS_MAX,
    Referrer,
    ReferrerReport,
    read_referrers,
)
from sgguard.providers.alibaba.referring_group import (
    Naming,
    ReferringGroup,
    naming,
    read_referring_groups,
    reference_by,
    references_of,
)
from sgguard.providers.alibaba.scan import Scan, scan

_UNNAMED_ACCOUNT = "unknown"
_AGAIN = said("remedy.revoke-known")


def list_references(
    ecs: EcsClient, account: str, group_ids: Sequence[str]
) -> Seen[dict[str, tuple[Reference, ...]]]:
    """Return the rules of other groups that name each group.

    ``account`` is the AliUid of the credentials where it is known. A second wave of calls reads the
    rules of referring groups, if there are any; only where the call is incomplete there is a scan.

    Raises:
        CloudError: a call failed.
    """
    # 1. The call; a group's references to itself do not count.
    reported = read_referrers(ecs, group_ids)
    others = {
        group_id: [one for one in referrers if one.group_id != group_id]
        for group_id, referrers in reported.referrers.items()
    }
    # 2. The rules behind the names; those of other accounts cannot be read.
    named = {one for some in others.values() for one in some}
    ours = sorted({one.group_id for one in named if not _is_foreign(one, account)})
    referring = read_referring_groups(ecs, ours)
    ruled = {one: naming(read.group) for one, read in referring.items() if read.group}
    found = {
        group_id: tuple(
            reference
            for one in some
            for reference in _references(group_id, one, account, ruled.get(one.group_id))
        )
        for group_id, some in others.items()
    }
    unseen = [*reported.unseen, *_unread_rules(others, referring)]
    full = reported.full | {one for one, some in found.items() if len(some) >= RECORDS_MAX}
    # 3. and 4. The scan, for full responses and for groups that were left out.
    if incomplete := sorted(full | reported.silent):
        scanned = scan(ecs, incomplete, _with_rules(referring))
        remaining = {
            one: _remaining_gap(one, scanned, reported, is_full=one in full) for one in incomplete
        }
        unseen += remaining.values()
        found |= {one: _merged(found[one], scanned.references.get(one, ())) for one in incomplete}
        if not reported.is_answered:
            unseen += _unproved(ecs, [one for one, gap in remaining.items() if gap is None])
    return Seen(found, tuple(one for one in unseen if one is not None))


def _is_foreign(referrer: Referrer, account: str) -> bool:
    """Return whether the referring group is known to be of another account.

    The configured name of an account need not be its AliUid; only a number can contradict one.
    """
    is_known = account.isdigit() and referrer.account.isdigit()
    return is_known and account != referrer.account


def _references(
    group_id: str, referrer: Referrer, account: str, referring_group: Naming | None
) -> Sequence[Reference]:
    """Return a reference for each rule that names the group, at least one for the referrer."""
    if referring_group is None:
        owner = referrer.account or _UNNAMED_ACCOUNT
        return [Reference(referrer.group_id, account="" if owner == account else owner)]
    return references_of(group_id, referring_group) or [reference_by(referring_group.group)]


def _unread_rules(
    others: Mapping[str, Sequence[Referrer]], referring: Mapping[str, ReferringGroup]
) -> list[Unseen | None]:
    """Return a gap for each group and referrer whose rules could not be read."""
    unknown = ReferringGroup(None)
    return [
        Unseen(one.code, one.what, one.why, one.remedy, group_id)
        for group_id, referrers in others.items()
        for referrer in referrers
        for one in referring.get(referrer.group_id, unknown).unseen
    ]


def _unproved(ecs: EcsClient, silent: Sequence[str]) -> Sequence[Unseen]:
    """Return a gap for each group that the call left out, where that proves nothing.

    The rules of all groups agree that nothing names them; other accounts show in the call only.
    """
    doubt = doubt_of_references(ecs) if silent else ""
    if not doubt:
        return ()
    why = said("why.silent-unproved", doubt=doubt)
    return unproved(said("part.of-group", part="references"), why, grant(REFERENCES), silent)


def _with_rules(referring: Mapping[str, ReferringGroup]) -> dict[str, Group]:
    groups = {group_id: referring_group.group for group_id, referring_group in referring.items()}
    return {group_id: one for group_id, one in groups.items() if one and one.rules is not None}


def _merged(
    reported: tuple[Reference, ...], scanned: tuple[Reference, ...]
) -> tuple[Reference, ...]:
    """Return the references from the call, and those that only the scan found."""
    referring = {reference.group_id for reference in reported}
    return (*reported, *(one for one in scanned if one.group_id not in referring))


def _remaining_gap(
    group_id: str, scanned: Scan, reported: ReferrerReport, *, is_full: bool
) -> Unseen | None:
    """Return what stays unseen after the scan, None when nothing does."""
    if is_full and scanned.gap:
        return Unseen(
            UnseenCode.RECORD_CEILING,
            said("part.references-beyond", group=group_id, most=RECORDS_MAX),
            said("why.full-ended-early", most=RECORDS_MAX, gap=scanned.gap),
            _AGAIN,
            group_id,
        )
    if is_full:
        return Unseen(
            UnseenCode.CROSS_ACCOUNT,
            said("part.foreign-beyond", group=group_id, most=RECORDS_MAX),
            said("why.full-foreign", most=RECORDS_MAX),
            _AGAIN,
            group_id,
        )
    if scanned.gap:
        return Unseen(
            UnseenCode.NOT_TOLD,
            said("part.of", part="references", thing=group_id),
            said("why.silent-ended-early", gap=scanned.gap),
            said("remedy.list-all"),
            group_id,
        )
    if reported.silent >= {group_id} and scanned.references.get(group_id):
        return Unseen(
            UnseenCode.CROSS_ACCOUNT,
            said("part.foreign", group=group_id),
            said("why.silent-contradicted"),
            said("remedy.again-or-report"),
            group_id,
        )
    return None
