"""Who sends a request: proven before anything of it is parsed, and what that caller may ask for.

:func:`verify` finds the one caller whose proof holds. What it may ask for stands in ``permit.py``,
how often in ``budget.py``, what it may see of the answer in ``veil.py``, and the statuses that its
product needs in ``senders.py``.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from typing import cast

import msgspec

from sgguard import hiding
from sgguard.callers import proofs
from sgguard.callers.base import Arrival, Held, Proof, RefusedError, Tools
from sgguard.errors import EventError, KeysError, UntrustedError
from sgguard.model.caller import Caller, Identity
from sgguard.model.sentence import said
from sgguard.policy.caller import is_expired
from sgguard.render.language.refusal import refusal
from sgguard.telemetry import logs

__all__ = ["LIBRARIES", "Proven", "verify"]

LIBRARIES = {"jwt": "jwt", "alibaba": "cryptography", "smn": "cryptography"}
"""What a kind of proof needs beside this package: the extra ``jwt`` installs it."""


@hiding("content")
class Proven(msgspec.Struct, frozen=True):
    """A request whose sender is known, and what the proof says beside that.

    ``content`` is what may be parsed of its body, with its media type where that is not the
    request's; ``reply`` is the answer to a handshake.
    """

    identity: Identity
    content: bytes
    content_type: str = ""
    reply: dict[str, str] | None = None


def verify(arrival: Arrival, callers: Sequence[Caller], function: str, tools: Tools) -> Proven:
    """Return the caller whose proof holds; those that may call the function are tried first.

    Raises:
        UntrustedError: no proof holds, or the caller is not served any more.
        KeysError: a proof cannot be checked now, and no other holds.
        EventError: 403 the caller may not call this function.
    """
    # Where a platform proves a caller, it does so for the functions of that caller alone.
    asked = [one for one in callers if one.kind != "platform" or function in one.functions]
    refusals: list[str] = []
    unreadable: KeysError | None = None
    for caller in sorted(asked, key=lambda one: function not in one.functions):
        try:
            found = _proof(caller.kind).verify(caller.proof, arrival, tools)
        except KeysError as error:
            unreadable = unreadable or error
        except RefusedError as error:
            refusals.append(f"{caller.name}: {error.why}")
            if error.skew_s is not None:
                _note_skew(caller.name, error.skew_s > 0)
        else:
            if found is not None:
                return _admitted(caller, found, function, arrival, tools)
    if unreadable is not None:
        raise unreadable
    raise UntrustedError("; ".join(refusals) or "it has no proof of any caller")


def _admitted(caller: Caller, held: Held, function: str, arrival: Arrival, tools: Tools) -> Proven:
    if is_expired(caller, tools.today()):
        raise UntrustedError(f"{caller.name}: not served since {caller.expires}")
    if function not in caller.functions:
        uncalled = said("caller.function", caller=caller.name, function=function)
        raise refusal(EventError, uncalled, status=403)
    identity = Identity(caller, held.key, held.subject, held.covers, held.signed_id)
    content = arrival.body if held.content is None else held.content
    reply = None if held.reply is None else dict(held.reply)
    return Proven(identity, content, held.content_type, reply)


@lru_cache(maxsize=32)
def _proof(kind: str) -> Proof:
    """Import a kind of proof with the first request that is checked by it."""
    return cast(Proof, import_module(f"{proofs.__name__}.{kind}"))


@lru_cache(maxsize=64)
def _note_skew(name: str, is_old: bool) -> None:  # noqa: FBT001 - it is what is remembered
    """Tell once per caller that clocks may differ: every proof with a time fails then."""
    side = "in the past" if is_old else "in the future"
    detail = f"a proof that holds otherwise has a time {side}: compare the clocks"
    logs.log(logging.WARNING, "clock", caller=name, detail=detail)
