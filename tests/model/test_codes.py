"""The closed sets stand in one module; schemas list exactly these, and each is given somewhere."""

from __future__ import annotations

import ast
from enum import StrEnum

import pytest

from sgguard import schemas
from sgguard.model.codes import (
    DELETE_CODES,
    LAUNCH_CODES,
    MEANINGS,
    OUTCOMES,
    TOLERABLE,
    DeleteRemedy,
    LaunchRemedy,
    Mode,
    Outcome,
    ReasonCode,
    UnseenCode,
    Verdict,
)
from sgguard.policy import EXEMPTABLE
from tests import parsed

PACKAGE = parsed.PACKAGE
DECISION = schemas.load("decision")["properties"]
POLICY = schemas.load("policy")
CASE = schemas.load("policy_case")["$defs"]["case"]["properties"]

LISTED = {
    "verdicts": (DECISION["verdict"]["enum"], Verdict),
    "verdicts of a case": (CASE["verdict"]["enum"], Verdict),
    "outcomes": (DECISION["outcome"]["enum"], Outcome),
    "modes": (DECISION["mode"]["enum"], Mode),
    "modes of the policy": (POLICY["$defs"]["mode"]["enum"], Mode),
    "reason codes": (
        schemas.load("decision")["$defs"]["reason"]["properties"]["code"]["enum"],
        ReasonCode,
    ),
    "gaps": (POLICY["$defs"]["tolerate_unseen"]["items"]["enum"], TOLERABLE),
    "remedies of a delete": (
        POLICY["$defs"]["delete"]["properties"]["remedies"]["items"]["enum"],
        DeleteRemedy,
    ),
    "remedies of a launch": (
        POLICY["$defs"]["launch"]["properties"]["remedies"]["items"]["enum"],
        LaunchRemedy,
    ),
    "reasons that can be exempted": (
        POLICY["$defs"]["exemption"]["properties"]["reasons"]["items"]["enum"],
        EXEMPTABLE,
    ),
}


@pytest.mark.parametrize("name", LISTED)
def test_a_schema_lists_exactly_the_values_of_its_enum(name):
    listed, known = LISTED[name]
    assert sorted(listed) == sorted(known)
    assert len(set(listed)) == len(listed)


@pytest.mark.parametrize(
    "items",
    [
        POLICY["$defs"]["tolerate_unseen"]["items"],
        POLICY["$defs"]["exemption"]["properties"]["reasons"]["items"],
    ],
    ids=["gaps", "exemptions"],
)
def test_a_description_in_the_policys_schema_names_every_value(items):
    assert all(code in items["description"] for code in items["enum"])


@pytest.mark.parametrize("known", [ReasonCode, UnseenCode, Outcome, Verdict])
@pytest.mark.sampled(3)
def test_every_value_is_given_somewhere(known: type[StrEnum]):
    used = {
        node.attr
        for path, nodes in parsed.package().items()
        if path.name != "codes.py"
        for node in nodes
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == known.__name__
    }
    assert {one.name for one in known} <= used


def test_every_reason_and_every_outcome_has_a_meaning():
    assert set(MEANINGS) == set(ReasonCode) == {*DELETE_CODES, *LAUNCH_CODES}
    assert set(OUTCOMES) == set(Outcome)


def test_no_code_is_written_as_a_text_where_the_enum_is_meant():
    wrong = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path, nodes in parsed.package().items()
        for node in nodes
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Reason", "Unseen")
        for first in [*node.args[:1], *(k.value for k in node.keywords if k.arg == "code")]
        if isinstance(first, ast.Constant | ast.JoinedStr)
    ]
    assert not wrong
