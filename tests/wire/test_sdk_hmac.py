import hashlib
import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.wire import sdk_hmac
from sgguard.wire.sdk_hmac import SdkHmacAuth

AK = "HWTESTACCESSKEY00001"
SK = "hwTestSecretKey0000000000000000000000001"
PROJECT = "e73621affb8f44e1bc01898747ca09d4"
WHEN = 1795311000.0  # 2026-11-22T01:30:00Z
PEER = "bc4ac1d1-dc77-4b7d-a97d-af86eb0dc450"

V2_BODY = json.dumps(
    {
        "security_group_rule": {
            "security_group_id": "b3e4b615-a40f-4e1c-92af-2e0d382141d5",
            "direction": "ingress",
            "remote_group_id": PEER,
            "description": "grün",
        }
    },
    ensure_ascii=False,
    separators=(",", ":"),
).encode()

VECTORS = [
    pytest.param(
        httpx.Request(
            "GET",
            "https://vpc.eu-de.otc.t-systems.com/v2.0/security-group-rules",
            params={"remote_group_id": PEER, "limit": "2000"},
            headers={"Content-Type": "application/json"},
        ),
        "",
        "GET\n/v2.0/security-group-rules/\n"
        f"limit=2000&remote_group_id={PEER}\n"
        "content-type:application/json\nhost:vpc.eu-de.otc.t-systems.com\n"
        f"x-project-id:{PROJECT}\nx-sdk-date:20261122T013000Z\n\n"
        "content-type;host;x-project-id;x-sdk-date\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "d66cfbe94d348cf0e79c6f6247612d4bde387ccea896c88120339efe5a3d5d41",
        "d13c5ee2527c8097eb2b721d38891323b3ef8b56287a3648665105fcf25a3c54",
        id="V1-get-with-query",
    ),
    pytest.param(
        httpx.Request(
            "POST",
            f"https://vpc.cn-north-4.myhuaweicloud.com/v3/{PROJECT}/vpc/security-group-rules",
            headers={"Content-Type": "application/json"},
            content=V2_BODY,
        ),
        "FAKETOKENgQpjbi1ub3J0aC00ijSQ==",
        f"POST\n/v3/{PROJECT}/vpc/security-group-rules/\n\n"
        "content-type:application/json\nhost:vpc.cn-north-4.myhuaweicloud.com\n"
        f"x-project-id:{PROJECT}\nx-sdk-date:20261122T013000Z\n"
        "x-security-token:FAKETOKENgQpjbi1ub3J0aC00ijSQ==\n\n"
        "content-type;host;x-project-id;x-sdk-date;x-security-token\n"
        "ac0005ec874aefd8d31cba08e0abc6c09102422094c46ebdf6f8cb3edebb36fe",
        "de511bce8825a6e383cc36d612e5ff9db29a753e71903428c7318c479b965cd8",
        "f5c0b170a91469fafbc009f1a8ccb45c4dfb301591c726cb8a004b96b14e7995",
        id="V2-post-with-token-and-utf8",
    ),
]


def sent(request, token="", project=PROJECT):
    auth = SdkHmacAuth(access=AK, secret=SK, now=lambda: WHEN, token=token, project=project)
    return next(auth.auth_flow(request))


@pytest.mark.parametrize(("request_", "token", "canonical", "digest", "signature"), VECTORS)
def test_a_request_is_signed_as_the_vendors_sdk_signs_it(
    request_, token, canonical, digest, signature
):
    signed = sent(request_, token)
    said = sdk_hmac.parse_authorization(signed.headers["authorization"])
    text = sdk_hmac.canonical_request(
        method=signed.method,
        path=signed.url.path,
        query=list(signed.url.params.multi_items()),
        headers=signed.headers,
        signed_headers=said.signed_headers,
        body=signed.content,
    )
    assert text == canonical
    assert hashlib.sha256(text.encode()).hexdigest() == digest
    assert sdk_hmac.string_to_sign(text, "20261122T013000Z").endswith(digest)
    assert (said.access, said.signature) == (AK, signature)


def test_the_added_slash_is_signed_but_never_sent():
    signed = sent(httpx.Request("GET", "https://h/v2.0/ports"))
    assert signed.url.path == "/v2.0/ports"


def test_the_query_goes_on_the_wire_sorted_and_percent_encoded():
    signed = sent(httpx.Request("GET", "https://h/p?b=2&a=z&a=%C3%BC+x~*&c"))
    assert signed.url.query == b"a=z&a=%C3%BC%20x~%2A&b=2&c="


def test_headers_that_a_proxy_may_change_are_not_signed():
    signed = sent(httpx.Request("GET", "https://h/p", headers={"User-Agent": "x", "Accept": "*"}))
    said = sdk_hmac.parse_authorization(signed.headers["authorization"])
    assert said.signed_headers == ("host", "x-project-id", "x-sdk-date")


@pytest.mark.parametrize(
    ("kind", "is_unsigned"),
    [
        ("application/json", False),
        ("application/json;charset=utf8", False),
        ("application/bson", False),
        ("application/octet-stream", True),
        ("multipart/form-data; boundary=x", True),
    ],
)
def test_a_body_that_is_not_json_is_sent_unsigned(kind, is_unsigned):
    signed = sent(
        httpx.Request("POST", "https://h/p", content=b"x", headers={"content-type": kind})
    )
    assert (signed.headers.get("x-sdk-content-sha256") == "UNSIGNED-PAYLOAD") is is_unsigned
    named = sdk_hmac.parse_authorization(signed.headers["authorization"]).signed_headers
    assert ("x-sdk-content-sha256" in named) is is_unsigned
    again = httpx.Request("POST", "https://h/p", content=b"y", headers=signed.headers)
    changes = sdk_hmac.signature_of(again, named, SK) != sdk_hmac.signature_of(signed, named, SK)
    assert changes is not is_unsigned


def test_without_a_project_or_a_token_no_such_header_is_sent():
    signed = sent(httpx.Request("GET", "https://h/v3/projects"), project="")
    assert "x-project-id" not in signed.headers
    assert "x-security-token" not in signed.headers


def test_every_attempt_is_signed_with_the_time_of_that_attempt():
    times = iter([WHEN, WHEN + 60])
    auth = SdkHmacAuth(access=AK, secret=SK, now=lambda: next(times))
    request = httpx.Request("GET", "https://h/p")
    first = next(auth.auth_flow(request)).headers["authorization"]
    second = next(auth.auth_flow(request)).headers["authorization"]
    assert first != second
    assert request.headers["x-sdk-date"] == "20261122T013100Z"


def test_the_secret_does_not_show_in_the_repr():
    auth = SdkHmacAuth(access=AK, secret=SK, now=lambda: WHEN, token="FAKETOKEN")
    assert SK not in repr(auth)
    assert "FAKETOKEN" not in repr(auth)


@pytest.mark.parametrize(
    "header",
    ["", "Bearer x", "SDK-HMAC-SHA256", "SDK-HMAC-SHA256 Access=, SignedHeaders=a, Signature=0"],
)
def test_a_header_of_another_scheme_is_not_read(header):
    assert sdk_hmac.parse_authorization(header) is None


def test_a_date_that_cannot_be_read_is_none():
    assert sdk_hmac.epoch_of("2026-11-22T01:30:00Z") is None
    assert sdk_hmac.epoch_of("20261122T013000Z") == WHEN


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=4), st.text(max_size=6)), max_size=5),
    st.text(alphabet="abü /%~.", max_size=8),
)
def test_whatever_is_sent_the_verifier_computes_the_same_signature(pairs, path):
    encodable = [(k, v) for k, v in pairs if (k + v).isprintable()]
    url = httpx.URL("https://h").copy_with(path="/" + path)
    signed = sent(httpx.Request("GET", url, params=encodable))
    said = sdk_hmac.parse_authorization(signed.headers["authorization"])
    received = httpx.Request(
        "GET", f"https://h{signed.url.raw_path.decode()}", headers=signed.headers
    )
    assert sdk_hmac.signature_of(received, said.signed_headers, SK) == said.signature
