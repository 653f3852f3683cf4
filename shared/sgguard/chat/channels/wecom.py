"""WeCom: template cards of an app, or a group robot that only sends.

Callbacks are XML in an envelope of AES. The signature says nothing of how old one is: its time is
within five minutes, and each is taken once. The fields of a card are plain text; a robot's ``text``
mentions nobody but by ``mentioned_list``, and ``<`` is replaced, which begins ``<@user>``.

Sources: developer.work.weixin.qq.com path/90930 (callbacks), 94945 and 99110 (messages), 90241
(answers), 2026-11-28.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from msgspec.structs import replace

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
from sgguard.chat.channels import _wecom as envelope
from sgguard.chat.channels import _wecom_card as card
from sgguard.chat.manner import Manner
from sgguard.policy.channel import ChannelPolicy
from sgguard.render.language.text import Text

TEXT_BYTES_MAX = 2048

_API = "https://qyapi.weixin.qq.com/cgi-bin"
_STALE = frozenset({"40014", "42001"})
_MISSED = ("invaliduser", "invalidparty", "invalidtag", "unlicenseduser")
_MENTION = re.compile(r"^\s*@\S+\s+")
_succeeded = post.number_refused("errcode")


class WeCom:
    """The channel ``wecom``."""

    name = "wecom"
    needs: Mapping[str, tuple[Part, ...]] = {
        "app": ("APP_SECRET", "TOKEN", "KEY"),
        "webhook": ("URL",),
    }
    hints: Mapping[str, tuple[Part | None, str]] = {
        "40001": ("APP_SECRET", "is not the secret of this app, or tenant is another company"),
        "40013": (None, "tenant is not the id of a company"),
        "40014": ("APP_SECRET", "gave a token that WeCom does not accept"),
        "42001": ("APP_SECRET", "gave a token that WeCom does not accept any more"),
        "48002": (None, "the app lacks the permission to send messages"),
        "301002": (None, "app is not the id of the agent whose secret this is"),
        "40056": (None, "app is not the id of an agent of this company"),
        "60020": (None, "the app does not accept this machine's address"),
        "81013": (None, "chat names nobody who may see the app"),
        "93000": ("URL", "has no key of a robot that exists"),
    }
    answer_s = 5.0
    answers_buttons = False
    silence = Reply(b"", "text/plain")
    manner = Manner(((30, 60),), ((20, 60),), 1, replaced_within_s=72 * 3600.0)

    def has_buttons(self, setup: Setup) -> bool:
        """Only an app's cards have buttons."""
        return setup.config.way == "app" and bool(setup.every("TOKEN") and setup.every("KEY"))

    def render(self, shown: Shown, setup: Setup) -> Json:
        """Return a template card of an app, or the text of a robot."""
        if setup.config.way == "webhook":
            return fit.fit(
                shown,
                setup,
                lambda text: _robot(text, shown, setup),
                lambda body: len(body["text"]["content"].encode()) <= TEXT_BYTES_MAX,
            )
        return fit.fit(
            shown,
            setup,
            lambda text: card.of_text(text, shown, setup),
            card.fits,
        )

    def send(self, body: Json, setup: Setup, line: Outbound) -> Sent:
        """Send through the robot's address or as the app; success is ``errcode`` 0."""
        if setup.config.way == "webhook":
            post.call(line, "wecom", "webhook.send", setup.one("URL"), body, refused=_succeeded)
            return Sent()
        found = self._call(line, setup, "send", body)
        return Sent(base.texts(found, "response_code"), setup.config.chat, missed=_missed(found))

    def update(self, sent: Sent, body: Json, setup: Setup, line: Outbound) -> bool:
        """Replace a card by its ``response_code``: once, within 72 hours."""
        if setup.config.way == "webhook" or not sent.message_id:
            return False
        content = {
            "atall": 1,
            "agentid": card.agent(setup),
            "response_code": sent.message_id,
            "template_card": body["template_card"],
        }
        self._call(line, setup, "update_template_card", content)
        return True

    def reply(self, sent: Sent, body: Json, setup: Setup, line: Outbound) -> Sent | None:  # noqa: ARG002
        """WeCom has no threads."""
        return None

    def verify(self, given: Inbound, setup: Setup, now_s: float) -> Verified:
        """Check SHA-1 of the sorted parts, decrypt, and compare the company.

        A GET is WeCom's check of the address: its plain text is the whole answer.
        """
        is_check = given.method == "GET"
        secret = given.query.get("echostr", "") if is_check else envelope.encrypted(given.body)
        timestamp = given.query.get("timestamp", "")
        nonce, signature = given.query.get("nonce", ""), given.query.get("msg_signature", "")
        made = [envelope.signature(one, timestamp, nonce, secret) for one in setup.every("TOKEN")]
        if not proof.is_one_of(signature, made) or not proof.is_timely(timestamp, now_s):
            raise proof.forged()
        plain = envelope.decrypted(secret, setup)
        if is_check:
            return Verified({}, signature, Reply(plain, "text/plain"))
        fields = envelope.fields_of(plain)
        if fields.get("ToUserName", setup.config.tenant) != setup.config.tenant:
            raise proof.forged()
        payload: Json = {**fields, "sgguard.tenant": setup.config.tenant}
        return Verified(payload, envelope.key_of(fields) or signature)

    def click(self, verified: Verified) -> Click | None:
        """Return the press of a button of a card."""
        fields = verified.payload
        is_event = fields.get("MsgType") == "event"
        if not is_event or fields.get("Event") != "template_card_event":
            return None
        if fields.get("CardType") != "button_interaction":
            return None
        return Click(
            user=fields.get("FromUserName", ""),
            tenant=fields["sgguard.tenant"],  # it is in the envelope, and was compared there
            token=fields.get("EventKey", ""),
            message_id=fields.get("TaskId", "").partition("@")[0],
        )

    def command(self, verified: Verified) -> Command | None:
        """Return a text to the app."""
        fields = verified.payload
        if fields.get("MsgType") != "text":
            return None
        return Command(
            user=fields.get("FromUserName", ""),
            tenant=fields["sgguard.tenant"],
            text=_MENTION.sub("", fields.get("Content", "")).strip(),
        )

    def answer(self, answer: Answer, verified: Verified, setup: Setup, line: Outbound) -> Reply:
        """Answer in the response, encrypted: a new word on the button, or a text."""
        fields = verified.payload
        user = fields.get("FromUserName", "")
        if fields.get("MsgType") == "event":
            word = answer.lines[0] if answer.lines else ""
            if answer.shown is not None:
                word = setup.words.say(f"state.{answer.shown.message.state}")
            inner = envelope.element(
                "Button",
                envelope.element(
                    "ReplaceName", envelope.text_of(card.short(word, card.BUTTON_MAX))
                ),
            )
            return envelope.reply("update_button", inner, user, setup, line.now)
        lines = list(answer.lines)
        if answer.shown is not None:
            body = self.render(answer.shown, Setup(_as_robot(setup), setup.secrets))
            lines.append(body["text"]["content"])
        content = _cut_bytes(fit.joined([card.escape(one) for one in lines]), TEXT_BYTES_MAX)
        return envelope.reply(
            "text", envelope.element("Content", envelope.text_of(content)), user, setup, line.now
        )

    def _call(self, line: Outbound, setup: Setup, action: str, body: Json) -> Json:
        company, secret = quote(setup.config.tenant), setup.one("APP_SECRET")
        api = setup.address(_API)
        ask = f"{api}/gettoken?corpid={company}&corpsecret={quote(secret)}"
        access = Access(
            ("wecom", setup.config.tenant, secret),
            lambda: post.call(line, "wecom", "gettoken", ask, {}, refused=_succeeded, method="GET"),
            ("access_token", "expires_in"),
            _STALE,
            now_s=line.now(),
        )

        def use(token: str) -> Json:
            url = f"{api}/message/{action}?access_token={quote(token)}"
            return post.call(line, "wecom", action, url, body, refused=_succeeded)

        return with_token(access, use)


CHANNEL = WeCom()


def _missed(found: Json) -> tuple[str, ...]:
    """Return whom WeCom did not reach, though it says 0; of each kind separated by ``|``."""
    names = [base.texts(found, key).split("|") for key in _MISSED]
    return tuple(one.strip() for several in names for one in several if one.strip())


def _as_robot(setup: Setup) -> ChannelPolicy:
    return replace(setup.config, way="webhook")


def _robot(text: Text, shown: Shown, setup: Setup) -> Json:
    words = setup.words
    lines = [card.escape(text.title)]
    for one in text.lines:
        said = one.text if one.key == "whole" else card.escape(one.text)
        lines.append(words.say("line", label=one.label, text=said))
    if shown.tokens.link:
        label = shown.link_label(words)
        lines.append(words.say("line", label=label, text=shown.tokens.link))
    return {"msgtype": "text", "text": {"content": fit.joined(lines)}}


def _cut_bytes(text: str, most: int) -> str:
    content = text.encode(errors="replace")
    if len(content) <= most:
        return text
    return content[: most - len("…".encode())].decode(errors="ignore") + "…"
