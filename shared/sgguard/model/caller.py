"""Who calls: what the operator permits to a caller, and what a request proved about its sender."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

import msgspec

from sgguard import hiding
from sgguard.model.codes import Mode

Coverage = Literal["request", "body"]
"""What a proof vouches for: everything that was sent, or the body and nothing beside it."""


class Budget(msgspec.Struct, frozen=True):
    """How many decisions and cloud calls a caller may cause within a minute; None: no bound.

    Processes that share a store count together; without one each counts by itself.
    """

    decisions: int | None = None
    calls: int | None = None


@hiding("proof")
class Caller(msgspec.Struct, frozen=True):
    """One row of the policy's table ``[[caller]]``: who it is, how it proves that, what it may.

    ``kind`` names the proof, ``proof`` is its table. ``targets`` are address patterns in which
    ``*`` does not cross a colon; ``sources`` and ``types`` filter CloudEvents, empty for any.
    ``mode`` is the highest one that its requests reach. ``speaks_for`` are patterns of the names
    that it may put into ``requested_by``. ``expires`` is the last day it is served. ``sender``
    names the product that calls, whose treatment of statuses differs (``callers/senders.py``).
    """

    name: str
    kind: str
    proof: Mapping[str, Any]
    functions: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    mode: Mode = Mode.OBSERVE
    budget: Budget = Budget()
    speaks_for: tuple[str, ...] = ()
    expires: date | None = None
    sender: str = ""
    note: str = ""


class Identity(msgspec.Struct, frozen=True):
    """What one request proved: the caller, and with which of its proofs.

    ``key`` tells one secret of a caller from another and is no secret itself: the first digits of
    a hash, or the id of a key. ``subject`` is what the proof says of the sender (a JWT's subject,
    a certificate's name). ``signed_id`` is an id that the proof vouches for, empty without one.
    """

    caller: Caller
    key: str = ""
    subject: str = ""
    covers: Coverage = "request"
    signed_id: str = ""

    def fact(self, requested_by: str) -> dict[str, str]:
        """Return what a decision keeps about who asked, on whose behalf."""
        return {
            "name": self.caller.name,
            "proof": self.caller.kind,
            "key": self.key,
            "subject": self.subject,
            "requested_by": requested_by,
        }


_ORDER = (Mode.OBSERVE, Mode.APPROVE, Mode.ENFORCE)


def at_most(mode: Mode, identity: Identity | None) -> Mode:
    """Return the mode, or the highest one that the caller reaches where that is lower."""
    if identity is None:
        return mode
    return min(mode, identity.caller.mode, key=_ORDER.index)
