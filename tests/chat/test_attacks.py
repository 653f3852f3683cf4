"""Who is in a chat, or on its way, and is no approver: whatever they send, nothing is decided."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from msgspec.structs import replace

from sgguard.approvals import link, web
from sgguard.approvals.link import LinkToken
from sgguard.chat import token
from sgguard.chat.base import kinds
from sgguard.errors import SgguardError
from sgguard.render.language.message import of_document
from tests.approvals.harness import KEY
from tests.chat.harness import ChatHarness, chat_harness
from tests.chat.services import SERVICES

FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
OTHER_KEY = "fedcba9876543210fedcba9876543210"


# -- Teams: the link of a card is its only way in --------------------------------------------------


@pytest.fixture
def teams(tmp_path) -> Iterator[ChatHarness]:
    with chat_harness("teams", tmp_path, reader="ada") as given:
        given.env["SGGUARD_APPROVAL_URL"] = "https://guard.example/a"
        yield given


def linked(given: ChatHarness, asked: Any) -> str:
    """Return the token of the link in the card."""
    message = of_document(given.document(asked), "eve")
    channel = kinds()["teams"]
    shown = token.shown(message, channel, given.setup, given.context())
    [text] = parse_qs(urlsplit(shown.tokens.link).query)["token"]
    return text


def fields(text: str) -> list[Any]:
    payload = text.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def spelt(text: str, change: Callable[[list[Any]], Any], **how: Any) -> str:
    """Return the token with other fields, or the same spelt otherwise, under the old signature."""
    version, _, signature = text.split(".")
    plain = json.dumps(change(fields(text)), separators=(",", ":"), **how).encode()
    return f"{version}.{base64.urlsafe_b64encode(plain).rstrip(b'=').decode()}.{signature}"


def put(position: int, value: Any) -> Callable[[list[Any]], Any]:
    return lambda given: [value if n == position else one for n, one in enumerate(given)]


def signed_by(text: str, key: str = KEY, purpose: bytes = b"sgguard-approval.", **changed) -> str:
    return link.sign(replace(LinkToken(*fields(text)), **changed), (key,), purpose)


LINKS: dict[str, Callable[[str], str]] = {
    "nothing": lambda t: "",
    "a word": lambda t: "approve",
    "cut": lambda t: t[:-1],
    "longer": lambda t: t + "A",
    "padded": lambda t: t + "=",
    "upper case": str.upper,
    "lower case": str.lower,
    "twice": lambda t: t + t,
    "spaces": lambda t: f" {t} ",
    "a line break": lambda t: t + "\n",
    "full width": lambda t: t.replace("v", "ｖ"),
    "quoted": lambda t: quote(quote(t), safe="").replace(".", "%2E"),
    "version 2": lambda t: "v2" + t[2:],
    "no version": lambda t: t[3:],
    "no signature": lambda t: t.rpartition(".")[0] + ".",
    "another signature": lambda t: t.rpartition(".")[0] + "." + "A" * 43,
    "another action": lambda t: spelt(t, put(2, "deny")),
    "another person": lambda t: spelt(t, put(3, "bob")),
    "another request": lambda t: spelt(t, put(0, "0" * 32)),
    "other facts": lambda t: spelt(t, put(1, "0" * 64)),
    "a later end": lambda t: spelt(t, put(4, 9_999_999_999)),
    "spelt anew": lambda t: spelt(t, lambda given: given, indent=0),
    "an object": lambda t: spelt(t, lambda given: dict(enumerate(given))),
    "a field more": lambda t: spelt(t, lambda given: [*given, "x"]),
    "another key": lambda t: signed_by(t, OTHER_KEY),
    "a button": lambda t: signed_by(t, purpose=b"sgguard-chat."),
    "signed for other facts": lambda t: signed_by(t, facts_hash="0" * 64),
    "signed for nobody": lambda t: signed_by(t, approver=""),
    "signed for no approver": lambda t: signed_by(t, approver="mallory"),
    "signed for the requester": lambda t: signed_by(t, approver="eve"),
    "signed and over": lambda t: signed_by(t, expires_at_s=1),
    "very long": lambda t: "v1." + "A" * 5000 + ".B",
}


def test_teams_a_link_with_something_forged_has_no_effect(teams):
    asked = teams.approvals.asked()
    kept, own = teams.approvals.kept(), linked(teams, asked)
    for case, forge in LINKS.items():
        forged = forge(own)
        shown = web.show("GET", {"token": forged}, {}, teams.context)
        assert shown is not None
        assert shown.status in (400, 403, 404, 410), case
        with suppress(SgguardError):
            web.submit(FORM, f"token={quote(forged)}".encode(), teams.context())
        assert (teams.state(asked), teams.approvals.is_deleted) == ("pending", False), case
        assert teams.approvals.kept() == kept, case


def test_teams_the_link_is_used_once(teams):
    asked = teams.approvals.asked()
    text = linked(teams, asked)
    body = f"token={quote(text)}".encode()
    assert web.submit(FORM, body, teams.context()).status == 200
    assert teams.approvals.is_deleted
    kept = teams.approvals.kept()
    assert web.submit(FORM, body, teams.context()).status == 409
    assert teams.approvals.kept() == kept


# What an outgoing webhook, or somebody who has its secret, can send; none of it is a click.
INVOKES: dict[str, dict[str, Any]] = {
    "a refresh": {"trigger": "automatic"},
    "a press": {"trigger": "manual"},
    "no trigger": {"trigger": None},
    "another trigger": {"trigger": ["manual"]},
}


def test_teams_no_invoke_is_a_click_whatever_its_token(teams):
    asked = teams.approvals.asked()
    own = linked(teams, asked)
    for case, action in product(INVOKES, ("approve", "deny")):
        button = signed_by(own, purpose=b"sgguard-chat.", approver="ops", action=action)
        for text in (own, button):
            pressed = dataclasses.replace(teams.pressed(asked), token=text, action=action)
            teams.tried(teams.service.click(pressed, **INVOKES[case]))
        assert teams.state(asked) == "pending", case


# -- every channel ---------------------------------------------------------------------------------


def test_the_button_of_one_channel_is_none_in_any_other(tmp_path):
    """Tokens of every kind of channel, pressed in every other kind."""
    for kind in ("slack", "lark", "dingtalk", "wecom"):
        (tmp_path / kind).mkdir()
        with chat_harness(kind, tmp_path / kind) as given:
            asked = given.approvals.asked()
            message = of_document(given.document(asked), "eve")
            for other in SERVICES:
                config = replace(given.channels[0], name=f"ops-{other}", kind=other)
                setup = replace(given.setup, config=config)
                channel = kinds()[kind]
                foreign = token.shown(message, channel, setup, given.context()).tokens
                for action, text in (("approve", foreign.approve), ("deny", foreign.deny)):
                    pressed = dataclasses.replace(given.pressed(asked), token=text, action=action)
                    given.tried(given.service.click(pressed))
            assert given.state(asked) == "pending"


@pytest.mark.sampled(6)
def test_the_button_of_an_older_request_of_the_same_decision_is_none(buttons):
    asked = buttons.approvals.asked()
    old = buttons.pressed(asked)
    buttons.approvals.add_reference()
    buttons.call(buttons.service.click(old))
    [fresh] = buttons.approvals.store.approvals("pending")
    # The old token under the new request's id, and the new id with the old facts.
    buttons.tried(buttons.service.click(dataclasses.replace(old, approval=fresh.approval_id)))
    given = LinkToken(fresh.approval_id, asked.facts_hash, "approve", "ops", 9_999_999_999)
    forged = link.sign(given, (KEY,), b"sgguard-chat.")
    pressed = dataclasses.replace(old, token=forged, approval=fresh.approval_id)
    buttons.tried(buttons.service.click(pressed))
    assert (buttons.state(fresh), buttons.approvals.is_deleted) == ("pending", False)


MENTIONS = ("<!here>", "<!channel>", "<@U1>", "<at>ada</at>", "<at id=all></at>", "@all", "<@all>")


# Fields in which a service reads a mention, or text with markup.
MENTIONING = ('"link_names": true', '"at"', '"mentioned_list"', '"entities"', "mrkdwn", "lark_md")


@pytest.mark.sampled(6)
def test_a_name_mentions_nobody_in_what_a_command_is_answered(chat):
    group = chat.approvals.cloud.group(chat.approvals.world.referenced)
    assert group is not None
    for number, mention in enumerate(MENTIONS):
        chat.approvals.clock.pass_(60)
        group.name = f"x{number}{mention}"
        for verb in ("check", "explain"):
            response = chat.call(chat.service.command(f"{verb} {chat.approvals.target}"))
            said = chat.said(response)
            assert f"x{number}" in said
            assert chat.service.kind not in ("dingtalk", "wecom") or "<" not in said
            sent = json.dumps([body for _, _, body in chat.service.asked], ensure_ascii=False)
            assert not [one for one in MENTIONING if one in sent + response.body.decode()]


@pytest.mark.parametrize("kind", ["slack", "lark"])
@pytest.mark.sampled(2)
def test_a_request_is_not_shown_with_buttons_in_another_chat(tmp_path, kind):
    """There they would do nothing: a click counts in the channel's own chat alone."""
    with chat_harness(kind, tmp_path) as given:
        asked = given.approvals.asked()
        command = given.service.command(f"approve {asked.approval_id}", chat="D999")
        response = given.call(command)
        assert "sgguard approvals" in given.said(response)
        sent = response.body.decode() + str([body for _, _, body in given.service.asked])
        assert "v1.W" not in sent


def test_dingtalk_who_has_no_staff_id_decides_nothing_and_reads_nothing(tmp_path):
    with chat_harness("dingtalk", tmp_path, commands="tenant") as given:
        asked = given.approvals.asked()
        for missing in ({"senderStaffId": ""}, {"senderStaffId": None}):
            said = given.said(given.call(given.service.command("decisions", payload=missing)))
            assert "people whom the policy maps" in said
        for user in ("", None, [], {"W111": 1}):
            payload = {"userId": user, "senderStaffId": "W111", "senderNick": "ada"}
            given.tried(given.service.click(given.pressed(asked), payload=payload))
        assert given.state(asked) == "pending"


def test_dingtalk_a_pair_of_a_command_is_none_of_a_card(tmp_path):
    """Whoever reads a message to the robot can use its signature for nothing else."""
    with chat_harness("dingtalk", tmp_path) as given:
        asked = given.approvals.asked()
        command, click = given.service.command("help"), given.service.click(given.pressed(asked))
        stolen = {
            "x-ddpaas-signature-timestamp": command.headers["timestamp"],
            "x-ddpaas-signature": command.headers["sign"],
        }
        for headers in (command.headers, stolen, {**command.headers, **stolen}):
            given.tried(replace(click, headers={**headers}))
        assert given.state(asked) == "pending"


FIELDS = [None, 1, True, [], {}, ["W111"], {"id": "W111"}, "W111\n", " W111", "w111", "W111\u200b"]


@pytest.mark.sampled(3)
def test_a_user_that_is_not_written_exactly_so_is_nobody(buttons):
    asked = buttons.approvals.asked()
    for value in FIELDS:
        if buttons.service.kind == "wecom" and not isinstance(value, str):
            continue  # its callbacks are XML: everything is a text
        pressed = dataclasses.replace(buttons.pressed(asked), user=value)
        buttons.tried(buttons.service.click(pressed))
        assert (buttons.state(asked), buttons.approvals.is_deleted) == ("pending", False), value
