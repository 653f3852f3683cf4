"""Our signer against the SDK's own: the same request must get the same signature."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("huaweicloudsdkcore", reason="needs the extra `interop`")

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer

from sgguard.wire.sdk_hmac import SdkHmacAuth

AK, SK, WHEN = "HWTESTACCESSKEY00001", "hwTestSecretKey0000000000000000000000001", 1795311000.0
HOST = "vpc.cn-north-4.myhuaweicloud.com"

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8)
# httpx drops dot segments and empty ones before anything is signed; no cloud path has them.
SEGMENT = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=8)


@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    segments=st.lists(SEGMENT, min_size=1, max_size=4),
    query=st.dictionaries(TEXT.filter(bool), st.lists(TEXT, min_size=1, max_size=3), max_size=3),
    body=st.binary(max_size=20),
    kind=st.sampled_from(["", "application/json", "application/json;charset=UTF-8", "text/plain"]),
)
def test_the_signature_is_the_sdks(method, segments, query, body, kind):
    path = "/" + "/".join(segments)
    pairs = [(key, value) for key, values in query.items() for value in values]
    headers = {"Content-Type": kind} if kind else {}
    request = httpx.Request(
        method, f"https://{HOST}{path}", params=pairs or None, headers=headers, content=body
    )
    auth = SdkHmacAuth(access=AK, secret=SK, now=lambda: WHEN, project="p")
    ours = next(auth.auth_flow(request))

    theirs = SdkRequest(
        method=method,
        host=HOST,
        resource_path=path,
        query_params=list(query.items()),
        header_params=headers
        | {"X-Sdk-Date": "20261122T013000Z", "X-Project-Id": "p", "Host": HOST},
        body=body,
    )
    Signer(BasicCredentials(AK, SK)).sign(theirs)

    assert ours.headers["authorization"] == theirs.header_params["Authorization"]
    assert ours.url.raw_path.decode() == theirs.uri
