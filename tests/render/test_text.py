"""A decision as text: one line that fits, and the whole story."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sgguard.model.change import Change, Holder
from sgguard.model.codes import Outcome
from sgguard.model.resource import Binding, Limit
from sgguard.render import document, text
from sgguard.render.language.sentence import message_of
from sgguard.render.outcome import with_outcome
from sgguard.render.wording import columns, one_line, pad, short_ids
from sgguard.store import codec
from sgguard.store.rows import Approval, Entry
from tests.examples import examples
from tests.guards.builders import (
    DELETE_FACTS,
    LAUNCH_FACTS,
    MAY_ALL,
    NO_PERMISSION,
    OPENSTACK,
    POLICIES,
    TENCENT,
    decision,
    facts,
    group,
    instance,
    launched,
    malformed,
    missing,
    named_by,
    planned,
    server,
)

ALL = st.one_of(DELETE_FACTS, LAUNCH_FACTS)


def story_of(made, particulars=None, **options):
    """The whole story of a decision, by way of its document."""
    return text.full(document.to_json(made), particulars, **options)


@pytest.mark.parametrize(
    ("of", "said"),
    [
        pytest.param(
            facts(group(name="web")),
            ["tencent", "sg-a (web)", "ALLOW", "It is free in this account"],
            id="free",
        ),
        pytest.param(
            facts(group(name="web", references=[named_by()], bindings=[server()])),
            [
                "sg-a (web)",
                "BLOCK",
                "1 rule of 1 group names it: sg-b (name-of-sg-b)",
                "bound: 1 instance",
            ],
            id="referenced and bound",
        ),
        pytest.param(
            facts(group(references=[named_by(), named_by("sg-c")]), capabilities=OPENSTACK),
            ["2 rules of 2 groups would silently vanish: sg-b (name-of-sg-b), sg-c (name-of-sg-c)"],
            id="cascade",
        ),
        pytest.param(
            facts(group(is_default=True, references=[named_by()], bindings=[server()])),
            ["BLOCK", "default group", "referenced by sg-b", "bound: 1 instance"],
            id="default",
        ),
        pytest.param(
            facts(group("sg-a", references=[named_by("sg-b")]), group("sg-b")),
            ["sg-a, sg-b", "ALLOW", "Free together, to be deleted in this order: sg-b, sg-a"],
            id="set",
        ),
        pytest.param(
            facts(missing("sg-x")), ["sg-x", "BLOCK", "No group sg-x in tencent"], id="missing"
        ),
        pytest.param(
            facts(malformed("my-id")), ["my-id", "BLOCK", "'my-id' is no group id"], id="malformed"
        ),
        pytest.param(planned(group(count=1), count=3), ["3 x sg-a", "ALLOW"], id="planned"),
        pytest.param(planned(), ["1 x no group", "ALLOW", "picks one"], id="no group"),
        pytest.param(
            launched(instance("sg-a"), group(count=1)), ["ins-1 (web)", "ALLOW"], id="launched"
        ),
    ],
)
def test_a_line_says_cloud_group_verdict_and_why(of, said):
    line = text.line(decision(of))
    for each in said:
        assert each in line


@examples(50)
@given(ALL, POLICIES, st.integers(100, 200))
def test_a_line_is_one_line_that_fits(of, policy, width):
    line = text.line(decision(of, policy), width=width)
    assert columns(line) <= width
    assert line.isprintable()
    assert len(text.line(decision(of, policy), width=width, colour=True)) <= width + 9


@examples(50)
@given(ALL, POLICIES, st.integers(40, 120))
def test_the_whole_story_is_wrapped_to_the_terminal_and_loses_nothing(of, policy, width):
    made = decision(of, policy)
    wrapped = story_of(made, width=width)
    assert max(map(columns, wrapped.splitlines())) <= width
    assert "".join(wrapped.split()) == "".join(story_of(made).split())


@examples(50)
@given(ALL, POLICIES)
def test_the_whole_story_holds_every_reason_and_step_and_no_escape_codes(of, policy):
    made = decision(of, policy)
    story = story_of(made)
    assert all(one.isprintable() for one in story.split("\n"))
    for reason in made.judgement.reasons:
        message = " ".join(message_of(reason).split())  # where a part of it is empty
        assert f"{reason.code}: {message}" in story
    for number, step in enumerate(made.judgement.plan, start=1):
        assert f"  {number}. {step.summary}" in story


def test_only_the_verdict_is_coloured_and_only_when_asked():
    made = decision(facts(group()))
    assert "\x1b" not in text.line(made) + story_of(made)
    assert "\x1b[32mALLOW" in text.line(made, colour=True)
    assert story_of(made, colour=True).startswith("\x1b[32mALLOW\x1b[0m  delete tencent::")


def test_the_whole_story_shows_rules_holders_limits_and_how_to_undo():
    of = group(
        references=[named_by(description="from the web", priority=3, is_enabled=False)],
        bindings=[Binding("interface", "eni-1", instance_id="ins-1", owner="compute:nova")],
    )
    story = story_of(decision(facts(of), MAY_ALL))
    for said in (
        "REMEDIATE  delete tencent::ap-guangzhou:sg-a",
        '- sg-b (name-of-sg-b): ingress[0]: tcp 22 accept priority 3 disabled "from the web"',
        "- interface eni-1 of instance ins-1, owner compute:nova",
        "1. revoke rule ingress[0]",
        "undo: put rule ingress[0]",
        "undo: from a snapshot",
    ):
        assert said in story
    limits = story_of(decision(planned(group(count=1))))
    assert (
        "groups-per-instance: 0 of 5 now, 1 after, 20 % (documented): tencent::ap-guangzhou"
        in limits
    )
    assert "instances-per-group: 1 of 2000 now, 2 after, 0.1 % (live): sg-a" in limits


def test_a_decision_that_was_kept_has_the_same_story():
    made = decision(facts(group(references=[named_by()], bindings=[server()])), MAY_ALL)
    kept = json.loads(json.dumps(document.to_json(made)))
    assert text.full(kept) == story_of(made)


def test_what_no_reason_names_is_listed_as_seen():
    of = group(is_default=True, references=[named_by()], bindings=[server()])
    kept = document.to_json(decision(facts(of)))
    story = text.full(kept)
    assert "Seen\n  1 group, 1 reference, 1 binding; complete" in story
    assert story.count("sg-b (name-of-sg-b): ingress[0]") == 1
    story = text.full({**kept, "reasons": []})
    assert "- sg-a: referenced by sg-b (name-of-sg-b): ingress[0]: tcp 22 accept" in story
    assert "- sg-a: bound to instance ins-1" in story


def test_facts_that_a_reason_only_counts_are_not_listed_again():
    story = story_of(decision(facts(group(bindings=[server(f"ins-{n}") for n in range(250)]))))
    assert f"- and {250 - text.EVIDENCE_LINES} more" in story
    assert "bound to instance" not in story


def test_the_outcome_has_every_line_of_the_journal_and_the_whole_note():
    plan_json = '{"kind":"%s","group_id":"sg-b"}'
    entries = [
        Entry("d1", 0, 0, plan_json % "remove-rule", state="done", at_s=0.0),
        Entry("d1", 1, 0, plan_json % "create-group", state="done", made_id="sg-new", at_s=0.0),
        Entry("d1", 2, 0, plan_json % "remove-rule", is_undo=True, state="undone", note="why"),
    ]
    asked = Approval("a1", "d1", ("t",), "eve", "f", "{}", "s", 3600.0, state="approved")
    asked = replace(asked, resolved_by="bob")
    made = document.to_json(decision(facts(group(references=[named_by()])), MAY_ALL))
    note = "left to do: " + "sgguard resume d1; " * 30
    found = with_outcome(made, Outcome.PARTLY_UNDONE, note, journal=entries, approval=asked)
    story = text.full(found, {"asked by": "eve", "event": "e1 of /portal", "nothing": ""})
    for each in (
        "  event     e1 of /portal",
        "  outcome   partly-undone",
        "  approval  approved by bob (a1)",
        "  asked by  eve",
        "Outcome\n  partly-undone: left to do: sgguard resume d1;",
        "1970-01-01T00:00:00.000Z  done      remove-rule sg-b",
        "done      create-group sg-b, made sg-new",
        "undone    undo: remove-rule sg-b: why",
        note.strip(),
    ):
        assert each in story
    assert "nothing was done" not in story
    assert "Plan: 2 steps, in this order\n" in story


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            Change("set-groups", holder=Holder("instance", "i-1"), before=("a", "b"), after=("b",)),
            "set-groups instance i-1: a, b → b",
        ),
        (
            Change("remove-rule", "sg-b", rule=named_by().rule),
            "remove-rule sg-b ingress[0]: tcp 22 accept",
        ),
        (Change("delete-group", "sg-a"), "delete-group sg-a"),
    ],
    ids=["set-groups", "remove-rule", "delete-group"],
)
def test_a_line_of_the_journal_says_what_was_changed(change, words):
    entry = Entry("d1", 0, 0, codec.dump(change), state="done")
    found = with_outcome(
        document.to_json(decision(facts(group()))), Outcome.REMEDIATED, journal=[entry]
    )
    assert f"done      {words}" in text.full(found)


def test_what_others_wrote_forges_no_line():
    found = document.to_json(decision(facts(group(name="x\n\x1b[31mALLOW"))))
    story = text.full({**found, "note": "a\nb\x1b[0m"}, {"asked by": "eve\nALLOW"})
    assert all(one.isprintable() for one in story.split("\n"))
    assert not any(one.startswith(("b", "ALLOW\n")) for one in story.splitlines()[1:])


def test_what_was_not_seen_is_told_with_what_would_help():
    story = story_of(decision(facts(group(unseen=[NO_PERMISSION]))))
    assert "Not seen\n  tencent::ap-guangzhou:sg-a: references [no-permission]" in story
    assert "to see it: grant DescribeSecurityGroupReferences" in story


def test_many_holders_are_cut_and_counted():
    of = facts(group(bindings=[server(f"ins-{n}") for n in range(50)]))
    assert f"- and {50 - text.EVIDENCE_LINES} more" in story_of(decision(of))


def test_an_allowed_group_is_told_without_the_word_fail():
    made = decision(facts(group(name="")))
    assert "fail" not in (text.line(made) + story_of(made)).lower()


ID = "22222222-bbbb-4bbb-8bbb-000000000001"


def test_a_line_shortens_long_ids_and_the_whole_story_does_not():
    port = Binding("port", f"eni-of-{ID}", instance_id=ID)
    made = decision(facts(group(ID, name="iot", bindings=[port]), capabilities=OPENSTACK))
    line = text.line(made, width=200)
    assert "22222222…0001 (iot)" in line
    assert "It is carried by 1 port: eni-of-22222222…0001 of instance 22222222…0001" in line
    assert ID not in line
    assert f"port eni-of-{ID} of instance {ID}" in story_of(made)


def test_a_line_begins_with_what_is_the_matter_and_not_with_the_group_again():
    line = text.line(decision(facts(group(unseen=[NO_PERMISSION]))))
    assert "References could not be seen (UnauthorizedOperation)" in line


@pytest.mark.parametrize("capabilities", [TENCENT, replace(TENCENT, refused_with="")])
def test_no_error_code_is_made_up_where_no_document_names_one(capabilities):
    made = decision(facts(group(references=[named_by()]), capabilities=capabilities))
    for said in (text.line(made), story_of(made)):
        assert ("ResourceInUse" in said) is bool(capabilities.refused_with)
        assert "refuse" in said


def test_the_whole_story_says_what_a_plain_delete_would_do():
    story = story_of(decision(facts(group(bindings=[server()]))))
    assert "A plain delete now\n  sg-a (name-of-sg-a): would be refused with ResourceInUse" in story
    story = story_of(decision(facts(group(references=[named_by()]), capabilities=OPENSTACK)))
    assert "would succeed and cascade: 1 rule of 1 group silently vanish" in story


def test_blind_spots_are_counted_beside_free_and_listed_in_the_whole_story():
    blind = replace(TENCENT, blind_spots=("Launch templates are not told.",))
    made = decision(facts(group(), capabilities=blind))
    assert "nothing carries it (blind spots of this cloud's API: 1)" in text.line(made, width=220)
    assert "cannot tell\n  Launch templates are not told." in story_of(made)
    assert "blind" not in story_of(decision(facts(group())))


def test_limits_are_told_before_and_after_and_advice_is_called_advice():
    limits = [
        Limit("groups-per-interface", 5, is_enforced=False, note="a vendor's word"),
        Limit("instances-per-group", 10, source="live"),
        Limit("rules-per-group", 100, used=3),
    ]
    story = story_of(decision(planned(group(count=7), limits=limits)))
    assert "instances-per-group: 7 of 10 now, 8 after, 80 % (live): sg-a" in story
    assert "0 of 5 now, 1 after, 20 % (documented, advice only, a vendor's word)" in story
    assert "rules-per-group" not in story


@pytest.mark.parametrize(
    ("written", "width", "cut"),
    [
        ("abcdef", 4, "abc…"),
        ("安全组安全组", 12, "安全组安全组"),
        ("安全组安全组", 11, "安全组安全…"),
        ("安全组安全组", 10, "安全组安…"),
        ("a安全", 4, "a安…"),
    ],
)
def test_wide_signs_take_two_columns(written, width, cut):
    assert one_line(written, width) == cut
    assert columns(one_line(written, width)) <= width


def test_columns_stay_below_each_other_whatever_the_script():
    lines = [
        text.line(decision(facts(group("sg-a", name=name)))) for name in ("web", "安全组", "группа")
    ]
    assert len({columns(line.partition("ALLOW")[0]) for line in lines}) == 1
    assert columns(pad("安全组", 10)) == 10


@given(st.text(max_size=60), st.integers(1, 30))
def test_whatever_is_cut_fits(written, width):
    assert columns(one_line(written, width)) <= width
    assert len(one_line(written, width)) <= width


def test_only_whole_uuids_are_shortened():
    assert short_ids(f"a {ID}, b") == "a 22222222…0001, b"
    assert short_ids("sg-bp1partner0gateway01 and 22222222-bbbb") == (
        "sg-bp1partner0gateway01 and 22222222-bbbb"
    )


@pytest.mark.parametrize("first", range(0, 0x3000, 0x400), ids=hex)
def test_the_columns_of_a_text_are_those_of_its_signs(first):
    signs = [chr(one) for one in range(first, first + 0x400)]
    wide = [one for one in signs if unicodedata.east_asian_width(one) in ("W", "F")]
    assert columns("".join(signs)) == len(signs) + len(wide)
    assert [one for one in signs if columns(one) == 2] == wide


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain words", "plain words"),
        (" two  spaces ", "two spaces"),
        ("a\nline\x1b[31m", "a line [31m"),
        ("é", "é"),
        ("x" * 21, "x" * 19 + "…"),
        ("x" * 20, "x" * 20),
        ("", ""),
    ],
)
def test_a_text_is_put_on_one_line(text, line):
    assert one_line(text, 20) == line
