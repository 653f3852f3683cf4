"""Keystone, Neutron and Nova, shared by the faces of clouds that are built on them."""
