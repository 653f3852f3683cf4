"""The chat vendors' own libraries accept what we sign, and what they produce is verified by us."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from sgguard.chat.base import Inbound, Sent, kinds
from sgguard.chat.channels import lark as ours
from sgguard.chat.web import line_of
from sgguard.errors import EventError
from tests.chat.harness import chat_harness
from tests.chat.services.wecom import KEY, TOKEN, xml

pytestmark = pytest.mark.filterwarnings("ignore")

slack_signature = pytest.importorskip("slack_sdk.signature")
slack_blocks = pytest.importorskip("slack_sdk.models.blocks")
wechat_crypto = pytest.importorskip("wechatpy.enterprise.crypto")
lark_oapi = pytest.importorskip("lark_oapi")
lark_model = pytest.importorskip("lark_oapi.core.model")
lark_answer = pytest.importorskip("lark_oapi.event.callback.model.p2_card_action_trigger")
lark_decryptor = pytest.importorskip("lark_oapi.core.utils.decryptor")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_slacks_own_model_reads_our_blocks_and_finds_nothing_wrong(tmp_path, language):
    with chat_harness("slack", tmp_path, language=language) as given:
        body = given.body(given.approvals.asked())
        for block in body["blocks"]:
            parsed = slack_blocks.Block.parse(block)
            parsed.validate_json()
            assert parsed.to_dict()["type"] == block["type"]


def test_slacks_own_verifier_and_ours_agree(tmp_path):
    with chat_harness("slack", tmp_path) as given:
        now_s = given.approvals.clock.now_s
        secret = given.service.variables["SECRET"]

        class Clock:
            def now(self):
                return now_s

        theirs = slack_signature.SignatureVerifier(secret, Clock())
        inbound = given.service.command("help")
        assert theirs.is_valid_request(inbound.body, dict(inbound.headers))
        made = theirs.generate_signature(timestamp=str(int(now_s)), body=inbound.body)
        headers = {**inbound.headers, "x-slack-signature": made}
        again = Inbound("POST", {}, headers, inbound.body)
        channel = kinds()["slack"]
        assert channel.command(channel.verify(again, given.setup, now_s)).text == "help"
        assert not theirs.is_valid_request(inbound.body + b" ", dict(inbound.headers))
        forged = Inbound("POST", {}, inbound.headers, inbound.body + b" ")
        with pytest.raises(EventError):
            channel.verify(forged, given.setup, now_s)


def test_wecoms_callbacks_made_by_wechatpy_are_verified_and_its_reader_reads_our_answers(tmp_path):
    with chat_harness("wecom", tmp_path) as given:
        now_s = given.approvals.clock.now_s
        theirs = wechat_crypto.WeChatCrypto(TOKEN, KEY, "T111")
        fields = {
            "ToUserName": "T111",
            "FromUserName": "W111",
            "CreateTime": str(int(now_s)),
            "MsgType": "text",
            "Content": "help",
            "MsgId": "1",
        }
        envelope = theirs.encrypt_message(xml(fields).decode(), "nonce1", str(int(now_s)))
        signature = envelope.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
        query = {"msg_signature": signature, "timestamp": str(int(now_s)), "nonce": "nonce1"}
        response = given.call(Inbound("POST", query, {}, envelope.encode()))
        text = response.body.decode()
        parts = [text.split(f"<{n}>")[1].split("</")[0] for n in ("MsgSignature", "TimeStamp")]
        nonce = text.split("<Nonce>")[1].split("</")[0]
        plain = theirs.decrypt_message(text, parts[0], parts[1], nonce)
        assert "Commands: check ADDRESS" in (plain if isinstance(plain, str) else plain.decode())


def test_wecoms_check_of_the_address_made_for_wechatpy_is_answered_alike(tmp_path):
    with chat_harness("wecom", tmp_path) as given:
        theirs = wechat_crypto.WeChatCrypto(TOKEN, KEY, "T111")
        inbound = given.service.signed(b"1616140317555161061", method="GET")
        query = inbound.query
        found = theirs.check_signature(
            query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"]
        )
        channel = kinds()["wecom"]
        verified = channel.verify(inbound, given.setup, given.approvals.clock.now_s)
        assert verified.handshake.body.decode() == (
            found if isinstance(found, str) else found.decode()
        )


def test_larks_own_decryptor_reads_what_we_read(tmp_path):
    with chat_harness("lark", tmp_path) as given:
        inbound = given.service.command("help")
        sealed = json.loads(inbound.body)["encrypt"]
        theirs = lark_decryptor.AESCipher(given.service.variables["KEY"])
        found = json.loads(theirs.decrypt_str(sealed))
        channel = kinds()["lark"]
        verified = channel.verify(inbound, given.setup, given.approvals.clock.now_s)
        assert verified.payload == found


def test_larks_own_dispatcher_accepts_what_the_fake_signs(tmp_path):
    """The fake in our tests signs as the vendor does: its own dispatcher hands the click on."""
    with chat_harness("lark", tmp_path) as given:
        asked = given.approvals.asked()
        inbound = given.service.click(given.pressed(asked))
        seen = []

        def pressed(data):
            seen.append(data.event.action.value)
            return lark_answer.P2CardActionTriggerResponse({})

        handler = (
            lark_oapi.EventDispatcherHandler.builder(
                given.service.variables["KEY"], given.service.variables["TOKEN"]
            )
            .register_p2_card_action_trigger(pressed)
            .build()
        )
        request = lark_model.RawRequest()
        request.uri, request.body = "/", inbound.body
        # It knows its headers in one spelling only.
        request.headers = {
            "X-Lark-Request-Timestamp": inbound.headers["x-lark-request-timestamp"],
            "X-Lark-Request-Nonce": inbound.headers["x-lark-request-nonce"],
            "X-Lark-Signature": inbound.headers["x-lark-signature"],
        }
        response = handler.do(request)
        assert response.status_code == 200, response.content
        assert [one["action"] for one in seen] == ["approve"]


def test_larks_webhook_signature_is_the_documented_one():
    key = b"1599360473\ndemo"
    made = base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()
    assert ours.sign(1599360473, "demo") == made


def test_larks_own_model_knows_every_field_of_a_reply(tmp_path):
    body_of = pytest.importorskip("lark_oapi.api.im.v1").ReplyMessageRequestBody
    with chat_harness("lark", tmp_path) as given:
        channel, context = kinds()["lark"], given.context()
        rendered = given.body(given.approvals.asked())
        line = line_of(channel, context, "a key")
        channel.reply(Sent("om_1", "C111"), rendered, given.setup, line)
        _, path, sent = given.service.asked[-1]
        assert path.endswith("/im/v1/messages/om_1/reply")
        assert set(sent) <= set(body_of({}).__dict__)
        assert body_of(sent).reply_in_thread is True
