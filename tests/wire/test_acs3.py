"""Vectors computed with the vendor's own SDK, and one from its documentation."""

from __future__ import annotations

import httpx
import pytest

from sgguard.wire import acs3

SECRET = "EXAMPLESECRET0000000000000000"
NONCE = "0123456789abcdef0123456789abcdef"
MOMENT = 1_700_000_000.0
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
B1_CANONICAL = (
    "POST\n/\n"
    "RegionId=cn-hangzhou&SecurityGroupId.1=sg-1133aa&SecurityGroupId.2=sg-2255cc\n"
    "host:ecs.cn-hangzhou.aliyuncs.com\n"
    "x-acs-action:DescribeSecurityGroupReferences\n"
    f"x-acs-content-sha256:{EMPTY}\n"
    "x-acs-date:2023-11-14T22:13:20Z\n"
    f"x-acs-signature-nonce:{NONCE}\n"
    "x-acs-version:2014-05-26\n"
    "\n"
    "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version\n"
    + EMPTY
)
VECTORS = {
    "B1 references": (
        "DescribeSecurityGroupReferences",
        "RegionId=cn-hangzhou&SecurityGroupId.1=sg-1133aa&SecurityGroupId.2=sg-2255cc",
        "",
        "8a0206ffd71c15e48f9ba512683bbbe5537efc6794b5820e16ce70c4f3ed40fc",
    ),
    "B2 delete with a session token": (
        "DeleteSecurityGroup",
        "RegionId=cn-hangzhou&SecurityGroupId=sg-1133aa",
        "CAIS/tok+en==",
        "97966bc107d3c213003747ae19d858406432178936f99902dbe99ee86223d24d",
    ),
}


def signed(action: str, query: str, token: str = "", body: bytes = b"") -> httpx.Request:
    auth = acs3.Acs3Auth("LTAIEXAMPLE0000", SECRET, token, nonce=lambda: NONCE, now=lambda: MOMENT)
    request = httpx.Request(
        "POST",
        f"https://ecs.cn-hangzhou.aliyuncs.com/?{query}",
        headers={"x-acs-action": action, "x-acs-version": "2014-05-26"},
        content=body,
    )
    return next(auth.auth_flow(request))


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_the_signature_is_the_one_the_vendor_computes(vector):
    action, query, token, expected = VECTORS[vector]
    said = acs3.parse_authorization(signed(action, query, token).headers["authorization"])
    assert said is not None
    assert (said.key_id, said.signature) == ("LTAIEXAMPLE0000", expected)
    assert ("x-acs-security-token" in said.signed_headers) == bool(token)


def test_the_canonical_request_is_the_documented_one():
    headers = {
        "Host": "ecs.cn-hangzhou.aliyuncs.com ",
        "X-Acs-Version": "2014-05-26",
        "x-acs-action": "DescribeSecurityGroupReferences",
        "x-acs-content-sha256": EMPTY,
        "x-acs-date": "2023-11-14T22:13:20Z",
        "x-acs-signature-nonce": NONCE,
    }
    query = acs3.canonical_query(
        [
            ("SecurityGroupId.2", "sg-2255cc"),
            ("RegionId", "cn-hangzhou"),
            ("SecurityGroupId.1", "sg-1133aa"),
        ]
    )
    canonical = acs3.canonical_request("post", "", query, headers, acs3.payload_hash(b""))
    assert canonical == B1_CANONICAL
    assert acs3.string_to_sign(canonical) == (
        "ACS3-HMAC-SHA256\n2db4f53e5da47eb4eebd2e15d214585cbcdce4eac620d405a978c69c9c322b5e"
    )


def test_the_signature_is_the_one_of_the_documentation():
    headers = {
        "host": "ecs.cn-shanghai.aliyuncs.com",
        "x-acs-action": "RunInstances",
        "x-acs-content-sha256": EMPTY,
        "x-acs-date": "2023-10-26T10:22:32Z",
        "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
        "x-acs-version": "2014-05-26",
    }
    query = acs3.canonical_query(
        [
            ("ImageId", "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"),
            ("RegionId", "cn-shanghai"),
        ]
    )
    canonical = acs3.canonical_request("POST", "/", query, headers, EMPTY)
    assert acs3.sign("YourAccessKeySecret", canonical) == (
        "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


def test_a_changed_body_changes_the_signature():
    action, query, token, _ = VECTORS["B1 references"]
    empty, full = signed(action, query, token), signed(action, query, token, b"x=1")
    assert full.headers["x-acs-content-sha256"] != empty.headers["x-acs-content-sha256"]
    assert full.headers["authorization"] != empty.headers["authorization"]


def test_every_attempt_has_its_own_nonce():
    nonces = iter(("first", "second"))
    auth = acs3.Acs3Auth("key", SECRET, nonce=lambda: next(nonces), now=lambda: MOMENT)
    requests = [
        next(auth.auth_flow(httpx.Request("POST", "https://ecs.cn-hangzhou.aliyuncs.com/")))
        for _ in range(2)
    ]
    assert [r.headers["x-acs-signature-nonce"] for r in requests] == ["first", "second"]


@pytest.mark.parametrize(
    "value",
    ["", "Basic abc", "ACS3-HMAC-SHA256 Credential=a", "ACS3-HMAC-SHA512 Credential=a,S=b"],
)
def test_an_authorization_of_another_scheme_is_none(value):
    assert acs3.parse_authorization(value) is None


def test_no_secret_is_in_a_repr():
    auth = acs3.Acs3Auth("key", SECRET, "CAIS/tok+en==", nonce=lambda: NONCE)
    assert SECRET not in repr(auth)
    assert "CAIS" not in repr(auth)
