"""Groups deleted together: judged as one set, with an order that works."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.guards import delete
from sgguard.guards.delete.plan import order
from sgguard.model.resource import Reference
from sgguard.policy import Policy
from sgguard.render.language.sentence import message_of
from tests.effort import calls, cpu_s
from tests.examples import examples
from tests.guards.builders import (
    MAY_REVOKE,
    OPENSTACK,
    codes,
    facts,
    group,
    missing,
    named_by,
    named_by_unknown_rule,
    rule,
    server,
)

NOTHING = Policy()


def deleted(judged):
    return [one.target.rpartition(":")[2] for one in judged.plan if one.action == "delete"]


def revoked(judged):
    return [
        (one.target.rpartition(":")[2], one.details["peer_group"])
        for one in judged.plan
        if one.action == "revoke"
    ]


def reasons_of(judged, group_id):
    return [one.code for one in judged.reasons if one.target.endswith(f":{group_id}")]


def test_references_among_the_set_do_not_block_and_give_the_order():
    a = group("sg-a", references=[named_by("sg-b")])
    b = group("sg-b", references=[named_by("sg-c")])
    judged = delete.judge(facts(a, b, group("sg-c")), NOTHING)
    assert judged.verdict == "allow"
    assert deleted(judged) == ["sg-c", "sg-b", "sg-a"]
    assert revoked(judged) == []
    assert reasons_of(judged, "sg-a") == ["referenced-within-set", "free"]
    assert reasons_of(judged, "sg-c") == ["free"]


def test_a_reference_from_outside_blocks_the_set():
    a = group("sg-a", references=[named_by("sg-b"), named_by("sg-x")])
    judged = delete.judge(facts(a, group("sg-b")), NOTHING)
    assert judged.verdict == "block"
    assert reasons_of(judged, "sg-a") == ["referenced", "referenced-within-set"]
    (outside,) = judged.reasons[0].evidence
    assert outside.group_id == "sg-x"


@pytest.mark.parametrize("capabilities", [None, OPENSTACK])
def test_what_a_blocked_member_names_is_blocked_too(capabilities):
    bound = group("sg-a", bindings=[server()])
    b = group("sg-b", references=[named_by("sg-a")])
    c = group("sg-c", references=[named_by("sg-b")])
    of = (
        facts(bound, b, c, group("sg-d"))
        if not capabilities
        else facts(bound, b, c, capabilities=capabilities)
    )
    judged = delete.judge(of, NOTHING)
    code = "referenced-will-cascade" if capabilities else "referenced"
    assert (judged.verdict, judged.plan) == ("block", ())
    assert reasons_of(judged, "sg-b") == [code]
    assert reasons_of(judged, "sg-c") == [code]
    said = next(one for one in judged.reasons if one.target.endswith("sg-b"))
    assert "sg-b (name-of-sg-b) stays referenced by sg-a" in message_of(said)
    assert "cannot be deleted itself" in message_of(said)


def test_a_member_that_can_be_remedied_does_not_hold_the_others_back():
    a = group("sg-a", references=[named_by("sg-x")])
    b = group("sg-b", references=[named_by("sg-a")])
    judged = delete.judge(facts(a, b), MAY_REVOKE)
    assert judged.verdict == "remediate"
    assert revoked(judged) == [("sg-x", "sg-a")]
    assert deleted(judged) == ["sg-a", "sg-b"]


def test_two_groups_that_name_each_other_are_freed_by_revoking_one_rule():
    a = group("sg-a", references=[named_by("sg-b")])
    b = group("sg-b", references=[named_by("sg-a"), named_by("sg-a", "ingress[1]")])
    judged = delete.judge(facts(a, b), NOTHING)
    assert judged.verdict == "allow"
    assert revoked(judged) == [("sg-b", "sg-a")]
    assert deleted(judged) == ["sg-a", "sg-b"]
    assert "in a circle of references (sg-a, sg-b)" in message_of(judged.reasons[0])


def test_a_group_that_only_hangs_on_a_circle_costs_no_rule():
    a = group("sg-a", references=[named_by("sg-b"), named_by("sg-z")])
    b = group("sg-b", references=[named_by("sg-a")])
    c = group("sg-0", references=[named_by("sg-b")])
    judged = delete.judge(facts(a, b, c, group("sg-z")), NOTHING)
    assert deleted(judged) == ["sg-z", "sg-b", "sg-a", "sg-0"] or deleted(judged) == [
        "sg-z",
        "sg-a",
        "sg-b",
        "sg-0",
    ]
    assert len(revoked(judged)) == 1


def test_a_circle_with_an_unknown_rule_is_broken_at_a_known_one():
    a = group("sg-a", references=[named_by_unknown_rule("sg-b")])
    b = group("sg-b", references=[named_by("sg-a"), named_by("sg-a", "ingress[1]")])
    judged = delete.judge(facts(a, b), NOTHING)
    assert judged.verdict == "allow"
    assert revoked(judged) == [("sg-a", "sg-b"), ("sg-a", "sg-b")]
    assert deleted(judged) == ["sg-b", "sg-a"]


def test_a_circle_of_unknown_rules_is_blocked():
    a = group("sg-a", references=[named_by_unknown_rule("sg-b")])
    b = group("sg-b", references=[named_by_unknown_rule("sg-a")])
    judged = delete.judge(facts(a, b), MAY_REVOKE)
    assert judged.verdict == "block"
    assert "in a circle of references" in message_of(judged.reasons[0])
    assert "could not be read" in message_of(judged.reasons[0])


def test_one_missing_member_blocks_the_set_and_the_free_ones_say_so():
    judged = delete.judge(facts(group("sg-a"), missing("sg-b")), NOTHING)
    assert judged.verdict == "block"
    assert codes(judged) == ["free", "not-found"]


def test_the_fallback_group_may_not_be_deleted_with_the_others():
    policy = Policy(delete=MAY_REVOKE.delete.__class__(remedies=("move",), fallback_group="sg-b"))
    both = facts(group("sg-a", bindings=[server()]), group("sg-b"))
    assert delete.judge(both, policy).verdict == "block"


def test_the_order_of_the_question_changes_nothing():
    members = [
        group("sg-a", references=[named_by("sg-b"), named_by("sg-c")]),
        group("sg-b", references=[named_by("sg-c"), named_by("sg-a")]),
        group("sg-c", references=[named_by("sg-x")]),
    ]
    judgements = [delete.judge(facts(*one), MAY_REVOKE) for one in permutations(members)]
    assert all(one == judgements[0] for one in judgements)


def test_each_reference_is_put_in_order_once_however_often_it_is_asked_for():
    ids = [f"sg-{n}" for n in range(12)]
    all_named = facts(
        *(group(one, references=[named_by(x) for x in ids if x != one]) for one in ids)
    )
    assert calls(lambda: delete.judge(all_named, NOTHING), "reference_key") == 12 * 11


def test_the_cost_of_ordering_a_chain_grows_with_its_length():
    short, long = chain(100), chain(1000)
    assert deleted(delete.judge(long, NOTHING)) == [f"sg-{n}" for n in reversed(range(1000))]
    # A chain of n once cost n squared, a hundred times as much here.
    once = cpu_s(lambda: delete.judge(short, NOTHING))
    assert cpu_s(lambda: delete.judge(long, NOTHING)) < 40 * once


def chain(count: int):
    """Facts of groups each of which is referenced by the next."""
    members = [
        group(f"sg-{n}", references=[named_by(f"sg-{n + 1}")] if n < count - 1 else [])
        for n in range(count)
    ]
    return facts(*members)


EDGES = st.dictionaries(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), st.booleans(), max_size=20
)


@given(EDGES)
def test_the_order_is_topological_once_the_revoked_rules_are_gone(known):
    held = {one: {} for one in "abcdef"}
    for (named, referrer), is_known in known.items():
        if named != referrer:
            held[named][referrer] = (Reference(referrer, rule=rule() if is_known else None),)
    found = order("fedcba", held)
    assert sorted(found.first) == list("abcdef")
    for place, group_id in enumerate(found.first):
        gone = found.first[:place]
        freed = {one.group_id for one in found.revoked.get(group_id, ())}
        stuck = {one.group_id for one in found.stuck.get(group_id, ())}
        if not stuck:
            assert set(held[group_id]) <= {*gone, *freed}
        assert all(one.rule is not None for one in found.revoked.get(group_id, ()))


@given(EDGES)
def test_nothing_is_revoked_where_there_is_no_circle(known):
    held = {one: {} for one in "abcdef"}
    for named, referrer in known:
        if named < referrer:
            held[named][referrer] = (Reference(referrer, rule=rule()),)
    found = order("abcdef", held)
    assert (found.revoked, found.cycles, found.stuck) == ({}, (), {})


def _cheapest(left, held):
    """The next of a circle, found the slow way: by counting what names each of those left."""

    def cost(one):
        naming = [each for who in held[one] if who in left for each in held[one][who]]
        return sum(each.rule is None for each in naming), len(naming), one

    return min(left, key=cost)


@examples(50)
@given(EDGES)
def test_of_a_circle_the_group_that_the_fewest_rules_name_goes_first(known):
    held = {one: {} for one in "abcdef"}
    for (named, referrer), is_known in known.items():
        if named != referrer:
            held[named][referrer] = (Reference(referrer, rule=rule() if is_known else None),)
    found = order("fedcba", held)
    for circle in found.cycles:
        left = set(circle)
        for group_id in (one for one in found.first if one in circle):
            assert group_id == _cheapest(left, held)
            left.remove(group_id)


def test_a_circle_of_a_thousand_groups_is_ordered_in_one_pass():
    ids = [f"sg-{number:04d}" for number in range(1000)]
    held = {
        one: {who: (Reference(who, rule=rule()),) for who in (ids[n - 1], ids[n - 2])}
        for n, one in enumerate(ids)
    }
    found = order(ids, held)
    assert sorted(found.first) == ids
    assert found.cycles == (tuple(ids),)
