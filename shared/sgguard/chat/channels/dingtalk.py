"""DingTalk: interactive cards of an app, or a custom robot that only sends.

Neither signature of DingTalk covers the body: each pair of time and signature is taken once, and
what authorises is our own token in the card. Texts are markdown without a documented escape, so
the characters that begin something are replaced by their full-width forms.

Sources: open.dingtalk.com (custom robot, robot receives messages, card callbacks), 2026-11-28.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
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
from sgguard.chat.channels import _dingtalk_text as markup
from sgguard.chat.manner import Manner
from sgguard.errors import CloudError
from sgguard.events.base import parse_json

BYTES_MAX = 20000
WINDOW_S = 3600  # how long DingTalk says its signatures hold

_API = "https://api.dingtalk.com"
_UNDELIVERED = "not-delivered"
_STALE = frozenset({"InvalidAuthentication"})
_succeeded = post.number_refused("errcode")


class DingTalk:
    """The channel ``dingtalk``."""

    name = "dingtalk"
    needs: Mapping[str, tuple[Part, ...]] = {"app": ("APP_SECRET", "SECRET"), "webhook": ("URL",)}
    hints: Mapping[str, tuple[Part | None, str]] = {
        "invalidAuthentication": ("APP_SECRET", "is not the secret of this app"),
        "InvalidAuthentication": ("APP_SECRET", "is not the secret of this app"),
        "invalidClientIdOrSecret": ("APP_SECRET", "is not the secret of this app"),
        "Forbidden.AccessDenied.AccessTokenPermissionDenied": (
            None,
            "the app lacks the scope Card.Instance.Write: add it, publish it again",
        ),
        "310000": ("SECRET", "is not what the robot signs with, or the robot asks for a keyword"),
        "300001": ("URL", "has no access_token of a robot that exists"),
        "400101": ("URL", "has no access_token of a robot that exists"),
        "400102": (None, "the robot is switched off"),
        "400013": (None, "the group of the robot was dissolved"),
        _UNDELIVERED: (
            None,
            "the card came to no group: is the robot in the one that chat names?",
        ),
        "param.error": (None, "chat, app or template is not known to DingTalk"),
    }
    answer_s = 2.0
    answers_buttons = False
    silence = Reply(b"{}")
    manner = Manner(app=((60, 60),), webhook=((20, 60),), is_bound=True)

    def has_buttons(self, setup: Setup) -> bool:
        """Only cards have buttons that come back, and only with a secret they are signed."""
        return setup.config.way == "app" and bool(setup.every("SECRET"))

    def render(self, shown: Shown, setup: Setup) -> Json:
        """Return the parameters of a card, or a message of a custom robot."""
        build = markup.card if setup.config.way == "app" else markup.robot
        return fit.fit(
            shown,
            setup,
            lambda text: build(text, shown, setup),
            lambda body: fit.size(body) <= BYTES_MAX,
        )

    def send(self, body: Json, setup: Setup, line: Outbound) -> Sent:
        """Send to the robot's address, signed where it signs, or create and deliver a card."""
        if setup.config.way == "webhook":
            url = setup.one("URL") + _signed(setup, line)
            post.call(line, "dingtalk", "robot.send", url, body, refused=_succeeded)
            return Sent()
        track = body["outTrackId"]
        found = self._call(line, setup, "card.createAndDeliver", "createAndDeliver", body)
        _require_delivered(found)
        return Sent(track, setup.config.chat)

    def update(self, sent: Sent, body: Json, setup: Setup, line: Outbound) -> bool:
        """Replace the parameters of a card; a robot's message stays as it is."""
        if setup.config.way == "webhook" or not sent.message_id:
            return False
        options = {"updateCardDataByKey": True}
        content = {
            "outTrackId": sent.message_id,
            "cardData": body["cardData"],
            "cardUpdateOptions": options,
        }
        self._call(line, setup, "card.update", "", content, method="PUT")
        return True

    def reply(self, sent: Sent, body: Json, setup: Setup, line: Outbound) -> Sent | None:  # noqa: ARG002
        """A card has no thread, and can be replaced at any time."""
        return None

    def verify(self, given: Inbound, setup: Setup, now_s: float) -> Verified:
        """Check the signature of a card's callback, or of a message to the robot."""
        card = given.headers.get("x-ddpaas-signature", "")
        if card:
            timestamp = given.headers.get("x-ddpaas-signature-timestamp", "")
            made = [_base64(key, timestamp) for key in setup.every("SECRET")]
        else:
            timestamp, card = given.headers.get("timestamp", ""), given.headers.get("sign", "")
            made = [sign(timestamp, key) for key in setup.every("APP_SECRET")]
        if not proof.is_one_of(card, made):
            raise proof.forged()
        if not proof.is_timely(timestamp, now_s, per_s=1000, window_s=WINDOW_S):
            raise proof.forged()
        payload = parse_json(given.body)
        if not isinstance(payload, dict):
            raise proof.unreadable()
        is_card = "x-ddpaas-signature" in given.headers
        return Verified({**payload, "sgguard.is_card": is_card}, f"{timestamp}:{card}")

    def click(self, verified: Verified) -> Click | None:
        """Return the press of a button of a card; its content is JSON in a text."""
        payload = verified.payload
        if not payload["sgguard.is_card"] or payload.get("type") not in ("actionCallback", None):
            return None
        try:
            content = json.loads(base.texts(payload, "content"))
        except (ValueError, RecursionError):
            return None
        private = content.get("cardPrivateData") if isinstance(content, dict) else None
        params = private.get("params") if isinstance(private, dict) else None
        token = base.texts(params, "token")
        if not token:
            return None
        return Click(
            user=base.texts(payload, "userId"),
            tenant=base.texts(payload, "corpId"),
            token=token,
            chat=base.texts(payload, "spaceId"),
            message_id=base.texts(payload, "outTrackId").partition(".")[0],
            action=base.texts(params, "action"),
        )

    def command(self, verified: Verified) -> Command | None:
        """Return a text to the robot; who has no staff id is nobody of the company."""
        payload = verified.payload
        if payload["sgguard.is_card"] or payload.get("msgtype") != "text":
            return None
        return Command(
            user=base.texts(payload, "senderStaffId"),
            tenant=base.texts(payload, "senderCorpId"),
            text=base.texts(payload, "text", "content").strip(),
            chat=base.texts(payload, "conversationId"),
        )

    def answer(self, answer: Answer, verified: Verified, setup: Setup, line: Outbound) -> Reply:  # noqa: ARG002
        """Answer in the response: nothing may be called before DingTalk has it."""
        notes = [markup.escape(one) for one in answer.lines]
        if not verified.payload["sgguard.is_card"]:
            if answer.shown is None:
                return fit.reply(markup.markdown("sgguard", notes))
            text = fit.fit(
                answer.shown,
                setup,
                lambda one: markup.text_only(one, answer, setup),
                lambda body: fit.size(body) <= BYTES_MAX,
            )
            return fit.reply(text)
        body: Json = {"userPrivateData": {"cardParamMap": {"notice": fit.joined(notes)}}}
        if answer.shown is not None:
            body["cardData"] = self.render(answer.shown, setup)["cardData"]
        body["cardUpdateOptions"] = {"updateCardDataByKey": True, "updatePrivateDataByKey": True}
        return fit.reply(body)

    def _call(
        self,
        line: Outbound,
        setup: Setup,
        action: str,
        path: str,
        body: Json,
        *,
        method: str = "POST",
    ) -> Json:
        api, config = setup.address(_API), setup.config
        asked = {"appKey": config.app, "appSecret": setup.one("APP_SECRET")}
        ask = f"{api}/v1.0/oauth2/accessToken"
        access = Access(
            ("dingtalk", config.app, setup.one("APP_SECRET")),
            lambda: post.call(line, "dingtalk", "accessToken", ask, asked, refused=_new_refused),
            ("accessToken", "expireIn"),
            _STALE,
            now_s=line.now(),
        )
        url = f"{api}/v1.0/card/instances" + (f"/{path}" if path else "")

        def use(token: str) -> Json:
            headers = {"x-acs-dingtalk-access-token": token}
            how: Json = {"refused": _new_refused, "headers": headers, "method": method}
            return post.call(line, "dingtalk", action, url, body, **how)

        return with_token(access, use)


CHANNEL = DingTalk()


def sign(timestamp_ms: str, secret: str) -> str:
    """Return the signature of a robot: base64 HMAC-SHA256 of the time, a line break, the secret."""
    return _base64(secret, f"{timestamp_ms}\n{secret}")


def _base64(secret: str, text: str) -> str:
    content = text.encode(errors="replace")
    return base64.b64encode(hmac.new(secret.encode(), content, hashlib.sha256).digest()).decode()


def _signed(setup: Setup, line: Outbound) -> str:
    secrets = setup.every("SECRET")
    if not secrets:
        return ""
    timestamp = str(int(line.now() * 1000))
    return f"&timestamp={timestamp}&sign={quote(sign(timestamp, secrets[0]), safe='')}"


def _new_refused(found: Json) -> str:
    """The newer API says what is wrong with a status; a success has no ``code``."""
    if found.get("code") is not None:
        return str(found["code"])[:64]
    return "not-success" if found.get("success") is False else ""


def _require_delivered(found: Json) -> None:
    """Refuse a success inside of which the card came to no chat.

    Raises:
        CloudError: the card was made, and not delivered; why, DingTalk says in words alone.
    """
    result = found.get("result")
    results = result.get("deliverResults") if isinstance(result, dict) else None
    for one in results if isinstance(results, list) else ():
        if isinstance(one, dict) and one.get("success") is False:
            raise CloudError("dingtalk", "card.createAndDeliver", code=_UNDELIVERED)
