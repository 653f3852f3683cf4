"""The OpenStack APIs as every cloud built on them speaks: Keystone, Neutron, Nova on the wire."""
