"""Proofs that a list could have shown what it does not show.

"If you have insufficient permissions, response code 200 will be returned when you query network
resources and an empty list will be displayed":
https://support.huaweicloud.com/intl/en-us/api-vpc/vpc_permission_0017.html (read 2026-11; Open
Telekom Cloud has the same sentence). Permissions by enterprise project hold for v3 groups and
rules (``vpc_permission_0044``, ``0032``), not for v3 ports (``0042``), v2.0 ports (``0010``) and
supplementary interfaces (``0035``), for v1 ports with ``all_granted_eps`` (``0004``). So:

- rules and groups: all that are visible are counted, and the use of the project's quota (VPC v1),
  which counts those of every enterprise project, must not be more;
- ports: the list shows any port at all, or a read of an id that cannot exist is answered with
  "not found" (a caller without the permission gets 403) and no other API that lists ports
  contradicts;
- supplementary interfaces: the list shows one, or the same read is answered with "not found".

What remains is told as a gap with what to grant.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sgguard.errors import (
    ApiAbsentError,
    ForbiddenError,
    NotFoundError,
    UnknownShapeError,
)
from sgguard.model.resource import Group, Seen, Unseen
from sgguard.model.sentence import Text, said
from sgguard.providers._shared import unproved
from sgguard.providers.access import seen_or_unseen, unseen_because
from sgguard.providers.huawei import listing, quota
from sgguard.providers.huawei.api import ABSENT_ID, Api, unless_absent
from sgguard.providers.huawei.listing import Source
from sgguard.providers.huawei.response import Port
from sgguard.wire.openstack.neutron import RuleRow
from sgguard.wire.parallel import caught, parallel

_ONE_BY_ONE_MAX = 20
COUNTED_RULES_MAX = 4000
"""How many rules of a project are read to count them: two pages of VPC v3."""

_TELLING = (ForbiddenError, ApiAbsentError, UnknownShapeError)

GRANT = said("remedy.read-only")


def counted_rules(api: Api) -> Seen[list[RuleRow]]:
    """Return every visible rule, and a gap where the project has more, or none can be seen.

    Where the project has very many rules they are not read, for that takes hundreds of calls: then
    one row shows that rules can be seen at all, and that some are hidden is a blind spot.
    """
    kind = "securityGroupRule"
    used = quota.read_use(api).get(kind)
    if (used or 0) > COUNTED_RULES_MAX:
        shows = listing.has_any(api, listing.RULES)
        return Seen([], () if shows else _gap_of_denied(api, listing.RULES, listing.RULES_V2))
    rows = listing.all_rules(api)
    if used is not None and len(rows) < used:
        # What changes while it is read is counted once more.
        rows, used = _with_use(partial(listing.all_rules, api), api, kind)
    if used is None:
        return Seen(rows, () if rows else _gap_of_denied(api, listing.RULES, listing.RULES_V2))
    if len(rows) >= used:
        return Seen(rows)
    text = f"{used} rules count against the quota of the project, and {len(rows)} are visible"
    why = said("why.rules-hidden", text=text, used=used, visible=len(rows))
    return Seen(rows, unproved("references", why, GRANT))


def _gap_of_denied(api: Api, newer: Source[Any], older: Source[Any]) -> tuple[Unseen, ...]:
    """Return the gap of a list without rows, empty where a read by id is permitted."""
    asks = (partial(is_permitted, api, source) for source in (newer, older))
    if unless_absent(*asks):
        return ()
    text = f"GET {newer.path} is empty, and nothing shows that these credentials may read it"
    why = said("why.path-empty", text=text, path=newer.path)
    return unproved("references", why, GRANT)


def missing_groups(api: Api, group_ids: Sequence[str]) -> Seen[dict[str, Group | None]]:
    """Read groups that a list did not show one by one; None: it is proved that there is none.

    Many of them are not read where the count proves that the list shows every group. A group that
    may exist all the same is missing from the result, and a gap.
    """
    count: Callable[[], Any] = partial(hidden_groups, api)
    if len(group_ids) > _ONE_BY_ONE_MAX and _each([count]) == [""]:
        known = {group.group_id: group for group in listing.all_groups(api)}
        return Seen({group_id: known.get(group_id) for group_id in group_ids})
    calls: list[Callable[[], Any]] = [partial(listing.show_group, api, one) for one in group_ids]
    *shown, gap = _each([*calls, count])
    found: dict[str, Group | None] = {}
    gaps: list[Unseen] = []
    for group_id, one in zip(group_ids, shown, strict=True):
        if isinstance(one, _TELLING):
            gaps.append(unseen_because(one, "groups", group_id))
        elif one is not None:
            found[group_id] = one
        elif isinstance(gap, _TELLING):
            gaps.append(unseen_because(gap, "groups", group_id))
        elif gap:
            why = said("why.may-be-hidden", gap=gap, group=group_id)
            gaps += unproved("groups", why, GRANT, [group_id])
        else:
            found[group_id] = None
    return Seen(found, tuple(gaps))


def hidden_groups(api: Api) -> Text | None:
    """Return what shows that groups of this project are hidden, empty where none is.

    None: this region does not publish how many there are.
    """
    why: Text = ""
    for _ in range(2):
        rows, used = _with_use(partial(listing.all_groups, api), api, "securityGroup")
        if used is None or len(rows) >= used:
            return None if used is None else ""
        text = f"{used} groups count against the quota of the project, and {len(rows)} are visible"
        why = said("why.groups-hidden", text=text, used=used, visible=len(rows))
    return why


def ports_beyond(api: Api, group_ids: Sequence[str]) -> Seen[list[Port]]:
    """Return ports that carry the groups and that the usual list does not show, with its gap.

    ``group_ids`` are those of which it shows no port.
    """
    newer, older = (
        partial(_ports_beyond, api, source, group_ids)
        for source in (listing.PORTS, listing.PORTS_V2)
    )
    return unless_absent(newer, older)


def _ports_beyond(api: Api, source: Source[Port], group_ids: Sequence[str]) -> Seen[list[Port]]:
    # 1. A list that shows any port shows all: ports know no permission by enterprise project.
    if listing.has_any(api, source):
        return Seen([])
    # 2. It is empty. Is a read permitted, and what do the other APIs show?
    others = [one for one in (listing.PORTS_V2, listing.PORTS_V1) if one is not source]
    calls: list[Callable[[], Any]] = [partial(is_permitted, api, source)]
    calls += [partial(listing.ports_of, api, one, "security_groups", group_ids) for one in others]
    calls += [partial(listing.has_any, api, one) for one in others]
    permitted, *answers = _each(calls)
    known = [one for one in answers if not isinstance(one, Exception)]
    carrying = [port for one in known if isinstance(one, Seen) for port in one.value]
    is_contradicted = bool(carrying) or any(one is True for one in known)
    # 3. Permitted, and nothing contradicts: there is no port at all.
    if permitted is True and not is_contradicted:
        return Seen([])
    why = said("why.no-port-unproved", path=source.path)
    if is_contradicted:
        why = said("why.no-port-contradicted", path=source.path)
    unique = {port.row.port_id: port for port in carrying}
    return Seen(list(unique.values()), unproved("ports", why, GRANT, group_ids))


def sub_interfaces_gap(api: Api) -> tuple[Unseen, ...]:
    """Return the gap of an empty list of supplementary interfaces, empty where it is proved."""

    def read() -> Seen[bool | None]:
        return Seen(is_permitted(api, listing.SUB_INTERFACES))

    what = said("part.sub-interfaces")
    seen = seen_or_unseen(what, read, None)
    if seen.value or seen.unseen:
        return seen.unseen
    text = f"GET {listing.SUB_INTERFACES.path} is empty, and nothing shows that it may be read"
    why = said("why.path-empty", text=text, path=listing.SUB_INTERFACES.path)
    return unproved(what, why, GRANT)


def own_rules(api: Api, group_id: str) -> Seen[list[RuleRow]]:
    """Return the rules of a group; an empty list is compared with the group's own entry."""
    seen = listing.rules(api, "security_group_id", [group_id])
    if seen.value or seen.unseen:
        return seen
    try:
        return Seen(listing.embedded_rules(api, group_id))
    except NotFoundError:
        return seen
    except _TELLING as error:
        return Seen([], (unseen_because(error, "rules", group_id),))


def find_groups(api: Api, name: str) -> tuple[str, ...]:
    """Return the ids of all groups of exactly this name.

    Raises:
        ForbiddenError: no group is visible at all: then none of that name is no answer.
    """
    if found := listing.find_groups(api, name):
        return found
    if sees_groups(api):
        return ()
    why = "no group is visible, not even the default one: grant VPC ReadOnlyAccess for the project"
    raise ForbiddenError(api.wire.provider, f"GET {listing.GROUPS.path}", words=why)


def sees_groups(api: Api) -> bool:
    """Return whether any group is visible; every project has a default one."""
    newer, older = (
        partial(listing.has_any, api, one) for one in (listing.GROUPS, listing.GROUPS_V2)
    )
    return unless_absent(newer, older)


def is_permitted(api: Api, source: Source[Any]) -> bool:
    """Return whether a read of an id that cannot exist is answered as one that may be made.

    The permission is checked before the id is looked up: "not found" is an answer only to a caller
    who may read.

    Raises:
        CloudError: anything but "not found" and "forbidden".
    """
    try:
        api.vpc(source.one, thing_id=ABSENT_ID)
    except NotFoundError:
        return True
    except ForbiddenError:
        return False
    return False


def _with_use(read: Callable[[], list[Any]], api: Api, kind: str) -> tuple[list[Any], int | None]:
    """Return the rows of a list and how much of the project's quota is used, at one moment."""
    calls: list[Callable[[], Any]] = [read, partial(quota.read_use, api)]
    rows, used = parallel(calls)
    return rows, used.get(kind)


def _each(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Return what each call returns, or the error that says that it may not be made.

    Raises:
        CloudError: one that says nothing of permissions: a throttle, a lost connection.
    """
    results = parallel([partial(caught, call) for call in calls])
    for one in results:
        if isinstance(one, Exception) and not isinstance(one, _TELLING):
            raise one
    return results
