"""Whether Neutron has the plugin of ``deploy/openstack/neutron_plugin``, told by its extension.

The plugin refuses to delete a group that a rule of another group names. It is a property of each
API process: while one of them runs without it, a delete that this one handles still cascades.

The list of extensions is read, not the one by its name: Neutron tells of a missing one in a shape
of its own, and a gateway's 404 would look the same.
"""

from __future__ import annotations

from sgguard.providers.openstack.api import OpenStackApi

NAME = "Neutron's plugin sgguard"
_ALIAS = "sgguard"


def read(api: OpenStackApi) -> str:
    """Return the name of the plugin, or nothing where it is not loaded.

    Raises:
        CloudError: the extensions cannot be read.
    """
    action = "GET /v2.0/extensions"
    shape = api.shape(action)
    body = shape.table(api.offered(api.network("extensions"), action), "answer")
    rows = shape.tables(body.get("extensions"), "extensions")
    return NAME if any(row.get("alias") == _ALIAS for row in rows) else ""
