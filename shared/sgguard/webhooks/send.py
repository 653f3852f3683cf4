"""One attempt to send a message: judged anew, signed now, and what its answer means.

410 ends it, as does an address that the policy refuses. Anything else that is no success comes
again later: a receiver that is being repaired answers 404, 401 or 500. A redirect is never
followed: CloudEvents' webhooks and Standard Webhooks have none, and a signed message must not
reach whom the policy does not name.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

import msgspec

from sgguard import hiding
from sgguard.errors import KeysError
from sgguard.outbox.base import Gone, Later, Result, Sent
from sgguard.policy.callback import CallbackPolicy
from sgguard.render.language.sentence import whole_english
from sgguard.webhooks import sign
from sgguard.webhooks.connection import (
    TOTAL_S,
    Dial,
    NotSentError,
    Received,
    authorities,
    dial,
    post,
)
from sgguard.webhooks.resolve import Resolve, pinned, system
from sgguard.webhooks.url import Refusal
from sgguard.wire.clock import Deadline, EpochClock

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
WAIT_MAX_S = 86_400.0
"""A longer wait that a receiver asks for is cut to a day."""

_OK, _REDIRECTS, _ERRORS = 200, 300, 400
_GONE = 410
_PATIENCE = (429, 503)
_DIGITS_MAX = 9


@hiding("tls")
class Network(msgspec.Struct, frozen=True):
    """How a receiver is reached; tests replace its parts, nothing else does."""

    resolve: Resolve = system
    dial: Dial = dial
    tls: Callable[[], ssl.SSLContext] = authorities


def send(
    url: str,
    message_id: str,
    body: bytes,
    callbacks: CallbackPolicy,
    env: Mapping[str, str],
    *,
    content_type: str = CONTENT_TYPE,
    timeout_s: float = TOTAL_S,
    now: EpochClock = time.time,
    network: Network | None = None,
) -> Result:
    """Send a message once; this never raises what a receiver or a network can cause.

    ``env`` is where keys are looked for. Nothing of a response is kept but its status.
    """
    through, end = network or Network(), Deadline.after(min(timeout_s, TOTAL_S))
    to = pinned(url, callbacks, through.resolve, timeout_s=end.remaining_s())
    if isinstance(to, Refusal):
        why = whole_english(to.why)
        return Gone(f"the address {why}", is_dead=True) if to.is_final else Later(why)
    try:
        signed = sign.headers(message_id, now(), body, sign.keys(callbacks.keys, env))
    except KeysError as error:
        return Later(str(error))
    headers = {"Content-Type": content_type, "User-Agent": "sgguard", **signed}
    try:
        received = post(
            to,
            body,
            headers,
            timeout_s=end.remaining_s(),
            dial=through.dial,
            tls=through.tls,
        )
    except NotSentError as error:
        return Later(f"{to.endpoint.host}: {error}")
    return _meaning(received, to.endpoint.host, now())


def _meaning(received: Received, host: str, now_s: float) -> Result:
    status = received.status
    if _OK <= status < _REDIRECTS:
        return Sent(json.dumps({"status": status}))
    if status == _GONE:
        return Gone(f"{host} answers 410: it takes no more")
    wait_s = wait_of(received.retry_after, now_s)
    if _REDIRECTS <= status < _ERRORS:
        return Later(f"{host} answers {status}: redirects are not followed", wait_s)
    # Who asks for patience is left alone by every message, not by this one only.
    is_everything = status in _PATIENCE and wait_s is not None
    return Later(f"{host} answers {status}", wait_s, is_everything=is_everything)


def wait_of(retry_after: str, now_s: float) -> float | None:
    """Return the seconds that a header ``Retry-After`` asks for (RFC 9110, 10.2.3), at most a day.

    None where it is absent or cannot be read.
    """
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:_DIGITS_MAX]), WAIT_MAX_S)
    try:
        at = parsedate_to_datetime(text)
        at_s = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return min(max(at_s - now_s, 0.0), WAIT_MAX_S)
