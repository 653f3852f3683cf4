"""Which policy governs a plan, and when a reason about all of it is excused."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from sgguard.model.codes import Mode, Verdict
from sgguard.model.decision import Judgement, Reason
from sgguard.model.sentence import said
from sgguard.policy import Exemption, Match, Policy, ScopePolicy
from sgguard.policy import governing as permission
from sgguard.render.language.sentence import message_of
from tests.guards.builders import SCOPE, facts, group, launched, named_by, planned

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TO_CHANGE = Judgement(Verdict.REMEDIATE, ())


def exempting(*patterns):
    day = date(2026, 12, 1)
    return Policy(
        exemptions=tuple(
            Exemption(one, ("cap-exceeded",), "ada", "it goes", day) for one in patterns
        )
    )


TWO = facts(group("sg-a", references=[named_by("sg-r")]), group("sg-b"))


@pytest.mark.parametrize(
    ("target", "patterns", "effect"),
    [
        pytest.param(str(SCOPE), ["sg-a", "sg-b"], "info", id="the plan, every group"),
        pytest.param(str(SCOPE), ["sg-[ab]"], "info", id="the plan, one pattern for all"),
        pytest.param(str(SCOPE), ["sg-a"], "block", id="the plan, one group"),
        pytest.param(f"{SCOPE}:sg-a", ["sg-a"], "info", id="a group"),
        pytest.param(f"{SCOPE}:sg-a", ["sg-b"], "block", id="another group"),
        pytest.param(f"{SCOPE}:sg-r", ["sg-r"], "info", id="a group that holds a rule"),
        pytest.param(f"{SCOPE}:sg-r", ["name-of-sg-r"], "info", id="by its name"),
        pytest.param(f"{SCOPE}:sg-r", ["sg-a", "sg-b"], "block", id="those it names only"),
        pytest.param(str(SCOPE), [], "block", id="nobody"),
    ],
)
def test_a_reason_is_excused_where_everybody_it_is_about_is(target, patterns, effect):
    reason = Reason("cap-exceeded", said("cap.project-full"), target=target)
    assert permission.excused(reason, exempting(*patterns), TWO, NOW).effect == effect


def test_a_reason_about_a_launch_is_its_instances():
    reason = Reason("cap-exceeded", said("cap.project-full"), target=str(SCOPE))
    there = launched(None, group("sg-a"))
    assert permission.excused(reason, exempting("ins-1"), there, NOW).effect == "info"
    assert permission.excused(reason, exempting("sg-a"), there, NOW).effect == "block"
    assert permission.excused(reason, exempting("ins-1"), planned(), NOW).effect == "block"


def test_the_first_to_end_is_the_one_that_is_named():
    early = Exemption("sg-b", ("cap-exceeded",), "bob", "soon", date(2026, 11, 30))
    policy = Policy(exemptions=(*exempting("sg-a").exemptions, early))
    reason = Reason("cap-exceeded", said("cap.project-full"), target=str(SCOPE))
    assert "bob, until 2026-11-30" in message_of(permission.excused(reason, policy, TWO, NOW))


REFERRER_OBSERVES = Policy(
    Mode.ENFORCE, scopes=(ScopePolicy(Match(name="name-of-sg-r"), Mode.OBSERVE),)
)


def test_a_group_whose_rule_would_be_changed_governs_as_well():
    governing = permission.governing(REFERRER_OBSERVES, TWO, TO_CHANGE)
    assert (governing.mode, governing.scopes) == (Mode.OBSERVE, ())
    for verdict in (Verdict.ALLOW, Verdict.BLOCK):
        found = permission.governing(REFERRER_OBSERVES, TWO, Judgement(verdict, ()))
        assert found.mode is Mode.ENFORCE


def test_another_accounts_group_has_no_say():
    theirs = facts(group("sg-a", references=[named_by("sg-r", account="another")]))
    assert permission.governing(REFERRER_OBSERVES, theirs, TO_CHANGE).mode is Mode.ENFORCE
