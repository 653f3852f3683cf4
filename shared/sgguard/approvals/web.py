"""Links on the web: a GET shows the approval request and changes nothing, a POST decides on it.

The signed token holds who decides and how; any holder of the link can use it, once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, quote

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from sgguard.approvals import link as links
from sgguard.approvals import page
from sgguard.approvals.approver import (
    is_expired,
    known,
    moment,
    require_listed,
    require_other,
    too_late,
)
from sgguard.approvals.link import LinkAction, LinkToken
from sgguard.approvals.resolve import approve, deny
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import EventError
from sgguard.events.base import media_type, parse_json
from sgguard.redaction import redacted
from sgguard.store.rows import Approval
from sgguard.web import problem
from sgguard.web.response import Response

Json = dict[str, Any]

_TITLES = {
    "remediated": "Done",
    "undone": "Not done: everything was undone",
    "partly-undone": "Not done, and not everything could be undone",
    "refused": "Denied: nothing was changed",
    "accepted": "Ended as it was",
    "superseded": "Not done: the facts have changed",
    "pending": "Not done: the facts have changed",
}
_CONFLICT = 409


def link(approval_id: str, approver: str, action: LinkAction, context: Context) -> str:
    """Return the signed text with which this person may decide; with a URL set, the whole link.

    A link to approve also lets its approver deny.

    Raises:
        EventError: 403 they may not decide it; 404 there is no such request; 409 or 410 it is
            no longer open.
        SettingsError: there is no key to sign with.
    """
    approval = _open(approval_id, approver, action, context)
    signed = _signed(approval, approver, action, context)
    url = context.settings.approval_url
    return f"{url}?token={quote(signed)}" if url else signed


def show(method: str, query: Mapping[str, str], begin: Callable[[], Context]) -> Response | None:
    """Respond to a GET of a link with its page; nothing is changed or noted.

    None where the request is no GET of a link. ``begin`` gives the context, and may fail.
    """
    if method not in ("GET", "HEAD") or "token" not in query:
        return None
    text = query["token"]
    try:
        context = begin()
        given = _read(text, context)
        approval = _open(given.approval_id, given.approver, given.action, context, given.facts_hash)
        return Response(
            200, page.approval_page(_view(given, text, approval, context)), page.HEADERS
        )
    except Exception as error:  # noqa: BLE001 - the framework's own page would hold less
        return _problem(error)


def submit(headers: Mapping[str, str], content: bytes, context: Context) -> Response | None:
    """Carry out the action of a token in a form or in JSON; None where the body is an event.

    The response is a page where the client prefers one, else JSON. The names of ``headers`` are in
    lower case.
    """
    token = _posted_token(headers, content)
    return _decide(token, headers.get("accept", ""), context) if token else None


def _posted_token(headers: Mapping[str, str], body: bytes) -> str | None:
    """Return the token of a form or a JSON object that has one; None where it is an event.

    Raises:
        EventError: the body cannot be read.
    """
    kind = media_type(headers.get("content-type", ""))
    if kind == "application/x-www-form-urlencoded":
        try:
            found = parse_qs(body.decode("ascii"), max_num_fields=10).get("token", [])
        except ValueError:
            found = []
        if len(found) != 1:
            raise EventError("the form has no token", status=400)
        return found[0]
    if kind == "application/json" and not any(name.startswith("ce-") for name in headers):
        given = parse_json(body)
        text = given.get("token") if isinstance(given, dict) else None
        return text if isinstance(text, str) else None
    return None


def _decide(text: str, accept: str, context: Context) -> Response:
    """Approve or deny, as the token permits; return a page where the client prefers one."""
    is_page = _prefers_page(accept)
    try:
        given = _read(text, context)
        _require_same_facts(given, context)
        act = approve if given.action == "approve" else deny
        return _result(given, act(given.approval_id, given.approver, context), is_page=is_page)
    except Exception as error:
        if not is_page:
            raise
        return _problem(error)


def _prefers_page(accept: str) -> bool:
    accepted = parse_accept_header(accept, MIMEAccept)
    kinds = ["application/json", "text/html"]
    return accepted.best_match(kinds, default="application/json") == "text/html"


def _read(text: str, context: Context) -> LinkToken:
    return links.read(text, context.settings.approval_keys, Executor.of(context).store.now_s())


def _signed(approval: Approval, approver: str, action: LinkAction, context: Context) -> str:
    fields = (approval.approval_id, approval.facts_hash, action, approver)
    given = LinkToken(*fields, expires_at_s=int(approval.expires_at_s))
    return links.sign(given, context.settings.approval_keys)


def _open(
    approval_id: str,
    approver: str,
    action: LinkAction,
    context: Context,
    facts_hash: str | None = None,
) -> Approval:
    """Return the request if this person can (still) take the action on it."""
    store = Executor.of(context).store
    require_listed(approver, context.policy.approval)
    approval = known(store, approval_id)
    if facts_hash not in (None, approval.facts_hash):
        raise EventError("this link is about other facts: request a new one", status=403)
    if action == "approve":
        require_other(approver, approval, context.policy.approval)
    if approval.state != "pending" or is_expired(approval, store.now_s()):
        raise too_late(approval)
    return approval


def _require_same_facts(given: LinkToken, context: Context) -> None:
    """Refuse a token of other facts; everything else is refused by the action itself."""
    approval = known(Executor.of(context).store, given.approval_id)
    if approval.facts_hash != given.facts_hash:
        raise EventError("this link is about other facts: request a new one", status=403)


def _view(given: LinkToken, text: str, approval: Approval, context: Context) -> page.ApprovalView:
    record = Executor.of(context).store.decision(approval.decision_id)
    found: Json = json.loads(record.document_json) if record else {}
    tokens: dict[str, str] = {given.action: text}
    if given.action == "approve":
        tokens["deny"] = _signed(approval, given.approver, "deny", context)
    return page.ApprovalView(
        approver=given.approver,
        requester=approval.requester,
        target=approval.target,
        reasons=[one["message"] for one in found.get("reasons", ())],
        plan=[one["summary"] for one in found.get("plan", ())] or [approval.summary],
        unseen=[f"{one['what']}: {one['why']}" for one in found.get("facts", {}).get("unseen", ())],
        expires=moment(approval.expires_at_s),
        tokens=tokens,
    )


def _result(given: LinkToken, found: Json, *, is_page: bool) -> Response:
    is_other = (found["approval"] or {}).get("approval_id") != given.approval_id
    is_changed = is_other or found["outcome"] == "superseded"
    status = _CONFLICT if is_changed else 200
    if not is_page:
        body = redacted(json.dumps(found, ensure_ascii=False)).encode(errors="replace") + b"\n"
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        return Response(status, body, headers)
    title = _TITLES[found["outcome"]]
    plan = [one["summary"] for one in found["plan"]] if is_changed else []
    lines = [*found["target"], found["note"], *plan]
    return Response(
        status, page.message_page(title, [line for line in lines if line]), page.HEADERS
    )


def _problem(error: Exception) -> Response:
    details = problem.of(error)
    retry = {} if details.retry_after_s is None else {"Retry-After": str(details.retry_after_s)}
    body = page.message_page(details.document["title"], [details.document["detail"]])
    return Response(details.status, body, {**page.HEADERS, **retry})
