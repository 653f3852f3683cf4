"""What a plain delete would really do now, cloud by cloud."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sgguard.guards import delete
from sgguard.model.resource import Binding, Visibility
from sgguard.policy import DeletePolicy, Policy
from sgguard.render.language.sentence import in_english
from tests.guards.builders import (
    ALIBABA,
    HUAWEI,
    NO_PERMISSION,
    OPENSTACK,
    TENCENT,
    facts,
    group,
    malformed,
    missing,
    named_by,
    named_by_unknown_rule,
    server,
)

DFW = replace(TENCENT, provider="tencent-dfw", refused_with="", default_refused_with="7006")
PROTECTING = Policy(
    delete=DeletePolicy(protected=("*",), require_visibility=Visibility.CLOUD, remedies=("revoke",))
)

FREE, REFERENCED, BOUND = group(), group(references=[named_by()]), group(bindings=[server()])
BOTH = group(references=[named_by()], bindings=[server()])
COUNTED = group(bindings=[Binding("load-balancer", count=2)])
HIDDEN = group(unseen=[NO_PERMISSION])
HIDDEN_AND_REFERENCED = group(references=[named_by()], unseen=[NO_PERMISSION])


def outlook(*groups, capabilities=TENCENT, policy=PROTECTING, **more):
    found = delete.judge(facts(*groups, capabilities=capabilities, **more), policy).consequences
    return [(one.target.rpartition(":")[2], one.kind, one.error_code) for one in found]


@pytest.mark.parametrize(
    ("capabilities", "of", "kind", "code"),
    [
        pytest.param(TENCENT, FREE, "will-succeed", "", id="tencent, free"),
        pytest.param(TENCENT, REFERENCED, "will-be-refused", "ResourceInUse", id="tencent, named"),
        pytest.param(TENCENT, BOUND, "will-be-refused", "ResourceInUse", id="tencent, bound"),
        pytest.param(TENCENT, COUNTED, "will-be-refused", "ResourceInUse", id="tencent, counted"),
        pytest.param(TENCENT, HIDDEN, "unknown", "", id="tencent, not seen"),
        pytest.param(
            TENCENT, HIDDEN_AND_REFERENCED, "will-be-refused", "ResourceInUse", id="seen enough"
        ),
        pytest.param(DFW, REFERENCED, "will-be-refused", "", id="no documented code"),
        pytest.param(DFW, group(is_default=True), "will-be-refused", "7006", id="dfw, default"),
        pytest.param(
            ALIBABA, REFERENCED, "will-be-refused", "DependencyViolation", id="alibaba, named"
        ),
        pytest.param(ALIBABA, group(managed_by="ACK"), "unknown", "", id="managed, no document"),
        pytest.param(
            replace(ALIBABA, managed_refused_with="X"),
            group(managed_by="ACK"),
            "will-be-refused",
            "X",
            id="managed, documented",
        ),
        pytest.param(HUAWEI, REFERENCED, "unknown", "", id="huawei, only named"),
        pytest.param(HUAWEI, BOUND, "will-be-refused", "VPC.9902", id="huawei, bound"),
        pytest.param(HUAWEI, BOTH, "will-be-refused", "VPC.9902", id="huawei, both"),
        pytest.param(OPENSTACK, REFERENCED, "will-cascade", "", id="openstack, only named"),
        pytest.param(
            OPENSTACK, BOTH, "will-be-refused", "SecurityGroupInUse", id="openstack, both"
        ),
        pytest.param(OPENSTACK, HIDDEN_AND_REFERENCED, "unknown", "", id="a hidden port refuses"),
        pytest.param(TENCENT, missing(), "will-be-refused", "", id="missing"),
        pytest.param(TENCENT, malformed(), "will-be-refused", "", id="malformed"),
        pytest.param(
            TENCENT, group(references=[named_by("sg-a")]), "will-succeed", "", id="names itself"
        ),
        pytest.param(
            TENCENT,
            group(references=[named_by("sg-a", account="another")]),
            "will-be-refused",
            "ResourceInUse",
            id="the same id in another account",
        ),
    ],
)
@pytest.mark.sampled(6)
def test_what_the_cloud_would_do_is_said_whatever_the_policy_is(capabilities, of, kind, code):
    for policy in (Policy(), PROTECTING):
        ((_, found, error_code),) = outlook(of, capabilities=capabilities, policy=policy)
        assert (found, error_code) == (kind, code)


def test_the_rules_that_would_vanish_are_named_with_their_groups():
    rules = [named_by("sg-b"), named_by("sg-b", "egress[0]"), named_by_unknown_rule("sg-c")]
    (one,) = delete.judge(
        facts(group(references=rules), capabilities=OPENSTACK), Policy()
    ).consequences
    assert set(one.vanishing) == set(rules)
    assert "3 rules of 2 groups silently vanish" in in_english(one.note)


@pytest.mark.parametrize(
    ("of", "said"),
    [
        (BOUND, "something carries it; Dep"),
        (REFERENCED, "rules of other groups name it; Dep"),
        (BOTH, "something carries it and rules of other groups name it; Dep"),
    ],
    ids=["bound", "referenced", "both"],
)
def test_where_one_code_has_two_meanings_the_note_says_which_it_is_here(of, said):
    (one,) = delete.judge(facts(of, capabilities=ALIBABA), Policy()).consequences
    assert said in in_english(one.note)
    assert "DependencyViolation stands for either cause" in in_english(one.note)


def test_a_default_group_is_refused_except_to_who_administers_the_cloud():
    default = group(is_default=True)
    capabilities = replace(OPENSTACK, default_refused_with="SecurityGroupCannotRemoveDefault")
    assert outlook(default, capabilities=capabilities) == [
        ("sg-a", "will-be-refused", "SecurityGroupCannotRemoveDefault")
    ]
    seen_whole = {"capabilities": capabilities, "visibility": Visibility.CLOUD}
    assert outlook(default, **seen_whole) == [("sg-a", "will-succeed", "")]


@pytest.mark.parametrize(
    "of",
    [
        group(is_foreign=True),
        group(is_foreign=True, is_default=True),
        group(is_foreign=True, bindings=[server()]),
        group(is_foreign=True, unseen=[NO_PERMISSION]),
    ],
    ids=["plain", "default", "bound", "not all seen"],
)
def test_a_group_of_another_project_is_refused_as_such_whatever_else_it_is(of):
    capabilities = replace(
        OPENSTACK,
        default_refused_with="SecurityGroupCannotRemoveDefault",
        foreign_refused_with="PolicyNotAuthorized",
    )
    seen = {"capabilities": capabilities, "visibility": Visibility.PROJECT}
    assert outlook(of, **seen) == [("sg-a", "will-be-refused", "PolicyNotAuthorized")]


def test_what_one_project_cannot_see_is_said_beside_the_outlook():
    of = facts(group(), capabilities=OPENSTACK, visibility=Visibility.PROJECT)
    (one,) = delete.judge(of, Policy()).consequences
    assert one.kind == "will-succeed"
    assert "other projects" in in_english(one.note)


def test_groups_of_one_request_are_taken_in_the_order_of_the_plan():
    a = group("sg-a", references=[named_by("sg-b")])
    assert outlook(a, group("sg-b")) == [("sg-b", "will-succeed", ""), ("sg-a", "will-succeed", "")]


def test_a_group_named_by_one_that_is_refused_is_refused_or_cascades_too():
    a = group("sg-a", references=[named_by("sg-b")])
    b = group("sg-b", bindings=[server()])
    assert [one[:2] for one in outlook(a, b)] == [
        ("sg-b", "will-be-refused"),
        ("sg-a", "will-be-refused"),
    ]
    assert [one[1] for one in outlook(a, b, capabilities=OPENSTACK)] == [
        "will-be-refused",
        "will-cascade",
    ]


@pytest.mark.parametrize("capabilities", [TENCENT, OPENSTACK])
def test_a_group_referenced_by_an_unreadable_group_is_unknown_too(capabilities):
    a = group("sg-a", references=[named_by("sg-b")])
    b = group("sg-b", unseen=[NO_PERMISSION])
    assert [one[1] for one in outlook(a, b, capabilities=capabilities)] == ["unknown", "unknown"]


def test_a_circle_is_refused_as_long_as_no_rule_is_revoked():
    a = group("sg-a", references=[named_by("sg-b")])
    b = group("sg-b", references=[named_by("sg-a")])
    judged = delete.judge(facts(a, b), Policy())
    assert (judged.verdict, [one.kind for one in judged.consequences]) == (
        "allow",
        ["will-be-refused", "will-be-refused"],
    )
    assert any(one.action == "revoke" for one in judged.plan)


def test_a_delete_by_credentials_that_may_only_read_is_refused_whatever_holds_the_group():
    for held in (FREE, BOTH):
        one = replace(held, group=replace(held.group, delete_refused_with="PolicyNotAuthorized"))
        assert outlook(one, capabilities=OPENSTACK) == [
            ("sg-a", "will-be-refused", "PolicyNotAuthorized")
        ]
