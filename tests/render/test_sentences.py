"""A sentence is a code with arguments: kept as such, and put into words when it is shown."""

from __future__ import annotations

import ast
import json
import re
import string
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import sgguard
from sgguard import schemas
from sgguard.callers.veil import HIDDEN, veiled
from sgguard.guards import delete, launch
from sgguard.model.change import Change
from sgguard.model.codes import Outcome
from sgguard.model.resource import Direction, Rule
from sgguard.model.sentence import LISTED_MAX, Sentence, counted, listed, moment, said, thing
from sgguard.remedy.plan import Plan, Planned
from sgguard.remedy.prepare import Prepared, fingerprint
from sgguard.remedy.snapshot import Snapshot
from sgguard.render import document
from sgguard.render.language import text
from sgguard.render.language.message import of_document
from sgguard.render.language.rule import rule_said
from sgguard.render.language.sentence import in_english, in_words, knows
from sgguard.render.language.sentences import en, zh
from sgguard.render.language.step import said_of
from sgguard.render.language.words import Words
from sgguard.render.outcome import notes_in, with_outcome
from sgguard.render.said import sentence_json, sentence_of
from sgguard.render.wording import MESSAGE_MAX, columns, rule_words
from tests.examples import examples
from tests.guards.builders import (
    DELETE_FACTS,
    LAUNCH_FACTS,
    MAY_MOVE,
    MAY_REVOKE,
    MAY_UNBIND,
    POLICIES,
    SCOPE,
    decision,
    facts,
    group,
    named_by,
    server,
)

PACKAGE = Path(sgguard.__file__).parent
CHINESE = Words("zh", UTC)
HAN = re.compile(r"[\u4e00-\u9fff]")
PARTS = ("unit.", "thing.", "field.")


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call that makes a sentence, with the place it is made in."""
    for path in PACKAGE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)) if "said(" in source else ():
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "said":
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node


def codes_of(call: ast.Call) -> list[str]:
    """The codes that a call may give: written out, or one of two that are."""
    first = call.args[0]
    both = (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,)
    return [one.value for one in both if isinstance(one, ast.Constant)]


MADE = list(calls())
CALLS = [(where, code, call) for where, call in MADE for code in codes_of(call)]


def placeholders(entry: str | Mapping[str, str]) -> set[str]:
    texts = [entry] if isinstance(entry, str) else [*entry.values()]
    found = {name for one in texts for _, name, _, _ in string.Formatter().parse(one) if name}
    return found if isinstance(entry, str) else found | {"n"}


def test_code_and_arguments_are_written_out_where_a_sentence_is_made():
    assert [where for where, call in MADE if not codes_of(call)] == []
    assert [where for where, call in MADE if None in [one.arg for one in call.keywords]] == []


@pytest.mark.parametrize("sentences", [en.SENTENCES, zh.SENTENCES])
def test_every_sentence_that_is_made_has_words_for_its_arguments(sentences):
    for where, code, call in CALLS:
        assert code in sentences, where
        short = sentences.get(f"{code}.short", sentences[code])
        known = placeholders(sentences[code]) | placeholders(short)
        assert known == {one.arg for one in call.keywords}, where


def test_no_words_are_kept_for_a_sentence_that_nobody_makes():
    made = {code for _, code, _ in CALLS}
    kept = {one for one in en.SENTENCES if not one.startswith(PARTS)}
    assert kept - made - {f"{one}.short" for one in made} == set()


@examples(60)
@given(st.one_of(DELETE_FACTS, LAUNCH_FACTS), POLICIES)
def test_every_reason_is_the_same_after_it_was_kept_and_has_chinese_words(about, policy):
    guard = delete if hasattr(about.groups[0] if about.groups else None, "bindings") else launch
    guard = launch if hasattr(about, "instance_id") else guard
    for reason in guard.judge(about, policy).reasons:
        kept = json.loads(json.dumps(sentence_json(reason.sentence)))
        assert sentence_of(kept) == reason.sentence
        chinese = in_words(reason.sentence, CHINESE)
        assert HAN.search(chinese)
        assert columns(chinese) <= MESSAGE_MAX
        assert chinese.isprintable() or "\u2068" in chinese


def made_for_an_english_caller():
    about = facts(
        group("sg-a", references=[named_by("sg-b", "ingress[0]"), named_by("sg-c", "ingress[1]")])
    )
    return json.loads(json.dumps(document.to_json(decision(about))))


def lines(found, words=CHINESE):
    message = of_document(found)
    return text.compose(message, words, text.DETAILS[0]).joined(words)


def test_a_decision_made_for_an_english_caller_reads_chinese_years_later():
    kept = made_for_an_english_caller()
    assert kept["reasons"][0]["message"].startswith("2 rules of 2 other groups name sg-a")
    assert any(
        "2 个其他安全组的 2 条规则引用了 sg-a (name-of-sg-a)：sg-b (name-of-sg-b)、"
        "sg-c (name-of-sg-c)。直接删除会失败（ResourceInUse）。" in one
        for one in lines(kept)
    )


def test_a_decision_of_an_older_version_is_still_shown():
    kept = made_for_an_english_caller()
    for reason in kept["reasons"]:
        del reason["sentence"]
    assert any("2 条规则引用了 sg-a" in one for one in lines(kept))
    assert any("2 rules of 2 security groups" in one for one in lines(kept, Words("en", UTC)))


@pytest.mark.parametrize(
    "later",
    [
        {"code": "delete.of-a-later-version", "args": {}},
        {"code": "delete.bound", "args": {}},
        {"code": "delete.referenced", "args": {"n": {"of": "another form"}}},
    ],
)
def test_a_sentence_of_a_later_version_is_shown_from_what_is_beside_it(later):
    kept = made_for_an_english_caller()
    kept["reasons"][0]["sentence"] = later
    assert any("2 条规则引用了 sg-a" in one for one in lines(kept))
    found = sentence_of(later)
    assert found is None or not knows(found, CHINESE)


class Sees:
    """A caller's targets, as ``callers/permit.py`` asks for them."""


def test_who_may_not_see_a_group_does_not_see_it_in_a_sentence(monkeypatch):
    kept = made_for_an_english_caller()
    kept["facts"]["references"][0]["group_name"] = "secret-name"
    args = kept["reasons"][0]["sentence"]["args"]
    args["holders"]["shown"][0] = {"id": "sg-b", "called": "secret-name"}
    monkeypatch.setattr(
        "sgguard.callers.veil.may_see", lambda caller, address, accounts: address.group_id == "sg-a"
    )
    shown = json.dumps(veiled(kept, Sees(), {}), ensure_ascii=False)
    assert "sg-b" not in shown
    assert "secret-name" not in shown
    assert HIDDEN in shown


def test_a_long_list_says_how_many_more_there_are_in_every_language():
    many = listed(thing(f"sg-{n:08d}", "web") for n in range(500))
    kept = dict(many.args)
    assert (len(kept["shown"]), kept["total"]) == (LISTED_MAX, 500)
    sentence = said("delete.cascade", group=thing("sg-a"), n=500, groups=500, holders=many)
    english, chinese = in_english(sentence), in_words(sentence, CHINESE)
    assert re.search(r"sg-00000005 \(web\) and 494 more\.$", english)
    assert re.search(r"sg-0000000\d \(web\)，另有 49\d 个。$", chinese)
    assert max(columns(english), columns(chinese)) <= MESSAGE_MAX


def test_numbers_have_the_forms_of_their_language():
    def bound(*counts: Sentence) -> Sentence:
        return said("delete.bound.short", group=thing("sg-a"), kinds=listed(counts), refusal="")

    both = bound(counted(1, "interface"), counted(3, "instance"))
    assert in_english(both) == "sg-a is carried by 1 interface, 3 instances."
    assert in_words(both, CHINESE) == "sg-a 仍绑定在以下资源上：1 张弹性网卡、3 台实例。"
    strange = bound(counted(2, "gateway"))
    assert in_english(strange) == "sg-a is carried by 2 gateways."
    assert in_words(strange, CHINESE) == "sg-a 仍绑定在以下资源上：2 个 gateway。"


def test_a_moment_is_shown_in_the_zone_of_the_reader():
    at = moment(datetime(2026, 11, 29, 14, 42, 10, tzinfo=UTC))
    kept = sentence_json(said("plan.impossible", why=at))
    assert kept["args"] == {"why": {"at": "2026-11-29T14:42:10+00:00"}}
    assert in_words(sentence_of(kept), CHINESE).endswith("2026-11-29 14:42:10 UTC")


def test_a_name_from_right_to_left_does_not_reorder_what_is_around_it():
    sentence = said("delete.default-group", group=thing("sg-a", "מאגר"))
    assert "\u2068sg-a (מאגר)\u2069" in in_words(sentence, CHINESE)
    assert "\u2068" not in in_english(sentence)


def steps_of(about, policy):
    return delete.judge(about, policy).plan


def test_every_step_reads_chinese_and_its_summary_is_the_sentence_in_english():
    named = facts(group("sg-a", references=[named_by("sg-b", "ingress[0]")]))
    bound = facts(group("sg-a", bindings=[server(other_group_ids=("sg-c",))]))
    moved = facts(group("sg-a", bindings=[server(other_group_ids=())]))
    said_in = [
        (
            named,
            MAY_REVOKE,
            (
                "删除 sg-b (name-of-sg-b) 的入方向规则 ingress[0]（tcp 22，来源 sg-a）",
                "删除安全组 sg-a (name-of-sg-a)",
            ),
        ),
        (
            bound,
            MAY_UNBIND,
            (
                "解绑安全组 sg-a：实例 ins-1",
                "删除安全组 sg-a (name-of-sg-a)",
            ),
        ),
        (
            moved,
            MAY_MOVE,
            (
                "从 sg-a 换绑到 sg-spare（先绑后解）：实例 ins-1",
                "删除安全组 sg-a (name-of-sg-a)",
            ),
        ),
    ]
    for about, policy, wanted in said_in:
        plan = steps_of(about, policy)
        assert tuple(in_words(step.sentence, CHINESE) for step in plan) == wanted
        for step in (*plan, *(one.inverse for one in plan if one.inverse)):
            assert step.summary == in_english(step.sentence)
            assert HAN.search(in_words(step.sentence, CHINESE))


def test_a_plan_of_an_older_version_is_still_shown():
    about = facts(group("sg-a", references=[named_by("sg-b", "ingress[0]")]))
    kept = json.loads(json.dumps(document.to_json(decision(about, MAY_REVOKE))))
    assert any("删除 sg-b (name-of-sg-b) 的入方向规则" in one for one in lines(kept))
    for step in kept["plan"]:
        del step["sentence"]
    assert any("删除 sg-b (name-of-sg-b) 的入方向规则 ingress[0]" in one for one in lines(kept))


def test_a_yes_covers_a_plan_whatever_it_is_said_with():
    about = facts(group("sg-a", references=[named_by("sg-b", "ingress[0]")]))
    (step, _) = steps_of(about, MAY_REVOKE)
    change = Change("remove-rule", "sg-b", rule=about.groups[0].references[0].rule)
    otherwise = replace(step, sentence=None, inverse=replace(step.inverse, sentence=None))

    def hash_with(one):
        return fingerprint(about, Prepared(Plan(SCOPE, (Planned(one, change),)), snapshot))

    snapshot = Snapshot(SCOPE)
    assert hash_with(step) == hash_with(otherwise)
    assert hash_with(step) != hash_with(replace(step, target="tencent::gz:sg-other"))


def with_notes(*notes):
    kept = made_for_an_english_caller()
    return json.loads(json.dumps(with_outcome(kept, Outcome.PARTLY_UNDONE, notes)))


def test_what_became_of_a_decision_reads_chinese_too():
    about = facts(group("sg-a", references=[named_by("sg-b", "ingress[0]")]))
    (step, _) = steps_of(about, MAY_REVOKE)
    failed = said("note.failed", step=said_of(step), why="tencent DeleteX: UnauthorizedOperation")
    kept = with_notes(failed, "", said("note.deleted", group="sg-c"))
    assert kept["note"] == (
        "revoke rule ingress[0] (tcp 22 from sg-a) of sg-b (name-of-sg-b): "
        "tencent DeleteX: UnauthorizedOperation; group sg-c was deleted"
    )
    assert schemas.problems("decision", kept) == ()
    assert notes_in(kept, CHINESE) == [
        f"步骤失败：{in_words(step.sentence, CHINESE)}——tencent DeleteX: UnauthorizedOperation",
        "安全组 sg-c 已删除",
    ]


def test_a_note_of_an_older_version_is_shown_as_it_was_written():
    kept = {**with_notes(said("note.late")), "note": "as it was written"}
    del kept["notes"]
    assert notes_in(kept, CHINESE) == ["as it was written"]
    kept["notes"] = [{"code": "note.of-a-later-version", "args": {}}]
    assert notes_in(kept, CHINESE) == ["as it was written"]


def test_the_next_outcome_leaves_nothing_of_the_note_before():
    kept = with_outcome(with_notes(said("note.late")), Outcome.UNDONE)
    assert (kept["note"], kept["notes"], notes_in(kept, CHINESE)) == ("", [], [""])


@pytest.mark.parametrize("direction", list(Direction))
@pytest.mark.parametrize(("protocol", "ports"), [("any", "any"), ("tcp", "any"), ("udp", "53")])
@pytest.mark.parametrize(("priority", "note"), [(None, ""), (7, "from the web")])
def test_a_rule_is_the_same_in_english_and_chinese_in_chinese(
    direction, protocol, ports, priority, note
):
    for rule_id in (f"{direction.value}[0]", "sgr-1"):
        rule = Rule(rule_id, direction, protocol, ports, priority=priority, description=note)
        for one in (rule, replace(rule, action="drop", is_enabled=False)):
            assert in_english(rule_said(one)) == rule_words(one)
            chinese = in_words(rule_said(one), CHINESE)
            assert "any" not in chinese.replace(note or "-", "")
            assert ("允许" in chinese) == (one.action == "accept")
