"""The emulator: finds the cloud of a request, applies faults and rates, and logs the call.

The steps of one call:

1. Route: every face states by which signs it knows its requests; the surest sign wins. A request
   for a cloud that the scenario does not have is told so in that cloud's words.
2. Fault: the first fault that matches provider and action applies; the call counts against it.
3. Rate: a call over the rate of its action gets the face's throttle response.
4. Respond: the face acts on the state, under the state's lock.

A fault with ``is_after`` takes step 4 first and loses or replaces the response: the change
happened, and the caller cannot know it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from fnmatch import fnmatchcase
from typing import Any

import httpx

from sgguard.emulator.faces import Face, all_faces
from sgguard.emulator.faces.base import Certainty, Outline, certainty_of
from sgguard.emulator.faults import DroppedConnectionError, Fault
from sgguard.emulator.state import Cloud, State
from sgguard.wire.clock import EpochClock

_LOG_MAX = 100_000


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request as received. Headers are not kept: they carry credentials.

    ``begun_s`` and ``ended_s`` are seconds on the emulator's clock, so that a test can see
    which calls were sent in parallel.
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


class AmbiguousRequestError(Exception):
    """Two faces claim one request with the same certainty: an error of the faces."""

    def __init__(self, request: httpx.Request, providers: Sequence[str]) -> None:
        names = " and ".join(providers)
        super().__init__(f"{request.method} {request.url} is claimed by {names}")


@dataclass(slots=True)
class Emulator:
    """Every emulated cloud behind one function, from request to response."""

    state: State
    now: EpochClock = time.time
    sleep: Callable[[float], None] = time.sleep
    requests: deque[LoggedRequest] = field(default_factory=lambda: deque(maxlen=_LOG_MAX))
    faults: list[Fault] = field(default_factory=list)
    _buckets: dict[tuple[str, str], deque[float]] = field(default_factory=dict)

    @classmethod
    def load(cls, scenario: Mapping[str, Any], **clocks: Any) -> Emulator:
        """Return an emulator of the clouds a scenario describes.

        Raises:
            ValueError: the scenario is invalid; the message starts with the path.
        """
        state = State.load(scenario)
        require_known(state)
        return cls(state, **clocks)

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Return the response to one request whose body has been read.

        Raises:
            DroppedConnectionError: a fault drops the connection; close it without a response.
        """
        begun_s = self.now()
        provider, face = self._route(request)
        cloud = self.state.cloud(provider)
        if cloud is None or face is None:
            response = self._dated(_unclaimed() if face is None else self._absent(face, request))
            self._log(request, provider, "", response.status_code, begun_s)
            return response
        action = face.action(request)
        status = 0
        try:
            response = self._dated(self._respond(request, cloud, face, action))
            status = response.status_code
        finally:
            self._log(request, cloud.provider, action, status, begun_s)
        return response

    def _respond(
        self, request: httpx.Request, cloud: Cloud, face: Face, action: str
    ) -> httpx.Response:
        with self.state.lock:
            # Both are counted: a call with a fault uses up its rate too, and the fault wins.
            fault = next((f for f in self.faults if f.applies_to(cloud.provider, action)), None)
            is_over_rate = self._is_over_rate(cloud, action)
        if fault is None:
            if is_over_rate:
                return face.fault("throttle", request, "")
            with self.state.lock:
                return face.respond(request, cloud, self.now())
        if fault.latency_ms:
            self.sleep(fault.latency_ms / 1000)
        response = httpx.Response(500)
        # With is_after the call takes effect, and only its response is lost or replaced below.
        if fault.is_after or fault.kind == "latency":
            with self.state.lock:
                response = face.respond(request, cloud, self.now())
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
        """Add the ``Date`` header, as every real gateway does."""
        response.headers.setdefault("date", formatdate(self.now(), usegmt=True))
        return response

    def _route(self, request: httpx.Request) -> tuple[str, Face | None]:
        """Return the name and face of the cloud that a request is for, or none.

        A mere path decides only between the clouds of the scenario, as long as one of them has it.

        Raises:
            AmbiguousRequestError: two faces have the same sign on it.
        """
        seen = Outline.of(request)
        found: dict[tuple[bool, bool, Certainty], list[str]] = {}
        faces = all_faces()
        with self.state.lock:
            for name, face in faces.items():
                cloud = self.state.cloud(name)
                certainty = certainty_of(face, request, cloud, seen)
                if certainty > Certainty.NONE:
                    is_sure = certainty > Certainty.PATH
                    order = (is_sure, is_sure or cloud is not None, certainty)
                    found.setdefault(order, []).append(name)
        if not found:
            return "", None
        best = found[max(found)]
        if len(best) > 1:
            raise AmbiguousRequestError(request, best)
        return best[0], faces[best[0]]

    def _absent(self, face: Face, request: httpx.Request) -> httpx.Response:
        names = ", ".join(cloud.provider for cloud in self.state.clouds) or "none"
        return face.refuse(
            request,
            "sgguard's emulator runs a scenario without this cloud. The request may be right. "
            f"Clouds of the scenario: {names}.",
        )

    def _is_over_rate(self, cloud: Cloud, action: str) -> bool:
        """Return whether the action had its calls of the last second; counts this one if not.

        A bucket is a cloud and an action: the times of its calls in the last second. The rate is
        that of the first pattern that matches the action, so patterns go from narrow to wide.
        A refused call is not counted.
        """
        rate = next((r for pat, r in cloud.rates.items() if fnmatchcase(action, pat)), None)
        if rate is None:
            return False
        now = self.now()
        bucket = self._buckets.setdefault((cloud.provider, action), deque())
        while bucket and bucket[0] <= now - 1.0:
            bucket.popleft()
        if len(bucket) >= rate:
            return True
        bucket.append(now)
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
    """Refuse clouds without a face: with a misspelt name every call would get a 404.

    Raises:
        ValueError: a cloud has no face; the message starts with its path.
    """
    faces = all_faces()
    for number, cloud in enumerate(state.clouds):
        if cloud.provider not in faces:
            expected = ", ".join(sorted(faces))
            path = f"clouds[{number}].provider"
            raise ValueError(f"{path}: expected one of {expected}, got {cloud.provider!r}")


def _unclaimed() -> httpx.Response:
    return httpx.Response(
        404,
        json={
            "error": "no emulated cloud answers this: neither host, path, headers nor parameters "
            "belong to one",
        },
    )
