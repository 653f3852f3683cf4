"""``sgguard approvals``: the questions to people, and their answers."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from sgguard import approvals as approving
from sgguard.approvals import web
from sgguard.approvals.approver import known, moment
from sgguard.approvals.link import LinkAction
from sgguard.cli import failure
from sgguard.cli.failure import EXIT_CODES, until_done
from sgguard.cli.options import JSON_OPTION, POLICY_OPTION, examples, from_options
from sgguard.cli.records import AS_OPTION, ago, line, named, opened, place, print_json, width
from sgguard.model.codes import Verdict
from sgguard.render.text.kept import kept
from sgguard.store.rows import Approval

Json = dict[str, Any]

_STATES = ("pending", "approved", "denied", "expired", "superseded")
_ID = click.argument("approval", metavar="APPROVAL")


@click.group(short_help="What waits for somebody's yes? Say yes or no.")
def approvals() -> None:
    """List, show, approve and deny what waits for a person (mode = "approve").

    A yes is to the facts that are shown: where they have changed since, nothing is done and the
    fresh plan is asked about instead. Who may answer is in the policy (approval.approvers).
    """


@approvals.command(
    "list",
    epilog=examples("sgguard approvals list", "sgguard approvals list --state denied --json"),
)
@click.option(
    "--state",
    type=click.Choice([*_STATES, "all"]),
    default="pending",
    show_default=True,
    help="Which ones.",
)
@JSON_OPTION
def list_(state: str, *, as_json: bool) -> None:
    """List the questions, the oldest first: id, state, who asked, until when, and what."""
    context, executor = opened()
    found = executor.store.approvals(None if state == "all" else state)  # type: ignore[arg-type]
    if as_json:
        print_json([_document(one) for one in found])
        return
    if not found:
        which = "approvals" if state == "all" else f"{state} approvals"
        click.echo(f"No {which} in {place(context)}.")
    now_s = executor.store.now_s()
    for one in found:
        click.echo(line(f"{one.approval_id}  {_state(one, now_s)}, asked by {_asker(one)}"))
        click.echo(line(f"{', '.join(one.target)}: {one.summary}", 2))


@approvals.command(epilog=examples("sgguard approvals show 5f0c8e71…"))
@_ID
@JSON_OPTION
def show(approval: str, *, as_json: bool) -> None:
    """Show one question: who asks, what was seen, why, and every step of the plan."""
    _, executor = opened()
    found = known(executor.store, approval)
    record = executor.store.decision(found.decision_id)
    document = json.loads(record.document_json) if record else None
    if as_json:
        print_json({**_document(found), "decision": document})
        return
    particulars = {
        "approval": found.approval_id,
        "state": _state(found, executor.store.now_s()),
        "asked by": f"{_asker(found)}, {moment(found.asked_at_s)}",
        "until": moment(found.expires_at_s),
        "decision": found.decision_id,
    }
    if document is None:
        particulars["summary"] = found.summary
        click.echo("\n".join(line(f"{name:<9} {text}") for name, text in particulars.items()))
        return
    click.echo(kept(document, particulars, width=width()))


@approvals.command(epilog=examples("sgguard approvals approve 5f0c8e71… --as ada"))
@_ID
@AS_OPTION
@POLICY_OPTION
@JSON_OPTION
def approve(approval: str, by: str, policy: str | None, *, as_json: bool) -> int:
    """Say yes: the plan is carried out, if everything is still as it was when it was asked.

    The exit code is 0 when it was carried out, 1 when it was not, 3 when the facts have changed
    and the fresh plan waits for an approval, 2 for an error.
    """
    who = named(by)
    found = until_done(lambda: approving.approve(approval, who, from_options(policy)))
    _print(found, as_json=as_json)
    codes = {"remediated": Verdict.ALLOW, "pending": Verdict.REMEDIATE}
    return EXIT_CODES[codes.get(found["outcome"], Verdict.BLOCK)]


@approvals.command(epilog=examples("sgguard approvals deny 5f0c8e71… --as ada"))
@_ID
@AS_OPTION
@POLICY_OPTION
@JSON_OPTION
def deny(approval: str, by: str, policy: str | None, *, as_json: bool) -> None:
    """Say no: nothing is done, and nobody can approve it any more."""
    _print(approving.deny(approval, named(by), from_options(policy)), as_json=as_json)


@approvals.command(
    epilog=examples(
        "sgguard approvals link 5f0c8e71… --as ada",
        "sgguard approvals link 5f0c8e71… --as ada --action deny",
    )
)
@_ID
@AS_OPTION
@click.option(
    "--action",
    type=click.Choice(["approve", "deny"]),
    default="approve",
    show_default=True,
    help="What the link permits; one to approve lets its reader deny as well.",
)
@POLICY_OPTION
def link(approval: str, by: str, action: LinkAction, policy: str | None) -> None:
    """Print a link with which NAME, and whoever else has it, can answer on the web, once.

    It leads to the function approval at SGGUARD_APPROVAL_URL and is signed with
    SGGUARD_APPROVAL_KEY. Looking at it changes nothing. Treat it as a password.
    """
    context = from_options(policy)
    click.echo(web.link(approval, named(by), action, context))
    if not context.settings.approval_url:
        failure.say("only the token: SGGUARD_APPROVAL_URL, the function's address, is not set")


def _print(found: Json, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    click.echo(line(f"{found['outcome']}: decision {found['decision_id']}"))
    click.echo(line(", ".join(found["target"]), 2))
    if found["note"]:
        click.echo(f"  {found['note']}")  # whole: it may name a command to type
    if found["outcome"] == "pending":
        for number, step in enumerate(found["plan"], 1):
            click.echo(line(f"{number}. {step['summary']}", 2))


def _document(approval: Approval) -> Json:
    """Return a question as JSON; times are seconds since 1970-01-01 UTC."""
    found = asdict(approval)
    found["request"] = json.loads(found.pop("request_json"))
    return found


def _asker(approval: Approval) -> str:
    return approval.requester or "nobody knows whom"


def _state(approval: Approval, now_s: float) -> str:
    left_s = approval.expires_at_s - now_s
    match approval.state:
        case "pending" if left_s > 0:
            return f"pending for another {ago(left_s)}"
        case "pending":
            return "pending, but its time is over"
        case "approved" | "denied":
            return f"{approval.state} by {approval.resolved_by}"
        case state:
            return state
