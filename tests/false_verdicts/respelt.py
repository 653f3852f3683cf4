"""Responses that say the same in another spelling, and odd values where nothing depends on them.

Servers write numbers as text and ids in capital letters, and what is only shown holds what somebody
put there. None of it may change a verdict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

from tests.false_verdicts.random_source import RandomSource

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ANY_CASE = ("huawei", "openstack")
"""Clouds whose databases may compare ids without letter case."""

SHOWN: Mapping[str, frozenset[str]] = {
    "tencent": frozenset({"SecurityGroupDesc", "CreatedTime", "UpdateTime", "ModifyTime"}),
    "tencent-dfw": frozenset({"sgRemark", "createTime", "desc"}),
    "alibaba": frozenset({"Description", "CreationTime"}),
    "huawei": frozenset({"description", "created_at", "updated_at"}),
    "openstack": frozenset({"description", "created_at", "updated_at", "revision_number_of"}),
}
"""By provider, fields that no verdict depends on."""
_ODD: tuple[Any, ...] = (None, 7, "", "…", [], {"a": 1}, True)


class RespeltTransport(httpx.BaseTransport):
    """Hands requests on, and spells what comes back in another way."""

    def __init__(self, inner: httpx.BaseTransport, provider: str, seed: str) -> None:
        self._inner = inner
        self._provider = provider
        self._rng = RandomSource(f"spelling {provider} {seed}")

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        response.read()
        # Tokens and their catalog are no lists of a cloud: what they say is used as it is.
        if not response.is_success or "/auth/tokens" in request.url.path:
            return response
        try:
            body = response.json()
        except ValueError:
            return response
        headers = {k: v for k, v in response.headers.items() if k.lower() != "content-length"}
        content = json.dumps(self._respelt(body)).encode()
        return httpx.Response(response.status_code, headers=headers, content=content)

    def _respelt(self, value: Any, key: str = "") -> Any:
        if key in SHOWN[self._provider] and self._rng.chance(0.3):
            return self._rng.choice(_ODD)
        if isinstance(value, dict):
            return {name: self._respelt(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self._respelt(item) for item in value]
        if isinstance(value, int) and not isinstance(value, bool) and self._rng.chance(0.3):
            return str(value)
        is_id = self._provider in _ANY_CASE and isinstance(value, str) and _UUID.fullmatch(value)
        if is_id and self._rng.chance(0.3):
            return value.upper()
        return value
