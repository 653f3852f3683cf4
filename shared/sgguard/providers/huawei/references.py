"""Who references a group: the rules of other groups that name it.

Two answers are compared: the one to the filter by peer, and every visible rule, whose number proves
that none is hidden. A rule that either of them shows is a reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from sgguard.model.resource import Group, Reference, Seen
from sgguard.providers._shared import unseen_beyond
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.huawei import listing, proof
from sgguard.providers.huawei.api import Api
from sgguard.providers.huawei.sharing import SHARING_REMEDY, rule_signs
from sgguard.wire.openstack import neutron
from sgguard.wire.openstack.neutron import RuleRow
from sgguard.wire.parallel import parallel


def list_references(api: Api, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Reference, ...]]]:
    """Return, by id, every rule of another group that names it.

    Rules that deny and rules that are switched off are references as well.

    Raises:
        CloudError: the rules could not be read.
    """
    nothing: list[RuleRow] = []
    reads: list[Callable[[], Seen[Any]]] = [
        partial(listing.rules, api, "remote_group_id", group_ids),
        partial(seen_or_unseen, "references", partial(proof.counted_rules, api), nothing),
    ]
    filtered, counted = parallel(reads)
    unique = {row.rule.rule_id: row for row in (*counted.value, *filtered.value)}
    others = [row for row in unique.values() if row.group_id != row.rule.peer_group]
    naming = [row for row in others if row.rule.peer_group in group_ids]
    groups = _referring_groups(api, {row.group_id for row in naming})
    signs = rule_signs(naming, groups, api.project())
    return Seen(
        neutron.references_of(naming, groups, group_ids),
        (*filtered.unseen, *counted.unseen, *unseen_beyond(signs, SHARING_REMEDY)),
    )


def _referring_groups(api: Api, group_ids: Iterable[str]) -> Mapping[str, Group | None]:
    """Return the referring groups, for names and tags, in a second wave when there are any.

    None: the group cannot be read although its rule can. The mapping is empty when groups may
    not be read at all.
    """
    wanted = sorted(group_ids)
    nothing: dict[str, Group | None] = {}

    def read() -> Seen[dict[str, Group | None]]:
        known = {group.group_id: group for group in listing.groups(api, wanted)}
        if not known and not proof.sees_groups(api):
            return Seen(nothing)
        return Seen({group_id: known.get(group_id) for group_id in wanted})

    return seen_or_unseen("groups", read, nothing).value if wanted else nothing
