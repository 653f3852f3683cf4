"""``sgguard decisions``: the audit trail as people and programs read it."""

from __future__ import annotations

import json
import time

import pytest

from sgguard.approvals import approve
from sgguard.emulator.state import Rule
from sgguard.render.document import to_json
from sgguard.render.evidence import SHOWN_MAX
from tests.commands import fits, place, sgguard
from tests.guards.builders import (
    NO_PERMISSION,
    OPENSTACK,
    decision,
    facts,
    group,
    named_by,
    server,
)
from tests.stores import a_record

__all__ = ["place", "sgguard"]  # fixtures

DAY_S = 86400


@pytest.fixture
def trail(place):
    """Four decisions of the last weeks, the oldest first."""
    now_s = time.time()
    other = ("alibaba::hz:sg-2",)
    for number, (days, given) in enumerate(
        [
            (20, {"verdict": "allow", "outcome": "unchanged"}),
            (9, {"verdict": "remediate", "outcome": "remediated", "approver": "bob"}),
            (2, {"verdict": "block", "outcome": "unchanged", "target": other, "requester": ""}),
            (0.1, {"verdict": "remediate", "outcome": "refused", "approver": "ada"}),
        ]
    ):
        place.store.keep(a_record(f"d{number}", at_s=now_s - days * DAY_S, **given))
    return place


def ids(out: str) -> list[str]:
    return [line.split()[0] for line in out.splitlines() if not line.startswith(" ")]


@pytest.mark.usefixtures("trail")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["d3", "d2", "d1", "d0"]),
        (["--verdict", "remediate"], ["d3", "d1"]),
        (["--outcome", "unchanged"], ["d2", "d0"]),
        (["--target", "alibaba::hz:sg-2"], ["d2"]),
        (["--since", "7d"], ["d3", "d2"]),
        (["--since", "2w"], ["d3", "d2", "d1"]),
        (["--since", "3h"], ["d3"]),
        (["--since", "2000-01-01"], ["d3", "d2", "d1", "d0"]),
        (["--since", "2000-01-01T00:00:00+02:00"], ["d3", "d2", "d1", "d0"]),
        (["--limit", "2"], ["d3", "d2"]),
        (["--verdict", "block", "--outcome", "refused"], []),
    ],
    ids=" ".join,
)
@pytest.mark.sampled(4)
def test_filters_say_which(sgguard, options, expected):
    code, out, err = sgguard("decisions", "list", *options, "--json")
    assert (code, err) == (0, "")
    assert [one["decision_id"] for one in json.loads(out)] == expected
    if expected:
        assert ids(sgguard("decisions", "list", *options)[1]) == expected


@pytest.mark.usefixtures("trail")
def test_a_line_names_requester_and_approver_and_fits(sgguard):
    out = sgguard("decisions", "list")[1]
    assert "remediate, remediated" in out
    assert "asked by ada, approved by bob" in out
    assert "denied by ada" in out
    assert fits(out)


def test_where_there_is_nothing_the_store_is_named(place, sgguard):
    assert sgguard("decisions", "list")[1] == f"No such decisions in {place.url}.\n"


@pytest.mark.parametrize("text", ["yesterday", "7", "7y", "2027-13-01", ""])
@pytest.mark.sampled(3)
def test_a_time_that_is_none_is_an_error(place, sgguard, text):
    code, out, err = sgguard("decisions", "list", f"--since={text}")
    assert (code, out) == ((2, "") if text else (0, sgguard("decisions", "list")[1]))
    assert ("expected a span" in err) is bool(text)


def test_a_decision_is_shown_from_request_to_effect(place, sgguard):
    asked = place.asked()
    approve(asked.approval_id, "bob", place.context())
    code, out, _ = sgguard("decisions", "show", asked.decision_id)
    assert code == 0
    for text in (
        "REMEDIATE",
        "order-7 of delete_request /portal",
        "asked by  eve",
        "approved by bob",
        "2 references",
        "complete",
        "Why",
        "Plan",
        "remediated",
        "delete-group",
        place.world.referrer_in,
    ):
        assert text in out, text
    assert fits(out)
    shown = json.loads(sgguard("decisions", "show", asked.decision_id, "--json")[1])
    assert (shown["approval"]["resolved_by"], shown["requested_by"]) == ("bob", "eve")
    assert place.document(asked).items() <= shown.items()


def test_a_decision_that_is_not_there_is_an_error(place, sgguard):
    code, out, err = sgguard("decisions", "show", "nowhere")
    assert (code, out) == (2, "")
    assert "there is no decision 'nowhere'" in err


def test_text_of_others_forges_no_line(place, sgguard):
    asked = place.asked(requester="x\n\x1b[31mREMEDIATE  delete nothing")
    for command in (["approvals", "list"], ["approvals", "show", asked.approval_id]):
        out = sgguard(*command)[1]
        assert "\x1b" not in out
        assert not any(line.startswith("\x1b") or line == "x" for line in out.splitlines())
    out = sgguard("decisions", "show", asked.decision_id)[1]
    assert "\x1b" not in out


def test_purge_forgets_what_is_old_and_closes_what_expired(place, sgguard, monkeypatch):
    place.clock.now_s -= 100 * DAY_S
    place.store.keep(a_record("old"))
    asked = place.asked()
    place.clock.now_s += 100 * DAY_S
    code, out, _ = sgguard("decisions", "purge")
    assert (code, "more than 90 days ago: " in out, "decisions" in out) == (0, True, True)
    assert place.store.decision("old") is None
    # it was pending until just now, so it ended just now
    assert place.approval(asked.approval_id).state == "expired"
    assert "nothing" in sgguard("decisions", "purge")[1]
    assert set(json.loads(sgguard("decisions", "purge", "--json")[1]).values()) == {0}


def test_purge_heeds_the_days_to_keep(place, sgguard, monkeypatch):
    place.clock.now_s -= 50 * DAY_S
    place.store.keep(a_record("old"))
    sgguard("decisions", "purge")
    assert place.store.decision("old") is not None
    monkeypatch.setenv("SGGUARD_KEEP_DAYS", "30")
    sgguard("decisions", "purge")
    assert place.store.decision("old") is None


def test_the_password_of_a_store_is_not_shown(sgguard, monkeypatch):
    monkeypatch.setenv("SGGUARD_STORE", "postgresql://u:s3cret@127.0.0.1:1/db")
    code, out, err = sgguard("decisions", "list")
    assert code == 2
    assert "s3cret" not in out + err


# -- evidence --------------------------------------------------------------------------------------


@pytest.fixture
def many(place):
    """A kept decision about a group that more rules name than an answer shows."""
    of = facts(
        group("sg-a", references=[named_by(f"sg-x{n:04d}") for n in range(SHOWN_MAX + 2)]),
        group("sg-b", bindings=[server()], unseen=[NO_PERMISSION]),
        capabilities=OPENSTACK,
    )
    document = {**to_json(decision(of)), "decision_id": "d-many"}
    place.store.keep(a_record("d-many", document_json=json.dumps(document)))
    return place


@pytest.mark.usefixtures("many")
def test_what_a_document_leaves_out_is_shown_in_pages(sgguard):
    code, out, _ = sgguard("decisions", "show", "d-many", "--json")
    document = json.loads(out)
    assert code == 0
    assert len(document["facts"]["references"]) == SHOWN_MAX
    assert document["left_out"]["reference"] == 2
    cursor, seen = document["left_out"]["cursor"], []
    while cursor:
        asked = ("--evidence", "--cursor", cursor, "--limit", "600", "--json")
        code, out, _ = sgguard("decisions", "show", "d-many", *asked)
        found = json.loads(out)
        seen += [one["type"] for one in found["entries"]]
        cursor = found["cursor"]
    assert seen == ["reference"] * 2 + ["binding", "unseen"] + ["vanishing"] * (SHOWN_MAX + 2)
    whole = json.loads(sgguard("decisions", "show", "d-many", "--json", "--verbose")[1])
    assert "left_out" not in whole
    assert len(whole["facts"]["references"]) == SHOWN_MAX + 2


def test_a_check_tells_as_much_as_an_answer_and_counts_the_rest(place, sgguard):
    group = place.cloud.group(place.world.bound)
    named = place.world.referenced
    group.rules += [
        Rule("ingress", id=f"r{n}", ports=str(1000 + n), peer_group=named) for n in range(SHOWN_MAX)
    ]
    code, out, _ = sgguard("check", "delete", "--json", place.target)
    (told,) = json.loads(out)["decisions"]
    assert code != 0
    assert len(told["facts"]["references"]) == SHOWN_MAX
    assert told["left_out"]["reference"] > 0
    assert told["left_out"]["cursor"] == "", "nobody can look up what is not kept"
    (whole,) = json.loads(sgguard("check", "delete", "--json", "--verbose", place.target)[1])[
        "decisions"
    ]
    assert len(whole["facts"]["references"]) == SHOWN_MAX + told["left_out"]["reference"]


@pytest.mark.usefixtures("many")
def test_a_page_of_evidence_for_people_says_how_it_goes_on(sgguard):
    code, out, _ = sgguard("decisions", "show", "d-many", "--evidence", "--limit", "2")
    head, first, second, more = out.splitlines()
    named = SHOWN_MAX + 2
    counts = f"{named} reference, 1 binding, 1 unseen, {named} vanishing, 0 step"
    assert (code, head) == (0, f"d-many  {counts}")
    assert first.startswith("  sg-a: referenced by sg-x0000")
    assert second.startswith("  sg-a: referenced by sg-x0001")
    rest = more.removeprefix("more: sgguard ").split()
    code, out, _ = sgguard(*rest, "--limit", "9999")
    assert "  sg-b: bound to instance ins-1" in out
    assert "  sg-b: references [no-permission]" in out
    assert "  sg-a: would vanish: sg-x0000" in out
    assert "more: " not in out


@pytest.mark.usefixtures("many")
def test_a_cursor_needs_the_option_that_it_belongs_to(sgguard):
    code, _, err = sgguard("decisions", "show", "d-many", "--limit", "3")
    assert code == 2
    assert "--evidence" in err
    code, _, err = sgguard("decisions", "show", "d-many", "--evidence", "--cursor", "1-deadbeef")
    assert code == 2
    assert "begin without --cursor" in " ".join(err.split())


def test_a_cursor_of_a_decision_that_was_purged_says_that_it_is_gone(many, sgguard, monkeypatch):
    many.clock.now_s -= 50 * DAY_S
    many.store.keep(a_record("d-old"))
    many.clock.now_s += 50 * DAY_S
    monkeypatch.setenv("SGGUARD_KEEP_DAYS", "30")
    assert sgguard("decisions", "purge")[0] == 0
    code, _, err = sgguard("decisions", "show", "d-old", "--evidence", "--cursor", "100-abcdef01")
    assert code == 2
    assert "there is no decision 'd-old'" in err
    assert sgguard("decisions", "show", "d-many", "--evidence", "--limit", "1")[0] == 0
