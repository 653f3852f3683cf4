"""Commands are answered to people whom the policy maps, in the channel's language; they read."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sgguard.chat import commands
from sgguard.chat.base import Command, kinds
from tests.chat.harness import chat_harness
from tests.chat.services import SERVICES

TEXTS = st.text(max_size=120)


def with_arguments(verb: str):
    return TEXTS.map(lambda text: f"{verb} {text}")


def ask(chat, text: str, **how) -> str:
    return chat.said(chat.call(chat.service.command(text, **how)))


@pytest.mark.sampled(6)
def test_check_judges_and_changes_nothing(chat):
    target = chat.approvals.target
    kept = chat.approvals.kept()
    said = ask(chat, f"check {target}")
    assert "databases" in said
    assert "2 rules of 2 other groups name" in said
    assert chat.approvals.kept() == kept
    assert not chat.approvals.is_deleted


@pytest.mark.sampled(3)
def test_check_of_a_text_that_is_no_address_says_what_one_is(chat):
    assert "provider:account:region:group-id" in ask(chat, "check sg-1")
    assert "provider:account:region:group-id" in ask(chat, "check")


@pytest.mark.sampled(3)
def test_explain_counts_who_references_and_what_is_bound(chat):
    said = ask(chat, f"explain {chat.approvals.target}")
    assert "2 rules of 2 security groups reference it: sg-exnsygsn (web)" in said


@pytest.mark.sampled(3)
def test_explain_of_a_group_that_is_not_there_says_so(chat):
    assert "does not exist" in ask(chat, "explain tencent::ap-guangzhou:sg-00000000")


@pytest.mark.sampled(3)
def test_a_cloud_that_refuses_the_credentials_gives_no_answer_and_no_detail(chat):
    chat.env["TENCENTCLOUD_SECRET_KEY"] = "another-secret-key-0123456789abcdef"
    for verb in ("check", "explain"):
        said = ask(chat, f"{verb} {chat.approvals.target}")
        assert "Not answered" in said
        assert "AuthFailure" not in said


@pytest.mark.sampled(6)
def test_decisions_lists_the_newest(chat):
    assert "no decisions yet" in ask(chat, "decisions")
    asked = chat.approvals.asked()
    said = ask(chat, "decisions")
    assert "Approval needed" in said
    assert asked.decision_id[:8] in said


@pytest.mark.parametrize("text", ["help", "", "HELP", "/help"])
@pytest.mark.sampled(6)
def test_help_names_every_command(chat, text):
    said = ask(chat, text)
    assert all(verb in said for verb in commands.verbs())


@pytest.mark.sampled(3)
def test_a_command_that_does_not_exist_is_answered_with_those_that_do(chat):
    assert "no such command" in ask(chat, "delete everything")


@pytest.mark.parametrize("verb", ["approve", "deny"])
@pytest.mark.sampled(12)
def test_a_text_alone_decides_nothing(chat, verb):
    asked = chat.approvals.asked()
    said = ask(chat, f"{verb} {asked.approval_id}")
    assert asked.approval_id[:8] in said
    assert (chat.state(asked), chat.approvals.is_deleted) == ("pending", False)


@pytest.mark.parametrize("user", ["W333", "W444"])
@pytest.mark.sampled(12)
def test_who_may_not_approve_is_not_shown_the_buttons(chat, user):
    asked = chat.approvals.asked()
    assert "may not answer" in ask(chat, f"approve {asked.approval_id}", user=user)


@pytest.mark.sampled(6)
def test_a_request_that_is_over_is_not_shown_with_buttons(chat):
    asked = chat.approvals.asked()
    chat.approvals.clock.pass_(86401)
    assert "has expired" in ask(chat, f"approve {asked.approval_id}")


@pytest.mark.sampled(3)
def test_an_id_that_nobody_has_is_unknown(chat):
    assert "no such approval" in ask(chat, "approve 00000000")


@pytest.mark.parametrize("user", ["W999", "", "ada"])
@pytest.mark.sampled(16)
def test_who_is_not_mapped_is_answered_nothing(chat, user):
    chat.approvals.asked()
    assert "people whom the policy maps" in ask(chat, "decisions", user=user)


def test_a_user_of_another_tenant_is_answered_nothing(chat):
    if chat.service.kind == "wecom":
        pytest.skip("another company's message is refused as a whole")
    assert "people whom the policy maps" in ask(chat, "decisions", tenant="T999")


@pytest.mark.sampled(3)
def test_commands_are_limited_per_person_and_minute(chat):
    chat.approvals.clock.now_s = 1_800_000_000.0 - 1_800_000_000.0 % 60
    for _ in range(commands.PER_MINUTE):
        assert "Commands:" in ask(chat, "help")
    assert "Too many" in ask(chat, "help")
    assert "Commands:" in ask(chat, "help", user="W222")
    chat.approvals.clock.pass_(60)
    assert "Commands:" in ask(chat, "help")


@pytest.mark.parametrize("kind", list(SERVICES))
@pytest.mark.sampled(6)
def test_answers_are_in_the_channels_language(tmp_path, kind):
    with chat_harness(kind, tmp_path, language="zh") as chat:
        assert "命令" in ask(chat, "help")
        assert "引用了" in ask(chat, f"check {chat.approvals.target}")


def test_dingtalk_an_answer_to_a_text_has_no_token(tmp_path):
    """Its signature covers no body: who forges one must not be handed a button for it."""
    with chat_harness("dingtalk", tmp_path) as chat:
        asked = chat.approvals.asked()
        response = chat.call(chat.service.command(f"approve {asked.approval_id}"))
        assert b"v1.W" not in response.body
        assert b"token" not in response.body


def test_dingtalk_an_address_that_a_message_names_is_not_called(tmp_path):
    with chat_harness("dingtalk", tmp_path) as chat:
        chat.call(chat.service.command("help"))
        assert chat.service.asked == []


@pytest.mark.sampled(4)
@pytest.mark.parametrize("kind", list(SERVICES))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=st.one_of(TEXTS, st.sampled_from(commands.verbs()).flatmap(with_arguments)))
def test_no_text_breaks_a_command(tmp_path_factory, kind, text):
    with chat_harness(kind, tmp_path_factory.mktemp("chat")) as chat:
        kept = chat.approvals.kept()
        words = Command("W111", "T111", text, "C111")
        channel = kinds()[kind]
        answer = commands.run(words, channel, chat.setup, chat.context())
        assert all(line.isprintable() or "\u2068" in line for line in answer.lines)
        assert chat.approvals.kept() == kept
