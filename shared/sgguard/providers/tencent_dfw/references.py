"""Which rules of other groups name a group (API 2.0): the list of referrers beside the count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sgguard.errors import ForbiddenError, UnknownShapeError
from sgguard.model.codes import UnseenCode
from sgguard.model.resource import Group, Reference, Seen, Unseen
from sgguard.model.sentence import said
from sgguard.providers._shared import about_group, unproved, unreported
from sgguard.providers._tencent import Reading, references
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.tencent_dfw import response
from sgguard.providers.tencent_dfw.api import DfwApi
from sgguard.wire.parallel import in_chunks, parallel

_GROUPS_PER_CALL = 50


def list_references(
    api: DfwApi, group_ids: Sequence[str]
) -> Seen[dict[str, tuple[Reference, ...]]]:
    """Return, by id, every rule of another group that names it; one wave where none does."""
    ids = list(dict.fromkeys(group_ids))
    named, *counted = parallel(
        [partial(_named, api, ids), *(partial(_counted, api, group_id) for group_id in ids)]
    )
    counts = {
        group_id: one.value
        for group_id, one in zip(ids, counted, strict=True)
        if one.value is not None
    }
    # The list leaves out a group's own rules, and whole groups: the count is taken as one of other
    # groups, so that only names explain it.
    reading = Reading(partial(_groups, api), partial(response.rules, api), counts_own=False)
    found = references(named.value, counts, reading)
    # A missing permission is reported with the groups themselves, which need the same call.
    uncounted = (
        gap for one in counted for gap in one.unseen if gap.code != UnseenCode.NO_PERMISSION
    )
    untold = [
        group_id
        for group_id, one in zip(ids, counted, strict=True)
        if one.value is None and not one.unseen
    ]
    unseen = [*named.unseen, *uncounted, *_unproved(untold), *found.unseen]
    if not named.unseen:
        unseen += unreported("references", ids, named.value)
    return Seen(found.value, tuple(unseen))


def _unproved(group_ids: Sequence[str]) -> tuple[Unseen, ...]:
    """Return the gaps of groups whose referrers are listed and not counted.

    The list has no rows of groups that are not referenced, and no error code for what these
    credentials may not see: only the count shows that it is complete.
    """
    if not group_ids:
        return ()
    return unproved(
        "references",
        said("why.uncounted"),
        said("remedy.ask-api3-or-look"),
        group_ids,
    )


def _named(api: DfwApi, group_ids: Sequence[str]) -> Seen[Any]:
    nothing: Any = {}

    def ask() -> Seen[Any]:
        return Seen(in_chunks(group_ids, _GROUPS_PER_CALL, partial(response.referrers, api)))

    return seen_or_unseen("references", ask, nothing)


def _counted(api: DfwApi, group_id: str) -> Seen[Any]:
    nothing: Any = None

    def ask() -> Seen[Any]:
        found = response.described(api, group_id)
        return Seen(found.referrers) if found else Seen(nothing, (_undescribed(group_id),))

    what = said("part.reference-count", group=group_id)
    return about_group(group_id, seen_or_unseen(what, ask, nothing))


def _undescribed(group_id: str) -> Unseen:
    return Unseen(
        code=UnseenCode.NOT_TOLD,
        what=said("part.reference-count", group=group_id),
        why=said("why.not-described"),
        remedy=said("remedy.check-exists"),
        group_id=group_id,
    )


def _groups(api: DfwApi, group_ids: Sequence[str]) -> Mapping[str, Group]:
    def name(group_id: str) -> Group | None:
        try:
            return response.group(api, group_id)
        except (ForbiddenError, UnknownShapeError):
            return None  # names are only shown, no verdict needs them

    named = zip(group_ids, parallel([partial(name, one) for one in group_ids]), strict=True)
    return {group_id: one for group_id, one in named if one is not None}
