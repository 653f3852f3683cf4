"""Slack: ``chat.postMessage`` of a bot, or an incoming webhook; block kit; signed callbacks.

Every text of ours stands in a ``plain_text`` object, which has no mentions, links or formatting.
Only the fallback ``text`` of a notification is mrkdwn: ``parse`` and ``link_names`` are off, and
``& < >`` are escaped, which is all that mrkdwn escapes.

Sources: docs.slack.dev (verifying requests, block kit reference, interactivity), 2026-11-28.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from sgguard.chat import base, fit, post, proof
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
from sgguard.chat.channels import _slack_blocks as blocks
from sgguard.chat.manner import Manner
from sgguard.events.base import media_type, parse_json

_API = "https://slack.com/api"
_ANSWERS = "hooks.slack.com"
_MENTION = re.compile(r"<[@!][^>]{1,100}>")
_FIELDS_MAX = 30
_REMOVED = frozenset({"message_not_found"})
_GONE = _REMOVED | {"cant_update_message", "edit_window_closed"}


class Slack:
    """The channel ``slack``."""

    name = "slack"
    needs: Mapping[str, tuple[Part, ...]] = {"app": ("TOKEN", "SECRET"), "webhook": ("URL",)}
    hints: Mapping[str, tuple[Part | None, str]] = {
        "invalid_auth": ("TOKEN", "is not the token of a bot that is installed"),
        "not_authed": ("TOKEN", "is not the token of a bot that is installed"),
        "account_inactive": ("TOKEN", "is of a bot that was removed"),
        "token_revoked": ("TOKEN", "was revoked"),
        "token_expired": ("TOKEN", "has expired"),
        "not_allowed_token_type": ("TOKEN", "is not the token of a bot (xoxb-…)"),
        "restricted_action": (None, "the workspace does not let the bot write there"),
        "channel_is_archived": (None, "the channel of the webhook is archived"),
        "action_prohibited": (None, "the workspace does not let the webhook write there"),
        "missing_scope": (None, "the bot lacks the scope chat:write: add it, install it again"),
        "channel_not_found": (None, "chat names no channel that the bot can see"),
        "not_in_channel": (None, "the bot is not in the channel: invite it"),
        "is_archived": (None, "the channel is archived"),
        "invalid_token": ("URL", "is not the address of a webhook that exists"),
        "no_service": ("URL", "is of a webhook that was removed"),
    }
    answer_s = 3.0
    answers_buttons = True
    silence = Reply()
    manner = Manner(((60, 60),), ((60, 60),), gone=_GONE, removed=_REMOVED)

    def has_buttons(self, setup: Setup) -> bool:
        """Buttons come back where the app's signing secret is known."""
        return bool(setup.every("SECRET"))

    def render(self, shown: Shown, setup: Setup) -> Json:
        """Return blocks, and a fallback for notifications."""
        return fit.fit(shown, setup, lambda text: blocks.of_text(text, shown, setup), blocks.fits)

    def send(self, body: Json, setup: Setup, line: Outbound) -> Sent:
        """Post a message; Slack says what was wrong in a 200."""
        if setup.config.way == "webhook":
            post.plain(line, "slack", "webhook", setup.one("URL"), body, is_taken=_is_ok)
            return Sent()
        found = _call(line, setup, "chat.postMessage", {**body, "channel": setup.config.chat})
        return Sent(base.texts(found, "ts"), base.texts(found, "channel"))

    def update(self, sent: Sent, body: Json, setup: Setup, line: Outbound) -> bool:
        """Replace a bot's message; one of a webhook cannot be found again."""
        if setup.config.way == "webhook" or not sent.message_id:
            return False
        _call(line, setup, "chat.update", {**body, "channel": sent.chat, "ts": sent.message_id})
        return True

    def reply(self, sent: Sent, body: Json, setup: Setup, line: Outbound) -> Sent | None:
        """Post into the thread of a bot's message; one of a webhook cannot be found again."""
        if setup.config.way == "webhook" or not sent.message_id:
            return None
        # The thread is named by its first message: a reply to a reply would be shown nowhere.
        thread = sent.thread or sent.message_id
        content = {**body, "channel": sent.chat, "thread_ts": thread}
        found = _call(line, setup, "chat.postMessage", content)
        return Sent(base.texts(found, "ts"), base.texts(found, "channel"), thread)

    def verify(self, given: Inbound, setup: Setup, now_s: float) -> Verified:
        """Check ``v0=`` hex HMAC-SHA256 of ``v0:timestamp:body``, and that it is not old."""
        timestamp = given.headers.get("x-slack-request-timestamp", "")
        signature = given.headers.get("x-slack-signature", "")
        if not proof.is_timely(timestamp, now_s):
            raise proof.forged()
        signed = b"v0:" + timestamp.encode() + b":" + given.body
        made = ["v0=" + _hmac(secret, signed) for secret in setup.every("SECRET")]
        if not proof.is_one_of(signature, made):
            raise proof.forged()
        payload = _payload(given)
        handshake = None
        if payload.get("type") == "url_verification":
            challenge = base.texts(payload, "challenge")
            handshake = fit.reply({"challenge": challenge})
        # Slack sends an event again with its id, a click or a slash command never.
        return Verified(payload, base.texts(payload, "event_id") or signature, handshake)

    def click(self, verified: Verified) -> Click | None:
        """Return the press of one of our buttons; every other interaction is none."""
        payload = verified.payload
        actions = payload.get("actions")
        if payload.get("type") != "block_actions" or not isinstance(actions, list):
            return None
        if len(actions) != 1 or base.texts(actions[0], "type") != "button":
            return None
        prefix, _, action = base.texts(actions[0], "action_id").partition(".")
        if prefix != "sgguard":
            return None
        return Click(
            user=base.texts(payload, "user", "id"),
            # Who is from another workspace (a shared channel) is of that one.
            tenant=base.texts(payload, "user", "team_id") or base.texts(payload, "team", "id"),
            token=base.texts(actions[0], "value"),
            chat=base.texts(payload, "channel", "id"),
            message_id=base.texts(actions[0], "block_id"),
            action=action,
        )

    def command(self, verified: Verified) -> Command | None:
        """Return a slash command, or a mention of the bot."""
        payload = verified.payload
        if "command" in payload and "type" not in payload:
            return Command(
                user=base.texts(payload, "user_id"),
                tenant=base.texts(payload, "team_id"),
                text=base.texts(payload, "text"),
                chat=base.texts(payload, "channel_id"),
            )
        event = payload.get("event")
        if payload.get("type") != "event_callback" or not isinstance(event, dict):
            return None
        # A bot that mentions us, we ourselves included, is nobody.
        if event.get("type") != "app_mention" or event.get("bot_id"):
            return None
        return Command(
            user=base.texts(event, "user"),
            tenant=base.texts(event, "user_team") or base.texts(event, "team"),
            text=_MENTION.sub(" ", base.texts(event, "text")).strip(),
            chat=base.texts(event, "channel"),
        )

    def answer(self, answer: Answer, verified: Verified, setup: Setup, line: Outbound) -> Reply:
        """Answer a slash command in the response, a click at its ``response_url``."""
        payload = verified.payload
        body = self._answered(answer, setup)
        if "command" in payload and "type" not in payload:
            return fit.reply({"response_type": "ephemeral", **body})
        if payload.get("type") == "event_callback":
            thread = {"channel": base.texts(payload, "event", "channel")}
            thread["thread_ts"] = base.texts(payload, "event", "ts")
            _call(line, setup, "chat.postMessage", {**body, **thread})
            return Reply()
        url = base.texts(payload, "response_url")
        if _is_answer_address(url):
            # Replaced only by the message as it is now; a refusal is for who pressed.
            is_new = answer.shown is None
            how = {"replace_original": not is_new, "response_type": "ephemeral"}
            content = {**body, **how}
            post.plain(line, "slack", "response_url", url, content, is_taken=_is_ok)
        return Reply()

    def _answered(self, answer: Answer, setup: Setup) -> Json:
        note = fit.cut(fit.joined(answer.lines), blocks.SECTION_MAX)
        notes: list[Json] = [blocks.section(note)] if note else []
        if answer.shown is None:
            return {**blocks.fallback(note), "blocks": notes}
        body = self.render(answer.shown, setup)
        return {**body, "blocks": [*body["blocks"], *notes]}


CHANNEL = Slack()


def _hmac(secret: str, content: bytes) -> str:
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def _payload(given: Inbound) -> Json:
    """Return what was sent: JSON, JSON in a form field, or the fields of a form."""
    if media_type(given.headers.get("content-type", "")) != "application/x-www-form-urlencoded":
        return _object(given.body)
    try:
        fields = parse_qs(
            given.body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS_MAX
        )
    except ValueError:
        raise proof.unreadable() from None
    if any(len(values) > 1 for values in fields.values()):
        raise proof.unreadable()
    flat: dict[str, Any] = {key: values[0] for key, values in fields.items()}
    if "payload" not in flat:
        return flat
    return _object(flat["payload"].encode())


def _object(content: bytes) -> Json:
    found = parse_json(content)
    if not isinstance(found, dict):
        raise proof.unreadable()
    return found


def _is_answer_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    is_plain = parts.scheme == "https" and parts.netloc == _ANSWERS and port is None
    return is_plain and url.isascii() and url.isprintable()


def _call(line: Outbound, setup: Setup, method: str, body: Json) -> Json:
    headers = {"Authorization": f"Bearer {setup.one('TOKEN')}"}
    return post.call(
        line,
        "slack",
        method,
        f"{setup.address(_API)}/{method}",
        body,
        headers=headers,
        refused=_refused,
    )


def _is_ok(response: httpx.Response) -> bool:
    """Return whether an address of Slack took a message: it says ``ok``, and nothing else."""
    return response.text.strip() in ("ok", '{"ok":true}')


def _refused(found: Json) -> str:
    return "" if found.get("ok") is True else base.texts(found, "error") or "not-ok"
