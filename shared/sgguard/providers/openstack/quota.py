"""The limits of OpenStack: quotas of the project, and none of groups per port or server."""

from __future__ import annotations

from sgguard.errors import UnknownShapeError
from sgguard.model.resource import Limit
from sgguard.providers.openstack.api import OpenStackApi
from sgguard.wire.openstack import neutron

NO_GROUP_LIMIT = Limit(
    "groups-per-interface",
    None,
    is_enforced=False,
    note="OpenStack limits neither groups per port nor ports per group",
)


_NAMES = (("security_group", "groups-per-project"), ("security_group_rule", "rules-per-project"))


_NO_SUCH_API = "HTTPNotFound"


def read_quotas(api: OpenStackApi) -> tuple[Limit, ...]:
    """Return the project's quotas, with their use where the cloud reports it; -1 is "no limit"."""
    project = api.token().project_id
    try:
        action = "GET /v2.0/quotas/{id}/details"
        body = api.get(api.network(f"quotas/{project}/details.json"), action)
    except UnknownShapeError as error:
        if error.code != _NO_SUCH_API:
            raise
        action = "GET /v2.0/quotas/{id}"
        body = api.get(api.network(f"quotas/{project}"), action)
    quotas = neutron.parse_quotas(body, api.shape(action))
    return tuple(
        Limit(name, quotas[key].ceiling, quotas[key].used, source="live", note=f"quota {key}")
        for key, name in _NAMES
        if key in quotas
    )
