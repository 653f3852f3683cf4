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

from sgguard.errors import UnknownShapeError
from sgguard.providers._shared import Sign, is_foreign
from sgguard.providers.openstack.api import GROUP_FIELDS, OpenStackApi
from sgguard.wire.openstack import neutron
from sgguard.wire.openstack.neutron import PortRow, RuleRow

_NO_SUCH_API = "HTTPNotFound"

SHARING_REMEDY = "use credentials with the role admin, or stop sharing it"


def policy_signs(api: OpenStackApi, group_ids: Sequence[str]) -> list[Sign]:
    """Return a sign for those of the groups that a visible sharing policy is about."""
    action = "GET /v2.0/rbac-policies"
    shape = api.shape(action)
    try:
        rows = api.rows_by(
            "rbac-policies", "object_id", group_ids, [("object_type", "security_group")]
        )
    except UnknownShapeError as error:
        if error.code == _NO_SUCH_API:
            return []  # Neutron has no policies here: nothing can be shared
        raise
    named = {shape.text(row, "object_id", "rbac_policies") for row in rows}
    return [(group_id, "a sharing policy names it") for group_id in group_ids if group_id in named]


def group_signs(api: OpenStackApi, group_ids: Sequence[str]) -> list[Sign]:
    """Return a sign for those of the groups that are shared, or belong to another project."""
    shape = api.shape("GET /v2.0/security-groups")
    rows = api.rows_by("security-groups", "id", group_ids, GROUP_FIELDS)
    groups = [neutron.parse_group(row, shape) for row in rows]
    wanted = [group for group in groups if group.group_id in group_ids]
    home = api.token().project_id
    return [
        *((group.group_id, "it is shared") for group in wanted if group.is_shared),
        *(
            (group.group_id, f"it belongs to project {group.project}")
            for group in wanted
            if is_foreign(group.project, home)
        ),
    ]


def rule_signs(rows: Iterable[RuleRow], home: str) -> Iterator[Sign]:
    """Yield a sign for every peer that a rule of another project names."""
    for row in rows:
        if is_foreign(row.project, home):
            yield row.rule.peer_group, f"a rule of project {row.project} names it"


def port_signs(ports: Iterable[PortRow], group_ids: Sequence[str], home: str) -> Iterator[Sign]:
    """Yield a sign for every one of the groups that a port of another project carries."""
    for port in ports:
        if is_foreign(port.project, home):
            for group_id in port.group_ids:
                if group_id in group_ids:
                    yield group_id, f"a port of project {port.project} carries it"
