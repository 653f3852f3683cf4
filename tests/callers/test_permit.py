"""What a caller may ask for, how often, and what it sees of the answer."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from sgguard.callers.permit import may_see, permitted
from sgguard.callers.secret import hash_of
from sgguard.callers.veil import HIDDEN, veiled, veiled_text
from sgguard.engine.context import Context
from sgguard.errors import EventError, InvalidRequestError
from sgguard.model.address import Address
from sgguard.model.caller import Caller, Identity
from sgguard.model.event import Event
from sgguard.web import door, problem
from tests.callers.signers import TOKEN, Sent
from tests.callers.test_forgery import row

OTHER_TOKEN = "sgg_other_" + "x" * 43


def other(**more: Any) -> dict[str, Any]:
    proof = {"bearer": [hash_of(OTHER_TOKEN)]}
    return {**row("bearer", "other", **more), "proof": proof}


def address(world, group_id: str) -> str:
    return f"{world.provider}::{world.region}:{group_id}"


def ask(guarded, function, data: Any, token: str = TOKEN, **headers: str) -> Any:
    sent = Sent({"authorization": f"Bearer {token}", **headers}, json.dumps(data).encode())
    return guarded.send(function, sent)


def event(data: Any, **more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "e-1",
        "source": "//portal/orders",
        "type": "sgguard.delete.requested.v1",
        "data": data,
        **more,
    }


CE = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "application/cloudevents-batch+json"}


# -- targets -------------------------------------------------------------------------------------


def test_a_target_outside_is_forbidden_with_the_rule_and_never_looked_at(guarded, world):
    function = guarded.start(row("bearer", targets=[address(world, world.free)]))
    assert ask(guarded, function, {"target": address(world, world.free)}).status_code == 200
    calls, claims = guarded.asked_the_cloud(), guarded.kept()
    for data in (
        {"target": address(world, world.bound)},
        {"targets": [address(world, world.free), address(world, world.bound)]},
    ):
        answer = ask(guarded, function, data)
        assert answer.status_code == 403
        assert answer.get_json()["problems"][0]["expected"] == "targets"
    assert (guarded.asked_the_cloud(), guarded.kept()) == (calls, claims)


def test_of_a_batch_only_the_event_outside_is_forbidden(guarded, world):
    function = guarded.start(row("bearer", targets=[address(world, world.free)]))
    batch = [
        event({"target": address(world, world.bound)}),
        event({"target": address(world, world.free)}, id="e-2"),
    ]
    answer = ask(guarded, function, batch, **BATCH)
    refused, decided = answer.get_json()
    assert (answer.status_code, refused["data"]["status"]) == (200, 403)
    assert decided["data"]["verdict"] == "allow"


@pytest.mark.parametrize(
    ("pattern", "given", "home", "is_seen"),
    [
        ("tencent::ap-*:*", "tencent::ap-guangzhou:sg-1", "", True),
        ("tencent::ap-*:*", "tencent::eu-frankfurt:sg-1", "", False),
        ("*:*:*:sg-1", "tencent:77:ap-guangzhou:sg-1", "", True),
        ("tencent::*:sg-1", "tencent:77:ap-guangzhou:sg-1", "", False),
        ("tencent::*:sg-1", "tencent:77:ap-guangzhou:sg-1", "77", True),
        ("tencent:77:*:sg-1", "tencent::ap-guangzhou:sg-1", "77", True),
        ("tencent:78:*:sg-1", "tencent::ap-guangzhou:sg-1", "77", False),
        ("tencent::ap-guangzhou:sg-?", "tencent::ap-guangzhou:sg-12", "", False),
        ("tencent*::*:*", "tencent-dfw::ap-guangzhou:sg-1", "", True),
    ],
)
def test_each_part_of_an_address_is_compared_by_itself(pattern, given, home, is_seen):
    caller = Caller("portal", "bearer", {}, targets=(pattern,))
    assert may_see(caller, Address.parse(given), {"tencent": home}) is is_seen


@dataclass(frozen=True, slots=True)
class Reported:
    """What an event of a cloud reports."""

    groups: tuple[str, ...]
    instances: tuple[str, ...] = ()
    provider: str = "tencent"
    account: str = ""
    region: str = "ap-guangzhou"


def test_what_a_cloud_reports_has_to_be_inside_as_well():
    caller = Caller("bus", "platform", {}, targets=("tencent::ap-*:sg-a*",))
    inside = Reported(("sg-a1", "sg-a2"))
    assert permitted(Identity(caller), inside, {}) is inside
    nothing = Reported(())
    assert permitted(Identity(caller), nothing, {}) is nothing
    assert permitted(Identity(caller), {}, {}) == {}
    for outside in (Reported(("sg-a1", "sg-b1")), Reported((), ("ins-1",))):
        with pytest.raises(EventError):
            permitted(Identity(caller), outside, {})


def test_groups_outside_the_targets_are_counted_and_not_named(guarded, world):
    asked = address(world, world.referenced)
    function = guarded.start(row("bearer", targets=[asked]), other())
    whole = ask(guarded, function, {"target": asked}, OTHER_TOKEN)
    part = ask(guarded, function, {"target": asked})
    named = {
        (one["group_id"], one["group_name"]) for one in whole.get_json()["facts"]["references"]
    }
    hidden = {text for pair in named for text in pair if text and text != world.referenced}
    assert hidden
    assert all(text in whole.get_data(as_text=True) for text in hidden)
    assert not [text for text in hidden if text in part.get_data(as_text=True)]
    assert part.get_json()["facts"]["hidden_groups"] >= 1
    assert part.get_json()["verdict"] == whole.get_json()["verdict"] == "block"
    (reason,) = [r for r in part.get_json()["reasons"] if r["code"] == "referenced"]
    assert reason["evidence_count"] >= 1
    # What is kept for the operator is whole.
    with sqlite3.connect(guarded.folder / "guard.db") as database:
        query = "SELECT document_json FROM sgguard_decisions WHERE decision_id = ?"
        kept = database.execute(query, (part.get_json()["decision_id"],)).fetchone()[0]
    assert all(text in kept for text in hidden)


# -- on whose behalf -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "status", "kept"),
    [
        (None, 200, "portal"),
        ("portal", 200, "portal"),
        ("ada@corp.example", 200, "ada@corp.example"),
        ("ada@corp.example.evil", 403, None),
        ("root", 403, None),
    ],
)
@pytest.mark.sampled(6)
def test_a_caller_speaks_for_those_that_the_policy_names(guarded, world, given, status, kept):
    function = guarded.start(row("bearer", speaks_for=["*@corp.example"]))
    data = {"target": address(world, world.free), **({"requested_by": given} if given else {})}
    answer = ask(guarded, function, data)
    assert answer.status_code == status
    if kept:
        found = answer.get_json()["caller"]
        assert (found["name"], found["requested_by"]) == ("portal", kept)
        with sqlite3.connect(guarded.folder / "guard.db") as database:
            rows = database.execute("SELECT requester FROM sgguard_decisions").fetchall()
        assert rows == [(kept,)]


def test_who_may_speak_for_nobody_is_the_requester_itself(guarded, world):
    function = guarded.start(row("bearer"))
    data = {"target": address(world, world.free), "requested_by": "ada"}
    assert ask(guarded, function, data).status_code == 403


# -- the highest mode ----------------------------------------------------------------------------

REVOKING = {"mode": "enforce", "delete": {"remedies": ["revoke"]}, "caps": {"management_ports": []}}


@pytest.mark.parametrize(("mode", "outcome"), [("observe", "unchanged"), ("enforce", "remediated")])
@pytest.mark.sampled(2)
def test_a_caller_reaches_no_mode_above_its_own(guarded, world, mode, outcome):
    function = guarded.start(row("bearer", mode=mode), **REVOKING)
    found = ask(guarded, function, {"target": address(world, world.referenced)}).get_json()
    assert (found["mode"], found["outcome"]) == (mode, outcome)
    changes = [one for one in guarded.place.emulator.requests if one.action.startswith("Delete")]
    assert bool(changes) is (outcome == "remediated")


# -- sources and types ---------------------------------------------------------------------------


def test_sources_and_types_that_are_not_listed_are_forbidden(guarded, world):
    function = guarded.start(row("bearer", sources=["//portal/*"], types=["sgguard.delete.*"]))
    data = {"target": address(world, world.free)}
    assert ask(guarded, function, event(data), **CE).status_code == 200
    assert ask(guarded, function, event(data, source="//shop/1"), **CE).status_code == 403
    assert ask(guarded, function, data).status_code == 403  # it has no source
    function = guarded.start(row("bearer", types=["sgguard.launch.*"]))
    assert ask(guarded, function, event(data), **CE).status_code == 403


# -- once, for each caller -----------------------------------------------------------------------


def test_no_caller_uses_up_the_ids_of_another(guarded, world):
    function = guarded.start(row("bearer"), other())
    data = event({"target": address(world, world.free)})
    mine, theirs = (ask(guarded, function, data, token, **CE) for token in (TOKEN, OTHER_TOKEN))
    again = ask(guarded, function, data, **CE)
    ids = [one.get_json()["data"]["decision_id"] for one in (mine, theirs, again)]
    assert ids[0] == ids[2] != ids[1]
    others = event({"target": address(world, world.bound)})
    assert ask(guarded, function, others, **CE).status_code == 422


# -- budgets -------------------------------------------------------------------------------------


def test_a_budget_of_decisions_ends_in_429_and_another_caller_goes_on(guarded, world):
    function = guarded.start(row("bearer", budget={"decisions": 2}), other())
    data = {"target": address(world, world.free)}
    assert [ask(guarded, function, data).status_code for _ in range(3)] == [200, 200, 429]
    refused = ask(guarded, function, data)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.get_json()["title"] == "Budget used up"
    assert ask(guarded, function, data, OTHER_TOKEN).status_code == 200


def test_a_budget_of_cloud_calls_counts_what_decisions_took(guarded, world):
    function = guarded.start(row("bearer", budget={"calls": 1}))
    data = {"target": address(world, world.free)}
    assert ask(guarded, function, data).status_code == 200
    calls = guarded.asked_the_cloud()
    assert ask(guarded, function, data).status_code == 429
    assert guarded.asked_the_cloud() == calls


# -- what is parsed for nobody -------------------------------------------------------------------


def test_nothing_is_parsed_for_a_stranger_and_a_large_body_is_not_even_read(guarded, monkeypatch):
    monkeypatch.setenv("SGGUARD_MAX_BODY_BYTES", "100")
    function = guarded.start(row("bearer"))
    for body in (b"{", b"[]", b"\xff", b'{"target": 1}'):
        assert guarded.send(function, Sent({}, body)).status_code == 401
    assert guarded.send(function, Sent({}, b"x" * 101)).status_code == 413


def test_a_header_that_really_comes_twice_is_refused(guarded, world):
    function = guarded.start(row("bearer"))
    body = json.dumps({"target": address(world, world.free)})
    for values in ((TOKEN, "x"), ("x", TOKEN), (TOKEN, TOKEN)):
        headers = [("Authorization", f"Bearer {one}") for one in values]
        answer = function.client.post("/", data=body, headers=headers)
        assert answer.status_code == 401


def test_reminders_need_a_caller_that_may(guarded, monkeypatch):
    monkeypatch.setenv("SGGUARD_APPROVAL_KEY", "k" * 32)
    function = guarded.start(row("bearer"), other(functions=["approval"]), function="approval")
    due = event({}, type="sgguard.approvals.due.v1")
    assert ask(guarded, function, due, "nobody", **CE).status_code == 401
    assert ask(guarded, function, due, **CE).status_code == 403
    assert ask(guarded, function, due, OTHER_TOKEN, **CE).status_code == 200


def test_only_whole_ids_and_names_are_hidden():
    caller = Caller("portal", "bearer", {}, targets=("tencent::ap-guangzhou:sg-10",))
    entry = {"group_id": "sg-1", "group_name": "web", "account": "", "rule": None}
    document = {
        "target": ["tencent::ap-guangzhou:sg-10"],
        "facts": {"references": [entry], "groups": [{"group_id": "sg-10", "name": "web-10"}]},
        "note": "sg-10 (web-10) is named by sg-1 (web)",
        "verdict": "block",
    }
    shown = veiled(document, caller, {})
    assert shown["note"] == f"sg-10 (web-10) is named by {HIDDEN} ({HIDDEN})"
    assert shown["facts"] == {
        "references": [],
        "groups": [{"group_id": "sg-10", "name": "web-10"}],
        "hidden_groups": 1,
    }


def test_a_problem_names_no_group_that_the_caller_did_not(guarded):
    from_cloud = "sg-5ua9adfv is used by sg-secret00 and 55555555-eeee-4eee-8eee-000000000001"
    shown = veiled_text(from_cloud, '{"target": "tencent::ap-guangzhou:sg-5ua9adfv"}')
    assert shown == f"sg-5ua9adfv is used by {HIDDEN} and {HIDDEN}"


def test_nothing_that_is_wrong_with_a_request_names_a_group_that_the_caller_did_not():
    target = "tencent::ap-guangzhou:sg-5ua9adfv"
    event = Event("e-1", {"target": target}, "//portal")
    error = InvalidRequestError("tencent", "DeleteX", words="sg-secret00 is no group of this VPC")
    details = problem.described(error, data=event.data)
    assert "sg-secret00" in json.dumps(details.document["problems"])
    caller = Identity(Caller("portal", "bearer", {}, targets=(target,)))
    context = replace(Context.from_env({}), caller=caller)
    shown = json.dumps(door.shown_problem(details, event, context).document)
    assert "sg-secret00" not in shown
    assert HIDDEN in shown
