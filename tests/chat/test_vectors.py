"""Every published vector, and the callbacks that vendors and others have recorded."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace

from sgguard.chat import cipher
from sgguard.chat.base import Inbound, Setup, kinds
from sgguard.chat.channels import dingtalk, lark
from sgguard.errors import EventError, SgguardError
from sgguard.policy.channel import ChannelPolicy
from tests.chat.harness import chat_harness

EVENTS = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "events"


def recorded(name: str):
    path = EVENTS / name
    if not path.exists():
        pytest.skip("the recorded callbacks are kept beside the repository")
    return json.loads(path.read_text(encoding="utf-8"))


def setup(kind: str, tenant: str = "T111", **secrets: str) -> Setup:
    given = {name: (value,) for name, value in secrets.items()}
    return Setup(ChannelPolicy("ops", kind, "app", tenant=tenant), given)


SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id="
    b"G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-"
    b"collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F"
    b"397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10"
    b"d2c447fce8b6703c"
)
SLACK_SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


@pytest.mark.parametrize(
    ("after_s", "holds"), [(0, True), (300, True), (301, False), (-301, False)]
)
def test_slack_the_published_signature_holds_for_five_minutes(after_s, holds):
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": "1531420618",
        "x-slack-signature": SLACK_SIGNATURE,
    }
    given = Inbound("POST", {}, headers, SLACK_BODY)
    slack = kinds()["slack"]
    secret = setup("slack", SECRET="8f742231b10e8888abcd99yyyzzz85a5")
    if not holds:
        with pytest.raises(EventError):
            slack.verify(given, secret, 1531420618 + after_s)
        return
    command = slack.command(slack.verify(given, secret, 1531420618 + after_s))
    assert (command.user, command.tenant, command.text) == ("U2CERLKJA", "T1DC2JH3J", "")


def test_lark_the_signature_of_a_custom_bot():
    assert lark.sign(1599360473, "demo") == "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="


def test_lark_the_published_text_is_decrypted():
    content = base64.b64decode("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=")
    key = hashlib.sha256(b"test key").digest()
    assert cipher.decrypt(key, content[:16], content[16:], padding=16) == b"hello world"


def test_lark_the_signature_of_an_event_is_over_bytes():
    headers = {
        "x-lark-request-timestamp": "1700000000",
        "x-lark-request-nonce": "nonce123",
        "x-lark-signature": "f7ec9474624e542d92891877b3b19f39504031c049d7cb7f23df7ba8a17f56bb",
    }
    given = Inbound("POST", {}, headers, b'{"encrypt":"abc"}')
    # The signature holds, the content is not encrypted with the key: refused after the signature.
    with pytest.raises(EventError):
        kinds()["lark"].verify(given, setup("lark", KEY="guard-encrypt-key", TOKEN="x"), 1700000000)


def test_lark_the_check_of_the_address_is_answered_with_its_challenge():
    given = recorded("lark/url_verification_encrypted_vector.json")
    headers = {key.lower(): value for key, value in given["headers"].items()}
    inbound = Inbound("POST", {}, headers, given["body"].encode())
    secrets = setup("lark", KEY=given["encrypt_key"], TOKEN="xxxxxx")
    verified = kinds()["lark"].verify(inbound, secrets, 1700000000)
    assert json.loads(verified.handshake.body) == {"challenge": "ajls384kdjx98XX"}
    with pytest.raises(EventError):
        kinds()["lark"].verify(inbound, setup("lark", KEY=given["encrypt_key"], TOKEN="y"), 1.7e9)


def test_lark_a_plain_check_of_the_address_needs_the_token():
    body = json.dumps(recorded("lark/url_verification_plain.json")).encode()
    channel, given = kinds()["lark"], Inbound("POST", {}, {}, body)
    verified = channel.verify(given, setup("lark", KEY="k", TOKEN="xxxxxx"), 0)
    assert json.loads(verified.handshake.body) == {"challenge": "ajls384kdjx98XX"}
    with pytest.raises(EventError):
        channel.verify(given, setup("lark", KEY="k", TOKEN="other"), 0)
    with pytest.raises(EventError):
        channel.verify(given, setup("lark", KEY="k"), 0)


def test_dingtalk_the_signature_of_a_robot():
    made = dingtalk.sign("1700000000123", "SECguardtestsecret")
    assert made == "NXHIyZoUF485jGVASQ5BCpOrNZjnGKHZOtK8CEYYB1M="


def test_dingtalk_the_signature_of_a_card_covers_the_time_only():
    given = recorded("dingtalk/card_callback_signature_vector.json")
    headers = {key: given[key] for key in given if key.startswith("x-")}
    body = json.dumps(recorded("dingtalk/card_callback_http.json")).encode()
    channel, secrets = kinds()["dingtalk"], setup("dingtalk", SECRET=given["apiSecret"])
    verified = channel.verify(Inbound("POST", {}, headers, body), secrets, 1700000000)
    assert verified.key == f"1700000000123:{given['x-ddpaas-signature']}"
    # Its button has no token of ours: it is no click.
    assert channel.click(verified) is None


def test_wecom_the_published_check_of_the_address():
    given = recorded("wecom/callback_url_verification_official_vector.json")
    secrets = setup("wecom", given["corpId"], TOKEN=given["token"], KEY=given["encodingAESKey"])
    inbound = Inbound("GET", given["query"], {}, b"")
    verified = kinds()["wecom"].verify(inbound, secrets, 1409659589)
    assert verified.handshake.body.decode() == given["plain"]
    for changed in ({"nonce": "1"}, {"timestamp": "1409659588"}, {"msg_signature": "0" * 40}):
        forged = replace(inbound, query={**given["query"], **changed})
        with pytest.raises(EventError):
            kinds()["wecom"].verify(forged, secrets, 1409659589)
    with pytest.raises(EventError):
        kinds()["wecom"].verify(inbound, secrets, 1409659589 + 301)


def test_teams_the_signature_of_an_outgoing_webhook():
    given = recorded("teams/outgoing_webhook_hmac_vector.json")
    headers = {"authorization": given["authorization"]}
    inbound = Inbound("POST", {}, headers, given["body"].encode())
    # The signature holds; a body without a time in it is of any age, and refused.
    with pytest.raises(EventError):
        kinds()["teams"].verify(inbound, setup("teams", SECRET=given["security_token"]), 1.7e9)


# -- recorded callbacks, signed with secrets of our own ------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "dialog_submission_legacy",
        "interactive_message_legacy_attachment",
        "block_actions_button",
    ],
)
@pytest.mark.sampled(2)
def test_slack_other_interactions_are_taken_and_decide_nothing(tmp_path, name):
    payload = recorded(f"slack/{name}.json")
    with chat_harness("slack", tmp_path) as given:
        asked = given.approvals.asked()
        body = urlencode({"payload": json.dumps(payload)}).encode()
        assert given.call(given.service.signed(body)).status == 200
        assert given.state(asked) == "pending"


def test_slack_the_check_of_the_address_is_answered(tmp_path):
    payload = recorded("slack/url_verification.json")
    with chat_harness("slack", tmp_path) as given:
        inbound = given.service.signed(json.dumps(payload).encode())
        headers = {**inbound.headers, "content-type": "application/json"}
        response = given.call(replace(inbound, headers=headers))
        assert json.loads(response.body) == {"challenge": payload["challenge"]}


def test_slack_a_mention_is_a_command(tmp_path):
    payload = recorded("slack/event_callback_valid_event.json")
    with chat_harness("slack", tmp_path) as given:
        inbound = given.service.signed(json.dumps(payload).encode())
        headers = {**inbound.headers, "content-type": "application/json"}
        channel = kinds()["slack"]
        verified = channel.verify(
            replace(inbound, headers=headers), given.setup, given.approvals.clock.now_s
        )
        command = channel.command(verified)
        assert (command.user, command.tenant, command.text) == ("W222", "T111", "Hi there!")
        assert verified.key == "Ev111"


def test_slack_a_slash_command(tmp_path):
    with chat_harness("slack", tmp_path) as given:
        body = recorded("slack/slash_command_form.json")["body"].encode()
        channel = kinds()["slack"]
        verified = channel.verify(
            given.service.signed(body), given.setup, given.approvals.clock.now_s
        )
        assert channel.command(verified).text == "Hi"


@pytest.mark.parametrize(
    "name",
    [
        "card_action_no_event_envelope",
        "card_action_operator_only_user_id",
        "card_action_trigger_v2",
        "card_action_v1_old",
        "event_other_kind_contact_user_created",
    ],
)
@pytest.mark.sampled(3)
def test_lark_callbacks_of_others_decide_nothing(tmp_path, name):
    payload = recorded(f"lark/{name}.json")
    with chat_harness("lark", tmp_path) as given:
        asked = given.approvals.asked()
        # As they are, and with the app's own token and id in their header.
        given.tried(given.service.signed(payload))
        header = {**payload.get("header", {}), "token": given.env["SGGUARD_CHAT_OPS_TOKEN"]}
        header["app_id"] = given.channels[0].app
        response = given.call(given.service.signed({**payload, "header": header}))
        assert b"challenge" not in response.body
        assert given.state(asked) == "pending"


def test_lark_a_value_may_be_json_in_a_text(tmp_path):
    with chat_harness("lark", tmp_path) as given:
        asked = given.approvals.asked()
        pressed = given.pressed(asked, "deny")
        value = {"token": pressed.token, "action": "deny", "approval": pressed.approval}
        given.call(given.service.click(pressed, value=json.dumps(json.dumps(value))))
        assert given.state(asked) == "denied"


@pytest.mark.parametrize(
    "name", ["card_callback_http", "card_callback_space_fields", "stream_card_frame"]
)
@pytest.mark.sampled(4)
def test_dingtalk_cards_of_others_decide_nothing(tmp_path, name):
    with chat_harness("dingtalk", tmp_path) as given:
        asked = given.approvals.asked()
        response = given.call(given.service.signed(recorded(f"dingtalk/{name}.json")))
        assert (response.status, given.state(asked)) == (200, "pending")


def test_dingtalk_a_sender_without_staff_id_is_nobody(tmp_path):
    payload = recorded("dingtalk/outgoing_robot_text_2021.json")
    with chat_harness("dingtalk", tmp_path, commands="tenant", tenant="", users={}) as given:
        payload["text"]["content"] = " decisions"
        inbound = given.service.command("", payload={**payload, "senderStaffId": ""})
        assert "people whom the policy maps" in given.said(given.call(inbound))


@pytest.mark.parametrize(
    "name", ["template_card_event_button_interaction", "template_card_event_minimal"]
)
@pytest.mark.sampled(2)
def test_wecom_cards_of_others_decide_nothing(tmp_path, name):
    plain = recorded(f"wecom/{name}.json")["plaintext_xml"]
    with chat_harness("wecom", tmp_path) as given:
        asked = given.approvals.asked()
        mine = plain.replace("CORPID", "T111").replace("USERID", "W111").replace("u1", "W111")
        given.tried(given.service.signed(mine.encode()))
        assert given.state(asked) == "pending"


def test_wecom_the_json_of_an_ai_bot_is_refused(tmp_path):
    payload = recorded("wecom/ai_bot_event_json.json")
    with chat_harness("wecom", tmp_path) as given:
        inbound = given.service.signed(json.dumps(payload).encode())
        assert isinstance(given.tried(inbound), SgguardError)


@pytest.mark.parametrize(
    "name",
    [
        "invoke_action_execute_documented",
        "invoke_action_execute_manual_2026",
        "other_signin_failure_invoke_activity",
        "other_suggested_action_submit_invoke_activity",
    ],
)
@pytest.mark.sampled(3)
def test_teams_invokes_decide_nothing(tmp_path, name):
    payload = recorded(f"teams/{name}.json")
    with chat_harness("teams", tmp_path) as given:
        asked = given.approvals.asked()
        given.tried(given.service.signed(payload))
        now = given.service._about("W111", "T111")["timestamp"]
        assert given.call(given.service.signed({**payload, "timestamp": now})).status == 200
        assert given.state(asked) == "pending"


def test_teams_a_recorded_message_is_a_command(tmp_path):
    payload = recorded("teams/outgoing_webhook_message_channel.json")
    with chat_harness("teams", tmp_path) as given:
        given.approvals.clock.now_s = 1759944781.0
        channel = kinds()["teams"]
        verified = channel.verify(given.service.signed(payload), given.setup, 1759944781.0)
        command = channel.command(verified)
        assert command.text == "check sg-1"
        assert command.user == command.tenant[:-1] + "2"
