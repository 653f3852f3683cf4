"""Which rules of other groups name a group (API 3.0): the list of referrers beside the count."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sgguard.errors import ForbiddenError, UnknownShapeError
from sgguard.model.codes import UnseenCode
from sgguard.model.resource import Group, Reference, Seen, Unseen
from sgguard.providers._shared import unreported
from sgguard.providers._tencent import Reading, references
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.tencent import group_reads, reads
from sgguard.providers.tencent.api import TencentApi
from sgguard.wire.parallel import parallel


def list_references(
    api: TencentApi, group_ids: Sequence[str]
) -> Seen[dict[str, tuple[Reference, ...]]]:
    """Return, by id, every rule of another group that names it; one wave where none does."""
    named, counted = parallel(
        [
            partial(_read, "references", partial(reads.referrers, api, group_ids)),
            partial(_read, "statistics", partial(reads.statistics, api, group_ids)),
        ]
    )
    counts = {group_id: one.groups for group_id, one in counted.value.items()}
    reading = Reading(partial(_groups, api), partial(reads.rules, api))
    found = references(named.value, counts, reading)
    unseen = [*named.unseen, *_uncounted(group_ids, counted), *found.unseen]
    if not named.unseen:
        unseen += unreported("references", group_ids, named.value)
    return Seen(found.value, tuple(unseen))


def _read(what: str, read: Callable[[], Any]) -> Seen[Any]:
    nothing: Any = {}
    return seen_or_unseen(what, lambda: Seen(read()), nothing)


def _uncounted(group_ids: Sequence[str], counted: Seen[Any]) -> list[Unseen]:
    """Return what keeps the list from being compared with the count."""
    # A missing permission is reported with the bindings, which need the same call.
    gaps = [gap for gap in counted.unseen if gap.code != UnseenCode.NO_PERMISSION]
    if not counted.unseen:
        gaps += unreported("the count of references", group_ids, counted.value)
    return gaps


def _groups(api: TencentApi, group_ids: Sequence[str]) -> Mapping[str, Group]:
    try:
        groups = group_reads.groups(api, group_ids).value
    except (ForbiddenError, UnknownShapeError):
        return {}  # names are only shown, no verdict needs them
    return {group_id: one for group_id, one in groups.items() if one is not None}
