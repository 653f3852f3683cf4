"""Sending the message of a decision to the channels that its routes name, each once.

An event (``sgguard.chat.post.v1``) asks for it. What was sent is noted in the store under the
decision and what became of it, so that an event that comes again sends what is missing and nothing
twice.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sgguard.chat import token
from sgguard.chat.base import Channel, Part, Sent, Setup, kinds, setup_of
from sgguard.chat.web import line_of
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import BusyError, EventError, SettingsError, SgguardError
from sgguard.events.base import Kind
from sgguard.events.request import checked
from sgguard.model.event import Event
from sgguard.policy.channel import routed
from sgguard.render.language.message import of_document
from sgguard.render.values import time_json
from sgguard.store.rows import Answered, Claim, Record

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
        raise EventError("there is no such decision", status=404)
    document = json.loads(record.document_json)
    configured = {one.name: one for one in context.policy.channels}
    found: list[Json] = []
    failed: list[Exception] = []
    for name in routed(context.policy.routes, document):
        setup = setup_of(configured[name], context.env)
        try:
            found.append({"channel": name, **_once(record, document, setup, executor)})
        except SgguardError as error:
            # One channel that fails does not keep the message from the others.
            failed.append(error)
    if failed:
        raise failed[0]
    return {"at": time_json(datetime.fromtimestamp(executor.store.now_s(), UTC)), "sent": found}


def _once(record: Record, document: Json, setup: Setup, executor: Executor) -> Json:
    approval = (document["approval"] or {}).get("approval_id", "")
    key = f"{record.decision_id}:{record.outcome}:{approval}"
    source = f"chat.sent.{setup.config.name}"
    claim = executor.claim(source, key, executor.context.new_id(), None)
    if isinstance(claim, Answered):
        before: Json = json.loads(claim.answer_json)
        return before
    if not isinstance(claim, Claim):
        raise BusyError("this message is being sent by another instance")
    try:
        sent = send(document, record.requester, setup, executor.context)
    except SgguardError:
        executor.release(claim)
        raise
    done = {"message_id": sent.message_id, "chat": sent.chat}
    executor.store.finish(claim, json.dumps(done))
    return done


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
    message = of_document(document, requester)
    return channel.render(token.shown(message, channel, setup, context), setup)


def missing(channel: Channel, setup: Setup) -> tuple[Part, ...]:
    """Return what a channel lacks to send and to be answered, in words."""
    config = setup.config
    if config.way not in channel.needs:
        raise SettingsError(f"channel {config.name}: {channel.name} has no way {config.way!r}")
    return tuple(part for part in channel.needs[config.way] if not setup.every(part))
