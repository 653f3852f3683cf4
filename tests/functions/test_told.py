"""A function tells the chat after its answer, by itself, and no answer waits for it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from sgguard.emulator.server import serve
from sgguard.outbox.background import BACKGROUND
from tests.approvals.harness import KEY, approval_harness
from tests.functions.test_approval import TOML
from tests.outbox.receiver import Receiver, receiving

POLICY = f"""
{TOML}
[[channel]]
name = "ops"
kind = "slack"
way = "app"
chat = "C111"
[[route]]
channels = ["ops"]
"""


@pytest.fixture
def slack() -> Iterator[Receiver]:
    with receiving(Receiver(rate=0.0)) as found:
        yield found


@pytest.fixture
def place(tmp_path, monkeypatch, slack):
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    with approval_harness("tencent", tmp_path) as made, serve(made.emulator) as cloud:
        made.clock.now_s = time.time()
        env = {
            **made.world.env,
            "SGGUARD_APPROVAL_KEY": KEY,
            "SGGUARD_STORE": made.url,
            "SGGUARD_POLICY": str(policy),
            "SGGUARD_ENDPOINT_TENCENT": cloud.url,
            "SGGUARD_CHAT_OPS_SECRET": "a-signing-secret-of-slack",
            "SGGUARD_CHAT_OPS_TOKEN": "xoxb-fake-token-1",
            "SGGUARD_CHAT_OPS_URL": slack.url,
        }
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        BACKGROUND.is_on = True
        yield made
        BACKGROUND.join(30)
        BACKGROUND.is_on = False


def test_a_question_is_told_and_kept_true_by_the_functions_themselves(place, framework, slack):
    body = {"target": place.target, "requested_by": "eve"}
    answer = framework("delete_request").ask(body)
    assert answer.status_code == 200, answer.json
    assert answer.json["outcome"] == "pending"
    BACKGROUND.join(30)
    assert [state for _, state in slack.shown.values()] == ["Approval needed"]
    [row] = place.store.notices()
    assert (row.state, json.loads(row.reference_json)["message_id"]) == ("delivered", "0.1")
