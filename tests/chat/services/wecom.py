"""WeCom, as developer.work.weixin.qq.com describes it: an app's cards, and a group robot."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import unicodedata
from typing import Any, ClassVar
from xml.sax.saxutils import escape

import httpx
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from sgguard.chat.base import Inbound
from tests.chat.services.base import Pressed, Service

TOKEN, KEY = "QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
SECRET, ACCESS = "wecom-corp-secret", "wecom-access-token"


class WeCom(Service):
    kind = "wecom"
    variables: ClassVar = {"APP_SECRET": SECRET, "TOKEN": TOKEN, "KEY": KEY}
    config: ClassVar = {"app": "1000002"}

    def answer(self, request, body):
        query = request.url.params
        if request.url.path == "/cgi-bin/webhook/send":
            if query.get("key") != "robot-key-1":
                return _error(93000, "invalid webhook url")
            is_long = len(body["text"]["content"].encode()) > 2048
            return _error(40058, "too long") if is_long else _error(0, "ok")
        if request.url.path == "/cgi-bin/gettoken":
            if (query.get("corpid"), query.get("corpsecret")) != ("T111", SECRET):
                return _error(40001, "invalid credential")
            answer = {"errcode": 0, "access_token": ACCESS, "expires_in": 7200}
            return httpx.Response(200, json=answer)
        if query.get("access_token") != ACCESS:
            return _error(40014, "invalid access_token")
        if request.url.path == "/cgi-bin/message/update_template_card":
            return _error(0, "ok")
        wanted = body["touser"].split("|")
        missed = [one for one in wanted if one != "C111"]
        if missed == wanted:
            return _error(81013, "user & party & tag all invalid")
        if self.problems(body):
            return _error(42045, "Template_Card content limit")
        answer = {"errcode": 0, "msgid": "m", "response_code": f"rc{self.next()}"}
        answer |= {"invaliduser": "|".join(missed), "invalidparty": "", "invalidtag": ""}
        return httpx.Response(200, json=answer)

    def too_often(self, path=""):
        return _error(45009, "api freq out of limit")

    def problems(self, body):
        if body["msgtype"] == "text":
            return [] if len(body["text"]["content"].encode()) <= 2048 else ["text"]
        card = body["template_card"]
        found = [] if _width(card["main_title"]["title"]) <= 26 else ["title"]
        found += [] if 0 < _width(card.get("sub_title_text", "-")) <= 112 else ["sub_title_text"]
        fields = card["horizontal_content_list"]
        found += [] if len(fields) <= 6 else ["fields"]
        found += [one["keyname"] for one in fields if _width(one["keyname"]) > 5]
        found += [one["value"] for one in fields if _width(one["value"]) > 26]
        buttons = card.get("button_list", [])
        found += [] if len(buttons) <= 6 else ["buttons"]
        found += [one["text"] for one in buttons if _width(one["text"]) > 10]
        found += ["key" for one in buttons if len(one["key"].encode()) > 1024]
        is_plain = all(c.isascii() and (c.isalnum() or c in "_-@") for c in card["task_id"])
        found += [] if is_plain and len(card["task_id"]) <= 128 else ["task_id"]
        if card["card_type"] == "text_notice":
            return found + ([] if "card_action" in card else ["card_action"])
        return found + ([] if buttons else ["button_list"])

    def tokens(self, body):
        names = {1: "approve", 3: "deny", 4: "restore"}
        card = body["template_card"]
        return {names[one["style"]]: one["key"] for one in card.get("button_list", ())}

    def texts(self, body):
        if body["msgtype"] == "text":
            return [("wecom", body["text"]["content"])]
        card = body["template_card"]
        fields = [one["value"] for one in card["horizontal_content_list"]]
        texts = [card["main_title"]["title"], card.get("sub_title_text", ""), *fields]
        return [("wecom", one) for one in (*texts, card["quote_area"]["quote_text"])]

    def click(self, pressed: Pressed, **forged: Any) -> Inbound:
        fields = {
            "ToUserName": pressed.tenant,
            "FromUserName": pressed.user,
            "CreateTime": str(int(self.now()) + self.next()),
            "MsgType": "event",
            "Event": "template_card_event",
            "EventKey": pressed.token,
            "TaskId": f"{pressed.approval}@ops",
            "CardType": "button_interaction",
            "ResponseCode": "RESPONSE_CODE",
            "AgentID": "1000002",
            **forged.pop("fields", {}),
        }
        return self.signed(xml(fields), **forged)

    def command(self, text: str, user: str = "W111", **forged: Any) -> Inbound:
        fields = {
            "ToUserName": forged.pop("tenant", "T111"),
            "FromUserName": user,
            "CreateTime": str(int(self.now())),
            "MsgType": "text",
            "Content": text,
            "MsgId": str(self.next()),
            "AgentID": "1000002",
        }
        return self.signed(xml(fields), **forged)

    def signed(
        self,
        plain: bytes,
        *,
        at_s: float | None = None,
        token: str = TOKEN,
        key: str = KEY,
        company: str = "T111",
        method: str = "POST",
    ) -> Inbound:
        timestamp = str(int(self.now() if at_s is None else at_s))
        nonce = f"26301{self.next()}"
        sealed = seal(plain, key, company)
        query = {
            "msg_signature": sha1(token, timestamp, nonce, sealed),
            "timestamp": timestamp,
            "nonce": nonce,
        }
        if method == "GET":
            return Inbound("GET", {**query, "echostr": sealed}, {}, b"")
        body = f"<xml><ToUserName><![CDATA[{company}]]></ToUserName>"
        body += f"<Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        return Inbound("POST", query, {"content-type": "text/xml"}, body.encode())

    def said(self, response):
        text = response.body.decode()
        sealed = between(text, "<Encrypt>", "</Encrypt>")
        parts = [between(text, f"<{n}>", f"</{n}>") for n in ("TimeStamp", "Nonce", "MsgSignature")]
        assert sha1(TOKEN, parts[0], parts[1], sealed) == parts[2]
        plain = unseal(sealed).decode()
        if "<ReplaceName>" in plain:
            return between(plain, "<ReplaceName>", "</ReplaceName>")
        content = between(plain, "<Content>", "</Content>")
        assert len(content.encode()) <= 2048
        return content


def xml(fields: dict[str, str]) -> bytes:
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields.items())
    return f"<xml>{inner}</xml>".encode()


def between(text: str, begin: str, end: str) -> str:
    return text.split(begin, 1)[1].split(end, 1)[0]


def sha1(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def seal(plain: bytes, key: str = KEY, company: str = "T111") -> str:
    made = base64.b64decode(key + "=")
    text = b"0123456789abcdef" + struct.pack(">I", len(plain)) + plain + company.encode()
    count = 32 - len(text) % 32
    worker = Cipher(algorithms.AES(made), modes.CBC(made[:16])).encryptor()
    return base64.b64encode(worker.update(text + bytes([count]) * count)).decode()


def unseal(sealed: str, key: str = KEY, company: str = "T111") -> bytes:
    made = base64.b64decode(key + "=")
    worker = Cipher(algorithms.AES(made), modes.CBC(made[:16])).decryptor()
    text = worker.update(base64.b64decode(sealed))
    text = text[: -text[-1]]
    (length,) = struct.unpack(">I", text[16:20])
    assert text[20 + length :].decode() == company
    return text[20 : 20 + length]


def _error(code: int, text: str) -> httpx.Response:
    return httpx.Response(200, content=json.dumps({"errcode": code, "errmsg": text}).encode())


def _width(text: str) -> float:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text) / 2
