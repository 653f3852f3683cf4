"""Vectors computed with the vendor's two SDKs, and one from its documentation."""

from __future__ import annotations

from urllib.parse import parse_qs, parse_qsl

import httpx
import pytest

from sgguard.wire import rpc_v1

SECRET = "EXAMPLESECRET0000000000000000"
NONCE = "0123456789abcdef0123456789abcdef"
MOMENT = 1_700_000_000.0
TOKEN = "CAIS/tok+en=="

COMMON = {
    "AccessKeyId": "LTAIEXAMPLE0000",
    "RegionId": "cn-hangzhou",
    "SignatureMethod": "HMAC-SHA1",
    "SignatureNonce": NONCE,
    "SignatureVersion": "1.0",
    "Timestamp": "2023-11-14T22:13:20Z",
    "Version": "2014-05-26",
}
REFERENCES = COMMON | {
    "Action": "DescribeSecurityGroupReferences",
    "SecurityGroupId.1": "sg-1133aa",
    "SecurityGroupId.2": "sg-2255cc",
}
DELETE = COMMON | {
    "Action": "DeleteSecurityGroup",
    "SecurityGroupId": "sg-1133aa",
    "SecurityToken": TOKEN,
}
CORE = {"Format": "JSON", "SignatureType": ""}
TEA = {"Format": "json"}
DOCUMENTED = {
    "AccessKeyId": "testid",
    "Action": "DescribeRegions",
    "Format": "XML",
    "SignatureMethod": "HMAC-SHA1",
    "SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
    "SignatureVersion": "1.0",
    "Timestamp": "2016-02-23T12:46:24Z",
    "Version": "2014-05-26",
}
VECTORS = {
    "A1 core, GET": ("GET", REFERENCES | CORE, SECRET, "vVBS547r8bPpj5tyCE96T4OlPso="),
    "A2 core, POST, token": ("POST", DELETE | CORE, SECRET, "k1TcT7R4myRaPmJ6E+lcq9L4FBE="),
    "A4 tea, POST": ("POST", REFERENCES | TEA, SECRET, "o9mIivizK1+Zn9ud5f6bUXNJgic="),
    "A4 tea, GET": ("GET", REFERENCES | TEA, SECRET, "bSx6dfH6sV9L3/+GoBcN35V05+0="),
    "A4 tea, POST, token": ("POST", DELETE | TEA, SECRET, "1WabNFPk7mVM73LKMzZOgU3EmBM="),
    "documentation": ("GET", DOCUMENTED, "testsecret", "OLeaidS1JvxuMvnyHOwuJ+uX5qY="),
}


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_the_signature_is_the_one_the_vendor_computes(vector):
    method, params, secret, expected = VECTORS[vector]
    assert rpc_v1.sign(secret, method, params.items()) == expected


def test_the_text_to_sign_is_the_one_the_vendor_signs():
    assert rpc_v1.string_to_sign("GET", (REFERENCES | CORE).items()) == (
        "GET&%2F&AccessKeyId%3DLTAIEXAMPLE0000%26Action%3DDescribeSecurityGroupReferences"
        "%26Format%3DJSON%26RegionId%3Dcn-hangzhou%26SecurityGroupId.1%3Dsg-1133aa"
        "%26SecurityGroupId.2%3Dsg-2255cc%26SignatureMethod%3DHMAC-SHA1"
        f"%26SignatureNonce%3D{NONCE}%26SignatureType%3D%26SignatureVersion%3D1.0"
        "%26Timestamp%3D2023-11-14T22%253A13%253A20Z%26Version%3D2014-05-26"
    )


def test_a_session_token_is_encoded_twice():
    text = rpc_v1.string_to_sign("POST", DELETE.items())
    assert "SecurityToken%3DCAIS%252Ftok%252Ben%253D%253D" in text


def test_a_signature_among_the_parameters_is_not_signed():
    with_one = REFERENCES | {"Signature": "anything"}
    assert rpc_v1.sign(SECRET, "GET", with_one.items()) == rpc_v1.sign(
        SECRET, "GET", REFERENCES.items()
    )


def test_every_character_outside_the_unreserved_ones_is_encoded():
    assert rpc_v1.encode("a b*~+/&=-_.中") == "a%20b%2A~%2B%2F%26%3D-_.%E4%B8%AD"


def auth(token: str = "") -> rpc_v1.RpcV1Auth:
    return rpc_v1.RpcV1Auth(
        "LTAIEXAMPLE0000", SECRET, token, nonce=lambda: NONCE, now=lambda: MOMENT
    )


def request(method: str, params: dict[str, str], **more) -> httpx.Request:
    business = {k: v for k, v in params.items() if k in {"Action", "Version", "RegionId"}}
    business |= {k: v for k, v in params.items() if k.startswith("SecurityGroupId")}
    query = rpc_v1.canonical_query((business | TEA | more).items())
    return httpx.Request(method, f"https://ecs.cn-hangzhou.aliyuncs.com/?{query}")


def test_a_get_carries_everything_in_the_query():
    sent = next(auth().auth_flow(request("GET", REFERENCES)))
    query = dict(parse_qsl(sent.url.query.decode(), keep_blank_values=True))
    assert query == REFERENCES | TEA | {"Signature": "bSx6dfH6sV9L3/+GoBcN35V05+0="}


def test_a_get_signs_an_empty_signature_type_that_the_caller_sends():
    sent = next(auth().auth_flow(request("GET", REFERENCES, Format="JSON", SignatureType="")))
    query = parse_qs(sent.url.query.decode())
    assert query["Signature"] == ["vVBS547r8bPpj5tyCE96T4OlPso="]


def test_a_post_carries_key_token_and_signature_in_its_body_only():
    sent = next(auth(TOKEN).auth_flow(request("POST", DELETE)))
    form = dict(parse_qsl(sent.content.decode()))
    assert form["Signature"] == "1WabNFPk7mVM73LKMzZOgU3EmBM="
    assert form["SecurityToken"] == TOKEN
    assert b"CAIS" not in sent.url.query
    assert b"LTAI" not in sent.url.query
    assert sent.headers["content-length"] == str(len(sent.content))
    assert dict(rpc_v1.params_of(sent)) == DELETE | TEA | {"Signature": form["Signature"]}


def test_a_post_keeps_the_form_it_had():
    first = request("POST", REFERENCES)
    with_form = httpx.Request(
        "POST", first.url, content=b"Extra=1", headers={"content-type": rpc_v1.FORM}
    )
    sent = next(auth().auth_flow(with_form))
    params = dict(rpc_v1.params_of(sent))
    assert params["Extra"] == "1"
    assert params["Signature"] == rpc_v1.sign(SECRET, "POST", params.items())


def test_a_signed_post_keeps_its_timeout():
    sent = httpx.Request(
        "POST", "https://ecs.cn-hangzhou.aliyuncs.com/", extensions={"timeout": {"read": 7}}
    )
    assert next(auth().auth_flow(sent)).extensions["timeout"] == {"read": 7}


def test_no_secret_is_in_a_repr():
    assert SECRET not in repr(auth(TOKEN))
    assert "CAIS" not in repr(auth(TOKEN))
