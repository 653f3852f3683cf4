"""Arrivals, clocks and places of keys for the tests of proofs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from sgguard.callers import verify
from sgguard.callers.base import Arrival, Fetched, Tools
from sgguard.callers.certificate import CERTIFICATES
from sgguard.callers.jwks import ISSUERS
from sgguard.errors import KeysError
from sgguard.policy import caller as table
from tests.reference import FIXTURES

VECTORS = FIXTURES / "callers_vectors.json"
FUNCTION = "delete_request"


def vectors() -> dict[str, Any]:
    """The recorded vectors; a checkout without its fixtures skips the tests that read them."""
    return json.loads(VECTORS.read_text()) if VECTORS.exists() else {}


needs_vectors = pytest.mark.skipif(not vectors(), reason="the shared fixtures are not here")


@dataclass
class Web:
    """Everything that can be fetched, by address; what is not here cannot be asked."""

    pages: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def fetch(self, url: str, _ca_file: str, _headers: Mapping[str, str]) -> Fetched:
        self.asked.append(url)
        if url not in self.pages:
            raise KeysError("cannot be asked")
        return Fetched(self.pages[url])


@dataclass
class Clock:
    now_s: float = 1_790_000_100.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Gate:
    """A function's table of callers, and the means it checks them with."""

    callers: list[dict[str, Any]]
    web: Web = field(default_factory=Web)
    clock: Clock = field(default_factory=Clock)
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # What earlier tests published is not known here.
        ISSUERS.__init__()
        CERTIFICATES.__init__()

    def verify(
        self,
        headers: Mapping[str, str],
        body: bytes = b"{}",
        function: str = FUNCTION,
        **more: Any,
    ) -> Any:
        lower = {name.lower(): value for name, value in headers.items()}
        arrival = Arrival(more.pop("method", "POST"), lower, body, **more)
        tools = Tools(self.env, self.clock, self.web.fetch, self.clock)
        return verify(arrival, [table.build(one) for one in self.callers], function, tools)


def caller(kind: str, proof: Any, **more: Any) -> dict[str, Any]:
    return {"name": "portal", "proof": {kind: proof}, "functions": [FUNCTION], **more}
