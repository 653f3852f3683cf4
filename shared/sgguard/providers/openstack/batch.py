"""Many ports and many rules of one group, with few calls.

A list of ports tells their groups and revisions, fifty of them a call; the groups of each port are
then changed by a call of its own, with that revision. Rules of one group are created by one call,
which creates all of them or none, and are deleted one a call after one read of the group.
Source: neutron.db.securitygroups_db (create_security_group_rule_bulk), measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sgguard.errors import SgguardError
from sgguard.model.change import Change, Holder, content
from sgguard.model.sending import MaySend, Tokened
from sgguard.model.subject import holder_of, rule_of
from sgguard.providers import _together as together
from sgguard.providers._together import Result
from sgguard.providers.openstack import rule_change
from sgguard.providers.openstack.api import OpenStackApi
from sgguard.providers.openstack.holder import SERVER, read_holder, set_groups
from sgguard.wire.openstack import neutron
from sgguard.wire.openstack.neutron import PortRow
from sgguard.wire.openstack.neutron.rule import parse_rule
from sgguard.wire.parallel import parallel

_RULES = "security_group_rules"


def set_groups_batch(
    api: OpenStackApi, changes: Sequence[Change], may_send: MaySend
) -> list[Result]:
    """Make changes of kind ``set-groups``, of different holders; return the error of each."""

    def one(change: Change, port: PortRow | None) -> None:
        ports = None if port is None else [port]
        set_groups(api, holder_of(change), change.before, change.after, ports)

    return together.each_changed(changes, partial(_ports, api), one, may_send)


def read_holders_batch(api: OpenStackApi, wanted: Sequence[Holder]) -> list[tuple[str, ...] | None]:
    """Return the groups of each holder; None: these credentials see no such holder.

    Raises:
        CloudError, DeadlineError: one of them could not be read.
    """

    def one(holder: Holder, port: PortRow | None) -> tuple[str, ...] | None:
        return read_holder(api, holder) if port is None else port.group_ids

    return together.each_read(wanted, partial(_ports, api), one)


def _ports(api: OpenStackApi, wanted: Sequence[Holder]) -> dict[str, PortRow]:
    """Return the ports that are listed, by id; a server is none."""
    ids = [one.holder_id for one in wanted if one.kind != SERVER]
    shape = api.shape("GET /v2.0/ports")
    rows = [neutron.parse_port(row, shape) for row in api.rows_by("ports", "id", ids)]
    return {row.port_id: row for row in rows if row.port_id in ids}


def change_rules(
    api: OpenStackApi,
    group_id: str,
    changes: Sequence[Tokened],
    may_send: MaySend,
    *,
    sees_all: bool,
) -> list[Result]:
    """Add rules to a group with one call, or delete rules of it; return the error of each."""
    of = [change for change, _ in changes]
    try:
        if all(change.kind == "add-rule" for change in of):
            return _add(api, group_id, of, may_send, sees_all=sees_all)
        return _remove(api, group_id, of, may_send)
    except SgguardError as error:
        return [error] * len(of)


def _add(
    api: OpenStackApi,
    group_id: str,
    changes: Sequence[Change],
    may_send: MaySend,
    *,
    sees_all: bool,
) -> list[Result]:
    rules = [rule_of(change) for change in changes]
    bodies = rule_change.bodies(api, group_id, rules, sees_all=sees_all)
    action = "POST /v2.0/security-group-rules"
    if not may_send():
        return [together.late()] * len(rules)
    try:
        result = api.send("POST", api.network("security-group-rules"), action, {_RULES: bodies})
    except SgguardError as error:
        if not together.is_of_one(error):
            raise
        # None was created, for the sake of one: each by itself shows which.
        alone = [
            partial(rule_change.add_rule, api, group_id, one, sees_all=sees_all) for one in rules
        ]
        return [together.attempted(one, may_send) for one in alone]
    shape = api.shape(action)
    rows = shape.tables(shape.table(result, "answer").get(_RULES), _RULES)
    made = [content(parse_rule(row, shape, _RULES).rule) for row in rows]
    wrong = shape.wrong(f"{_RULES}: not the rules that were sent")
    return [None if content(rule) in made else wrong for rule in rules]


def _remove(
    api: OpenStackApi, group_id: str, changes: Sequence[Change], may_send: MaySend
) -> list[Result]:
    rows = rule_change.read_rules(api, group_id)
    deletes = [
        partial(rule_change.delete_found, api, group_id, rule_of(change), rows)
        for change in changes
    ]
    return parallel([partial(together.attempted, one, may_send) for one in deletes])
