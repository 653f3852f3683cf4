"""The rows of the outbox, as values: what is to be told to whom, and what came of it."""

from __future__ import annotations

from typing import Literal

import msgspec

from sgguard import hiding

NoticeState = Literal["waiting", "delivered", "dropped", "dead"]
"""``dropped``: nobody needs it any more, or an operator said so. ``dead``: given up."""

KEEP_S = 75 * 3600.0
"""How long a notice is tried (the last retry of Standard Webhooks is about that late)."""


class Notice(msgspec.Struct, frozen=True):
    """One thing that is to be told to one destination; written with the outcome it tells of.

    ``notice_id`` is the same however often the same is written. ``kind`` names the sender,
    ``destination`` what it sends to (a channel's name, a host): limits and failures are counted by
    kind and destination. Notices of one ``order_key`` are delivered one after another, in the
    order of their writing. ``payload_json`` is the sender's own: references, no secrets.

    Written again, one that ``renews`` waits once more, to be sent as things are then; any other
    is left as it is. It is not sent before ``after_s`` seconds are over, and is given up
    ``keep_s`` seconds after it was written, with the first attempt that fails.
    """

    notice_id: str
    kind: str
    decision_id: str
    destination: str
    order_key: str
    payload_json: str = "{}"
    renews: bool = False
    after_s: float = 0.0
    keep_s: float = KEEP_S


class Telling(msgspec.Struct, frozen=True):
    """What a change of a decision is told by: new notices, and kinds whose notices are renewed.

    Every notice of a kind in ``renewed`` that was delivered about the decision waits once more, and
    so does every one about the decisions ``also``, whose messages say what became of them.
    """

    notices: tuple[Notice, ...] = ()
    renewed: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@hiding("owner", "fence")
class OutboxRow(msgspec.Struct, frozen=True):
    """One notice as it is kept.

    ``reference_json`` is what its sender returned when it was delivered last; empty before.
    ``version`` grows with every renewal. ``attempts`` are those since it waits; ``problem`` is
    that of the last one. Times are on the store's clock.
    """

    notice_id: str
    kind: str
    decision_id: str
    destination: str
    order_key: str
    payload_json: str
    reference_json: str
    version: int
    state: NoticeState
    attempts: int
    problem: str
    created_at_s: float
    next_try_s: float
    expires_at_s: float
    owner: str = ""
    fence: int = 0


class Place(msgspec.Struct, frozen=True):
    """A destination that fails: how often in a row, since when, why, and until when it is left."""

    kind: str
    destination: str
    failures: int
    failing_since_s: float
    held_until_s: float
    problem: str
