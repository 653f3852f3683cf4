"""A command that was not signed, or not lately, or came before, is not answered."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sgguard.chat.base import Inbound
from sgguard.errors import SgguardError
from tests.chat.harness import chat_harness


def each_header(given: Inbound, change) -> Inbound:
    kept = {"content-type"}
    changed = {k: v if k in kept else change(v) for k, v in given.headers.items()}
    return replace(given, headers=changed, query={k: change(v) for k, v in given.query.items()})


MUTATIONS = {
    "no headers": lambda g: replace(g, headers={}, query={}),
    "empty headers": lambda g: each_header(g, lambda _: ""),
    "other headers": lambda g: each_header(g, lambda _: "x"),
    "upper case": lambda g: each_header(g, str.upper),
    "lower case": lambda g: each_header(g, str.lower),
    "reversed": lambda g: each_header(g, lambda v: v[::-1]),
    "cut": lambda g: each_header(g, lambda v: v[:-1]),
    "longer": lambda g: each_header(g, lambda v: v + "0"),
    "spaces": lambda g: each_header(g, lambda v: f" {v} "),
    "twice": lambda g: each_header(g, lambda v: f"{v},{v}"),
    "not ascii": lambda g: each_header(g, lambda v: f"{v}é"),
    "surrogate": lambda g: each_header(g, lambda v: f"{v}\udc80"),
    "very long": lambda g: each_header(g, lambda v: v * 1000),
    "no body": lambda g: replace(g, body=b""),
    "other body": lambda g: replace(g, body=b"{}"),
    "a list": lambda g: replace(g, body=b"[]"),
    "null": lambda g: replace(g, body=b"null"),
    "deep": lambda g: replace(g, body=b"[" * 5000),
    "binary": lambda g: replace(g, body=b"\xff\x00\xfe" * 10),
    "a byte changed": lambda g: replace(g, body=g.body.replace(b"e", b"f")),
}


@pytest.mark.parametrize("name", list(MUTATIONS))
@pytest.mark.sampled(6)
def test_a_command_that_was_changed_is_not_answered(chat, name):
    given = chat.service.command("check tencent::ap-guangzhou:sg-5ua9adfv")
    changed = MUTATIONS[name](given)
    if changed == given:
        pytest.skip("nothing to change")
    if chat.service.kind == "dingtalk" and name in ("other body", "a byte changed", "upper case"):
        pytest.skip("its signature does not cover the body")
    response = chat.tried(changed)
    is_unanswered = isinstance(response, SgguardError) or b"sg-5ua9adfv" not in response.body
    assert is_unanswered
    assert chat.service.asked == []


STALE = {"slack": 301, "lark": 301, "dingtalk": 3601, "wecom": 301, "teams": 301}


def test_a_command_that_is_too_old_is_not_answered(chat):
    given = chat.service.command("help")
    chat.approvals.clock.pass_(STALE[chat.service.kind])
    assert isinstance(chat.tried(given), SgguardError)


@pytest.mark.sampled(3)
def test_a_command_that_is_delivered_again_is_answered_once(chat):
    given = chat.service.command("help")
    chat.call(given)
    number = len(chat.service.asked)
    again = chat.call(given)
    assert (again.status, again.body) in ((200, b""), (200, b"{}"))
    assert len(chat.service.asked) == number


def test_a_bot_is_nobody(tmp_path):
    with chat_harness("lark", tmp_path) as given:
        event = {"sender": {"sender_type": "app"}, "message": {"message_type": "text"}}
        inbound = given.service.callback("im.message.receive_v1", event)
        assert given.call(inbound).body == b"{}"
        assert given.service.asked == []
