"""Which address of OpenStack is called: the catalog's, one for all services, or one of its own."""

from __future__ import annotations

import httpx
import pytest

from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import SettingsError
from sgguard.providers import openstack
from sgguard.providers.access import Access
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from tests.providers.test_openstack_completeness import emulator
from tests.worlds import openstack as w

SERVICES = {"identity": "IDENTITY", "networking": "NETWORK", "compute": "COMPUTE"}


class Noting(httpx.BaseTransport):
    """The emulator, and which hosts were asked for which service."""

    def __init__(self):
        self.inner, self.hosts = EmulatorTransport(emulator()), {}

    def handle_request(self, request):
        service = request.url.path.split("/")[1]
        self.hosts.setdefault(service, set()).add(request.url.host)
        return self.inner.handle_request(request)


def hosts(**env):
    seen = Noting()
    wire = Wire("openstack", Deadline.after(30), transport=seen)
    provider = openstack.connect(Access(wire, w.WORLD.region, env=w.PASSWORD_ENV | env))
    provider.read_groups([w.FREE])
    provider.read_instance(w.SERVER)
    return seen.hosts


def test_without_a_setting_the_catalog_says_where_a_service_is():
    assert set().union(*hosts().values()) == {"cloud.example"}


def test_one_setting_moves_every_service():
    found = hosts(SGGUARD_ENDPOINT_OPENSTACK="http://proxy.example")
    assert set().union(*found.values()) == {"proxy.example"}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.sampled(2)
def test_a_setting_of_one_service_moves_that_one_alone(service):
    found = hosts(**{f"SGGUARD_ENDPOINT_OPENSTACK_{SERVICES[service]}": "http://own.example"})
    assert found[service] == {"own.example"}
    if service != "identity":  # the emulator's catalog has the host of the token request
        others = set().union(*(found[one] for one in found if one != service))
        assert others == {"cloud.example"}


@pytest.mark.parametrize("service", ["NETWORK", "COMPUTE"])
def test_a_setting_of_one_service_counts_before_the_one_for_all(service):
    found = hosts(
        SGGUARD_ENDPOINT_OPENSTACK="http://proxy.example",
        **{f"SGGUARD_ENDPOINT_OPENSTACK_{service}": "http://own.example"},
    )
    moved = "networking" if service == "NETWORK" else "compute"
    assert {name: found[name] for name in found} == {
        name: {"own.example" if name == moved else "proxy.example"} for name in found
    }


@pytest.mark.parametrize("service", SERVICES.values())
@pytest.mark.parametrize("url", ["nonsense", "ftp://x", "http://user@own.example"])
def test_a_setting_that_is_no_address_is_refused(service, url):
    with pytest.raises(SettingsError, match=f"SGGUARD_ENDPOINT_OPENSTACK_{service}"):
        hosts(**{f"SGGUARD_ENDPOINT_OPENSTACK_{service}": url})


def test_interfaces_are_chosen_by_service():
    wire = Wire("openstack", Deadline.after(30), transport=Noting())
    env = w.PASSWORD_ENV | {
        "OS_INTERFACE": "admin",
        "OS_NETWORK_INTERFACE": "internalURL",
        "OS_COMPUTE_ENDPOINT_TYPE": "public",
    }
    provider = openstack.connect(Access(wire, w.WORLD.region, env=env))
    assert provider.api.interfaces == {"network": "internal", "compute": "public"}
