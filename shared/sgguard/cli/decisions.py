"""``sgguard decisions``: stored decisions, with requester, approver, facts, plan and outcome."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import tzinfo
from itertools import chain, islice
from typing import Any

import click

from sgguard import approvals
from sgguard.cli import terminal
from sgguard.cli.command import group
from sgguard.cli.options import JSON_OPTION, KEPT_TEXT, epilog
from sgguard.cli.output import line, print_decision, print_document, print_json
from sgguard.cli.records import ZONE_OPTION, instant, open_executor, store_location, when
from sgguard.cli.spreadsheet import csv_lines
from sgguard.engine import retention
from sgguard.errors import InputError
from sgguard.model.codes import Outcome, Verdict
from sgguard.operations import trail
from sgguard.operations.evidence import Page, page
from sgguard.operations.progress import state_of
from sgguard.render.values import binding_of, reference_of
from sgguard.render.wording import MESSAGE_MAX, binding_words, one_line, reference_words
from sgguard.store.rows import Record

PAGE_USUAL, PAGE_MAX = 100, 10_000


@group(
    short_help="List and show stored decisions.",
    epilog=epilog(
        "sgguard decisions list --since 7d --outcome remediated", "sgguard decisions show 5f0c8e71…"
    ),
)
def decisions() -> None:
    """List and show the decisions in the store (SGGUARD_STORE), and delete old ones.

    The functions store every decision, `sgguard check` those that it is asked to --keep.
    """


@decisions.command(
    "list",
    short_help="List decisions, newest first.",
    epilog=epilog(
        "sgguard decisions list --since 7d --outcome remediated",
        "sgguard decisions list --target 'tencent::ap-guangzhou:*' --requester ada",
        "sgguard decisions list --since 2027-03-01 --until 2027-03-31 --csv --output march.csv",
        "sgguard decisions list --verdict block --json | jq '.[].target'",
    ),
)
@click.option(
    "--target",
    metavar="PATTERN",
    type=KEPT_TEXT,
    help="Only decisions about this address; * stands for any text: '*:sg-5ua9adfv'.",
)
@click.option(
    "--account",
    metavar="NAME",
    type=KEPT_TEXT,
    help="Only decisions in this account: its name here, or the cloud's number of it.",
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
    "--requester", metavar="NAME", type=KEPT_TEXT, help="Only what NAME asked for; * as above."
)
@click.option(
    "--since",
    "begin",
    metavar="WHEN",
    help="Only decisions since 7d or 12h ago, or since 2027-03-31.",
)
@click.option(
    "--until",
    "end",
    metavar="WHEN",
    help="Only decisions until then; a day counts whole.",
)
@click.option("--limit", type=click.IntRange(1), help="At most so many, the newest.")
@ZONE_OPTION
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV with a line of names.")
@JSON_OPTION
def list_(
    begin: str | None,
    end: str | None,
    zone: tzinfo | None,
    *,
    as_csv: bool,
    as_json: bool,
    **wanted: Any,
) -> None:
    """List decisions, the newest first: id, time, verdict, outcome, target, requester, approver.

    A list that does not fit the terminal is shown a screen at a time; elsewhere all of it is
    printed. Dates and times without a zone are of ZONE. The names of --json are those of the
    decision document; its times, and those of the document, are UTC.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json exclude each other.")
    context, executor = open_executor()
    now_s = executor.store.now_s()
    found = trail.decisions(
        executor.store,
        trail.Wanted(
            **{name: value for name, value in wanted.items() if value},
            spellings=context.accounts.spellings(wanted["account"] or ""),
            since_s=instant("--since", begin, now_s, zone) if begin else None,
            until_s=instant("--until", end, now_s, zone, is_end=True) if end else None,
        ),
    )
    if as_json:
        print_json([trail.row(one) for one in found])
    elif as_csv:
        for one in csv_lines(found, zone):
            terminal.say(one)
    else:
        with terminal.waiting(f"the store at {store_location(context)}"):
            first = list(islice(found, 1))
        if not first:
            terminal.say(f"No such decisions in {store_location(context)}.")
        terminal.page(text for one in chain(first, found) for text in _lines(one, zone))


def _lines(one: Record, zone: tzinfo | None) -> Iterator[str]:
    yield line(f"{one.decision_id}  {when(one.at_s, zone)}  {one.verdict}, {one.outcome}")
    yield line(f"{one.guard} {', '.join(one.target)}{_people(one)}", 2)


@decisions.command(
    short_help="Show one decision in full.",
    epilog=epilog(
        "sgguard decisions show 5f0c8e71",
        "sgguard decisions show 5f0c8e71 --json | jq .plan",
        "sgguard decisions show 5f0c8e71 --evidence --limit 500",
    ),
)
@click.argument("decision", metavar="DECISION", type=KEPT_TEXT)
@click.option(
    "--evidence",
    "is_evidence",
    is_flag=True,
    help="Print references, bindings, gaps, vanishing rules and steps alone, a page at a time.",
)
@click.option(
    "--cursor", metavar="CURSOR", type=KEPT_TEXT, help="Begin where a page or an answer ended."
)
@click.option(
    "--limit",
    type=click.IntRange(1, PAGE_MAX),
    help=f"Entries on a page, at most {PAGE_MAX:,}; {PAGE_USUAL} if not given.",
)
@ZONE_OPTION
@JSON_OPTION
def show(
    decision: str,
    cursor: str | None,
    limit: int | None,
    zone: tzinfo | None,
    *,
    is_evidence: bool,
    as_json: bool,
) -> None:
    """Show one decision: requester, reasons, facts, plan, approval, and what was done when.

    DECISION is its id, or the beginning of one where no other begins so. Every group and every
    step is shown. --json prints the decision document with `source` and `requested_by`. It has at
    most 1,000 steps and 1,000 entries of each kind of evidence: `left_out` counts the others, and
    its cursor goes on with --evidence. With --verbose it has all.
    """
    if not is_evidence and (cursor or limit):
        raise click.UsageError("--cursor and --limit go with --evidence.")
    _, executor = open_executor()
    record = executor.store.decision(trail.whole_decision_id(executor.store, decision))
    if record is None:  # it was purged just now
        raise InputError(f"there is no decision {decision!r}: see sgguard decisions list")
    if is_evidence:
        _evidence(record, page(record.document_json, cursor or "", limit or PAGE_USUAL), as_json)
        return
    document = json.loads(record.document_json)
    if as_json:
        print_document(document, source=record.source, requested_by=record.requester)
        return
    particulars = {
        "event": f"{record.event_id} of {record.source}",
        "asked by": record.requester,
        "kept": when(record.at_s, zone),
    }
    if record.outcome == Outcome.UNFINISHED:
        particulars["progress"] = state_of(executor.store, record.decision_id)
    print_decision(document, particulars, is_whole=True, is_paged=True)


def _evidence(record: Record, found: Page, as_json: bool) -> None:  # noqa: FBT001 - private
    if as_json:
        print_json(
            {
                "decision_id": record.decision_id,
                "counts": dict(found.counts),
                "entries": list(found.entries),
                "cursor": found.cursor,
            }
        )
        return
    counts = ", ".join(f"{number} {kind}" for kind, number in found.counts.items())
    terminal.say(line(f"{record.decision_id}  {counts}"))
    for one in found.entries:
        terminal.say(line(_words(one), 2))
    if found.cursor:
        again = f"sgguard decisions show {record.decision_id} --evidence --cursor {found.cursor}"
        terminal.say(f"more: {again}")


def _words(entry: dict[str, Any]) -> str:
    target = str(entry["target"]).rpartition(":")[2]
    match entry["type"]:
        case "binding":
            return f"{target}: bound to {binding_words(binding_of(entry))}"
        case "unseen":
            return f"{target}: {entry['what']} [{entry['code']}]: {one_line(entry['why'], 200)}"
        case "step":
            return f"{target}: step: {one_line(entry['summary'], MESSAGE_MAX)}"
        case "vanishing":
            return f"{target}: would vanish: {reference_words(reference_of(entry))}"
        case _:
            return f"{target}: referenced by {reference_words(reference_of(entry))}"


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
    terminal.say(f"Deleted, ended more than {days} days ago: {deleted or 'nothing'}.")


def _people(record: Record) -> str:
    asked = f", asked by {record.requester}" if record.requester else ""
    verb = "denied" if record.outcome == Outcome.REFUSED else "approved"
    return asked + (f", {verb} by {record.approver}" if record.approver else "")
