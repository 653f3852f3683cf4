"""The name in a client certificate, as a trusted proxy such as nginx hands it on in a header.

The whole name is compared, letter by letter: a part of it may be chosen by whoever asked for the
certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sgguard.callers.base import Arrival, Found, Held, RefusedError, Tools
from sgguard.callers.proxy import require_trusted

_VERIFIED = "SUCCESS"


def verify(proof: Mapping[str, Any], arrival: Arrival, tools: Tools) -> Found:
    """Check the peer, that it verified the certificate, and the name.

    Names have commas, so a header that came twice is one that is in no list.
    """
    value = arrival.header(proof["header"])
    if value is None:
        return None
    require_trusted(proof, arrival, tools)
    if "verified" in proof and arrival.header(proof["verified"]) != _VERIFIED:
        raise RefusedError(f"{proof['verified']} does not say {_VERIFIED}")
    if value not in proof["subjects"]:
        raise RefusedError("the client certificate is another one's")
    return Held(subject=value)
