"""The outbox of every store: written with its outcome, taken by one, and never lost."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from msgspec.structs import replace

from sgguard.errors import LateError, StoreError
from sgguard.store.base import Store
from sgguard.store.notices import KEEP_S, Notice, OutboxRow, Telling
from sgguard.store.places import Limit
from sgguard.store.rows import Marks, Record
from sgguard.store.steps import Answer
from tests.stores import Place, a_record, a_run, an_approval, claimed

D = "d-e1"
AT_S = 1_800_000_000.0


def a_notice(notice_id: str = "n1", **given) -> Notice:
    values = {"kind": "chat", "decision_id": D, "destination": "ops", "order_key": notice_id}
    return Notice(notice_id, **(values | given))


def put(store: Store, *notices: Notice, renewed: tuple[str, ...] = ()) -> None:
    store.notify(D, Telling(notices, renewed))


def take(store: Store, owner: str = "a", **given) -> tuple[OutboxRow, ...]:
    return store.take_notices("chat", owner=owner, **({"lease_s": 60.0, "limit": 100} | given))


def ids(rows: tuple[OutboxRow, ...]) -> list[str]:
    return [one.notice_id for one in rows]


def state(store: Store, notice_id: str = "n1") -> str:
    found = store.notice(notice_id)
    return "" if found is None else found.state


# -- written with the outcome ------------------------------------------------------------------


def told(outcome: str) -> Record:
    return a_record(D, outcome=outcome, telling=Telling((a_notice(f"n-{outcome}"),), ("chat",)))


def test_each_step_writes_what_tells_of_it(kept):
    store = kept.open()
    store.ask_for(claimed(store), an_approval("a1", D), Answer(told("pending"), "{}"))
    assert state(store, "n-pending") == "waiting"
    assert store.refuse("a1", "denied", "ada", told("refused"))
    assert state(store, "n-refused") == "waiting"


def test_the_begin_and_the_end_of_a_run_are_told(kept):
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run(), told("unfinished"))
    assert state(store, "n-unfinished") == "waiting"
    store.end(claim, Answer(told("remediated"), "{}"), run_state="finished")
    assert state(store, "n-remediated") == "waiting"


def test_a_step_that_is_not_taken_tells_nothing(kept):
    store = kept.open()
    store.newest(("k",), AT_S)
    claim = claimed(store)
    with pytest.raises(LateError):
        store.end(claim, Answer(told("unchanged"), "{}"), marks=Marks(("k",), AT_S - 9))
    store.ask_for(claim, an_approval("a1", D), Answer(a_record(D), "{}"))
    store.resolve("a1", "denied", "bob")
    assert not store.refuse("a1", "denied", "ada", told("refused"))
    assert store.notices() == ()


def test_what_is_told_is_not_part_of_what_is_read(kept):
    store = kept.open()
    store.keep(told("unchanged"))
    found = store.decision(D)
    assert found is not None
    assert found.telling == Telling()


# -- one deliverer at a time -------------------------------------------------------------------


def test_a_notice_is_taken_by_one_until_its_lease_ends(kept):
    store = kept.open()
    put(store, a_notice())
    [first] = take(store)
    kept.clock.pass_(59)
    assert take(store, "b") == ()
    kept.clock.pass_(2)
    [second] = take(store, "b")
    # Whoever slept through its lease writes nothing.
    assert not store.delivered(first, '{"message":"1"}')
    assert not store.try_later(first, 5, "slow")
    assert not store.give_up(first, "late", is_dead=True)
    assert store.delivered(second, '{"message":"2"}')
    assert store.notice("n1").reference_json == '{"message":"2"}'


def test_the_same_deliverer_again_is_another_one(kept):
    store = kept.open()
    put(store, a_notice())
    [first] = take(store)
    kept.clock.pass_(61)
    [second] = take(store)
    assert not store.delivered(first, "{}")
    assert store.delivered(second, "{}")


def test_what_is_left_back_is_due_at_once(kept):
    store = kept.open()
    put(store, a_notice())
    [row] = take(store)
    store.let_back([row])
    [again] = take(store, "b")
    assert again.attempts == 0


def test_what_one_message_told_is_written_for_all_of_it_or_for_none(kept):
    store = kept.open()
    for number in range(4):
        put(store, a_notice(f"n{number}", order_key=f"o{number}"))
    rows = take(store)
    lost = replace(rows[3], fence=rows[3].fence + 1)
    ours = store.delivered_together([*rows[:3], lost], '{"message":"1"}')
    assert ours == {"n0", "n1", "n2"}
    assert [store.notice(f"n{n}").state for n in range(4)] == ["delivered"] * 3 + ["waiting"]
    assert {store.notice(f"n{n}").reference_json for n in range(3)} == {'{"message":"1"}'}


def test_a_change_while_it_is_being_sent_is_sent_too(kept):
    store = kept.open()
    put(store, a_notice(renews=True))
    [row] = take(store)
    put(store, a_notice(renews=True), renewed=("chat",))
    assert store.delivered(row, '{"message":"1"}')
    [again] = take(store, "b")
    assert again.reference_json == '{"message":"1"}'
    assert store.delivered(again, '{"message":"1"}')
    assert take(store) == ()


def test_a_change_while_nobody_needs_it_any_more_is_looked_at_again(kept):
    store = kept.open()
    put(store, a_notice())
    [row] = take(store)
    put(store, renewed=("chat",))
    assert store.give_up(row, "answered", is_dead=False)
    assert ids(take(store)) == ["n1"]


def test_one_that_does_not_renew_is_written_once(kept):
    store = kept.open()
    put(store, a_notice())
    [row] = take(store)
    put(store, a_notice(payload_json='{"x":1}'))
    assert store.delivered(row, "{}")
    put(store, a_notice(payload_json='{"x":1}'))
    assert take(store) == ()
    assert store.notice("n1").payload_json == "{}"


def test_a_change_renews_what_was_delivered_about_the_decision_and_no_other(kept):
    store = kept.open()
    put(store, a_notice("n1"), a_notice("n2"), a_notice("n3"), a_notice("n4", kind="callback"))
    store.notify("other", Telling((a_notice("n5", decision_id="other"),)))
    for row in take(store):
        store.delivered(row, "{}")
    store.drop_notice("n2", "not wanted")
    kept.clock.pass_(1)
    put(store, renewed=("chat",))
    assert ids(take(store)) == ["n1", "n3"]


def test_a_renewal_does_not_hurry_what_waits_for_its_next_attempt(kept):
    store = kept.open()
    put(store, a_notice(renews=True))
    [row] = take(store)
    store.try_later(row, 100, "429")
    put(store, a_notice(renews=True), renewed=("chat",))
    assert take(store) == ()
    kept.clock.pass_(100)
    [again] = take(store)
    assert again.attempts == 1
    # What somebody asks for at once is taken before.
    store.try_later(again, 100, "429")
    assert store.take_notice("n1", owner="b", lease_s=60, is_hurried=True) is not None


def test_notices_of_one_order_come_one_after_another(kept):
    store = kept.open()
    put(store, *(a_notice(f"n{n}", order_key="o") for n in range(3)), a_notice("m", order_key="p"))
    [other, first] = take(store)
    assert (other.notice_id, first.notice_id) == ("m", "n0")
    store.try_later(first, 30, "500")
    assert take(store) == ()
    kept.clock.pass_(30)
    [first] = take(store)
    store.delivered(first, "{}")
    [second] = take(store)
    assert second.notice_id == "n1"
    store.give_up(second, "410", is_dead=True)
    assert ids(take(store)) == ["n2"]


def test_an_order_goes_on_after_its_oldest_were_forgotten(kept):
    store = kept.open()
    put(store, a_notice("n0", order_key="o"))
    store.delivered(take(store)[0], "{}")
    kept.clock.pass_(10)
    store.purge(store.now_s())
    assert store.notice("n0") is None
    put(store, a_notice("n1", order_key="o"), a_notice("n2", order_key="o"))
    assert ids(take(store)) == ["n1"]


def test_a_kind_without_a_sender_waits_and_stops_no_other(kept):
    store = kept.open()
    put(store, a_notice("n0", kind="telegram"), a_notice("n1"))
    assert ids(take(store)) == ["n1"]
    assert store.waiting_notices()[1] == 2


# -- clocks ------------------------------------------------------------------------------------


def test_a_clock_that_was_put_back_keeps_nothing_waiting(kept):
    store = kept.open()
    put(store, a_notice("n1"), a_notice("n2"))
    [first, second] = take(store)
    store.try_later(first, 100, "500")
    store.hold_place("callback", "host", 100)
    kept.clock.pass_(-86400)
    # Neither the next attempt nor the lease of a day to come is believed.
    assert sorted(ids(take(store, "b"))) == ["n1", "n2"]
    assert not store.delivered(second, "{}")
    put(store, a_notice("n3", kind="callback", destination="host"))
    assert len(store.take_notices("callback", owner="b", lease_s=60)) == 1


def test_what_is_to_wait_for_a_time_waits_for_it(kept):
    store = kept.open()
    put(store, a_notice(after_s=3600.0))
    kept.clock.pass_(3599)
    assert take(store) == ()
    kept.clock.pass_(1)
    [row] = take(store)
    assert row.expires_at_s == AT_S + KEEP_S


# -- destinations ------------------------------------------------------------------------------


def test_a_destination_that_is_left_alone_stops_its_own_notices_only(kept):
    store = kept.open()
    put(store, a_notice("n1"), a_notice("n2", destination="audit"))
    assert store.place_failed("chat", "ops", "HTTP 500") == 1
    store.hold_place("chat", "ops", 60)
    [other] = take(store)
    assert other.notice_id == "n2"
    store.delivered(other, "{}")
    [place] = store.failing_places()
    assert (place.destination, place.failures, place.problem) == ("ops", 1, "HTTP 500")
    kept.clock.pass_(61)
    [row] = take(store)
    assert store.place_failed("chat", "ops", "HTTP 502") == 2
    assert store.failing_places()[0].failing_since_s == AT_S
    store.delivered(row, "{}")
    assert store.failing_places() == ()


@pytest.mark.sampled(2)
def test_no_span_has_more_than_the_limit_wherever_it_begins(kept):
    store = kept.open()
    kept.clock.pass_(3.3)
    times = []
    for _ in range(100):
        if store.spend("chat", "ops", (Limit(5, 60),)) == 0:
            times.append(kept.clock())
        kept.clock.pass_(4.7)
    assert max(sum(1 for one in times if 0 <= one - at < 60) for at in times) == 5
    # It is not much stricter than the limit, either.
    assert len(times) >= 100 * 4.7 / 65 * 5 * 0.9


def test_who_waits_as_told_may_send(kept):
    store = kept.open()
    limits = (Limit(2, 60), Limit(3, 86400 * 31))
    assert [store.spend("chat", "ops", limits) for _ in range(2)] == [0, 0]
    wait_s = store.spend("chat", "ops", limits)
    assert 0 < wait_s <= 65
    assert store.spend("chat", "audit", limits) == 0
    kept.clock.pass_(wait_s)
    assert store.spend("chat", "ops", limits) == 0
    # The month is full now; a minute does not help.
    kept.clock.pass_(70)
    assert store.spend("chat", "ops", limits) > 86400
    kept.clock.pass_(-5 * 86400)
    assert store.spend("chat", "ops", limits) == 0  # a clock that was put back starts anew


@pytest.mark.sampled(2)
def test_limits_hold_for_all_instances_together(kept):
    stores = [kept.open() for _ in range(4)]
    sent = Counter(
        store.spend("chat", "ops", (Limit(5, 60),)) == 0 for _ in range(5) for store in stores
    )
    assert sent[True] == 5


# -- operators ---------------------------------------------------------------------------------


def test_an_operator_retries_and_drops(kept):
    store = kept.open()
    put(store, a_notice())
    [row] = take(store)
    store.give_up(row, "refused", is_dead=True)
    assert store.retry_notice("n1")
    [row] = take(store)
    assert row.attempts == 0
    assert store.drop_notice("n1", "by ada")
    # The deliverer that has it writes nothing over that.
    assert not store.delivered(row, "{}")
    assert state(store) == "dropped"
    assert not store.retry_notice("nobody")
    assert store.notice_ids("n") == ("n1",)


def test_notices_are_kept_as_long_as_their_decision(kept):
    store = kept.open()
    store.keep(told("unchanged"))
    put(store, a_notice("n-gone", decision_id="gone"))
    for row in take(store):
        store.delivered(row, "{}")
    kept.clock.pass_(100)
    store.keep(a_record(D))
    counts = store.purge(store.now_s() - 50).counts
    assert counts["outbox"] == 1
    assert state(store, "n-unchanged") == "delivered"
    kept.clock.pass_(100)
    store.purge(store.now_s() - 50)
    assert store.notices() == ()


def test_a_text_that_no_store_keeps_is_refused_with_its_outcome(kept):
    store = kept.open()
    with pytest.raises(StoreError):
        put(store, a_notice(payload_json="a\0b"))


@pytest.mark.sampled(2)
def test_two_deliverers_at_once_deliver_each_notice_once(kept: Place):
    store = kept.open_on_its_own_clock()
    put(store, *(a_notice(f"n{number}", order_key=f"o{number % 7}") for number in range(60)))
    sent: list[str] = []

    def work(owner: str) -> None:
        mine = kept.open_on_its_own_clock()
        for _ in range(400):
            if not store.waiting_notices()[1]:
                return
            for row in take(mine, owner, limit=3):
                sent.append(row.notice_id)
                assert mine.delivered(row, "{}")

    workers = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(3)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert Counter(sent) == {f"n{number}": 1 for number in range(60)}
    # Each order was kept.
    for order in range(7):
        own = [int(one[1:]) for one in sent if int(one[1:]) % 7 == order]
        assert own == sorted(own)
