"""Links on the web: a GET shows the question and changes nothing, a POST answers it.

The signed token says who answers and what; whoever has it may use it, once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, quote

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from sgguard.approvals import link as token
from sgguard.approvals import page
from sgguard.approvals.approver import (
    is_over,
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
from sgguard.store.rows import Approval
from sgguard.web import problem
from sgguard.web.response import Response

Json = dict[str, Any]

_TITLES = {
    "remediated": "Done",
    "undone": "Not done: everything was taken back",
    "partly-undone": "Not done, and not everything could be taken back",
    "refused": "Denied: nothing is done",
    "superseded": "Not done: the facts have changed",
    "pending": "Not done: the facts have changed",
}
_CONFLICT = 409


def link(approval_id: str, approver: str, action: LinkAction, context: Context) -> str:
    """Return the signed text with which this person may answer; with a URL set, the whole link.

    A link to approve also lets its approver deny.

    Raises:
        EventError: 403 they may not answer it; 404 there is no such question; 409 or 410 it is
            no longer open.
        SettingsError: there is no key to sign with.
    """
    approval = _open(approval_id, approver, action, context)
    signed = _signed(approval, approver, action, context)
    url = context.settings.approval_url
    return f"{url}?token={quote(signed)}" if url else signed


def show(method: str, query: Mapping[str, str], begin: Callable[[], Context]) -> Response | None:
    """Answer a look at a link with the page that asks; nothing is changed or noted.

    None where nobody looks at a link. ``begin`` gives what to work with, and may fail.
    """
    if method not in ("GET", "HEAD") or "token" not in query:
        return None
    text = query["token"]
    try:
        context = begin()
        given = _read(text, context)
        approval = _open(given.approval_id, given.approver, given.action, context, given.facts_hash)
        return Response(200, page.confirm(_question(given, text, approval, context)), page.HEADERS)
    except Exception as error:  # noqa: BLE001 - the framework's own page would say less
        return _failed(error)


def submit(headers: Mapping[str, str], content: bytes, context: Context) -> Response | None:
    """Answer a button that was pressed; None where the body is an event.

    The answer is a page where the client prefers one, else JSON. ``headers`` have lower-case names.
    """
    token = _clicked(headers, content)
    return answer(token, headers.get("accept", ""), context) if token else None


def _clicked(headers: Mapping[str, str], body: bytes) -> str | None:
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


def answer(text: str, accept: str, context: Context) -> Response:
    """Answer the question as a token says; as a page where the client prefers one, else as JSON."""
    is_page = _prefers_page(accept)
    try:
        given = _read(text, context)
        _open_or_done(given, context)
        act = approve if given.action == "approve" else deny
        return _done(given, act(given.approval_id, given.approver, context), is_page=is_page)
    except Exception as error:
        if not is_page:
            raise
        return _failed(error)


def _prefers_page(accept: str) -> bool:
    accepted = parse_accept_header(accept, MIMEAccept)
    kinds = ["application/json", "text/html"]
    return accepted.best_match(kinds, default="application/json") == "text/html"


def _read(text: str, context: Context) -> LinkToken:
    return token.read(text, context.settings.approval_keys, Executor.of(context).store.now_s())


def _signed(approval: Approval, approver: str, action: LinkAction, context: Context) -> str:
    fields = (approval.approval_id, approval.facts_hash, action, approver)
    given = LinkToken(*fields, expires_at_s=int(approval.expires_at_s))
    return token.sign(given, context.settings.approval_keys)


def _open(
    approval_id: str,
    approver: str,
    action: LinkAction,
    context: Context,
    facts_hash: str | None = None,
) -> Approval:
    """Return the question if this person can (still) answer it so."""
    store = Executor.of(context).store
    require_listed(approver, context.policy.approval)
    approval = known(store, approval_id)
    if facts_hash not in (None, approval.facts_hash):
        raise EventError("this link is about other facts: ask for a new one", status=403)
    if action == "approve":
        require_other(approver, approval, context.policy.approval)
    if approval.state != "pending" or is_over(approval, store.now_s()):
        raise too_late(approval)
    return approval


def _open_or_done(given: LinkToken, context: Context) -> None:
    """Refuse a token of other facts; everything else is for the answer itself to refuse."""
    approval = known(Executor.of(context).store, given.approval_id)
    if approval.facts_hash != given.facts_hash:
        raise EventError("this link is about other facts: ask for a new one", status=403)


def _question(given: LinkToken, text: str, approval: Approval, context: Context) -> page.Question:
    record = Executor.of(context).store.decision(approval.decision_id)
    found: Json = json.loads(record.document_json) if record else {}
    tokens: dict[str, str] = {given.action: text}
    if given.action == "approve":
        tokens["deny"] = _signed(approval, given.approver, "deny", context)
    return page.Question(
        approver=given.approver,
        requester=approval.requester,
        target=approval.target,
        reasons=[one["message"] for one in found.get("reasons", ())],
        plan=[one["summary"] for one in found.get("plan", ())] or [approval.summary],
        unseen=[f"{one['what']}: {one['why']}" for one in found.get("facts", {}).get("unseen", ())],
        expires=moment(approval.expires_at_s),
        tokens=tokens,
    )


def _done(given: LinkToken, found: Json, *, is_page: bool) -> Response:
    is_other = (found["approval"] or {}).get("approval_id") != given.approval_id
    is_changed = is_other or found["outcome"] == "superseded"
    status = _CONFLICT if is_changed else 200
    if not is_page:
        body = json.dumps(found, ensure_ascii=False).encode(errors="replace") + b"\n"
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        return Response(status, body, headers)
    title = _TITLES[found["outcome"]]
    plan = [one["summary"] for one in found["plan"]] if is_changed else []
    lines = [", ".join(found["target"]), found["note"], *plan]
    return Response(status, page.said(title, [line for line in lines if line]), page.HEADERS)


def _failed(error: Exception) -> Response:
    details = problem.of(error)
    retry = {} if details.retry_after_s is None else {"Retry-After": str(details.retry_after_s)}
    body = page.said(details.document["title"], [details.document["detail"]])
    return Response(details.status, body, {**page.HEADERS, **retry})
