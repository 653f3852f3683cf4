"""What a click does: checked one thing after the other, then handed to the approvals.

The signature of a channel only says where a callback comes from. What authorises is our own token
in the button *and* the person whom the policy maps to the channel's user, on the list of approvers.
Whatever is refused changes nothing and says why.
"""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Any

import msgspec

from sgguard.approvals.link import LinkToken
from sgguard.approvals.reminders import expire
from sgguard.approvals.resolve import deny
from sgguard.chat import token as tokens
from sgguard.chat.base import Answer, Channel, Click, Setup, Shown, Verified
from sgguard.chat.handover import approving, hand_over, restoring
from sgguard.engine.approver import is_expired
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import BusyError, EventError, HaltedError, SgguardError
from sgguard.render.language.message import Message, of_document
from sgguard.render.language.refusal import sentence_of, told
from sgguard.render.language.text import verdict
from sgguard.render.language.words import plain
from sgguard.restores import act
from sgguard.restores.standing import message_of, seen
from sgguard.store.base import Store
from sgguard.store.rows import Answered, Approval, Busy, Claim
from sgguard.telemetry import logs

Json = dict[str, Any]

_FORBIDDEN = 403
_OF_STATUS = {403: "approver", 404: "unknown", 409: "answered", 410: "expired"}


class _Desk(msgspec.Struct, frozen=True):
    """Where a click is decided: the channel it came through, and what it is decided with."""

    channel: Channel
    setup: Setup
    context: Context
    executor: Executor

    @property
    def store(self) -> Store:
        return self.executor.store

    def refuse(self, why: str, *, by: str = "", shown: Shown | None = None) -> Answer:
        said = self.setup.words.say(f"refused.{why}", by=plain(by))
        return Answer((said,), shown, is_error=True)

    def refuse_for_now(self, error: BusyError | HaltedError) -> Answer:
        """Refuse what the same button can do later."""
        return self.refuse("busy" if isinstance(error, BusyError) else "halted")

    def current(self, approval: Approval) -> Shown | None:
        """Return the message as it is now; None where its decision is not kept any more."""
        record = self.store.decision(approval.decision_id)
        if record is None:
            return None
        return self.show(message_of(record, self.store))

    def show(self, message: Message) -> Shown:
        """Return a message with its buttons."""
        return tokens.shown(message, self.channel, self.setup, self.context)


def decide(
    click: Click,
    verified: Verified,
    channel: Channel,
    setup: Setup,
    context: Context,
) -> Answer:
    """Decide on a request by a click, once; a callback that comes again changes nothing.

    Raises:
        SettingsError: there is no store, or no key to sign with.
        StoreError: the store cannot be read or written.
    """
    executor = Executor.of(context)
    desk = _Desk(channel, setup, context, executor)
    name = hashlib.sha256(verified.key.encode(errors="replace")).hexdigest()
    content = json.dumps(verified.payload, sort_keys=True, ensure_ascii=False)
    claim = executor.claim(
        f"chat.{setup.config.name}",
        name,
        context.new_id(),
        hashlib.sha256(content.encode(errors="replace")).hexdigest(),
    )
    match claim:
        case Claim():
            pass
        case Answered(answer_json):
            # Delivered again: the same words, and no second effect.
            return Answer(tuple(json.loads(answer_json)), is_error=True)
        case Busy():
            return desk.refuse("busy")
        case _:
            # The same signature with another body: one of the two is forged.
            logs.log(logging.WARNING, "chat callback forged", where=setup.config.name)
            return desk.refuse("token")
    try:
        answer = _checked(click, desk)
        executor.store.finish(claim, json.dumps(answer.lines, ensure_ascii=False))
    except SgguardError:
        executor.release(claim)
        raise
    return answer


def _checked(click: Click, desk: _Desk) -> Answer:
    # 1. Did we sign this button, for this channel, this message and this action?
    given = _token(click, desk)
    if isinstance(given, Answer):
        return given
    # 2. Who is it? A user of another tenant has an id that means nothing here.
    config = desk.setup.config
    by = config.person(click.user) if config.tenant and click.tenant == config.tenant else ""
    if not by:
        return desk.refuse("user")
    if given.action == "restore":
        return _restored(given, click, by, desk)
    return _on_request(given, by, desk)


def _on_request(given: LinkToken, by: str, desk: _Desk) -> Answer:
    # 3. Is it about what is asked now? Else the message in the chat is stale: it is replaced.
    approval = desk.store.approval(given.approval_id)
    if approval is None:
        return desk.refuse("unknown")
    if approval.state == "pending" and is_expired(approval, desk.store.now_s()):
        # Nobody may have noted it yet: the message can only say it once it is.
        expire(desk.executor, approval)
        return desk.refuse("expired", shown=desk.current(approval))
    if approval.state != "pending" or approval.facts_hash != given.facts_hash:
        return desk.refuse("answered", shown=desk.current(approval))
    # 4. May this person, and does it still hold? The approvals say, as they do everywhere.
    return _acted(given, approval, by, desk)


def _token(click: Click, desk: _Desk) -> LinkToken | Answer:
    try:
        # Whether its time is over is asked of the request, which is open as long as its buttons.
        given = tokens.read(click.token, desk.context, now_s=0.0)
    except EventError:
        return desk.refuse("token")
    return given if _belongs(click, given, desk.setup) else desk.refuse("token")


def _belongs(click: Click, given: LinkToken, setup: Setup) -> bool:
    config = setup.config
    is_there = not (config.chat and click.chat) or click.chat == config.chat
    return (
        given.approver == config.name
        and click.action in (None, given.action)
        # A message that offers a restore may still be named by its request: looked at later.
        and (given.action == "restore" or click.message_id in (None, given.approval_id))
        and is_there
    )


def _acted(given: LinkToken, approval: Approval, by: str, desk: _Desk) -> Answer:
    try:
        if given.action == "approve":
            document = hand_over(approving(approval, by), desk.context)
        else:
            document = deny(approval.approval_id, by, desk.context)
    except EventError as error:
        why = _OF_STATUS.get(error.status, "other")
        # Whoever may not answer does not change what others see.
        shown = None if why == "approver" else desk.current(approval)
        return desk.refuse(why, by=by, shown=shown)
    except (BusyError, HaltedError) as error:
        return desk.refuse_for_now(error)
    except SgguardError as error:
        logs.log(logging.WARNING, "chat", decision_id=approval.decision_id, detail=str(error))
        return desk.refuse("other", shown=desk.current(approval))
    if document is None:
        return Answer((desk.setup.words.say("done.taken"),))
    message = seen(of_document(document, approval.requester), document, desk.store)
    shown = desk.show(message)
    words = desk.setup.words
    is_fresh = message.is_open and message.approval_id != approval.approval_id
    said = words.say("done.superseded") if is_fresh else verdict(message, words)
    return Answer((said,), shown)


def _restored(given: LinkToken, click: Click, by: str, desk: _Desk) -> Answer:
    """Restore what the message says was removed, once; the message says how that ended."""
    try:
        before = act.standing(given, desk.context)
        if click.message_id not in (None, given.approval_id, before.approval_id):
            return desk.refuse("token")
        document = hand_over(restoring(given, by), desk.context)
        if document is None:
            return Answer((desk.setup.words.say("done.restoring"),))
        after = act.standing(given, desk.context)
    except (BusyError, HaltedError) as error:
        return desk.refuse_for_now(error)
    except SgguardError as error:
        logs.log(logging.WARNING, "chat", decision_id=given.approval_id, detail=str(error))
        return _not_restored(given, error, desk)
    return Answer((verdict(after, desk.setup.words),), desk.show(after))


def _not_restored(given: LinkToken, error: SgguardError, desk: _Desk) -> Answer:
    words = desk.setup.words
    why = told(sentence_of(error), words)
    said = words.say("refused.restore", why=why) if why else words.say("refused.other")
    if isinstance(error, EventError) and error.status == _FORBIDDEN:
        return Answer((said,), is_error=True)  # what others see does not change
    return Answer((said,), desk.show(act.standing(given, desk.context)), is_error=True)
