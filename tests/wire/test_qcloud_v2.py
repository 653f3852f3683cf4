"""The signature of API 2.0 against values the vendor's own SDK computed."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.wire import qcloud_v2

KEY_ID = "AKIDEXAMPLE0000000000000000000000"
SECRET = "EXAMPLESECRETKEY0000000000000000"
URL = "https://dfw.api.qcloud.com/v2/index.php"
SDK = {"RequestClient": "SDK_PYTHON_2.0.15"}
ASSOCIATES = {
    "Action": "DescribeAssociateSecurityGroups",
    "Region": "ap-guangzhou",
    "sgIds": ["sg-5ua9adfv"],
}
DELETE = {"Action": "DeleteSecurityGroup", "Region": "ap-guangzhou", "sgId": "sg-c3y9ak17"}


def auth(algorithm, *, token="", nonce=lambda: 12345):
    return qcloud_v2.QcloudV2Auth(
        key_id=KEY_ID,
        secret=SECRET,
        now=lambda: 1700000000.7,
        nonce=nonce,
        token=token,
        algorithm=algorithm,
    )


def sent(method, params, signer):
    encoded = urlencode(qcloud_v2.flatten(params))
    if method == "GET":
        request = httpx.Request("GET", f"{URL}?{encoded}")
    else:
        request = httpx.Request("POST", URL, content=encoded.encode())
    return next(signer.auth_flow(request))


# method, parameters, signer, signature, what goes on the wire
VECTORS = {
    "V1 GET HmacSHA1": (
        "GET",
        ASSOCIATES | SDK,
        auth("HmacSHA1"),
        "9Gl8KEskMsh6Sen/pXh/DhsO2xs=",
        (
            "sgIds.0=sg-5ua9adfv&Action=DescribeAssociateSecurityGroups"
            "&RequestClient=SDK_PYTHON_2.0.15&Region=ap-guangzhou"
            "&SecretId=AKIDEXAMPLE0000000000000000000000&Nonce=12345&Timestamp=1700000000"
            "&SignatureMethod=HmacSHA1&Signature=9Gl8KEskMsh6Sen%2FpXh%2FDhsO2xs%3D"
        ),
    ),
    "V2 POST HmacSHA256 with a token": (
        "POST",
        DELETE | SDK | {"forced": 0},
        auth("HmacSHA256", token="tok/en+example=="),
        "gXnsv0ADTM2w2hS3m8+w8NoVqbK31A8BbJ2kZAzbw28=",
        (
            "sgId=sg-c3y9ak17&forced=0&Action=DeleteSecurityGroup"
            "&RequestClient=SDK_PYTHON_2.0.15&Region=ap-guangzhou&Token=tok%2Fen%2Bexample%3D%3D"
            "&SecretId=AKIDEXAMPLE0000000000000000000000&Nonce=12345&Timestamp=1700000000"
            "&SignatureMethod=HmacSHA256"
            "&Signature=gXnsv0ADTM2w2hS3m8%2Bw8NoVqbK31A8BbJ2kZAzbw28%3D"
        ),
    ),
    "V4 GET HmacSHA256 without RequestClient": (
        "GET",
        ASSOCIATES,
        auth("HmacSHA256"),
        "YcIkeOnzp6Mi1dXPYWbFsNhsTUnN8GEaAv7deMmykEs=",
        (
            "sgIds.0=sg-5ua9adfv&Action=DescribeAssociateSecurityGroups&Region=ap-guangzhou"
            "&SecretId=AKIDEXAMPLE0000000000000000000000&Nonce=12345&Timestamp=1700000000"
            "&SignatureMethod=HmacSHA256&Signature=YcIkeOnzp6Mi1dXPYWbFsNhsTUnN8GEaAv7deMmykEs%3D"
        ),
    ),
}


@pytest.mark.parametrize("vector", VECTORS.values(), ids=VECTORS)
def test_a_request_carries_the_signature_the_vendors_sdk_computes(vector):
    method, params, signer, signature, wire = vector
    request = sent(method, params, signer)
    raw = request.content if method == "POST" else request.url.query
    assert sorted(raw.decode().split("&")) == sorted(wire.split("&"))
    assert qcloud_v2.params_of(request)["Signature"] == signature


STRINGS = {
    "V1": (
        "GET",
        ASSOCIATES | SDK | {"SignatureMethod": "HmacSHA1"},
        (
            "GETdfw.api.qcloud.com/v2/index.php?Action=DescribeAssociateSecurityGroups&Nonce=12345"
            "&Region=ap-guangzhou&RequestClient=SDK_PYTHON_2.0.15"
            "&SecretId=AKIDEXAMPLE0000000000000000000000&SignatureMethod=HmacSHA1"
            "&Timestamp=1700000000&sgIds.0=sg-5ua9adfv"
        ),
    ),
    "V2": (
        "POST",
        DELETE | SDK | {"forced": 0, "Token": "tok/en+example==", "SignatureMethod": "HmacSHA256"},
        (
            "POSTdfw.api.qcloud.com/v2/index.php?Action=DeleteSecurityGroup&Nonce=12345"
            "&Region=ap-guangzhou&RequestClient=SDK_PYTHON_2.0.15"
            "&SecretId=AKIDEXAMPLE0000000000000000000000&SignatureMethod=HmacSHA256"
            "&Timestamp=1700000000&Token=tok/en+example==&forced=0&sgId=sg-c3y9ak17"
        ),
    ),
    "V4": (
        "GET",
        ASSOCIATES | {"SignatureMethod": "HmacSHA256"},
        (
            "GETdfw.api.qcloud.com/v2/index.php?Action=DescribeAssociateSecurityGroups&Nonce=12345"
            "&Region=ap-guangzhou&SecretId=AKIDEXAMPLE0000000000000000000000"
            "&SignatureMethod=HmacSHA256&Timestamp=1700000000&sgIds.0=sg-5ua9adfv"
        ),
    ),
}


@pytest.mark.parametrize(("method", "params", "text"), STRINGS.values(), ids=STRINGS)
def test_the_string_to_sign_is_the_vectors_with_raw_values(method, params, text):
    common = {"Nonce": 12345, "SecretId": KEY_ID, "Timestamp": 1700000000}
    flat = qcloud_v2.flatten(params | common)
    assert qcloud_v2.string_to_sign(method, "dfw.api.qcloud.com", "/v2/index.php", flat) == text


def test_names_are_sorted_by_byte_after_underscores_became_dots():
    flat = {"sgIds.2": "c", "sgIds.10": "b", "Token": "t", "a_b": "1", "a.a": "0", "aZ": "2"}
    text = qcloud_v2.string_to_sign("GET", "h", "/p", flat)
    assert text == "GETh/p?Token=t&a.a=0&a.b=1&aZ=2&sgIds.10=b&sgIds.2=c"


def test_underscores_stay_on_the_wire():
    request = sent("GET", {"a_b": "1"}, auth("HmacSHA1"))
    assert dict(parse_qsl(request.url.query.decode()))["a_b"] == "1"


def test_files_are_left_out_of_the_string_of_a_post_only():
    flat = {"file": "@/etc/hosts", "x": "1"}
    assert qcloud_v2.string_to_sign("POST", "h", "/", flat) == "POSTh/?x=1"
    assert qcloud_v2.string_to_sign("GET", "h", "/", flat) == "GETh/?file=@/etc/hosts&x=1"


def test_lists_and_objects_are_flattened_from_zero_and_none_is_left_out():
    nested = {"sgIds": ["sg-a", "sg-b"], "one": {"two": [{"three": 3}]}, "none": None}
    assert qcloud_v2.flatten(nested) == {
        "sgIds.0": "sg-a",
        "sgIds.1": "sg-b",
        "one.two.0.three": "3",
    }


def test_the_port_of_an_address_is_not_signed():
    signed = [
        qcloud_v2.params_of(next(auth("HmacSHA256").auth_flow(httpx.Request("GET", url))))
        for url in (
            "https://dfw.example/v2/index.php?a=1",
            "https://dfw.example:8443/v2/index.php?a=1",
        )
    ]
    assert signed[0]["Signature"] == signed[1]["Signature"]


def test_every_attempt_has_a_nonce_of_its_own():
    numbers = iter((1, 2))
    signer = auth("HmacSHA256", nonce=lambda: next(numbers))
    first, second = (sent("POST", DELETE, signer) for _ in range(2))
    assert qcloud_v2.params_of(first)["Nonce"] == "1"
    assert qcloud_v2.params_of(second)["Nonce"] == "2"


def test_the_secret_and_the_token_are_not_in_a_repr():
    assert SECRET not in repr(auth("HmacSHA1", token="tok/en"))
    assert "tok/en" not in repr(auth("HmacSHA1", token="tok/en"))


@given(
    st.dictionaries(
        st.text(st.sampled_from("abAB.019"), min_size=1, max_size=6),
        st.text(max_size=8).filter(str.isprintable),
        max_size=6,
    )
)
def test_parameters_survive_signing_by_either_method(params):
    for method in ("GET", "POST"):
        arrived = qcloud_v2.params_of(sent(method, params, auth("HmacSHA256")))
        text = qcloud_v2.string_to_sign(method, "dfw.api.qcloud.com", "/v2/index.php", arrived)
        assert arrived["Signature"] == qcloud_v2.sign(SECRET, text, "HmacSHA256")
        assert params.items() <= arrived.items()
