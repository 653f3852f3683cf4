"""Delivery of any kind: tried again in good time, given up late, and never stopped by one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.errors import StoreError
from sgguard.outbox.background import Background
from sgguard.outbox.base import Gone, Later, Result, Sent
from sgguard.outbox.deliver import LEASE_S, Delivered, Deliverer, backoff_s
from sgguard.store import open_store
from sgguard.store.base import Store
from sgguard.store.notices import KEEP_S, Notice, OutboxRow, Telling
from tests.stores import Clock

HOUR_S = 3600.0


@dataclass
class Fake:
    """A sender that answers as the test says; ``sent`` are the ids it was given."""

    answer: Callable[[OutboxRow], Result] = lambda _: Sent()
    sent: list[str] = field(default_factory=list)

    def send(self, row: OutboxRow) -> Result:
        self.sent.append(row.notice_id)
        return self.answer(row)


@dataclass
class Box:
    store: Store
    clock: Clock
    fake: Fake

    def put(self, *notice_ids: str, kind: str = "k", **given) -> None:
        rows = (
            Notice(one, kind, "d1", given.pop("destination", "host"), one, **given)
            for one in notice_ids
        )
        self.store.notify("d1", Telling(tuple(rows)))

    def deliverer(self, chance: float = 0.5, **senders) -> Deliverer:
        return Deliverer(self.store, {"k": self.fake, **senders}, "w1", chance=lambda: chance)

    def drain(self, **given) -> list[Delivered]:
        return list(self.deliverer(**given).drain())

    def row(self, notice_id: str = "n1") -> OutboxRow:
        found = self.store.notice(notice_id)
        assert found is not None
        return found


@pytest.fixture
def box(tmp_path) -> Iterator[Box]:
    clock = Clock()
    store = open_store(f"sqlite:///{tmp_path / 'box.db'}", clock)
    yield Box(store, clock, Fake())
    store.close()


def test_what_is_due_is_sent_until_nothing_is(box):
    box.put("n1", "n2", "n3")
    assert [one.what for one in box.drain()] == ["sent"] * 3
    assert box.drain() == []
    assert box.fake.sent == ["n1", "n2", "n3"]


def test_no_more_are_sent_than_asked_for(box):
    box.put("n1", "n2", "n3")
    assert len(list(box.deliverer().drain(most=2))) == 2


def test_a_failure_is_tried_again_at_growing_times_for_75_hours(box):
    box.fake.answer = lambda _: Later("HTTP 500")
    box.put("n1")
    times = []
    while box.row().state == "waiting" and box.clock() < Clock().now_s + 2 * KEEP_S:
        if box.drain():
            times.append(box.clock() - box.row().created_at_s)
        box.clock.pass_(1 if times[-1] < 60 else 60 if times[-1] < 7200 else 600)
    waits = [b - a for a, b in pairwise(times)]
    assert times[0] == 0
    assert waits[0] < 10
    assert max(waits) <= 5 * HOUR_S
    assert box.row().state == "dead"
    assert abs(times[-1] - KEEP_S) <= 1200
    assert 20 <= len(times) <= 40


@given(attempts=st.integers(0, 10_000), chance=st.floats(0, 1))
def test_the_wait_grows_within_bounds_whatever_the_number(attempts, chance):
    wait_s = backoff_s(attempts, chance, first_s=5, growth=3, most_s=14400)
    assert 3.75 <= wait_s <= 18000
    assert wait_s <= backoff_s(attempts + 1, chance, first_s=5, growth=3, most_s=14400)


def test_two_that_fail_together_are_not_tried_again_together(box):
    waits = set()
    for number in range(5):
        box.fake.answer = lambda _: Later("HTTP 500")
        box.put(f"n{number}")
        list(box.deliverer(chance=number / 5).drain())
        waits.add(box.row(f"n{number}").next_try_s - box.clock())
    assert len(waits) == 5


@pytest.mark.parametrize("asked_s", [1.0, 90.0, 7200.0])
def test_the_wait_that_a_destination_asks_for_is_honoured(box, asked_s):
    box.fake.answer = lambda _: Later("HTTP 429", asked_s)
    box.put("n1")
    box.drain(chance=1.0)
    wait_s = box.row().next_try_s - box.clock()
    assert asked_s <= wait_s <= asked_s * 1.1 + 61


@pytest.mark.parametrize("asked_s", [-5.0, 0.0, 1e12])
def test_a_wait_that_nobody_can_mean_is_bounded(box, asked_s):
    box.fake.answer = lambda _: Later("HTTP 429", asked_s)
    box.put("n1")
    box.drain()
    assert 0 <= box.row().next_try_s - box.clock() <= 25 * HOUR_S


def test_a_destination_that_takes_nothing_is_tried_once_for_all(box):
    box.fake.answer = lambda _: Later("no connection", is_everything=True)
    box.put(*(f"n{number}" for number in range(50)))
    box.put("other", destination="elsewhere")
    for _ in range(10):
        box.drain()
        box.clock.pass_(60)
    # Of fifty that wait a handful of attempts are made, and ever fewer.
    assert len(box.fake.sent) < 25
    assert "other" in box.fake.sent
    box.fake.answer = lambda _: Sent()
    for _ in range(20):
        box.drain()
        box.clock.pass_(300)
    assert box.store.waiting_notices()[1] == 0
    assert box.store.failing_places() == ()


def test_what_was_only_not_the_time_for_it_is_no_failure(box):
    box.fake.answer = lambda _: Later("later", 30, counted=False)
    box.put("n1")
    box.drain()
    assert (box.row().attempts, box.store.failing_places()) == (0, ())


def test_what_nobody_needs_is_dropped_and_what_cannot_be_sent_is_dead(box):
    answers = {"n1": Gone("410"), "n2": Gone("no address", is_dead=True)}
    box.fake.answer = lambda row: answers[row.notice_id]
    box.put("n1", "n2")
    assert [one.what for one in box.drain()] == ["gone", "dead"]
    assert (box.row("n1").state, box.row("n2").state) == ("dropped", "dead")


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("y"), RecursionError(), OSError(5)])
@pytest.mark.sampled(3)
def test_a_sender_that_fails_in_any_way_stops_no_other(box, error):
    def answer(row: OutboxRow) -> Result:
        if row.notice_id == "n2":
            raise error
        return Sent()

    box.fake.answer = answer
    box.put("n1", "n2", "n3")
    assert sorted(one.what for one in box.drain()) == ["later", "sent", "sent"]
    assert box.row("n2").problem == type(error).__name__


def test_one_kind_does_not_wait_for_the_end_of_another(box):
    other = Fake()
    box.put(*(f"n{number}" for number in range(5)))
    box.put("m1", kind="m")
    deliveries = box.deliverer(m=other).drain()
    first = [next(deliveries).row.kind for _ in range(2)]
    assert sorted(first) == ["k", "m"]


def test_a_kind_that_is_unknown_here_is_left_to_a_newer_sgguard(box):
    box.put("n1", kind="telegram")
    box.put("n2")
    assert [one.row.notice_id for one in box.drain()] == ["n2"]
    assert box.row("n1").state == "waiting"
    assert box.row("n1").attempts == 0


def test_a_deliverer_that_slept_through_its_lease_is_told_so(box):
    def answer(_: OutboxRow) -> Result:
        box.clock.pass_(LEASE_S + 1)
        [other] = box.store.take_notices("k", owner="w2", lease_s=LEASE_S)
        assert box.store.delivered(other, '{"by":"w2"}')
        return Sent('{"by":"w1"}')

    box.fake.answer = answer
    box.put("n1")
    assert [one.what for one in box.drain()] == ["lost"]
    assert box.row().reference_json == '{"by":"w2"}'


def test_what_was_sent_and_could_not_be_noted_is_sent_again(box, monkeypatch):
    box.put("n1")
    deliverer = box.deliverer()
    monkeypatch.setattr(type(box.store), "delivered", _fails)
    with pytest.raises(StoreError):
        list(deliverer.drain())
    monkeypatch.undo()
    assert box.drain() == []
    box.clock.pass_(LEASE_S + 1)
    assert [one.what for one in box.drain()] == ["sent"]


def _fails(*_: object) -> bool:
    raise StoreError("the disk is full")


def test_a_long_problem_is_cut(box):
    box.fake.answer = lambda _: Later("x" * 5000)
    box.put("n1")
    box.drain()
    assert len(box.row().problem) == 200


@dataclass
class Grouping(Fake):
    """A sender that sends three or more together."""

    least: int = 3
    groups: list[int] = field(default_factory=list)

    def together(self, rows: Sequence[OutboxRow]) -> Mapping[str, Result]:
        self.groups.append(len(rows))
        if len(self.groups) > 1:
            raise ValueError("nobody knows how")
        return {one.notice_id: Sent('{"group":1}') for one in rows[:-1]}


def test_many_for_one_destination_are_sent_together_and_the_rest_alone(box):
    box.fake = Grouping()
    box.put(*(f"n{number}" for number in range(10)))
    assert [one.what for one in box.drain()] == ["sent"] * 10
    assert box.fake.groups == [10]
    assert box.fake.sent == ["n9"]


def test_a_group_that_fails_in_any_way_is_sent_alone(box):
    box.fake = Grouping(groups=[0])
    box.put(*(f"n{number}" for number in range(5)))
    assert [one.what for one in box.drain()] == ["sent"] * 5
    assert len(box.fake.sent) == 5


# -- in the background ---------------------------------------------------------------------------


def test_a_process_that_wrote_nothing_starts_no_thread(box):
    background = Background()
    background.wake(box.deliverer)
    background.join(1)
    assert "sgguard-outbox" not in {one.name for one in threading.enumerate()}


def test_what_was_written_is_delivered_and_the_thread_ends(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'box.db'}")
    box, background = Box(store, Clock(), Fake()), Background()
    for notice_id in ("n1", "n2"):
        box.put(notice_id)
        background.note()
        background.wake(box.deliverer)
        background.join(30)
    assert box.fake.sent == ["n1", "n2"]
    store.close()


def test_no_answer_waits_for_a_delivery(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'box.db'}")
    box, background, opened = Box(store, Clock(), Fake()), Background(), threading.Event()

    def answer(_: OutboxRow) -> Result:
        assert opened.wait(30)
        return Sent()

    box.fake.answer = answer
    box.put("n1")
    for _ in range(3):
        background.note()
        background.wake(box.deliverer)  # returns while the first is being sent
    threads = [one for one in threading.enumerate() if one.name == "sgguard-outbox"]
    assert len(threads) == 1
    assert box.row().state == "waiting"
    opened.set()
    background.join(30)
    assert box.row().state == "delivered"
    store.close()


def test_a_store_that_fails_ends_the_thread_and_the_next_answer_starts_it_again(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'box.db'}")
    box, background = Box(store, Clock(), Fake()), Background()
    box.put("n1")

    def broken() -> Deliverer:
        raise StoreError("away")

    background.note()
    background.wake(broken)
    background.join(30)
    assert box.fake.sent == []
    background.wake(box.deliverer)
    background.join(30)
    assert box.fake.sent == ["n1"]
    store.close()
