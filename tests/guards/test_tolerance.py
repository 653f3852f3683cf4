"""What the policy may let pass although it was not seen, and how far it may insist on seeing."""

from __future__ import annotations

import pytest

from sgguard.guards import delete, launch
from sgguard.model.codes import Verdict
from sgguard.model.resource import Unseen, Visibility
from sgguard.policy import DeletePolicy, LaunchPolicy, Policy
from sgguard.render.language.sentence import message_of
from tests.guards.builders import MAY_ALL, codes, facts, group, missing, named_by, planned, server

CODES = (
    "no-permission",
    "unknown-shape",
    "record-ceiling",
    "other-project",
    "cross-account",
    "not-told",
    "api-absent",
)


def gap(code):
    return Unseen(code, "references", "nobody knows", "ask again")


def tolerating(*unseen):
    return Policy(
        delete=DeletePolicy(tolerate_unseen=unseen), launch=LaunchPolicy(tolerate_unseen=unseen)
    )


@pytest.mark.parametrize("seen", CODES)
@pytest.mark.parametrize("tolerated", CODES)
def test_a_gap_is_tolerated_by_its_own_code_only(seen, tolerated):
    policy = tolerating(tolerated)
    for judged in (
        delete.judge(facts(group(unseen=[gap(seen)])), policy),
        launch.judge(planned(group(count=1), unseen=(gap(seen),)), policy),
        launch.judge(planned(group(count=1, unseen=[gap(seen)])), policy),
    ):
        is_tolerated = seen == tolerated
        assert judged.verdict is (Verdict.ALLOW if is_tolerated else Verdict.BLOCK)
        found = [one for one in judged.reasons if one.code == "facts-incomplete"]
        assert [one.effect for one in found] == ["warn" if is_tolerated else "block"]
        assert found[0].evidence == (gap(seen),)


@pytest.mark.parametrize("wildcard", ["*", "no-*", "", "NO-PERMISSION"])
def test_there_is_no_wildcard(wildcard):
    judged = delete.judge(facts(group(unseen=[gap("no-permission")])), tolerating(wildcard))
    assert judged.verdict is Verdict.BLOCK


def test_one_tolerated_gap_does_not_excuse_another():
    of = facts(group(unseen=[gap("not-told"), gap("no-permission")]))
    judged = delete.judge(of, tolerating("not-told"))
    assert judged.verdict is Verdict.BLOCK
    assert sorted(one.effect for one in judged.reasons) == ["block", "warn"]


def test_a_tolerated_gap_excuses_nothing_that_was_seen():
    policy = tolerating(*CODES)
    gaps = [gap("record-ceiling")]
    for of in (
        group(references=[named_by()], unseen=gaps),
        group(bindings=[server()], unseen=gaps),
        group(is_default=True, unseen=gaps),
        missing(),
    ):
        assert delete.judge(facts(of), policy).verdict is Verdict.BLOCK


def test_a_group_that_is_allowed_with_a_gap_is_not_said_to_be_wholly_seen():
    judged = delete.judge(facts(group(unseen=[gap("not-told")])), tolerating("not-told"))
    warned, free = judged.reasons
    assert "tolerates it (tolerate_unseen: not-told)" in message_of(warned)
    assert (free.code, "free as far as was seen" in message_of(free)) == ("free", True)
    assert judged.consequences[0].kind == "unknown"


def test_a_tolerated_gap_does_not_make_an_allowed_delete_a_remedied_one():
    policy = Policy(delete=DeletePolicy(tolerate_unseen=("not-told",), remedies=("revoke",)))
    assert delete.judge(facts(group(unseen=[gap("not-told")])), policy).verdict is Verdict.ALLOW
    referenced = group(references=[named_by()], unseen=[gap("not-told")])
    assert delete.judge(facts(referenced), policy).verdict is Verdict.REMEDIATE


def test_a_missing_count_is_a_gap_like_any_other():
    assert launch.judge(planned(group()), tolerating("no-permission")).verdict is Verdict.BLOCK
    assert launch.judge(planned(group()), tolerating("not-told")).verdict is Verdict.ALLOW


REACH = (Visibility.PROJECT, Visibility.ACCOUNT, Visibility.CLOUD)


@pytest.mark.parametrize("required", [None, *REACH])
@pytest.mark.parametrize("have", REACH)
@pytest.mark.sampled(4)
def test_nothing_is_allowed_unless_the_credentials_see_as_far_as_the_policy_requires(
    have, required
):
    policy = Policy(
        delete=DeletePolicy(require_visibility=required),
        launch=LaunchPolicy(require_visibility=required),
    )
    is_enough = required is None or REACH.index(have) >= REACH.index(required)
    for judged in (
        delete.judge(facts(group(), visibility=have), policy),
        launch.judge(planned(group(count=1), visibility=have), policy),
    ):
        assert judged.verdict is (Verdict.ALLOW if is_enough else Verdict.BLOCK)
        assert ("facts-incomplete" in codes(judged, "block")) is not is_enough


def test_it_says_how_far_was_seen_and_how_to_see_more():
    policy = Policy(delete=DeletePolicy(require_visibility=Visibility.CLOUD))
    judged = delete.judge(facts(group(), visibility=Visibility.PROJECT), policy)
    (reason,) = judged.reasons
    for said in ("requires visibility cloud", "see one project only", "administrator"):
        assert said in message_of(reason)


def test_tolerating_what_is_hidden_does_not_replace_seeing_as_far_as_required():
    policy = Policy(
        delete=DeletePolicy(
            tolerate_unseen=("other-project", "cross-account"),
            require_visibility=Visibility.CLOUD,
        )
    )
    assert delete.judge(facts(group()), policy).verdict is Verdict.BLOCK
    remedied = Policy(
        delete=DeletePolicy(
            MAY_ALL.delete.protected,
            MAY_ALL.delete.remedies,
            "sg-spare",
            require_visibility=Visibility.CLOUD,
        )
    )
    assert delete.judge(facts(group(references=[named_by()])), remedied).verdict is Verdict.BLOCK


def test_what_there_was_no_time_for_blocks_whatever_the_policy_tolerates():
    judged = delete.judge(facts(group(unseen=[gap("out-of-time")])), tolerating("out-of-time"))
    assert judged.verdict is Verdict.BLOCK
