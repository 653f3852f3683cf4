"""What is sent, what a refusal means, and that a message is sent once."""

from __future__ import annotations

import json

import httpx
import pytest
from msgspec.structs import replace

from sgguard.approvals import expire_all
from sgguard.chat import access, deliver, post, preview
from sgguard.chat.base import Setup, kinds, setup_of
from sgguard.chat.web import line_of
from sgguard.engine.execute import Executor
from sgguard.errors import (
    BusyError,
    CloudError,
    EventError,
    SettingsError,
    ThrottledError,
    UnavailableError,
    UnreachableError,
)
from sgguard.model.event import Event
from sgguard.policy.channel import Route, routed
from sgguard.store.notices import Notice, Telling
from tests.chat.documents import CASES, document
from tests.chat.harness import chat_harness
from tests.chat.services import SERVICES

WEBHOOKS = {
    "slack": {"URL": "https://hooks.slack.com/services/T/B/x"},
    "lark": {"URL": "https://open.feishu.cn/open-apis/bot/v2/hook/x", "SECRET": "SECwebhook"},
    "dingtalk": {
        "URL": "https://oapi.dingtalk.com/robot/send?access_token=x",
        "SECRET": "SECguardtestsecret",
    },
    "wecom": {"URL": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=robot-key-1"},
    "teams": {},
}


@pytest.fixture(params=list(SERVICES))
def webhook(request, tmp_path):
    """Each channel, with an address that only takes messages."""
    with chat_harness(request.param, tmp_path, way="webhook") as given:
        given.env |= {f"SGGUARD_CHAT_OPS_{k}": v for k, v in WEBHOOKS[request.param].items()}
        yield given


def send(given, found=None):
    return deliver.send(found or document(), "grace", given.setup, given.context())


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.sampled(6)
def test_an_app_sends_every_case(chat, case):
    send(chat, CASES[case])
    assert chat.service.asked


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.sampled(6)
def test_a_webhook_sends_every_case(webhook, case):
    send(webhook, CASES[case])
    assert len(webhook.service.asked) == 1


@pytest.mark.sampled(3)
def test_a_message_of_an_app_is_updated_in_place_where_the_chat_can(chat):
    channel, setup = kinds()[chat.service.kind], chat.setup
    line = line_of(channel, chat.context())
    sent = send(chat)
    body = deliver.rendered(CASES["done"], "grace", channel, setup, chat.context())
    assert channel.update(sent, body, setup, line) == (chat.service.kind != "teams")


@pytest.mark.sampled(3)
def test_a_message_of_a_webhook_cannot_be_updated(webhook):
    channel, setup = kinds()[webhook.service.kind], webhook.setup
    sent = send(webhook)
    body = deliver.rendered(CASES["done"], "grace", channel, setup, webhook.context())
    assert not channel.update(sent, body, setup, line_of(channel, webhook.context()))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (httpx.Response(429, headers={"Retry-After": "7"}), ThrottledError),
        (httpx.Response(500), UnavailableError),
        (httpx.Response(502, text="<html>"), UnavailableError),
        (httpx.Response(403, text="invalid_token"), CloudError),
        (httpx.ConnectTimeout("slow"), UnreachableError),
        (httpx.ReadTimeout("slow"), UnreachableError),
    ],
    ids=["429", "500", "502", "403", "no connection", "no answer"],
)
def test_a_fault_of_the_service_is_the_error_it_means(webhook, fault, error):
    webhook.service.faults = [fault]
    with pytest.raises(error) as refused:
        send(webhook)
    assert "s3cret" not in str(refused.value)
    assert "robot-key-1" not in str(refused.value)
    assert "access_token" not in str(refused.value)
    if isinstance(fault, httpx.Response) and fault.status_code == 429:
        assert refused.value.retry_after_s == 7


@pytest.mark.parametrize("body", [b"", b"ok", b"[]", b'{"code":null}', b'{"errcode":"0"}', b"{}"])
@pytest.mark.sampled(6)
def test_a_success_that_does_not_say_so_is_none(webhook, body):
    if webhook.service.kind in ("slack", "teams"):
        pytest.skip("its status is the whole of its answer")
    webhook.service.faults = [httpx.Response(200, content=body)]
    with pytest.raises(CloudError):
        send(webhook)


@pytest.mark.sampled(3)
def test_too_often_is_told_from_other_refusals(chat):
    send(chat)
    chat.service.per_minute = 0
    with pytest.raises(ThrottledError):
        send(chat)


@pytest.mark.sampled(3)
def test_an_access_token_is_asked_for_once(chat):
    send(chat)
    send(chat)
    asked = [path for _, path, _ in chat.service.asked if "oken" in path]
    assert len(asked) == (0 if chat.service.kind in ("slack", "teams") else 1)


def test_a_secret_that_is_missing_is_named(chat):
    chat.env = {}
    with pytest.raises(SettingsError, match="SGGUARD_CHAT_OPS_"):
        send(chat)


def test_teams_an_address_of_anybody_else_is_refused_and_not_repeated(tmp_path):
    with chat_harness("teams", tmp_path) as given:
        for url in (
            "https://evil.example/workflows?sig=abcdefgh",
            "https://prod.logic.azure.com.evil.example/?sig=abcdefgh",
            "http://prod-01.westus.logic.azure.com/?sig=abcdefgh",
            "https://[::1",
        ):
            given.env["SGGUARD_CHAT_OPS_URL"] = url
            with pytest.raises(SettingsError) as refused:
                send(given)
            assert "abcdefgh" not in str(refused.value)
        assert given.service.asked == []


# -- the event -----------------------------------------------------------------------------------


def chat_notice(decision_id: str) -> Notice:
    key = f"chat:{decision_id}:ops"
    return Notice(key, "chat", decision_id, "ops", key, renews=True)


def handled(given, decision_id: str):
    (found,) = deliver.handle([(decision_id, Event("e1", {}, "/bus"))], given.context())
    if isinstance(found, Exception):
        raise found
    return found


@pytest.mark.sampled(3)
def test_the_event_sends_the_message_of_a_decision_once(chat):
    asked = chat.approvals.asked()
    found = handled(chat, asked.decision_id)
    assert [one["channel"] for one in found["sent"]] == ["ops"]
    number = len(chat.service.asked)
    assert handled(chat, asked.decision_id)["sent"] == found["sent"]
    assert len(chat.service.asked) == number


@pytest.mark.sampled(3)
def test_what_a_decision_became_is_another_message(chat):
    asked = chat.approvals.asked()
    handled(chat, asked.decision_id)
    number = len(chat.service.asked)
    chat.approvals.clock.pass_(90000)
    expire_all(Executor.of(chat.context()))
    handled(chat, asked.decision_id)
    assert len(chat.service.asked) > number


@pytest.mark.sampled(6)
def test_a_message_that_was_not_sent_is_sent_by_the_next_event(chat):
    asked = chat.approvals.asked()
    chat.service.faults = [httpx.Response(500)]
    with pytest.raises(UnavailableError):
        handled(chat, asked.decision_id)
    assert handled(chat, asked.decision_id)["sent"]


@pytest.mark.sampled(3)
def test_a_channel_that_fails_does_not_keep_the_message_from_the_others(chat):
    other = replace(chat.channels[0], name="dead")
    chat.channels = (other, *chat.channels)
    asked = chat.approvals.asked()
    context = chat.context()
    policy = replace(context.policy, routes=(Route(("dead", "ops")),))
    (found,) = deliver.handle(
        [(asked.decision_id, Event("e1", {}, "/bus"))], replace(context, policy=policy)
    )
    assert isinstance(found, SettingsError)
    assert chat.service.asked


def test_a_decision_that_nobody_made_is_unknown(chat):
    with pytest.raises(EventError) as refused:
        handled(chat, "nothing")
    assert refused.value.status == 404


@pytest.mark.sampled(3)
def test_a_message_that_another_instance_sends_is_left_to_it(chat):
    asked = chat.approvals.asked()
    store = chat.approvals.store
    store.notify(asked.decision_id, Telling((chat_notice(asked.decision_id),)))
    assert store.take_notices("chat", owner="other", lease_s=60)
    with pytest.raises(BusyError):
        handled(chat, asked.decision_id)
    assert chat.service.asked == []


# -- routes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "fits"),
    [
        ({}, True),
        ({"provider": "tencent*"}, True),
        ({"provider": "alibaba"}, False),
        ({"region": "ap-*"}, True),
        ({"region": "eu-*"}, False),
        ({"account": ""}, True),
        ({"account": "123"}, False),
        ({"name": "bast*"}, True),
        ({"name": "web*"}, False),
        ({"tag": "env=*"}, True),
        ({"tag": "env=lab"}, False),
        ({"verdict": ("remediate",)}, True),
        ({"verdict": ("allow", "block")}, False),
        ({"outcome": ("pending",)}, True),
        ({"outcome": ("remediated",)}, False),
        ({"region": "ap-*", "name": "web*"}, False),
    ],
)
def test_a_route_takes_what_every_pattern_fits(route, fits):
    found = document()
    found["facts"]["groups"][0]["tags"] = [{"key": "env", "value": "prod"}]
    assert routed((Route(("a",), **route),), found) == (("a",) if fits else ())


def test_a_group_whose_name_or_tags_are_not_told_may_fit():
    found = document()
    found["facts"]["groups"][0] |= {"name": None, "tags": None}
    assert routed((Route(("a",), name="web*", tag="x=y"),), found) == ("a",)


def test_a_default_takes_what_no_other_route_takes():
    default = Route(("all",), is_default=True)
    assert routed((Route(("a",), provider="alibaba"), default), document()) == ("all",)
    assert routed((Route(("a",)), default), document()) == ("a",)


def test_every_channel_of_every_fitting_route_once():
    routes = (Route(("a", "b")), Route(("b", "c")))
    assert routed(routes, document()) == ("a", "b", "c")


# -- test and preview ------------------------------------------------------------------------------


def test_every_code_that_means_too_often_is_one(chat):
    channel = kinds()[chat.service.kind]
    assert not set(channel.hints) & post._THROTTLED


@pytest.mark.sampled(6)
def test_a_preview_has_no_secret_and_all_of_the_text(chat):
    asked = chat.approvals.asked()
    channel = kinds()[chat.service.kind]
    body = preview.body(chat.document(asked), "eve", channel, chat.setup, chat.context())
    assert "v1.W" not in json.dumps(body)
    said = "\n".join(preview.text(body))
    assert "databases" in said
    assert preview.SECRET not in said


def test_tokens_of_services_are_forgotten_on_demand(tmp_path):
    with chat_harness("wecom", tmp_path) as given:
        send(given)
        access.forget()
        send(given)
        asked = [path for _, path, _ in given.service.asked if path.endswith("/gettoken")]
        assert len(asked) == 2


def test_a_reader_alone_gets_a_link_and_only_where_there_are_no_buttons(tmp_path):
    with chat_harness("teams", tmp_path, reader="ada") as given:
        given.env["SGGUARD_APPROVAL_URL"] = "https://guard.example/approval"
        asked = given.approvals.asked()
        link = "https://guard.example/approval?token="
        assert link in json.dumps(given.body(asked))
        # A reader who may not approve gets none: eve asked for it herself.
        assert link not in json.dumps(given.body(asked, reader="eve"))
        assert link not in json.dumps(given.body(asked, reader=""))


def test_setups_of_two_channels_do_not_share_secrets():
    env = {"SGGUARD_CHAT_A_SECRET": "one-secret", "SGGUARD_CHAT_A_B_SECRET": "two-secret"}
    policy = SERVICES["slack"](lambda: 0.0).policy()
    a, b = (setup_of(replace(policy, name=name), env) for name in ("a", "a-b"))
    assert (a.every("SECRET"), b.every("SECRET")) == (("one-secret",), ("two-secret",))
    assert "one-secret" not in repr(a)
    assert isinstance(a, Setup)
