"""``sgguard outbox``: what is still to be told to others, and its delivery."""

from __future__ import annotations

import json
import logging
import math
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from typing import Any

import click
from msgspec.structs import asdict, replace

from sgguard.cli import terminal
from sgguard.cli.command import group
from sgguard.cli.options import (
    AS_OPTION,
    JSON_OPTION,
    KEPT_TEXT,
    POLICY_OPTION,
    epilog,
)
from sgguard.cli.output import line, print_json
from sgguard.cli.records import ZONE_OPTION, open_executor, user_name, when, with_store
from sgguard.engine.delivery import deliverer
from sgguard.engine.execute import Executor
from sgguard.errors import InputError
from sgguard.outbox.deliver import Delivered
from sgguard.render.values import time_json
from sgguard.store.base import Store
from sgguard.store.notices import OutboxRow, Place
from sgguard.telemetry import logs
from sgguard.wire.clock import Deadline

Json = dict[str, Any]

_STATES = ("waiting", "delivered", "dropped", "dead")
_NOTICE = click.argument("notice", metavar="NOTICE", type=KEPT_TEXT)
_WORDS = {
    "sent": "delivered",
    "later": "put off",
    "gone": "dropped",
    "dead": "given up",
    "lost": "taken by another deliverer",
}


@group(
    short_help="Deliver and list what is to be told to others.",
    epilog=epilog(
        "sgguard outbox deliver",
        "sgguard outbox list --state dead",
        "sgguard outbox retry chat:5f0c8e71",
    ),
)
def outbox() -> None:
    """Deliver what is to be told of decisions, and list, retry or drop what could not be.

    Messages for chats and callbacks are written into the store with the outcome they tell of. A
    function delivers them while it is awake; `sgguard outbox deliver`, run by a timer, delivers
    what functions that sleep have left.
    """


@outbox.command(
    "list",
    short_help="List notices.",
    epilog=epilog("sgguard outbox list --state dead", "sgguard outbox list --json"),
)
@click.option("--state", type=click.Choice(_STATES), default=None, help="Only these.")
@click.option("--decision", default="", metavar="ID", help="Only those about this decision.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10000))
@ZONE_OPTION
@JSON_OPTION
def list_(
    state: str | None, decision: str, limit: int, zone: tzinfo | None, *, as_json: bool
) -> None:
    """List notices, the newest first, and the destinations that fail."""
    _, executor = open_executor()
    store = executor.store
    found = store.notices(state=state or "", decision_id=decision, limit=limit)
    places = store.failing_places()
    if as_json:
        notices = [_document(one) for one in found]
        print_json({"notices": notices, "failing": [_place(one) for one in places]})
        return
    if not found:
        terminal.say("There are no such notices.")
    terminal.page(text for one in found for text in _lines(one, zone))
    for one in places:
        since = when(one.failing_since_s, zone)
        terminal.say(line(f"{one.kind} {one.destination} fails since {since}: {one.problem}"))


@outbox.command(
    short_help="Show one notice.",
    epilog=epilog("sgguard outbox show chat:5f0c8e71", "sgguard outbox show chat:5f0c8e71 --json"),
)
@_NOTICE
@ZONE_OPTION
@JSON_OPTION
def show(notice: str, zone: tzinfo | None, *, as_json: bool) -> None:
    """Show one notice; NOTICE is its id, or the beginning of one."""
    _, executor = open_executor()
    row = _one(executor.store, notice)
    if as_json:
        print_json(_document(row))
        return
    terminal.page([*_lines(row, zone), line(f"payload: {row.payload_json}", 2)])


@outbox.command(
    short_help="Make a notice due now.", epilog=epilog("sgguard outbox retry chat:5f0c8e71")
)
@_NOTICE
@AS_OPTION
@JSON_OPTION
def retry(notice: str, by: str, *, as_json: bool) -> None:
    """Make a notice due now, whatever became of it; the next delivery sends it."""
    _, executor = open_executor()
    row = _one(executor.store, notice)
    who = user_name(by)
    executor.store.retry_notice(row.notice_id)
    _logged("notice retried", row, who)
    _report(executor.store, row, "It is due now.", as_json=as_json)


@outbox.command(
    short_help="Try a notice no more.", epilog=epilog("sgguard outbox drop chat:5f0c8e71 --as ada")
)
@_NOTICE
@AS_OPTION
@JSON_OPTION
def drop(notice: str, by: str, *, as_json: bool) -> None:
    """Try a notice no more. A later change of its decision is told all the same."""
    _, executor = open_executor()
    row = _one(executor.store, notice)
    who = user_name(by)
    executor.store.drop_notice(row.notice_id, f"dropped by {who}")
    _logged("notice dropped", row, who)
    _report(executor.store, row, "It is not sent any more.", as_json=as_json)


@outbox.command(
    short_help="Deliver what is due.",
    epilog=epilog("sgguard outbox deliver", "sgguard outbox deliver --max 100 --json"),
)
@click.option("--max", "most", type=click.IntRange(1), default=None, help="At most so many.")
@POLICY_OPTION
@JSON_OPTION
def deliver(most: int | None, policy: str | None, *, as_json: bool) -> None:
    """Deliver until nothing is due, then end; a timer runs this every minute or so.

    Several may run at once, beside functions that deliver: each notice is sent by one of them.
    """
    context = replace(with_store(policy), deadline=Deadline(math.inf))
    store = Executor.of(context).store
    counts: Counter[str] = Counter()
    for one in deliverer(context).drain(most=most):
        counts[one.what] += 1
        if not as_json:
            terminal.say(_said(one))
    next_s, waiting = store.waiting_notices()
    if as_json:
        print_json({**{key: counts[key] for key in _WORDS}, "waiting": waiting})
        return
    told = ", ".join(f"{number} {_WORDS[key]}" for key, number in sorted(counts.items()))
    rest = f"; {waiting} wait" if waiting else ""
    if waiting and next_s is not None:
        rest += f", the next for {max(next_s, 0.0):.0f} s"
    terminal.say(line(f"{told or 'Nothing was due'}{rest}."))


def _said(one: Delivered) -> str:
    detail = f": {one.detail}" if one.detail else ""
    return line(f"{one.row.notice_id} {_WORDS[one.what]}{detail}")


def _one(store: Store, beginning: str) -> OutboxRow:
    ids = store.notice_ids(beginning) if beginning else ()
    row = store.notice(beginning) or (store.notice(ids[0]) if len(ids) == 1 else None)
    if row is not None:
        return row
    if ids:
        raise InputError(f"{beginning!r} begins several notices: {', '.join(ids)}")
    raise InputError(f"there is no notice {beginning!r}")


def _report(store: Store, row: OutboxRow, said: str, *, as_json: bool) -> None:
    if as_json:
        print_json(_document(store.notice(row.notice_id) or row))
        return
    terminal.say(line(f"{row.notice_id}: {said}"))


def _logged(message: str, row: OutboxRow, by: str) -> None:
    logs.log(logging.WARNING, message, decision_id=row.decision_id, detail=f"by {by}")


def _document(row: OutboxRow) -> Json:
    found = asdict(row)
    for name in ("owner", "fence"):
        del found[name]
    found["payload"] = json.loads(found.pop("payload_json"))
    found["reference"] = json.loads(found.pop("reference_json") or "null")
    for name in ("created_at", "next_try", "expires_at"):
        found[name] = _time(found.pop(f"{name}_s"))
    return found


def _place(one: Place) -> Json:
    found = asdict(one)
    for name in ("failing_since", "held_until"):
        found[name] = _time(found.pop(f"{name}_s"))
    return found


def _time(at_s: float) -> str:
    return time_json(datetime.fromtimestamp(at_s, UTC))


def _lines(row: OutboxRow, zone: tzinfo | None) -> Iterator[str]:
    yield line(f"{row.notice_id}  {row.state}")
    yield line(f"{row.kind} to {row.destination}, written {when(row.created_at_s, zone)}", 2)
    if row.state == "waiting":
        tried = f"tried {row.attempts} times, " if row.attempts else ""
        yield line(f"{tried}next try {when(row.next_try_s, zone)}", 2)
    if row.problem:
        yield line(row.problem, 2)
