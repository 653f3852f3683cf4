"""A test of a channel goes the way of every message, and says what is wrong with the channel."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from sgguard.chat import preview, trial
from sgguard.chat.base import kinds
from sgguard.engine.context import Context
from sgguard.engine.delivery import deliverer
from sgguard.errors import BusyError, CloudError, SettingsError
from sgguard.operations.doctor.outbox import examine_outbox
from sgguard.outbox.what import telling
from tests.chat.harness import ChatHarness, chat_harness


def hint(given: ChatHarness, context: Context | None = None) -> str:
    with pytest.raises(CloudError) as refused:
        trial.send("ops", context or given.context())
    return preview.hint(refused.value, kinds()[given.service.kind], given.setup)


def test_a_test_is_a_message_of_the_outbox(chat):
    kept = trial.send("ops", chat.context())
    [row] = chat.approvals.store.notices()
    assert (row.kind, row.destination, row.state) == ("chat", "ops", "delivered")
    assert bool(kept.message_id) == (chat.service.kind != "teams")
    said = str(chat.service.asked[-1][2])
    assert "ops" in said
    assert "nothing was asked" in said.replace("\\u0020", " ")


def test_a_test_counts_against_the_limit_of_the_channel(tmp_path):
    with chat_harness("slack", tmp_path, per_minute=1) as given:
        trial.send("ops", given.context())
        with pytest.raises(BusyError, match="limit"):
            trial.send("ops", given.context())
        assert len(given.service.asked) == 1


def test_a_test_that_failed_is_not_sent_later_and_is_no_failure_of_the_channel(chat):
    chat.service.faults = [httpx.Response(500)] * 2
    with pytest.raises(CloudError):
        trial.send("ops", chat.context())
    store = chat.approvals.store
    assert store.waiting_notices()[1] == 0
    assert store.failing_places() == ()
    assert [one.state for one in store.notices()] == ["dropped"]


def test_a_test_that_is_taken_shows_that_the_channel_works_again(tmp_path):
    with chat_harness("slack", tmp_path) as given:
        store = given.approvals.store
        store.place_failed("chat", "ops", "invalid_auth")
        store.hold_place("chat", "ops", 300.0)
        trial.send("ops", given.context())
        assert store.failing_places() == ()


def test_a_secret_that_is_missing_is_named(chat):
    chat.env = {}
    with pytest.raises(SettingsError, match="SGGUARD_CHAT_OPS_"):
        trial.send("ops", chat.context())


# What is wrong with a channel, as its service finds it out itself, and the words that must be told.
WRONG: dict[str, list[tuple[dict[str, str], dict[str, Any], str]]] = {
    "slack": [
        ({"TOKEN": "xoxb-another"}, {}, "SGGUARD_CHAT_OPS_TOKEN"),
        ({}, {"chat": "C999"}, "chat "),
    ],
    "lark": [
        ({"APP_SECRET": "another"}, {}, "SGGUARD_CHAT_OPS_APP_SECRET"),
        ({}, {"app": "cli_another"}, "app is another one"),
        ({}, {"chat": "oc_999"}, "chat "),
    ],
    "dingtalk": [
        ({"APP_SECRET": "another"}, {}, "SGGUARD_CHAT_OPS_APP_SECRET"),
        ({}, {"chat": "cid999"}, "chat, app or template"),
    ],
    "wecom": [
        ({"APP_SECRET": "another"}, {}, "SGGUARD_CHAT_OPS_APP_SECRET"),
        ({}, {"tenant": "T999"}, "tenant is another company"),
        ({}, {"chat": "nobody"}, "chat "),
    ],
}


@pytest.mark.parametrize(
    ("kind", "secrets", "config", "told"),
    [(kind, *one) for kind, cases in WRONG.items() for one in cases],
)
@pytest.mark.sampled(4)
def test_what_is_wrong_is_named(tmp_path, kind, secrets, config, told):
    with chat_harness(kind, tmp_path, **config) as given:
        given.env |= {f"SGGUARD_CHAT_OPS_{key}": value for key, value in secrets.items()}
        assert told in hint(given)


def test_teams_the_address_of_another_workflow_is_named(tmp_path):
    with chat_harness("teams", tmp_path) as given:
        wrong = "https://prod-01.westus.logic.azure.com/workflows/abc?sig=other"
        given.env["SGGUARD_CHAT_OPS_URL"] = wrong
        assert "SGGUARD_CHAT_OPS_URL" in hint(given)


# What a service says of things that a fake does not know, and the words that must be told.
SAID = {
    "slack": [
        (200, {"ok": False, "error": "missing_scope"}, "scope chat:write"),
        (200, {"ok": False, "error": "not_in_channel"}, "invite it"),
        (200, {"ok": False, "error": "token_revoked"}, "SGGUARD_CHAT_OPS_TOKEN was revoked"),
        (200, {"ok": False, "error": "restricted_action"}, "does not let the bot write"),
    ],
    "lark": [
        (400, {"code": 99991672, "msg": "x"}, "scope im:message:send_as_bot"),
        (400, {"code": 230002, "msg": "x"}, "add it"),
        (400, {"code": 230006, "msg": "x"}, "has no bot"),
        (200, {"code": 19001, "msg": "x"}, "SGGUARD_CHAT_OPS_URL"),
        (200, {"code": 19024, "msg": "x"}, "keyword"),
    ],
    "dingtalk": [
        (
            403,
            {"code": "Forbidden.AccessDenied.AccessTokenPermissionDenied"},
            "scope Card.Instance.Write",
        ),
        (400, {"code": "invalidClientIdOrSecret"}, "SGGUARD_CHAT_OPS_APP_SECRET"),
    ],
    "wecom": [
        (200, {"errcode": 301002}, "app is not the id of the agent"),
        (200, {"errcode": 60020}, "machine's address"),
        (200, {"errcode": 81013}, "chat names nobody"),
        (200, {"errcode": 48002}, "permission to send"),
    ],
    "teams": [
        (401, {"error": {"code": "DirectApiAuthorizationRequired"}}, "SGGUARD_CHAT_OPS_URL"),
        (403, {"error": {"code": "WorkflowTriggerIsNotEnabled"}}, "switched off"),
        (404, {}, "removed"),
    ],
}


@pytest.mark.parametrize(
    ("kind", "status", "body", "told"),
    [(kind, *one) for kind, cases in SAID.items() for one in cases],
)
@pytest.mark.sampled(6)
def test_what_a_service_refuses_is_explained(tmp_path, kind, status, body, told):
    with chat_harness(kind, tmp_path) as given:
        given.service.faults = [httpx.Response(status, json=body)]
        assert told in hint(given)


def test_every_hint_names_a_secret_or_what_to_do():
    for channel in kinds().values():
        for code, (part, what) in channel.hints.items():
            assert code
            assert what.split()[0] in ("is", "has", "gave", "was", "lacks") if part else what


# -- access tokens ---------------------------------------------------------------------------------

STALE = {
    "lark": (400, {"code": 99991663, "msg": "invalid token"}),
    "dingtalk": (401, {"code": "InvalidAuthentication"}),
    "wecom": (200, {"errcode": 42001}),
}


@pytest.mark.parametrize("kind", list(STALE))
def test_a_token_that_holds_no_more_is_asked_for_anew(tmp_path, kind):
    """A vendor may end a token before its time, as when the secret is changed."""
    with chat_harness(kind, tmp_path) as given:
        trial.send("ops", given.context())
        status, body = STALE[kind]
        given.service.faults = [httpx.Response(status, json=body)]
        with pytest.raises(CloudError):
            trial.send("ops", given.context())
        trial.send("ops", given.context())
        asked = [path for _, path, _ in given.service.asked if "oken" in path]
        assert len(asked) == 2


@pytest.mark.parametrize("kind", list(STALE))
@pytest.mark.sampled(2)
def test_another_refusal_keeps_the_token(tmp_path, kind):
    with chat_harness(kind, tmp_path) as given:
        trial.send("ops", given.context())
        given.service.faults = [given.service.too_often()]
        with pytest.raises(CloudError):
            trial.send("ops", given.context())
        trial.send("ops", given.context())
        assert len([path for _, path, _ in given.service.asked if "oken" in path]) == 1


def test_dingtalk_a_limit_of_the_api_is_no_refusal(tmp_path):
    with chat_harness("dingtalk", tmp_path) as given:
        said = {"code": "Forbidden.AccessDenied.QpsLimitForApi"}
        given.service.faults = [httpx.Response(403, json=said)]
        with pytest.raises(CloudError) as refused:
            trial.send("ops", given.context())
        assert refused.value.is_retryable


@pytest.mark.sampled(3)
def test_a_channel_of_another_name_is_not_tested(chat):
    channels = (replace(chat.channels[0], name="other"),)
    policy = replace(chat.context().policy, channels=channels)
    with pytest.raises(BusyError, match="no such channel"):
        trial.send("ops", chat.context(policy=policy))


# -- a success with a failure inside -----------------------------------------------------------


def test_wecom_readers_that_were_not_reached_are_named(tmp_path):
    with chat_harness("wecom", tmp_path, chat="C111|W404|W405") as given:
        assert trial.send("ops", given.context()).missed == ("W404", "W405")
        [place] = given.approvals.store.failing_places()
        assert place.problem == "reached only in part: W404, W405"
        [found] = examine_outbox(given.approvals.store)
        assert "chat ops does not reach everybody since" in found.message
        assert "W404, W405" in found.message


def test_wecom_a_message_that_reached_some_is_not_sent_twice_and_the_channel_shows_it(tmp_path):
    with chat_harness("wecom", tmp_path, chat="C111|W404") as given:
        asked, store = given.approvals.asked(), given.approvals.store
        told = telling(given.document(asked), "eve", given.context().policy)
        store.notify(asked.decision_id, told)
        assert [one.what for one in deliverer(given.context()).drain()] == ["sent"]
        assert [one.state for one in store.notices()] == ["delivered"]
        assert [path for _, path, _ in given.service.asked].count("/cgi-bin/message/send") == 1
        assert [one.destination for one in store.failing_places()] == ["ops"]


def test_dingtalk_a_card_that_came_to_no_chat_is_refused(tmp_path):
    with chat_harness("dingtalk", tmp_path) as given:
        given.service.is_in_group = False
        assert "is the robot in the one that chat names" in hint(given)


GARBAGE = {
    "a page": httpx.Response(
        200, text="<html>Log in</html>", headers={"Content-Type": "text/html"}
    ),
    "a list": httpx.Response(200, json=[1]),
    "a number": httpx.Response(200, json=0),
    "half a document": httpx.Response(200, content=b'{"ok": tr'),
    "another object": httpx.Response(200, json={"hello": "world"}),
    "bytes": httpx.Response(200, content=b"\xff\xfe\x00"),
}


@pytest.mark.parametrize("case", list(GARBAGE))
@pytest.mark.sampled(6)
def test_a_success_that_is_not_the_services_is_none(chat, case):
    if chat.service.kind == "teams" and case != "a page":
        pytest.skip("a workflow may answer with anything that it was built to say")
    chat.service.faults = [GARBAGE[case]] * 3
    with pytest.raises(CloudError):
        trial.send("ops", chat.context())


def test_slack_a_webhook_that_does_not_say_ok_took_nothing(tmp_path):
    with chat_harness("slack", tmp_path, way="webhook") as given:
        given.env["SGGUARD_CHAT_OPS_URL"] = "https://hooks.slack.com/services/T/B/x"
        assert trial.send("ops", given.context()).missed == ()
        given.service.faults = [GARBAGE["a page"]] * 3
        with pytest.raises(CloudError):
            trial.send("ops", given.context())
