"""The signs of a request to Tencent Cloud's API 3.0, of any of its products.

API 3.0 is called at ``/`` with its common parameters in ``X-TC-*`` headers (TC3-HMAC-SHA256), or
beside the action's own parameters (HmacSHA1 and HmacSHA256).
Source: https://cloud.tencent.com/document/api/215/15693 (read 2026-11).
"""

from __future__ import annotations

from sgguard.emulator.faces.base import Certainty, Claim

# Its RPC calls have an action and a version as well.
_ALIBABA = frozenset({"RegionId", "Format", "SignatureVersion", "SignatureNonce", "AccessKeyId"})

CLAIMS = (
    Claim(Certainty.HOST, host=r"(.+\.)?tencentcloudapi\.com"),
    # Also calls without a signature, and those to the object storage.
    Claim(Certainty.SIGNED, headers={"authorization": "TC3-|q-sign-algorithm=|SKIP$"}),
    # API 2.0 has the same parameters at a path of its own.
    Claim(
        Certainty.KEY,
        path=r"(?!/v2/index\.php$).*",
        params={"SecretId": ""},
        without=frozenset({"SignatureNonce"}),
    ),
    *(Claim(Certainty.HEADER, headers={f"x-tc-{name}": ""}) for name in ("action", "version")),
    *(
        Claim(
            Certainty.PARAMS,
            path="/",
            params={"Action": "", name: ""},
            without=_ALIBABA,
        )
        for name in ("Nonce", "Region")
    ),
    Claim(
        Certainty.PARAMS,
        path="/",
        params={"Action": "", "Version": "2017-03-12$"},
        without=_ALIBABA,
    ),
)
