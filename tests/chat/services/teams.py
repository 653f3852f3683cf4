"""Teams, as learn.microsoft.com describes it: Workflows addresses and outgoing webhooks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx

from sgguard.chat.base import Inbound
from tests.chat.services.base import Pressed, Service

SECRET = "vqF0En+Z0ucuRTM/01o2GuhMH3hKKk/N2bOmlM31zaA="
URL = "https://prod-01.westus.logic.azure.com/workflows/abc/triggers/manual/paths/invoke?sig=s3cret"
TYPES = {"TextBlock", "RichTextBlock", "FactSet", "Container"}


class Teams(Service):
    kind = "teams"
    variables: ClassVar = {"URL": URL, "SECRET": SECRET}

    def answer(self, request, body):
        if request.url.params.get("sig") != "s3cret":
            return httpx.Response(401, json={"error": {"code": "DirectApiAuthorizationRequired"}})
        if self.problems(body):
            return httpx.Response(413, json={"error": {"code": "RequestEntityTooLarge"}})
        return httpx.Response(202)

    def problems(self, body):
        found = [] if len(json.dumps(body, ensure_ascii=False).encode()) <= 28 * 1024 else ["size"]
        found += [] if body["type"] == "message" and len(body["attachments"]) == 1 else ["type"]
        attachment = body["attachments"][0]
        kind = "application/vnd.microsoft.card.adaptive"
        found += [] if attachment["contentType"] == kind else ["contentType"]
        card = attachment["content"]
        found += [] if (card["type"], card["version"]) == ("AdaptiveCard", "1.4") else ["version"]
        for one in card["body"]:
            found += [] if one["type"] in TYPES else [one["type"]]
            found += [r["type"] for r in one.get("inlines", ()) if r["type"] != "TextRun"]
        # A card of a workflow has no bot behind it that could be called.
        return found + [a["type"] for a in card.get("actions", ()) if a["type"] != "Action.OpenUrl"]

    def tokens(self, body):
        return {}

    def texts(self, body):
        card = body["attachments"][0]["content"]
        lines = ["".join(run["text"] for run in one["inlines"]) for one in card["body"]]
        return [("plain", one) for one in lines]

    def click(self, pressed: Pressed, **forged: Any) -> Inbound:
        """An ``Action.Execute``, which only a bot gets, signed as an outgoing webhook is."""
        value = {
            "action": {
                "type": "Action.Execute",
                "verb": pressed.action,
                "data": {"token": pressed.token},
            },
            "trigger": forged.pop("trigger", "manual"),
        }
        payload = {"type": "invoke", "name": "adaptiveCard/action", "value": value}
        return self.signed({**self._about(pressed.user, pressed.tenant), **payload}, **forged)

    def command(self, text: str, user: str = "W111", **forged: Any) -> Inbound:
        payload = {
            **self._about(user, forged.pop("tenant", "T111")),
            "type": "message",
            "text": f"<at>guard</at>&nbsp;{text}",
            **forged.pop("payload", {}),
        }
        return self.signed(payload, **forged)

    def _about(self, user, tenant):
        moment = datetime.fromtimestamp(self.now(), UTC)
        return {
            "id": f"17599447{self.next()}",
            "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.4953744Z",
            "from": {"id": "29:scrubbed", "aadObjectId": user},
            "channelData": {"tenant": {"id": tenant}, "teamsChannelId": "C111"},
        }

    def signed(self, payload: Any, secret: str = SECRET) -> Inbound:
        body = json.dumps(payload).encode()
        made = hmac.new(base64.b64decode(secret), body, hashlib.sha256).digest()
        authorization = f"HMAC {base64.b64encode(made).decode()}"
        headers = {"content-type": "application/json", "authorization": authorization}
        return Inbound("POST", {}, headers, body)

    def said(self, response):
        return "\n".join(text for _, text in self.texts(json.loads(response.body)))
