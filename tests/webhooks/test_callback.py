"""A request that names a callback: it is told the decision and every change of its outcome."""

from __future__ import annotations

import json
import os
from importlib import import_module
from typing import Any

import pytest
from msgspec.structs import replace

from sgguard import schemas
from sgguard.approvals import resolve
from sgguard.callers.veil import HIDDEN
from sgguard.engine import handle
from sgguard.engine.context import begin
from sgguard.errors import EventError, StoreError
from sgguard.events.request import instance_launch
from sgguard.model.address import Address, Scope
from sgguard.model.event import Event
from sgguard.model.request import DeleteRequest
from sgguard.operations import restore
from sgguard.outbox.background import BACKGROUND
from sgguard.outbox.base import Gone, Later, Sent
from sgguard.outbox.senders import MODULES
from sgguard.policy.callback import CallbackPolicy
from sgguard.render.document import to_json
from sgguard.telemetry import redaction
from sgguard.webhooks.outgoing import BYTES_MAX, CallbackSender
from sgguard.webhooks.outgoing import event as event_of
from tests.approvals.harness import approval_harness
from tests.callers.test_forgery import row
from tests.callers.test_permit import BATCH, address, ask, event
from tests.engine.test_failing_store import Failing
from tests.guards.builders import OPENSTACK, decision, facts, group, named_by
from tests.webhooks.receiver import OK, answer, receiving
from tests.webhooks.shapes import HOST
from tests.webhooks.test_send import ENV, NEW

PATH = "/token-of-the-portal"
URL = f"https://{HOST}{PATH}?tenant=7"
TABLE = {"hosts": [HOST], "keys": [{"env": "SGG_CALLBACK_KEY"}]}


@pytest.fixture
def started(guarded, monkeypatch):
    """Start the function with a caller that may ask about everything, and callbacks."""
    monkeypatch.setenv("SGG_CALLBACK_KEY", NEW)

    def start(*callers: dict[str, Any], **policy: Any) -> Any:
        given = {"callbacks": TABLE, **policy}
        return guarded.start(*(callers or [row("bearer")]), **given)

    return start


def environment() -> dict[str, str]:
    return dict(os.environ)


def rows(context) -> list[Any]:
    return list(reversed(context.store.notices(limit=100)))


def told(context, *answers: bytes) -> list[dict[str, Any]]:
    """Deliver what waits, in order; return the events as their receiver reads them."""
    with receiving(*(answers or [OK])) as to:
        sender = CallbackSender(context, to.network())
        while taken := context.store.take_notices("callback", owner="w1", lease_s=60):
            result = sender.send(taken[0])
            assert isinstance(result, Sent)
            assert context.store.delivered(taken[0], result.reference)
        return [json.loads(one.body) for one in to.requests]


# -- asked for -----------------------------------------------------------------------------------


def test_a_decision_reaches_the_address_that_its_request_names(guarded, started, world):
    function = started()
    data = {"target": address(world, world.bound), "callback": URL}
    decided = ask(guarded, function, data).get_json()
    assert decided["callback"] == {"host": HOST}
    assert schemas.problems("decision", decided) == ()
    context = begin(environment())
    (sent,) = told(context)
    assert sent["data"] == decided
    assert (sent["type"], sent["source"]) == ("sgguard.decision.v1", "/sgguard/delete_request")
    assert (sent["subject"], sent["specversion"]) == (decided["target"][0], "1.0")
    (kept,) = rows(context)
    assert sent["id"] == kept.notice_id
    assert (kept.destination, kept.decision_id) == (HOST, decided["decision_id"])


def test_a_launch_is_told_as_a_delete_is(guarded, world, monkeypatch):
    monkeypatch.setenv("SGG_CALLBACK_KEY", NEW)
    caller = row("bearer", functions=["instance_launch"])
    function = guarded.start(caller, function="instance_launch", callbacks=TABLE)
    place = {"provider": world.provider, "region": world.region}
    data = {**place, "groups": [world.free], "count": 2, "callback": URL}
    decided = ask(guarded, function, data).get_json()
    (sent,) = told(begin(environment()))
    assert sent["data"] == decided
    assert sent["source"] == "/sgguard/instance_launch"


def test_the_same_request_again_tells_nothing_more(guarded, started, world):
    function = started()
    data = event({"target": address(world, world.free), "callback": URL})
    for _ in range(3):
        sent = ask(guarded, function, data, **{"content-type": "application/cloudevents+json"})
        assert sent.status_code == 200
    assert len(rows(begin(environment()))) == 1


def test_a_request_without_a_callback_tells_nobody(guarded, started, world):
    decided = ask(guarded, started(), {"target": address(world, world.free)}).get_json()
    assert decided["callback"] is None
    assert rows(begin(environment())) == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://evil.example/x", f"callbacks.hosts permits: {HOST}"),
        (f"http://{HOST}/", "https"),
        (f"https://{HOST}:8443/", "callbacks.ports permits: 443"),
        ("https://169.254.169.254/", f"a name: {HOST}"),
        ("https://localhost/", f"a name: {HOST}"),
        (f"https://a@{HOST}/", "the host alone"),
    ],
)
@pytest.mark.sampled(3)
def test_a_callback_that_is_not_permitted_is_refused_at_once(
    guarded, started, world, url, expected
):
    function = started()
    refused = ask(guarded, function, {"target": address(world, world.free), "callback": url})
    assert refused.status_code == 422
    (problem,) = refused.get_json()["problems"]
    assert (problem["path"], problem["expected"]) == ("/callback", expected)
    assert (guarded.asked_the_cloud(), guarded.kept(), guarded.kept("outbox")) == (0, 0, 0)


@pytest.mark.parametrize("url", ["", "x", "ftp://a/", f"https://{HOST}/ x", 7, None, [URL]])
@pytest.mark.sampled(4)
def test_what_is_no_address_is_refused_as_any_wrong_data(guarded, started, world, url):
    data = {"target": address(world, world.free), "callback": url}
    refused = ask(guarded, started(), data)
    assert refused.status_code == 400
    assert refused.get_json()["problems"][0]["path"] == "/callback"


def test_of_a_batch_only_the_event_with_such_a_callback_is_refused(guarded, started, world):
    target = address(world, world.free)
    batch = [
        event({"target": target, "callback": URL}, id="e-1"),
        event({"target": target, "callback": "https://evil.example/"}, id="e-2"),
    ]
    answers = ask(guarded, started(), batch, **BATCH).get_json()
    assert [one["data"].get("status", 200) for one in answers] == [200, 422]


def test_no_host_is_permitted_out_of_the_box(guarded, world):
    function = guarded.start(row("bearer"))
    refused = ask(guarded, function, {"target": address(world, world.free), "callback": URL})
    assert refused.status_code == 422
    assert refused.get_json()["problems"][0]["expected"].endswith("permits: no host at all")


def test_without_a_store_a_callback_is_refused_and_not_forgotten(
    guarded, started, world, monkeypatch
):
    function = started()
    monkeypatch.setenv("SGGUARD_STORE", "")
    monkeypatch.setenv("XDG_STATE_HOME", "")
    monkeypatch.setenv("HOME", "")
    target = address(world, world.free)
    assert ask(guarded, function, {"target": target}).status_code == 200
    refused = ask(guarded, function, {"target": target, "callback": URL})
    assert refused.status_code == 422
    assert "no store" in refused.get_json()["problems"][0]["problem"]


@pytest.mark.parametrize("method", ["claim", "keep_callback", "end"])
@pytest.mark.sampled(2)
def test_with_a_store_that_fails_a_callback_is_an_error_and_never_forgotten(tmp_path, method):
    with approval_harness("tencent", tmp_path) as given:
        policy = replace(given.policy, mode=type(given.policy.mode).OBSERVE)
        context = given.context(policy=policy)
        failing = replace(context, store=Failing(given.store, method))
        handled = handled_of(given, failing, callback=URL)
        assert isinstance(handled, StoreError)
        if method != "keep_callback":
            assert isinstance(handled_of(given, failing, event_id="other"), dict)
        # The next delivery is judged: nothing of the first is in its way.
        assert isinstance(handled_of(given, context, callback=URL), dict)
        assert len(rows(context)) == 1


def handled_of(given, context, *, callback: str = "", event_id: str = "order-7") -> Any:
    scope = Scope(given.world.provider, "", given.world.region)
    request = DeleteRequest((Address(scope, given.world.referenced),), "eve", callback)
    data = {"target": given.target, **({"callback": callback} if callback else {})}
    (handled,) = handle.deletes([(request, Event(event_id, data, "/portal"))], context)
    return handled


def test_a_function_delivers_by_itself_while_it_is_awake(guarded, world, monkeypatch):
    monkeypatch.setenv("SGG_CALLBACK_KEY", NEW)
    monkeypatch.setattr(BACKGROUND, "is_on", True)
    with receiving(host="") as to:
        table = {"loopback": True, "keys": TABLE["keys"]}
        function = guarded.start(row("bearer"), callbacks=table)
        data = {"target": address(world, world.free), "callback": f"http://127.0.0.1:{to.port}/x"}
        decided = ask(guarded, function, data).get_json()
        BACKGROUND.join(30)
        (request,) = to.requests
        assert json.loads(request.body)["data"] == decided
        (kept,) = rows(begin(environment()))
        assert (kept.state, kept.reference_json) == ("delivered", '{"status": 204}')


# -- every later change --------------------------------------------------------------------------


def permitting(given, **changed: Any):
    policy = replace(
        given.policy,
        callbacks=CallbackPolicy(hosts=(HOST,), keys=({"env": "SGG_CALLBACK_KEY"},)),
    )
    context = given.context(policy=policy, **changed)
    return replace(context, env={**context.env, **ENV})


def test_every_change_of_the_outcome_is_told_in_order_each_with_its_own_id(tmp_path):
    with approval_harness("tencent", tmp_path) as given:
        context = permitting(given)
        asked = handled_of(given, context, callback=URL)
        assert asked["outcome"] == "pending"
        resolve.approve(asked["approval"]["approval_id"], "ada", permitting(given))
        assert given.is_deleted
        sent = told(context)
        outcomes = [one["data"]["outcome"] for one in sent]
        assert outcomes == ["pending", "unfinished", "remediated"]
        assert len({one["id"] for one in sent}) == 3
        assert {one["data"]["decision_id"] for one in sent} == {asked["decision_id"]}
        assert sent[0]["data"] == asked


def test_a_denial_and_an_expiry_are_told(tmp_path):
    with approval_harness("tencent", tmp_path) as given:
        context = permitting(given)
        asked = handled_of(given, context, callback=URL)
        resolve.deny(asked["approval"]["approval_id"], "ada", permitting(given))
        assert [one["data"]["outcome"] for one in told(context)] == ["pending", "refused"]


def test_410_ends_the_telling_of_this_decision_and_of_no_other(tmp_path):
    with approval_harness("tencent", tmp_path) as given:
        context = permitting(given)
        asked = handled_of(given, context, callback=URL)
        with receiving(answer(410), OK) as to:
            sender = CallbackSender(context, to.network())
            assert sender.send(rows(context)[0]).why == f"{HOST} answers 410: it takes no more"
            resolve.deny(asked["approval"]["approval_id"], "ada", permitting(given))
            later = next(one for one in rows(context) if "refused" in one.payload_json)
            assert sender.send(later) == Gone("the receiver takes no more of this decision")
            assert len(to.requests) == 1
            other = handled_of(given, context, callback=URL, event_id="order-8")
            (mine,) = context.store.notices(decision_id=other["decision_id"])
            assert isinstance(sender.send(mine), Sent)


def large(references: int) -> dict:
    """The document of a decision about a group that so many rules name."""
    named = [named_by(f"sg-{n:05d}") for n in range(references)]
    found = to_json(decision(facts(group("sg-a", references=named), capabilities=OPENSTACK)))
    return {**found, "decision_id": "d-1"}


def test_a_message_that_receivers_would_not_take_is_cut_and_counts_what_it_leaves_out():
    few, many = large(20), large(5000)
    whole, text = json.loads(event_of("m1", 1.0, few)), event_of("m1", 1.0, many)
    assert (whole["data"], "truncated" in whole) == (few, False)
    assert len(text) <= BYTES_MAX
    cut = json.loads(text)
    shown = len(cut["data"]["facts"]["references"])
    assert cut["truncated"] is True
    assert shown in (100, 30, 10)
    assert cut["data"]["left_out"]["reference"] == 5000 - shown
    assert cut["data"]["left_out"]["cursor"]
    assert (cut["data"]["verdict"], cut["data"]["decision_id"]) == (many["verdict"], "d-1")


# -- what is never told --------------------------------------------------------------------------


def test_the_path_of_an_address_is_kept_by_itself_and_shown_nowhere(tmp_path, caplog):
    with approval_harness("tencent", tmp_path) as given:
        context = permitting(given)
        asked = handled_of(given, context, callback=URL)
        approval = given.approval(asked["approval"]["approval_id"])
        told(context)
        resolve.deny(approval.approval_id, "ada", permitting(given))
        seen = [repr(asked), repr(given.kept()), repr(rows(context)), caplog.text]
        seen.append(repr(DeleteRequest((), "eve", URL)))
        assert not [text for text in seen if PATH in text]
        assert context.store.callback(asked["decision_id"]) == URL


def test_no_configured_secret_is_in_a_callback(guarded, started, world, monkeypatch):
    secret = "a-secret-of-the-operator-0123456789"
    monkeypatch.setenv("SGGUARD_CHAT_OPS_TOKEN", secret)
    data = {"target": address(world, world.free), "requested_by": secret, "callback": URL}
    function = started(row("bearer", speaks_for=["*"]))
    assert ask(guarded, function, data).status_code == 200
    context = begin(environment())
    # The row as an older sgguard may have written it, before it knew the secret.
    (kept,) = rows(context)
    planted = kept.payload_json.replace(redaction.MASK, secret)
    assert secret in planted
    with receiving() as to:
        result = CallbackSender(context, to.network()).send(replace(kept, payload_json=planted))
        assert isinstance(result, Sent)
        assert secret.encode() not in to.requests[0].body
        assert redaction.MASK.encode() in to.requests[0].body


def test_a_callback_tells_a_caller_no_more_than_its_answer(guarded, started, world):
    function = started(row("bearer", targets=[address(world, world.referenced)]))
    data = {"target": address(world, world.referenced), "callback": URL}
    decided = ask(guarded, function, data).get_json()
    assert decided["facts"]["hidden_groups"] > 0
    (sent,) = told(begin(environment()))
    assert sent["data"] == decided
    assert HIDDEN in json.dumps(sent["data"])
    assert world.referrer_in not in json.dumps(sent)


def test_a_caller_that_is_no_longer_known_is_told_nothing(guarded, started, world):
    function = started()
    ask(guarded, function, {"target": address(world, world.free), "callback": URL})
    context = begin(environment())
    (kept,) = rows(context)
    with receiving() as to:
        gone = CallbackSender(
            replace(context, policy=replace(context.policy, callers=())), to.network()
        ).send(kept)
        assert isinstance(gone, Gone)
        assert gone.is_dead
        assert not to.dialled


def test_a_host_that_the_policy_no_longer_permits_is_not_called(guarded, started, world):
    ask(guarded, started(), {"target": address(world, world.free), "callback": URL})
    context = begin(environment())
    policy = replace(context.policy, callbacks=CallbackPolicy(hosts=("other.example.com",)))
    with receiving() as to:
        gone = CallbackSender(replace(context, policy=policy), to.network()).send(rows(context)[0])
        assert isinstance(gone, Gone)
        assert gone.is_dead
        assert PATH not in gone.why
        assert not to.dialled


def test_a_delivery_is_judged_as_a_test_is(guarded, started, world):
    """Rebinding between the request and the delivery: the name is judged when it is called."""
    ask(guarded, started(), {"target": address(world, world.free), "callback": URL})
    context = begin(environment())
    with receiving() as to:
        to.addresses = [["10.0.0.1"]]
        assert isinstance(CallbackSender(context, to.network()).send(rows(context)[0]), Later)
        assert not to.dialled


# -- at start ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "short", "whsec_QUJD"])
def test_a_function_does_not_start_with_a_key_that_cannot_sign(guarded, started, monkeypatch, key):
    monkeypatch.setenv("SGG_CALLBACK_KEY", key)
    with pytest.raises(SystemExit):
        guarded.start(row("bearer"), callbacks=TABLE)


def test_the_sender_is_registered_for_its_kind(tmp_path):
    with approval_harness("tencent", tmp_path) as given:
        made = import_module(MODULES["callback"]).sender(given.context())
        assert isinstance(made, CallbackSender)


def test_a_launch_may_name_a_callback_too():
    data = {"provider": "tencent", "region": "ap-guangzhou", "groups": ["sg-1"], "callback": URL}
    assert instance_launch(data).callback == URL
    with pytest.raises(EventError):
        instance_launch({**data, "callback": "javascript:alert(1)"})


def test_a_restore_is_another_decision_and_tells_nothing_to_the_first_ones_callback(tmp_path):
    with approval_harness("tencent", tmp_path) as given:
        context = permitting(given)
        asked = handled_of(given, context, callback=URL)
        resolve.approve(asked["approval"]["approval_id"], "ada", permitting(given))
        before = len(rows(context))
        restored = restore.restore(asked["decision_id"], permitting(given), by="ada")
        assert restored["callback"] is None
        assert len(rows(context)) == before
