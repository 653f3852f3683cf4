"""Who is let in: the proof of a request, and the rules of the policy about its caller.

Without callers in the policy everybody is answered, which is right for one case alone: all modes
observe, and nobody but this machine reaches the function.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec.structs import replace

from sgguard import callers, hiding
from sgguard.callers import LIBRARIES, permit, secret, senders, veil
from sgguard.callers.base import Arrival, Tools
from sgguard.callers.budget import METER
from sgguard.callers.fetch import fetch
from sgguard.engine.case import account_of, region_of
from sgguard.engine.context import Context
from sgguard.errors import KeysError, SettingsError
from sgguard.events.base import Delivery, Kind
from sgguard.model.caller import Caller, Identity
from sgguard.model.event import Event
from sgguard.model.occurrence import Occurrence
from sgguard.web.problem import Details
from sgguard.webhooks import asked as asking

if TYPE_CHECKING:
    from flask import Request

T = TypeVar("T")

_EVERYWHERE = "0.0.0.0"  # noqa: S104 - what functions-framework listens on if not told

VOUCHED = "sgguard.vouched"
"""What an operator's own process puts into a request's environment: the identity it vouches for.
No header can: those are strings under names that begin with ``HTTP_``."""


@hiding("headers", "content")
class Admitted(msgspec.Struct, frozen=True):
    """A request that was let in: the context of its caller, and what of it may be parsed.

    ``reply`` answers a handshake, which is no event.
    """

    context: Context
    headers: Mapping[str, str]
    content: bytes
    reply: dict[str, str] | None = None

    @property
    def caller(self) -> Caller | None:
        """The caller, None where everybody is answered."""
        return self.context.caller.caller if self.context.caller else None


def listens_on(argv: Sequence[str], env: Mapping[str, str]) -> str:
    """Return the address that this process serves, as functions-framework reads it."""
    given = env.get("HOST") or _EVERYWHERE
    for word, following in zip(argv, [*argv[1:], ""], strict=True):
        if word == "--host":
            given = following
        elif word.startswith("--host="):
            given = word.removeprefix("--host=")
    return given


def is_open(context: Context, argv: Sequence[str] | None = None) -> bool:
    """Return whether everybody is answered: there is no table of callers.

    Raises:
        SettingsError: there is none, and more than this machine could be answered or changed.
    """
    if context.policy.callers:
        return False
    host = listens_on(sys.argv if argv is None else argv, context.env)
    if context.only_observes and _is_loopback(host):
        return True
    why = f"it listens on {host}" if context.only_observes else "its mode is not observe"
    raise SettingsError(
        f"the policy has no [[caller]], so everybody could ask this function, and {why}: add the "
        "callers (`sgguard callers new` prints one), or observe on a loopback address (--host)"
    )


def require_usable(context: Context) -> None:
    """Refuse callers that cannot be proven here.

    Raises:
        SettingsError: a secret cannot be read, or a library is not installed.
    """
    for caller in context.policy.callers:
        library = LIBRARIES.get(caller.kind, "")
        if library and find_spec(library) is None:
            raise SettingsError(
                f"the caller {caller.name} needs {library}: install sgguard with the extra jwt"
            )
        try:
            for place in caller.proof.get("secrets", ()):
                secret.key(place, context.env)
        except KeysError as error:
            raise SettingsError(f"the caller {caller.name}: {error}") from None
    asking.require_usable(context)


def admit(
    http: Request, headers: Mapping[str, str], content: bytes, kind: Kind, context: Context
) -> Admitted:
    """Return what may be parsed, with the caller in its context.

    Raises:
        UntrustedError: the request proves no caller.
        KeysError: a proof cannot be checked now.
        EventError: 403 the caller may not ask this function, or not in this way.
    """
    vouched = http.environ.get(VOUCHED)
    if isinstance(vouched, Identity):
        return Admitted(_counted(context, vouched), headers, content)
    if is_open(context):
        return Admitted(context, headers, content)
    arrival = Arrival(http.method, headers, content, _target(http), http.remote_addr or "")
    tools = Tools(context.env, context.now, fetch, time.monotonic)
    proven = callers.verify(arrival, context.policy.callers, kind.name, tools)
    identity = proven.identity
    permit.require_covered(identity, headers)
    known = _counted(context, identity)
    if proven.content_type:
        headers = {**headers, "content-type": proven.content_type}
    return Admitted(known, headers, proven.content, proven.reply)


def _counted(context: Context, identity: Identity) -> Context:
    return replace(context, caller=identity, on_call=METER.counting(identity.caller, context.store))


def named(delivery: Delivery, identity: Identity | None) -> Delivery:
    """Return the delivery with ids that the caller's proof vouches for."""
    return delivery if identity is None else permit.named(identity, delivery)


def allowed(request: T, event: Event, kind: Kind, context: Context) -> T:
    """Return the request as its caller may ask it, and count it.

    Raises:
        EventError: 403 the caller may not ask this; 422 its callback is not permitted.
        BudgetError: it asked too often.
    """
    identity = context.caller
    asking.require_permitted(request, context)
    if identity is None:
        return request
    permit.require_event(identity, event, kind)
    accounts = context.settings.accounts
    asked = request
    if isinstance(request, Occurrence):
        # Where an event does not tell its region, the targets are compared with that of the
        # environment: it is judged there.
        located = replace(
            request,
            region=region_of(request, context.env),
            account=account_of(request, context) or "",
        )
        permit.permitted_occurrence(identity, located, accounts)
    else:
        asked = permit.permitted(identity, request, accounts)
    METER.decide(identity.caller, context.store)
    return asked


def shown(document: dict[str, object], context: Context) -> dict[str, object]:
    """Return the document as its caller may see it."""
    if context.caller is None:
        return document
    METER.bring(context.caller.caller, context.store)
    return veil.veiled(document, context.caller.caller, context.settings.accounts)


def shown_problem(details: Details, event: Event, context: Context) -> Details:
    """Return the problem as its caller may see it: clouds and locks name groups in their words."""
    if context.caller is not None:
        METER.bring(context.caller.caller, context.store)
        known = json.dumps(event.data)
        for name in ("detail", "sentence", "problems"):
            if name in details.document:
                details.document[name] = _veiled(details.document[name], known)
    return details


def _veiled(value: object, known: str) -> object:
    """Return a text, or the texts of a sentence, without groups that the caller did not name."""
    match value:
        case str():
            return veil.veiled_text(value, known)
        case dict():
            return {
                key: one if key == "code" else _veiled(one, known) for key, one in value.items()
            }
        case list():
            return [_veiled(one, known) for one in value]
        case _:
            return value


def status_for(status: int, caller: Caller | None) -> int:
    """Return the status that the caller's product needs."""
    return status if caller is None else senders.status_for(caller.sender, status)


def _target(http: Request) -> str:
    """Return path and query as they were sent; a header cannot change them."""
    raw = http.environ.get("RAW_URI") or http.environ.get("REQUEST_URI") or http.full_path
    return str(raw).removesuffix("?")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
