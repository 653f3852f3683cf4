"""``sgguard decisions``: stored decisions, with requester, approver, facts, plan and outcome."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from sgguard import approvals
from sgguard.approvals.approver import moment
from sgguard.cli.options import JSON_OPTION, KEPT_TEXT, epilog
from sgguard.cli.output import line, print_decision, print_json
from sgguard.cli.records import open_executor, since, store_location
from sgguard.engine import retention
from sgguard.errors import InputError
from sgguard.model.codes import Outcome, Verdict
from sgguard.store.base import Store
from sgguard.store.rows import Query, Record

Json = dict[str, Any]


@click.group(
    short_help="List and show stored decisions.",
    epilog=epilog(
        "sgguard decisions list --since 7d --outcome remediated", "sgguard decisions show 5f0c8e71…"
    ),
)
def decisions() -> None:
    """List and show the decisions in the store (SGGUARD_STORE), and delete old ones.

    The functions store every decision. `sgguard check` stores none.
    """


@decisions.command(
    "list",
    short_help="List decisions, newest first.",
    epilog=epilog(
        "sgguard decisions list --since 7d --outcome remediated",
        "sgguard decisions list --target tencent::ap-guangzhou:sg-5ua9adfv",
        "sgguard decisions list --verdict block --json | jq '.[].target'",
    ),
)
@click.option(
    "--target",
    metavar="ADDRESS",
    type=KEPT_TEXT,
    help="Only decisions about this group or instance.",
)
@click.option(
    "--verdict", type=click.Choice([one.value for one in Verdict]), help="Only this verdict."
)
@click.option(
    "--outcome",
    metavar="OUTCOME",
    type=click.Choice([one.value for one in Outcome]),
    help=f"Only this outcome: {', '.join(one.value for one in Outcome)}.",
)
@click.option(
    "--since",
    "begin",
    metavar="WHEN",
    help="Only decisions since 7d or 12h ago, or since 2027-03-31.",
)
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many."
)
@JSON_OPTION
def list_(
    target: str | None,
    verdict: str | None,
    outcome: str | None,
    begin: str | None,
    limit: int,
    *,
    as_json: bool,
) -> None:
    """List decisions, the newest first: id, time, verdict, outcome, target, requester, approver."""
    context, executor = open_executor()
    begin_s = since(begin, executor.store.now_s()) if begin else None
    query = Query(target or "", verdict or "", outcome or "", None, limit)
    found = list(_records(executor.store, query, begin_s))
    if as_json:
        print_json([_document(one) for one in found])
        return
    if not found:
        click.echo(f"No such decisions in {store_location(context)}.")
    for one in found:
        result = f"{one.verdict}, {one.outcome}"
        click.echo(line(f"{one.decision_id}  {moment(one.at_s)[:16]}  {result}"))
        click.echo(line(f"{one.guard} {', '.join(one.target)}{_people(one)}", 2))


@decisions.command(
    short_help="Show one decision in full.",
    epilog=epilog(
        "sgguard decisions show 5f0c8e71…",
        "sgguard decisions show 5f0c8e71… --json | jq .document.plan",
    ),
)
@click.argument("decision", metavar="DECISION", type=KEPT_TEXT)
@JSON_OPTION
def show(decision: str, *, as_json: bool) -> None:
    """Show one decision: requester, reasons, facts, plan, approval, and what was done when."""
    _, executor = open_executor()
    record = executor.store.decision(decision)
    if record is None:
        raise InputError(f"there is no decision {decision!r}: see sgguard decisions list")
    document = json.loads(record.document_json)
    if as_json:
        print_json({**_document(record), "document": document})
        return
    event = f"{record.event_id} of {record.source}"
    print_decision(document, {"event": event, "asked by": record.requester})


@decisions.command(
    short_help="Delete old decisions.",
    epilog=epilog("sgguard decisions purge", "SGGUARD_KEEP_DAYS=365 sgguard decisions purge"),
)
@JSON_OPTION
def purge(*, as_json: bool) -> None:
    """Delete records that ended more than SGGUARD_KEEP_DAYS ago; close expired approvals.

    Open, pending and stuck records are kept. The functions do the same once an hour, so this
    command is only needed to free space at once.
    """
    # how long records are kept is not guessed
    context, executor = open_executor(needs=("SGGUARD_KEEP_DAYS",))
    approvals.expire_all(executor)
    counts = retention.purge(executor.store, context.settings.keep_days).counts
    if as_json:
        print_json(counts)
        return
    deleted = ", ".join(f"{number} {kind}" for kind, number in counts.items() if number)
    days = context.settings.keep_days
    click.echo(f"Deleted, ended more than {days} days ago: {deleted or 'nothing'}.")


def _records(store: Store, query: Query, begin_s: float | None) -> Iterator[Record]:
    """Yield the records of the query, newest first, back to that time."""
    for record in store.decisions(query):
        if begin_s is not None and record.at_s < begin_s:
            return
        yield record


def _people(record: Record) -> str:
    asked = f", asked by {record.requester}" if record.requester else ""
    verb = "denied" if record.outcome == Outcome.REFUSED else "approved"
    return asked + (f", {verb} by {record.approver}" if record.approver else "")


def _document(record: Record) -> Json:
    """Return a decision's record as JSON; ``at`` is in seconds since 1970-01-01 UTC."""
    return {
        "decision_id": record.decision_id,
        "at": record.at_s,
        "source": record.source,
        "event_id": record.event_id,
        "guard": record.guard,
        "target": list(record.target),
        "requester": record.requester,
        "verdict": record.verdict,
        "mode": record.mode,
        "outcome": record.outcome,
        "approver": record.approver,
    }
