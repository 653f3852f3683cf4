"""DingTalk, as open.dingtalk.com describes it: cards of an app, and robots."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any, ClassVar
from urllib.parse import parse_qs

import httpx

from sgguard.chat.base import Inbound
from tests.chat.services.base import Pressed, Service

CARD_SECRET, APP_SECRET, APP = "guard-card-secret", "ding-app-secret-1", "dingapp"
ACCESS = "ding-access-token"


class DingTalk(Service):
    kind = "dingtalk"
    variables: ClassVar = {"SECRET": CARD_SECRET, "APP_SECRET": APP_SECRET}
    config: ClassVar = {"app": APP, "template": "tpl.schema"}
    is_in_group = True

    def answer(self, request, body):
        if request.url.path == "/robot/send":
            return self._robot(request, body)
        if request.url.path == "/v1.0/oauth2/accessToken":
            if body != {"appKey": APP, "appSecret": APP_SECRET}:
                return httpx.Response(400, json={"code": "invalidAuthentication"})
            return httpx.Response(200, json={"accessToken": ACCESS, "expireIn": 7200})
        if request.headers.get("x-acs-dingtalk-access-token") != ACCESS:
            return httpx.Response(401, json={"code": "InvalidAuthentication"})
        if request.url.path.endswith("/createAndDeliver") and (
            self.problems(body) or body["openSpaceId"] != "dtv1.card//IM_GROUP.C111"
        ):
            return httpx.Response(400, json={"code": "param.error"})
        if not request.url.path.endswith("/createAndDeliver"):
            return httpx.Response(200, json={"success": True, "result": True})
        results = [{"spaceType": "IM_GROUP", "success": self.is_in_group, "errorMsg": "x"}]
        result = {"outTrackId": body["outTrackId"], "deliverResults": results}
        return httpx.Response(200, json={"success": True, "result": result})

    def _robot(self, request, body):
        query = parse_qs(request.url.query.decode())
        timestamp = query.get("timestamp", ["0"])[0]
        text = f"{timestamp}\nSECguardtestsecret".encode()
        made = base64.b64encode(hmac.new(b"SECguardtestsecret", text, hashlib.sha256).digest())
        is_late = abs(self.now() * 1000 - int(timestamp)) > 3_600_000
        if is_late or query.get("sign") != [made.decode()]:
            return httpx.Response(200, json={"errcode": 310000, "errmsg": "sign not match"})
        if len(json.dumps(body, ensure_ascii=False).encode()) > 20000:
            return httpx.Response(200, json={"errcode": 460101, "errmsg": "message too long"})
        return httpx.Response(200, json={"errcode": 0, "errmsg": "ok"})

    def too_often(self, path="/v1.0/"):
        if path == "/robot/send":
            return httpx.Response(200, json={"errcode": 130101, "errmsg": "send too fast"})
        return httpx.Response(403, json={"code": "Forbidden.AccessDenied.QpsLimitForApi"})

    def problems(self, body):
        found = [] if len(json.dumps(body, ensure_ascii=False).encode()) <= 20000 else ["size"]
        if "msgtype" in body:
            content = body[body["msgtype"]]
            return found + ([] if 1 <= len(content["title"]) <= 64 else ["title"])
        values = body["cardData"]["cardParamMap"].values()
        found += [] if all(isinstance(one, str) for one in values) else ["cardParamMap"]
        return found + ([] if body["callbackType"] == "HTTP" else ["callbackType"])

    def tokens(self, body):
        values = body["cardData"]["cardParamMap"]
        shown = ("approve", "deny") if values["is_open"] == "true" else ()
        shown = (*shown, "restore") if values["is_restorable"] == "true" else shown
        return {one: values[f"{one}_token"] for one in shown}

    def texts(self, body):
        is_robot = "msgtype" in body
        content = body[body["msgtype"]] if is_robot else body["cardData"]["cardParamMap"]
        return [("markdown", content["title"]), ("markdown", content["text"])]

    def click(self, pressed: Pressed, **forged: Any) -> Inbound:
        params = {"token": pressed.token, "action": pressed.action}
        private = {"actionIds": ["1"], "params": forged.pop("params", params)}
        payload = {
            "type": "actionCallback",
            "outTrackId": f"{pressed.approval}.ops",
            "corpId": pressed.tenant,
            "userId": pressed.user,
            "content": json.dumps({"cardPrivateData": private}),
            **forged.pop("payload", {}),
        }
        return self.signed(payload, **forged)

    def signed(self, payload: Any, at_s: float | None = None, secret: str = CARD_SECRET) -> Inbound:
        now_s = self.now() if at_s is None else at_s
        timestamp = str(int(now_s * 1000) + (self.next() if at_s is None else 0))
        made = hmac.new(secret.encode(), timestamp.encode(), hashlib.sha256).digest()
        headers = {
            "content-type": "application/json",
            "x-ddpaas-signature-timestamp": timestamp,
            "x-ddpaas-signature": base64.b64encode(made).decode(),
        }
        return Inbound("POST", {}, headers, json.dumps(payload).encode())

    def command(self, text: str, user: str = "W111", **forged: Any) -> Inbound:
        payload = {
            "msgtype": "text",
            "text": {"content": f" {text}"},
            "conversationId": forged.pop("chat", "C111"),
            "senderCorpId": forged.pop("tenant", "T111"),
            "senderStaffId": user,
            "msgId": f"msg{self.next()}",
            "sessionWebhook": "https://evil.example/robot/sendBySession?session=x",
            **forged.pop("payload", {}),
        }
        now_s = forged.pop("at_s", self.now())
        secret = forged.pop("secret", APP_SECRET)
        timestamp = str(int(now_s * 1000) + self.next())
        made = hmac.new(secret.encode(), f"{timestamp}\n{secret}".encode(), hashlib.sha256)
        headers = {
            "content-type": "application/json",
            "timestamp": timestamp,
            "sign": base64.b64encode(made.digest()).decode(),
        }
        return Inbound("POST", {}, headers, json.dumps(payload).encode())

    def said(self, response):
        found = json.loads(response.body)
        if "msgtype" in found:
            return found["markdown"]["text"]
        card = found.get("cardData", {}).get("cardParamMap", {})
        private = found["userPrivateData"]["cardParamMap"]["notice"]
        return "\n".join([private, card.get("title", ""), card.get("text", "")])
