"""A click decides once, by our token and the list of approvers; everything else has no effect."""

from __future__ import annotations

import base64
import dataclasses
import json

import pytest
from msgspec.structs import replace

from sgguard.approvals import link, web
from sgguard.approvals.link import LinkToken
from sgguard.chat import cipher, deliver, token
from sgguard.chat.base import kinds
from sgguard.errors import EventError, SettingsError, SgguardError
from sgguard.model.event import Event
from sgguard.operations import restore
from sgguard.render.language.message import of_document
from tests.approvals.harness import KEY
from tests.chat.harness import chat_harness
from tests.chat.services import Pressed


@pytest.mark.sampled(4)
def test_an_approvers_click_carries_the_plan_out_and_shows_the_outcome(buttons):
    asked = buttons.approvals.asked()
    said = buttons.said(buttons.call(buttons.service.click(buttons.pressed(asked))))
    assert buttons.approvals.is_deleted
    assert buttons.approvals.approval(asked.approval_id).resolved_by == "ada"
    assert "Done" in said


@pytest.mark.sampled(3)
def test_a_click_on_deny_changes_nothing_in_the_cloud(buttons):
    asked = buttons.approvals.asked()
    said = buttons.said(buttons.call(buttons.service.click(buttons.pressed(asked, "deny"))))
    assert (buttons.state(asked), buttons.approvals.is_deleted) == ("denied", False)
    assert "Denied" in said


@pytest.mark.sampled(3)
def test_a_button_of_something_decided_does_nothing_and_says_so(buttons):
    asked = buttons.approvals.asked()
    pressed = buttons.pressed(asked)
    buttons.call(buttons.service.click(buttons.pressed(asked, "deny")))
    other = dataclasses.replace(pressed, user="W222")
    said = buttons.said(buttons.call(buttons.service.click(other)))
    assert (buttons.state(asked), buttons.approvals.is_deleted) == ("denied", False)
    assert "Denied" in said or "Nothing was done" in said


@pytest.mark.sampled(3)
def test_a_callback_that_is_delivered_again_has_one_effect_and_the_same_answer(buttons):
    asked = buttons.approvals.asked()
    click = buttons.service.click(buttons.pressed(asked, "deny"))
    first = buttons.approvals.document(asked)
    assert first["outcome"] == "pending"
    buttons.call(click)
    kept = buttons.approvals.kept()
    buttons.call(click)
    assert buttons.approvals.kept() == kept


@pytest.mark.sampled(6)
def test_a_message_whose_request_expired_says_so_when_it_is_pressed(buttons):
    asked = buttons.approvals.asked()
    pressed = buttons.pressed(asked)
    buttons.approvals.clock.pass_(86401)
    said = buttons.said(buttons.call(buttons.service.click(pressed)))
    assert (buttons.state(asked), buttons.approvals.is_deleted) == ("expired", False)
    assert buttons.document(asked)["outcome"] == "refused"
    assert "Expired" in said


@pytest.mark.sampled(6)
def test_facts_that_changed_give_a_new_request_with_buttons_of_its_own(buttons):
    asked = buttons.approvals.asked()
    pressed = buttons.pressed(asked)
    buttons.approvals.add_reference()
    said = buttons.said(buttons.call(buttons.service.click(pressed)))
    assert (buttons.state(asked), buttons.approvals.is_deleted) == ("superseded", False)
    assert "new request" in said or "Approval" in said
    [fresh] = buttons.approvals.store.approvals("pending")
    buttons.call(buttons.service.click(buttons.pressed(fresh)))
    assert buttons.approvals.is_deleted


@pytest.mark.sampled(3)
def test_a_halt_leaves_the_request_open(buttons):
    asked = buttons.approvals.asked()
    pressed = buttons.pressed(asked)
    buttons.approvals.store.halt("carol", "change freeze")
    said = buttons.said(buttons.call(buttons.service.click(pressed)))
    assert buttons.state(asked) == "pending"
    assert "Nothing" in said


# -- no effect ---------------------------------------------------------------------------------


def other_request(given):
    """A second request, about the same group under another event."""
    return given.approvals.asked(event_id="order-8")


def flipped(text: str) -> str:
    """A token whose payload is spelt differently and whose signature stays."""
    version, payload, signature = text.split(".")
    plain = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    spaced = json.dumps(json.loads(plain)).encode()
    return ".".join((version, base64.urlsafe_b64encode(spaced).rstrip(b"=").decode(), signature))


def with_action(text: str, action: str) -> str:
    version, payload, signature = text.split(".")
    fields = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    fields[2] = action
    plain = json.dumps(fields, separators=(",", ":")).encode()
    return ".".join((version, base64.urlsafe_b64encode(plain).rstrip(b"=").decode(), signature))


def link_token(given, asked) -> str:
    """The token of a personal link: good on the web, and no button."""
    return web.link(asked.approval_id, "ada", "approve", given.context())


def other_channels(given, asked) -> str:
    """A button of another channel, signed with the same key."""
    config = replace(given.channels[0], name="other")
    setup = replace(given.setup, config=config)
    message = of_document(given.document(asked), "eve")
    return token.shown(message, kinds()[config.kind], setup, given.context()).tokens.approve


FORGED = {
    "no token": lambda p, g, a: dataclasses.replace(p, token=""),
    "a word": lambda p, g, a: dataclasses.replace(p, token="approve"),
    "an id": lambda p, g, a: dataclasses.replace(p, token=a.approval_id),
    "cut": lambda p, g, a: dataclasses.replace(p, token=p.token[:-1]),
    "longer": lambda p, g, a: dataclasses.replace(p, token=p.token + "A"),
    "padded": lambda p, g, a: dataclasses.replace(p, token=p.token + "="),
    "upper case": lambda p, g, a: dataclasses.replace(p, token=p.token.upper()),
    "spelt anew": lambda p, g, a: dataclasses.replace(p, token=flipped(p.token)),
    "the other action": lambda p, g, a: dataclasses.replace(p, token=with_action(p.token, "deny")),
    "version 2": lambda p, g, a: dataclasses.replace(p, token="v2" + p.token[2:]),
    "no version": lambda p, g, a: dataclasses.replace(p, token=p.token[3:]),
    "twice": lambda p, g, a: dataclasses.replace(p, token=p.token + p.token),
    "spaces": lambda p, g, a: dataclasses.replace(p, token=f" {p.token} "),
    "full width": lambda p, g, a: dataclasses.replace(p, token=p.token.replace("1", "１")),
    "a link": lambda p, g, a: dataclasses.replace(p, token=link_token(g, a)),
    "of another channel": lambda p, g, a: dataclasses.replace(p, token=other_channels(g, a)),
    "an unknown user": lambda p, g, a: dataclasses.replace(p, user="W999"),
    "no user": lambda p, g, a: dataclasses.replace(p, user=""),
    "a name for a user": lambda p, g, a: dataclasses.replace(p, user="ada"),
    "no approver": lambda p, g, a: dataclasses.replace(p, user="W444"),
    "the requester": lambda p, g, a: dataclasses.replace(p, user="W333"),
    "another tenant": lambda p, g, a: dataclasses.replace(p, tenant="T999"),
    "no tenant": lambda p, g, a: dataclasses.replace(p, tenant=""),
    "very long": lambda p, g, a: dataclasses.replace(p, token="v1." + "A" * 5000 + ".B"),
}


@pytest.mark.parametrize("case", list(FORGED))
@pytest.mark.sampled(96)
def test_a_callback_with_something_forged_has_no_effect(buttons, case):
    asked = buttons.approvals.asked()
    pressed = FORGED[case](buttons.pressed(asked), buttons, asked)
    before = buttons.approvals.kept()
    buttons.tried(buttons.service.click(pressed))
    assert buttons.state(asked) == "pending"
    assert not buttons.approvals.is_deleted
    assert buttons.approvals.kept() == before


@pytest.mark.sampled(3)
def test_a_button_in_the_message_of_another_request_has_no_effect(buttons):
    asked, other = buttons.approvals.asked(), other_request(buttons)
    pressed = dataclasses.replace(buttons.pressed(asked), approval=other.approval_id)
    buttons.tried(buttons.service.click(pressed))
    assert {buttons.state(asked), buttons.state(other)} == {"pending"}


@pytest.mark.sampled(3)
def test_a_button_that_says_another_action_than_its_token_has_no_effect(buttons):
    asked = buttons.approvals.asked()
    if buttons.service.kind == "wecom":
        pytest.skip("its callbacks do not say which button it was")
    pressed = dataclasses.replace(buttons.pressed(asked, "approve"), action="deny")
    buttons.call(buttons.service.click(pressed))
    assert buttons.state(asked) == "pending"


@pytest.mark.sampled(3)
def test_a_button_of_other_facts_has_no_effect(buttons):
    asked = buttons.approvals.asked()
    given = LinkToken(asked.approval_id, "0" * 64, "approve", "ops", int(asked.expires_at_s))
    signed = link.sign(given, (KEY,), b"sgguard-chat.")
    buttons.call(buttons.service.click(Pressed(signed, "approve", asked.approval_id)))
    assert (buttons.state(asked), buttons.approvals.is_deleted) == ("pending", False)


WRONG_SECRETS = {
    "slack": {"secret": "0" * 32},
    "lark": {"key": "another-key"},
    "dingtalk": {"secret": "another"},
    "wecom": {"token": "another"},
}


@pytest.mark.sampled(6)
def test_a_callback_signed_with_another_secret_has_no_effect(buttons):
    asked = buttons.approvals.asked()
    wrong = WRONG_SECRETS[buttons.service.kind]
    refused = buttons.tried(buttons.service.click(buttons.pressed(asked), **wrong))
    assert isinstance(refused, SgguardError)
    assert buttons.state(asked) == "pending"


WINDOW = {"slack": 300, "lark": 300, "dingtalk": 3600, "wecom": 300}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.sampled(8)
def test_a_callback_outside_its_window_has_no_effect(buttons, sign):
    asked = buttons.approvals.asked()
    window = WINDOW[buttons.service.kind]
    at_s = buttons.approvals.clock.now_s + sign * (window + 2)
    refused = buttons.tried(buttons.service.click(buttons.pressed(asked), at_s=at_s))
    assert isinstance(refused, SgguardError)
    assert buttons.state(asked) == "pending"
    at_s = buttons.approvals.clock.now_s + sign * (window - 2)
    buttons.call(buttons.service.click(buttons.pressed(asked, "deny"), at_s=at_s))
    assert buttons.state(asked) == "denied"


@pytest.mark.parametrize("change", ["body", "byte", "header", "no headers"])
@pytest.mark.sampled(16)
def test_a_callback_that_was_changed_on_its_way_has_no_effect(buttons, change):
    asked = buttons.approvals.asked()
    given = buttons.service.click(buttons.pressed(asked))
    # DingTalk signs no body; of WeCom's only what is encrypted is signed.
    bodies = {"dingtalk": b"", "wecom": given.body.replace(b"[CDATA[", b"[CDATA[A")}
    changed = {
        "body": replace(given, body=bodies.get(buttons.service.kind, given.body + b" ")),
        "byte": replace(given, body=b"\x00" + given.body),
        "header": replace(given, headers=dict.fromkeys(given.headers, "x"), query={}),
        "no headers": replace(given, headers={}, query={}),
    }
    refused = buttons.tried(changed[change])
    assert isinstance(refused, SgguardError)
    assert buttons.state(asked) == "pending"


@pytest.mark.parametrize(
    "timestamp", ["", "abc", "1e9", "-1", "９９", "1" * 40, "18e8", " 1800000000"]
)
@pytest.mark.sampled(32)
def test_a_timestamp_that_is_no_number_is_refused_and_breaks_nothing(buttons, timestamp):
    asked = buttons.approvals.asked()
    given = buttons.service.click(buttons.pressed(asked))
    headers = {k: timestamp if "timestamp" in k else v for k, v in given.headers.items()}
    query = {k: timestamp if k == "timestamp" else v for k, v in given.query.items()}
    refused = buttons.tried(replace(given, headers=headers, query=query))
    assert isinstance(refused, SgguardError)
    assert buttons.state(asked) == "pending"


@pytest.mark.sampled(3)
def test_a_channel_without_its_secret_accepts_nothing(buttons):
    asked = buttons.approvals.asked()
    given = buttons.service.click(buttons.pressed(asked))
    buttons.env = {}
    assert isinstance(buttons.tried(given), SgguardError)
    assert buttons.state(asked) == "pending"


@pytest.mark.sampled(3)
def test_a_secret_that_is_being_rotated_is_accepted_beside_the_new_one(buttons):
    asked = buttons.approvals.asked()
    given = buttons.service.click(buttons.pressed(asked, "deny"))
    lark = {"KEY", "TOKEN"} if buttons.service.kind == "lark" else {"SECRET"}
    names = {"TOKEN"} if buttons.service.kind == "wecom" else lark
    buttons.env = {
        key: f"new-secret-1234,{value}" if key.rpartition("OPS_")[2] in names else value
        for key, value in buttons.env.items()
    }
    buttons.call(given)
    assert buttons.state(asked) == "denied"


@pytest.mark.sampled(3)
def test_a_callback_that_names_another_channel_has_no_effect(buttons):
    asked = buttons.approvals.asked()
    refused = buttons.tried(buttons.service.click(buttons.pressed(asked)), channel="other")
    assert isinstance(refused, SgguardError)
    assert buttons.state(asked) == "pending"


@pytest.mark.sampled(3)
def test_of_two_chats_of_one_app_the_one_of_the_token_decides(buttons):
    first = buttons.channels[0]
    buttons.channels = (replace(first, name="dev", users={}), first)
    buttons.env |= {k.replace("_OPS_", "_DEV_"): v for k, v in buttons.env.items()}
    asked = buttons.approvals.asked()
    setup_first = buttons.channels
    buttons.channels = (first,)
    pressed = buttons.pressed(asked, "deny")
    buttons.channels = setup_first
    buttons.call(buttons.service.click(pressed))
    assert buttons.state(asked) == "denied"


def test_dingtalk_a_pair_of_time_and_signature_signs_one_body_only(tmp_path):
    with chat_harness("dingtalk", tmp_path) as given:
        asked = given.approvals.asked()
        refused = given.service.click(dataclasses.replace(given.pressed(asked), user="W999"))
        given.call(refused)
        forged = given.service.click(given.pressed(asked))
        given.tried(replace(forged, headers=refused.headers))
        assert given.state(asked) == "pending"


def test_wecom_a_message_with_a_document_type_is_refused(tmp_path):
    with chat_harness("wecom", tmp_path) as given:
        asked = given.approvals.asked()
        click = given.service.click(given.pressed(asked))
        bomb = b'<!DOCTYPE x [<!ENTITY a "b">]>' + click.body
        assert isinstance(given.tried(replace(click, body=bomb)), SgguardError)
        inner = b'<!DOCTYPE x [<!ENTITY a "b">]><xml><MsgType>event</MsgType></xml>'
        assert isinstance(given.tried(given.service.signed(inner)), SgguardError)


def test_wecom_a_message_for_another_company_is_refused(tmp_path):
    with chat_harness("wecom", tmp_path) as given:
        asked = given.approvals.asked()
        click = given.service.click(given.pressed(asked), company="T999")
        assert isinstance(given.tried(click), SgguardError)
        assert given.state(asked) == "pending"


@pytest.mark.parametrize("trigger", ["automatic", "manual"])
@pytest.mark.sampled(2)
def test_teams_an_invoke_decides_nothing(tmp_path, trigger):
    with chat_harness("teams", tmp_path) as given:
        asked = given.approvals.asked()
        for action in ("approve", "deny"):
            pressed = Pressed(other_channels(given, asked), action, asked.approval_id)
            given.tried(given.service.click(pressed, trigger=trigger))
        assert given.state(asked) == "pending"


@pytest.mark.sampled(6)
def test_a_button_is_no_link(buttons):
    asked = buttons.approvals.asked()
    text = buttons.pressed(asked).token
    body = f"token={text}".encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    with pytest.raises(EventError) as refused:
        web.submit(headers, body, buttons.context())
    assert (refused.value.status, buttons.state(asked)) == (403, "pending")


@pytest.mark.parametrize("kind", ["slack", "lark"])
@pytest.mark.sampled(2)
def test_a_message_that_was_forwarded_to_another_chat_decides_nothing(tmp_path, kind):
    with chat_harness(kind, tmp_path) as given:
        asked = given.approvals.asked()
        given.call(given.service.click(given.pressed(asked, chat="C999")))
        assert given.state(asked) == "pending"


@pytest.mark.parametrize("kind", ["lark", "wecom"])
@pytest.mark.sampled(2)
def test_without_cryptography_an_encrypted_callback_is_a_setting_that_is_wrong(
    tmp_path, kind, monkeypatch
):
    class Missing:
        def __getattr__(self, name):
            raise ImportError(name)

    with chat_harness(kind, tmp_path) as given:
        asked = given.approvals.asked()
        click = given.service.click(given.pressed(asked))
        monkeypatch.setattr(cipher, "ciphers", Missing())
        refused = given.tried(click)
        assert isinstance(refused, SettingsError)
        assert "sgguard[chat]" in str(refused)


@pytest.mark.sampled(3)
def test_a_request_is_asked_answered_and_undone_from_the_chat_on(buttons):
    """The story of a channel: message, click, plan, message updated, restore."""
    asked = buttons.approvals.asked()
    event = Event("e1", {"decision_id": asked.decision_id}, "/bus")
    (sent,) = deliver.handle([(asked.decision_id, event)], buttons.context())
    assert sent["sent"][0]["channel"] == "ops"
    answered = buttons.said(buttons.call(buttons.service.click(buttons.pressed(asked))))
    assert "Done" in answered
    assert buttons.approvals.is_deleted
    # The message in the chat has no button to answer any more, and says how it ended.
    body = buttons.body(asked)
    assert {*buttons.service.tokens(body)} == {"restore"}
    assert "Done" in "\n".join(text for _, text in buttons.service.texts(body))
    restored = restore.restore(asked.decision_id, buttons.context(), by="ada")
    assert "databases" in {one.name for one in buttons.approvals.cloud.groups}
    setup = buttons.setup
    channel = kinds()[setup.config.kind]
    shown = deliver.rendered(restored, "ada", channel, setup, buttons.context())
    assert buttons.service.problems(shown) == []
    assert "[Done] Restore security group databases" in buttons.service.texts(shown)[0][1]
    assert buttons.service.tokens(buttons.body(asked)) == {}


@pytest.mark.parametrize("forged", [{"verification": "another"}, {"app": "cli_other"}])
@pytest.mark.sampled(2)
def test_lark_a_callback_of_another_app_decides_nothing(tmp_path, forged):
    with chat_harness("lark", tmp_path) as given:
        asked = given.approvals.asked()
        refused = given.tried(given.service.click(given.pressed(asked), **forged))
        assert isinstance(refused, SgguardError)
        assert given.state(asked) == "pending"
