"""``sgguard channels``: what is configured, what is missing, and what would be sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.commands import POLICY_FILE, fits, place, sgguard

__all__ = ["place", "sgguard"]  # fixtures

CHANNELS = """
[[channel]]
name = "ops"
kind = "slack"
way = "app"
chat = "C111"
tenant = "T111"
users = { W111 = "ada" }
[[channel]]
name = "audit"
kind = "teams"
language = "zh"
"""


@contextmanager
def answering(answers: list[tuple[int, bytes]]) -> Iterator[str]:
    """A service on this machine that gives these answers, in order."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            status, body = answers.pop(0)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def configured(place, tmp_path):
    (tmp_path / "policy.toml").write_text(POLICY_FILE + CHANNELS)
    return place


def test_channels_are_listed_with_what_each_lacks(configured, sgguard, monkeypatch):
    monkeypatch.setenv("SGGUARD_CHAT_OPS_TOKEN", "xoxb-fake-token-1")
    code, out, err = sgguard("channels", "list")
    assert (code, err) == (0, "")
    assert "ops  slack (app), en, no buttons" in out
    assert "people: ada" in out
    assert "not set: SGGUARD_CHAT_OPS_SECRET" in out
    assert "xoxb-fake" not in out
    assert fits(out)
    listed = json.loads(sgguard("channels", "list", "--json")[1])
    assert listed[1]["missing"] == ["SGGUARD_CHAT_AUDIT_URL"]


def test_without_channels_the_list_says_so(place, sgguard):
    assert sgguard("channels", "list")[1] == "The policy has no channels.\n"


def test_a_preview_shows_what_would_be_sent_without_secrets(configured, sgguard, monkeypatch):
    monkeypatch.setenv("SGGUARD_CHAT_OPS_SECRET", "a-signing-secret-of-slack")
    asked = configured.asked()
    code, out, _ = sgguard("channels", "preview", asked.decision_id[:8], "--channel", "ops")
    assert code == 0
    assert "[Approval needed] Delete security group databases" in out
    assert "v1.W" not in out
    body = json.loads(
        sgguard("channels", "preview", asked.decision_id, "--channel", "ops", "--json")[1]
    )
    assert body["blocks"][0]["type"] == "header"
    zh = sgguard("channels", "preview", asked.decision_id, "--channel", "audit")[1]
    assert "【待审批】删除安全组 databases" in zh


def test_a_channel_that_the_policy_does_not_have_is_an_error(configured, sgguard):
    asked = configured.asked()
    code, _, err = sgguard("channels", "preview", asked.decision_id, "--channel", "opps")
    assert code == 2
    assert "there are ops, audit" in err


def test_a_test_of_a_channel_names_what_is_not_set(configured, sgguard):
    code, _, err = sgguard("channels", "test", "audit")
    assert code == 2
    assert "SGGUARD_CHAT_AUDIT_URL is not set" in err


def test_a_test_is_sent_and_a_refusal_is_explained(configured, sgguard, monkeypatch):
    with answering([(202, b""), (401, b"{}")]) as url:
        monkeypatch.setenv("SGGUARD_CHAT_AUDIT_URL", f"{url}/workflows/x?sig=0123456789abcdef")
        code, out, _ = sgguard("channels", "test", "audit")
        assert (code, out) == (0, "Sent to audit (teams).\n")
        code, _, err = sgguard("channels", "test", "audit")
    assert code == 2
    assert "SGGUARD_CHAT_AUDIT_URL is signed for another workflow" in err
    assert "0123456789abcdef" not in err


def test_a_test_goes_through_the_outbox_of_the_store(configured, sgguard, monkeypatch):
    with answering([(202, b"")]) as url:
        monkeypatch.setenv("SGGUARD_CHAT_AUDIT_URL", f"{url}/workflows/x?sig=0123456789abcdef")
        assert sgguard("channels", "test", "audit")[0] == 0
    [row] = configured.store.notices()
    assert (row.destination, row.state) == ("audit", "delivered")


def test_a_test_needs_no_store(configured, sgguard, monkeypatch, tmp_path):
    monkeypatch.delenv("SGGUARD_STORE")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    with answering([(202, b"")]) as url:
        monkeypatch.setenv("SGGUARD_CHAT_AUDIT_URL", f"{url}/workflows/x?sig=0123456789abcdef")
        assert sgguard("channels", "test", "audit")[:2] == (0, "Sent to audit (teams).\n")
    assert configured.store.notices() == ()
