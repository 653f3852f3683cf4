"""What the fakes have in common: a clock, faults to give, and what was asked of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import httpx
from msgspec.structs import replace

from sgguard.chat.base import Inbound
from sgguard.policy.channel import ChannelPolicy


@dataclass(frozen=True)
class Pressed:
    """Who presses which button of which message; every field can be forged by a test."""

    token: str
    action: str
    approval: str
    user: str = "W111"
    tenant: str = "T111"
    chat: str = "C111"


@dataclass
class Service(httpx.BaseTransport):
    """One chat service. ``faults`` are given instead of the next answers, in order."""

    kind: ClassVar[str]
    variables: ClassVar[dict[str, str]]
    config: ClassVar[dict[str, Any]] = {}
    now: Callable[[], float]
    faults: list[httpx.Response | Exception] = field(default_factory=list)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    per_minute: int = 1000
    _times: list[float] = field(default_factory=list)
    _number: int = 0
    _known: dict[str, tuple[float, str]] = field(default_factory=dict)

    def env(self, name: str = "ops") -> dict[str, str]:
        return {f"SGGUARD_CHAT_{name.upper()}_{key}": v for key, v in self.variables.items()}

    def policy(self, **changed: Any) -> ChannelPolicy:
        given = ChannelPolicy(
            name="ops",
            kind=self.kind,
            way="app",
            chat="C111",
            tenant="T111",
            users={"W111": "ada", "W222": "bob", "W333": "eve", "W444": "mallory"},
        )
        return replace(given, **{**self.config, **changed})

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, request.url.path, body))
        if self.faults:
            fault = self.faults.pop(0)
            if isinstance(fault, Exception):
                raise fault
            return fault
        self._times = [one for one in self._times if self.now() - one < 60]
        if len(self._times) >= self.per_minute:
            return self.too_often(request.url.path)
        self._times.append(self.now())
        return self.answer(request, body)

    def next(self) -> int:
        self._number += 1
        return self._number

    def too_often(self, path: str = "") -> httpx.Response:
        """Return what is said to one call too many at a path."""
        return httpx.Response(429, headers={"Retry-After": "7"})

    def answer(self, request: httpx.Request, body: Any) -> httpx.Response:
        raise NotImplementedError

    def problems(self, body: Any) -> list[str]:
        """Return what the service's documents say against a rendered message."""
        raise NotImplementedError

    def tokens(self, body: Any) -> dict[str, str]:
        """Return the tokens of a rendered message's buttons, by action."""
        raise NotImplementedError

    def texts(self, body: Any) -> list[tuple[str, str]]:
        """Return every text of a rendered message that is shown, with its markup's name."""
        raise NotImplementedError

    def click(self, pressed: Pressed, **forged: Any) -> Inbound:
        raise NotImplementedError

    def command(self, text: str, user: str = "W111", **forged: Any) -> Inbound:
        raise NotImplementedError

    def said(self, response: Any) -> str:
        """Return the words that the user gets for a callback."""
        raise NotImplementedError
