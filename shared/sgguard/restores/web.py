"""The pages of the function ``approval``: links of approvals, and links to restore.

A GET of a link to restore reads the cloud and shows the plan; nothing is changed or noted. A POST
carries out the plan that was shown; where it is another one by now, that one is shown instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from sgguard.approvals import frame, page, web
from sgguard.approvals.link import LinkToken
from sgguard.engine.approver import require_approver
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.events.base import media_type, parse_json
from sgguard.model.sentence import Sentence, Text
from sgguard.operations.restore import Preview, preview
from sgguard.render.language import text as sentences
from sgguard.render.language.message import Message
from sgguard.render.language.refusal import told
from sgguard.render.language.step import said_of
from sgguard.render.language.words import Words, name
from sgguard.render.outcome import notes_in
from sgguard.restores import act, permit
from sgguard.store import codec
from sgguard.web import response
from sgguard.web.language import words_of
from sgguard.web.response import Response
from sgguard.web.surface import Surface

Json = dict[str, Any]

_CONFLICT = 409
_FORM = "application/x-www-form-urlencoded"
_FIELDS_MAX = 10


def surface() -> Surface:
    """Return what is shown and taken here beside events."""
    return web.surface()


def show(
    method: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    begin: Callable[[], Context],
) -> Response | None:
    """Respond to a GET of a link with its page; None where the request is no GET of a link."""
    if "restore" not in query:
        return web.show(method, query, headers, begin)
    return frame.page_of(
        "restore", _shown, method=method, query=query, headers=headers, begin=begin
    )


def submit(headers: Mapping[str, str], content: bytes, context: Context) -> Response | None:
    """Carry out what a form or JSON with a token permits; None where the body is an event."""
    posted = _posted(headers, content)
    if posted is None:
        return web.submit(headers, content, context)
    words = words_of(posted.get("lang", ""), headers.get("accept-language", ""))
    is_page = frame.prefers_page(headers.get("accept", ""))
    try:
        return _done(posted, context, frame.in_zone(words, context), is_page=is_page)
    except Exception as error:
        if not is_page:
            raise
        return frame.problem_page(error, words)


def _posted(headers: Mapping[str, str], body: bytes) -> dict[str, str] | None:
    """Return the fields of a form, or of JSON, that restores; None for everything else."""
    kind = media_type(headers.get("content-type", ""))
    found: object = None
    if kind == _FORM:
        try:
            fields = parse_qs(body.decode("ascii"), max_num_fields=_FIELDS_MAX)
        except ValueError:
            return None  # what it is then, the pages of approvals say
        found = {key: values[0] for key, values in fields.items() if len(values) == 1}
    elif kind == "application/json" and not any(one.startswith("ce-") for one in headers):
        found = parse_json(body)
    if not isinstance(found, dict) or not isinstance(found.get("restore"), str):
        return None
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _permitted(text: str, context: Context) -> tuple[LinkToken, Message]:
    """Return what a link permits, and the message of the decision that it is about.

    Raises:
        EventError: it permits nothing (any more), or its person may not restore.
    """
    store = Executor.of(context).store
    given = permit.read(text, context, store.now_s())
    require_approver(given.approver, context.policy.approval)
    return given, act.standing(given, context)


def _shown(text: str, context: Context, words: Words) -> bytes:
    given, message = _permitted(text, context)
    act.require_offered(given, message, Executor.of(context).store.now_s())
    found = preview(given.approval_id, context)
    return _page(found, message, given, text, words)


def _page(
    found: Preview,
    message: Message,
    given: LinkToken,
    text: str,
    words: Words,
    *,
    is_changed: bool = False,
) -> bytes:
    steps = {id(one.step): one.step for one in found.restoration.plan.planned}
    view = page.RestoreView(
        verdict=sentences.verdict(message, words),
        decision=message.decision_id,
        person=given.approver,
        place=sentences.place(message, words),
        target=[name(one) for one in message.groups],
        plan=[_in_words(said_of(one), words) for one in steps.values()],
        left_out=[_in_words(one, words) for one in found.restoration.left_out],
        until=words.time(datetime.fromtimestamp(given.expires_at_s, UTC)),
        token=text,
        plan_hash=_hash(found),
        is_changed=is_changed,
    )
    return page.restore_page(view, words, frame.other_language("restore", text, words))


def _in_words(text: Text, words: Words) -> str:
    return told(text, words) if isinstance(text, Sentence) else text


def _hash(found: Preview) -> str:
    """Return what stands for a plan: whoever confirms it has seen this one."""
    return hashlib.sha256(codec.dump(found.restoration).encode()).hexdigest()


def _done(posted: Mapping[str, str], context: Context, words: Words, *, is_page: bool) -> Response:
    text = posted["restore"]
    given, message = _permitted(text, context)
    # One that was begun is continued by the plan that it has: there is nothing to compare.
    is_begun = message.state == "restoring"
    seen = None if is_begun else preview(given.approval_id, context)
    found: Json | Preview
    if seen is None or posted.get("plan", "") == _hash(seen):
        found = act.carry_out(given, given.approver, context, seen)
    else:
        found = seen
    if isinstance(found, dict):
        return _result(found, words, is_page=is_page)
    # Nothing was done: the plan is not the one that was read.
    content = _page(found, message, given, text, words, is_changed=True)
    return Response(_CONFLICT, content, page.HEADERS)


def _result(found: Json, words: Words, *, is_page: bool) -> Response:
    if not is_page:
        return response.of_decision(200, found)
    title = words.say(f"result.{found['outcome']}")
    lines = [one for one in (*found["target"], *notes_in(found, words)) if one]
    return Response(200, page.message_page(title, lines, words), page.HEADERS)
