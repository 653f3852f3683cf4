"""Properties of every judgement, whatever the facts and the policy are."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sgguard.guards import delete, launch
from sgguard.model.codes import DELETE_CODES, LAUNCH_CODES, MEANINGS, Verdict
from sgguard.render.language.sentence import in_english, message_of
from sgguard.render.wording import MESSAGE_MAX
from tests.examples import examples
from tests.guards.builders import BINDINGS, DELETE_FACTS, LAUNCH_FACTS, POLICIES, REFERENCES, UNSEEN

often = examples(80)


def from_outside(facts):
    """References a group is held back by: of other groups that are not deleted as well."""
    members = {one.address.group_id for one in facts.groups}
    return [
        one
        for each in facts.groups
        for one in each.references
        if one.account or one.group_id not in members
    ]


def untolerated(unseen, policy):
    return [one for one in unseen if one.code not in policy.tolerate_unseen]


def shuffled(facts, seed):
    rng = random.Random(seed)

    def mixed(values):
        return tuple(rng.sample(values, len(values)))

    return replace(
        facts,
        limits=mixed(facts.limits),
        groups=mixed(
            [
                replace(
                    one,
                    references=mixed(one.references),
                    bindings=mixed(one.bindings),
                    unseen=mixed(one.unseen),
                )
                for one in facts.groups
            ]
        ),
    )


@often
@given(DELETE_FACTS, POLICIES)
def test_a_delete_is_allowed_only_when_everything_was_read_and_found_empty(facts, policy):
    if delete.judge(facts, policy).verdict is Verdict.ALLOW:
        assert from_outside(facts) == []
        for one in facts.groups:
            assert (one.bindings, one.is_malformed) == ((), False)
            assert untolerated(one.unseen, policy.delete) == []
            assert one.group is not None
            assert (one.group.is_default, one.group.managed_by) == (False, "")


@often
@given(DELETE_FACTS, POLICIES, st.data())
def test_seeing_more_never_turns_a_refusal_into_allow(facts, policy, data):
    before = delete.judge(facts, policy).verdict
    part, more = data.draw(
        st.one_of(
            st.tuples(st.just("references"), REFERENCES),
            st.tuples(st.just("bindings"), BINDINGS),
            st.tuples(st.just("unseen"), UNSEEN),
        )
    )
    place = data.draw(st.integers(0, len(facts.groups) - 1))
    groups = list(facts.groups)
    groups[place] = replace(groups[place], **{part: (*getattr(groups[place], part), more)})
    after = delete.judge(replace(facts, groups=tuple(groups)), policy).verdict
    if before is not Verdict.ALLOW:
        assert after is not Verdict.ALLOW
    if part == "bindings" or (part == "unseen" and untolerated([more], policy.delete)):
        assert after is not Verdict.ALLOW


@often
@given(DELETE_FACTS, POLICIES, st.integers())
def test_a_delete_is_judged_the_same_in_any_order(facts, policy, seed):
    assert delete.judge(facts, policy) == delete.judge(shuffled(facts, seed), policy)


@often
@given(LAUNCH_FACTS, POLICIES, st.integers())
def test_a_launch_is_judged_the_same_in_any_order(facts, policy, seed):
    assert launch.judge(facts, policy) == launch.judge(shuffled(facts, seed), policy)


@often
@given(LAUNCH_FACTS, POLICIES)
def test_a_launch_is_allowed_only_on_whole_facts(facts, policy):
    if launch.judge(facts, policy).verdict is Verdict.ALLOW:
        assert untolerated(facts.unseen, policy.launch) == []
        assert all(untolerated(one.unseen, policy.launch) == [] for one in facts.groups)
        assert all(one.group is not None for one in facts.groups)
        assert facts.instance is not None or not facts.instance_id


@often
@given(LAUNCH_FACTS, POLICIES, st.data())
def test_seeing_less_never_allows_a_launch(facts, policy, data):
    unseen = data.draw(UNSEEN)
    if untolerated([unseen], policy.launch):
        assert launch.judge(replace(facts, unseen=(unseen,)), policy).verdict is Verdict.BLOCK


@often
@given(st.one_of(DELETE_FACTS, LAUNCH_FACTS), POLICIES)
def test_with_an_empty_list_nothing_unseen_is_ever_allowed(facts, policy):
    strict = replace(
        policy,
        delete=replace(policy.delete, tolerate_unseen=()),
        launch=replace(policy.launch, tolerate_unseen=()),
    )
    guard = launch if hasattr(facts, "instance_id") else delete
    if any(one.unseen for one in facts.groups) or getattr(facts, "unseen", ()):
        assert guard.judge(facts, strict).verdict is Verdict.BLOCK


@often
@given(st.one_of(DELETE_FACTS, LAUNCH_FACTS), POLICIES)
def test_whatever_was_not_seen_is_a_reason_that_blocks_or_warns(facts, policy):
    is_launch = hasattr(facts, "instance_id")
    tolerated = (policy.launch if is_launch else policy.delete).tolerate_unseen
    judged = (launch if is_launch else delete).judge(facts, policy)
    for one in facts.groups:
        if one.group is None or one.is_malformed:
            continue  # it cannot be judged at all, which blocks by itself
        for unseen in one.unseen:
            (said,) = (
                reason
                for reason in judged.reasons
                if reason.evidence == (unseen,) and reason.target == str(one.address)
            )
            assert said.code == "facts-incomplete"
            assert said.effect == ("warn" if unseen.code in tolerated else "block")


@often
@given(DELETE_FACTS, POLICIES)
def test_consequences_agree_with_the_verdict(facts, policy):
    judged = delete.judge(facts, policy)
    kinds = [one.kind for one in judged.consequences]
    assert len(judged.consequences) == len(facts.groups)
    seen = {str(one.address): one for one in facts.groups}
    if judged.verdict is Verdict.ALLOW:
        # Allowed means free, or freed by revoking rules of groups that go as well.
        revoking = any(one.action == "revoke" for one in judged.plan)
        gaps = any(one.unseen for one in facts.groups)
        assert set(kinds) <= {"will-succeed"} or revoking or gaps
    for one in judged.consequences:
        of = seen[one.target]
        if one.kind == "will-succeed":
            assert (of.bindings, of.unseen, of.is_malformed) == ((), (), False)
            assert of.group is not None
        if one.kind == "unknown":
            assert of.bindings == ()
        if of.bindings:
            assert one.kind == "will-be-refused"
        assert bool(one.vanishing) == (one.kind == "will-cascade")
        assert set(one.vanishing) <= set(of.references)
        assert one.error_code == "" or one.kind == "will-be-refused"
        assert len(in_english(one.note or "")) <= MESSAGE_MAX


@often
@given(DELETE_FACTS, POLICIES, POLICIES)
def test_what_a_delete_would_do_does_not_depend_on_the_policy(facts, one, other):
    assert delete.judge(facts, one).consequences == delete.judge(facts, other).consequences


@often
@given(LAUNCH_FACTS, POLICIES)
def test_the_forecast_agrees_with_the_verdict(facts, policy):
    judged = launch.judge(facts, policy)
    for one in judged.forecast:
        assert one.limit.ceiling is not None
        assert one.limit.used <= one.limit.after
        is_over = one.limit.after > one.limit.ceiling
        if is_over and one.limit.is_enforced:
            assert judged.verdict is Verdict.BLOCK
        is_said = any(one.limit in reason.evidence for reason in judged.reasons)
        assert is_said or not is_over


@often
@given(st.one_of(DELETE_FACTS, LAUNCH_FACTS), POLICIES)
def test_every_reason_has_a_known_code_and_one_readable_sentence(facts, policy):
    guard, known = (
        (launch, LAUNCH_CODES) if hasattr(facts, "instance_id") else (delete, DELETE_CODES)
    )
    judged = guard.judge(facts, policy)
    assert judged.reasons
    for reason in judged.reasons:
        assert reason.code in known
        assert 0 < len(message_of(reason)) <= MESSAGE_MAX
        assert message_of(reason).isprintable()
        assert reason.target
    for step in judged.plan:
        assert 0 < len(step.summary) <= MESSAGE_MAX
        assert (step.inverse is None) == (step.action == "delete")


@often
@given(st.one_of(DELETE_FACTS, LAUNCH_FACTS), POLICIES)
def test_the_verdict_follows_from_the_reasons(facts, policy):
    guard = launch if hasattr(facts, "instance_id") else delete
    judged = guard.judge(facts, policy)
    blocks = [one for one in judged.reasons if one.effect == "block"]
    assert (judged.verdict is Verdict.ALLOW) == (not blocks)
    if judged.verdict is Verdict.BLOCK:
        assert judged.plan == ()
    if judged.verdict is Verdict.REMEDIATE:
        assert judged.plan


@often
@given(DELETE_FACTS, POLICIES)
def test_a_plan_deletes_each_group_once_after_everything_that_names_it(facts, policy):
    plan = delete.judge(facts, policy).plan
    if not plan:
        return
    gone = [one.target.rpartition(":")[2] for one in plan if one.action == "delete"]
    assert sorted(gone) == sorted(one.address.group_id for one in facts.groups)
    revoked = {
        (one.target.rpartition(":")[2], one.details["rule_id"])
        for one in plan
        if one.action in ("revoke", "rewrite")
    }
    for one in facts.groups:
        earlier = gone[: gone.index(one.address.group_id)]
        for reference in one.references:
            if reference.group_id in (*earlier, one.address.group_id):
                continue
            assert (reference.group_id, reference.rule.rule_id) in revoked


@often
@given(DELETE_FACTS, POLICIES)
def test_no_plan_of_a_delete_leaves_an_instance_without_a_group(facts, policy):
    plan = delete.judge(facts, policy).plan
    going = {one.address.group_id for one in facts.groups}
    unbound = {(one.target, one.details["holder_id"]) for one in plan if one.action == "unbind"}
    moved = {(one.target, one.details["holder_id"]) for one in plan if one.action == "move"}
    forced = {one.target for one in plan if one.details.get("is_forced") == "true"}
    for one in facts.groups if plan else ():
        for binding in one.bindings:
            place = (str(one.address), binding.holder_id)
            assert place in unbound | moved or str(one.address) in forced
            if place not in moved:
                assert set(binding.other_group_ids or ()) - going
    assert all(one.details["to_group"] not in going for one in plan if "to_group" in one.details)


@often
@given(LAUNCH_FACTS, POLICIES)
def test_no_plan_for_an_instance_leaves_one_of_its_holders_without_a_group(facts, policy):
    judged = launch.judge(facts, policy)
    instance = facts.instance
    if not judged.plan or instance is None:
        return
    held = {one.interface_id: set(one.group_ids) for one in instance.interfaces}
    held[instance.instance_id] = set(instance.group_ids)
    for step in judged.plan:
        groups, group_id = held[step.details["holder_id"]], step.target.rpartition(":")[2]
        if step.action == "bind":
            groups.add(group_id)
        elif step.action == "replace":
            groups.clear()
            groups.add(group_id)
        else:
            assert group_id in groups
            groups.discard(group_id)
            groups |= {step.details["to_group"]} if step.action == "move" else set()
        assert groups


@often
@given(st.one_of(DELETE_FACTS, LAUNCH_FACTS), POLICIES)
def test_only_what_the_policy_permits_is_planned(facts, policy):
    is_launch = hasattr(facts, "instance_id")
    table = policy.launch if is_launch else policy.delete
    words = {"replace": "quarantine", "bind": "bind", "unbind": "unbind", "rewrite": "rewrite"}
    for step in (launch if is_launch else delete).judge(facts, policy).plan:
        if step.action in words:
            assert words[step.action] in table.remedies
        if step.action == "move":
            assert ("unbind" if is_launch else "move") in table.remedies


@pytest.mark.parametrize("code", sorted({*DELETE_CODES, *LAUNCH_CODES}))
def test_every_code_has_a_meaning_in_one_line(code):
    meaning = MEANINGS[code]
    assert meaning
    assert "\n" not in meaning
