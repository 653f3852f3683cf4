"""The interface between the router and a wire face: who claims a request, and who answers it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, Protocol
from urllib.parse import parse_qsl

import httpx

from sgguard.emulator.state import Cloud

FaultKind = Literal["throttle", "error"]

_FORM = "application/x-www-form-urlencoded"


class Certainty(IntEnum):
    """What makes a request one of this cloud's, from the weakest sign to the surest.

    The face with the surest sign responds. No two faces have the same sign on one request: the
    claims of different faces exclude each other on every level, which a test checks.
    """

    NONE = 0
    SHARED = 1
    """A path that another cloud has as well, and that is that cloud's where both exist."""
    PATH = 2
    """A path of this cloud."""
    PARAMS = 3
    """Parameters of its calls, a user that it knows, or one of its projects in the path."""
    TOKEN = 4
    """A token that this cloud issued, or one of its users."""
    HEADER = 5
    """A header of its calls, such as the one with the action."""
    KEY = 6
    """Parameters with an access key and a signature in this cloud's format."""
    SIGNED = 7
    """An ``Authorization`` header with this cloud's scheme."""
    HOST = 8
    """The cloud's own host name."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What claims look at: the parts of one request, read once for all faces."""

    method: str
    host: str
    path: str
    headers: Mapping[str, str]
    params: Mapping[str, str]

    @classmethod
    def of(cls, request: httpx.Request) -> Outline:
        """Return the outline of a request whose body has been read."""
        raw = request.url.query
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
            raw = raw + b"&" + request.content
        return cls(
            method=request.method,
            host=request.url.host.lower(),
            path=request.url.path,
            # Every claim of every face looks at them: a plain dict is several times faster.
            headers=dict(request.headers.items()),
            params=dict(parse_qsl(raw.decode(errors="replace"), keep_blank_values=True)),
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """One sign by which a face knows its requests; every part that is stated must fit.

    ``host`` and ``path`` are regular expressions of the whole text, ``headers`` and ``params``
    are those of the beginning of a value, by name (``""``: any value). ``without`` names headers
    and parameters that a request must not have.
    """

    certainty: Certainty
    host: str = ""
    path: str = ""
    methods: frozenset[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    without: frozenset[str] = frozenset()

    def fits(self, seen: Outline) -> bool:
        """Return whether a request has this sign."""
        # Every claim of every face is asked for each request: most miss a name.
        return (
            (not self.methods or seen.method in self.methods)
            and (not self.headers or _begin(self.headers, seen.headers))
            and (not self.params or _begin(self.params, seen.params))
            and (not self.host or re.fullmatch(self.host, seen.host) is not None)
            and (not self.path or re.fullmatch(self.path, seen.path) is not None)
            and not any(name in seen.headers or name in seen.params for name in self.without)
        )


def _begin(wanted: Mapping[str, str], values: Mapping[str, str]) -> bool:
    for name, pattern in wanted.items():
        value = values.get(name)
        if value is None or re.match(pattern, value) is None:
            return False
    return True


class Face(Protocol):
    """One cloud on the wire. Faces know nothing of each other and hold no state of their own."""

    @property
    def claims(self) -> Sequence[Claim]:
        """The signs by which this face knows its requests, whatever its cloud has in it."""
        ...

    def knows(self, request: httpx.Request, cloud: Cloud) -> Certainty:
        """Return how certain this cloud's own tokens, users and projects make it (or ``NONE``)."""
        ...

    def action(self, request: httpx.Request) -> str:
        """Return the action's name, for the log, for faults and for rates.

        Action names where the API has them (``DescribeSecurityGroups``), else method and path
        with ids replaced by ``{id}`` (``GET /v2.0/security-groups/{id}``).
        """
        ...

    def respond(self, request: httpx.Request, cloud: Cloud, now: float) -> httpx.Response:
        """Check the signature, act, respond as the cloud documents. ``now`` is epoch seconds.

        Called with the state's lock held.
        """
        ...

    def fault(self, kind: FaultKind, request: httpx.Request, code: str) -> httpx.Response:
        """Return a throttle or error response in this cloud's shape; ``code`` may be empty."""
        ...

    def refuse(self, request: httpx.Request, message: str) -> httpx.Response:
        """Return, in this cloud's shape, that the emulator has no answer to a call."""
        ...


def certainty_of(
    face: Face, request: httpx.Request, cloud: Cloud | None, seen: Outline | None = None
) -> Certainty:
    """Return the surest sign that a request is for the cloud of a face.

    Without a cloud (the scenario has none) only the signs of the request itself count.
    """
    seen = seen or Outline.of(request)
    signs = [claim.certainty for claim in face.claims if claim.fits(seen)]
    if cloud is not None:
        signs.append(face.knows(request, cloud))
    return max(signs, default=Certainty.NONE)


def not_emulated(what: str) -> str:
    """Return the message for a call that the emulator does not have.

    The emulator does not know every call of a cloud, so it cannot say that there is none.
    """
    return (
        f"sgguard's emulator does not emulate {what}. "
        "The request may be right: the real cloud may have this call."
    )


def is_uuid(text: str) -> bool:
    """Return whether a text has the shape of a UUID, as the ids of OpenStack and Huawei have."""
    return re.fullmatch(r"[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}", text) is not None


def word_hint(text: str) -> str:
    """Return what a "not found" adds where the unknown id may be a word of the API; else empty.

    Clients look resources up by name at the place of an id, so it stays a "not found".
    """
    if is_uuid(text):
        return ""
    return f" ({text!r} is not shaped like an id; as a call it is not emulated by sgguard.)"


def call_in(request: httpx.Request) -> str:
    """Return method and path of a request, as messages name a call."""
    return f"{request.method} {request.url.path}"
