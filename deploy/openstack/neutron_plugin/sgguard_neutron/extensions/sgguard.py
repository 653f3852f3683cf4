"""The extension ``sgguard``: it adds nothing to the API and tells that deletes are guarded.

``GET /v2.0/extensions/sgguard`` is 200 where the plugin is loaded, else 404. Neutron finds the
class by the name of this file.
"""

from neutron_lib.api import extensions

ALIAS = "sgguard"


class Sgguard(extensions.ExtensionDescriptor):
    """Tells that a security group that rules of other groups name is not deleted."""

    def get_name(self) -> str:
        """Return the name that ``openstack extension list`` shows."""
        return "sgguard: guarded deletion of security groups"

    def get_alias(self) -> str:
        """Return the name by which a client asks for the extension."""
        return ALIAS

    def get_description(self) -> str:
        """Return what is different where the plugin is loaded."""
        return (
            "DELETE /v2.0/security-groups/{id} is refused with 409 while a rule of another group "
            "names the group as its remote group."
        )

    def get_updated(self) -> str:
        """Return since when the extension is what it is."""
        return "2026-11-28T00:00:00-00:00"
