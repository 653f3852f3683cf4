"""Evidence in pages: all of it, once, in one order, whatever an answer leaves out."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard import schemas
from sgguard.errors import InputError
from sgguard.operations.evidence import page
from sgguard.render import document
from sgguard.render.evidence import OF_REASONS_MAX, SHOWN_MAX, answered
from tests.effort import calls
from tests.examples import examples
from tests.guards.builders import (
    DELETE_FACTS,
    NO_PERMISSION,
    OPENSTACK,
    POLICIES,
    decision,
    facts,
    group,
    named_by,
    server,
)


@pytest.fixture(scope="module")
def whole():
    """A decision with more references, bindings and vanishing rules than an answer shows."""
    references = [named_by(f"sg-x{n:04d}") for n in range(SHOWN_MAX + 5)]
    bindings = [server(f"ins-{n:04d}") for n in range(SHOWN_MAX + 3)]
    of = facts(
        group("sg-a", references=references),
        group("sg-b", bindings=bindings, unseen=[NO_PERMISSION]),
        capabilities=OPENSTACK,
    )
    return {**document.to_json(decision(of)), "decision_id": "d1"}


def pages(text: str, cursor: str = "", limit: int = 400):
    found = [page(text, cursor, limit)]
    while found[-1].cursor:
        found.append(page(text, found[-1].cursor, limit))
    return found


def test_an_answer_shows_so_many_of_each_kind_and_counts_the_others(whole):
    found = answered(whole)
    few = {name: found["facts"][name][:2] for name in ("references", "bindings", "unseen")}
    slim = {**found, "facts": {**found["facts"], **few}, "reasons": [], "consequences": []}
    assert schemas.problems("decision", slim) == ()
    shown = {name: len(found["facts"][name]) for name in ("references", "bindings", "unseen")}
    assert shown == {"references": SHOWN_MAX, "bindings": SHOWN_MAX, "unseen": 1}
    left_out = {"reference": 5, "binding": 3, "unseen": 0, "vanishing": 5, "step": 0, "actions": {}}
    assert {**left_out, "cursor": found["left_out"]["cursor"]} == found["left_out"]
    assert len(whole["facts"]["references"]) == SHOWN_MAX + 5, "what is kept stays whole"
    assert {k: found[k] for k in ("verdict", "plan", "target")} == {
        k: whole[k] for k in ("verdict", "plan", "target")
    }


def test_a_small_document_is_answered_as_it_is():
    small = document.to_json(decision(facts(group(references=[named_by()]))))
    assert answered(small) is small
    answer = {"decisions": [small], "at": "now"}
    assert answered(answer) == answer
    assert answered({"at": "now"}) == {"at": "now"}


def test_an_answer_about_a_decision_that_nobody_can_look_up_has_no_cursor(whole):
    assert answered({**whole, "decision_id": ""})["left_out"]["cursor"] == ""


def test_the_pages_have_everything_once_in_the_order_of_the_document(whole):
    found = pages(json.dumps(whole))
    entries = [entry for one in found for entry in one.entries]
    expected = [
        *({"type": "reference", **one} for one in whole["facts"]["references"]),
        *({"type": "binding", **one} for one in whole["facts"]["bindings"]),
        *({"type": "unseen", **one} for one in whole["facts"]["unseen"]),
        *(
            {"type": "vanishing", **each}
            for one in whole["consequences"]
            for each in one["vanishing"]
        ),
    ]
    assert entries == expected
    assert sum(found[0].counts.values()) == len(expected)
    assert [len(one.entries) for one in found[:-1]] == [400] * (len(found) - 1)


def test_the_cursor_of_an_answer_begins_at_the_first_entry_that_it_left_out(whole):
    found = page(json.dumps(whole), answered(whole)["left_out"]["cursor"], 6)
    assert list(found.entries[:5]) == [
        {"type": "reference", **one} for one in whole["facts"]["references"][SHOWN_MAX:]
    ]
    assert found.entries[5]["type"] == "binding"


def test_a_cursor_of_another_decision_or_of_a_later_look_is_refused(whole):
    cursor = page(json.dumps(whole), "", 1).cursor
    for change in ({"decision_id": "d2"}, {"decided_at": "2027-01-01T00:00:00Z"}):
        with pytest.raises(InputError, match="begin without --cursor"):
            page(json.dumps({**whole, **change}), cursor, 1)
    for wrong in ("1", "x-1", "-1", "٣-abc"):
        with pytest.raises(InputError, match="is no cursor"):
            page(json.dumps(whole), wrong, 1)


def test_a_document_of_an_older_version_has_pages_too(whole):
    older = {"decision_id": "d0", "facts": {"references": whole["facts"]["references"][:3]}}
    (found,) = pages(json.dumps(older))
    assert found.counts == {"reference": 3, "binding": 0, "unseen": 0, "vanishing": 0, "step": 0}


@pytest.fixture(scope="module")
def planned():
    """A set whose plan has more steps than an answer shows: its groups all name each other."""
    ids = [f"sg-{n:02d}" for n in range(50)]
    return decision(
        facts(
            *(
                group(one, references=[named_by(x, f"ingress[{n}]") for x in ids if x != one])
                for n, one in enumerate(ids)
            )
        )
    )


def test_an_answer_has_the_first_steps_of_a_plan_and_counts_the_others_by_action(planned):
    whole = document.to_json(planned)
    found = answered(whole)
    assert found["plan"] == whole["plan"][:SHOWN_MAX]
    revoked = len(whole["plan"]) - 50
    assert found["left_out"]["step"] == len(whole["plan"]) - SHOWN_MAX
    assert found["left_out"]["actions"] == {"delete": 50, "revoke": revoked - SHOWN_MAX}
    slim = {**found, "reasons": [], "plan": found["plan"][:1], "facts": {**found["facts"]}}
    slim["facts"]["references"] = []
    assert schemas.problems("decision", slim) == ()


def test_the_steps_that_are_left_out_are_on_the_last_pages(planned):
    whole = document.to_json(planned)
    found = pages(json.dumps(whole), limit=1000)
    entries = [entry for one in found for entry in one.entries if entry["type"] == "step"]
    assert entries == [{"type": "step", **one} for one in whole["plan"]]
    assert found[0].counts["step"] == len(whole["plan"])
    assert found[-1].entries[-1]["action"] == "delete"


def test_what_a_step_does_does_not_hide_what_kind_of_entry_it_is(planned):
    assert "type" not in document.to_json(planned)["plan"][0]


@examples(50)
@given(DELETE_FACTS, POLICIES, st.integers(1, 4), st.integers(0, 6))
def test_an_answer_that_is_written_within_bounds_is_the_whole_one_cut(of, policy, most, of_reasons):
    judged = decision(of, policy)
    expected = answered(document.to_json(judged), most, of_reasons)
    assert document.to_answer(judged, most, of_reasons) == expected


def test_no_step_is_written_that_an_answer_leaves_out(planned):
    def written(write):
        return calls(lambda: write(planned), "step_json")

    steps = len(planned.judgement.plan)
    assert written(document.to_json) == 2 * steps - 50  # with what undoes each; no delete has that
    assert written(document.to_answer) == 2 * SHOWN_MAX


def test_all_reasons_together_show_a_bounded_number_and_count_all():
    many = range(document.EVIDENCE_MAX)
    of = facts(
        *(group(f"sg-a{n:03d}", bindings=[server(f"ins-{n}-{k}") for k in many]) for n in range(60))
    )
    found = answered({**document.to_json(decision(of)), "decision_id": "d1"})
    assert sum(len(one["evidence"]) for one in found["reasons"]) == OF_REASONS_MAX
    assert {one["evidence_count"] for one in found["reasons"]} == {document.EVIDENCE_MAX}


def test_half_a_surrogate_pair_in_a_clouds_text_does_not_break_a_page(whole):
    (first, *_) = whole["facts"]["references"]
    odd = {**whole, "facts": {**whole["facts"], "references": [{**first, "group_name": "\ud800"}]}}
    (entry,) = page(json.dumps(odd, ensure_ascii=False), "", 1).entries
    assert entry["group_name"] == "?"
