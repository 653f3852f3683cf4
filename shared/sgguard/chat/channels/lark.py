"""Lark and Feishu: an app bot with interactive cards, or a custom bot that only sends.

Every text of ours stands in ``plain_text``, which has no markup and no mentions.

Sources: open.feishu.cn (card JSON 2.0, card callback, event security, custom bot), 2026-11-28.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from urllib.parse import quote

from sgguard.chat import base, fit, post, proof
from sgguard.chat.access import Access, with_token
from sgguard.chat.base import (
    Answer,
    Click,
    Command,
    Inbound,
    Json,
    Outbound,
    Part,
    Reply,
    Sent,
    Setup,
    Shown,
    Verified,
)
from sgguard.chat.channels import _lark_card as card
from sgguard.chat.channels import _lark_envelope as envelope
from sgguard.chat.manner import Manner
from sgguard.events.base import parse_json

APP_BYTES_MAX, WEBHOOK_BYTES_MAX = 30 * 1024, 20 * 1024
_API = "https://open.feishu.cn/open-apis"  # or https://open.larksuite.com/open-apis
_UUID_CHARACTERS = 32  # of 50
_STALE = frozenset({"99991661", "99991663", "99991664"})
_REMOVED = frozenset({"230011"})  # recalled
_GONE = _REMOVED | {"230031"}  # too old
_MENTION = re.compile(r"@_user_\d+|@_all")
_CARD_ACTION = "card.action.trigger"
_MESSAGE = "im.message.receive_v1"
_succeeded = post.number_refused("code")


class Lark:
    """The channel ``lark``."""

    name = "lark"
    needs: Mapping[str, tuple[Part, ...]] = {
        "app": ("APP_SECRET", "TOKEN", "KEY"),
        "webhook": ("URL",),
    }
    hints: Mapping[str, tuple[Part | None, str]] = {
        "10003": ("APP_SECRET", "is not the secret of this app, or app is another one"),
        "10014": ("APP_SECRET", "is not the secret of this app"),
        "99991672": (None, "the app lacks the scope im:message:send_as_bot"),
        "99991663": ("APP_SECRET", "gave a token that Lark does not accept"),
        "230006": (None, "the app has no bot: switch it on, publish it again"),
        "230013": (None, "chat is of a user who may not use the app"),
        "230018": (None, "the chat does not let the bot write"),
        "230027": (None, "the app lacks the scope im:message:send_as_bot"),
        "19001": ("URL", "is not the address of a custom bot that exists"),
        "230001": (None, "chat is not the id of a chat (oc_…)"),
        "230002": (None, "the bot is not in the chat: add it"),
        "19021": ("SECRET", "is not what the custom bot signs with"),
        "19022": (None, "the custom bot does not accept this machine's address"),
        "19024": (None, "the custom bot asks for a keyword that the message does not have"),
    }
    answer_s = 3.0
    answers_buttons = True
    silence = Reply(b"{}")
    manner = Manner(
        ((250, 60),),
        ((100, 60),),
        replaced_within_s=14 * 86400.0,
        gone=_GONE,
        removed=_REMOVED,
    )

    def has_buttons(self, setup: Setup) -> bool:
        """Only an app's cards have buttons; a custom bot's must not."""
        return setup.config.way == "app" and bool(setup.every("KEY"))

    def render(self, shown: Shown, setup: Setup) -> Json:
        """Return a card in JSON 2.0."""
        is_app = setup.config.way == "app"
        most = APP_BYTES_MAX if is_app else WEBHOOK_BYTES_MAX
        # The card travels as JSON in a text: what it is then has to fit.
        return fit.fit(
            shown,
            setup,
            lambda text: card.of_text(text, shown, setup),
            lambda body: fit.size(json.dumps(body, ensure_ascii=False)) <= most - 1024,
        )

    def send(self, body: Json, setup: Setup, line: Outbound) -> Sent:
        """Send a card to a chat, or through a custom bot's address, signed where it signs."""
        if setup.config.way == "webhook":
            sent = {"msg_type": "interactive", "card": body, **_signed(setup, line)}
            post.call(line, "lark", "webhook", setup.one("URL"), sent, refused=_succeeded)
            return Sent()
        content = {
            "receive_id": setup.config.chat,
            "msg_type": "interactive",
            "content": json.dumps(body, ensure_ascii=False),
            **_once(line),
        }
        url = f"{setup.address(_API)}/im/v1/messages?receive_id_type=chat_id"
        found = self._call(line, setup, "im.v1.messages", url, content)
        return Sent(base.texts(found, "data", "message_id"), setup.config.chat)

    def update(self, sent: Sent, body: Json, setup: Setup, line: Outbound) -> bool:
        """Replace an app's card, within 14 days; a custom bot cannot."""
        if setup.config.way == "webhook" or not sent.message_id:
            return False
        content = {"content": json.dumps(body, ensure_ascii=False)}
        url = f"{setup.address(_API)}/im/v1/messages/{quote(sent.message_id, safe='')}"
        self._call(line, setup, "im.v1.messages.patch", url, content, method="PATCH")
        return True

    def reply(self, sent: Sent, body: Json, setup: Setup, line: Outbound) -> Sent | None:
        """Answer an app's card in a thread; a custom bot cannot."""
        if setup.config.way == "webhook" or not sent.message_id:
            return None
        thread = sent.thread or sent.message_id
        content = {
            "msg_type": "interactive",
            "content": json.dumps(body, ensure_ascii=False),
            "reply_in_thread": True,
            **_once(line),
        }
        url = f"{setup.address(_API)}/im/v1/messages/{quote(thread, safe='')}/reply"
        found = self._call(line, setup, "im.v1.messages.reply", url, content)
        return Sent(base.texts(found, "data", "message_id"), setup.config.chat, thread)

    def verify(self, given: Inbound, setup: Setup, now_s: float) -> Verified:
        """Check hex SHA-256 of timestamp, nonce, key and body; decrypt; check the token.

        The check of the address comes without a signature: the token inside is what it has.
        """
        outer = parse_json(given.body)
        if not isinstance(outer, dict):
            raise proof.unreadable()
        timestamp = given.headers.get("x-lark-request-timestamp", "")
        nonce = given.headers.get("x-lark-request-nonce", "")
        signature = given.headers.get("x-lark-signature", "")
        signed = f"{timestamp}{nonce}".encode(errors="replace")
        fitting = [
            key
            for key in setup.every("KEY")
            if proof.is_one_of(signature, [envelope.signature(signed + key.encode() + given.body)])
        ]
        is_signed = bool(fitting) and proof.is_timely(timestamp, now_s)
        if signature and not is_signed:
            raise proof.forged()
        payload = envelope.decrypted(outer, fitting or setup.every("KEY"))
        envelope.require_token(payload, setup)
        is_check = payload.get("type") == "url_verification" and "header" not in payload
        if is_check:
            handshake = fit.reply({"challenge": base.texts(payload, "challenge")})
            return Verified(payload, "url_verification", handshake)
        if not is_signed:
            raise proof.forged()
        return Verified(payload, base.texts(payload, "header", "event_id") or signature)

    def click(self, verified: Verified) -> Click | None:
        """Return the press of a button of a card; an envelope without ``event`` is none."""
        header, event = verified.payload.get("header"), verified.payload.get("event")
        if base.texts(header, "event_type") != _CARD_ACTION or not isinstance(event, dict):
            return None
        if base.texts(event, "action", "tag") != "button":
            return None
        value = envelope.value_of(event["action"].get("value"))
        if not value:
            return None
        return Click(
            user=base.texts(event, "operator", "open_id"),
            tenant=base.texts(event, "operator", "tenant_key"),
            token=base.texts(value, "token"),
            chat=base.texts(event, "context", "open_chat_id"),
            message_id=base.texts(value, "approval") or None,
            action=base.texts(value, "action"),
        )

    def command(self, verified: Verified) -> Command | None:
        """Return a text that a person wrote to the bot."""
        header, event = verified.payload.get("header"), verified.payload.get("event")
        if base.texts(header, "event_type") != _MESSAGE or not isinstance(event, dict):
            return None
        message = event.get("message")
        is_person = base.texts(event, "sender", "sender_type") == "user"
        if not is_person or base.texts(message, "message_type") != "text":
            return None
        content = envelope.value_of(base.texts(message, "content"))
        return Command(
            user=base.texts(event, "sender", "sender_id", "open_id"),
            tenant=base.texts(event, "sender", "tenant_key"),
            text=_MENTION.sub(" ", base.texts(content, "text")),
            chat=base.texts(message, "chat_id"),
        )

    def answer(self, answer: Answer, verified: Verified, setup: Setup, line: Outbound) -> Reply:
        """Answer a click with a toast and the card as it is now, a command with a reply."""
        note = fit.joined(answer.lines)
        if base.texts(verified.payload, "header", "event_type") == _CARD_ACTION:
            kind = "error" if answer.is_error else "info"
            body: Json = {"toast": {"type": kind, "content": fit.cut(note, 300)}}
            if answer.shown is not None:
                body["card"] = {"type": "raw", "data": self.render(answer.shown, setup)}
            return fit.reply(body)
        message_id = base.texts(verified.payload, "event", "message", "message_id")
        if message_id:
            body = card.of_note(note) if answer.shown is None else self.render(answer.shown, setup)
            content = {"msg_type": "interactive", "content": json.dumps(body, ensure_ascii=False)}
            url = f"{setup.address(_API)}/im/v1/messages/{quote(message_id, safe='')}/reply"
            self._call(line, setup, "im.v1.messages.reply", url, content)
        return fit.reply({})

    def _call(
        self,
        line: Outbound,
        setup: Setup,
        action: str,
        url: str,
        body: Json,
        *,
        method: str = "POST",
    ) -> Json:
        asked = {"app_id": setup.config.app, "app_secret": setup.one("APP_SECRET")}
        ask = f"{setup.address(_API)}/auth/v3/tenant_access_token/internal"
        access = Access(
            ("lark", setup.config.app, setup.one("APP_SECRET")),
            lambda: post.call(line, "lark", "tenant_access_token", ask, asked, refused=_succeeded),
            ("tenant_access_token", "expire"),
            _STALE,
            now_s=line.now(),
        )

        def use(token: str) -> Json:
            headers = {"Authorization": f"Bearer {token}"}
            how: Json = {"refused": _succeeded, "headers": headers, "method": method}
            return post.call(line, "lark", action, url, body, **how)

        return with_token(access, use)


CHANNEL = Lark()


def sign(timestamp_s: int, secret: str) -> str:
    """Return the signature of a custom bot: the key is the text, the message is empty."""
    key = f"{timestamp_s}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()


def _signed(setup: Setup, line: Outbound) -> Json:
    secrets = setup.every("SECRET")
    if not secrets:
        return {}
    timestamp_s = int(line.now())
    return {"timestamp": str(timestamp_s), "sign": sign(timestamp_s, secrets[0])}


def _once(line: Outbound) -> Json:
    """Return what makes a message that comes again within an hour the same one.

    It is a digest: a key that was cut would make two messages one.
    """
    if not line.key:
        return {}
    digest = hashlib.sha256(line.key.encode(errors="replace")).hexdigest()
    return {"uuid": digest[:_UUID_CHARACTERS]}
