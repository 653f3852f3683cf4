"""One group: what blocks its delete, what can be remedied, and when it is free."""

from __future__ import annotations

import pytest

from sgguard.guards import delete
from sgguard.model.codes import Verdict
from sgguard.model.resource import Binding, Unseen, Visibility
from sgguard.policy import DeletePolicy, Policy
from sgguard.render.language.sentence import message_of
from tests.guards.builders import (
    HUAWEI,
    MAY_ALL,
    MAY_MOVE,
    MAY_REVOKE,
    MAY_UNBIND,
    NO_PERMISSION,
    OPENSTACK,
    TENCENT,
    codes,
    facts,
    group,
    malformed,
    missing,
    named_by,
    named_by_unknown_rule,
    server,
)

NOTHING = Policy()


def protecting(*patterns):
    return Policy(delete=DeletePolicy(protected=patterns, remedies=("revoke",)))


@pytest.mark.parametrize(
    ("of", "verdict", "expected"),
    [
        pytest.param(group(), "allow", ["free"], id="free"),
        pytest.param(group(references=[named_by()]), "block", ["referenced"], id="inbound"),
        pytest.param(
            group(references=[named_by(rule_id="egress[0]")]),
            "block",
            ["referenced"],
            id="outbound",
        ),
        pytest.param(
            group(references=[named_by(action="drop")]), "block", ["referenced"], id="deny rule"
        ),
        pytest.param(
            group(references=[named_by(is_enabled=False)]), "block", ["referenced"], id="disabled"
        ),
        pytest.param(
            group(references=[named_by_unknown_rule()]), "block", ["referenced"], id="rule unknown"
        ),
        pytest.param(group(references=[named_by("sg-a")]), "allow", ["free"], id="names itself"),
        pytest.param(
            group(references=[named_by("sg-a", account="another")]),
            "block",
            ["referenced"],
            id="same id in another account",
        ),
        pytest.param(group(bindings=[server()]), "block", ["bound"], id="instance"),
        pytest.param(
            group(bindings=[Binding("interface", "eni-1")]), "block", ["bound"], id="interface"
        ),
        pytest.param(
            group(bindings=[Binding("load-balancer", count=2)]), "block", ["bound"], id="counted"
        ),
        pytest.param(
            group(references=[named_by()], bindings=[server()]),
            "block",
            ["referenced", "bound"],
            id="both",
        ),
        pytest.param(group(is_default=True), "block", ["default-group"], id="default"),
        pytest.param(group(managed_by="CLB"), "block", ["cloud-managed"], id="managed"),
        pytest.param(missing(), "block", ["not-found"], id="missing"),
        pytest.param(malformed(), "block", ["group-malformed"], id="malformed"),
        pytest.param(group(unseen=[NO_PERMISSION]), "block", ["facts-incomplete"], id="unseen"),
        pytest.param(
            group(name="default", is_shared=True), "allow", ["free"], id="only called default"
        ),
    ],
)
@pytest.mark.sampled(6)
def test_a_group_is_judged_by_what_was_seen(of, verdict, expected):
    judged = delete.judge(facts(of), NOTHING)
    assert judged.verdict == verdict
    assert codes(judged) == expected
    assert bool(judged.plan) == (verdict == "allow")


@pytest.mark.parametrize(
    ("patterns", "is_protected"),
    [
        (["sg-a"], True),
        (["name-*"], True),
        (["tencent:*:*:sg-a"], True),
        (["sg-A"], False),
        (["sg"], False),
        (["alibaba:*"], False),
        ([], False),
    ],
)
def test_the_policy_protects_by_address_id_or_name(patterns, is_protected):
    judged = delete.judge(facts(group()), protecting(*patterns))
    assert codes(judged) == (["protected"] if is_protected else ["free"])


def test_where_the_cloud_cascades_a_merely_referenced_group_is_blocked_all_the_same():
    of = group(references=[named_by("sg-b"), named_by("sg-b", "egress[0]"), named_by("sg-c")])
    judged = delete.judge(facts(of, capabilities=OPENSTACK), NOTHING)
    (reason,) = judged.reasons
    assert (judged.verdict, reason.code) == (Verdict.BLOCK, "referenced-will-cascade")
    assert "3 rules of 2 groups would silently vanish" in message_of(reason)
    assert len(reason.evidence) == 3


def test_where_the_cloud_refuses_the_reason_names_its_error_code():
    (reason,) = delete.judge(facts(group(references=[named_by()])), NOTHING).reasons
    assert "refuse with ResourceInUse" in message_of(reason)
    assert "1 rule of 1 other group names sg-a (name-of-sg-a): sg-b" in message_of(reason)


def test_undocumented_behaviour_of_the_cloud_is_reported_as_such():
    of = facts(group(references=[named_by()]), capabilities=HUAWEI)
    (reason,) = delete.judge(of, NOTHING).reasons
    assert reason.code == "referenced"
    assert "may refuse, or silently drop" in message_of(reason)


def test_a_free_group_says_what_was_looked_at_and_how_far():
    (reason,) = delete.judge(facts(group(), visibility=Visibility.PROJECT), NOTHING).reasons
    assert reason.effect == "info"
    for said in (
        "no in- or outbound rule of another group",
        "nothing carries it",
        "project",
    ):
        assert said in message_of(reason)


def test_everything_unseen_is_named_with_why_and_what_would_help():
    ceiling = Unseen("record-ceiling", "references", "100 records, maybe cut", "ask fewer groups")
    judged = delete.judge(facts(group(unseen=[NO_PERMISSION, ceiling])), NOTHING)
    assert codes(judged) == ["facts-incomplete"] * 2
    messages = " ".join(message_of(one) for one in judged.reasons)
    for said in ("UnauthorizedOperation", "grant Describe", "100 records", "ask fewer groups"):
        assert said in messages


def test_a_holder_is_named_with_its_instance_or_the_service_it_serves():
    ports = [
        Binding("port", "p-1", instance_id="vm-1", owner="compute:nova"),
        Binding("port", "p-2", owner="network:dhcp"),
    ]
    (reason,) = delete.judge(facts(group(bindings=ports)), NOTHING).reasons
    assert "carried by 2 ports: p-1 of instance vm-1, p-2 for network:dhcp" in message_of(reason)


def test_bindings_are_counted_by_kind_and_named():
    of = group(bindings=[server("ins-1"), server("ins-2"), Binding("database", count=3)])
    (reason,) = delete.judge(facts(of), NOTHING).reasons
    assert "3 databases, 2 instances: ins-1, ins-2" in message_of(reason)


REFERENCED = group(references=[named_by()])
KEEPS_ANOTHER = server(other_group_ids=("sg-other",))


@pytest.mark.parametrize(
    ("of", "policy", "verdict"),
    [
        pytest.param(REFERENCED, MAY_REVOKE, "remediate", id="reference, revoke"),
        pytest.param(REFERENCED, MAY_UNBIND, "block", id="reference, unbind only"),
        pytest.param(REFERENCED, NOTHING, "block", id="reference, nothing"),
        pytest.param(
            REFERENCED,
            Policy(delete=DeletePolicy(remedies=("revoke",), protected=("sg-b",))),
            "block",
            id="the referring group is protected",
        ),
        pytest.param(
            group(references=[named_by(account="another")]), MAY_ALL, "block", id="cross-account"
        ),
        pytest.param(
            group(references=[named_by(), named_by_unknown_rule("sg-c")]),
            MAY_ALL,
            "block",
            id="one rule unknown",
        ),
        pytest.param(group(bindings=[KEEPS_ANOTHER]), MAY_UNBIND, "remediate", id="unbind"),
        pytest.param(group(bindings=[server()]), MAY_UNBIND, "block", id="others unknown"),
        pytest.param(
            group(bindings=[server(other_group_ids=())]), MAY_UNBIND, "block", id="last group"
        ),
        pytest.param(group(bindings=[server()]), MAY_MOVE, "remediate", id="move"),
        pytest.param(group(bindings=[KEEPS_ANOTHER]), MAY_REVOKE, "block", id="bound, revoke only"),
        pytest.param(
            group(bindings=[Binding("interface", "eni-1", instance_id="ins-1")]),
            MAY_MOVE,
            "remediate",
            id="interface of an instance",
        ),
        pytest.param(
            group(bindings=[Binding("port", "p-1", owner="network:dhcp")]),
            MAY_ALL,
            "block",
            id="port of the network itself",
        ),
        pytest.param(
            group(bindings=[server(), Binding("database", count=1)]),
            MAY_ALL,
            "block",
            id="only counted",
        ),
        pytest.param(
            group(references=[named_by()], bindings=[server()]), MAY_REVOKE, "block", id="half"
        ),
        pytest.param(
            group(references=[named_by()], bindings=[server()]), MAY_ALL, "remediate", id="both"
        ),
        pytest.param(
            group(references=[named_by()], unseen=[NO_PERMISSION]), MAY_ALL, "block", id="unseen"
        ),
        pytest.param(
            group(references=[named_by()], is_default=True), MAY_ALL, "block", id="default"
        ),
        pytest.param(
            group(references=[named_by()], managed_by="x"), MAY_ALL, "block", id="managed"
        ),
        pytest.param(missing(), MAY_ALL, "block", id="missing"),
        pytest.param(group(), MAY_ALL, "allow", id="free"),
    ],
)
def test_only_what_the_policy_permits_and_can_be_done_is_remedied(of, policy, verdict):
    judged = delete.judge(facts(of), policy)
    assert judged.verdict == verdict
    assert bool(judged.plan) == (verdict != "block")


@pytest.mark.parametrize(
    ("fallback", "verdict"),
    [
        ("sg-spare", "remediate"),
        ("tencent::ap-guangzhou:sg-spare", "remediate"),
        ("tencent::ap-shanghai:sg-spare", "block"),
        ("sg-a", "block"),
        ("spare", "block"),
        ("0552091e-b83a-49dd-88a7-4a5c86fd9ec3", "block"),
        ("", "block"),
    ],
)
def test_the_fallback_group_must_be_another_one_of_the_same_place(fallback, verdict):
    policy = Policy(delete=DeletePolicy(remedies=("move",), fallback_group=fallback))
    assert delete.judge(facts(group(bindings=[server()])), policy).verdict == verdict


def test_the_plan_frees_the_group_before_it_deletes_it_and_every_step_can_be_undone():
    of = group(references=[named_by()], bindings=[KEEPS_ANOTHER, server("ins-2")])
    plan = delete.judge(facts(of), MAY_ALL).plan
    assert [(one.action, one.target.rpartition(":")[2]) for one in plan] == [
        ("revoke", "sg-b"),
        ("unbind", "sg-a"),
        ("move", "sg-a"),
        ("delete", "sg-a"),
    ]
    assert [one.inverse.action for one in plan[:-1]] == ["authorize", "bind", "move"]
    assert plan[-1].inverse is None
    assert plan[2].details["to_group"] == plan[2].inverse.details["from_group"] == "sg-spare"


def test_a_revoked_rule_can_be_built_again_from_the_step():
    of = group(
        references=[named_by(action="drop", priority=7, description="why", is_enabled=False)]
    )
    step = delete.judge(facts(of), MAY_REVOKE).plan[0]
    assert step.inverse.details == {
        "rule_id": "ingress[0]",
        "direction": "ingress",
        "protocol": "tcp",
        "ports": "22",
        "peer_group": "sg-a",
        "action": "drop",
        "priority": "7",
        "description": "why",
        "is_enabled": "false",
    }


def test_rules_known_by_position_are_revoked_from_the_last_to_the_first():
    ids = ["ingress[2]", "egress[0]", "ingress[10]", "ingress[0]"]
    of = group(references=[named_by(rule_id=one) for one in ids])
    plan = delete.judge(facts(of), MAY_REVOKE).plan
    revoked = [one.details["rule_id"] for one in plan if one.action == "revoke"]
    assert revoked == ["egress[0]", "ingress[10]", "ingress[2]", "ingress[0]"]


def test_a_request_without_groups_is_not_allowed():
    assert delete.judge(facts(), NOTHING).verdict is Verdict.BLOCK


def test_the_capabilities_of_the_cloud_give_the_example_of_a_good_id():
    (reason,) = delete.judge(facts(malformed("My Group")), NOTHING).reasons
    assert TENCENT.group_id_example in message_of(reason)
    assert "My Group" in message_of(reason)
