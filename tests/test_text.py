"""A decision as text: one line that fits, and the whole story."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgguard import text
from sgguard.model import Binding

from .guards.cast import (
    DELETE_FACTS,
    LAUNCH_FACTS,
    MAY_ALL,
    NO_PERMISSION,
    OPENSTACK,
    POLICIES,
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
            facts(group(references=[named_by(), named_by("sg-c")]), traits=OPENSTACK),
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


@settings(deadline=None, max_examples=50)
@given(ALL, POLICIES, st.integers(100, 200))
def test_a_line_is_one_line_that_fits(of, policy, width):
    line = text.line(decision(of, policy), width=width)
    assert len(line) <= width
    assert line.isprintable()
    assert len(text.line(decision(of, policy), width=width, colour=True)) <= width + 9


@settings(deadline=None, max_examples=50)
@given(ALL, POLICIES)
def test_the_whole_story_holds_every_reason_and_step_and_no_escape_codes(of, policy):
    made = decision(of, policy)
    story = text.full(made)
    assert all(one.isprintable() for one in story.split("\n"))
    for reason in made.judgement.reasons:
        assert f"{reason.code}: {reason.message}" in story
    for number, step in enumerate(made.judgement.plan, start=1):
        assert f"  {number}. {step.summary}" in story


def test_only_the_verdict_is_coloured_and_only_when_asked():
    made = decision(facts(group()))
    assert "\x1b" not in text.line(made) + text.full(made)
    assert "\x1b[32mALLOW" in text.line(made, colour=True)
    assert text.full(made, colour=True).startswith("\x1b[32mALLOW\x1b[0m  delete tencent::")


def test_the_whole_story_shows_rules_holders_limits_and_how_to_undo():
    of = group(
        references=[named_by(description="from the web", priority=3, is_enabled=False)],
        bindings=[Binding("interface", "eni-1", instance_id="ins-1", owner="compute:nova")],
    )
    story = text.full(decision(facts(of), MAY_ALL))
    for said in (
        "REMEDIATE  delete tencent::ap-guangzhou:sg-a",
        '- sg-b (name-of-sg-b): ingress[0]: tcp 22 accept priority 3 disabled "from the web"',
        "- interface eni-1 of ins-1, owner compute:nova",
        "1. revoke rule ingress[0]",
        "undo: put rule ingress[0]",
        "undo: from a snapshot",
    ):
        assert said in story
    limits = text.full(decision(planned(group(count=1))))
    assert "groups-per-instance: 5 (documented)" in limits
    assert "instances-per-group: 2 of 2000 (live)" in limits


def test_what_was_not_seen_is_told_with_what_would_help():
    story = text.full(decision(facts(group(unseen=[NO_PERMISSION]))))
    assert "Not seen\n  tencent::ap-guangzhou:sg-a: references [no-permission]" in story
    assert "to see it: grant DescribeSecurityGroupReferences" in story


def test_many_holders_are_cut_and_counted():
    of = facts(group(bindings=[server(f"ins-{n}") for n in range(50)]))
    assert f"- and {50 - text.EVIDENCE_LINES} more" in text.full(decision(of))


def test_an_allowed_group_is_told_without_the_word_fail():
    made = decision(facts(group(name="")))
    assert "fail" not in (text.line(made) + text.full(made)).lower()
