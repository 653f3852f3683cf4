"""The sender of chat messages: one message per decision and channel, kept true.

What is sent is made from the decision as it is at that moment, so a notice that comes late, twice
or after another one is harmless. The notice keeps what the channel calls the message: a later
sending replaces it, or says the news in a message of its own where the channel cannot.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from sgguard.chat import token
from sgguard.chat.base import Channel, Setup, Shown, kinds, setup_of
from sgguard.chat.base import Sent as Posted
from sgguard.chat.fit import encoded
from sgguard.chat.kept import Kept
from sgguard.chat.web import line_of
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import CloudError, DeadlineError, SettingsError, SgguardError
from sgguard.outbox.base import Gone, Later, Result, Sent
from sgguard.outbox.deliver import ATTEMPT_S
from sgguard.policy.channel import ChannelPolicy, routed
from sgguard.render.language.message import Message, of_digest, of_document, of_test
from sgguard.restores.standing import seen
from sgguard.store.base import Store
from sgguard.store.notices import OutboxRow
from sgguard.store.places import Limit
from sgguard.wire.clock import Deadline

Json = dict[str, Any]

KIND = "chat"
VERSION = 1
TRIAL = '{"trial":true}'
"""The payload of a message that only tests its channel; it is about no decision."""
_MONTH_S = 31 * 86400
_PASSING = "unfinished"
_STALE_LEAST = 2
_REFUSED_MOST = 3

_Old = Literal["replaced", "as it was", "removed"]
"""What became of the message that was there."""


def sender(context: Context) -> ChatSender:
    """Return the sender of chat messages."""
    return ChatSender(context, Executor.of(context).store)


class _Chat(msgspec.Struct, frozen=True):
    """One channel, and the network in which an attempt must end."""

    channel: Channel
    setup: Setup
    context: Context

    @property
    def config(self) -> ChannelPolicy:
        return self.setup.config

    def body(self, message: Message) -> Json:
        return self.channel.render(
            token.shown(message, self.channel, self.setup, self.context), self.setup
        )

    def post(self, body: Json, key: str) -> Posted:
        return self.channel.send(body, self.setup, line_of(self.channel, self.context, key))

    def replace(self, kept: Kept, body: Json) -> bool:
        line = line_of(self.channel, self.context)
        return self.channel.update(_posted(kept), body, self.setup, line)

    def reply(self, kept: Kept, body: Json, key: str) -> Posted | None:
        line = line_of(self.channel, self.context, key)
        return self.channel.reply(_posted(kept), body, self.setup, line)

    def limits(self) -> tuple[Limit, ...]:
        """Return the limits of the policy, or what the vendor documents."""
        manner, config = self.channel.manner, self.config
        documented = manner.app if config.way == "app" else manner.webhook
        minute = ((config.per_minute, 60),) if config.per_minute else documented
        month = ((config.per_month, _MONTH_S),) if config.per_month else ()
        return tuple(Limit(most, span_s) for most, span_s in (*minute, *month))


class ChatSender(msgspec.Struct, frozen=True):
    """Sends the notices of the kind ``chat``."""

    context: Context
    store: Store
    least: int = _STALE_LEAST

    def send(self, row: OutboxRow) -> Result:
        """Send, replace or leave the message of one decision in one channel."""
        try:
            return self.attempt(row)
        except (SgguardError, ValueError) as error:
            return failure(error)

    def attempt(self, row: OutboxRow) -> Result:
        """Send, replace or leave a message, as :meth:`send` does.

        Raises:
            SgguardError: the channel refused it, or could not be reached.
        """
        chat = self._chat(row.destination)
        if chat is None:
            # Whoever else delivers may have the policy that has it.
            return Later("the policy has no such channel", is_everything=True)
        found = self._message(row)
        if found is None:
            return Gone("the decision is not kept any more")
        kept = Kept.of(row.reference_json)
        message, is_routed = found
        unwanted = _unwanted(row, kept, message, is_routed=is_routed)
        return unwanted or self._sent(row, chat, message, kept)

    def _sent(self, row: OutboxRow, chat: _Chat, message: Message, kept: Kept) -> Result:
        # 1. Is there anything new to say?
        body = chat.body(message)
        digest = hashlib.sha256(encoded(body)).hexdigest()
        if kept.digest == digest:
            return _sent(kept)
        # 2. May the channel get one more now? Calls of all instances count together.
        if (wait_s := self.store.spend(row.kind, row.destination, chat.limits())) > 0:
            return too_often(wait_s)
        # 3. In the place of the message that is there; else as news beside it.
        now = replace(kept, digest=digest, approval_id=message.approval_id, is_digest=False)
        answered: Posted | None = None
        if kept.is_sent:
            is_anew = chat.channel.manner.is_bound and kept.approval_id != message.approval_id
            old = self._replaced(row, chat, kept, self._closed(message) if is_anew else message)
            if old == "replaced":
                now = replace(now, replaced=kept.replaced + 1)
                if not (is_anew and message.is_open):
                    return _sent(now)
            elif message.state == _PASSING:
                # Where nothing can be replaced, only what stays so is worth a message.
                return _sent(kept)
            elif old == "as it was" and not message.is_open:
                # A question is never put into a thread, where it may not be seen.
                answered = self._answered(row, chat, kept, body)
        posted = answered or chat.post(body, _key(row))
        done = replace(
            now,
            message_id=posted.message_id,
            chat=posted.chat,
            thread=posted.thread,
            replaced=0,
            sent_at_s=self.store.now_s(),
            is_sent=True,
            missed=posted.missed,
        )
        return _sent(done)

    def _replaced(self, row: OutboxRow, chat: _Chat, kept: Kept, message: Message) -> _Old:
        """Put a message in the place of the one that is there; return what became of that."""
        manner = chat.channel.manner
        age_s = self.store.now_s() - kept.sent_at_s
        if kept.replaced >= manner.replaced_most or age_s > manner.replaced_within_s:
            return "as it was"
        try:
            is_replaced = chat.replace(kept, chat.body(message))
        except CloudError as error:
            if not _is_final(error, manner.gone, row):
                raise
            return "removed" if error.code in manner.removed else "as it was"
        return "replaced" if is_replaced else "as it was"

    def _answered(self, row: OutboxRow, chat: _Chat, kept: Kept, body: Json) -> Posted | None:
        """Put the news into the thread of the message that is there; None: it has no thread."""
        try:
            return chat.reply(kept, body, _key(row))
        except CloudError as error:
            if not _is_final(error, chat.channel.manner.gone, row):
                raise
            return None

    def together(self, rows: Sequence[OutboxRow]) -> Mapping[str, Result]:
        """Send one digest for what waits too long, or is too many, and asks nothing."""
        chat = self._chat(rows[0].destination)
        if chat is None:
            return {}
        now_s = self.store.now_s()
        listed: list[tuple[OutboxRow, Message]] = []
        for row in rows:
            found = None if row.reference_json else self._message(row)
            if found is not None and not found[0].is_open and row.payload_json == "{}":
                listed.append((row, found[0]))
        if len(listed) <= chat.config.digest_over:
            stale_s = chat.config.stale_s
            listed = [one for one in listed if now_s - one[0].created_at_s > stale_s]
        if len(listed) < self.least:
            return {}
        message = of_digest(
            [one for _, one in listed],
            chat.config.name,
            self.context.new_id(),
            datetime.fromtimestamp(now_s, UTC),
        )
        result = self._digest(chat, message)
        # One attempt failed, not as many as there are messages.
        told = listed if isinstance(result, Sent) else listed[:1]
        return dict.fromkeys((row.notice_id for row, _ in told), result)

    def _digest(self, chat: _Chat, message: Message) -> Result:
        try:
            if (wait_s := self.store.spend(KIND, chat.config.name, chat.limits())) > 0:
                return too_often(wait_s)
            posted = chat.post(chat.channel.render(Shown(message), chat.setup), message.decision_id)
        except (SgguardError, ValueError) as error:
            return failure(error)
        told = Kept(posted.message_id, posted.chat, is_digest=True, missed=posted.missed)
        return _sent(replace(told, is_sent=False))

    def _chat(self, name: str) -> _Chat | None:
        config = next((one for one in self.context.policy.channels if one.name == name), None)
        if config is None:
            return None
        # An attempt has a time of its own: it must end within the lease.
        left_s = min(self.context.deadline.remaining_s(), ATTEMPT_S)
        context = replace(self.context, deadline=Deadline.after(left_s))
        return _Chat(kinds()[config.kind], setup_of(config, context.env), context)

    def _message(self, row: OutboxRow) -> tuple[Message, bool] | None:
        """Return the decision as a message, and whether it is routed to the channel now."""
        if row.payload_json == TRIAL:
            at = datetime.fromtimestamp(row.created_at_s, UTC)
            return of_test(row.destination, row.decision_id, at), True
        record = self.store.decision(row.decision_id)
        if record is None:
            return None
        document = json.loads(record.document_json)
        is_routed = row.destination in routed(self.context.policy.routes, document)
        return seen(of_document(document, record.requester), document, self.store), is_routed

    def _closed(self, message: Message) -> Message:
        """Return the message of a request in whose place another one came."""
        return replace(message, state="superseded") if message.is_open else message


def _sent(kept: Kept) -> Sent:
    """Return that a message is there, and whom its channel never reached with it."""
    return Sent(kept.text(), ", ".join(kept.missed))


def _posted(kept: Kept) -> Posted:
    return Posted(kept.message_id, kept.chat, kept.thread)


def _key(row: OutboxRow) -> str:
    """Return what names one sending: a service that can takes it once."""
    return f"{row.notice_id}:{row.version}"


def _is_final(error: CloudError, codes: frozenset[str], row: OutboxRow) -> bool:
    """Whether a refusal stays: by its code, or because it comes again and again.

    The news are told in another way then. Anything else may be different the next time.
    """
    return not error.is_retryable and (error.code in codes or row.attempts >= _REFUSED_MOST)


def _unwanted(row: OutboxRow, kept: Kept, message: Message, *, is_routed: bool) -> Result | None:
    """Return why a message is not sent now; None where it is."""
    payload: Json = json.loads(row.payload_json)
    if payload.get("version", VERSION) != VERSION:
        return Later("it was written by a newer sgguard")
    if not kept.is_sent and payload.get("only_open") and not message.is_open:
        return Gone("it was answered in time")
    if kept.is_digest and not is_routed:
        return Sent(row.reference_json)
    return None


def too_often(wait_s: float) -> Later:
    """Return the result for a channel that got as much as it may."""
    return Later("the channel's limit is reached", wait_s, is_everything=True, counted=False)


def failure(error: Exception) -> Later:
    """Return what an error means for the message, and for the others of its channel."""
    is_everything = isinstance(error, SettingsError | DeadlineError) or (
        isinstance(error, CloudError) and error.is_retryable
    )
    asked = error.retry_after_s if isinstance(error, CloudError) else None
    return Later(str(error) or type(error).__name__, asked, is_everything=is_everything)
