"""What others do to a bind while it is under way: to its holders, its group, its events."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from sgguard.approvals import resolve
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import bind
from sgguard.engine.bind_target import NotTakenError, Target
from sgguard.errors import BusyError, DeadlineError, HaltedError, SgguardError
from sgguard.model.event import Event
from sgguard.model.request import BindRequest
from sgguard.operations import resume
from tests.bind.harness import BASE, GROUP, Fleet, by_status, ids, rows
from tests.bind.simulated import SCOPE
from tests.bind.test_handed_on import (
    SIZE,
    Sink,
    consumed,
    done_in,
    require_exact,
    short,
    sinking,
    slow_fleet,
)

ASSOCIATE = "AssociateSecurityGroups"


class Disturbed(httpx.BaseTransport):
    """Does something once, before the call of that number of an action arrives."""

    def __init__(
        self, fleet: Fleet, do: Callable[[], object], at: int = 1, action: str = ASSOCIATE
    ) -> None:
        self.inner, self.do, self.left, self.action = (
            EmulatorTransport(fleet.emulator),
            do,
            at,
            action,
        )
        self.guard = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self.guard:
            self.left -= request.headers.get("X-TC-Action") == self.action
            if self.left == 0:
                self.left = -1
                self.do()
            return self.inner.handle_request(request)


def disturbed(fleet: Fleet, do: Callable[[], object], at: int = 1, **more) -> dict:
    context = fleet.context(transport=Disturbed(fleet, do, at))
    return fleet.bind(ids(fleet.size), context=context, **more)


@pytest.fixture
def fleet(tmp_path) -> Fleet:
    made = Fleet(tmp_path, SIZE)
    made.cloud.quirks["binds_at_most"] = 6
    return made


def caught(work: Callable[[], object]) -> SgguardError | object:
    try:
        return work()
    except SgguardError as error:
        return error


def test_two_binds_and_an_unbind_at_once_change_each_holder_one_after_the_other(fleet):
    early, told = ids(SIZE)[:6], []
    fleet.bind(early, event_id="b-0")

    def others() -> None:
        # It takes the group off those that carry it: the bind found nothing to do for them.
        told.append(fleet.bind(ids(SIZE), event_id="u-1", action="unbind"))
        told.append(caught(lambda: fleet.bind(ids(SIZE), event_id="b-2")))

    done = disturbed(fleet, others)
    assert by_status(done, "done") == set(ids(SIZE)) - set(early) == fleet.holders_of()
    assert by_status(told[0], "done") == set(early)
    assert isinstance(told[1], BusyError)
    # It comes again, and binds what is left.
    assert by_status(fleet.bind(ids(SIZE), event_id="b-2"), "done") == set(early)
    assert fleet.holders_of() == set(ids(SIZE))
    assert all(fleet.carried(one).count(GROUP) == 1 for one in ids(SIZE))


def test_a_holder_that_is_deleted_meanwhile_is_named_and_the_others_are_bound(fleet):
    gone = ids(SIZE)[20]

    def delete() -> None:
        fleet.cloud.instances = [one for one in fleet.cloud.instances if one.id != gone]
        fleet.cloud.interfaces = [one for one in fleet.cloud.interfaces if one.instance != gone]

    done = disturbed(fleet, delete)
    assert by_status(done, "refused") == {gone}
    assert rows(done)[gone]["code"] in ("holder-not-found", "refused-by-cloud")
    assert fleet.holders_of() == set(ids(SIZE)) - {gone}


def test_a_group_that_is_deleted_meanwhile_ends_the_bind_with_a_row_for_each(fleet):
    def delete() -> None:
        fleet.cloud.groups = [one for one in fleet.cloud.groups if one.id != GROUP]
        for one in fleet.cloud.interfaces:
            one.groups = [each for each in one.groups if each != GROUP]

    done = disturbed(fleet, delete, at=2)
    counts = done["bind"]["counts"]
    assert counts["open"] == counts["planned"] == 0
    refused = by_status(done, "refused")
    assert refused
    assert {rows(done)[one]["code"] for one in refused} <= {"group-refused", "changed-since"}
    assert all(fleet.carried(one) == [BASE] for one in ids(SIZE))


def test_room_that_somebody_else_takes_meanwhile_is_left_to_them(fleet):
    fleet.cloud.limits["interfaces-per-group"] = 30
    fleet.more = "[limits.tencent]\ninstances-per-group = 30\n"
    done = disturbed(fleet, lambda: fleet.cloud.limits.update({"interfaces-per-group": 10}))
    assert len(fleet.holders_of()) == 10 == len(by_status(done, "done"))
    left = by_status(done, "refused")
    assert {rows(done)[one]["code"] for one in left} == {"holders-per-group-exceeded"}


def test_a_task_that_never_ends_is_reported_and_keeps_nobody(fleet):
    fleet.cloud.quirks["binding_s"] = 1e9
    begun_s = fleet.clock.jumped_s
    done = fleet.bind(ids(SIZE))
    assert {one["code"] for one in done["bind"]["rows"]} == {"busy"}
    assert "may be changed yet" in rows(done)[ids(SIZE)[0]]["message"]
    assert 600.0 < fleet.clock.jumped_s - begun_s < 700.0


def test_a_task_that_never_ends_is_reported_over_many_deliveries_as_well(fleet):
    fleet.cloud.quirks["binding_s"] = 1e9
    found = fleet.bind(ids(SIZE), context=short(fleet))
    while found["outcome"] == "unfinished":
        fleet.clock.jumped_s += 50.0
        found = fleet.bind(ids(SIZE), context=short(fleet))
        assert fleet.clock.jumped_s < 2000.0
    assert {one["code"] for one in found["bind"]["rows"]} == {"busy"}


def test_tasks_that_fail_are_named_with_the_clouds_code(fleet):
    def fail() -> None:
        fleet.cloud.quirks["binding_fails"] = "InternalServerError"

    fleet.cloud.quirks["binding_s"] = 1
    done = disturbed(fleet, fail, at=3)
    failed = by_status(done, "refused")
    assert failed
    assert {rows(done)[one]["cloud_code"] for one in failed} == {"InternalServerError"}
    assert fleet.holders_of() == by_status(done, "done") == set(ids(SIZE)) - failed


def test_ctrl_c_waits_for_the_calls_that_began_and_leaves_the_rest_to_whoever_resumes(fleet):
    def report(done: int, _total: int) -> None:
        if done:
            raise KeyboardInterrupt

    context = fleet.context()
    request = BindRequest(SCOPE, GROUP, holders=tuple(ids(SIZE)), requested_by="ada")
    with pytest.raises(KeyboardInterrupt):
        bind.bind_once(request, Event("b-1", {}, "command line"), context, report=report)
    (left,) = resume.unresolved(context)
    told = [one for each in fleet.store.entries(left.decision_id) for one in done_in(each)]
    assert set(told) <= fleet.holders_of()
    # At once: no lease is waited for.
    done = resume.resume(left.decision_id, fleet.context())
    require_exact(fleet, done)


def test_ctrl_c_before_the_first_change_leaves_nothing_locked(fleet):
    def stop(_decided: object) -> None:
        raise KeyboardInterrupt

    request = BindRequest(SCOPE, GROUP, holders=tuple(ids(SIZE)), requested_by="ada")
    event = Event("b-1", {}, "command line")
    with pytest.raises(KeyboardInterrupt):
        bind.bind_once(request, event, fleet.context(), require=stop)
    assert fleet.bind(ids(SIZE), event_id="b-2")["bind"]["counts"]["done"] == SIZE


# -- the events of the rest ----------------------------------------------------------------------


@pytest.fixture
def sink() -> Iterator[Sink]:
    with sinking() as one:
        yield one


@pytest.fixture
def part(tmp_path, sink) -> Fleet:
    """A bind of which a part is done, and whose rest is in an event."""
    made = slow_fleet(tmp_path)
    made.bind(ids(SIZE), context=short(made, sink.url))
    return made


def ended(fleet: Fleet, sink: Sink) -> dict:
    """Deliver the events of the rest, as they come, until the bind has ended."""
    done, seen = {"outcome": ""}, 0
    while done["outcome"] in ("", "unfinished"):
        seen += 1
        done = consumed(fleet, sink, min(seen, len(sink.rests())))
        assert seen < 30
    return done


def test_an_event_that_two_consumers_get_at_once_is_worked_on_by_one(part, sink):
    second = []

    def deliver() -> None:
        second.append(caught(lambda: consumed(part, sink, 1)))

    transport = Disturbed(part, deliver, action="DescribeInstances")
    consumed(part, sink, 1, transport=transport)
    assert [type(one) for one in second] == [BusyError]
    assert second[0].retry_after_s >= 1.0
    require_exact(part, ended(part, sink))


@pytest.mark.parametrize(
    "forged",
    [
        {"over": 10**9, "of": 10**9},
        {"over": SIZE, "of": 1},
        {},  # as the first version that had such events may have left out what people read
    ],
    ids=["far", "over", "bare"],
)
@pytest.mark.sampled(2)
def test_what_a_cursor_says_beside_its_decision_decides_nothing(part, sink, forged):
    for _, data in sink.rests():
        data["rest"] = {"decision": data["rest"]["decision"], **forged}
        data["action"] = "unbind"
    require_exact(part, ended(part, sink))


def test_events_out_of_order_and_twice_lead_to_the_same_end(part, sink):
    for _ in range(3):
        consumed(part, sink, 1)
    for number in range(len(sink.rests()), 0, -1):
        consumed(part, sink, number)
        consumed(part, sink, number)
    require_exact(part, ended(part, sink))


def test_a_policy_that_changed_between_two_parts_does_not_change_what_was_decided(part, sink):
    part.mode, part.more = "observe", f'[launch]\nforbidden = ["{GROUP}"]\n'
    require_exact(part, ended(part, sink))


def test_a_policy_that_halts_stops_the_rest_of_a_bind(part, sink):
    before, part.mode = part.calls(), 'enforce"\nhalt = true # "'
    with pytest.raises(HaltedError):
        consumed(part, sink, 1)
    assert part.calls() == before
    part.mode = "enforce"
    require_exact(part, ended(part, sink))


def test_an_approval_that_expires_between_two_parts_was_given_for_all_of_them(tmp_path):
    made = slow_fleet(tmp_path)
    made.mode = "approve"
    made.bind(ids(SIZE))
    (request,) = made.store.approvals("pending")
    with pytest.raises(DeadlineError):
        resolve.approve(request.approval_id, "olga", short(made))
    made.clock.jumped_s += 30 * 86_400.0
    (left,) = resume.unresolved(made.context())
    require_exact(made, resume.resume(left.decision_id, made.context()))


# -- the target ----------------------------------------------------------------------------------


@contextmanager
def answering(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that answers each connection in its own way."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            taken, _ = listening.accept()
            with taken:
                taken.recv(65536)
                answer(taken)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        thread.join(10)


def drip(taken: socket.socket) -> None:
    try:
        for one in b"HTTP/1.1 202 Accepted\r\nx: " + b"x" * 10_000:
            taken.send(bytes([one]))
            time.sleep(0.02)
    except OSError:
        pass


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(drip, id="slow"),
        pytest.param(lambda taken: taken.send(b"\x00\xff garbage \r\n\r\n"), id="garbage"),
        pytest.param(lambda taken: None, id="closed"),
        pytest.param(lambda taken: taken.send(b"HTTP/1.1 500 No\r\n\r\n"), id="500"),
        pytest.param(
            lambda taken: taken.send(b"HTTP/1.1 302 Found\r\nlocation: http://x/\r\n\r\n"),
            id="elsewhere",
        ),
    ],
)
def test_a_target_that_does_not_take_an_event_does_not_hold_it_up(answer):
    with answering(answer) as url:
        given = {"id": "1", "type": "t", "time": "2026-11-29T00:00:00Z"}
        with pytest.raises(NotTakenError):
            Target(url).post(given, {"a": 1}, 0.3)
