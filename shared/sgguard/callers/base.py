"""What a proof is given and what it finds: the request as it came in, and the means to check it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Protocol

import msgspec

from sgguard import hiding
from sgguard.model.caller import Coverage
from sgguard.wire.clock import EpochClock, MonotonicClock


@hiding("headers", "body")
class Arrival(msgspec.Struct, frozen=True):
    """One HTTP request before anything of it is believed.

    ``headers`` have lower-case names; servers join one that comes twice by a comma. ``target`` is
    path and query as they were sent, ``peer`` the address of the other end of the connection,
    empty for a unix socket.
    """

    method: str
    headers: Mapping[str, str]
    body: bytes
    target: str = "/"
    peer: str = ""

    def header(self, name: str) -> str | None:
        """Return a header's value, None where it is not there."""
        return self.headers.get(name.lower())


class Fetched(msgspec.Struct, frozen=True):
    """What an address answered: the body, and the time of the server where it told one."""

    body: bytes
    date: str = ""


Fetch = Callable[[str, str, Mapping[str, str]], Fetched]
"""Reads an https address (address, path of a CA file or empty, headers).

Raises:
    KeysError: it cannot be read, or answers something else than 200.
"""


@hiding("env", "fetch")
class Tools(msgspec.Struct, frozen=True):
    """What proofs are checked with: clocks, the environment with secrets, and a way to fetch."""

    env: Mapping[str, str]
    now: EpochClock
    fetch: Fetch
    clock: MonotonicClock

    def today(self) -> date:
        """Return the day in UTC."""
        return datetime.fromtimestamp(self.now(), UTC).date()


@hiding("content")
class Held(msgspec.Struct, frozen=True):
    """A proof that holds; the fields mean what those of ``Identity`` mean.

    ``content`` is what of the body is vouched for, where that is not all of it, and
    ``content_type`` its media type. ``reply`` answers a request that is no event, such as the
    handshake of a subscription.
    """

    key: str = ""
    subject: str = ""
    covers: Coverage = "request"
    signed_id: str = ""
    content: bytes | None = None
    content_type: str = ""
    reply: Mapping[str, str] | None = None


class RefusedError(Exception):
    """A proof does not hold: try the next caller, and tell the log ``why``.

    ``skew_s`` is how far the time in a proof that holds otherwise is from ours, in seconds.
    """

    def __init__(self, why: str, skew_s: float | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.skew_s = skew_s


Found = Held | None
"""None: the request has nothing of this kind."""


class Proof(Protocol):
    """A module of ``proofs``: one kind of proof, found by its name."""

    def verify(self, proof: Mapping[str, Any], arrival: Arrival, tools: Tools) -> Found:
        """Check a request against the proof's table of one caller.

        Raises:
            RefusedError: it does not hold.
            KeysError: what it is checked with cannot be read now.
        """
        ...


def single(value: str) -> str | None:
    """Return a header's value that came once and is plain ASCII, else None."""
    is_plain = value.isascii() and value.isprintable() and "," not in value
    return value if value and is_plain else None
