"""Keystone, Neutron and Nova as every emulated cloud built on them answers."""
