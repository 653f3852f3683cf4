"""The catalog as Keystones send it: regions left out, entries that are malformed, old spellings."""

from __future__ import annotations

import json

import httpx
import pytest

from sgguard.errors import InvalidRequestError, SettingsError, UnknownShapeError
from sgguard.wire.openstack.catalog import is_base, parse_catalog
from sgguard.wire.openstack.keystone import parse_token
from sgguard.wire.shape import Shape
from tests.reference import FIXTURES

SHAPE = Shape("openstack", "POST /v3/auth/tokens")
LEFT_OUT = object()
EVERY_REGION = [LEFT_OUT, None, "", "*"]


def endpoint(url, region="RegionOne", interface="public", **changes):
    row = {"interface": interface, "url": url, "region": region, "region_id": region}
    row |= changes
    return {key: value for key, value in row.items() if value is not LEFT_OUT}


def network(*endpoints):
    return {"type": "network", "name": "neutron", "endpoints": list(endpoints)}


def addresses(*services, service="network", region="RegionOne", interface="public"):
    return parse_catalog(list(services), SHAPE).addresses(service, region, interface)


GOOD = endpoint("http://good:9696")

# -- regions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "region", [LEFT_OUT, None, "", "*"], ids=["left out", "null", "empty", "*"]
)
def test_an_endpoint_without_a_region_serves_every_region(region):
    catalog = network(endpoint("http://every:9696/", region))
    assert addresses(catalog) == addresses(catalog, region="Elsewhere") == ("http://every:9696",)


@pytest.mark.parametrize(
    "region", [LEFT_OUT, None, "", "*"], ids=["left out", "null", "empty", "*"]
)
def test_an_endpoint_for_every_region_never_stands_in_for_one_that_names_it(region):
    others = [endpoint("http://every", region), endpoint("http://two", "RegionTwo")]
    assert addresses(network(*others, GOOD)) == ("http://good:9696",)


def test_the_older_name_of_the_region_counts_where_the_newer_is_empty():
    one = endpoint("http://one", region="RegionOne", region_id=None)
    assert addresses(network(one)) == ("http://one",)
    with pytest.raises(InvalidRequestError, match="no region 'Two'"):
        addresses(network(one), region="Two")


@pytest.mark.parametrize("region", [1.5, False, [], {}])
def test_a_region_that_is_no_text_is_malformed_and_not_every_region(region):
    odd = endpoint("http://odd", region_id=region)
    assert addresses(network(odd, GOOD)) == ("http://good:9696",)
    with pytest.raises(UnknownShapeError, match="region_id"):
        addresses(network(odd))


# -- interfaces ----------------------------------------------------------------------------------


@pytest.mark.parametrize("interface", ["public", "publicURL", "PUBLIC", "publicurl"])
def test_a_catalog_may_spell_interfaces_as_identity_v2_did(interface):
    assert addresses(network(endpoint("http://a", interface=interface))) == ("http://a",)


def test_an_interface_nobody_knows_is_no_endpoint_of_the_known_ones():
    assert addresses(network(endpoint("http://a", interface="osc-2"), GOOD)) == (
        "http://good:9696",
    )
    with pytest.raises(SettingsError, match="no public endpoint"):
        addresses(network(endpoint("http://a", interface="osc-2")))


# -- other services ------------------------------------------------------------------------------

BROKEN_SERVICES = {
    "a text": "identity",
    "null": None,
    "no type": {"endpoints": [GOOD]},
    "a type that is a number": {"type": 5, "endpoints": [GOOD]},
    "a type that is a list": {"type": ["network"], "endpoints": [endpoint("http://evil")]},
    "no endpoints": {"type": "dns"},
    "endpoints null": {"type": "dns", "endpoints": None},
    "endpoints that are texts": {"type": "dns", "endpoints": ["http://a", None, 3]},
    "an endpoint without address": {"type": "dns", "endpoints": [{"interface": "public"}]},
    "an address that is a number": {"type": "dns", "endpoints": [endpoint(9)]},
    "an interface that is an object": {"type": "dns", "endpoints": [endpoint("x", interface={})]},
    "ten thousand endpoints": {
        "type": "dns",
        "endpoints": [endpoint(f"x{n}") for n in range(10**4)],
    },
}


@pytest.mark.parametrize("case", BROKEN_SERVICES)
def test_broken_entries_of_other_services_concern_nobody(case):
    assert addresses(BROKEN_SERVICES[case], network(GOOD)) == ("http://good:9696",)


def test_a_token_with_a_broken_entry_of_another_service_is_a_token():
    body = {
        "expires_at": "2026-11-22T02:35:41.000000Z",
        "catalog": [*BROKEN_SERVICES.values(), network(GOOD)],
    }
    response = httpx.Response(201, headers={"x-subject-token": "t"}, json={"token": body})
    token = parse_token(response, "openstack")
    assert token.catalog.addresses("network", "RegionOne") == ("http://good:9696",)


# -- broken entries of the service that is asked for ---------------------------------------------

BROKEN_ENDPOINTS = {
    "no object": "http://evil",
    "no address": endpoint(LEFT_OUT),
    "an address that is a list": endpoint(["http://evil"]),
    "an address that is empty": endpoint(""),
    "another scheme": endpoint("ftp://evil"),
    "no host": endpoint("http:///v2.0"),
    "a path": endpoint("/v2.0"),
    "a port that cannot exist": endpoint("http://evil:99999999"),
    "port zero": endpoint("http://evil:0"),
    "a line break": endpoint("http://evil\r\nhost: x"),
    "a space": endpoint("http://evil host/"),
    "half a character in the host": endpoint("http://\ud800/"),
    "half a character in the path": endpoint("http://evil/\ud800"),
    "a label that is none": endpoint("http://xn--/"),
    "a user and a password": endpoint("http://user:word@evil"),
    "a query": endpoint("http://evil/?x="),
    "a fragment": endpoint("http://evil/#"),
    "a template": endpoint("http://evil/%(tenant_id)s"),
    "another template": endpoint("http://evil/$(project_id)s"),
    "no interface": endpoint("http://evil", interface=LEFT_OUT),
    "an interface that is a list": endpoint("http://evil", interface=["public"]),
}


@pytest.mark.parametrize("case", BROKEN_ENDPOINTS)
def test_a_broken_endpoint_is_never_used_and_an_error_where_no_other_serves(case):
    odd = BROKEN_ENDPOINTS[case]
    assert addresses(network(odd, GOOD)) == ("http://good:9696",)
    assert addresses(network(odd), network(GOOD)) == ("http://good:9696",)
    with pytest.raises(UnknownShapeError) as caught:
        addresses(network(odd))
    assert "network in RegionOne" in caught.value.detail
    assert "word" not in str(caught.value)


def test_a_broken_endpoint_of_another_region_or_interface_changes_no_error():
    others = [endpoint(None, "RegionTwo"), endpoint(None, interface="admin")]
    with pytest.raises(InvalidRequestError, match=r"no region 'RegionOne'.*RegionTwo"):
        addresses(network(*others))


@pytest.mark.parametrize("odd", [None, {}, "x", 3])
def test_endpoints_that_are_no_list_are_an_unknown_shape_for_who_asks(odd):
    with pytest.raises(UnknownShapeError, match="expected a list"):
        addresses({"type": "network", "endpoints": odd})


@pytest.mark.parametrize("odd", [None, {}, "x", 3])
def test_a_catalog_that_is_no_list_is_an_unknown_shape(odd):
    with pytest.raises(UnknownShapeError):
        parse_catalog(odd, SHAPE)


# -- many ----------------------------------------------------------------------------------------


def test_an_address_that_is_listed_many_times_is_one():
    same = [endpoint(url) for url in ("http://a", "http://a/", " http://a ")] * 3000
    assert addresses(network(*same, GOOD)) == ("http://a", "http://good:9696")


def test_ten_thousand_names_make_no_long_error():
    services = [
        {"type": f"t{n}" + "x" * 500, "endpoints": [endpoint("http://a")]} for n in range(10**4)
    ]
    with pytest.raises(SettingsError, match="and 9988 more") as caught:
        addresses(*services)
    assert len(str(caught.value)) < 1200


def test_who_blocks_an_https_endpoint_does_not_get_the_token_in_plain_text():
    safe = [endpoint("https://a"), endpoint("http://b"), endpoint("https://c")]
    assert addresses(network(*safe)) == ("https://a", "https://c")
    assert addresses(network(*safe[1:])) == ("http://b", "https://c")


def test_usual_addresses_are_bases():
    usual = (
        *("http://h", "https://h:9696", "http://10.0.0.1:9696/v2.0", "http://[fd00::1]:9696"),
        *("https://h/networking", "http://h:8774/v2.1/3d1d9e8cf44143abbd582e026fa507a3"),
    )
    assert [url for url in usual if not is_base(url)] == []


@pytest.mark.parametrize("interface", ["public", "internal", "admin"])
def test_every_service_of_a_recorded_catalog_has_an_address(interface):
    path = FIXTURES / "openstack" / "test_securitygroup_query.json"
    if not path.exists():
        pytest.skip("the recorded answers are not here")
    body = next(r["response"] for r in json.loads(path.read_bytes()) if "tokens" in r["uri"])
    services = body["token"]["catalog"]
    assert len(services) == 11
    for service in services:
        (address,) = addresses(*services, service=service["type"], interface=interface)
        assert address in {one["url"] for one in service["endpoints"]}
