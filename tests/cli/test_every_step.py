"""What is approved is what is seen: every group and every step, however many there are."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC

import pytest

from sgguard.approvals import link as links
from sgguard.approvals import web
from sgguard.approvals.page import ApprovalView, approval_page
from sgguard.render.language.words import Words
from tests.approvals.harness import KEY
from tests.commands import place, sgguard
from tests.stores import a_record, an_approval

__all__ = ["place", "sgguard"]  # fixtures

MANY = 150


@pytest.fixture
def large(place):
    """A pending request about 150 groups, with a plan of 300 steps."""
    shown = place.document(place.asked())
    targets = [f"tencent::ap-guangzhou:sg-{number:08}" for number in range(MANY)]
    [group], [step, *_] = shown["facts"]["groups"], shown["plan"]
    reference = shown["facts"]["references"][0]
    shown["target"] = targets
    shown["plan"] = [
        {**step, "target": target, "summary": f"{words} of {target} " + "x" * 150}
        for target in targets
        for words in ("revoke a rule", "delete the group")
    ]
    shown["facts"]["groups"] = [
        {**group, "group_id": one.rpartition(":")[2], "address": one} for one in targets
    ]
    shown["facts"]["references"] = [
        {**reference, "target": one, "group_id": f"sg-by{number:06}"}
        for number, one in enumerate(targets)
    ]
    text = json.dumps(shown)
    place.store.keep(a_record("1a26e000", target=tuple(targets), document_json=text))
    summary = "; ".join(one["summary"] for one in shown["plan"])
    now_s = place.store.now_s()
    asked = an_approval(
        "a5ced000",
        "1a26e000",
        target=tuple(targets),
        summary=summary,
        expires_at_s=now_s + 3600,
        requester="eve",
    )
    place.store.ask(asked)
    return shown


@pytest.mark.parametrize(
    "args",
    [["approvals", "show", "a5ced000"], ["decisions", "show", "1a26e000"]],
    ids=lambda args: args[0],
)
@pytest.mark.sampled(2)
def test_the_command_shows_every_group_step_and_reference(large, sgguard, args):
    code, out, _ = sgguard(*args)
    assert code == 0
    flat = " ".join(out.split())
    for number, target in enumerate(large["target"]):
        group_id = target.rpartition(":")[2]
        assert f"- group {group_id}" in flat
        assert f"revoke a rule of {target}" in flat
        assert f"delete the group of {target} {'x' * 150}" in flat.replace("x x", "xx")
        assert f"sg-by{number:06}" in flat
    assert f"{2 * MANY}. " in flat
    assert "has all)" not in flat


def test_the_list_is_whole_where_it_is_no_terminal(large, sgguard, monkeypatch):
    monkeypatch.delenv("COLUMNS")
    out = sgguard("approvals", "list")[1]
    assert all(target in out for target in large["target"])
    assert out.count("delete the group of") == MANY


def test_the_confirm_page_shows_every_group_and_step(place, large):
    context = place.context()
    signed = links.sign(
        links.LinkToken(
            "a5ced000",
            place.approval("a5ced000").facts_hash,
            "approve",
            "ada",
            expires_at_s=int(place.store.now_s()) + 600,
        ),
        (KEY,),
    )
    shown = web.show("GET", {"token": signed}, {}, lambda: context)
    assert shown is not None
    assert shown.status == 200
    page = html.unescape(shown.body.decode())
    groups, plan = (
        re.search(rf"<h2>{title}</h2><(ul|ol)>(.*?)</\1>", page, re.DOTALL)[2]
        for title in ("Security group", "Plan, in this order")
    )
    assert re.findall(r"<li>(.*?)</li>", groups) == large["target"]
    steps = [" ".join(one["summary"].split()) for one in large["plan"]]
    assert re.findall(r"<li>(.*?)</li>", plan) == steps


def test_no_line_of_the_page_is_left_out():
    lines = [f"line {number}" for number in range(1000)]
    view = ApprovalView(
        "", "ada", "eve", "", lines, lines, lines, lines, "soon", "", {"approve": "t"}
    )
    assert approval_page(view, Words("en", UTC), "lang=zh").count(b"<li>") == 4000
