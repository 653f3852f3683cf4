"""One story for each chat, on loopback: refused in the cloud, asked, answered, done, restored."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sgguard.chat import access, handover
from sgguard.emulator.server import serve
from sgguard.model.occurrence import Happened
from sgguard.outbox.background import BACKGROUND
from tests.approvals.harness import KEY, ApprovalHarness, approval_harness
from tests.chat.city import City, city
from tests.chat.services import SERVICES, Pressed, Service
from tests.chat.wall import Wall
from tests.events.samples import About, made
from tests.functions.test_approval import FORM, TOML

pytestmark = pytest.mark.slow
KINDS = list(SERVICES)
PAGE_URL = "https://guard.example/approval"
STATE = re.compile(r"\[(Approval needed|Denied|Done|Unfinished|Restored)\] Delete")
REPLACED = ("slack", "lark", "dingtalk", "wecom")


@dataclass
class Place:
    """A cloud, a chat of one kind, and the functions that stand between them."""

    kind: str
    here: ApprovalHarness
    services: City
    framework: Any

    @property
    def service(self) -> Service:
        return self.services.walls[self.kind].service

    @property
    def wall(self) -> Wall:
        return self.services.walls[self.kind]

    def shown(self) -> list[str]:
        """Return what every message says now, after all that is due was told."""
        BACKGROUND.join(60)
        found = (STATE.search(text) for text in self.wall.shown.values())
        return [one[1] for one in found if one]

    def last(self) -> dict[str, Any]:
        """Return the last message as its service has it."""
        found = json.loads(list(self.wall.shown.values())[-1])
        if self.kind == "wecom":
            found.setdefault("msgtype", "template_card")  # an update has none
        return json.loads(found["content"]) if self.kind == "lark" else found

    def said(self) -> str:
        return "\n".join(text for _, text in self.service.texts(self.last()))

    def restore(self, token: str) -> None:
        """Open the page of a link to restore, read its plan, and confirm it."""
        client = self.framework("approval").client
        page = client.get("/", query_string={"restore": token})
        assert page.status_code == 200, page.data
        fields = dict(re.findall(r'name="(\w+)" value="([^"]+)"', page.data.decode()))
        sent = client.post("/", data=fields, headers=FORM)
        assert sent.status_code == 200, sent.data

    def answer(self, action: str) -> None:
        """Press the button of the message, or, where there is none, its link."""
        message = self.last()
        if self.kind == "teams":
            card = message["attachments"][0]["content"]
            [link] = [one["url"] for one in card["actions"] if one["url"].startswith(PAGE_URL)]
            query = parse_qs(urlsplit(link).query)
            if action == "restore":
                self.restore(query["restore"][0])
                return
            page = self.framework("approval").client.get(
                "/", query_string={"token": query["token"][0]}
            )
            tokens = re.findall(r'name="token" value="([^"]+)"', page.data.decode())
            chosen = tokens[("approve", "deny").index(action)]
            sent = self.framework("approval").client.post("/", data={"token": chosen}, headers=FORM)
            assert sent.status_code == 200, sent.data
            return
        about = ""
        if action != "restore":
            [asked] = self.here.store.approvals("pending")
            about = asked.approval_id
        elif self.kind in ("dingtalk", "wecom"):
            about = self.here.store.approvals("approved")[0].approval_id
        else:
            about = self.here.store.approvals("approved")[0].decision_id
        pressed = Pressed(self.service.tokens(message)[action], action, about)
        # The address of Slack's own answer is nobody's here.
        forged = {"payload": {"response_url": ""}} if self.kind == "slack" else {}
        given = self.service.click(pressed, **forged)
        response = self.framework("chat").client.post(
            "/", query_string=dict(given.query), data=given.body, headers=given.headers
        )
        assert response.status_code == 200, response.data


def policy(kind: str) -> str:
    config = SERVICES[kind](time.time).policy(name=kind)
    fields = {"name": kind, "kind": kind, "way": config.way, "chat": config.chat}
    fields |= {"tenant": config.tenant, "app": config.app, "template": config.template}
    fields |= {"reader": "ada"} if kind == "teams" else {}
    lines = [f"{key} = {json.dumps(value)}" for key, value in fields.items() if value]
    users = 'users = { W111 = "ada" }'
    return "\n".join(
        [TOML, "[[channel]]", *lines, users, "[[route]]", f'channels = ["{kind}"]', ""]
    )


@pytest.fixture(params=KINDS)
def place(request, tmp_path, monkeypatch, framework) -> Iterator[Place]:
    kind = request.param
    (tmp_path / "policy.toml").write_text(policy(kind))
    monkeypatch.setattr(handover, "WAIT_S", 60.0)  # however slow this machine is
    access.forget()
    with (
        approval_harness("tencent", tmp_path) as here,
        serve(here.emulator) as cloud,
        city(time.time, 0.0) as services,
    ):
        here.clock.now_s = time.time()
        env = {
            **here.world.env,
            **services.env(),
            "SGGUARD_APPROVAL_KEY": KEY,
            "SGGUARD_APPROVAL_URL": PAGE_URL,
            "SGGUARD_STORE": here.url,
            "SGGUARD_POLICY": str(tmp_path / "policy.toml"),
            "SGGUARD_ENDPOINT_TENCENT": cloud.url,
            "USER": "ada",
        }
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        BACKGROUND.is_on = True
        yield Place(kind, here, services, framework)
        BACKGROUND.join(60)
        BACKGROUND.is_on = False


def refused(here: ApprovalHarness) -> Any:
    """What the cloud's own audit tells of a delete that it refused."""
    about = About(here.world.referenced, "ins-915zrb0p", here.world.region, int(time.time()) - 60)
    return made("tencent_cloudaudit", Happened.DELETE_REFUSED, about)


def test_a_refused_delete_is_asked_answered_carried_out_and_restored(place):
    # 1. The cloud refused a delete and says so in an event of its own.
    answered = place.framework("cloud_event").ask(refused(place.here))
    assert answered.status_code == 200, answered.json
    assert answered.json["decisions"][0]["outcome"] == "pending"
    # 2. The chat is asked.
    assert place.shown() == ["Approval needed"]
    assert "databases" in place.said()
    # 3. A person answers there; the plan is carried out.
    place.answer("approve")
    assert place.here.is_deleted
    # 4. The message says so: in its place, or after it where it stays as it is.
    assert place.shown() == (["Done"] if place.kind in REPLACED else ["Approval needed", "Done"])
    assert {*place.service.tokens(place.last())} <= {"restore"}
    assert re.search(r"sgguard restore [0-9a-f]{32}", place.said()), place.said()
    # 5. It has a button, or a link, that brings all of it back.
    place.answer("restore")
    assert "databases" in {one.name for one in place.here.cloud.groups}
    # 6. The same message says that, and offers it no more; the restore has one of its own.
    assert "Restored" in place.shown()
    if place.kind in ("slack", "lark", "dingtalk"):
        assert place.shown() == ["Restored"]
    assert any("Restore security group databases" in one for one in place.wall.shown.values())
    offered = [one for one in place.wall.shown.values() if '"restore"' in one and "Restored" in one]
    assert not offered


def test_a_refused_delete_that_is_denied_changes_nothing(place):
    place.framework("cloud_event").ask(refused(place.here))
    assert place.shown() == ["Approval needed"]
    place.answer("deny")
    assert not place.here.is_deleted
    assert place.shown()[-1] == "Denied"
    # Delivered again, it is the same event: nobody is asked twice.
    assert len(place.here.store.approvals()) == 1
