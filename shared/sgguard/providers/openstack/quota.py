"""The limits of OpenStack: quotas of the project, and none of groups per port or server."""

from __future__ import annotations

from collections.abc import Mapping

from sgguard.errors import ApiAbsentError
from sgguard.model.resource import Limit
from sgguard.model.sentence import said
from sgguard.providers.openstack.api import OpenStackApi, checked
from sgguard.wire.openstack import neutron
from sgguard.wire.openstack.neutron import Quota

NO_GROUP_LIMIT = Limit(
    "groups-per-interface",
    None,
    is_enforced=False,
    note=said("limit.none"),
)

_NAMES = {
    "security_group": "groups-per-project",
    "security_group_rule": "rules-per-project",
    "port": "ports-per-project",
}


def read_quotas(api: OpenStackApi) -> tuple[Limit, ...]:
    """Return the project's quotas, with their use where the cloud reports it; -1 is "no limit"."""
    project = api.token().project_id
    try:
        quotas = _with_use(api, project)
    except ApiAbsentError:
        action = "GET /v2.0/quotas/{id}"
        body = api.offered(api.network(f"quotas/{project}"), action)
        quotas = neutron.parse_quotas(body, api.shape(action), _NAMES)
    return tuple(
        Limit(
            name,
            quotas[key].ceiling,
            quotas[key].used,
            source="live",
            note=said("limit.quota", key=key),
        )
        for key, name in _NAMES.items()
        if key in quotas
    )


def ports_used(api: OpenStackApi, project: str) -> int | None:
    """Return how many ports a project has, whoever may list them; None if it is not told.

    Raises:
        ApiAbsentError: an older Neutron does not report the use of quotas.
    """
    quota = _with_use(api, project).get("port")
    return quota.used if quota else None


def _with_use(api: OpenStackApi, project: str) -> Mapping[str, Quota]:
    action = "GET /v2.0/quotas/{id}/details"
    body = api.offered(api.network(f"quotas/{checked(project)}/details.json"), action)
    return neutron.parse_quotas(body, api.shape(action), _NAMES)
