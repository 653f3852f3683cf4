"""``sgguard outbox``: what waits, what failed, and the delivery of it."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from sgguard.policy.channel import ChannelPolicy, Route
from tests.cli.test_channels import answering
from tests.commands import POLICY_FILE, fits, place, sgguard

__all__ = ["place", "sgguard"]  # fixtures

CHANNELS = """
[[channel]]
name = "ops"
kind = "slack"
way = "app"
chat = "C111"
[[route]]
channels = ["ops"]
"""
TAKEN = b'{"ok":true,"ts":"1.1","channel":"C111"}'


@pytest.fixture
def configured(place, tmp_path, monkeypatch):
    (tmp_path / "policy.toml").write_text(POLICY_FILE + CHANNELS)
    monkeypatch.setenv("SGGUARD_CHAT_OPS_TOKEN", "xoxb-fake-token-1")
    monkeypatch.setenv("SGGUARD_CHAT_OPS_SECRET", "a-signing-secret-of-slack")
    channel = ChannelPolicy("ops", "slack", way="app", chat="C111")
    place.policy = replace(place.policy, channels=(channel,), routes=(Route(("ops",)),))
    return place


def test_what_waits_is_listed_and_shown(configured, sgguard):
    asked = configured.asked()
    code, out, err = sgguard("outbox", "list")
    assert (code, err) == (0, "")
    assert f"chat:{asked.decision_id}:ops  waiting" in out
    assert "next try" in out
    assert fits(out)
    [one] = json.loads(sgguard("outbox", "list", "--json")[1])["notices"]
    assert (one["destination"], one["attempts"], one["reference"]) == ("ops", 0, None)
    shown = json.loads(sgguard("outbox", "show", f"chat:{asked.decision_id[:8]}", "--json")[1])
    assert shown == one
    assert "payload: {}" in sgguard("outbox", "show", "chat:")[1]


def test_nothing_waits_where_nothing_was_decided(configured, sgguard):
    configured.store.now_s()
    assert sgguard("outbox", "list")[1] == "There are no such notices.\n"
    assert sgguard("outbox", "deliver")[1] == "Nothing was due.\n"


def test_what_is_due_is_delivered_and_then_nothing_is(configured, sgguard, monkeypatch):
    configured.asked()
    with answering([(200, TAKEN)]) as url:
        monkeypatch.setenv("SGGUARD_CHAT_OPS_URL", url)
        code, out, _ = sgguard("outbox", "deliver")
    assert code == 0
    assert out.endswith("delivered\n1 delivered.\n")
    assert json.loads(sgguard("outbox", "deliver", "--json")[1]) == {
        "sent": 0,
        "later": 0,
        "gone": 0,
        "dead": 0,
        "lost": 0,
        "waiting": 0,
    }
    [one] = json.loads(sgguard("outbox", "list", "--json")[1])["notices"]
    assert (one["state"], one["reference"]["message_id"]) == ("delivered", "1.1")


def test_a_failure_is_shown_and_retried_and_dropped(configured, sgguard, monkeypatch):
    asked = configured.asked()
    with answering([(500, b""), (200, TAKEN)]) as url:
        monkeypatch.setenv("SGGUARD_CHAT_OPS_URL", url)
        code, out, _ = sgguard("outbox", "deliver")
        assert code == 0
        assert "put off" in out
        assert "1 wait" in out
        listed = sgguard("outbox", "list", "--state", "waiting")[1]
        assert "tried 1 times" in listed
        assert "chat ops fails since" in listed
        assert "chat ops takes nothing since" in sgguard("doctor")[1]
        assert "It is not sent any more" in sgguard("outbox", "drop", "chat:", "--as", "ada")[1]
        assert json.loads(sgguard("outbox", "deliver", "--json")[1])["sent"] == 0
        again = sgguard("outbox", "retry", f"chat:{asked.decision_id}", "--as", "ada", "--json")[1]
        assert json.loads(again)["state"] == "waiting"


def test_a_notice_that_is_not_there_is_an_error(configured, sgguard):
    configured.asked()
    configured.asked(event_id="order-8")
    code, _, err = sgguard("outbox", "show", "nothing")
    assert code == 2
    assert "there is no notice 'nothing'" in err
    code, _, err = sgguard("outbox", "drop", "chat:", "--as", "ada")
    assert code == 2
    assert "begins several notices" in err
