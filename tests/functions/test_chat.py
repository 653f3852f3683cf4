"""The function ``chat``: one address for every channel, which believes only what one has signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

import pytest

from sgguard import schemas
from sgguard.chat import handover
from sgguard.emulator.server import serve
from tests.approvals.harness import KEY, approval_harness
from tests.chat.services import Pressed
from tests.chat.services.slack import SECRET, Slack
from tests.chat.services.wecom import KEY as WECOM_KEY
from tests.chat.services.wecom import TOKEN as WECOM_TOKEN
from tests.chat.services.wecom import WeCom
from tests.functions.test_approval import TOML

CHANNELS = """
[[channel]]
name = "ops"
kind = "slack"
way = "app"
chat = "C111"
tenant = "T111"
users = { W111 = "ada" }
[[channel]]
name = "wx"
kind = "wecom"
way = "app"
language = "zh"
tenant = "T111"
users = { W111 = "ada" }
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A request that is pending, and the environment in which the function answers for it."""
    policy = tmp_path / "policy.toml"
    policy.write_text(TOML + CHANNELS)
    with approval_harness("tencent", tmp_path) as made, serve(made.emulator) as cloud:
        made.clock.now_s = time.time()
        env = {
            **made.world.env,
            "SGGUARD_APPROVAL_KEY": KEY,
            "SGGUARD_STORE": made.url,
            "SGGUARD_POLICY": str(policy),
            "SGGUARD_ENDPOINT_TENCENT": cloud.url,
            "SGGUARD_CHAT_OPS_SECRET": SECRET,
            "SGGUARD_CHAT_OPS_TOKEN": "xoxb-fake-token-1",
            "SGGUARD_CHAT_WX_TOKEN": WECOM_TOKEN,
            "SGGUARD_CHAT_WX_KEY": WECOM_KEY,
        }
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture
def chat(place, framework):
    return framework("chat")


def call(chat, inbound):
    send = chat.client.get if inbound.method == "GET" else chat.client.post
    return send("/", query_string=dict(inbound.query), data=inbound.body, headers=inbound.headers)


def button(asked, action: str) -> str:
    """A button, signed here and not by the code that is tested."""
    fields = [asked.approval_id, asked.facts_hash, action, "ops", int(asked.expires_at_s)]
    plain = json.dumps(fields, separators=(",", ":")).encode()
    text = "v1." + base64.urlsafe_b64encode(plain).rstrip(b"=").decode()
    made = hmac.new(KEY.encode(), b"sgguard-chat." + text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


def test_a_get_says_what_the_function_is(chat):
    about = chat.client.get("/").json
    assert (about["function"], about["type"]) == ("chat", "sgguard.chat.post.v1")
    assert schemas.problems("chat", about["examples"][0]) == ()


def test_a_click_is_carried_out(chat, place, monkeypatch):
    monkeypatch.setattr(handover, "WAIT_S", 60.0)  # however slow this machine is
    asked = place.asked()
    service = Slack(time.time)
    pressed = Pressed(button(asked, "approve"), "approve", asked.approval_id)
    # The address of the answer is nobody's here: the answer is lost, the effect is not.
    payload = {"response_url": "https://elsewhere.example/x"}
    response = call(chat, service.click(pressed, payload=payload))
    assert response.status_code == 200
    assert place.is_deleted
    assert place.approval(asked.approval_id).resolved_by == "ada"


def test_what_no_channel_signed_is_refused_in_few_words(chat, place):
    asked = place.asked()
    service = Slack(time.time)
    pressed = Pressed(button(asked, "approve"), "approve", asked.approval_id)
    forged = service.click(pressed, secret="another-signing-secret")
    response = call(chat, forged)
    assert response.status_code == 403
    assert pressed.token.encode() not in response.data
    assert (place.is_deleted, place.approval(asked.approval_id).state) == (False, "pending")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"{}", {"Content-Type": "application/json"}),
        (b'{"type":"url_verification","challenge":"x"}', {"Content-Type": "application/json"}),
        (b'{"challenge":"x"}', {"X-Lark-Signature": "x"}),
        (b"<xml/>", {"Content-Type": "text/xml"}),
        (b"payload=%7B%7D", {"Content-Type": "application/x-www-form-urlencoded"}),
        (b"\xff\xfe", {"Authorization": "HMAC x"}),
        (b'{"decision_id":"x"}', {"Content-Type": "application/json"}),
    ],
)
@pytest.mark.sampled(4)
def test_anything_unsigned_is_refused_and_never_echoed(chat, body, headers):
    response = chat.post(body, headers)
    assert response.status_code in (400, 403)
    assert b'"challenge"' not in response.data


def test_wecoms_check_of_the_address_is_answered_bare(chat):
    given = WeCom(time.time).signed(b"1616140317555161061", method="GET")
    response = call(chat, given)
    assert (response.status_code, response.data) == (200, b"1616140317555161061")
    forged = WeCom(time.time).signed(b"1", method="GET", token="other")
    assert call(chat, forged).status_code == 403


def test_a_command_is_answered_in_the_language_of_its_channel(chat, place):
    service = WeCom(time.time)
    response = call(chat, service.command(f"check {place.target}"))
    assert "引用了" in service.said(type("R", (), {"body": response.data}))


def test_an_event_about_a_decision_that_nobody_made_is_a_problem(chat):
    event = {
        "specversion": "1.0",
        "id": "e1",
        "source": "/bus",
        "type": "sgguard.chat.post.v1",
        "data": {"decision_id": "nothing"},
    }
    headers = {"Content-Type": "application/cloudevents+json"}
    assert chat.post(event, headers).status_code == 404
    assert chat.post({**event, "data": {}}, headers).status_code == 400
