"""A click is answered in time; the act that it began is carried out once, whoever ends it."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator

import httpx
import pytest
from msgspec.structs import replace

from sgguard.chat import handover
from sgguard.chat.handover import Acts
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine.execute import Executor
from sgguard.outbox.background import BACKGROUND
from sgguard.outbox.deliver import Deliverer
from sgguard.store.notices import Notice, Telling
from tests.chat.harness import ChatHarness, Router, chat_harness


class Gate(httpx.BaseTransport):
    """A cloud that answers when the test opens it."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner, self.open = inner, threading.Event()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert self.open.wait(30)
        return self.inner.handle_request(request)


@pytest.fixture
def buttons(tmp_path) -> Iterator[ChatHarness]:
    """One channel: what a click begins is the same for all."""
    with chat_harness("slack", tmp_path) as given:
        yield given


@pytest.fixture
def gate(buttons) -> Iterator[Gate]:
    found = Gate(EmulatorTransport(buttons.approvals.emulator))
    BACKGROUND.is_on = True
    yield found
    found.open.set()
    ended()
    BACKGROUND.is_on = False


def ended() -> None:
    """Wait for the act, and for the delivery that it begins."""
    names = ("sgguard-act", "sgguard-outbox")
    while found := [one for one in threading.enumerate() if one.name in names]:
        found[0].join(30)
        assert not found[0].is_alive()


def slow(given: ChatHarness, gate: Gate, monkeypatch) -> None:
    """Make the cloud slow, and clicks impatient."""
    monkeypatch.setattr(handover, "WAIT_S", 0.0)
    plain = given.context

    def context(**changed):
        return plain(**{"transport": Router(given.service, gate), **changed})

    monkeypatch.setattr(given, "context", context)


def notice(given: ChatHarness, asked, by: str = "ada") -> str:
    """Hand an act over as a click does whose process dies at once."""
    key = f"approve:{asked.approval_id}:{by}"
    payload = f'{{"approval_id":"{asked.approval_id}","by":"{by}"}}'
    row = Notice(key, "approve", asked.decision_id, "approvals", key, payload, renews=True)
    given.approvals.store.notify(asked.decision_id, Telling((row,)))
    return key


def deliver(given: ChatHarness) -> list[str]:
    store = given.approvals.store
    deliverer = Deliverer(store, {"approve": Acts(given.context())}, "w9", chance=lambda: 0.5)
    return [one.what for one in deliverer.drain()]


def test_a_plan_that_takes_long_is_taken_and_carried_out_after_the_answer(
    buttons, gate, monkeypatch
):
    asked = buttons.approvals.asked()
    pressed = buttons.service.click(buttons.pressed(asked))
    slow(buttons, gate, monkeypatch)
    said = buttons.said(buttons.call(pressed))
    assert "Taken" in said
    assert not buttons.approvals.is_deleted
    # The same callback once more is answered alike, and begins nothing.
    assert "Taken" in buttons.said(buttons.call(pressed))
    gate.open.set()
    ended()
    assert buttons.approvals.is_deleted
    assert buttons.document(asked)["outcome"] == "remediated"
    # The message in the chat was told by the same process.
    assert buttons.approvals.store.notices(state="waiting") == ()


def test_a_second_click_while_it_is_carried_out_is_told_so(buttons, gate, monkeypatch):
    asked = buttons.approvals.asked()
    clicks = [
        buttons.service.click(dataclasses.replace(buttons.pressed(asked), user=user))
        for user in ("W111", "W222")
    ]
    slow(buttons, gate, monkeypatch)
    buttons.call(clicks[0])
    assert "Taken" not in buttons.said(buttons.call(clicks[1]))
    gate.open.set()
    ended()
    assert buttons.approvals.approval(asked.approval_id).resolved_by == "ada"


def test_an_act_whose_process_died_is_carried_out_by_whoever_delivers(buttons):
    asked = buttons.approvals.asked()
    key = notice(buttons, asked)
    assert deliver(buttons) == ["sent"]
    assert buttons.approvals.is_deleted
    assert buttons.approvals.approval(asked.approval_id).resolved_by == "ada"
    # And once: a row that comes again finds it done.
    buttons.approvals.store.retry_notice(key)
    assert deliver(buttons) == ["gone"]


def test_an_act_of_somebody_who_may_not_is_dropped(buttons):
    asked = buttons.approvals.asked()
    for by in ("mallory", "eve"):
        notice(buttons, asked, by)
        assert deliver(buttons) == ["gone"]
    assert (buttons.state(asked), buttons.approvals.is_deleted) == ("pending", False)


def test_an_act_that_is_answered_otherwise_meanwhile_is_dropped(buttons):
    asked = buttons.approvals.asked()
    denied = buttons.service.click(buttons.pressed(asked, "deny"))
    notice(buttons, asked)
    buttons.call(denied)
    assert deliver(buttons) == ["gone"]
    assert (buttons.state(asked), buttons.approvals.is_deleted) == ("denied", False)


def test_an_act_under_a_halt_leaves_the_request_open_and_is_not_done_later(buttons):
    asked = buttons.approvals.asked()
    notice(buttons, asked)
    buttons.approvals.store.halt("carol", "change freeze")
    assert deliver(buttons) == ["gone"]
    buttons.approvals.store.lift_halt()
    buttons.approvals.clock.pass_(4000)
    assert deliver(buttons) == []
    assert (buttons.state(asked), buttons.approvals.is_deleted) == ("pending", False)


def test_an_act_that_another_worker_has_waits_for_it(buttons):
    asked = buttons.approvals.asked()
    notice(buttons, asked)
    executor = Executor.of(buttons.context())
    claim = executor.claim("approval", asked.approval_id, asked.decision_id, asked.facts_hash)
    assert deliver(buttons) == ["later"]
    executor.release(claim)
    buttons.approvals.clock.pass_(120)
    assert deliver(buttons) == ["sent"]
    assert buttons.approvals.is_deleted


def test_a_second_click_of_a_person_does_not_end_what_the_first_was_promised(buttons):
    asked = buttons.approvals.asked()
    key = notice(buttons, asked)
    executor = Executor.of(buttons.context())
    claim = executor.claim("approval", asked.approval_id, asked.decision_id, asked.facts_hash)
    pressed = buttons.service.click(buttons.pressed(asked))
    assert "Taken" not in buttons.said(buttons.call(pressed))
    assert buttons.approvals.store.notice(key).state == "waiting"
    executor.release(claim)
    buttons.approvals.clock.pass_(120)
    assert deliver(buttons) == ["sent"]
    assert buttons.approvals.is_deleted


@pytest.mark.parametrize("deadline_s", [2.0, 5.0])
def test_where_every_delivery_has_little_time_an_act_is_carried_out_all_the_same(
    buttons, deadline_s
):
    notice(buttons, buttons.approvals.asked())
    context = buttons.context()
    settings = replace(context.settings, deadline_s=deadline_s)
    at_s = context.deadline.clock() + deadline_s
    brief = replace(context, settings=settings, deadline=replace(context.deadline, at_s=at_s))
    [found] = Deliverer(buttons.approvals.store, {"approve": Acts(brief)}, "w9").drain(most=1)
    assert found.detail != "there is no time left for it"


def test_an_act_with_no_time_left_is_left_to_the_next(buttons):
    asked = buttons.approvals.asked()
    key = notice(buttons, asked)
    context = buttons.context()
    late = replace(context, deadline=replace(context.deadline, at_s=0.0))
    store = buttons.approvals.store
    [found] = Deliverer(store, {"approve": Acts(late)}, "w9").drain(most=1)
    assert (found.what, store.notice(key).attempts) == ("later", 0)
    assert not buttons.approvals.is_deleted


class Away(httpx.BaseTransport):
    """A cloud that nobody reaches."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away")


def test_an_act_that_failed_before_its_answer_is_not_tried_behind_its_back(buttons, monkeypatch):
    asked = buttons.approvals.asked()
    pressed = buttons.service.click(buttons.pressed(asked))
    plain = buttons.context
    monkeypatch.setattr(
        buttons, "context", lambda: plain(transport=Router(buttons.service, Away()))
    )
    assert "Taken" not in buttons.said(buttons.call(pressed))
    monkeypatch.undo()
    buttons.approvals.clock.pass_(4000)
    assert deliver(buttons) == []
    assert (buttons.state(asked), buttons.approvals.is_deleted) == ("pending", False)
