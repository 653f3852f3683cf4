"""The emulator itself: which cloud is meant, what goes wrong on order, what was asked."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from fnmatch import fnmatchcase
from typing import Any

import httpx

from sgguard.emulator.faces import Face, all_faces
from sgguard.emulator.faces.base import Match
from sgguard.emulator.faults import DroppedConnectionError, Fault
from sgguard.emulator.state import Cloud, State
from sgguard.wire.clock import EpochClock

_LOG_MAX = 100_000


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request as the emulator saw it. Headers are not kept: they carry credentials.

    ``begun_s`` and ``ended_s`` are seconds on the emulator's clock, so that a test can see
    which calls went out side by side.
    """

    provider: str
    action: str
    method: str
    path: str
    query: str
    body: str
    status: int
    begun_s: float
    ended_s: float


@dataclass(slots=True)
class Emulator:
    """Every emulated cloud behind one function: a request goes in, an answer comes out."""

    state: State
    now: EpochClock = time.time
    sleep: Callable[[float], None] = time.sleep
    requests: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=_LOG_MAX))
    faults: list[Fault] = field(default_factory=list)
    _recent: dict[tuple[str, str], deque[float]] = field(default_factory=dict)

    @classmethod
    def load(cls, scenario: Mapping[str, Any], **clocks: Any) -> Emulator:
        """Return an emulator of the clouds a scenario describes.

        Raises:
            ValueError: the scenario does not fit; the message starts with the path.
        """
        state = State.load(scenario)
        require_known(state)
        return cls(state, **clocks)

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer one request whose body has been read.

        Raises:
            DroppedConnectionError: a fault says so; the connection must end without an answer.
        """
        begun_s = self.now()
        cloud, face = self._route(request)
        if cloud is None or face is None:
            response = self._dated(_nobody())
            self._log(request, "", "", response.status_code, begun_s)
            return response
        action = face.action(request)
        status = 0
        try:
            response = self._dated(self._answer(request, cloud, face, action))
            status = response.status_code
        finally:
            self._log(request, cloud.provider, action, status, begun_s)
        return response

    def _answer(
        self, request: httpx.Request, cloud: Cloud, face: Face, action: str
    ) -> httpx.Response:
        with self.state.lock:
            fault = next((f for f in self.faults if f.strikes(cloud.provider, action)), None)
            is_over_rate = self._is_over_rate(cloud, action)
        if fault is None:
            if is_over_rate:
                return face.fault("throttle", request, "")
            with self.state.lock, cloud.indexed():
                return face.answer(request, cloud, self.now())
        if fault.latency_ms:
            self.sleep(fault.latency_ms / 1000)
        response = httpx.Response(500)
        if fault.is_after or fault.kind == "latency":
            with self.state.lock, cloud.indexed():
                response = face.answer(request, cloud, self.now())
        if fault.kind == "drop":
            raise DroppedConnectionError
        if fault.kind == "garbage":
            return httpx.Response(
                fault.status,
                headers={"content-type": fault.content_type},
                content=fault.body.encode(),
            )
        if fault.kind == "throttle":
            return face.fault("throttle", request, fault.code)
        if fault.kind == "error":
            return face.fault("error", request, fault.code)
        return response

    def _dated(self, response: httpx.Response) -> httpx.Response:
        """Say which time it is here, as every real gateway does."""
        response.headers.setdefault("date", formatdate(self.now(), usegmt=True))
        return response

    def _route(self, request: httpx.Request) -> tuple[Cloud | None, Face | None]:
        faces = all_faces()
        best: tuple[Cloud | None, Face | None] = (None, None)
        best_claim = Match.NO
        with self.state.lock:
            for cloud in self.state.clouds:
                face = faces.get(cloud.provider)
                claim = face.claims(request, cloud) if face else Match.NO
                if claim > best_claim:
                    best, best_claim = (cloud, face), claim
        return best

    def _is_over_rate(self, cloud: Cloud, action: str) -> bool:
        rate = next((r for pat, r in cloud.rates.items() if fnmatchcase(action, pat)), None)
        if rate is None:
            return False
        now = self.now()
        recent = self._recent.setdefault((cloud.provider, action), deque())
        while recent and recent[0] <= now - 1.0:
            recent.popleft()
        if len(recent) >= rate:
            return True
        recent.append(now)
        return False

    def _log(
        self, request: httpx.Request, provider: str, action: str, status: int, begun_s: float
    ) -> None:
        self.requests.append(
            LoggedRequest(
                provider=provider,
                action=action,
                method=request.method,
                path=request.url.path,
                query=request.url.query.decode(),
                body=request.content.decode(errors="replace"),
                status=status,
                begun_s=begun_s,
                ended_s=self.now(),
            )
        )


def require_known(state: State) -> None:
    """Refuse clouds that nobody here speaks for: a misspelt name would answer every call with 404.

    Raises:
        ValueError: there is one; the message starts with the path.
    """
    faces = all_faces()
    for number, cloud in enumerate(state.clouds):
        if cloud.provider not in faces:
            expected = ", ".join(sorted(faces))
            path = f"clouds[{number}].provider"
            raise ValueError(f"{path}: expected one of {expected}, got {cloud.provider!r}")


def _nobody() -> httpx.Response:
    return httpx.Response(
        404,
        json={
            "error": "no emulated cloud answers this: neither path nor headers belong to one",
        },
    )
