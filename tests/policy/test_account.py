"""A policy that names an account holds for a request that leaves the account out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sgguard.model.address import Address, Scope
from sgguard.model.codes import Mode
from sgguard.policy import (
    DeletePolicy,
    Exemption,
    LaunchPolicy,
    Match,
    Policy,
    ScopePolicy,
    is_of_scope,
    matches,
    mode_for,
)
from sgguard.policy.account import at_home
from tests.policy.test_scope import DAY, LAB
from tests.remedy.harness import Harness
from tests.worlds import world_of

UNNAMED = Address(Scope("tencent", "", "ap-lab"), "sg-a")
NAMED = Address(Scope("tencent", "prod", "ap-lab"), "sg-a")
HOME = {"tencent": "prod"}
TENCENT = world_of("tencent")


def mode(account, accounts, address=UNNAMED, provider="tencent", **modes):
    outside, inside = modes.get("outside", Mode.ENFORCE), modes.get("inside", Mode.OBSERVE)
    scope = ScopePolicy(Match(provider=provider, account=account), inside)
    return mode_for(at_home(Policy(outside, scopes=(scope,)), accounts), "delete", [(address, LAB)])


@pytest.mark.parametrize("address", [UNNAMED, NAMED], ids=["unnamed", "named"])
@pytest.mark.parametrize(
    ("account", "found"), [("prod", Mode.OBSERVE), ("", Mode.OBSERVE), ("pr*", Mode.OBSERVE)]
)
def test_a_scope_of_the_configured_account_holds_however_the_account_is_written(
    account, found, address
):
    assert mode(account, HOME, address) is found


def test_a_scope_of_another_account_does_not_hold_for_the_named_one():
    assert mode("lab", HOME, NAMED) is Mode.ENFORCE


def test_an_account_without_a_name_may_be_the_one_of_a_stricter_scope_and_of_no_laxer_one():
    assert mode("prod", {}) is Mode.OBSERVE
    assert mode("prod", {}, outside=Mode.OBSERVE, inside=Mode.ENFORCE) is Mode.OBSERVE


def test_a_scope_of_many_clouds_holds_where_each_account_is_known_to_be_meant():
    lax = {"outside": Mode.OBSERVE, "inside": Mode.ENFORCE, "provider": "*"}
    assert mode("prod", HOME, **lax) is Mode.OBSERVE  # the other clouds' accounts have no names
    assert mode("prod", HOME, NAMED, **lax) is Mode.ENFORCE


def test_every_pattern_over_addresses_knows_the_account():
    pattern = "tencent:prod:ap-*:sg-a"
    found = at_home(
        Policy(
            delete=DeletePolicy(protected=(pattern, "prod-*"), replacements={pattern: "sg-b"}),
            launch=LaunchPolicy(baseline=(pattern,), forbidden=(pattern,)),
            scopes=(ScopePolicy(Match(), delete={"protected": (pattern,)}),),
            exemptions=(Exemption(pattern, ("protected",), "ada", "why", DAY),),
        ),
        HOME,
    )
    one = "tencent:*:ap-*:sg-a"
    assert found.delete.protected == (one, "prod-*")
    assert found.delete.replacements == {one: "sg-b"}
    assert (found.launch.baseline, found.launch.forbidden) == ((one,), (one,))
    assert found.scopes[0].delete["protected"] == (one,)
    assert found.exemptions[0].group == one
    assert all(matches(one, address, None) for address in (UNNAMED, NAMED))
    assert is_of_scope(one, str(UNNAMED.scope))


def test_a_group_that_is_protected_with_its_account_is_not_deleted_without_it(tmp_path):
    more = f"""
[[scope]]
match = {{ region = "*" }}
delete.protected = ["tencent:prod:*:{TENCENT.referenced}"]
"""
    env = {**TENCENT.env, "SGGUARD_ACCOUNT_TENCENT": "prod"}
    found = Harness(replace(TENCENT, env=env), tmp_path, more=more).delete(TENCENT.referenced)
    assert found["verdict"] == "block"
    assert "protected" in [one["code"] for one in found["reasons"]]
