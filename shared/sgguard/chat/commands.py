"""Commands that people write to the bot: answered in the channel's language, only observing.

``check``, ``explain`` and ``decisions`` read. ``approve`` and ``deny`` show the request again with
its buttons: a text has no token of ours, so that nothing is decided by it.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from sgguard.chat import token as tokens
from sgguard.chat.base import Answer, Channel, Command, Setup, Verified
from sgguard.engine import decide
from sgguard.engine.approver import is_expired, require_listed, require_other
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import (
    AddressError,
    DeadlineError,
    EventError,
    InputError,
    NotFoundError,
    SgguardError,
)
from sgguard.events import request
from sgguard.model.address import Address
from sgguard.model.decision import Decision
from sgguard.model.request import DeleteRequest
from sgguard.model.sentence import Named
from sgguard.operations import explain, trail
from sgguard.render.document import to_json
from sgguard.render.language.message import of_document
from sgguard.render.language.text import title, verdict, what
from sgguard.render.language.words import name, plain
from sgguard.store.rows import Approval, Claim
from sgguard.telemetry import logs
from sgguard.wire.clock import Deadline

Json = dict[str, Any]

PER_MINUTE = 6
"""Commands of one person in a minute, counted by all instances together."""
_MINUTE_S = 60
_MARGIN_S = 0.5
_SHOWN = 5
_DECISIONS = 5
_TEXT_MAX = 4000
_SHORT_ID = 8
_PLAIN = str.maketrans({"\u3000": " ", "：": ":", "“": " ", "”": " ", "`": " "})


class _Asked(msgspec.Struct, frozen=True):
    """One command in work: its arguments, who wrote it and where, and what it is answered with."""

    words: tuple[str, ...]
    by: str
    chat: str
    channel: Channel
    setup: Setup
    context: Context
    executor: Executor

    def say(self, key: str, **values: object) -> Answer:
        return Answer((self.setup.words.say(key, **values),), is_error=True)


def once(
    command: Command, verified: Verified, channel: Channel, setup: Setup, context: Context
) -> Answer | None:
    """Answer a command; None where it was delivered before: vendors repeat what took long.

    Raises:
        SettingsError: there is no store.
        StoreError: the store cannot be read or written.
    """
    executor = Executor.of(context)
    key = hashlib.sha256(verified.key.encode(errors="replace")).hexdigest()
    source = f"chat.{setup.config.name}.commands"
    claim = executor.claim(source, key, context.new_id(), None)
    if not isinstance(claim, Claim):
        return None
    executor.store.finish(claim, "{}")
    return run(command, channel, setup, context)


def run(command: Command, channel: Channel, setup: Setup, context: Context) -> Answer:
    """Answer a command; nothing in the cloud is changed.

    Raises:
        SettingsError: there is no store, which counts the commands.
        StoreError: the store cannot be read or written.
    """
    executor = Executor.of(context)
    config, words = setup.config, setup.words
    is_there = not config.tenant or command.tenant == config.tenant
    by = config.person(command.user) if is_there else ""
    is_anybody = is_there and config.commands == "tenant" and bool(command.user)
    if not (by or is_anybody):
        return Answer((words.say("command.user"),), is_error=True)
    if not _is_free(command, setup, executor):
        return Answer((words.say("command.limit", n=PER_MINUTE),), is_error=True)
    verb, *arguments = command.text[:_TEXT_MAX].translate(_PLAIN).split() or ["help"]
    limit_s = max(min(context.deadline.remaining_s(), channel.answer_s - _MARGIN_S), 0.0)
    asked = _Asked(
        words=tuple(arguments),
        by=by,
        chat=command.chat,
        channel=channel,
        setup=setup,
        context=replace(context, deadline=Deadline.after(limit_s, context.deadline.clock)),
        executor=executor,
    )
    return _run(_COMMANDS.get(verb.casefold().lstrip("/"), _unknown), asked)


def _run(known: Callable[[_Asked], Answer], asked: _Asked) -> Answer:
    try:
        return known(asked)
    except DeadlineError:
        return asked.say("command.late")
    except (AddressError, EventError):
        return asked.say("command.address")
    except SgguardError as error:
        where = asked.setup.config.name
        logs.log(logging.WARNING, "chat", where=where, detail=str(error))
        return asked.say("command.error")


def _unknown(asked: _Asked) -> Answer:
    return asked.say("command.unknown", help=asked.setup.words.say("help"))


def _is_free(command: Command, setup: Setup, executor: Executor) -> bool:
    """Take one of the places that a person has in a minute; False: none is left.

    Each place is a claim of the store, so that it is taken once, by whichever instance.
    """
    whose = f"{setup.config.name}\n{command.tenant}\n{command.user}"
    minute = int(executor.store.now_s() // _MINUTE_S)
    person = hashlib.sha256(whose.encode(errors="replace")).hexdigest()
    for place in range(PER_MINUTE):
        claim = executor.claim(
            "chat.commands", f"{person}:{minute}:{place}", executor.context.new_id(), None
        )
        if isinstance(claim, Claim):
            executor.store.finish(claim, "{}")
            return True
    return False


def _help(asked: _Asked) -> Answer:
    return Answer((asked.setup.words.say("help"),))


def _check(asked: _Asked) -> Answer:
    """Judge the deletes; the one of a single scope is shown whole, several in a line each."""
    if not asked.words:
        raise AddressError("no address")
    requests = request.delete_sets(asked.words)
    documents = [_judged(one, asked) for one in requests]
    messages = [of_document(one, asked.by) for one in documents]
    words = asked.setup.words
    if len(messages) == 1:
        shown = tokens.shown(messages[0], asked.channel, asked.setup, asked.context)
        return Answer((), shown)
    return Answer(tuple(f"{title(one, words)} {verdict(one, words)}" for one in messages))


def _judged(wanted: DeleteRequest, asked: _Asked) -> Json:
    by = replace(wanted, requested_by=asked.by)
    decided: Decision | Exception
    (decided,) = decide.decide_deletes([(by, asked.context.new_id())], asked.context)
    if isinstance(decided, Exception):
        raise decided
    return to_json(decided)


def _explain(asked: _Asked) -> Answer:
    if len(asked.words) != 1:
        raise AddressError("one address")
    address = Address.parse(asked.words[0])
    words = asked.setup.words
    try:
        first = explain.read(address, asked.context).groups[0]
    except NotFoundError:
        said = words.say("reason.not-found", **_nothing(), group=plain(address.group_id))
        return Answer((said,), is_error=True)
    group = first.group
    shown = name(Named(address.group_id, (group.name or "") if group else ""))
    holders = tuple(
        dict.fromkeys(Named(one.group_id, one.group_name or "") for one in first.references)
    )
    lines = [
        words.say(
            "explain.references",
            group=shown,
            rules=words.count(len(first.references), "rule"),
            groups=words.count(len(holders), "group"),
            holders=words.names(holders, _SHOWN),
        )
        if holders
        else words.say("explain.free", group=shown)
    ]
    kinds: dict[str, int] = {}
    for one in first.bindings:
        kinds[one.kind] = kinds.get(one.kind, 0) + one.count
    counted = words.items(words.count(n, plain(kind, 30)) for kind, n in sorted(kinds.items()))
    lines.append(
        words.say("explain.bound", kinds=counted) if kinds else words.say("explain.unbound")
    )
    if first.unseen:
        lines.append(words.say("unseen", n=len(first.unseen)))
    return Answer(tuple(lines))


def _nothing() -> Mapping[str, str]:
    return dict.fromkeys(("rules", "groups", "holders", "kinds", "unseen", "usage"), "")


def _decisions(asked: _Asked) -> Answer:
    words = asked.setup.words
    found = trail.decisions(asked.executor.store, trail.Wanted(limit=_DECISIONS))
    lines = []
    for record in found:
        message = of_document(json.loads(record.document_json), record.requester)
        lines.append(
            words.say(
                "decisions.line",
                when=words.time(datetime.fromtimestamp(record.at_s, UTC)),
                state=words.say(f"state.{message.state}"),
                what=what(message, words),
                decision=record.decision_id[:_SHORT_ID],
            )
        )
    return Answer(tuple(lines) or (words.say("decisions.none"),))


def _answerable(asked: _Asked) -> Answer:
    """Show a request with its buttons to whom it may be shown to decide; decide nothing."""
    approval = _approval(asked)
    if approval is None:
        return asked.say("refused.unknown")
    if why := _closed(approval, asked):
        return asked.say(f"refused.{why}", by=plain(asked.by))
    words = asked.setup.words
    shorter = f"{approval.approval_id[:_SHORT_ID]}…"
    record = asked.executor.store.decision(approval.decision_id)
    is_here = asked.chat == asked.setup.config.chat  # elsewhere its buttons would do nothing
    has_buttons = asked.channel.answers_buttons and asked.channel.has_buttons(asked.setup)
    if record is None or not (has_buttons and is_here):
        return Answer((words.say("command.elsewhere", approval=shorter),))
    message = of_document(json.loads(record.document_json), record.requester)
    shown = tokens.shown(message, asked.channel, asked.setup, asked.context)
    return Answer((words.say("command.kept", approval=shorter),), shown)


def _approval(asked: _Asked) -> Approval | None:
    store = asked.executor.store
    if len(asked.words) != 1:
        return None
    try:
        return store.approval(trail.whole_approval_id(store, asked.words[0]))
    except InputError:
        return None


def _closed(approval: Approval, asked: _Asked) -> str:
    """Return why this person cannot decide on a request (any more); empty: they can."""
    policy = asked.context.policy.approval
    try:
        require_listed(asked.by, policy)
        require_other(asked.by, approval, policy)
    except EventError:
        return "approver"
    if approval.state != "pending":
        return "answered"
    return "expired" if is_expired(approval, asked.executor.store.now_s()) else ""


_COMMANDS: Mapping[str, Callable[[_Asked], Answer]] = {
    "help": _help,
    "check": _check,
    "explain": _explain,
    "decisions": _decisions,
    "approve": _answerable,
    "deny": _answerable,
}


def verbs() -> Sequence[str]:
    """Return the commands there are."""
    return tuple(_COMMANDS)
