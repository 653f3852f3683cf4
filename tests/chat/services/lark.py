"""Lark, as open.feishu.cn describes it: an app with encrypted callbacks, and a custom bot."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any, ClassVar

import httpx
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sgguard.chat.base import Inbound
from tests.chat.services.base import Pressed, Service

KEY, TOKEN, APP = "guard-encrypt-key", "066zT6pS4QCbgj5Do145GfDbbagCHGgF", "cli_fake"
TENANT_TOKEN = "t-fake-tenant-token"


class Lark(Service):
    kind = "lark"

    variables: ClassVar = {"APP_SECRET": "lark-app-secret", "TOKEN": TOKEN, "KEY": KEY}
    config: ClassVar = {"app": APP}

    def answer(self, request, body):
        path = request.url.path
        if path.startswith("/open-apis/bot/v2/hook/"):
            return self._hook(body)
        if path.endswith("/tenant_access_token/internal"):
            if body != {"app_id": APP, "app_secret": self.variables["APP_SECRET"]}:
                return httpx.Response(200, json={"code": 10003, "msg": "invalid param"})
            answer = {"code": 0, "tenant_access_token": TENANT_TOKEN, "expire": 7200}
            return httpx.Response(200, json=answer)
        if request.headers.get("authorization") != f"Bearer {TENANT_TOKEN}":
            return httpx.Response(400, json={"code": 99991663, "msg": "invalid token"})
        if "receive_id" in body and body["receive_id"] != "C111":
            return httpx.Response(400, json={"code": 230001, "msg": "invalid receive_id"})
        if len(body["content"].encode()) > 30 * 1024 or self.problems(json.loads(body["content"])):
            return httpx.Response(400, json={"code": 230025, "msg": "too long"})
        return httpx.Response(200, json={"code": 0, "data": {"message_id": self._message(body)}})

    def _message(self, body):
        """Return the id of a message: of one key there is one in an hour."""
        key = body.get("uuid", "")
        at_s, known = self._known.get(key, (0.0, ""))
        if key and known and self.now() - at_s < 3600:
            return known
        made = f"om_{self.next()}"
        self._known[key] = (self.now(), made)
        return made

    def _hook(self, body):
        key = f"{body.get('timestamp')}\nSECwebhook".encode()
        made = base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()
        if body.get("sign") != made or abs(int(body["timestamp"]) - self.now()) > 3600:
            return httpx.Response(200, json={"code": 19021, "msg": "sign match fail"})
        if len(json.dumps(body, ensure_ascii=False).encode()) > 20 * 1024:
            return httpx.Response(200, json={"code": 9499, "msg": "Bad Request"})
        if "callback" in json.dumps(body["card"]):
            return httpx.Response(200, json={"code": 9499, "msg": "callback in custom bot"})
        return httpx.Response(200, json={"code": 0})

    def too_often(self, path=""):
        return httpx.Response(200, json={"code": 11232, "msg": "frequency limited"})

    def problems(self, card):
        found = [] if card["schema"] == "2.0" else ["schema"]
        found += [] if len(json.dumps(card, ensure_ascii=False).encode()) <= 30 * 1024 else ["size"]
        if "header" in card and card["header"]["title"]["tag"] != "plain_text":
            found.append("title")
        for one in card["body"]["elements"]:
            if one["tag"] not in ("div", "button") or one["text"]["tag"] != "plain_text":
                found.append(one["tag"])
        # An update in place is refused where the card was not sent so.
        has_buttons = any(one["tag"] == "button" for one in card["body"]["elements"])
        is_shared = card.get("config", {}).get("update_multi") is True
        return found + (["update_multi"] if has_buttons and not is_shared else [])

    def tokens(self, card):
        values = [
            behaviour["value"]
            for one in card["body"]["elements"]
            for behaviour in one.get("behaviors", ())
            if behaviour["type"] == "callback"
        ]
        return {one["action"]: one["token"] for one in values}

    def texts(self, card):
        lines = [one["text"]["content"] for one in card["body"]["elements"]]
        title = card.get("header", {}).get("title", {}).get("content", "")
        return [("plain", one) for one in (title, *lines)]

    def click(self, pressed: Pressed, **forged: Any) -> Inbound:
        value = {"token": pressed.token, "action": pressed.action, "approval": pressed.approval}
        event = {
            "operator": {"tenant_key": pressed.tenant, "open_id": pressed.user, "user_id": "867"},
            "token": "c-295ee57216a5dc9de90fefd0aadb4b1d7d",
            "action": {"value": forged.pop("value", value), "tag": "button"},
            "context": {"open_message_id": "om_1", "open_chat_id": pressed.chat},
            **forged.pop("event", {}),
        }
        return self.callback("card.action.trigger", event, **forged)

    def command(self, text: str, user: str = "W111", **forged: Any) -> Inbound:
        event = {
            "sender": {
                "sender_id": {"open_id": user},
                "sender_type": "user",
                "tenant_key": forged.pop("tenant", "T111"),
            },
            "message": {
                "message_id": "om_2",
                "chat_id": forged.pop("chat", "C111"),
                "message_type": "text",
                "content": json.dumps({"text": f"@_user_1 {text}"}),
            },
        }
        return self.callback("im.message.receive_v1", event, **forged)

    def callback(self, kind: str, event: dict[str, Any], **forged: Any) -> Inbound:
        header = {
            "event_id": f"f7984f25{self.next()}",
            "token": forged.pop("verification", TOKEN),
            "create_time": str(int(self.now() * 1e6)),
            "event_type": kind,
            "tenant_key": "T111",
            "app_id": forged.pop("app", APP),
        }
        return self.signed({"schema": "2.0", "header": header, "event": event}, **forged)

    def signed(self, payload: Any, at_s: float | None = None, key: str = KEY) -> Inbound:
        body = json.dumps({"encrypt": encrypt(key, json.dumps(payload).encode())}).encode()
        timestamp = str(int(self.now() if at_s is None else at_s))
        text = timestamp.encode() + b"nonce123" + key.encode() + body
        headers = {
            "content-type": "application/json",
            "x-lark-request-timestamp": timestamp,
            "x-lark-request-nonce": "nonce123",
            "x-lark-signature": hashlib.sha256(text).hexdigest(),
        }
        return Inbound("POST", {}, headers, body)

    def said(self, response):
        found = json.loads(response.body)
        if "toast" in found:
            card = found.get("card", {}).get("data")
            lines = [text for _, text in self.texts(card)] if card else []
            return "\n".join([found["toast"]["content"], *lines])
        content = json.loads(self.asked[-1][2]["content"])
        return "\n".join(text for _, text in self.texts(content))


def encrypt(key: str, plain: bytes) -> str:
    iv, made = b"0123456789abcdef", hashlib.sha256(key.encode()).digest()
    count = 16 - len(plain) % 16
    worker = Cipher(algorithms.AES(made), modes.CBC(iv)).encryptor()
    return base64.b64encode(iv + worker.update(plain + bytes([count]) * count)).decode()
