"""Links on the web: a GET shows the approval request and changes nothing, a POST decides on it.

The signed token holds who decides and how; any holder of the link can use it, once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, quote

from sgguard.approvals import frame, page
from sgguard.approvals import link as links
from sgguard.approvals import surface as described
from sgguard.approvals.link import LinkAction, LinkToken
from sgguard.approvals.resolve import approve, deny
from sgguard.engine.approver import (
    is_expired,
    known,
    require_listed,
    require_other,
    too_late,
)
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import EventError
from sgguard.events.base import media_type, parse_json
from sgguard.model.sentence import said
from sgguard.render.graph.kept import graph_of
from sgguard.render.graph.picture import to_svg
from sgguard.render.language import text as sentences
from sgguard.render.language.message import Message, of_document
from sgguard.render.language.refusal import refusal, told
from sgguard.render.language.words import Words
from sgguard.render.outcome import notes_in
from sgguard.render.said import text_of
from sgguard.store.rows import Approval
from sgguard.web import response
from sgguard.web.language import words_of
from sgguard.web.response import Response
from sgguard.web.surface import Surface

Json = dict[str, Any]

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


def surface() -> Surface:
    """Return what is shown and taken here beside events."""
    return described.surface()


def show(
    method: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    begin: Callable[[], Context],
) -> Response | None:
    """Respond to a GET of a link with its page; nothing is changed or noted.

    None where the request is no GET of a link. ``begin`` gives the context, and may fail. The
    language is that of ``lang`` in the query, or of the browser.
    """
    return frame.page_of("token", _shown, method=method, query=query, headers=headers, begin=begin)


def _shown(text: str, context: Context, words: Words) -> bytes:
    given = _read(text, context)
    approval = _open(given.approval_id, given.approver, given.action, context, given.facts_hash)
    view = _view(given, text, approval, context, words)
    return page.approval_page(view, words, frame.other_language("token", text, words))


def submit(headers: Mapping[str, str], content: bytes, context: Context) -> Response | None:
    """Carry out the action of a token in a form or in JSON; None where the body is an event.

    The response is a page where the client prefers one, else JSON. The names of ``headers`` are in
    lower case.
    """
    posted = _posted(headers, content)
    if posted is None:
        return None
    token, language = posted
    words = words_of(language, headers.get("accept-language", ""))
    return _decide(token, headers.get("accept", ""), context, frame.in_zone(words, context))


def _posted(headers: Mapping[str, str], body: bytes) -> tuple[str, str] | None:
    """Return token and language of a form or a JSON object with a token; None for an event.

    Raises:
        EventError: the body cannot be read.
    """
    kind = media_type(headers.get("content-type", ""))
    if kind == "application/x-www-form-urlencoded":
        try:
            fields = parse_qs(body.decode("ascii"), max_num_fields=10)
        except ValueError:
            fields = {}
        found = fields.get("token", [])
        if len(found) != 1:
            raise refusal(EventError, said("link.no-token"), status=400)
        return found[0], fields.get("lang", [""])[0]
    if kind == "application/json" and not any(name.startswith("ce-") for name in headers):
        given = parse_json(body)
        text = given.get("token") if isinstance(given, dict) else None
        return (text, "") if isinstance(text, str) else None
    return None


def _decide(text: str, accept: str, context: Context, words: Words) -> Response:
    """Approve or deny, as the token permits; return a page where the client prefers one."""
    is_page = frame.prefers_page(accept)
    try:
        given = _read(text, context)
        _require_same_facts(given, context)
        act = approve if given.action == "approve" else deny
        found = act(given.approval_id, given.approver, context)
        return _result(given, found, words, is_page=is_page)
    except Exception as error:
        if not is_page:
            raise
        return frame.problem_page(error, words)


def _read(text: str, context: Context) -> LinkToken:
    now_s = Executor.of(context).store.now_s()
    given = links.read(text, context.settings.approval_keys, now_s)
    if given.action not in ("approve", "deny"):
        raise links.invalid()
    return given


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
        raise refusal(EventError, said("link.other-facts"), status=403)
    if action == "approve":
        require_other(approver, approval, context.policy.approval)
    if approval.state != "pending" or is_expired(approval, store.now_s()):
        raise too_late(approval)
    return approval


def _require_same_facts(given: LinkToken, context: Context) -> None:
    """Refuse a token of other facts; everything else is refused by the action itself."""
    approval = known(Executor.of(context).store, given.approval_id)
    if approval.facts_hash != given.facts_hash:
        raise refusal(EventError, said("link.other-facts"), status=403)


def _view(
    given: LinkToken, text: str, approval: Approval, context: Context, words: Words
) -> page.ApprovalView:
    record = Executor.of(context).store.decision(approval.decision_id)
    found: Json = json.loads(record.document_json) if record else {}
    tokens: dict[str, str] = {given.action: text}
    if given.action == "approve":
        tokens["deny"] = _signed(approval, given.approver, "deny", context)
    said = of_document(found, approval.requester) if found else None
    return page.ApprovalView(
        verdict=sentences.verdict(said, words) if said else "",
        approver=given.approver,
        requester=approval.requester,
        place=sentences.place(said, words) if said else "",
        target=approval.target,
        reasons=_reasons(said, found, words),
        plan=_plan(said, found, words) or [approval.summary],
        unseen=[_gap(one, words) for one in found.get("facts", {}).get("unseen", ())],
        expires=words.time(datetime.fromtimestamp(approval.expires_at_s, UTC)),
        picture=to_svg(graph_of(found), words) if found else "",
        tokens=tokens,
    )


def _reasons(said: Message | None, found: Json, words: Words) -> list[str]:
    """Return every reason in full: in English as it was decided, else from its code."""
    if said is None or words.language == "en":
        return [one["message"] for one in found.get("reasons", ())]
    return [sentences.why(one, words, sentences.EVERYTHING) for one in said.why]


def _plan(said: Message | None, found: Json, words: Words) -> list[str]:
    if said is None or words.language == "en":
        return [one["summary"] for one in found.get("plan", ())]
    return [sentences.step(one, words) for one in said.changes]


def _gap(unseen: Json, words: Words) -> str:
    if words.language == "en":
        return f"{unseen['what']}: {unseen['why']}"
    what, why = (told(text_of(unseen, name), words) for name in ("what", "why"))
    if what and why:
        return words.say("line", label=what, text=why)
    # One of an older version has its code.
    group = unseen["target"].rpartition(":")[2]
    return words.say("line", label=words.say(f"unseen.{unseen['code']}"), text=group)


def _result(given: LinkToken, found: Json, words: Words, *, is_page: bool) -> Response:
    is_other = (found["approval"] or {}).get("approval_id") != given.approval_id
    is_changed = is_other or found["outcome"] == "superseded"
    status = _CONFLICT if is_changed else 200
    if not is_page:
        return response.of_decision(status, found)
    title = words.say(f"result.{found['outcome']}")
    said = of_document(found)
    plan = _plan(said, found, words) if is_changed else []
    undo = words.say("undo.command", decision=said.decision_id) if said.is_restorable else ""
    how = words.say("line", label=words.say("label.undo"), text=undo) if undo else ""
    verdict = sentences.verdict(said, words) if said.is_restorable else ""
    lines = [*found["target"], verdict, *notes_in(found, words), *plan, how]
    body = page.message_page(title, [line for line in lines if line], words)
    return Response(status, body, page.HEADERS)
