"""A name or tags that are not told fit every protection and stricter scope, and excuse nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sgguard.guards import delete, launch
from sgguard.model.codes import Mode
from sgguard.model.resource import Group, Reference, Unseen
from sgguard.operations import replay
from sgguard.policy import (
    DeletePolicy,
    Exemption,
    LaunchPolicy,
    Match,
    Policy,
    ScopePolicy,
    fits,
    for_group,
    matches,
    may_match,
    mode_for,
    strictest,
)
from sgguard.render.language.sentence import message_of
from tests.guards.builders import (
    address,
    facts,
    group,
    instance,
    launched,
    named_by,
    planned,
    rule,
)
from tests.policy.test_scope import GROUPS, HERE, POLICIES, SCOPES, meaning

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GAP = Unseen("not-told", "groups", "the answer does not mention this group")
TOLERANT = ("not-told",)


def unread(group_id="sg-a", **more):
    """A group that was not read: nothing but its id is known."""
    return group(group_id, name=None, tags=None, unseen=[GAP], **more)


def protecting(*patterns, **more):
    return Policy(delete=DeletePolicy(protected=patterns, tolerate_unseen=TOLERANT, **more))


# -- patterns -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "told", "none", "not_told"),
    [
        ("prod-*", True, False, None),
        ("sg-a", True, True, True),
        ("sg-*", True, True, True),
        ("lab-*", False, False, None),
        ("tencent::ap-*:sg-a", True, True, True),
        ("tencent::ap-*:sg-b", False, False, False),
    ],
)
def test_a_pattern_fits_does_not_or_may(pattern, told, none, not_told):
    named = {"prod-web": told, "": none, None: not_told}
    for name, expected in named.items():
        assert fits(pattern, address(), Group("sg-a", name)) is expected
    assert fits(pattern, address(), None) is not_told


@given(st.sampled_from(["prod-*", "sg-a", "*", "?-*", "tencent:*"]), st.text(max_size=8))
def test_what_a_name_would_decide_is_open_until_it_is_told(pattern, name):
    unknown = fits(pattern, address(), Group("sg-a"))
    assert unknown in (None, fits(pattern, address(), Group("sg-a", name)))
    assert matches(pattern, address(), Group("sg-a")) is (unknown is True)
    assert may_match(pattern, address(), Group("sg-a")) is (unknown is not False)


# -- scopes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("match", [Match(tag="env=prod"), Match(name="prod-*")])
def test_a_group_of_which_nothing_is_told_is_in_every_stricter_scope(match):
    policy = Policy(Mode.ENFORCE, scopes=(ScopePolicy(match, Mode.OBSERVE),))
    assert mode_for(policy, "delete", [(address(), Group("sg-a"))]) is Mode.OBSERVE
    assert mode_for(policy, "delete", [(address(), Group("sg-a", "", tags=()))]) is Mode.ENFORCE


def test_a_group_of_which_nothing_is_told_is_in_no_laxer_scope():
    policy = Policy(Mode.OBSERVE, scopes=(ScopePolicy(Match(tag="env=lab"), Mode.ENFORCE),))
    assert mode_for(policy, "delete", [(address(), Group("sg-a"))]) is Mode.OBSERVE


@given(POLICIES, SCOPES, GROUPS)
def test_what_is_not_told_of_a_group_is_never_laxer_than_what_could_be(base, scopes, known):
    scoped = replace(base, scopes=scopes)
    for untold in ({"name": None}, {"tags": None}, {"name": None, "tags": None}):
        strict = for_group(scoped, HERE, replace(known, **untold))
        there = for_group(scoped, HERE, known)
        assert meaning(strictest(there, strict)) == meaning(strict)


# -- the delete guard ---------------------------------------------------------------------------


def test_a_group_whose_name_could_not_be_read_may_be_protected():
    found = delete.judge(facts(unread()), protecting("prod-*"), NOW)
    reason = next(one for one in found.reasons if one.code == "protected")
    assert (found.verdict, reason.effect) == ("block", "block")
    assert message_of(reason) == (
        "sg-a may be protected by the policy (delete.protected: prod-*): "
        "its name could not be read."
    )


@pytest.mark.parametrize("pattern", ["tencent::ap-guangzhou:sg-b", "alibaba:*:*:*"])
def test_a_pattern_over_addresses_needs_no_name(pattern):
    assert delete.judge(facts(unread()), protecting(pattern), NOW).verdict == "allow"


def test_a_group_that_is_told_to_have_no_name_is_not_protected_by_one():
    assert delete.judge(facts(group(name="")), protecting("prod-*"), NOW).verdict == "allow"


@pytest.mark.parametrize(("pattern", "verdict"), [("prod-*", "block"), ("sg-a", "allow")])
def test_only_what_is_known_excuses_a_protection(pattern, verdict):
    exemption = Exemption(pattern, ("protected",), "ada", "because", date(2026, 12, 31))
    policy = replace(protecting("prod-*"), exemptions=(exemption,))
    assert delete.judge(facts(unread()), policy, NOW).verdict == verdict


@pytest.mark.parametrize(("name", "verdict"), [(None, "block"), ("", "remediate")])
def test_the_rule_of_a_group_whose_name_is_not_told_may_be_protected(name, verdict):
    policy = protecting("prod-*", remedies=("revoke",))
    named = Reference("sg-b", name, rule=rule())
    assert delete.judge(facts(group(references=[named])), policy, NOW).verdict == verdict


def test_no_rule_is_rewritten_to_a_replacement_that_depends_on_a_name_not_told():
    of = facts(unread(references=[named_by()]))
    policy = protecting(
        remedies=("rewrite", "revoke"),
        replacements={"prod-*": "sg-new"},
        replacement_group="sg-other",
    )
    assert delete.judge(of, policy, NOW).verdict == "block"
    same = replace(policy, delete=replace(policy.delete, replacement_group="sg-new"))
    assert delete.judge(of, same, NOW).plan[0].details["to_group"] == "sg-new"


# -- the launch guard ---------------------------------------------------------------------------


def requiring(*remedies, **more):
    return Policy(launch=LaunchPolicy(remedies=remedies, tolerate_unseen=TOLERANT, **more))


def test_a_group_whose_name_could_not_be_read_may_be_forbidden():
    policy = requiring(forbidden=("old-*",))
    found = launch.judge(planned(unread(count=1)), policy, NOW)
    reason = next(one for one in found.reasons if one.code == "group-forbidden")
    assert found.verdict == "block"
    assert "its name could not be read" in message_of(reason)
    assert launch.judge(planned(group(name="", count=1)), policy, NOW).verdict == "allow"


def test_nothing_is_taken_off_an_instance_because_its_name_is_not_told():
    policy = requiring("unbind", "quarantine", forbidden=("old-*",), quarantine_group="sg-jail")
    of = launched(instance("sg-a", "sg-b"), unread(count=1), group("sg-b", count=1))
    found = launch.judge(of, policy, NOW)
    assert (found.verdict, found.plan) == ("block", ())


def test_a_baseline_is_not_met_by_a_name_that_is_not_told():
    found = launch.judge(planned(unread(count=1)), requiring(baseline=("base-*",)), NOW)
    reason = next(one for one in found.reasons if one.code == "baseline-missing")
    assert found.verdict == "block"
    assert message_of(reason).endswith("the name of sg-a could not be read.")


def test_recorded_facts_keep_apart_what_is_empty_and_what_is_not_told(tmp_path):
    for one in (group(name="", tags=()), group(name=None, tags=None)):
        path = tmp_path / "facts.json"
        path.write_text(replay.record(facts(one)))
        assert replay.replay(path) == facts(one)
