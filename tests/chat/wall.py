"""The wall of a chat: every message as it is shown now, behind a network that fails at random.

What a service took is on the wall, also where its answer was lost on the way.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.chat.services import Service

_DECISION = re.compile(r"\b(\d{8})…")
_STATES = re.compile(r"\[(Approval needed|Denied|Done|Unfinished|Expired|Blocked|Allowed|Digest)\]")


@dataclass
class Wall(httpx.BaseTransport):
    """Hands requests to a service; ``rate`` of them fail, in one of six ways."""

    service: Service
    rate: float = 0.0
    seed: int = 1
    shown: dict[str, str] = field(default_factory=dict)
    posts: Counter[str] = field(default_factory=Counter)
    unsure: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._faults = self._random  # one stream: a run is the same each time

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        fault = self._faults.random() < self.rate and self._faults.choice(_FAULTS)
        if fault == "error in a success" and self.service.kind == "teams":
            fault = "500"  # its status is the whole of its answer
        if fault and fault != "lost answer":
            return self._failed(fault)
        response = self.service.handle_request(request)
        body = json.loads(request.content) if request.content else {}
        is_post = self._taken(request, response, body)
        if fault:
            if is_post:
                self.unsure[self._decision(body)] += 1
            raise httpx.ReadTimeout("the answer was lost")
        return response

    def _failed(self, fault: str) -> httpx.Response:
        match fault:
            case "429":
                return httpx.Response(429, headers={"Retry-After": "3"})
            case "500":
                return httpx.Response(500)
            case "html":
                return httpx.Response(502, text="<html>Bad Gateway</html>")
            case "no connection":
                raise httpx.ConnectTimeout("slow")
            case _:
                return httpx.Response(200, json=_ERRORS[self.service.kind])

    def _taken(self, request: httpx.Request, response: httpx.Response, body: Any) -> bool:
        """Note what is shown now; whether it is a new message."""
        if not _is_message(body) or not _succeeded(response):
            return False
        self.times.append(self.service.now())
        text = json.dumps(body, ensure_ascii=False).replace("\\u2026", "…")
        replaced = _replaced(request, body)
        key = replaced or _posted(response, body) or f"post {len(self.times)}"
        self.shown[key] = text
        if not replaced:
            self.posts[self._decision(body)] += 1
        return not replaced

    def _decision(self, body: Any) -> str:
        found = _DECISION.search(json.dumps(body, ensure_ascii=False))
        return found[1] if found else ""

    def states(self) -> dict[str, list[str]]:
        """Return, by the beginning of a decision's id, what each of its messages says."""
        found = defaultdict(list)
        for text in self.shown.values():
            decision, state = _DECISION.search(text), _STATES.search(text)
            if decision and state:
                found[decision[1]].append(state[1])
        return found


# What a service says in a 200 when something of its own is wrong.
_ERRORS = {
    "slack": {"ok": False, "error": "internal_error"},
    "lark": {"code": 2200, "msg": "internal error"},
    "dingtalk": {"code": "ServiceUnavailable", "message": "internal error"},
    "wecom": {"errcode": -1, "errmsg": "system busy"},
    "teams": {},
}
_FAULTS = ("429", "500", "html", "no connection", "error in a success", "lost answer")


def _is_message(body: Any) -> bool:
    return any(
        key in body for key in ("blocks", "content", "cardData", "template_card", "attachments")
    )


def _succeeded(response: httpx.Response) -> bool:
    if not response.is_success:
        return False
    found = response.json() if response.content else {}
    return bool(found.get("ok", True)) and found.get("errcode", 0) == 0 and not found.get("code")


def _replaced(request: httpx.Request, body: Any) -> str:
    if request.method == "PATCH":
        return request.url.path.rpartition("/")[2]
    if request.method == "PUT":
        return body["outTrackId"]
    return body.get("ts") or body.get("response_code") or ""


def _posted(response: httpx.Response, body: Any) -> str:
    found = response.json() if response.content else {}
    return (
        body.get("outTrackId")
        or found.get("ts")
        or found.get("response_code")
        or (found.get("data") or {}).get("message_id", "")
    )
