"""The OpenStack APIs that several clouds provide: Keystone, Neutron and Nova on the wire."""
