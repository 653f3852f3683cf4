"""Signs that a group reaches beyond the project a token is confined to.

A project's token sees neither rules nor ports of other projects, although a shared group may be
referenced or carried there. What its owner can see: a policy of its own (``rbac-policies``);
``shared`` on the group, which is true only when it is shared with all projects; a rule or port of
another project in a response (the owner of a network sees every port on it). A group that an
administrator shared with one project, or that was un-shared after a rule was created, shows no
sign at all. Then nothing is unseen, the visibility is the project, and a policy may require more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sgguard.errors import ApiAbsentError
from sgguard.model.resource import Group
from sgguard.model.sentence import said
from sgguard.providers._shared import Sign, is_foreign
from sgguard.providers.openstack.api import OpenStackApi
from sgguard.wire.openstack.neutron import PortRow, RuleRow, same_id

SHARING_REMEDY = said("remedy.admin-or-unshare")


def targets(api: OpenStackApi, group_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return, by id, the projects that visible policies share a group with (``*``: all)."""
    shape = api.shape("GET /v2.0/rbac-policies")
    try:
        rows = api.rows_by(
            "rbac-policies", "object_id", group_ids, [("object_type", "security_group")]
        )
    except ApiAbsentError:
        return {}  # Neutron has no policies here: nothing can be shared
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        group_id = same_id(shape.text(row, "object_id", "rbac_policies"))
        found.setdefault(group_id, {})[shape.shown(row, "target_tenant")] = None
    return {group_id: tuple(found[group_id]) for group_id in group_ids if group_id in found}


def group_signs(groups: Iterable[Group], home: str) -> Iterator[Sign]:
    """Yield a sign for each group that is shared, or belongs to another project."""
    for group in groups:
        if group.is_shared:
            yield group.group_id, said("sign.shared")
        if is_foreign(group.project, home):
            yield group.group_id, said("sign.project", project=group.project)


def rule_signs(rows: Iterable[RuleRow], home: str) -> Iterator[Sign]:
    """Yield a sign for every peer that a rule of another project names."""
    for row in rows:
        if is_foreign(row.project, home):
            yield row.rule.peer_group, said("sign.rule", project=row.project)


def port_signs(ports: Iterable[PortRow], group_ids: Sequence[str], home: str) -> Iterator[Sign]:
    """Yield a sign for every one of the groups that a port of another project carries."""
    for port in ports:
        if is_foreign(port.project, home):
            carried = {*port.group_ids, *(one for _, one in port.elsewhere)}
            for group_id in group_ids:
                if group_id in carried:
                    yield group_id, said("sign.port", project=port.project)
