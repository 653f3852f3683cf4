"""The signs of a request to Tencent's API 2.0, of any of its modules: one path, one domain."""

from __future__ import annotations

from sgguard.emulator.faces.base import Certainty, Claim

PATH = r"/v2/index\.php"

CLAIMS = (
    Claim(Certainty.HOST, host=r"(.+\.)?api\.qcloud\.com"),
    Claim(
        Certainty.KEY,
        path=PATH,
        params={"SecretId": ""},
        without=frozenset({"SignatureNonce"}),
    ),
    Claim(Certainty.PARAMS, path=PATH, params={"Action": ""}),
    Claim(Certainty.PATH, path=PATH),
)
