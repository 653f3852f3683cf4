"""Which rules of other groups name a group: every visible rule whose peer it is.

Neutron deletes those rules together with the group, without a warning and in every project. So
these reads are the only protection, and whatever they cannot see becomes a gap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from sgguard.model.resource import Group, Reference, Seen
from sgguard.providers._shared import Sign, unseen_beyond
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.openstack.api import GROUP_FIELDS, OpenStackApi
from sgguard.providers.openstack.sharing import (
    SHARING_REMEDY,
    group_signs,
    policy_signs,
    rule_signs,
)
from sgguard.wire.openstack import neutron
from sgguard.wire.openstack.neutron import RuleRow
from sgguard.wire.parallel import parallel

_ACTION = "GET /v2.0/security-group-rules"


def list_references(
    api: OpenStackApi, group_ids: Sequence[str], *, is_confined: bool
) -> Seen[dict[str, tuple[Reference, ...]]]:
    """Read rules and, for a token confined to a project, signs of sharing, in parallel.

    The groups that have the rules are read in a second wave, when there are any.
    """
    if not group_ids:
        return Seen({})
    rows: list[RuleRow] = []

    def rules() -> Seen[list[Sign]]:
        rows.extend(_naming(api, group_ids))
        return Seen(list(rule_signs(rows, api.token().project_id)) if is_confined else [])

    reads: list[Callable[[], Seen[list[Sign]]]] = [rules]
    if is_confined:
        reads += [partial(_signs, read, api, group_ids) for read in (policy_signs, group_signs)]
    found = parallel(reads)
    shared = unseen_beyond([sign for part in found for sign in part.value], SHARING_REMEDY)
    unseen = tuple(item for part in found for item in part.unseen)
    groups = _referring_groups(api, sorted({row.group_id for row in rows}))
    return Seen(neutron.references_of(rows, groups, group_ids), (*unseen, *shared))


def _signs(
    read: Callable[[OpenStackApi, Sequence[str]], list[Sign]],
    api: OpenStackApi,
    group_ids: Sequence[str],
) -> Seen[list[Sign]]:
    nothing: list[Sign] = []
    return seen_or_unseen(
        "whether the group is shared", lambda: Seen(read(api, group_ids)), nothing
    )


def _naming(api: OpenStackApi, group_ids: Sequence[str]) -> list[RuleRow]:
    """Return the rules of other groups that name one of these; older clouds return more."""
    shape = api.shape(_ACTION)
    rows = api.rows_by("security-group-rules", "remote_group_id", group_ids)
    rules = (neutron.parse_rule(row, shape) for row in rows)
    naming = [
        row
        for row in rules
        if row.rule.peer_group in group_ids and row.group_id != row.rule.peer_group
    ]
    return sorted(naming, key=lambda row: (row.group_id, row.rule.direction, row.rule.rule_id))


def _referring_groups(api: OpenStackApi, group_ids: Sequence[str]) -> Mapping[str, Group]:
    """Return the groups that have the rules, for names and tags; a verdict does not need them."""

    def read() -> Seen[dict[str, Group]]:
        shape = api.shape("GET /v2.0/security-groups")
        rows = api.rows_by("security-groups", "id", group_ids, GROUP_FIELDS)
        groups = [neutron.parse_group(row, shape) for row in rows]
        return Seen({group.group_id: group for group in groups})

    nothing: dict[str, Group] = {}
    return seen_or_unseen("names of groups", read, nothing).value if group_ids else nothing
