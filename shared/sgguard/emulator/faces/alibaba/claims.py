"""The signs of a request to Alibaba Cloud, of any of its products.

Calls have the V3 signature (``ACS3-``), the older ones of RPC calls (parameters, at ``/``) and ROA
calls (``acs``), or those of the object storage and the log service.
Source: https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature
(read 2026-11).
"""

from __future__ import annotations

from sgguard.emulator.faces.base import Certainty, Claim

VERSION = "2014-05-26"

CLAIMS = (
    Claim(Certainty.HOST, host=r"(.+\.)?aliyuncs\.com"),
    Claim(Certainty.SIGNED, headers={"authorization": "ACS3-|acs |OSS |OSS4-|LOG "}),
    Claim(Certainty.KEY, params={"SignatureNonce": ""}),
    Claim(
        Certainty.KEY,
        params={"AccessKeyId": "", "Signature": ""},
        without=frozenset({"SecretId"}),
    ),
    *(
        Claim(
            Certainty.HEADER,
            headers={f"x-acs-{name}": ""},
            without=frozenset({"x-tc-action", "x-tc-version"}),
        )
        for name in ("action", "version", "signature-nonce")
    ),
    *(
        Claim(Certainty.PARAMS, path="/", params={"Action": "", name: ""})
        for name in ("RegionId", "Format", "SignatureVersion", "AccessKeyId")
    ),
    Claim(
        Certainty.PARAMS,
        path="/",
        params={"Version": f"{VERSION}$"},
        # Tencent's calls name a region or a number in any version.
        without=frozenset({"Region", "Nonce"}),
    ),
)
