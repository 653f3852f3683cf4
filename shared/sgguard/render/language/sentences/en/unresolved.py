"""Why something is not at its end, and what will happen to it, in English."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str | Mapping[str, str]] = {
    "open.held": "a worker has it",
    "open.held-next": "that worker ends it, or {at}: sgguard resume {decision}",
    "open.unreadable": "{text:2000}",
    "open.unreadable-next": "it is not carried on here; "
    "sgguard resume {decision} --accept ends it as it is",
    "open.unreachable": "{text:2000}",
    "open.unreachable-next": "mend that, then sgguard resume {decision}; "
    "sgguard resume {decision} --accept ends it as it is",
    "open.stopped-next": "nothing until changes are permitted; "
    "sgguard resume {decision} --accept ends it as it is",
    "open.stuck": "not everything could be undone: {note:9000}",
    "open.stuck-next": "repair the cause, then sgguard resume {decision}; "
    "sgguard resume {decision} --accept ends it as it is",
    "open.bind": "its worker ended after {over} of {n} holders",
    "open.bind-next": "the next delivery of its event or sgguard resume {decision} goes on",
    "open.run": "its worker ended after {made} of {n} changes",
    "open.run-next": "the next delivery of its event or sgguard resume {decision} finishes it, "
    "or rolls it back",
    "open.restore-next": "a restore or sgguard resume {decision} finishes it, or rolls it back",
    "open.approved": "{who:60} approved it, and its worker ended before it began",
    "open.approved-next": "sgguard resume {decision} compares the facts and begins it; "
    "from {at} on the timer closes it",
    "open.unkept-question": "its decision was not kept: its worker ended",
    "open.asks-anew": "the next delivery of its event asks anew; at {at} it expires",
    "open.late": "nobody answered in time",
    "open.late-next": "the timer closes it, or whoever clicks",
    "open.asked": "{who:60} asked, and nobody answered",
    "open.asked-by-nobody": "somebody unknown asked, and nobody answered",
    "open.asked-next": "sgguard approvals approve {approval}, or deny; at {at} it expires",
    "open.unkept": "its run is {state:kind}, and its worker ended before the decision was",
    "open.unkept-next": "sgguard resume {decision} writes it down",
    "open.unbegun": "its worker ended before the first change: nothing was changed",
    "open.unbegun-next": "the next delivery of its event decides anew; "
    "sgguard resume {decision} --accept ends it",
    "open.unheard": "its request is {state:kind}, and its worker ended before the decision said so",
    "open.unheard-next": "the timer, or whoever clicks, writes it down",
    "open.event": "it could not be decided, or its worker ended: nothing was changed",
    "open.event-next": "the next delivery decides it; "
    "without one it is forgotten after {days} days",
    "open.event-held-next": "that worker answers it; after {at} the next delivery takes it",
    "thing.finished": "finished",
    "thing.stuck": "stuck",
    "thing.denied": "denied",
    "thing.expired": "expired",
}
