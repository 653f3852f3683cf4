"""Slack, as docs.slack.dev describes it."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any, ClassVar
from urllib.parse import urlencode

import httpx

from sgguard.chat.base import Inbound
from tests.chat.services.base import Pressed, Service

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


class Slack(Service):
    kind = "slack"
    variables: ClassVar = {"TOKEN": "xoxb-fake-token-1", "SECRET": SECRET}

    def answer(self, request, body):
        if request.url.host == "hooks.slack.com":
            return httpx.Response(200, text="ok")
        if request.headers.get("authorization") != f"Bearer {self.variables['TOKEN']}":
            return self._error("invalid_auth")
        if body["channel"] != "C111":
            return self._error("channel_not_found")
        if self.problems(body):
            return self._error("invalid_blocks")
        ts = f"{int(self.now())}.{self.next():06}"
        return httpx.Response(200, json={"ok": True, "channel": "C111", "ts": ts})

    def _error(self, code):
        return httpx.Response(200, json={"ok": False, "error": code})

    def problems(self, body):
        found = [] if len(body["blocks"]) <= 50 else ["blocks"]
        if len(body["text"]) > 4000:
            found.append("text")
        for one in body["blocks"]:
            match one["type"]:
                case "header":
                    found += _plain(one["text"], 150)
                case "section":
                    found += _plain(one["text"], 3000)
                case "actions":
                    found += [] if len(one["block_id"]) <= 255 else ["block_id"]
                    found += [] if 1 <= len(one["elements"]) <= 25 else ["elements"]
                    found += [p for button in one["elements"] for p in _button(button)]
                case kind:
                    found.append(kind)
        return found

    def tokens(self, body):
        return {
            button["action_id"].removeprefix("sgguard."): button["value"]
            for one in body["blocks"]
            if one["type"] == "actions"
            for button in one["elements"]
            if "value" in button
        }

    def texts(self, body):
        shown = [one["text"]["text"] for one in body["blocks"] if "text" in one]
        return [("mrkdwn", body["text"]), *(("plain", one) for one in shown)]

    def click(self, pressed: Pressed, **forged: Any) -> Inbound:
        payload = {
            "type": "block_actions",
            "user": {"id": pressed.user, "team_id": pressed.tenant},
            "team": {"id": pressed.tenant},
            "channel": {"id": pressed.chat},
            "response_url": "https://hooks.slack.com/actions/T111/111/random",
            "actions": [
                {
                    "type": "button",
                    "action_id": f"sgguard.{pressed.action}",
                    "block_id": pressed.approval,
                    "value": pressed.token,
                    "action_ts": f"{self.next()}.5",
                }
            ],
            **forged.pop("payload", {}),
        }
        return self.signed(urlencode({"payload": json.dumps(payload)}).encode(), **forged)

    def command(self, text: str, user: str = "W111", **forged: Any) -> Inbound:
        fields = {
            "token": "x",
            "team_id": forged.pop("tenant", "T111"),
            "channel_id": forged.pop("chat", "C111"),
            "user_id": user,
            "command": "/guard",
            "text": text,
            "trigger_id": str(self.next()),
        }
        return self.signed(urlencode(fields).encode(), **forged)

    def signed(self, body: bytes, at_s: float | None = None, secret: str = SECRET) -> Inbound:
        timestamp = str(int(self.now() if at_s is None else at_s))
        text = b"v0:" + timestamp.encode() + b":" + body
        made = "v0=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": made,
        }
        return Inbound("POST", {}, headers, body)

    def said(self, response):
        if response.body not in (b"", b"{}"):
            blocks = json.loads(response.body)["blocks"]
        else:
            blocks = next(b["blocks"] for _, path, b in reversed(self.asked) if "actions" in path)
        return "\n".join(one["text"]["text"] for one in blocks if "text" in one)


def _plain(text, most):
    found = [] if text["type"] == "plain_text" else ["type"]
    return found + ([] if 1 <= len(text["text"]) <= most else ["text"])


def _button(button):
    found = _plain(button["text"], 75)
    found += [] if len(button["action_id"]) <= 255 else ["action_id"]
    found += [] if len(button.get("value", "")) <= 2000 else ["value"]
    found += [] if len(button.get("url", "")) <= 3000 else ["url"]
    found += [] if button.get("style", "primary") in ("primary", "danger") else ["style"]
    if confirm := button.get("confirm"):
        found += _plain(confirm["title"], 100) + _plain(confirm["text"], 300)
        found += _plain(confirm["confirm"], 30) + _plain(confirm["deny"], 30)
    return found
