"""A link shows what a restore would do, and restores what was read: once, in two languages."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from msgspec.structs import replace

from sgguard.approvals import link
from sgguard.approvals.link import LinkToken
from sgguard.chat import token
from sgguard.chat.base import kinds
from sgguard.emulator import edit
from sgguard.errors import SgguardError
from sgguard.operations import restore
from sgguard.restores import permit, web
from tests.approvals.harness import KEY, rule_naming
from tests.chat.harness import chat_harness
from tests.restores.harness import Removed, removed

FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
PAGE = "https://guard.example/a"


@pytest.fixture
def gone(tmp_path) -> Iterator[Removed]:
    with chat_harness("teams", tmp_path, reader="ada") as given:
        given.env["SGGUARD_APPROVAL_URL"] = PAGE
        yield removed(given)


def link_of(gone: Removed) -> str:
    """Return the token of the link that the card has; empty where it has none."""
    given = gone.given
    shown = token.shown(gone.message, kinds()["teams"], given.setup, given.context())
    return parse_qs(urlsplit(shown.tokens.link).query).get("restore", [""])[0]


def opened(gone: Removed, text: str, **query: str):
    answer = web.show("GET", {"restore": text, **query}, {}, gone.given.context)
    assert answer is not None
    return answer.status, html.unescape(answer.body.decode())


def fields(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(\w+)" value="([^"]+)"', page))


def sent(gone: Removed, given: dict[str, str]):
    return web.submit(FORM, urlencode(given).encode(), gone.given.context())


def test_a_card_without_buttons_that_call_back_has_a_link_to_the_page(gone):
    body = gone.given.body(gone.asked)
    [action] = [one for one in body["attachments"][0]["content"]["actions"] if PAGE in one["url"]]
    assert action["title"] == "Open to restore"


def test_who_is_no_approver_or_reads_with_others_gets_no_link(tmp_path):
    for number, reader in enumerate(("", "mallory")):
        (tmp_path / str(number)).mkdir()
        with chat_harness("teams", tmp_path / str(number), reader=reader) as given:
            given.env["SGGUARD_APPROVAL_URL"] = PAGE
            assert link_of(removed(given)) == ""


def test_the_page_shows_the_plan_and_changes_nothing(gone):
    kept, text = gone.given.approvals.kept(), link_of(gone)
    status, page = opened(gone, text)
    assert status == 200
    plan = restore.preview(gone.decision_id, gone.given.context()).restoration.plan
    listed = re.search(r"<ol>(.*)</ol>", page)[1]
    assert listed.count("<li>") == len({id(one.step) for one in plan.planned})
    assert "Restore what was removed?" in page
    assert gone.given.approvals.kept() == kept
    assert not gone.is_back


def test_what_was_read_is_restored_once(gone):
    given = fields(opened(gone, link_of(gone))[1])
    answer = sent(gone, given)
    assert answer.status == 200
    assert gone.is_back
    assert gone.message.state == "restored"
    kept = gone.given.approvals.kept()
    assert sent(gone, given).status == 409
    assert opened(gone, given["restore"])[0] == 409
    assert gone.given.approvals.kept() == kept


def test_a_plan_that_is_another_one_by_now_is_shown_and_not_carried_out(gone):
    _, page = opened(gone, link_of(gone))
    given = fields(page)
    # Somebody changes a group that would name the restored one again.
    cloud = gone.given.approvals.cloud
    world = gone.given.approvals.world
    restored = restore.preview(gone.decision_id, gone.given.context()).restoration
    touched = next(one.change.group_id for one in restored.plan.planned if one.change.rule)
    if cloud.group(touched) is not None:
        edit.add_rule(cloud, touched, rule_naming(world.bound))
    for forged in ({**given, "plan": "0" * 64}, {k: v for k, v in given.items() if k != "plan"}):
        answer = sent(gone, forged)
        assert answer.status == 409
        assert "Read it again" in answer.body.decode()
        assert not gone.is_back
    # The page that was answered has the plan of now.
    again = sent(gone, fields(html.unescape(answer.body.decode())))
    assert again.status == 200
    assert gone.is_back


def test_json_is_answered_with_the_decision(gone):
    given = fields(opened(gone, link_of(gone))[1])
    body = f'{{"restore": "{given["restore"]}", "plan": "{given["plan"]}"}}'.encode()
    answer = web.submit({"content-type": "application/json"}, body, gone.given.context())
    assert (answer.status, b'"outcome": "remediated"' in answer.body) == (200, True)


def signed(given: LinkToken, key: str = KEY, purpose: bytes = permit.PURPOSE, **changed) -> str:
    return link.sign(replace(given, **changed), (key,), purpose)


FORGED: dict[str, Callable[[LinkToken, str], str]] = {
    "nothing": lambda g, t: "",
    "cut": lambda g, t: t[:-1],
    "longer": lambda g, t: t + "A",
    "upper case": lambda g, t: t.upper(),
    "twice": lambda g, t: t + t,
    "spaces": lambda g, t: f" {t} ",
    "a line break": lambda g, t: t + "\n",
    "no signature": lambda g, t: t.rpartition(".")[0] + ".",
    "another signature": lambda g, t: t.rpartition(".")[0] + "." + "A" * 43,
    "another key": lambda g, t: signed(g, "fedcba9876543210fedcba9876543210"),
    "a button": lambda g, t: signed(g, purpose=b"sgguard-chat."),
    "a link of an approval": lambda g, t: signed(g, purpose=b"sgguard-approval."),
    "of nobody": lambda g, t: signed(g, approver=""),
    "of no approver": lambda g, t: signed(g, approver="mallory"),
    "of a channel": lambda g, t: signed(g, approver="ops"),
    "of another decision": lambda g, t: signed(g, approval_id="0" * 32),
    "for another restore": lambda g, t: signed(g, facts_hash="0" * 64),
    "for no restore": lambda g, t: signed(g, facts_hash=""),
    "that is over": lambda g, t: signed(g, expires_at_s=1),
    "an old version": lambda g, t: "v0" + t[2:],
    "very long": lambda g, t: "v1." + "A" * 5000 + ".B",
}


def test_a_link_with_something_forged_shows_and_restores_nothing(gone):
    own = link_of(gone)
    given = permit.read(own, gone.given.context(), 0.0)
    plan = fields(opened(gone, own)[1])["plan"]
    kept = gone.given.approvals.kept()
    for case, forge in FORGED.items():
        text = forge(given, own)
        assert opened(gone, text)[0] in (400, 403, 404, 409, 410), case
        if text:
            answer = sent(gone, {"restore": text, "plan": plan})
            assert answer.status in (400, 403, 404, 409, 410), case
        assert not gone.is_back, case
        assert gone.given.approvals.kept() == kept, case


def test_the_token_of_an_approval_is_none_of_a_restore(gone):
    text = f"token={quote(link_of(gone))}".encode()
    with pytest.raises(SgguardError):
        web.submit({"content-type": FORM["content-type"]}, text, gone.given.context())
    assert not gone.is_back


ASCII = re.compile(r"[A-Za-z]{2,}")


def test_the_chinese_page_says_nothing_in_english_but_ids_names_and_codes(gone):
    status, page = opened(gone, link_of(gone), lang="zh")
    assert status == 200
    assert '<html lang="zh-CN">' in page
    assert "是否恢复已删除的内容？" in page
    text = re.sub(r"<style>.*?</style>|<a class=\"other\".*?</a>|<[^>]+>|“.*?”", " ", page)
    known = {"ap", "guangzhou", "UTC", "tcp", "ID", "databases", "ada", "ingress", "egress"}
    known |= {one.name for one in gone.given.approvals.cloud.groups}
    words = [
        one
        for one in ASCII.findall(re.sub(r"\b[a-z]+-[0-9a-z]{8}\b|\b[0-9a-f]{32}\b", " ", text))
        if one not in known
    ]
    assert words == []


def test_a_link_of_something_restored_says_so_in_chinese(gone):
    text = link_of(gone)
    restore.restore(gone.decision_id, gone.given.context(), by="bob")
    status, page = opened(gone, text, lang="zh")
    assert status == 409
    assert "在此之后已恢复过" in page
