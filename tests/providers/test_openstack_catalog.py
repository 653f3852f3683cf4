"""Which endpoints of a catalog the provider uses, and which one when some do not connect."""

from __future__ import annotations

import json

import httpx
import pytest

from sgguard import providers
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import SettingsError, UnreachableError
from sgguard.providers.access import Access
from sgguard.providers.openstack.env import read_interface
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.openstack import failover
from sgguard.wire.pacing import Pace
from sgguard.wire.retry import Retry
from tests.worlds import lanes
from tests.worlds import openstack as w

FIRST, SECOND, THIRD = "http://first:9696", "http://second:9696", "http://third:9696"
RULE_URL = "/v2.0/security-group-rules"


class Network(httpx.BaseTransport):
    """The emulated cloud, whose catalog lists other endpoints; ``down`` hosts do not connect."""

    def __init__(self, endpoints, down=(), error=httpx.ConnectError):
        self.cloud = w.WORLD.emulator()
        self.emulated = EmulatorTransport(self.cloud)
        self.endpoints, self.down, self.error = endpoints, set(down), error
        self.tried = []

    def handle_request(self, request):
        if request.url.path.endswith("/auth/tokens"):
            if "keystone" in self.down:
                raise httpx.ConnectError("refused")
            return self.with_endpoints(self.emulated.handle_request(request))
        self.tried.append((request.method, request.url.host))
        if request.url.host in self.down:
            raise self.error("refused")
        return self.emulated.handle_request(self.as_the_cloud_sees_it(request))

    def with_endpoints(self, response):
        body = json.loads(response.read())
        catalog = body["token"]["catalog"]
        (network,) = [one for one in catalog if one["type"] == "network"]
        self.path = httpx.URL(network["endpoints"][0]["url"]).path
        network["endpoints"] = self.endpoints
        headers = {"x-subject-token": response.headers["x-subject-token"]}
        return httpx.Response(response.status_code, headers=headers, json=body)

    def as_the_cloud_sees_it(self, request):
        if request.url.host not in ("first", "second", "third"):
            return request
        path = request.url.raw_path.decode()
        url = httpx.URL(f"http://cloud{self.path.removesuffix('/v2.0').rstrip('/')}{path}")
        headers = {k: v for k, v in request.headers.items() if k != "host"}
        return httpx.Request(request.method, url, headers=headers, content=request.read())


def public(*urls, region="RegionOne", interface="public"):
    return [{"interface": interface, "region_id": region, "url": url} for url in urls]


def connect(network, env=None, attempts=3, deadline=None):
    wire = Wire(
        "openstack",
        deadline or Deadline.after(30),
        transport=network,
        retry=Retry(attempts=attempts, sleep=lambda _: None),
        pace=Pace(lanes=lanes()),
    )
    env = w.PASSWORD_ENV | (env or {})
    return providers.connect("openstack", Access(wire, "RegionOne", env))


def hosts(network):
    return [host for _, host in network.tried]


# -- regions and interfaces ----------------------------------------------------------------------


@pytest.mark.parametrize("region", [None, "", "*"])
def test_groups_are_read_from_an_endpoint_that_serves_every_region(region):
    network = Network(public(FIRST, region=region))
    assert connect(network).read_groups([w.FREE]).value[w.FREE].name == "free"
    assert set(hosts(network)) == {"first"}


def test_the_endpoint_of_the_region_is_asked_before_one_of_every_region():
    network = Network([*public(FIRST, region=""), *public(SECOND)])
    connect(network).read_groups([w.FREE])
    assert set(hosts(network)) == {"second"}


@pytest.mark.parametrize(
    "name",
    [
        "OS_INTERFACE",
        "OS_ENDPOINT_TYPE",
        "OS_NETWORK_INTERFACE",
        "OS_NETWORK_ENDPOINT_TYPE",
    ],
)
@pytest.mark.parametrize("value", ["internal", "internalURL", "INTERNAL"])
def test_every_usual_spelling_of_the_interface_is_read(name, value):
    network = Network([*public(FIRST), *public(SECOND, interface="internal")])
    connect(network, {name: value}).read_groups([w.FREE])
    assert set(hosts(network)) == {"second"}


@pytest.mark.parametrize("kind", ["public", "internal", "admin"])
@pytest.mark.parametrize("ending", ["", "URL"])
def test_all_three_interfaces_can_be_named(kind, ending):
    assert read_interface(lambda *n: f"{kind}{ending}" if "OS_INTERFACE" in n else "") == kind


def test_without_a_variable_the_public_endpoints_are_used():
    assert read_interface(lambda *names: "") == "public"


def test_the_variable_of_a_service_counts_for_that_service_only():
    env = {"OS_NETWORK_INTERFACE": "internal", "OS_INTERFACE": "admin"}
    read = lambda *names: env.get(names[0], "")  # noqa: E731
    assert read_interface(read, "network") == "internal"
    assert read_interface(read, "compute") == "admin"


def test_the_newer_variable_counts_where_both_are_set():
    env = {"OS_INTERFACE": "admin", "OS_ENDPOINT_TYPE": "internalURL"}
    assert read_interface(lambda *names: env.get(names[0], "")) == "admin"


@pytest.mark.parametrize(
    "name", ["OS_INTERFACE", "OS_ENDPOINT_TYPE", "OS_NETWORK_INTERFACE", "OS_COMPUTE_INTERFACE"]
)
def test_an_interface_that_is_none_is_refused_with_those_there_are(name):
    with pytest.raises(SettingsError, match=rf"{name}='private'.*public or publicURL"):
        connect(Network([]), {name: "private"})


# -- endpoints that do not connect ---------------------------------------------------------------


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError])
def test_the_next_endpoint_is_asked_when_the_first_does_not_connect(error):
    network = Network(public(FIRST, SECOND), down=["first"], error=error)
    seen = connect(network).read_groups([w.FREE])
    assert seen.value[w.FREE].name == "free"
    assert seen.unseen == ()
    assert hosts(network) == ["first", "second"]


def test_the_endpoint_that_worked_is_kept_for_the_process():
    network = Network(public(FIRST, SECOND), down=["first"])
    connect(network).read_groups([w.FREE])
    connect(network).read_groups([w.FREE])  # another event
    assert hosts(network) == ["first", "second", "second"]


def test_a_kept_endpoint_that_fails_later_gives_way_to_the_first():
    network = Network(public(FIRST, SECOND), down=["first"])
    connect(network).read_groups([w.FREE])
    network.down = {"second"}
    connect(network).read_groups([w.FREE])
    connect(network).read_groups([w.FREE])
    assert hosts(network)[2:] == ["second", "first", "first"]


def test_another_catalog_begins_with_its_own_first_endpoint():
    network = Network(public(FIRST, SECOND), down=["first"])
    connect(network).read_groups([w.FREE])
    network.endpoints, network.down, network.tried = public(THIRD, SECOND), set(), []
    connect(network, w.ADMIN_ENV).read_groups([w.FREE])
    assert hosts(network) == ["third"]


@pytest.mark.parametrize("error", [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError])
def test_a_response_that_was_lost_leads_to_no_other_endpoint(error):
    network = Network(public(FIRST, SECOND), down=["first"], error=error)
    with pytest.raises(UnreachableError):
        connect(network).read_groups([w.FREE])
    assert hosts(network) == ["first"] * 3


def test_an_endpoint_that_refuses_is_not_passed_over():
    network = Network(public(FIRST, SECOND))
    network.cloud.state.cloud("openstack").accounts[0].denied = ["GET /v2.0/security-groups"]
    connect(network).read_groups([w.FREE])
    assert set(hosts(network)) == {"first"}


def test_a_change_is_sent_to_no_second_endpoint():
    network = Network(public(FIRST, SECOND), down=["first"])
    with pytest.raises(UnreachableError):
        connect(network).delete_group(w.FREE)
    assert network.tried == [("DELETE", "first")]


def test_a_change_goes_to_the_endpoint_that_was_read():
    network = Network(public(FIRST, SECOND), down=["first"])
    provider = connect(network)
    provider.read_groups([w.FREE])
    provider.delete_group(w.FREE)
    assert network.tried[-1] == ("DELETE", "second")
    assert provider.read_groups([w.FREE]).value[w.FREE] is None


def test_every_attempt_tries_all_endpoints_and_the_error_names_them():
    network = Network(public(FIRST, f"{SECOND}/p-77"), down=["first", "second"])
    with pytest.raises(UnreachableError) as caught:
        connect(network).read_groups([w.FREE])
    assert hosts(network) == ["first", "second"] * 3
    text = str(caught.value)
    assert "2 of 2 endpoints tried, none connects: http://first:9696, http://second:9696" in text
    tokens = network.cloud.state.cloud("openstack").tokens
    assert tokens
    assert not [token for token in tokens if token in text]
    assert "p-77" not in text


def test_the_error_of_many_endpoints_stays_short():
    many = [f"http://host-{n}:9696" for n in range(500)]
    network = Network(public(*many), down=[httpx.URL(one).host for one in many])
    with pytest.raises(UnreachableError, match=r"500 of 500 endpoints.* and 496 more"):
        connect(network, attempts=1).read_groups([w.FREE])


def test_endpoints_are_tried_only_within_the_deadline():
    now = [0.0]
    deadline = Deadline.after(10, clock=lambda: now[0])
    network = Network(public(FIRST, SECOND, THIRD), down=["first", "second", "third"])
    real = network.handle_request

    def slow(request):
        if not request.url.path.endswith("/auth/tokens"):
            now[0] += 6
        return real(request)

    network.handle_request = slow
    with pytest.raises(UnreachableError, match=r"2 of 3 endpoints tried.*first.*second") as caught:
        connect(network, deadline=deadline).read_groups([w.FREE])
    assert "third" not in str(caught.value)
    assert hosts(network) == ["first", "second"]


def test_a_keystone_that_does_not_connect_is_no_fault_of_the_endpoint():
    network = Network(public(FIRST, SECOND))
    provider = connect(network)
    provider.read_groups([w.FREE])
    network.cloud.state.cloud("openstack").tokens.clear()  # the next call needs another token
    network.down = {"keystone"}
    network.tried = []
    with pytest.raises(UnreachableError) as caught:
        provider.read_groups([w.FREE])
    assert set(hosts(network)) == {"first"}
    assert caught.value.detail.startswith(f"{httpx.URL(w.PASSWORD_ENV['OS_AUTH_URL']).host}:")


def test_one_address_setting_leaves_one_endpoint():
    network = Network(public(FIRST, SECOND), down=["moved"])
    env = {"SGGUARD_ENDPOINT_OPENSTACK": "http://moved:1"}
    with pytest.raises(UnreachableError):
        connect(network, env).read_groups([w.FREE])
    assert hosts(network) == ["moved"] * 3


def test_what_is_kept_is_bounded():
    kept = failover.Failover()

    def refuse_first(base):
        if base == FIRST:
            error = UnreachableError("openstack", "a call")
            error.unconnected = FIRST
            raise error
        return base

    for number in range(1000):
        bases = (FIRST, f"http://h{number}")
        assert kept.read(None, bases, refuse_first) == bases[1]
        assert kept.order(None, bases)[0] == bases[1]
    assert len(kept._kept) == failover._KEPT_MAX
