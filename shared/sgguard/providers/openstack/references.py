"""Which rules of other groups name a group: every visible rule whose peer it is.

Neutron deletes those rules together with the group, without a warning and in every project. So
these reads are the only protection, and whatever they cannot see becomes a gap.

1. A rule that must be visible, then rules by the group they name; and, for a token confined to one
   project, signs of sharing.
2. Where both are empty, the rule is asked for once more, and the list behind it.
3. Where the server limits its pages, a confined token's list may be short and look complete:
   Neutron cuts a page first, then hides the rows of other projects, and makes the ``next`` link
   from what remains. Behind one hidden row the project's own rules are never shown (measured on
   Neutron 29). The groups with their rules inside them are not cut: they are read then, and where
   2. proved nothing. Their list proves itself: a group of the project must be in it, for every
   project has one at least.
4. The groups that have the rules, for their names and tags.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from sgguard.errors import UnknownShapeError
from sgguard.model.resource import Group, Reference, Seen, Unseen
from sgguard.model.sentence import said
from sgguard.providers._shared import Sign, is_foreign, unproved, unseen_beyond
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.openstack import proof
from sgguard.providers.openstack.api import GROUP_FIELDS, IDS_PER_CALL, WITH_RULES, OpenStackApi
from sgguard.providers.openstack.group import show
from sgguard.providers.openstack.sharing import (
    SHARING_REMEDY,
    group_signs,
    rule_signs,
    targets,
)
from sgguard.wire.openstack import neutron
from sgguard.wire.openstack.neutron import RuleRow
from sgguard.wire.openstack.neutron.page import Params
from sgguard.wire.parallel import chunks, parallel

_WHAT = "references"
_SHARING = said("part.sharing")
_RULES = "security-group-rules"
_GROUPS = "security-groups"


class _Part(msgspec.Struct, frozen=True):
    """What one of the reads brought: rules, groups, signs of sharing; the others are empty.

    ``empty`` are groups whose list of rules was empty, ``cut`` those whose list may be short.
    """

    rules: tuple[RuleRow, ...] = ()
    groups: Mapping[str, Group] = msgspec.field(default_factory=dict)
    signs: tuple[Sign, ...] = ()
    empty: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()


_NOTHING = _Part()


def list_references(
    api: OpenStackApi, group_ids: Sequence[str]
) -> Seen[dict[str, tuple[Reference, ...]]]:
    """Return, by id, the rules of other groups that name each group."""
    if not group_ids:
        return Seen({})
    # Step 1.
    signs = [partial(_sharing, api, group_ids, one) for one in (_policy_signs, _group_signs)]
    reads = [partial(_rules, api, group_ids), *(signs if api.is_confined else ())]
    found = [part for some in parallel(reads) for part in some]
    # Steps 2 and 3.
    found += _beyond_doubt(api, [part.value for part in found])
    parts = [part.value for part in found]
    rows = _naming_others([row for part in parts for row in part.rules], group_ids)
    groups = {group_id: group for part in parts for group_id, group in part.groups.items()}
    told = [sign for part in parts for sign in part.signs]
    if api.is_confined:
        told += rule_signs(rows, api.token().project_id)
    unseen = tuple(item for part in found for item in part.unseen)
    # Step 4.
    if missing := sorted({row.group_id for row in rows} - set(groups)):
        groups |= _named_groups(api, missing)
    references = neutron.references_of(rows, groups, group_ids)
    return Seen(references, (*unseen, *unseen_beyond(told, SHARING_REMEDY)))


def _rules(api: OpenStackApi, group_ids: Sequence[str]) -> list[Seen[_Part]]:
    """Read the rules that name the groups; an early canary puts empty lists beyond doubt."""
    is_shown = proof.has_early_canary(api, _RULES, _canary(api))
    found = parallel(_reads(api, group_ids))
    if not is_shown:
        return found
    return [replace(part, value=replace(part.value, empty=())) for part in found]


def _canary(api: OpenStackApi) -> Params:
    """Return what a rule that must be visible is asked by: a project has its default group's."""
    return [("project_id", api.token().project_id)] if api.is_confined else []


def _reads(api: OpenStackApi, group_ids: Sequence[str]) -> list[Callable[[], Seen[_Part]]]:
    return [partial(_naming, api, chunk) for chunk in chunks(group_ids, IDS_PER_CALL)]


def _naming(api: OpenStackApi, group_ids: Sequence[str]) -> Seen[_Part]:
    """Read the rules that name one of the groups."""
    rows, is_paged = api.listed(_RULES, [("remote_group_id", one) for one in group_ids])
    shape = api.shape(f"GET /v2.0/{_RULES}")
    rules = tuple(neutron.parse_rule(row, shape) for row in rows)
    odd = [row.rule.rule_id for row in rules if row.rule.peer_group not in group_ids]
    part = _Part(
        rules,
        empty=() if rules else tuple(group_ids),
        cut=tuple(group_ids) if is_paged and api.is_confined else (),
    )
    return Seen(part, proof.unexplained(api, _RULES, "remote_group_id", odd, group_ids))


def _beyond_doubt(api: OpenStackApi, found: Sequence[_Part]) -> list[Seen[_Part]]:
    """Ask again, or otherwise, about groups whose rules may be missing from the first lists."""
    cut = [group_id for part in found for group_id in part.cut]
    empty = [group_id for part in found for group_id in part.empty]
    if not cut and not empty:
        return []
    if not cut and proof.has_canary(api, _RULES, _canary(api)):
        again = parallel(_reads(api, empty))
        cut = [group_id for part in again for group_id in part.value.cut]
        if not cut:
            return again
    shown = {group_id: group for part in found for group_id, group in part.groups.items()}
    about = cut or _own(api, empty, shown)
    if not about:
        return []
    return [seen_or_unseen(_WHAT, partial(_own_groups, api, about), _NOTHING)]


def _own(api: OpenStackApi, group_ids: Sequence[str], shown: Mapping[str, Group]) -> list[str]:
    """Return the groups that are the project's own, or hidden: of others no rule can be proved.

    A group that is not there has no references, and one of another project is told as such.
    ``shown`` are those that a list has shown; each of the others is asked for.
    """
    if not api.is_confined:
        return list(group_ids)
    home = api.token().project_id
    unsure = [group_id for group_id in group_ids if group_id not in shown]
    asked = dict(zip(unsure, parallel([partial(show, api, one) for one in unsure]), strict=True))
    found = {group_id: asked.get(group_id, shown.get(group_id)) for group_id in group_ids}
    return [
        group_id
        for group_id, group in found.items()
        if isinstance(group, UnknownShapeError)
        or (group is not None and not is_foreign(group.project, home))
    ]


def _own_groups(api: OpenStackApi, group_ids: Sequence[str]) -> Seen[_Part]:
    """Read every group that is visible, with its rules; one of the project must be among them."""
    shape = api.shape(f"GET /v2.0/{_GROUPS}")
    home = api.token().project_id
    groups: dict[str, Group] = {}
    rules: list[RuleRow] = []
    for row in api.rows(_GROUPS, WITH_RULES):
        group = neutron.parse_group(row, shape)
        groups[group.group_id] = replace(group, rules=None)
        inside = shape.tables(row.get("security_group_rules"), "security_group_rules")
        rules += [neutron.parse_rule(one, shape) for one in inside]
    unseen: tuple[Unseen, ...] = ()
    own = [
        one for one in groups.values() if not api.is_confined or not is_foreign(one.project, home)
    ]
    if not own:
        unseen = unproved(_WHAT, said("why.no-own-group"), proof.GRANT, group_ids)
    return Seen(_Part(tuple(rules), groups), unseen)


def _sharing(
    api: OpenStackApi,
    group_ids: Sequence[str],
    read: Callable[[OpenStackApi, Sequence[str]], Seen[_Part]],
) -> list[Seen[_Part]]:
    return [seen_or_unseen(_SHARING, partial(read, api, group_ids), _NOTHING)]


def _policy_signs(api: OpenStackApi, group_ids: Sequence[str]) -> Seen[_Part]:
    shared = targets(api, group_ids)
    named = tuple((one, said("sign.policy")) for one in group_ids if one in shared)
    return Seen(_Part(signs=named))


def _group_signs(api: OpenStackApi, group_ids: Sequence[str]) -> Seen[_Part]:
    """Return a sign for those of the groups that are shared, or belong to another project."""
    shape, home = api.shape(f"GET /v2.0/{_GROUPS}"), api.token().project_id
    rows = api.rows_by(_GROUPS, "id", group_ids, GROUP_FIELDS)
    groups = [neutron.parse_group(row, shape) for row in rows]
    wanted = [group for group in groups if group.group_id in group_ids]
    if not rows and not proof.has_canary(api, _GROUPS):
        unseen = unproved(_SHARING, proof.doubt(_GROUPS), proof.GRANT, group_ids)
        return Seen(_NOTHING, unseen)
    shown = {group.group_id: group for group in wanted}
    return Seen(_Part(groups=shown, signs=tuple(group_signs(wanted, home))))


def _naming_others(rules: Sequence[RuleRow], group_ids: Sequence[str]) -> list[RuleRow]:
    """Return the rules of other groups that name one of these, each once."""
    found: dict[str, RuleRow] = {}
    for row in rules:
        peer = row.rule.peer_group
        if peer in group_ids and row.group_id != peer:
            found[row.rule.rule_id] = row
    return sorted(
        found.values(), key=lambda row: (row.group_id, row.rule.direction, row.rule.rule_id)
    )


def _named_groups(api: OpenStackApi, group_ids: Sequence[str]) -> Mapping[str, Group]:
    """Return the groups that have the rules, for names and tags; a verdict does not need them."""

    def read() -> Seen[dict[str, Group]]:
        shape = api.shape(f"GET /v2.0/{_GROUPS}")
        rows = api.rows_by(_GROUPS, "id", group_ids, GROUP_FIELDS)
        groups = [neutron.parse_group(row, shape) for row in rows]
        return Seen({group.group_id: group for group in groups})

    nothing: dict[str, Group] = {}
    return seen_or_unseen(said("part.names"), read, nothing).value
