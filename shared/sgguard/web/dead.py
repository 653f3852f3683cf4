"""Dead letters at the door: what a known caller sent and nobody can judge is kept, and counted.

Products drop an event at some statuses, and send it again for days at others; neither helps where
the event itself is what is wrong. So it is kept, and only then its sender gets the status with
which it stops (:mod:`sgguard.callers.senders`). A good event that could not be judged now is kept
as well where its sender never repeats it. ``sgguard deadletter`` shows and retries both.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sgguard import lazy
from sgguard.callers import senders
from sgguard.events.base import Kind
from sgguard.store.dead_letters import DeadLetter
from sgguard.telemetry import logs
from sgguard.web import door, problem
from sgguard.web.door import Admitted
from sgguard.web.problem import Details

if TYPE_CHECKING:
    from sgguard.events import kept
else:
    kept = lazy("sgguard.events.kept")  # most events can be judged

LETTERS_MAX = 1000
"""How many letters of one caller are kept: what is wrong shows in the first of them."""

FAILURES_MAX = 5
"""After so many internal errors on the very same delivery it is one that can never be judged."""

_POISON = frozenset({400, 413, 415, 422})
_FORBIDDEN, _BUSY, _IMPOSSIBLE, _INTERNAL, _UNAVAILABLE, _OK_END = 403, 409, 422, 500, 503, 300
_PROBLEMS_MAX = 20
_REASON_MAX = 500
_ID_DIGITS = 32


def status_of(status: int, problems: Sequence[Details], admitted: Admitted, kind: Kind) -> int:
    """Return the status that the caller gets, after what can never be judged has been kept.

    ``problems`` are those of the delivery's events. Where it cannot be kept now, no status says
    that it was taken: the sender sends it again.
    """
    usual = door.status_for(status, admitted.caller)
    known = senders.SENDERS.get(admitted.caller.sender) if admitted.caller else None
    dead = [one for one in problems if _is_dead(one) or _is_lost(one, usual, known)]
    caller, store = admitted.caller, admitted.context.store
    if not dead or caller is None or (known is None and kind.event_type):
        return usual
    if store is None:
        logs.log(logging.ERROR, "dead letter not kept", function=kind.name, caller=caller.name)
        return usual
    try:
        times = store.keep_dead_letter(letter_of(dead, admitted, kind), LETTERS_MAX)
    except Exception as error:  # noqa: BLE001 - the answer stands, whatever becomes of the letter
        problem.of(error)
        is_taken = usual < _OK_END
        return door.status_for(_UNAVAILABLE, caller) if is_taken else usual
    level = logging.WARNING if times else logging.ERROR
    what = "dead letter" if times else "dead letter not kept"
    logs.log(level, what, function=kind.name, caller=caller.name, status=dead[0].status)
    if status == _INTERNAL and times >= FAILURES_MAX:
        return door.status_for(_IMPOSSIBLE, caller)
    return usual


def letter_of(dead: Sequence[Details], admitted: Admitted, kind: Kind) -> DeadLetter:
    """Return what is kept of a delivery, under an id that the same delivery has again."""
    body = kept.of_body(admitted.content)
    headers = json.dumps(kept.of_headers(admitted.headers), sort_keys=True)
    caller = admitted.caller.name if admitted.caller else ""
    told = body.encode() or hashlib.sha256(admitted.content).digest()
    name = b"\n".join((kind.name.encode(), caller.encode(), headers.encode(), told))
    problems = [one for each in dead for one in each.document.get("problems", ())]
    first = dead[0].document
    return DeadLetter(
        letter_id=hashlib.sha256(name).hexdigest()[:_ID_DIGITS],
        function=kind.name,
        caller=caller,
        event_id=_plain(str(first.get("event_id", ""))),
        status=dead[0].status,
        reason=_plain(str(first["detail"]))[:_REASON_MAX],
        problems_json=json.dumps(problems[:_PROBLEMS_MAX], ensure_ascii=False),
        headers_json=headers,
        body=body,
        body_bytes=len(admitted.content),
    )


def _plain(text: str) -> str:
    """Return a text that every store can keep."""
    return "".join(one if one.isprintable() else "\ufffd" for one in text)


def _is_lost(details: Details, status: int, sender: senders.Sender | None) -> bool:
    """Whether another attempt could help, and the sender makes none at this status.

    An event that another instance works on is not lost with it.
    """
    if sender is None or details.retry_after_s is None or details.status == _BUSY:
        return False
    return status not in sender.repeats


def _is_dead(details: Details) -> bool:
    """Whether the same delivery would fail in the same way: nothing of it depends on a time.

    One that is forbidden is kept as well: most products drop it, and the policy can be mended.
    """
    if details.retry_after_s is not None:
        return False
    return details.status in _POISON or details.status in (_FORBIDDEN, _INTERNAL)
