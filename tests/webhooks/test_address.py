"""Which addresses are called: judged as they are written, and by all that they resolve to."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.policy.callback import CallbackPolicy
from sgguard.render.language.sentence import whole_english
from sgguard.webhooks.network import refusal
from sgguard.webhooks.resolve import Pinned, pinned
from sgguard.webhooks.url import Endpoint, Refusal, judged
from tests.webhooks.shapes import BY_THEMSELVES, HOST, NEVER_RESOLVED_TO, PUBLIC, PUBLIC_V6

# What is refused is so although the policy names it: a careless policy opens no door.
CARELESS = CallbackPolicy(
    hosts=(
        *(HOST, "*.example.com", "*.wild.example", "metadata.tencentyun.com", "127.0.0.1"),
        *("localhost", "metadata", "*.google.internal", "2130706433", "*.localhost"),
    ),
    refuse=("9.0.0.0/8",),
)
URL = f"https://{HOST}/sgguard?x=1"


def resolving(*addresses: str):
    return lambda _name: addresses


def never(_name: str):
    raise AssertionError("an address that is refused by itself is not looked up")


@pytest.mark.parametrize("shape", BY_THEMSELVES)
def test_an_address_that_is_refused_by_itself_is_never_looked_up(shape):
    found = pinned(BY_THEMSELVES[shape], CARELESS, never)
    assert isinstance(found, Refusal)
    assert found.is_final
    assert found.why


@pytest.mark.parametrize(
    ("url", "port", "target"),
    [
        (f"https://{HOST}", 443, "/"),
        (f"https://{HOST}/", 443, "/"),
        (f"https://{HOST}:443/a/b?c=%20d&e=f@g:h", 443, "/a/b?c=%20d&e=f@g:h"),
        (f"https://{HOST.upper()}/A", 443, "/A"),
        (f"https://{HOST}?x", 443, "/?x"),
        (f"https://{HOST}:8443/", 8443, "/"),
    ],
)
def test_an_address_of_a_permitted_host_is_called_as_it_is_written(url, port, target):
    found = judged(url, CallbackPolicy(hosts=(HOST,), ports=(8443,)))
    assert found == Endpoint("https", HOST, port, target)


def test_a_wildcard_permits_names_below_and_not_the_name_itself():
    policy = CallbackPolicy(hosts=("*.wild.example",))
    for host in ("a.wild.example", "a.b.wild.example", "xn--bcher-kva.wild.example"):
        assert isinstance(judged(f"https://{host}/", policy), Endpoint)
    exact = CallbackPolicy(hosts=(HOST,))
    for host in (f"evil{HOST}", f"a.{HOST}", f"{HOST}.evil.example", HOST.removeprefix("hooks.")):
        assert isinstance(judged(f"https://{host}/", exact), Refusal)
    for host in ("wild.example", "awild.example", "wild.example.evil.example"):
        assert isinstance(judged(f"https://{host}/", policy), Refusal)


@pytest.mark.parametrize("address", NEVER_RESOLVED_TO)
def test_a_name_is_refused_by_what_it_resolves_to_whatever_else_it_resolves_to(address):
    for answer in ((address,), (PUBLIC[0], address), (address, PUBLIC[0])):
        found = pinned(URL, CARELESS, resolving(*answer))
        assert isinstance(found, Refusal)
        assert not found.is_final
        assert HOST in found.why


@pytest.mark.parametrize("address", [*PUBLIC, *PUBLIC_V6])
def test_a_public_address_is_pinned(address):
    found = pinned(URL, CARELESS, resolving(address))
    assert isinstance(found, Pinned)
    assert found.addresses == (address,)


@pytest.mark.parametrize("answer", [(), ("8.8.8.8",) * 33])
def test_a_name_without_an_address_or_with_very_many_is_not_called(answer):
    assert isinstance(pinned(URL, CARELESS, resolving(*answer)), Refusal)


@pytest.mark.parametrize("error", [socket.gaierror("x"), TimeoutError("x"), UnicodeError("x")])
def test_a_name_that_cannot_be_looked_up_may_be_another_time(error):
    def failing(_name: str):
        raise error

    found = pinned(URL, CARELESS, failing)
    assert isinstance(found, Refusal)
    assert not found.is_final


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_this_machine_is_called_only_where_the_policy_says_so_and_only_if_it_is_this_machine(host):
    url = f"http://{host}:8080/"
    for_tests = CallbackPolicy(loopback=True)
    assert isinstance(pinned(url, CallbackPolicy(hosts=(host,)), never), Refusal)
    assert isinstance(pinned(url, for_tests, resolving("127.0.0.1", "::1")), Pinned)
    for address in ("93.184.216.34", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1"):
        assert isinstance(pinned(url, for_tests, resolving("127.0.0.1", address)), Refusal)
    assert isinstance(pinned(url.replace(host, "127.0.0.2"), for_tests, never), Refusal)


def test_a_refusal_says_what_is_permitted_and_repeats_no_secret():
    policy = CallbackPolicy(hosts=(HOST, "*.wild.example"))
    found = judged("https://evil.example/token-of-mine?sig=secret", policy)
    assert isinstance(found, Refusal)
    assert whole_english(found.why) == "its host evil.example is not permitted"
    assert whole_english(found.expected) == f"callbacks.hosts permits: {HOST}, *.wild.example"
    known = judged(f"https://{HOST}/token-of-mine?sig=secret", policy)
    assert "token-of-mine" not in repr(known)


@given(st.integers(0, 2**32 - 1))
def test_no_ipv4_address_is_called_that_the_standard_library_calls_private(number):
    address = ipaddress.IPv4Address(number)
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert refusal(str(address)), address


@given(st.integers(0, 2**128 - 1) | st.integers(0x2000 << 112, (0x2003 << 112) - 1))
def test_no_ipv6_address_is_called_that_the_standard_library_calls_private_or_translates(number):
    address = ipaddress.IPv6Address(number)
    carries = (address.ipv4_mapped, address.sixtofour, address.teredo)
    if not address.is_global or address.is_multicast or any(carries):
        assert refusal(str(address)), address


@given(
    st.text() | st.text(alphabet="htps:/.@#?[]\\%0x127lo-:\uff11\u3002\u2168\u00ad", max_size=60)
)
def test_whatever_is_judged_to_be_callable_is_a_permitted_host_at_a_permitted_port(text):
    for url in (text, f"https://{text}", f"https://{HOST}{text}", f"https://{text}{HOST}/"):
        found = judged(url, CARELESS)
        if isinstance(found, Endpoint):
            assert found.scheme == "https"
            assert found.port == 443
            assert found.host == HOST or found.host.endswith((".example.com", ".wild.example"))
            # What another reader of URLs makes of it is the same host.
            assert urlsplit(url).hostname == found.host
