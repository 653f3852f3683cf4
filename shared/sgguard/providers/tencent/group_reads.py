"""Reading groups by id and by name (DescribeSecurityGroups)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sgguard.errors import ApiAbsentError, ForbiddenError, NotFoundError
from sgguard.model.resource import Group, Seen, Unseen
from sgguard.model.sentence import as_told, said
from sgguard.providers._shared import unproved
from sgguard.providers.tencent import reads, response
from sgguard.providers.tencent.api import TencentApi
from sgguard.providers.tencent.listing import GROUPS, list_complete
from sgguard.providers.tencent.reads import in_halves
from sgguard.wire.parallel import in_chunks, parallel

_GROUPS_PER_CALL = 100


def groups(api: TencentApi, group_ids: Sequence[str]) -> Seen[dict[str, Group | None]]:
    """Return the groups (DescribeSecurityGroups), None for each that does not exist.

    A group that is missing from a list not proven complete is missing here as well, with a gap. So
    is one that the list leaves out although its rules can be read: credentials that CAM permits by
    tag may be shown a part of a list, without an error.

    Raises:
        UnknownShapeError: the list has groups that were not asked for.
    """
    shape = api.shape(GROUPS.action)
    unseen: list[Unseen] = []

    def ask(ids: Sequence[str]) -> dict[str, Group]:
        try:
            listed = list_complete(api, GROUPS, {"SecurityGroupIds": list(ids)})
        except NotFoundError:
            return in_halves(ids, ask)
        found = {one.group_id: one for one in (response.group(shape, row) for row in listed.rows)}
        if not found.keys() <= set(ids):
            raise shape.wrong("SecurityGroupSet: groups that were not asked for")
        for group_id in [one for one in ids if one not in found]:
            unseen.extend(listed.unseen(GROUPS.action, group_id))
        return found

    found = in_chunks(group_ids, _GROUPS_PER_CALL, ask)
    unread = {gap.group_id for gap in unseen}
    missing = [one for one in dict.fromkeys(group_ids) if one not in found and one not in unread]
    hidden = parallel([partial(_is_there, api, one) for one in missing])
    unseen += _unlisted([one for one, there in zip(missing, hidden, strict=True) if there])
    unread = {gap.group_id for gap in unseen}
    known = {one: found.get(one) for one in group_ids if one not in unread}
    return Seen(known, tuple(unseen))


def _is_there(api: TencentApi, group_id: str) -> bool:
    """Return whether another call than the list shows that the group exists."""
    try:
        reads.policies(api, group_id)
    except NotFoundError:
        return False
    except (ApiAbsentError, ForbiddenError):
        return False  # it tells nothing, so the list stands
    return True


def _unlisted(group_ids: Sequence[str]) -> tuple[Unseen, ...]:
    if not group_ids:
        return ()
    return unproved(
        GROUPS.action,
        said("why.group-left-out"),
        said("remedy.grant-vpc-groups", action=GROUPS.action),
        group_ids,
    )


def find_groups(api: TencentApi, name: str) -> tuple[str, ...]:
    """Return the ids of all groups of exactly this name (DescribeSecurityGroups).

    Raises:
        UnknownShapeError: the list is not proven complete.
    """
    shape = api.shape(GROUPS.action)
    by_name = {"Filters": [{"Name": "security-group-name", "Values": [name]}]}
    listed = list_complete(api, GROUPS, by_name)
    if listed.gap:
        raise shape.wrong(as_told(listed.gap))
    found = [response.group(shape, row) for row in listed.rows]
    return tuple(one.group_id for one in found if one.name == name)
