"""``sgguard decisions``: who asked, what was seen, decided and done, and who approved it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from sgguard import approvals
from sgguard.approvals.approver import moment
from sgguard.cli.options import JSON_OPTION, examples
from sgguard.cli.records import line, opened, place, print_json, since, width
from sgguard.engine import retention
from sgguard.errors import InputError
from sgguard.model.codes import Outcome, Verdict
from sgguard.render.text.kept import kept
from sgguard.store.base import Store
from sgguard.store.rows import Query, Record

Json = dict[str, Any]


@click.group(short_help="Who asked what, what was decided and done?")
def decisions() -> None:
    """Read what was decided and done, from the store of SGGUARD_STORE."""


@decisions.command(
    "list",
    epilog=examples(
        "sgguard decisions list --since 7d --outcome remediated",
        "sgguard decisions list --target tencent::ap-guangzhou:sg-5ua9adfv",
        "sgguard decisions list --verdict block --json | jq '.[].target'",
    ),
)
@click.option("--target", metavar="ADDRESS", help="Only those about this group or instance.")
@click.option("--verdict", type=click.Choice([one.value for one in Verdict]), help="Only these.")
@click.option("--outcome", type=click.Choice([one.value for one in Outcome]), help="Only these.")
@click.option("--since", "begin", metavar="WHEN", help="Only since then: 7d, 12h, 2027-03-31.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="How many.")
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
    """List decisions, the newest first."""
    context, executor = opened()
    begin_s = since(begin, executor.store.now_s()) if begin else None
    query = Query(target or "", verdict or "", outcome or "", None, limit)
    found = list(_records(executor.store, query, begin_s))
    if as_json:
        print_json([_document(one) for one in found])
        return
    if not found:
        click.echo(f"No such decisions in {place(context)}.")
    for one in found:
        said = f"{one.decision_id}  {moment(one.at_s)[:16]}  {one.verdict}, {one.outcome}"
        click.echo(line(said))
        click.echo(line(f"{one.guard} {', '.join(one.target)}{_people(one)}", 2))


@decisions.command(epilog=examples("sgguard decisions show 5f0c8e71… --json | jq .document.plan"))
@click.argument("decision", metavar="DECISION")
@JSON_OPTION
def show(decision: str, *, as_json: bool) -> None:
    """Show one decision: who asked, what was seen, why, the plan, and what was done, by whom."""
    _, executor = opened()
    record = executor.store.decision(decision)
    if record is None:
        raise InputError(f"there is no decision {decision!r}: see sgguard decisions list")
    document = json.loads(record.document_json)
    if as_json:
        print_json({**_document(record), "document": document})
        return
    asked = (document["approval"] or {}).get("state", "")
    particulars = {
        "decision": record.decision_id,
        "at": moment(record.at_s),
        "event": f"{record.event_id} of {record.source}",
        "asked by": record.requester,
        "mode": record.mode,
        "approval": f"{asked} {f'by {record.approver}' if record.approver else ''}".strip(),
    }
    click.echo(kept(document, particulars, width=width()))


@decisions.command(epilog=examples("SGGUARD_KEEP_DAYS=365 sgguard decisions purge"))
@JSON_OPTION
def purge(*, as_json: bool) -> None:
    """Forget what ended more than SGGUARD_KEEP_DAYS ago, and close approvals that expired.

    Nothing that is open, pending or stuck is forgotten. It happens by itself as well, once an
    hour where decisions are made.
    """
    context, executor = opened()
    approvals.expire_all(executor)
    counts = retention.purge(executor.store, context.settings.keep_days).counts
    if as_json:
        print_json(counts)
        return
    told = ", ".join(f"{number} {kind}" for kind, number in counts.items() if number)
    days = context.settings.keep_days
    click.echo(f"Forgotten, as it ended more than {days} days ago: {told or 'nothing'}.")


def _records(store: Store, query: Query, begin_s: float | None) -> Iterator[Record]:
    """Yield what the query asks for, until that moment in the past or its limit."""
    for record in store.decisions(query):
        if begin_s is not None and record.at_s < begin_s:
            return
        yield record


def _people(record: Record) -> str:
    asked = f", asked by {record.requester}" if record.requester else ""
    done = "answered" if record.outcome == Outcome.REFUSED else "approved"
    return asked + (f", {done} by {record.approver}" if record.approver else "")


def _document(record: Record) -> Json:
    """Return a decision's row as JSON; ``at`` is in seconds since 1970-01-01 UTC."""
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
