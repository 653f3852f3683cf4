"""What can never be judged is kept before its sender is told to stop, and can be retried."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from msgspec.structs import replace

from sgguard.callers.senders import SENDERS
from sgguard.engine.context import begin
from sgguard.errors import StoreError
from sgguard.events.base import Kind
from sgguard.model.caller import Caller, Identity
from sgguard.model.occurrence import Happened
from sgguard.store.dead_letters import DeadLetter
from sgguard.web import dead, problem
from sgguard.web.door import Admitted
from tests.callers.signers import TOKEN, Sent
from tests.callers.test_forgery import row
from tests.callers.test_permit import BATCH, address, ask, event
from tests.commands import sgguard
from tests.events.samples import made
from tests.events.test_every_cloud_source import SECRET, leaves, planted
from tests.functions.test_cloud_event import everything_in
from tests.stores import a_record
from tests.webhooks.test_callback import environment

__all__ = ["sgguard"]  # a fixture


def bus(sender: str = "pubsub", **more: Any) -> dict[str, Any]:
    product = {"sender": sender} if sender else {}
    given = {"functions": ["cloud_event", "delete_request"], "speaks_for": ["*"], **product}
    return row("bearer", "bus", **{**given, **more})


def poison(name: str = "tencent_cloudaudit") -> dict[str, Any]:
    """A refused delete whose time is missing: no source can read it, today or tomorrow."""
    document = made(name, Happened.DELETE_REFUSED)
    record = document["data"]
    del record["eventTime"]
    return document


def letters() -> list[Any]:
    return list(begin(environment()).store.dead_letters())


# -- what is kept --------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.sampled(8)
def test_poison_of_every_product_is_kept_and_gets_the_status_that_ends_it(guarded, sender):
    function = guarded.start(bus(sender), function="cloud_event")
    status = ask(guarded, function, poison()).status_code
    known = SENDERS[sender]
    assert status == (422 if known.never is None else known.never)
    # Whoever would repeat 422 for long is told to stop; the others repeat a few times or never.
    (letter,) = letters()
    assert (letter.function, letter.caller, letter.status) == ("cloud_event", "bus", 422)
    assert "eventTime" in letter.problems_json


def test_a_sender_that_repeats_in_vain_makes_one_letter_that_counts(guarded):
    function = guarded.start(bus(), function="cloud_event")
    for _ in range(4):
        assert ask(guarded, function, poison()).status_code == 202
    other = {**poison(), "id": "another"}
    assert ask(guarded, function, other).status_code == 202
    assert sorted(one.times for one in letters()) == [1, 4]


def test_an_event_that_can_be_judged_is_no_letter(guarded, world):
    function = guarded.start(bus())
    assert ask(guarded, function, {"target": address(world, world.free)}).status_code == 200
    assert letters() == []


def test_a_caller_that_reads_its_answers_gets_them_and_leaves_no_letter(guarded):
    function = guarded.start(row("bearer"))
    assert ask(guarded, function, {"targetts": "x"}).status_code == 400
    assert letters() == []


def test_whatever_reaches_the_function_for_buses_is_kept_also_of_an_unnamed_product(guarded):
    function = guarded.start(bus(""), function="cloud_event")
    assert ask(guarded, function, poison()).status_code == 422
    assert len(letters()) == 1


def test_nobody_unknown_leaves_a_letter(guarded):
    function = guarded.start(bus(), function="cloud_event")
    for token in ("sgg_evil_x", ""):
        assert ask(guarded, function, poison(), token).status_code == 401
    assert guarded.kept("dead_letters") == 0


def test_what_will_be_judged_later_is_no_letter(guarded, world, monkeypatch):
    monkeypatch.setenv("SGGUARD_ENDPOINT_TENCENT", "http://127.0.0.1:9")
    function = guarded.start(bus())
    answer = ask(guarded, function, {"target": address(world, world.free)})
    assert answer.status_code == 503
    assert letters() == []


def test_what_is_forbidden_is_kept_for_the_policy_can_be_mended(guarded, world):
    function = guarded.start(bus("knative", targets=["alibaba::*:*"]))
    answer = ask(guarded, function, {"target": address(world, world.free)})
    assert answer.status_code == 403
    assert [one.status for one in letters()] == [403]


def test_of_a_batch_that_is_answered_with_200_what_is_wrong_is_kept(guarded, world):
    function = guarded.start(bus())
    batch = [
        event({"target": address(world, world.free)}, id="e-1"),
        event({"targetts": "x"}, id="e-2"),
    ]
    assert ask(guarded, function, batch, **BATCH).status_code == 200
    (letter,) = letters()
    assert (letter.status, letter.event_id) == (400, "e-2")


@pytest.mark.parametrize("body", [b"", b"not json", b"\xff\xfe", b"{" * 999])
@pytest.mark.sampled(3)
def test_of_a_body_that_nobody_can_read_only_its_size_is_kept(guarded, body):
    function = guarded.start(bus(), function="cloud_event")
    sent = Sent({"authorization": f"Bearer {TOKEN}"}, body)
    assert guarded.send(function, sent).status_code == 202
    (letter,) = letters()
    assert (letter.body, letter.body_bytes) == ("", len(body))


@pytest.mark.parametrize("name", ["tencent_cloudaudit", "alibaba_actiontrail"])
@pytest.mark.sampled(2)
def test_no_secret_of_any_field_is_in_a_letter_or_a_log(guarded, capfd, name):
    function = guarded.start(bus(), function="cloud_event")
    document = poison(name)
    document["data"]["Token"] = {"x": SECRET}
    document[SECRET] = SECRET
    for at in leaves(document):
        if at[-1] not in ("userName", "principalId", "accountId"):
            sent = planted(document, at, SECRET)
            assert SECRET not in ask(guarded, function, sent).get_data(as_text=True)
    assert letters()
    found = everything_in(guarded.folder / "guard.db")
    assert SECRET not in found
    assert TOKEN not in found
    assert SECRET not in "".join(capfd.readouterr())


# -- a sender is told to stop only after it is kept ----------------------------------------------


def admitted(guarded, store: Any, sender: str) -> Admitted:
    guarded.start(bus())
    context = begin(environment())
    caller = Caller("bus", "bearer", {}, sender=sender)
    known = replace(context, caller=Identity(caller), store=store or context.store)
    return Admitted(known, {"content-type": "application/json"}, b'{"id": "e-1"}')


class Full:
    def keep_dead_letter(self, *_: Any) -> int:
        raise StoreError("the disk is full")


@pytest.mark.parametrize(
    ("sender", "status", "got"),
    [
        ("pubsub", 422, 503),
        ("alibaba-eventbridge", 400, 503),
        ("gitlab", 422, 503),
        ("smn", 400, 400),
        ("knative", 422, 422),
        ("pubsub", 200, 503),
        ("knative", 200, 503),
    ],
)
@pytest.mark.sampled(4)
def test_where_it_cannot_be_kept_nothing_says_that_it_was_taken(guarded, sender, status, got):
    wrong = problem.Details(422, {"detail": "x"})
    kind = Kind("delete_request", "x")
    assert dead.status_of(status, [wrong], admitted(guarded, Full(), sender), kind) == got


def test_a_reason_that_no_store_could_keep_is_kept_all_the_same(guarded):
    wrong = problem.Details(422, {"detail": "a\0b\ud800", "event_id": "e\n1"})
    given, kind = admitted(guarded, None, "pubsub"), Kind("delete_request", "x")
    assert dead.status_of(422, [wrong], given, kind) == 202
    (letter,) = letters()
    assert (letter.reason, letter.event_id) == ("a\ufffdb\ufffd", "e\ufffd1")


@pytest.mark.parametrize(("sender", "ended"), [("pubsub", 202), ("knative", 422), ("smn", 422)])
@pytest.mark.sampled(2)
def test_the_same_internal_error_again_and_again_is_poison(guarded, sender, ended):
    bug = problem.Details(500, {"detail": "report the incident 123"})
    given, kind = admitted(guarded, None, sender), Kind("delete_request", "x")
    got = [dead.status_of(500, [bug], given, kind) for _ in range(6)]
    first = 500 if 500 in SENDERS[sender].repeats else 503
    assert got == [first] * 4 + [ended] * 2
    assert [one.times for one in letters()] == [6]


@pytest.mark.parametrize("sender", SENDERS)
@pytest.mark.sampled(8)
def test_a_good_event_is_kept_where_its_sender_makes_no_second_attempt(guarded, sender):
    given, kind = admitted(guarded, None, sender), Kind("delete_request", "x")
    for status in (429, 503):
        later = problem.Details(status, {"detail": "the cloud could not be asked"}, 5)
        got = dead.status_of(status, [later], given, kind)
        assert bool(letters()) is (got not in SENDERS[sender].repeats)
    busy = problem.Details(409, {"detail": "being worked on"}, 5)
    before = len(letters())
    dead.status_of(409, [busy], given, kind)
    assert len(letters()) == before
    # In the answer to a batch it is a problem under a status of 200.
    dead.status_of(200, [problem.Details(503, {"detail": "x"}, 5)], given, kind)
    assert letters()


def test_the_senders_that_never_repeat_are_those_whose_good_events_are_kept():
    never = {name for name, one in SENDERS.items() if 503 not in one.repeats}
    assert never == {"github", "gitlab", "zaqar", "aodh"}


def test_an_error_that_asks_for_a_repetition_is_never_poison(guarded):
    later = problem.Details(503, {"detail": "x"}, 5)
    given, kind = admitted(guarded, None, "pubsub"), Kind("delete_request", "x")
    assert {dead.status_of(503, [later], given, kind) for _ in range(9)} == {503}
    assert letters() == []


# -- in the store --------------------------------------------------------------------------------


def a_letter(number: int, caller: str = "bus") -> Any:
    return DeadLetter(f"l{number}", "cloud_event", caller, "", 422, "x", "[]", "{}", "{}", 2)


def test_of_one_caller_only_so_many_letters_are_kept(kept):
    store = kept.open()
    assert [store.keep_dead_letter(a_letter(n), 3) for n in range(5)] == [1, 1, 1, 0, 0]
    assert store.keep_dead_letter(a_letter(1), 3) == 2
    assert store.keep_dead_letter(a_letter(9, "other"), 3) == 1
    assert store.count_dead_letters() == 4
    assert [one.letter_id for one in store.dead_letters(caller="other")] == ["l9"]


def test_letters_are_forgotten_as_decisions_are_from_when_they_came_last(kept):
    store = kept.open()
    store.keep_dead_letter(a_letter(1), 9)
    store.keep_dead_letter(a_letter(2), 9)
    kept.clock.pass_(100)
    store.keep_dead_letter(a_letter(2), 9)
    assert store.purge(kept.clock.now_s - 50).counts["dead_letters"] == 1
    (left,) = store.dead_letters()
    assert (left.letter_id, left.times) == ("l2", 2)
    assert left.last_at_s - left.first_at_s == 100
    assert store.drop_dead_letter("l2")
    assert not store.drop_dead_letter("l2")


def test_an_address_is_forgotten_with_its_decision_and_not_before(kept):
    store = kept.open()
    store.keep_callback("d1", "https://a.example.com/")
    store.keep_callback("d2", "https://a.example.com/")
    store.keep(a_record("d1"))
    kept.clock.pass_(100)
    store.purge(kept.clock.now_s - 200)
    assert store.callback("d2")
    store.keep(a_record("d1"))
    store.purge(kept.clock.now_s - 50)
    assert (bool(store.callback("d1")), store.callback("d2")) == (True, None)
    store.end_callback("d1")
    assert store.callback("d1") is None


# -- the commands --------------------------------------------------------------------------------


def listed(sgguard, *more: str) -> list[dict[str, Any]]:
    code, out, _ = sgguard("deadletter", "list", "--json", *more)
    assert code == 0
    return json.loads(out)


def test_letters_are_listed_shown_and_dropped(guarded, sgguard):
    function = guarded.start(bus(), function="cloud_event")
    ask(guarded, function, poison())
    ask(guarded, function, {**poison(), "id": "other"})
    found = listed(sgguard)
    assert [one["times"] for one in found] == [1, 1]
    assert listed(sgguard, "--caller", "nobody") == []
    first = found[0]["letter"]
    code, out, _ = sgguard("deadletter", "show", first[:8], "--json")
    shown = json.loads(out)
    assert code == 0
    assert shown["problems"][0]["path"].endswith("eventTime")
    assert shown["body"]["data"]["eventName"] == "DeleteSecurityGroup"
    assert "cloud_event by bus" in sgguard("deadletter", "list")[1]
    assert "eventTime" in sgguard("deadletter", "show", first)[1]
    assert sgguard("deadletter", "drop")[0] == 2
    assert sgguard("deadletter", "drop", first)[0] == 0
    assert len(listed(sgguard)) == 1
    assert sgguard("deadletter", "drop", "--all")[0] == 0
    assert "No dead letters" in sgguard("deadletter", "list")[1]
    assert sgguard("deadletter", "show", first)[0] == 2


def test_a_letter_is_judged_once_the_policy_is_mended(guarded, sgguard, world):
    target = address(world, world.free)
    function = guarded.start(bus("knative", targets=["alibaba::*:*"]))
    headers = {"content-type": "application/cloudevents+json"}
    assert ask(guarded, function, event({"target": target}), **headers).status_code == 403
    # Nothing is different yet.
    assert sgguard("deadletter", "retry", "--all")[0] == 1
    assert [one["times"] for one in listed(sgguard)] == [2]
    guarded.start(bus("knative"))
    code, out, _ = sgguard("deadletter", "retry", "--all", "--json")
    (result,) = json.loads(out)
    assert (code, result["settled"]) == (0, True)
    decided = result["answer"]["data"]
    assert (decided["verdict"], decided["event_id"]) == ("allow", "e-1")
    assert (decided["caller"]["name"], decided["caller"]["key"]) == ("bus", "dead-letter")
    assert listed(sgguard) == []
    # The sender's own late repetition meets the decision, and makes no other.
    again = ask(guarded, guarded.start(bus("knative")), event({"target": target}), **headers)
    assert again.get_json()["data"]["decision_id"] == decided["decision_id"]


def test_a_policy_given_to_a_retry_is_that_of_the_functions_and_of_nothing_after_it(
    guarded, sgguard, world, monkeypatch
):
    function = guarded.start(bus("knative", targets=["alibaba::*:*"]))
    narrow = os.environ["SGGUARD_POLICY"]
    headers = {"content-type": "application/cloudevents+json"}
    ask(guarded, function, event({"target": address(world, world.free)}), **headers)
    guarded.start(bus("knative"))
    mended = os.environ["SGGUARD_POLICY"]
    monkeypatch.setenv("SGGUARD_POLICY", narrow)
    before = dict(os.environ)
    assert sgguard("deadletter", "retry", "--all")[0] == 1
    assert sgguard("deadletter", "retry", "--all", "--policy", mended)[0] == 0
    assert {name: os.environ.get(name) for name in before} == before
    assert "SGGUARD_LOG_LEVEL" not in os.environ


def test_a_letter_reaches_no_further_than_its_caller(guarded, sgguard, world):
    function = guarded.start(bus("knative", targets=["alibaba::*:*"], mode="enforce"))
    ask(guarded, function, {"target": address(world, world.free)})
    guarded.start({**bus("knative"), "name": "another"})
    code, _, err = sgguard("deadletter", "retry", "--all")
    assert code == 2
    assert "the caller bus is not in the policy any more" in err
    assert len(listed(sgguard)) == 1


def test_what_was_not_kept_cannot_be_retried_and_the_command_says_so(guarded, sgguard):
    function = guarded.start(bus(), function="cloud_event")
    guarded.send(function, Sent({"authorization": f"Bearer {TOKEN}"}, b"not json"))
    code, _, err = sgguard("deadletter", "retry", "--all")
    assert code == 2
    assert "its sender has to send it again" in err


def test_no_header_vouches_for_a_caller(guarded, world):
    function = guarded.start(bus())
    names = ("sgguard.vouched", "sgguard-vouched", "HTTP_SGGUARD_VOUCHED", "Sgguard_Vouched")
    for name in names:
        sent = Sent({name: "bus"}, json.dumps({"target": address(world, world.free)}).encode())
        assert guarded.send(function, sent).status_code == 401


# -- seen by an operator -------------------------------------------------------------------------


def test_letters_are_counted_where_an_operator_looks(guarded, sgguard):
    function = guarded.start(bus(), function="cloud_event")
    assert "dead_letters" not in function.client.get("/readyz").get_json()["checks"]
    ask(guarded, function, poison())
    checks = function.client.get("/readyz").get_json()
    assert checks["status"] == "ready"
    assert checks["checks"]["dead_letters"] == "1: see sgguard deadletter list"
    out = sgguard("doctor", "--json")[1]
    assert "dead letters, which could not be judged: 1" in out
