"""A token in a header of the sender's choice: GitLab, Alibaba's API keys, SMN and EventGrid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sgguard.callers.base import Arrival, Found, Held, RefusedError, Tools, single
from sgguard.callers.secret import matching, shown
from sgguard.policy.proof import holding


def verify(proof: Mapping[str, Any], arrival: Arrival, tools: Tools) -> Found:
    """Compare the value's hash with all of the caller's that hold today."""
    value = arrival.header(proof["name"])
    if value is None:
        return None
    token = single(value)
    if token is None:
        raise RefusedError(f"the header {proof['name']} has no single token")
    hit = matching(token.encode(), holding(proof["hashes"], tools.today()))
    if not hit:
        raise RefusedError(f"the token in {proof['name']} is another one")
    return Held(shown(hit))
