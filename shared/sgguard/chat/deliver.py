"""Sending the message of a decision to the channels that its routes name, each once.

Messages go by themselves, by the outbox; an event (``sgguard.chat.post.v1``) asks for those of one
decision now. It goes through the outbox too: an event that comes again sends what is missing and
nothing twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sgguard.chat import outgoing, token
from sgguard.chat.base import Channel, Part, Sent, Setup, kinds
from sgguard.chat.kept import Kept
from sgguard.chat.web import line_of
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import BusyError, EventError, SettingsError, SgguardError
from sgguard.events.base import Kind
from sgguard.events.request import checked
from sgguard.model.event import Event
from sgguard.model.sentence import said
from sgguard.outbox.base import Gone, Later
from sgguard.outbox.base import Sent as OutboxSent
from sgguard.outbox.deliver import LEASE_S, Deliverer
from sgguard.outbox.what import telling
from sgguard.render.language.message import of_document
from sgguard.render.language.refusal import refusal
from sgguard.render.values import time_json
from sgguard.restores.standing import seen
from sgguard.store.notices import Telling

Json = dict[str, Any]

KIND = Kind("chat", "sgguard.chat.post.v1", "sgguard.chat.posted.v1")
"""The event that asks for a message, and the type of its response."""


def request(data: object) -> str:
    """Return the id of the decision that is to be sent (``schemas/chat.schema.json``).

    Raises:
        EventError: the data is not what the schema says.
    """
    decision_id: str = checked(KIND.name, data)["decision_id"]
    return decision_id


def handle(asked: Sequence[tuple[str, Event]], context: Context) -> list[Json | Exception]:
    """Handle the events of one delivery, each by itself, in order."""
    return [_handled(decision_id, context) for decision_id, _ in asked]


def _handled(decision_id: str, context: Context) -> Json | Exception:
    try:
        return _delivered(decision_id, context)
    except Exception as error:  # noqa: BLE001 - of a batch only this event is concerned
        return error


def _delivered(decision_id: str, context: Context) -> Json:
    executor = Executor.of(context)
    record = executor.store.decision(decision_id)
    if record is None:
        raise refusal(EventError, said("chat.no-decision"), status=404)
    told = telling(json.loads(record.document_json), record.requester, context.policy)
    # What is to be sent is written first: whatever becomes of this event, it is not lost.
    direct = [one for one in told.notices if one.kind == outgoing.KIND and not one.after_s]
    executor.store.notify(decision_id, Telling(tuple(direct)))
    found: list[Json] = []
    failed: list[Exception] = []
    for notice in direct:
        try:
            found.append({"channel": notice.destination, **_now(notice.notice_id, executor)})
        except SgguardError as error:
            # One channel that fails does not keep the message from the others.
            failed.append(error)
    if failed:
        raise failed[0]
    return {"at": time_json(datetime.fromtimestamp(executor.store.now_s(), UTC)), "sent": found}


def _now(notice_id: str, executor: Executor) -> Json:
    """Send one message at once, as a deliverer of the outbox does."""
    store = executor.store
    row = store.take_notice(notice_id, owner=executor.owner, lease_s=LEASE_S, is_hurried=True)
    if row is None:
        raise refusal(BusyError, said("chat.sending"))
    sender = outgoing.sender(executor.context)
    deliverer = Deliverer(store, {outgoing.KIND: sender}, executor.owner)
    try:
        result = sender.attempt(row)
    except SgguardError as error:
        deliverer.settle(row, outgoing.failure(error))
        raise
    deliverer.settle(row, result)
    match result:
        case OutboxSent(reference):
            kept = Kept.of(reference)
            return {"message_id": kept.message_id, "chat": kept.chat}
        case Later(why) | Gone(why):
            raise refusal(BusyError, said("chat.waits", why=why))


def send(document: Json, requester: str, setup: Setup, context: Context) -> Sent:
    """Render and send the message of a decision to one channel.

    Raises:
        CloudError: the channel refused it, or could not be reached.
        SettingsError: a secret of the channel is missing.
    """
    channel = kinds()[setup.config.kind]
    body = rendered(document, requester, channel, setup, context)
    return channel.send(body, setup, line_of(channel, context))


def rendered(
    document: Json, requester: str, channel: Channel, setup: Setup, context: Context
) -> Json:
    """Return what a channel is sent about a decision."""
    message = seen(of_document(document, requester), document, Executor.of(context).store)
    return channel.render(token.shown(message, channel, setup, context), setup)


def missing(channel: Channel, setup: Setup) -> tuple[Part, ...]:
    """Return what a channel lacks to send and to be answered, in words."""
    config = setup.config
    if config.way not in channel.needs:
        raise SettingsError(f"channel {config.name}: {channel.name} has no way {config.way!r}")
    return tuple(part for part in channel.needs[config.way] if not setup.every(part))
