"""A plain JSON object as the body: what curl, a portal or a pipeline sends.

The object is the event's data. Its optional ``id`` makes a repeated request the same event;
without one the hash of the body's bytes does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sgguard.errors import EventError, Problem
from sgguard.events.base import (
    Confidence,
    Delivery,
    Kind,
    is_json,
    media_type,
    parse_json,
    unknown_format,
)
from sgguard.model.event import Event
from sgguard.model.sentence import said
from sgguard.render.language.refusal import refusal

# Alibaba's /invoke call labels every payload as octets; some clients send no label at all.
_UNLABELLED = ("", "application/octet-stream")
_ID_MAX = 256


def claims(headers: Mapping[str, str]) -> Confidence:  # noqa: ARG001 - every source is asked the same
    """Claim whatever no other source reads."""
    return Confidence.FALLBACK


def read(headers: Mapping[str, str], body: bytes, kind: Kind) -> Delivery:  # noqa: ARG001 - as above
    """Turn the body into one event.

    Raises:
        EventError: 415 the body claims to be something else than JSON; 400 it is no JSON object.
    """
    content_type = headers.get("content-type", "")
    if not (is_json(content_type) or media_type(content_type) in _UNLABELLED):
        raise unknown_format("content-type", said("right.json-or-cloudevent"))
    document = parse_json(body)
    if not isinstance(document, dict):
        problem = Problem("", said("wrong.no-object"))
        raise refusal(EventError, said("unread.no-object"), problems=(problem,))
    event_id = document.get("id")
    is_named = event_id is not None
    if not is_named:
        event_id = f"sha256:{hashlib.sha256(body).hexdigest()}"
    elif not (
        isinstance(event_id, str) and 0 < len(event_id) <= _ID_MAX and event_id.isprintable()
    ):
        problem = Problem("/id", said("wrong.unusable"), said("right.id", most=_ID_MAX))
        raise refusal(EventError, said("unread.bad-id"), problems=(problem,))
    data = {key: value for key, value in document.items() if key != "id"}
    return Delivery("bare", (Event(event_id, data, is_named=is_named),))
