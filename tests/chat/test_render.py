"""A message fits its channel whatever names clouds permit; what it leaves out is counted."""

from __future__ import annotations

import copy
import json
import re
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from sgguard.chat import token
from sgguard.chat.base import Setup, kinds, setup_of
from sgguard.render.language.message import of_document
from sgguard.settings import Settings
from tests.approvals.harness import KEY
from tests.chat.documents import CASES, DECISION, document
from tests.chat.markup import beyond_text
from tests.chat.services import SERVICES

GOLDEN = Path(__file__).with_name("golden")
WAYS = [(kind, way) for kind in SERVICES for way in kinds()[kind].needs]
CONTEXT = SimpleNamespace(settings=Settings(approval_keys=(KEY,)), now=lambda: 0.0)


def setup(kind: str, way: str = "app", language: str = "en", **changed) -> Setup:
    service = SERVICES[kind](lambda: 0.0)
    config = replace(service.policy(), way=way, language=language, zone="Asia/Shanghai", **changed)
    return setup_of(config, service.env())


def rendered(kind: str, way: str, language: str, found, **changed):
    channel, given_setup = kinds()[kind], setup(kind, way, language, **changed)
    shown = token.shown(message_of(found), channel, given_setup, CONTEXT)
    return channel.render(shown, given_setup)


def message_of(found):
    """The message of a document; of one that can be restored as the store would have it."""
    message = of_document(found, "grace")
    if found is not CASES["restorable"]:
        return message
    until = message.decided_at + timedelta(days=7)
    return replace(message, restore_hash="9" * 64, restore_until=until)


def service(kind: str):
    return SERVICES[kind](lambda: 0.0)


@pytest.mark.parametrize(("kind", "way"), WAYS)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.sampled(3)
def test_every_case_is_as_it_was_and_keeps_the_services_rules(kind, way, language, case):
    body = rendered(kind, way, language, CASES[case])
    assert service(kind).problems(body) == []
    text = json.dumps(body, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    path = GOLDEN / f"{kind}-{way}-{language}-{case}.json"
    if not path.exists():
        path.write_text(text, encoding="utf-8")
        pytest.fail(f"{path.name} was not there: it is written now, look at it")
    assert text == path.read_text(encoding="utf-8")


def test_every_golden_file_is_of_a_case():
    names = {
        f"{kind}-{way}-{language}-{case}.json"
        for kind, way in WAYS
        for language in ("en", "zh")
        for case in CASES
    }
    assert {path.name for path in GOLDEN.glob("*.json")} == names


def lines_of(kind: str, body) -> str:
    return "\n".join(text for _, text in service(kind).texts(body))


@pytest.mark.parametrize(("kind", "way"), WAYS)
@pytest.mark.parametrize(("case", "total"), [("steps-55", 55), ("references-500", 501)])
@pytest.mark.sampled(6)
def test_what_is_left_out_is_counted(kind, way, case, total):
    said = lines_of(kind, rendered(kind, way, "en", CASES[case]))
    assert f"{total - 1} rules revoked, 1 group deleted" in said
    assert f"{total - 1} rules of {total - 1} security groups" in said
    if (kind, way) == ("wecom", "app"):
        return
    # Whatever is shown of the steps, the rest of them is said.
    shown = len(re.findall(r"Step \d", said))
    assert f"{total - shown} more steps" in said or "Left out" in said


@pytest.mark.parametrize(("kind", "way"), WAYS)
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.sampled(6)
def test_no_number_of_what_is_left_out_is_cut(kind, way, language):
    """A list that is cut at its end says no number, or, cut in the middle of one, a wrong one."""
    for case, found in CASES.items():
        said = lines_of(kind, rendered(kind, way, language, found))
        assert not re.search(r"(?:and|more|另有|共) *\d*…", said), (case, said)


@pytest.mark.parametrize("length", [1, 9, 17, 25, 33, 60])
@pytest.mark.parametrize(("kind", "way"), WAYS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_names_that_are_shown_and_those_that_are_not_are_all_of_them(kind, way, language, length):
    found = document(54, referrer="n" * length)
    said = lines_of(kind, rendered(kind, way, language, found))
    more = re.search(r"(sg-\d{8}[^\n]*?)(?: and |，另有 )(\d+)(?: more| 个)", said)
    assert more, said
    assert len(re.findall(r"sg-\d{8}", more[1])) + int(more[2]) == 54


def test_three_reasons_are_shown_and_how_many_more():
    said = lines_of("slack", rendered("slack", "app", "en", CASES["blocked"]))
    assert said.count("Reason: ") == 4
    assert "1 more reason" in said


def test_of_many_groups_five_are_named_and_the_rest_counted():
    said = lines_of("slack", rendered("slack", "app", "en", CASES["groups-40"]))
    assert "and 35 more" in said
    assert "Delete 40 security groups" in said


@pytest.mark.parametrize(("kind", "way"), WAYS)
def test_a_message_of_something_decided_has_no_buttons(kind, way):
    for case in ("done", "denied", "expired", "blocked", "partly-undone"):
        body = rendered(kind, way, "en", CASES[case])
        if way == "app" or kind == "slack":
            assert service(kind).tokens(body) == {}


@pytest.mark.parametrize(("kind", "way"), WAYS)
def test_an_open_request_without_buttons_says_how_it_is_answered(kind, way):
    body = rendered(kind, way, "en", CASES["short"])
    has_button = kinds()[kind].has_buttons(setup(kind, way))
    assert ("sgguard approvals approve" in lines_of(kind, body)) != has_button


def test_without_a_key_to_sign_with_there_are_no_buttons():
    channel, given_setup = kinds()["slack"], setup("slack")
    context = SimpleNamespace(settings=Settings())
    shown = token.shown(of_document(document(), "grace"), channel, given_setup, context)
    assert service("slack").tokens(channel.render(shown, given_setup)) == {}


@pytest.mark.parametrize(("kind", "way"), WAYS)
def test_the_operators_own_page_is_linked(kind, way):
    link = "https://console.example/d/{decision_id}"
    body = rendered(kind, way, "en", CASES["short"], link=link)
    assert link.replace("{decision_id}", DECISION) in json.dumps(body) or kind == "wecom"


def test_times_are_in_the_channels_zone_and_say_which():
    assert "2026-11-29 22:42:10 UTC+8" in lines_of(
        "slack", rendered("slack", "app", "zh", CASES["short"])
    )


NASTY = st.one_of(
    st.text(max_size=200),
    st.sampled_from(
        [
            "<!here>",
            "<@U123>",
            "<!channel|x>",
            "<https://e.vil|click>",
            "[click](https://e.vil)",
            "![x](https://e.vil/a.png)",
            "<font color='red'>x</font>",
            "<at user_id='all'></at>",
            "<at>ada</at>",
            "@all",
            "`code`",
            "**bold**",
            "_it_",
            "# head",
            "> quote",
            "- item",
            "1. one",
            "a\nb\n# c",
            "]]><x>",
            "\u202egnp.exe",
            "𝕏" * 100,
            "家" * 200,
            "🔥" * 100,
            "a\u0301" * 100,
            "{group}",
            "%s {0} {",
        ]
    ),
)


@pytest.mark.parametrize(("kind", "way"), WAYS)
@pytest.mark.parametrize("language", ["en", "zh"])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
@pytest.mark.sampled(7)
def test_no_name_of_a_cloud_is_more_than_text_or_breaks_a_limit(kind, way, language, data):
    found = copy.deepcopy(document(data.draw(st.sampled_from([1, 2, 7, 60]))))
    found["facts"]["groups"][0] |= {"name": data.draw(NASTY), "project": data.draw(NASTY)}
    for one in found["facts"]["references"][:3]:
        one["group_name"] = data.draw(NASTY)
    for one in found["reasons"][0]["evidence"][:3]:
        one["group_name"] = data.draw(NASTY)
    for step in found["plan"][:2]:
        step["details"] = {**step["details"], "rule_id": data.draw(NASTY)}
        step["action"] = data.draw(st.sampled_from(["revoke", "conjure", "bind"]))
        step["summary"] = data.draw(NASTY)
    channel, given_setup = kinds()[kind], setup(kind, way, language)
    message = of_document(found, data.draw(NASTY))
    body = channel.render(token.shown(message, channel, given_setup, CONTEXT), given_setup)
    assert service(kind).problems(body) == []
    for markup, text in service(kind).texts(body):
        assert beyond_text(markup, text) == []
    if kind == "slack":
        assert (body["parse"], body["link_names"]) == ("none", False)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("mrkdwn", "<!here>"),
        ("mrkdwn", "<https://e.vil|x>"),
        ("markdown", "[x](tel:1)"),
        ("markdown", "<font>"),
        ("markdown", "see https://e.vil"),
        ("markdown", "a **b** c"),
        ("markdown", "x\n> y"),
        ("markdown", "_a_"),
        ("wecom", "<@all>"),
        ("wecom", "http://e.vil"),
    ],
)
def test_the_reader_of_a_markup_finds_what_is_more_than_text(kind, text):
    assert beyond_text(kind, text)
