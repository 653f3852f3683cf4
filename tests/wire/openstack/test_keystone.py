"""Keystone: requests of a token, its scope, and when it is renewed."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx
import pytest

from sgguard.errors import (
    CredentialsError,
    DeadlineError,
    InvalidRequestError,
    SettingsError,
    UnauthenticatedError,
    UnavailableError,
    UnknownShapeError,
)
from sgguard.providers.openstack.env import moved, read_identity
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.openstack.catalog import Catalog, Endpoint
from sgguard.wire.openstack.keystone import (
    Identity,
    KeystoneToken,
    NameOrId,
    parse_token,
    v3_url,
)
from sgguard.wire.openstack.keystone_auth import KeystoneAuth, TokenCache
from sgguard.wire.retry import Retry
from tests.reference import FIXTURES

URL = "http://keystone/v3"
PASSWORD = Identity(
    URL,
    "password",
    "hunter2",
    user=NameOrId(name="alice", domain_name="Default"),
    project=NameOrId(name="shop", domain_id="default"),
)


class Cloud(httpx.BaseTransport):
    """Issues t1, t2, …; ``good`` are the tokens its other service accepts."""

    def __init__(self, good=None, life_s=3600.0):
        self.good, self.life_s, self.now = good, life_s, 1_800_000_000.0
        self.seen = []

    def handle_request(self, request):
        request.read()
        self.seen.append((request.method, request.url.path, request.headers.get("x-auth-token")))
        if request.url.path.endswith("/auth/tokens"):
            return token_answer(f"t{self.issued}", self.now + self.life_s)
        is_good = self.good is None or request.headers["x-auth-token"] in self.good
        return httpx.Response(200 if is_good else 401, json={})

    @property
    def issued(self):
        return sum(path.endswith("/auth/tokens") for _, path, _ in self.seen)


def token_answer(token_id, expires_s, **changes):
    expires = datetime.fromtimestamp(expires_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return httpx.Response(
        201,
        headers={"x-subject-token": token_id},
        json={"token": {"expires_at": expires, "catalog": [], "roles": []} | changes},
    )


def refuse_all(response):
    if not response.is_success:
        raise UnauthenticatedError("openstack", "a call", status=response.status_code)


def session(cloud, identity=PASSWORD, cache=None):
    wire = Wire("openstack", Deadline.after(30), transport=cloud, retry=Retry(sleep=lambda _: None))
    auth = KeystoneAuth(identity, wire, lambda: cloud.now, TokenCache() if cache is None else cache)
    return wire, auth


def call(wire, auth):
    return wire.read("GET", "http://neutron/v2.0/x", action="a call", check=refuse_all, auth=auth)


# -- asking --------------------------------------------------------------------------------------

BODIES = {
    "password": (
        PASSWORD,
        {
            "auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {
                        "user": {
                            "name": "alice",
                            "domain": {"name": "Default"},
                            "password": "hunter2",
                        }
                    },
                },
                "scope": {"project": {"name": "shop", "domain": {"id": "default"}}},
            }
        },
    ),
    "ids need no domain": (
        Identity(
            URL,
            "password",
            "s",
            user=NameOrId(id="u", domain_id="d"),
            project=NameOrId(id="p", name="x"),
        ),
        {
            "auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {"user": {"id": "u", "password": "s"}},
                },
                "scope": {"project": {"id": "p"}},
            }
        },
    ),
    "a token is exchanged": (
        Identity(URL, "token", "t0", project=NameOrId(id="p")),
        {
            "auth": {
                "identity": {"methods": ["token"], "token": {"id": "t0"}},
                "scope": {"project": {"id": "p"}},
            }
        },
    ),
    "an application credential asks for no scope": (
        Identity(URL, "application_credential", "s", credential_id="c", project=NameOrId(id="p")),
        {
            "auth": {
                "identity": {
                    "methods": ["application_credential"],
                    "application_credential": {"id": "c", "secret": "s"},
                }
            }
        },
    ),
    "an application credential by name belongs to a user": (
        Identity(
            URL,
            "application_credential",
            "s",
            credential_name="guard",
            user=NameOrId(name="alice", domain_id="default"),
        ),
        {
            "auth": {
                "identity": {
                    "methods": ["application_credential"],
                    "application_credential": {
                        "name": "guard",
                        "user": {"name": "alice", "domain": {"id": "default"}},
                        "secret": "s",
                    },
                }
            }
        },
    ),
}


@pytest.mark.parametrize("case", BODIES, ids=str)
def test_the_token_request_is_the_documented_one(case):
    identity, body = BODIES[case]
    assert json.loads(identity.body()) == body


def test_no_secret_is_in_a_repr():
    wire, auth = session(Cloud())
    texts = [repr(PASSWORD), repr(auth), repr(auth.token()), repr(wire)]
    assert not [t for t in texts if "hunter2" in t or "'t1'" in t]


# -- keeping -------------------------------------------------------------------------------------


def test_a_token_is_fetched_once_and_sent_with_every_call():
    cloud = Cloud()
    wire, auth = session(cloud)
    for _ in range(3):
        call(wire, auth)
    assert cloud.issued == 1
    assert [token for _, path, token in cloud.seen if path == "/v2.0/x"] == ["t1"] * 3


def test_the_token_request_carries_no_token():
    cloud = Cloud()
    call(*session(cloud))
    assert cloud.seen[0] == ("POST", "/v3/auth/tokens", None)


def test_events_share_a_token_through_the_cache():
    cloud, cache = Cloud(), TokenCache()
    call(*session(cloud, cache=cache))
    call(*session(cloud, cache=cache))
    assert cloud.issued == 1
    cache.clear()
    call(*session(cloud, cache=cache))
    assert cloud.issued == 2


@pytest.mark.parametrize(
    "other",
    [
        Identity(URL, "password", "other", user=PASSWORD.user, project=PASSWORD.project),
        Identity(URL, "password", "hunter2", user=PASSWORD.user, project=NameOrId(id="p2")),
        Identity("http://other/v3", "password", "hunter2", PASSWORD.user, project=PASSWORD.project),
    ],
    ids=["another password", "another project", "another cloud"],
)
def test_another_identity_never_gets_the_token_of_the_first(other):
    cloud, cache = Cloud(), TokenCache()
    call(*session(cloud, cache=cache))
    call(*session(cloud, other, cache))
    assert cloud.issued == 2


def test_a_token_about_to_expire_is_not_used():
    cloud = Cloud(life_s=3600)
    wire, auth = session(cloud)
    call(wire, auth)
    cloud.now += 3600 - 61
    call(wire, auth)
    assert cloud.issued == 1
    cloud.now += 2
    call(wire, auth)
    assert cloud.issued == 2


def test_many_threads_that_need_a_token_fetch_one():
    cloud = Cloud()
    _, auth = session(cloud)
    with ThreadPoolExecutor(16) as pool:
        tokens = list(pool.map(lambda _: auth.token().id, range(64)))
    assert set(tokens) == {"t1"}
    assert cloud.issued == 1


def test_many_threads_whose_token_was_revoked_fetch_one_more():
    cloud = Cloud(good={"t2"})
    wire, auth = session(cloud)
    auth.token()
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: call(wire, auth), range(32)))
    assert cloud.issued == 2


def test_the_cache_forgets_the_oldest_identities():
    cloud, cache = Cloud(), TokenCache()
    for number in range(300):
        session(cloud, Identity(URL, "token", f"s{number}"), cache)[1].token()
    session(cloud, Identity(URL, "token", "s299"), cache)[1].token()
    assert cloud.issued == 300
    session(cloud, Identity(URL, "token", "s0"), cache)[1].token()
    assert cloud.issued == 301


def test_a_thread_that_waits_for_a_token_gives_up_at_its_deadline():
    cloud, cache = Cloud(), TokenCache()
    _, auth = session(cloud, cache=cache)
    hurried = Wire("openstack", Deadline.after(0.05), transport=cloud)
    late = KeystoneAuth(PASSWORD, hurried, lambda: cloud.now, cache)
    with cache.lock((cloud, PASSWORD)), pytest.raises(DeadlineError):
        late.token()
    assert auth.token().id == "t1"


# -- refused -------------------------------------------------------------------------------------


def test_after_a_401_the_call_is_made_once_more_with_another_token():
    cloud = Cloud(good={"t2"})
    wire, auth = session(cloud)
    assert call(wire, auth).status_code == 200
    assert [token for _, path, token in cloud.seen if path == "/v2.0/x"] == ["t1", "t2"]


def test_a_second_401_stands():
    cloud = Cloud(good=set())
    with pytest.raises(UnauthenticatedError):
        call(*session(cloud))
    assert len(cloud.seen) == 4


def test_a_refused_renewal_is_the_error_of_keystone():
    cloud = Cloud(good=set())
    wire, auth = session(cloud)
    auth.token()
    real = cloud.handle_request

    def refusing(request):
        if request.url.path.endswith("/auth/tokens"):
            body = {"error": {"code": 401, "title": "Unauthorized", "message": "no"}}
            return httpx.Response(401, json=body)
        return real(request)

    cloud.handle_request = refusing
    with pytest.raises(UnauthenticatedError) as caught:
        call(wire, auth)
    assert caught.value.action == "POST /v3/auth/tokens"
    assert caught.value.code == "Unauthorized"


class Watched(TokenCache):
    """Tells when somebody is about to wait for the lock."""

    def __init__(self):
        super().__init__()
        self.is_awaited = threading.Event()

    def lock(self, key):
        self.is_awaited.set()
        return super().lock(key)


def test_who_waited_while_the_password_was_refused_does_not_try_it_again():
    cloud, cache = Cloud(), Watched()
    _, auth = session(cloud, cache=cache)
    refusal = UnauthenticatedError("openstack", "POST /v3/auth/tokens", code="Unauthorized")
    with ThreadPoolExecutor(1) as pool:
        with cache.lock((cloud, PASSWORD)):
            cache.is_awaited.clear()
            waiting = pool.submit(auth.token)
            assert cache.is_awaited.wait(timeout=60)
            cache.refuse((cloud, PASSWORD), refusal)
        assert str(waiting.exception()) == str(refusal)
    assert cloud.seen == []
    assert auth.token().id == "t1"  # the next event may try again


def test_a_keystone_out_of_order_is_asked_again():
    answers = iter([httpx.Response(503), httpx.Response(503), token_answer("t9", 1_900_000_000)])
    wire = Wire(
        "openstack",
        Deadline.after(30),
        transport=httpx.MockTransport(lambda _: next(answers)),
        retry=Retry(sleep=lambda _: None),
    )
    assert KeystoneAuth(PASSWORD, wire, lambda: 0.0, TokenCache()).token().id == "t9"


# -- reading -------------------------------------------------------------------------------------


def test_a_recorded_token_brings_project_roles_and_catalog():
    path = FIXTURES / "openstack" / "test_securitygroup_query.json"
    if not path.exists():
        pytest.skip("the recorded answers are not here")
    body = next(r["response"] for r in json.loads(path.read_bytes()) if "tokens" in r["uri"])
    # The recording keeps no headers: the token itself was in one of them.
    token = parse_token(
        httpx.Response(200, headers={"x-subject-token": "t"}, json=body), "openstack"
    )
    assert token.project_id == "3d1d9e8cf44143abbd582e026fa507a3"
    assert token.roles == ("admin", "reader", "member")
    assert len(token.catalog.endpoints) == 33
    assert token.catalog.addresses("network", "RegionOne") == ("http://keystone:9696",)
    (compute,) = token.catalog.addresses("compute", "RegionOne", "internal")
    assert compute.startswith("http://keystone:8774/")
    assert token.expires_s == 1606365789.0


ODD_TOKENS = {
    "no header": httpx.Response(201, json={"token": {"expires_at": "2026-11-22T02:35:41.0Z"}}),
    "no token": httpx.Response(201, headers={"x-subject-token": "t"}, json={}),
    "no JSON": httpx.Response(201, headers={"x-subject-token": "t"}, content=b"<html>"),
    "no expiry": token_answer("t", 0, expires_at=None),
    "expiry without zone": token_answer("t", 0, expires_at="2026-11-22T02:35:41"),
    "expiry that is no time": token_answer("t", 0, expires_at="tomorrow"),
    "catalog null": token_answer("t", 0, catalog=None),
    "role without name": token_answer("t", 0, roles=[{}]),
}


@pytest.mark.parametrize("odd", ODD_TOKENS, ids=str)
def test_a_success_without_what_a_token_needs_is_an_unknown_shape(odd):
    with pytest.raises(UnknownShapeError):
        parse_token(ODD_TOKENS[odd], "openstack")


def test_a_refusal_is_an_error_with_its_status():
    with pytest.raises(UnavailableError):
        parse_token(httpx.Response(500, json={}), "openstack")


CATALOG = Catalog(
    (
        Endpoint("network", "public", "RegionOne", "http://a"),
        Endpoint("network", "public", "RegionTwo", "http://b"),
        Endpoint("network", "admin", "RegionOne", "http://c"),
        Endpoint("identity", "public", "RegionOne", "http://d"),
    ),
)


def test_an_endpoint_is_found_by_type_interface_and_region():
    assert CATALOG.addresses("network", "RegionOne") == ("http://a",)
    assert CATALOG.addresses("network", "RegionOne", "admin") == ("http://c",)


@pytest.mark.parametrize(
    ("service", "region", "kind", "words"),
    [
        # A region may be the caller's mistake; a service is missing for everybody.
        ("network", "RegionNine", InvalidRequestError, ["'RegionNine'", "RegionOne, RegionTwo"]),
        ("compute", "RegionOne", SettingsError, ["'compute'", "identity, network"]),
    ],
)
def test_what_is_not_in_the_catalog_is_said_with_what_there_is(service, region, kind, words):
    with pytest.raises(kind) as caught:
        CATALOG.addresses(service, region)
    assert [word for word in words if word not in str(caught.value)] == []


def test_an_empty_catalog_hints_at_the_scope():
    with pytest.raises(SettingsError, match="scoped to a project"):
        KeystoneToken("t", 0.0).catalog.addresses("network", "RegionOne")


# -- settings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://h:5000", "http://h:5000/v3"),
        ("http://h:5000/", "http://h:5000/v3"),
        ("https://h/identity", "https://h/identity/v3"),
        ("https://h/identity/v3/", "https://h/identity/v3"),
    ],
)
def test_an_authentication_address_is_the_one_of_v3(given, url):
    assert v3_url(given) == url


@pytest.mark.parametrize("given", ["keystone:5000", "ftp://h/v3", "http://h/v2.0"])
def test_an_authentication_address_of_another_kind_is_refused(given):
    with pytest.raises(SettingsError, match="OS_AUTH_URL"):
        v3_url(given)


BASE = {"OS_AUTH_URL": "http://h:5000/v3"}
USER = BASE | {"OS_USERNAME": "u", "OS_PASSWORD": "p", "OS_PROJECT_NAME": "r"}


def identity_of(env, endpoint=""):
    def read(*names):
        return next((env[name] for name in names if env.get(name)), "")

    return read_identity(read, endpoint)


@pytest.mark.parametrize(
    ("env", "method"),
    [
        (USER, "password"),
        (USER | {"OS_TOKEN": "t"}, "password"),
        (USER | {"OS_TOKEN": "t", "OS_AUTH_TYPE": "v3token"}, "token"),
        (BASE | {"OS_TOKEN": "t"}, "token"),
        (
            BASE | {"OS_APPLICATION_CREDENTIAL_ID": "c", "OS_APPLICATION_CREDENTIAL_SECRET": "s"},
            "application_credential",
        ),
        (
            USER | {"OS_APPLICATION_CREDENTIAL_NAME": "c", "OS_APPLICATION_CREDENTIAL_SECRET": "s"},
            "application_credential",
        ),
    ],
)
def test_the_variables_say_how_to_authenticate(env, method):
    assert identity_of(env).method == method


@pytest.mark.parametrize(
    ("env", "missing"),
    [
        ({}, "OS_AUTH_URL"),
        (BASE, "OS_USERNAME"),
        (BASE | {"OS_USERNAME": "u"}, "OS_PROJECT_NAME"),
        (BASE | {"OS_USERNAME": "u", "OS_PROJECT_ID": "p"}, "OS_PASSWORD"),
        (BASE | {"OS_AUTH_TYPE": "token"}, "OS_TOKEN"),
        (BASE | {"OS_APPLICATION_CREDENTIAL_ID": "c"}, "OS_APPLICATION_CREDENTIAL_SECRET"),
        (
            BASE | {"OS_APPLICATION_CREDENTIAL_NAME": "c", "OS_APPLICATION_CREDENTIAL_SECRET": "s"},
            "OS_USERNAME",
        ),
    ],
)
def test_what_is_missing_is_named(env, missing):
    with pytest.raises(CredentialsError, match=f"set {missing}"):
        identity_of(env)


def test_an_unknown_kind_of_authentication_is_refused_with_those_there_are():
    with pytest.raises(SettingsError, match=r"v3kerberos.*password"):
        identity_of(USER | {"OS_AUTH_TYPE": "v3kerberos"})


@pytest.mark.parametrize(
    ("env", "domain"),
    [
        (USER, ("default", "")),
        (USER | {"OS_USER_DOMAIN_NAME": "corp"}, ("", "corp")),
        (USER | {"OS_USER_DOMAIN_ID": "d1"}, ("d1", "")),
    ],
)
def test_a_user_without_a_domain_is_of_the_default_one(env, domain):
    user = identity_of(env).user
    assert (user.domain_id, user.domain_name) == domain


@pytest.mark.parametrize(
    ("url", "endpoint", "result"),
    [
        ("http://h:5000/v3", "", "http://h:5000/v3"),
        ("http://h:5000/v3", "http://127.0.0.1:8080", "http://127.0.0.1:8080/v3"),
        ("https://h:8774/v2.1/p/", "http://127.0.0.1:1", "http://127.0.0.1:1/v2.1/p"),
    ],
)
def test_an_endpoint_setting_replaces_scheme_host_and_port(url, endpoint, result):
    assert moved(url, endpoint) == result


def test_an_endpoint_setting_alone_says_where_keystone_is():
    env = {k: v for k, v in USER.items() if k != "OS_AUTH_URL"}
    assert identity_of(env, "http://127.0.0.1:1").auth_url == "http://127.0.0.1:1/identity/v3"
