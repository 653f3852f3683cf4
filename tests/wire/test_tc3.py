"""TC3-HMAC-SHA256 against signatures the vendor's own SDK computed."""

from __future__ import annotations

import hashlib

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.wire import tc3

KEY_ID = "AKIDEXAMPLE0000000000000000000000"
SECRET = "EXAMPLESECRETKEY0000000000000000"
NOW = 1700000000
SPACED = b'{"InstanceIds": ["ins-915zrb0p", "ins-2zvpghhc"], "SecurityGroupIds": ["sg-9id3l839"]}'
COMPACT = b'{"InstanceIds":["ins-915zrb0p","ins-2zvpghhc"],"SecurityGroupIds":["sg-9id3l839"]}'
REFERENCES = b'{"SecurityGroupIds": ["sg-5ua9adfv"]}'
DOCUMENTED = (
    rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
)

# service, host, content type, body, signature
VECTORS = {
    "T1 CVM AssociateSecurityGroups": (
        "cvm",
        "cvm.tencentcloudapi.com",
        "application/json",
        SPACED,
        "192b18e3679bbac95f36c3c55fe37b9dfa346eaa14978d717dd3f138c34b718c",
    ),
    "T1 international host": (
        "cvm",
        "cvm.intl.tencentcloudapi.com",
        "application/json",
        SPACED,
        "cffdbec5149790a27b67aa7f467eadbafa3403e4b828d678105fa3d2e6ccd5fd",
    ),
    "T1 compact body": (
        "cvm",
        "cvm.tencentcloudapi.com",
        "application/json",
        COMPACT,
        "f0df67199a68d48788c01a770507a74cf7f0057040b333d5284ec43dcbddb669",
    ),
    "T1 compact body with charset": (
        "cvm",
        "cvm.tencentcloudapi.com",
        "application/json; charset=utf-8",
        COMPACT,
        "7e76b05b4327f0df431a9bcd53e45ca20f854ca5688b8a044e60f8601995e100",
    ),
    "T2 VPC DescribeSecurityGroupReferences": (
        "vpc",
        "vpc.tencentcloudapi.com",
        "application/json",
        REFERENCES,
        "4a5c55d9fdaaab9c02a8957d95f5515245c9f6e5d73e0687ec1236eda9bc5d24",
    ),
}


def sent(auth, *, host, content_type, body, headers=None):
    request = httpx.Request(
        "POST",
        f"https://{host}/",
        headers={"content-type": content_type, **(headers or {})},
        content=body,
    )
    return next(auth.auth_flow(request))


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_a_request_carries_the_signature_the_vendors_sdk_computes(vector):
    service, host, content_type, body, signature = vector
    auth = tc3.Tc3Auth(key_id=KEY_ID, secret=SECRET, service=service, now=lambda: NOW + 0.9)
    request = sent(auth, host=host, content_type=content_type, body=body)

    assert request.headers["authorization"] == (
        f"TC3-HMAC-SHA256 Credential={KEY_ID}/2023-11-14/{service}/tc3_request, "
        f"SignedHeaders=content-type;host, Signature={signature}"
    )
    assert request.headers["x-tc-timestamp"] == "1700000000"
    assert "x-tc-token" not in request.headers


def test_the_documentations_own_example_gives_its_signature():
    request = sent(
        tc3.Tc3Auth(
            key_id="AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
            secret="Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
            service="cvm",
            now=lambda: 1551113065,
        ),
        host="cvm.tencentcloudapi.com",
        content_type="application/json; charset=utf-8",
        body=DOCUMENTED,
    )
    parsed = tc3.parse_authorization(request.headers["authorization"])
    assert parsed is not None
    assert parsed.signature == "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    assert parsed.date == "2019-02-25"


def test_every_step_on_the_way_is_the_documented_one():
    headers = {"content-type": "application/json", "host": "cvm.tencentcloudapi.com"}
    canonical = tc3.canonical_request(
        method="post", query="", headers=headers, signed_headers=headers, body=SPACED
    )
    assert canonical == (
        "POST\n/\n\ncontent-type:application/json\nhost:cvm.tencentcloudapi.com\n\n"
        "content-type;host\n"
        "497aaae956f3ac172bdf297125691dee67555072cf4d6d3310543519c3eb1cf0"
    )
    assert tc3.string_to_sign(canonical, timestamp=NOW, service="cvm") == (
        "TC3-HMAC-SHA256\n1700000000\n2023-11-14/cvm/tc3_request\n"
        "9837e2b72ad79d173df3de456cb5f1a4d5e7bb38fe22c76c8a8f60c27d7cb86c"
    )


@pytest.mark.parametrize(
    ("service", "key"),
    [
        ("cvm", "1e4346179a8c58c74269bcc8a382300fdae523418de2be4b48fe8b56fedde2a1"),
        ("vpc", "10f4f115b5ee889e871b768b27fcd2639f289d6b31b5a105a18d26af30af0f93"),
    ],
)
def test_the_signing_key_is_derived_per_day_and_service(service, key):
    assert tc3.signing_key(SECRET, date="2023-11-14", service=service).hex() == key


def test_the_digest_of_the_references_request_is_the_vectors():
    headers = {"content-type": "application/json", "host": "vpc.tencentcloudapi.com"}
    canonical = tc3.canonical_request(
        method="POST", query="", headers=headers, signed_headers=headers, body=REFERENCES
    )
    assert canonical.endswith("88a08e4634b309b423d95b6775839e58daefb2a1faa0a3f6d209ec6c58d9d6de")
    assert hashlib.sha256(canonical.encode()).hexdigest() == (
        "aca8deb1d60d34e6f8a9046129a558552680e25f8a09118b8e1a27a2d8ee6076"
    )


def test_a_session_token_travels_beside_the_signature_and_does_not_change_it():
    auth = tc3.Tc3Auth(
        key_id=KEY_ID,
        secret=SECRET,
        service="vpc",
        now=lambda: NOW,
        token="tok/en+example==",
    )
    request = sent(
        auth, host="vpc.tencentcloudapi.com", content_type="application/json", body=REFERENCES
    )
    assert request.headers["x-tc-token"] == "tok/en+example=="
    assert request.headers["authorization"].endswith(VECTORS[list(VECTORS)[-1]][-1])


def test_a_body_declared_unsigned_is_not_digested():
    auth = tc3.Tc3Auth(key_id=KEY_ID, secret=SECRET, service="cvm", now=lambda: NOW)
    common = {
        "host": "cvm.tencentcloudapi.com",
        "content_type": "application/json",
        "headers": {"x-tc-content-sha256": "UNSIGNED-PAYLOAD"},
    }
    first, second = (sent(auth, body=body, **common) for body in (SPACED, COMPACT))
    assert first.headers["authorization"] == second.headers["authorization"]


def test_further_signed_headers_are_lower_cased_as_documented():
    headers = {"content-type": "a/B", "host": "H", "x-tc-action": " DescribeInstances "}
    canonical = tc3.canonical_request(
        method="POST", query="", headers=headers, signed_headers=headers, body=b""
    )
    assert "content-type:a/B\nhost:H\nx-tc-action:describeinstances\n" in canonical


@pytest.mark.parametrize("header", ["", "Bearer x", "TC3-HMAC-SHA256 Credential=a/b/c"])
def test_another_authorization_is_not_taken_for_this_scheme(header):
    assert tc3.parse_authorization(header) is None


def test_the_secret_and_the_token_are_not_in_a_repr():
    auth = tc3.Tc3Auth(key_id=KEY_ID, secret=SECRET, service="cvm", now=lambda: NOW, token="tok/en")
    assert SECRET not in repr(auth)
    assert "tok/en" not in repr(auth)


@given(body=st.binary(max_size=64), timestamp=st.integers(min_value=1, max_value=2**32))
def test_what_is_signed_is_what_the_other_side_computes(body, timestamp):
    auth = tc3.Tc3Auth(key_id=KEY_ID, secret=SECRET, service="vpc", now=lambda: timestamp)
    request = sent(auth, host="127.0.0.1:8000", content_type="application/json", body=body)
    parsed = tc3.parse_authorization(request.headers["authorization"])
    assert parsed is not None
    assert parsed.signature == tc3.signature_of(
        request,
        secret=SECRET,
        timestamp=timestamp,
        service=parsed.service,
        signed_headers=parsed.signed_headers,
    )
