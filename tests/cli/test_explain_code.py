"""``sgguard explain-code``: every code is explained, and a misspelt one is answered with others."""

from __future__ import annotations

import json

import pytest

from sgguard.cli.explain_code import entries
from sgguard.model import runbook
from sgguard.model.codes import MEANINGS, Outcome, ReasonCode, UnseenCode
from sgguard.policy.model import EXEMPTABLE
from tests.commands import sgguard

__all__ = ["sgguard"]


@pytest.mark.parametrize("code", [*ReasonCode, *UnseenCode, *Outcome])
def test_every_code_has_a_meaning_and_something_to_do(code):
    entry = entries()[code]
    assert entry["means"]
    assert entry["do"]
    assert "](" not in entry["do"], "a link of a document leads nowhere in a terminal"
    if entry["kind"] != "outcome":
        assert entry["evidence"]
    assert set(entry["related"]) <= set(entries())
    assert code not in entry["related"]


def test_no_two_kinds_of_codes_share_a_name():
    assert len(entries()) == len(ReasonCode) + len(UnseenCode) + len(Outcome)


@pytest.mark.parametrize("code", ReasonCode)
def test_an_exemption_is_named_where_the_policy_takes_one_and_nowhere_else(code):
    assert ("exemption" in runbook.REASONS[code].silence) == (code in EXEMPTABLE)


def test_a_code_is_explained_in_a_few_lines(sgguard):
    code, out, _ = sgguard("explain-code", "BOUND")
    assert code == 0
    assert out.startswith("bound: reason of the guard delete\n")
    assert MEANINGS[ReasonCode.BOUND] in out
    for part in ("do now", "evidence", "silence", "related"):
        assert f"\n  {part}" in out


def test_json_has_the_same_and_nothing_else(sgguard):
    _, out, _ = sgguard("explain-code", "no-permission", "--json")
    assert json.loads(out) == entries()["no-permission"]
    _, out, _ = sgguard("explain-code", "--json")
    assert [one["code"] for one in json.loads(out)["codes"]] == list(entries())


@pytest.mark.parametrize(
    ("typed", "near"),
    [("refrenced", "referenced"), ("facts-incomplet", "facts-incomplete"), ("undo", "undone")],
)
def test_an_unknown_code_is_answered_with_the_nearest_ones(sgguard, typed, near):
    code, out, err = sgguard("explain-code", typed)
    assert (code, out) == (2, "")
    assert near in err


def test_a_code_that_is_like_none_is_said_to_be_none(sgguard):
    code, _, err = sgguard("explain-code", "xyzzy-9000")
    assert code == 2
    assert "did you mean" not in err
