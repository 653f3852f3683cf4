"""What every test of the event sources does: read a delivery as the endpoint reads it."""

from __future__ import annotations

import io

from sgguard import events
from sgguard.web.body import whole


def read(
    headers: dict[str, str], content: bytes, kind: events.Kind, max_bytes: int = 1024 * 1024
) -> events.Delivery:
    """The body whole, then its events; the endpoint hands headers on with lower-case names."""
    named = {name.lower(): value for name, value in headers.items()}
    return events.read(named, whole(named, io.BytesIO(content), max_bytes), kind)
