"""Many ports and many rules of one group, with few calls.

A list of ports tells the groups of forty ports a call, in their order; each port is then changed by
a call of its own. VPC v3 creates up to 200 rules of a group with one call, all of them or none;
where a region lacks that call, and for deletes, one call makes one change, after one read.
Source: https://support.huaweicloud.com/intl/en-us/api-vpc/BatchCreateSecurityGroupRules.html
(read 2026-11).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sgguard.errors import ApiAbsentError, SgguardError
from sgguard.model.change import Change, Holder, content
from sgguard.model.resource import Rule
from sgguard.model.sending import MaySend, Tokened
from sgguard.model.subject import holder_of, rule_of
from sgguard.providers import _together as together
from sgguard.providers._together import Result
from sgguard.providers.huawei import listing, response, rule_change
from sgguard.providers.huawei.api import Api
from sgguard.providers.huawei.holder import PORT_ID, Found, read_holder, set_groups
from sgguard.providers.huawei.response import one_spelling
from sgguard.wire.parallel import parallel
from sgguard.wire.shape import Shape

_CREATE = listing.GROUPS.one + "/security-group-rules/batch-create"
_RULES = "security_group_rules"


def set_groups_batch(api: Api, changes: Sequence[Change], may_send: MaySend) -> list[Result]:
    """Make changes of kind ``set-groups``, of different holders; return the error of each."""

    def one(change: Change, found: Found | None) -> None:
        set_groups(api, holder_of(change), change.before, change.after, found)

    return together.each_changed(changes, partial(_ports, api), one, may_send)


def read_holders_batch(api: Api, wanted: Sequence[Holder]) -> list[tuple[str, ...] | None]:
    """Return the groups of each holder in their order; None: there is no such holder.

    Raises:
        CloudError, DeadlineError: one of them could not be read.
    """

    def one(holder: Holder, found: Found | None) -> tuple[str, ...] | None:
        return read_holder(api, holder) if found is None else found.group_ids

    return together.each_read(wanted, partial(_ports, api), one)


def _ports(api: Api, wanted: Sequence[Holder]) -> dict[str, Found]:
    """Return the ports that v3 lists, by id; a supplementary interface is none of them."""
    ids = {one_spelling(one.holder_id): one.holder_id for one in wanted}
    ports = listing.ports_by_id(api, [spelt for spelt in ids if PORT_ID.fullmatch(spelt)])
    found = {port.row.port_id: port.row.group_ids for port in ports}
    return {i: Found(found[spelt]) for spelt, i in ids.items() if spelt in found}


def change_rules(
    api: Api, group_id: str, changes: Sequence[Tokened], may_send: MaySend
) -> list[Result]:
    """Add rules to a group with one call, or delete rules of it; return the error of each."""
    rules = [rule_of(change) for change, _ in changes]
    try:
        if all(change.kind == "add-rule" for change, _ in changes):
            return _add(api, group_id, rules, may_send)
        there = rule_change.read_rules(api, group_id)
    except SgguardError as error:
        return [error] * len(rules)
    removals = [partial(rule_change.remove_found, api, group_id, one, there) for one in rules]
    return parallel([partial(together.attempted, one, may_send) for one in removals])


def _add(api: Api, group_id: str, rules: Sequence[Rule], may_send: MaySend) -> list[Result]:
    bodies = [
        {k: v for k, v in rule_change.body_v3(group_id, one).items() if k != "security_group_id"}
        for one in rules
    ]
    if not may_send():
        return [together.late()] * len(rules)
    try:
        result = api.change("POST", _CREATE, {_RULES: bodies}, fields={"id": group_id})
    except SgguardError as error:
        if not (together.is_of_one(error) or isinstance(error, ApiAbsentError)):
            raise
        # None was created, or there is no such call: each by itself.
        alone = [partial(rule_change.add_rule, api, group_id, one) for one in rules]
        return parallel([partial(together.attempted, one, may_send) for one in alone])
    shape = Shape(api.wire.provider, f"POST {_CREATE}")
    rows = shape.tables(result.get(_RULES), _RULES)
    made = [content(response.parse_rule(row, shape, _RULES).rule) for row in rows]
    wrong = shape.wrong(f"{_RULES}: not the rules that were sent")
    return [None if content(rule) in made else wrong for rule in rules]
