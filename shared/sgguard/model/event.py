"""One event as it was delivered: an id, a source, and data that is not checked yet."""

from __future__ import annotations

import msgspec

from sgguard import hiding


@hiding("data")
class Event(msgspec.Struct, frozen=True):
    """One event. ``data`` is not checked yet; ``pointer`` is where it stood in the body.

    ``event_id`` is the sender's. Only a bare body that names none has the hash of its bytes, and
    is not ``is_named``. ``at_s`` is when it happened (seconds since 1970-01-01 UTC), None where
    the event does not say.
    """

    event_id: str
    data: object
    source: str = ""
    pointer: str = ""
    at_s: float | None = None
    is_named: bool = True
