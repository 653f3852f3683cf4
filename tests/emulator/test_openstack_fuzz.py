"""The emulated OpenStack responds to any request, and never fails by itself."""

from __future__ import annotations

import json

import httpx
from hypothesis import given
from hypothesis import strategies as st

from sgguard.emulator.faces.base import Certainty, certainty_of
from sgguard.emulator.faces.openstack import FACE
from tests.worlds import openstack as w

CLOUD = w.WORLD.emulator().state.cloud("openstack")

KEYS = ["auth", "identity", "methods", "password", "token", "application_credential", "user", "id"]
MORE = ["name", "domain", "scope", "project", "secret", "addSecurityGroup"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["alice", "password", "token", ""]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(KEYS + MORE), inner, max_size=4)
    ),
    max_leaves=10,
)
PATHS = st.sampled_from(
    [
        "/identity/v3/auth/tokens",
        "/networking/v2.0/security-groups",
        f"/networking/v2.0/security-groups/{w.FREE}",
        "/networking/v2.0/ports",
        "/networking/v2.0/quotas",
        f"/networking/v2.0/quotas/{w.PROJECT}/details.json",
        f"/compute/v2.1/servers/{w.SERVER}/action",
        "/compute/v2.1",
        "/v2.0//",
    ]
)
QUERIES = st.dictionaries(
    st.sampled_from(["limit", "marker", "fields", "id", "sort_key", "page_reverse", "x"]),
    st.sampled_from(["", "0", "1", "-1", "abc", w.FREE]),
)


def token():
    body = {
        "identity": {
            "methods": ["password"],
            "password": {
                "user": {
                    "name": "rita",
                    "domain": {"name": "Default"},
                    "password": "only looking",
                }
            },
        }
    }
    request = httpx.Request("POST", "http://h/identity/v3/auth/tokens", json={"auth": body})
    return FACE.respond(request, CLOUD, 0.0).headers["x-subject-token"]


TOKEN = token()


def is_answered(response):
    """No failure: 501 is what a call that is not emulated gets."""
    return response.status_code < 500 or response.status_code == 501


ODD = st.sampled_from([None, 1, True, "", "alice", "Default", [], ["x"], {}, {"id": []}])
USERS = st.fixed_dictionaries({}, optional={"id": ODD, "name": ODD, "domain": ODD, "password": ODD})
PROOFS = st.builds(
    lambda method, proof, scope: {
        "auth": {"identity": {"methods": [method], method: proof}, "scope": scope}
    },
    st.sampled_from(["password", "token", "application_credential"]),
    st.fixed_dictionaries(
        {}, optional={"id": ODD, "name": ODD, "secret": ODD, "user": USERS | ODD}
    ),
    ODD | st.fixed_dictionaries({"project": ODD | USERS}),
)


@given(st.sampled_from(["GET", "POST", "DELETE", "PUT"]), PATHS, QUERIES, JSON)
def test_every_request_gets_an_answer_below_500(method, path, query, body):
    request = httpx.Request(
        method,
        httpx.URL(f"http://h{path}", params=query),
        headers={"x-auth-token": TOKEN},
        content=json.dumps(body).encode(),
    )
    FACE.action(request)
    assert certainty_of(FACE, request, CLOUD) is Certainty.TOKEN
    assert is_answered(FACE.respond(request, CLOUD, 1.0))
    request.headers["x-auth-token"] = "none"
    assert certainty_of(FACE, request, CLOUD) >= Certainty.SHARED
    assert is_answered(FACE.respond(request, CLOUD, 1.0))


@given(PROOFS)
def test_every_token_request_is_granted_or_refused(body):
    request = httpx.Request("POST", "http://h/identity/v3/auth/tokens", json=body)
    certainty_of(FACE, request, CLOUD)
    assert FACE.respond(request, CLOUD, 1.0).status_code in (201, 400, 401)


@given(st.text(st.characters(codec="ascii"), max_size=30))
def test_every_path_is_claimed_or_not_and_never_fails(path):
    try:
        request = httpx.Request("GET", httpx.URL("http://h/").copy_with(path=f"/{path}"))
    except httpx.InvalidURL:
        return
    if certainty_of(FACE, request, CLOUD) is not Certainty.NONE:
        FACE.action(request)
        assert is_answered(FACE.respond(request, CLOUD, 0.0))
