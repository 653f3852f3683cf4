"""What is still to be told to others, and the destinations that take nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from sgguard.operations.doctor.checkup import Finding
from sgguard.outbox.base import PARTLY
from sgguard.outbox.late import LATE_S
from sgguard.store.base import Store

_LIST = "see `sgguard outbox list`"


def examine_outbox(store: Store) -> Iterator[Finding]:
    """Yield what keeps people from being told of decisions; no verdict is affected by it.

    Raises:
        StoreError: the store cannot be read.
    """
    for one in store.failing_places():
        since = datetime.fromtimestamp(one.failing_since_s, UTC)
        is_partly = one.problem.startswith(PARTLY)
        what = "does not reach everybody" if is_partly else "takes nothing"
        message = (
            f"outbox: {one.kind} {one.destination} {what} since {since:%Y-%m-%d %H:%M} UTC:"
            f" {one.problem.removeprefix(PARTLY)}"
        )
        remedy = "`sgguard channels test` tells what is wrong" if one.kind == "chat" else _LIST
        yield Finding("outbox", message, remedy, "note")
    if late := store.late_notices(LATE_S):
        message = f"outbox: {late} notices are due and nobody delivers them"
        remedy = "run `sgguard outbox deliver` every minute, or send a timer event"
        yield Finding("outbox", message, remedy, "note")
    if dead := store.notices(state="dead", limit=1):
        message = f"outbox: some were given up, the newest about decision {dead[0].decision_id}"
        yield Finding("outbox", message, "see `sgguard outbox list --state dead`", "note")
