"""``sgguard permissions``: a document on standard output, and how to attach it beside it."""

from __future__ import annotations

import json

import pytest

from sgguard import clouds
from tests.commands import sgguard

__all__ = ["sgguard"]


@pytest.mark.parametrize("provider", clouds.names())
def test_the_document_is_all_that_standard_output_has(sgguard, provider):
    code, out, err = sgguard("permissions", "--provider", provider)
    assert code == 0
    assert json.loads(out)
    assert "function" in err


def test_observe_may_change_nothing(sgguard):
    _, out, _ = sgguard("permissions", "--provider", "tencent", "--mode", "observe")
    (statement,) = json.loads(out)["statement"]
    assert {name.split(":")[1][:8] for name in statement["action"]} == {"Describe"}


def test_a_remedy_adds_its_own_permissions(sgguard):
    of = ("permissions", "--provider", "alibaba", "--mode", "enforce")
    plain, more = (json.loads(sgguard(*of, *args)[1]) for args in ((), ("--remedy", "revoke")))
    added = set(more["Statement"][0]["Action"]) - set(plain["Statement"][0]["Action"])
    assert added == {"ecs:RevokeSecurityGroup", "ecs:RevokeSecurityGroupEgress"}


def test_the_table_says_what_each_permission_is_for(sgguard):
    _, out, _ = sgguard("permissions", "--provider", "huawei", "--table")
    assert "vpc:securityGroupRules:get" in out
    assert "who references a group" in out
    _, out, _ = sgguard("permissions", "--provider", "huawei", "--json")
    both = json.loads(out)
    names = {name for row in both["permissions"] for name in row["grants"]}
    assert names == set(both["document"]["Statement"][0]["Action"])


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--provider", "tencent", "--remedy", "revoke"), "observe changes nothing"),
        (("--provider", "tencents"), "tencent"),
        (("--provider", "tencent", "--mode", "enforce", "--remedy", "destroy"), "quarantine"),
        (("--provider", "tencent", "--json", "--table"), "exclude each other"),
    ],
)
def test_what_does_not_exist_is_refused_with_what_does(sgguard, args, told):
    code, out, err = sgguard("permissions", *args)
    assert (code, out) == (2, "")
    assert told in err
