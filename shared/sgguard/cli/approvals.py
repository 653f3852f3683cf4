"""``sgguard approvals``: approval requests, and the decisions of people on them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, tzinfo
from typing import Any

import click
from msgspec.structs import replace

from sgguard.approvals import resolve, web
from sgguard.approvals.link import LinkAction
from sgguard.cli import terminal
from sgguard.cli.command import group
from sgguard.cli.exit_codes import EXIT_CODES
from sgguard.cli.failure import until_done
from sgguard.cli.interrupt import interruptible
from sgguard.cli.options import (
    AS_OPTION,
    JSON_OPTION,
    KEPT_TEXT,
    POLICY_OPTION,
    epilog,
    readable_policy,
)
from sgguard.cli.output import (
    bounded,
    line,
    print_decision,
    print_document,
    print_json,
    print_outcome,
)
from sgguard.cli.records import (
    ZONE_OPTION,
    format_duration,
    in_zone,
    open_executor,
    store_location,
    user_name,
    when,
    with_store,
)
from sgguard.engine.approver import known
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.model.codes import Verdict
from sgguard.operations import trail
from sgguard.operations.progress import state_of, watched
from sgguard.policy import ApprovalPolicy, Policy
from sgguard.render.values import time_json
from sgguard.store.rows import Approval

Json = dict[str, Any]

_STATES = ("pending", "approved", "denied", "expired", "superseded")
_ID = click.argument("approval", metavar="APPROVAL", type=KEPT_TEXT)


@group(
    short_help="List, approve and deny approval requests.",
    epilog=epilog(
        "sgguard approvals list",
        "sgguard approvals show 5f0c8e71…",
        "sgguard approvals approve 5f0c8e71… --as ada",
    ),
)
def approvals() -> None:
    """List, show, approve and deny plans that wait for approval (mode = "approve").

    An approval holds for the facts that the request shows. Where they have changed since, nothing
    is done, and a new request with a fresh plan takes its place. The policy lists who may approve
    and deny (approval.approvers).
    """


@approvals.command(
    "list",
    short_help="List approval requests, oldest first.",
    epilog=epilog("sgguard approvals list", "sgguard approvals list --state denied --json"),
)
@click.option(
    "--state",
    type=click.Choice([*_STATES, "all"]),
    default="pending",
    show_default=True,
    help=f"Only requests in this state: {', '.join([*_STATES, 'all'])}.",
    metavar="STATE",
)
@JSON_OPTION
def list_(state: str, *, as_json: bool) -> None:
    """List approval requests, the oldest first: id, state, time left, requester and plan."""
    context, executor = open_executor()
    found = executor.store.approvals(None if state == "all" else state)  # type: ignore[arg-type]
    if as_json:
        print_json([_document(one) for one in found])
        return
    if not found:
        which = "approvals" if state == "all" else f"{state} approvals"
        terminal.say(f"No {which} in {store_location(context)}.")
    now_s = executor.store.now_s()
    terminal.page(text for one in found for text in _lines(one, now_s))


def _lines(one: Approval, now_s: float) -> Iterator[str]:
    yield line(f"{one.approval_id}  {_state(one, now_s)}, asked by {_requester(one)}")
    yield line(f"{', '.join(one.target)}: {one.summary}", 2)


@approvals.command(
    short_help="Show one approval request in full.",
    epilog=epilog("sgguard approvals show 5f0c8e71…", "sgguard approvals show 5f0c8e71… --json"),
)
@_ID
@ZONE_OPTION
@JSON_OPTION
def show(approval: str, zone: tzinfo | None, *, as_json: bool) -> None:
    """Show one approval request: requester, reasons, facts, every group and every step.

    APPROVAL is its id, or the beginning of one where no other begins so.
    """
    _, executor = open_executor()
    found = known(executor.store, trail.whole_approval_id(executor.store, approval))
    record = executor.store.decision(found.decision_id)
    document = json.loads(record.document_json) if record else None
    if as_json:
        print_json({**_document(found), "decision": document and bounded(document)})
        return
    particulars = {
        "approval": found.approval_id,
        "state": _state(found, executor.store.now_s()),
        "asked by": f"{_requester(found)}, {when(found.asked_at_s, zone)}",
        "until": when(found.expires_at_s, zone),
        "decision": found.decision_id,
    }
    if document is None:
        particulars["summary"] = found.summary
        terminal.page(line(f"{name:<9} {text}") for name, text in particulars.items())
        return
    print_decision(document, particulars, is_whole=True, is_paged=True)


@approvals.command(
    short_help="Approve a request; its plan is carried out.",
    epilog=epilog(
        "sgguard approvals approve 5f0c8e71… --as ada",
        exit_codes="0 carried out, 1 not carried out, 2 error, 3 replaced by a new request",
    ),
)
@_ID
@AS_OPTION
@POLICY_OPTION
@JSON_OPTION
def approve(approval: str, by: str, policy: str | None, *, as_json: bool) -> int:
    """Approve a request: its plan is carried out if the facts are still the same.

    Where they have changed, nothing is done. If the fresh facts still need a plan, a new request
    takes the place of this one (exit code 3).
    """
    who, whole = user_name(by), _whole(approval, policy)
    with interruptible(lambda: _state_after(whole, policy)):
        found = until_done(
            lambda: resolve.approve(whole, who, _reporting(policy)), f"approval {whole}"
        )
    (print_document if as_json else print_outcome)(found)
    codes = {"remediated": Verdict.ALLOW, "pending": Verdict.REMEDIATE}
    return EXIT_CODES[codes.get(found["outcome"], Verdict.BLOCK)]


@approvals.command(
    short_help="Deny a request; nothing is done.",
    epilog=epilog("sgguard approvals deny 5f0c8e71… --as ada"),
)
@_ID
@AS_OPTION
@POLICY_OPTION
@JSON_OPTION
def deny(approval: str, by: str, policy: str | None, *, as_json: bool) -> None:
    """Deny a request: nothing is done, and it cannot be approved any more.

    Only the store is needed: where no policy can be read, or none is named, anybody may deny.
    """
    who = user_name(by)
    context, executor = open_executor()
    approval = trail.whole_approval_id(executor.store, approval)
    known_policy = readable_policy(policy)
    if known_policy in (None, Policy()):
        terminal.note(f"who may deny is not known without the policy: {who} does")
        known_policy = Policy(approval=ApprovalPolicy(approvers=(who,)))
    found = resolve.deny(approval, who, replace(context, policy=known_policy))
    (print_document if as_json else print_outcome)(found)


@approvals.command(
    short_help="Print a link for approving or denying on the web.",
    epilog=epilog(
        "sgguard approvals link 5f0c8e71… --as ada",
        "sgguard approvals link 5f0c8e71… --as ada --action deny",
    ),
)
@_ID
@AS_OPTION
@click.option(
    "--action",
    type=click.Choice(["approve", "deny"]),
    default="approve",
    show_default=True,
    help="What the link permits; one to approve also permits to deny.",
)
@POLICY_OPTION
@JSON_OPTION
def link(approval: str, by: str, action: LinkAction, policy: str | None, *, as_json: bool) -> None:
    """Print a link to a page where NAME can approve or deny the request, once.

    Anyone who has the link can use it: treat it as a password. Opening the page changes nothing.
    The link leads to the function `approval` at SGGUARD_APPROVAL_URL and is signed with
    SGGUARD_APPROVAL_KEY.
    """
    context = with_store(policy)
    store = Executor.of(context).store
    approval = trail.whole_approval_id(store, approval)
    made = web.link(approval, user_name(by), action, context)
    if as_json:
        print_json({"approval_id": approval, "action": action, "link": made})
    else:
        terminal.say(made)
    if not context.settings.approval_url:
        terminal.note("only the token: SGGUARD_APPROVAL_URL, the function's address, is not set")


def _reporting(policy: str | None) -> Context:
    return watched(with_store(policy), terminal.watched_progress)


def _whole(approval: str, policy: str | None) -> str:
    """Return the whole id of an approval request."""
    return trail.whole_approval_id(Executor.of(with_store(policy)).store, approval)


def _state_after(approval_id: str, policy: str | None) -> str:
    store = Executor.of(with_store(policy)).store
    return state_of(store, known(store, approval_id).decision_id)


def _document(approval: Approval) -> Json:
    """Return an approval request as JSON, with the names of the decision document; times in UTC."""
    return {
        "approval_id": approval.approval_id,
        "decision_id": approval.decision_id,
        "state": approval.state,
        "target": list(approval.target),
        "requested_by": approval.requester,
        "asked_at": _time(approval.asked_at_s),
        "expires_at": _time(approval.expires_at_s),
        "resolved_by": approval.resolved_by,
        "resolved_at": _time(approval.resolved_at_s),
        "summary": approval.summary,
        "facts_hash": approval.facts_hash,
        "request": json.loads(approval.request_json),
    }


def _time(at_s: float | None) -> str | None:
    return None if at_s is None else time_json(in_zone(at_s, UTC))


def _requester(approval: Approval) -> str:
    return approval.requester or "unknown"


def _state(approval: Approval, now_s: float) -> str:
    left_s = approval.expires_at_s - now_s
    match approval.state:
        case "pending" if left_s > 0:
            return f"pending for another {format_duration(left_s)}"
        case "pending":
            return "pending, but expired"
        case "approved" | "denied":
            return f"{approval.state} by {approval.resolved_by}"
        case state:
            return state
