"""``sgguard explain-code``: every code is explained, and a misspelt one is answered with others."""

from __future__ import annotations

import json

import pytest

from sgguard.cli.explain_code import entries
from sgguard.model import runbook
from sgguard.model.codes import MEANINGS, Outcome, ReasonCode, UnseenCode
from sgguard.policy.model import EXEMPTABLE
from sgguard.web import problem
from tests.commands import sgguard

__all__ = ["sgguard"]


@pytest.mark.parametrize("entry", entries(), ids=lambda one: f"{one['kind']} {one['code']}")
def test_every_code_has_a_meaning_and_something_to_do(entry):
    assert entry["means"]
    assert entry["do"]
    assert "](" not in entry["do"], "a link of a document leads nowhere in a terminal"
    assert bool(entry["evidence"]) == (entry["kind"] in ("reason", "gap"))
    assert set(entry["related"]) <= {one["code"] for one in entries()}
    assert entry["code"] not in entry["related"]


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        ("reason", ReasonCode),
        ("gap", UnseenCode),
        ("outcome", Outcome),
        ("problem", problem.PROBLEMS),
    ],
)
def test_every_code_of_a_kind_is_explained_once(kind, known):
    assert sorted(one["code"] for one in entries() if one["kind"] == kind) == sorted(known)


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
    (entry,) = json.loads(out)["codes"]
    assert (entry["code"], entry["kind"]) == ("no-permission", "gap")
    _, out, _ = sgguard("explain-code", "--json")
    assert json.loads(out)["codes"] == entries()


def test_a_name_of_two_kinds_is_explained_as_both(sgguard):
    _, out, _ = sgguard("explain-code", "halted")
    assert "halted: outcome" in out
    assert "halted: problem" in out


def test_the_type_of_a_problem_is_taken_whole(sgguard):
    _, out, _ = sgguard("explain-code", f"{problem.BASE}credentials")
    assert out.startswith("credentials: problem\n")


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
