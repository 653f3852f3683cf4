"""What a policy lets the delete guard plan: rewriting, forcing, and whose word counts."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from sgguard.guards import delete
from sgguard.policy import DeletePolicy, Exemption, Match, Policy, ScopePolicy
from sgguard.render.language.sentence import message_of
from tests.guards.builders import (
    ALIBABA,
    FORCING,
    TENCENT,
    codes,
    facts,
    group,
    named_by,
    named_by_unknown_rule,
    server,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
KEEPS_ANOTHER = server("ins-1", other_group_ids=("sg-z",))


def rewriting(*remedies, **more):
    more.setdefault("replacement_group", "sg-new")
    return Policy(delete=DeletePolicy(remedies=remedies or ("rewrite",), **more))


def judged(of, policy, *, capabilities=TENCENT, now=NOW):
    groups = of if isinstance(of, tuple) else (of,)
    return delete.judge(facts(*groups, capabilities=capabilities), policy, now)


def test_a_reference_is_rewritten_to_the_replacement_group_and_back():
    found = judged(group(references=[named_by()]), rewriting())
    assert found.verdict == "remediate"
    step, last = found.plan
    assert (step.action, last.action) == ("rewrite", "delete")
    assert step.target == "tencent::ap-guangzhou:sg-b"
    assert (step.details["peer_group"], step.details["to_group"]) == ("sg-a", "sg-new")
    assert step.details["rule_id"] == "ingress[0]"
    back = step.inverse
    assert (back.action, back.details["peer_group"], back.details["to_group"]) == (
        "rewrite",
        "sg-new",
        "sg-a",
    )
    assert "sg-new instead" in step.summary


def test_rewriting_comes_before_revoking_where_both_are_permitted():
    plan = judged(group(references=[named_by()]), rewriting("revoke", "rewrite")).plan
    assert [one.action for one in plan] == ["rewrite", "delete"]


@pytest.mark.parametrize(
    ("more", "to_group"),
    [
        pytest.param({"replacements": {"sg-a": "sg-one"}}, "sg-one", id="by id"),
        pytest.param({"replacements": {"name-of-*": "sg-one"}}, "sg-one", id="by name"),
        pytest.param(
            {"replacements": {"tencent::*:sg-a": "tencent::ap-guangzhou:sg-one"}},
            "sg-one",
            id="by address",
        ),
        pytest.param(
            {"replacements": {"sg-z": "sg-no", "sg-a": "sg-1st", "sg-*": "sg-2nd"}},
            "sg-1st",
            id="the first that fits",
        ),
        pytest.param({"replacements": {"sg-z": "sg-no"}}, "sg-new", id="else the one for all"),
        pytest.param({"replacement_group": "sg-a"}, "", id="itself"),
        pytest.param({"replacement_group": "openstack::R:sg-x"}, "", id="of another place"),
        pytest.param({"replacement_group": "web"}, "", id="no id of this cloud"),
        pytest.param(
            {"replacements": {"sg-a": "web"}}, "", id="one that cannot be used is not passed over"
        ),
    ],
)
def test_the_replacement_is_the_one_listed_for_the_group_where_it_can_be_used(more, to_group):
    found = judged(group(references=[named_by()]), rewriting(**more))
    assert found.verdict == ("remediate" if to_group else "block")
    assert [one.details.get("to_group") for one in found.plan[:1]] == [to_group][: bool(to_group)]


def test_without_a_usable_replacement_the_rule_is_revoked_if_that_is_permitted():
    policy = rewriting("rewrite", "revoke", replacement_group="sg-a")
    plan = judged(group(references=[named_by()]), policy).plan
    assert [one.action for one in plan] == ["revoke", "delete"]


def test_a_rule_of_the_replacement_itself_comes_to_name_its_own_group_where_rules_may():
    of = group(references=[named_by("sg-new")])
    plan = judged(of, rewriting("rewrite", "revoke")).plan
    assert [one.action for one in plan] == ["rewrite", "delete"]


def test_no_rule_is_made_to_name_its_own_group_where_the_cloud_refuses_such_rules():
    of, fallback = group(references=[named_by("sg-bp1new")]), {"replacement_group": "sg-bp1new"}
    assert judged(of, rewriting(**fallback), capabilities=ALIBABA).verdict == "block"
    plan = judged(of, rewriting("rewrite", "revoke", **fallback), capabilities=ALIBABA).plan
    assert [one.action for one in plan] == ["revoke", "delete"]


def test_a_group_of_the_same_request_replaces_none():
    of = (group("sg-a", references=[named_by("sg-b")]), group("sg-new"))
    assert judged(of, rewriting()).verdict == "block"


@pytest.mark.parametrize(
    "reference",
    [named_by(account="another"), named_by_unknown_rule()],
    ids=["another account's", "unknown rule"],
)
def test_what_cannot_be_revoked_cannot_be_rewritten_either(reference):
    assert judged(group(references=[reference]), rewriting()).verdict == "block"


@pytest.mark.parametrize("remedy", ["rewrite", "revoke"])
def test_a_rule_of_a_protected_group_is_left_alone(remedy):
    policy = rewriting(remedy, protected=("sg-b",))
    assert judged(group(references=[named_by("sg-b")]), policy).verdict == "block"
    policy = rewriting(remedy, protected=("name-of-sg-b",))
    assert judged(group(references=[named_by("sg-b")]), policy).verdict == "block"


def test_the_policy_for_the_group_that_holds_a_rule_must_permit_it_as_well():
    scope = ScopePolicy(Match(name="name-of-sg-b"), delete={"remedies": ()})
    policy = replace(rewriting("revoke"), scopes=(scope,))
    assert judged(group(references=[named_by("sg-b")]), policy).verdict == "block"
    assert judged(group(references=[named_by("sg-c")]), policy).verdict == "remediate"


def test_a_rule_of_a_group_with_unread_tags_may_be_in_a_stricter_scope():
    scope = ScopePolicy(Match(tag="env=prod"), delete={"remedies": ()})
    policy = replace(rewriting("revoke"), scopes=(scope,))
    unknown, dev = named_by("sg-b"), replace(named_by("sg-b"), tags=(("env", "dev"),))
    assert judged(group(references=[unknown]), policy).verdict == "block"
    assert judged(group(references=[dev]), policy).verdict == "remediate"


def test_a_scope_gives_a_group_remedies_of_its_own():
    scope = ScopePolicy(Match(name="name-of-sg-a"), delete={"remedies": ("revoke",)})
    policy = Policy(scopes=(scope, ScopePolicy(Match(), delete={"remedies": ("revoke",)})))
    assert judged(group("sg-a", references=[named_by("sg-b")]), policy).verdict == "remediate"
    only = Policy(scopes=(scope,))
    assert judged(group("sg-a", references=[named_by("sg-b")]), only).verdict == "block"


# -- force --------------------------------------------------------------------------------------

MAY_FORCE = Policy(delete=DeletePolicy(remedies=("force",)))


def test_where_the_cloud_can_the_delete_itself_unbinds_the_instances():
    found = judged(group(bindings=[KEEPS_ANOTHER]), MAY_FORCE, capabilities=FORCING)
    assert found.verdict == "remediate"
    (step,) = found.plan
    assert (step.action, step.details) == ("delete", {"is_forced": "true"})
    assert "by force" in step.summary


@pytest.mark.parametrize(
    ("capabilities", "binding", "policy"),
    [
        pytest.param(TENCENT, KEEPS_ANOTHER, MAY_FORCE, id="the cloud has no such delete"),
        pytest.param(FORCING, KEEPS_ANOTHER, Policy(), id="not permitted"),
        pytest.param(FORCING, server(), MAY_FORCE, id="nobody told the other groups"),
        pytest.param(FORCING, server(other_group_ids=()), MAY_FORCE, id="the only group"),
        pytest.param(
            FORCING, server(other_group_ids=("sg-a",)), MAY_FORCE, id="no other but itself"
        ),
        pytest.param(
            FORCING, replace(KEEPS_ANOTHER, kind="interface"), MAY_FORCE, id="an interface"
        ),
        pytest.param(FORCING, replace(KEEPS_ANOTHER, holder_id=""), MAY_FORCE, id="only counted"),
    ],
)
def test_nothing_is_forced_that_could_leave_an_instance_without_a_group(
    capabilities, binding, policy
):
    assert judged(group(bindings=[binding]), policy, capabilities=capabilities).verdict == "block"


def test_what_cannot_be_forced_is_released_before_the_forced_delete():
    policy = Policy(delete=DeletePolicy(remedies=("force", "move"), fallback_group="sg-spare"))
    of = group(bindings=[KEEPS_ANOTHER, server("ins-2")])
    plan = judged(of, policy, capabilities=FORCING).plan
    assert [(one.action, one.details.get("holder_id")) for one in plan] == [
        ("move", "ins-2"),
        ("delete", None),
    ]
    assert plan[-1].details == {"is_forced": "true"}


def test_only_the_group_that_is_bound_is_deleted_by_force():
    of = (group("sg-a", bindings=[KEEPS_ANOTHER]), group("sg-b"))
    plan = judged(of, MAY_FORCE, capabilities=FORCING).plan
    forced = {one.target.rpartition(":")[2]: one.details.get("is_forced") for one in plan}
    assert forced == {"sg-a": "true", "sg-b": None}


# -- exemptions ---------------------------------------------------------------------------------

PROTECTED = Policy(
    delete=DeletePolicy(protected=("name-of-*",)),
    exemptions=(Exemption("sg-a", ("protected",), "ada", "it goes", date(2026, 12, 1)),),
)


def test_an_exempted_group_is_not_protected_and_the_reason_says_by_whom_and_until_when():
    found = judged(group("sg-a"), PROTECTED)
    assert (found.verdict, codes(found)) == ("allow", ["protected", "free"])
    (said,) = (one for one in found.reasons if one.code == "protected")
    assert said.effect == "info"
    for words in ("ada", "2026-12-01", "it goes", "delete.protected: name-of-*"):
        assert words in message_of(said)


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        (datetime(2026, 12, 1, 23, 59, 59, tzinfo=UTC), "allow"),
        (datetime(2026, 12, 2, tzinfo=UTC), "block"),
        (None, "block"),
    ],
    ids=["its last second", "over", "no clock"],
)
def test_an_exemption_holds_until_the_end_of_its_day(now, verdict):
    assert judged(group("sg-a"), PROTECTED, now=now).verdict == verdict


def test_an_exemption_of_one_group_excuses_no_other():
    found = judged((group("sg-a"), group("sg-b")), PROTECTED)
    assert found.verdict == "block"
    assert codes(found, "block") == ["protected"]


def test_the_rules_of_an_exempted_group_may_be_changed():
    policy = replace(PROTECTED, delete=replace(rewriting("revoke").delete, protected=("sg-?",)))
    both = Exemption("sg-[ab]", ("protected",), "ada", "it goes", date(2026, 12, 1))
    of = group("sg-a", references=[named_by("sg-b")])
    assert judged(of, policy).verdict == "block"
    assert judged(of, replace(policy, exemptions=(both,))).verdict == "remediate"
    assert judged(of, replace(policy, exemptions=(both,)), now=None).verdict == "block"
