"""Whatever becomes of a decision, the chat is told, by whichever process is awake."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from msgspec.structs import replace

from sgguard.approvals import expire_all, reminders
from sgguard.approvals.resolve import approve, deny
from sgguard.chat import outgoing
from sgguard.engine.delivery import deliver, with_delivery
from sgguard.engine.execute import Executor
from sgguard.errors import SgguardError
from sgguard.model.event import Event
from sgguard.operations import resume
from sgguard.outbox.deliver import Deliverer
from sgguard.policy.channel import Route
from tests.approvals.harness import POLICY
from tests.chat.harness import ChatHarness, Router, chat_harness
from tests.chat.wall import Wall


@pytest.fixture
def told(tmp_path) -> Iterator[tuple[ChatHarness, Wall]]:
    """A harness whose every step knows the channel, and the wall of that."""
    with chat_harness("slack", tmp_path) as given:
        given.approvals.policy = replace(POLICY, channels=given.channels, routes=(Route(("ops",)),))
        given.approvals.env = given.env
        yield given, Wall(given.service)


def context(given: ChatHarness, wall: Wall):
    router = Router(given.service, given.context().transport.cloud)
    router.service = wall
    return given.context(transport=router)


def shown(given: ChatHarness, wall: Wall) -> list[str]:
    """Deliver what is due; return what every message says now."""
    sender = outgoing.sender(context(given, wall))
    store = given.approvals.store
    list(Deliverer(store, {"chat": sender}, "w", chance=lambda: 0.5).drain())
    return [text for states in wall_states(wall) for text in states]


def wall_states(wall: Wall) -> list[list[str]]:
    found = []
    for text in wall.shown.values():
        start = text.index('"text": "[') + len('"text": "[')
        found.append([text[start : text.index("]", start)]])
    return found


def test_a_question_is_told_and_so_is_how_it_was_answered(told):
    given, wall = told
    asked = given.approvals.asked()
    assert shown(given, wall) == ["Approval needed"]
    deny(asked.approval_id, "ada", given.context())
    assert shown(given, wall) == ["Denied"]
    assert len(wall.shown) == 1


def test_a_plan_that_was_carried_out_is_told(told):
    given, wall = told
    asked = given.approvals.asked()
    shown(given, wall)
    approve(asked.approval_id, "ada", given.context())
    assert shown(given, wall) == ["Done"]


class Dying(httpx.BaseTransport):
    """A process that is gone before it deletes the group."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self.inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("x-tc-action") == "DeleteSecurityGroup":
            raise SystemExit
        return self.inner.handle_request(request)


def test_a_plan_that_was_cut_short_is_told_and_so_is_its_end(told):
    given, wall = told
    asked = given.approvals.asked()
    with pytest.raises(SystemExit):
        approve(asked.approval_id, "ada", given.context(transport=Dying(given.context().transport)))
    assert shown(given, wall) == ["Unfinished"]
    given.approvals.clock.pass_(200)
    resume.resume(asked.decision_id, given.context())
    assert shown(given, wall) == ["Done"]


def test_a_question_that_expired_is_told(told):
    given, wall = told
    given.approvals.asked()
    shown(given, wall)
    given.approvals.clock.pass_(86401)
    expire_all(Executor.of(given.context()))
    assert shown(given, wall) == ["Expired"]


def test_a_question_that_is_asked_anew_is_one_message(told):
    given, wall = told
    asked = given.approvals.asked()
    shown(given, wall)
    given.approvals.add_reference()
    approve(asked.approval_id, "ada", given.context())
    assert shown(given, wall) == ["Approval needed"]
    [body] = wall.shown.values()
    assert asked.approval_id not in body


def test_a_channel_that_fails_delays_no_decision(told):
    given, wall = told
    wall.rate = 1.0
    asked = given.approvals.asked()
    shown(given, wall)
    approve(asked.approval_id, "ada", given.context())
    assert given.approvals.is_deleted
    assert given.approvals.store.failing_places()


def test_a_decision_that_was_only_looked_at_again_tells_nothing_new(told):
    given, wall = told
    given.approvals.asked()
    shown(given, wall)
    given.approvals.ask()  # the event comes again and has its answer
    assert shown(given, wall) == ["Approval needed"]
    assert len(wall.times) == 1


def test_a_timer_tells_what_nobody_was_awake_for(told):
    given, wall = told
    given.approvals.asked()
    answered = with_delivery(reminders.handle)(
        [({}, Event("t1", {}, "/timer"))], context(given, wall)
    )
    assert not isinstance(answered[0], Exception)
    assert [one[0] for one in wall_states(wall)] == ["Approval needed"]


def test_a_timer_answers_whatever_becomes_of_the_delivery(told):
    given, wall = told
    given.approvals.asked()
    given.env.pop("SGGUARD_CHAT_OPS_TOKEN")
    answered = with_delivery(reminders.handle)(
        [({}, Event("t1", {}, "/timer"))], context(given, wall)
    )
    assert not isinstance(answered[0], SgguardError)
    assert given.approvals.store.failing_places()


def test_a_timer_with_no_time_left_delivers_nothing(told):
    given, wall = told
    given.approvals.asked()
    now = context(given, wall)
    assert deliver(replace(now, deadline=replace(now.deadline, at_s=0.0))) == 0
    assert deliver(replace(now, store=None)) == 0
    assert deliver(now) == 1
