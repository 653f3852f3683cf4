"""The API extensions that the plugin adds; Neutron loads every module of this folder."""
