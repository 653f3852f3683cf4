"""A service plugin of Neutron that guards the deletion of security groups."""

# Neutron looks for a plugin's API extensions in this attribute of its package.
from sgguard_neutron import extensions

__all__ = ["extensions"]
