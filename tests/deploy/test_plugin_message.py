"""What a person reads whose delete Neutron refuses: as far as this person may see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard import schemas
from tests.deploy.function import decision, plugin_refusal, reason
from tests.examples import examples

NamingRule, Reader = plugin_refusal.NamingRule, plugin_refusal.Reader
of_rules, of_decision = plugin_refusal.of_rules, plugin_refusal.of_decision

MINE, THEIRS = "project-mine", "project-theirs"
OWNER, ADMIN, NOBODY = Reader(MINE), Reader(THEIRS, is_admin=True), Reader("")
TARGET = "openstack::RegionOne:g-1"


def rule(number=1, group="g-web", name="web", owner=MINE, of_group=None):
    return NamingRule(f"r-{number}", owner, group, of_group or owner, name)


def test_one_rule_is_named_with_its_group():
    assert of_rules([rule()], OWNER) == (
        "sgguard: 1 rule of 1 group names it and would be deleted with it: "
        "group g-web (web) with rule r-1. Delete or change these rules first"
    )


def test_rules_of_a_group_are_listed_together():
    found = of_rules([rule(2), rule(1), rule(3, "g-app", "app")], OWNER)
    assert "3 rules of 2 groups name it" in found
    assert "group g-web (web) with rules r-1, r-2" in found
    assert "group g-app (app) with rule r-3" in found


@pytest.mark.parametrize(
    ("owner", "of_group", "is_named"),
    [(MINE, MINE, True), (MINE, THEIRS, True), (THEIRS, MINE, True), (THEIRS, THEIRS, False)],
)
def test_a_rule_is_named_for_whoever_owns_it_or_its_group(owner, of_group, is_named):
    found = of_rules([rule(owner=owner, of_group=of_group)], OWNER)
    assert ("g-web" in found) == is_named
    assert ("of other projects" in found) != is_named


@pytest.mark.parametrize("reader", [OWNER, NOBODY])
def test_nothing_of_another_project_is_in_the_text(reader):
    found = of_rules(
        [rule(1, "g-secret", "secret", THEIRS), rule(2, "g-secret", "s", THEIRS)], reader
    )
    assert "2 rules of 1 group of other projects" in found
    assert not any(part in found for part in ("g-secret", "secret", "r-1", THEIRS))


def test_a_rule_without_a_project_is_for_administrators():
    unowned = NamingRule("r-1", None, "g-web", None, None)
    assert "g-web" not in of_rules([unowned], NOBODY)
    assert "group g-web with rule r-1" in of_rules([unowned], ADMIN)


def test_more_rules_than_are_counted_are_more():
    many = [rule(number, f"g-{number % 40}") for number in range(plugin_refusal.RULES_MAX + 1)]
    found = of_rules(many, ADMIN)
    assert "more than 1000 rules of 40 groups" in found
    assert "35 further groups" in found
    assert len(found) < 1500


def test_the_name_of_a_group_cannot_forge_the_text():
    found = of_rules([rule(name="web\nERROR \u202e" + "x" * 300)], OWNER)
    assert found.isprintable()
    assert "\u202e" not in found
    assert len(found) < 300


def test_a_reason_is_told_in_words_where_all_evidence_is_the_readers():
    why = reason("bound", "It is carried by 1 port.", {"project": MINE})
    assert "bound: It is carried by 1 port" in of_decision(decision(TARGET, "block", why), OWNER)


@pytest.mark.parametrize(
    "evidence", [{"project": THEIRS}, {"project": None}, {"project": ""}, {}, {"account": MINE}]
)
def test_a_reason_with_evidence_of_others_is_a_code_and_a_number(evidence):
    why = reason("referenced", "secret names it.", {"project": MINE}, evidence)
    answer = decision(TARGET, "block", why)
    for reader in (OWNER, NOBODY):
        found = of_decision(answer, reader)
        assert "referenced (2 items of evidence, for administrators)" in found
        assert "secret" not in found
    assert "secret names it" in of_decision(answer, ADMIN)


def test_evidence_that_is_not_all_told_is_of_others():
    why = reason("referenced", "secret names it.", {"project": MINE}) | {"evidence_count": 200}
    assert "secret" not in of_decision(decision(TARGET, "block", why), OWNER)


def test_only_reasons_that_block_are_told_and_at_most_five():
    reasons = [reason(f"code-{n}", f"Why {n}.", {"project": MINE}) for n in range(7)]
    note = reason("free", "No matter.", effect="info")
    found = of_decision(decision(TARGET, "block", *reasons, note), OWNER)
    assert "code-4: Why 4" in found
    assert "2 further reasons" in found
    assert "No matter" not in found


def test_what_is_read_of_a_decision_is_in_its_schema():
    schema = schemas.load("decision")
    assert set(decision(TARGET)) <= set(schema["properties"])
    assert set(reason("bound", "x")) <= set(schema["$defs"]["reason"]["properties"])
    with_project = {"evidence_reference", "evidence_binding", "evidence_group"}
    for name in with_project:
        assert "project" in schema["$defs"][name]["properties"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_JSON, _JSON, st.sampled_from([OWNER, ADMIN, NOBODY]))
@examples(100)
def test_whatever_the_function_sends_makes_a_line(reasons, evidence, reader):
    odd = {"code": evidence, "effect": "block", "message": reasons, "evidence": evidence}
    for value in (reasons, [odd], [odd, reasons]):
        assert of_decision({"verdict": "block", "reasons": value}, reader).isprintable()
        assert plugin_refusal.codes({"reasons": value})
