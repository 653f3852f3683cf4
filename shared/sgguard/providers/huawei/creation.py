"""Creating a group like another one, without rules, and deleting groups: VPC v3, else v2.0.

A new group has rules: in v3 two that permit traffic from its own members and two that permit all
outgoing traffic, in v2.0 only the latter.
https://docs.otc.t-systems.com/virtual-private-cloud/api-ref/ ("Creating a Security Group" of both
APIs, read 2026-11).
"""

from __future__ import annotations

from functools import partial

from sgguard.errors import SgguardError, UnavailableError
from sgguard.model.resource import Group
from sgguard.providers.huawei import listing, rule_change
from sgguard.providers.huawei.api import Api, unless_absent
from sgguard.providers.huawei.response import ENTERPRISE_PROJECT, one_spelling
from sgguard.wire.parallel import parallel
from sgguard.wire.shape import Json, Shape

_KEY = "security_group"
_GROUPS = listing.GROUPS.path
_GROUPS_V2 = listing.GROUPS_V2.path


def create_group(api: Api, group: Group) -> str:
    """Create a group without rules and return its id.

    v2.0 keeps neither tags nor the enterprise project.

    Raises:
        LimitError: the project has as many groups as it may have.
        UnavailableError: it was created, but could neither be emptied nor deleted again.
    """
    common = {"name": group.name or "", "description": group.description}
    more = dict(group.native) | {"tags": [{"key": k, "value": v} for k, v in group.tags or ()]}
    full = common | {key: more[key] for key in (ENTERPRISE_PROJECT, "tags") if more.get(key)}
    made, path = unless_absent(
        lambda: (api.change("POST", _GROUPS, {_KEY: full}), _GROUPS),
        lambda: (api.change("POST", _GROUPS_V2, {_KEY: common}), _GROUPS_V2),
    )
    shape = Shape(api.wire.provider, f"POST {path}")
    row = shape.table(made.get(_KEY), _KEY)
    group_id = one_spelling(shape.text(row, "id", _KEY))
    try:
        _empty(api, group_id, row, shape)
    except SgguardError as error:
        _roll_back(api, group_id, error)
        raise
    return group_id


def delete_group(api: Api, group_id: str) -> None:
    """Delete a group.

    Raises:
        InUseError: something carries or references it.
    """
    paths = (listing.GROUPS.one, listing.GROUPS_V2.one)
    newer, older = (partial(api.delete, path, group_id) for path in paths)
    unless_absent(newer, older)


def _empty(api: Api, group_id: str, row: Json, shape: Shape) -> None:
    """Delete the rules of a new group; the response has them before any list does."""
    if "security_group_rules" in row:
        rules = shape.tables(row["security_group_rules"], f"{_KEY}.security_group_rules")
        ids = [shape.text(one, "id", f"{_KEY}.security_group_rules") for one in rules]
    else:
        ids = [one.rule_id for one in rule_change.read_rules(api, group_id)]
    parallel([partial(rule_change.delete_rule, api, rule_id) for rule_id in ids])


def _roll_back(api: Api, group_id: str, error: SgguardError) -> None:
    try:
        delete_group(api, group_id)
    except SgguardError:
        raise UnavailableError(
            api.wire.provider,
            f"POST {_GROUPS}",
            detail=f"group {group_id} was made, but not emptied: {error}",
        ) from error
