import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.errors import ThrottledError
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.pacing import CAUTIOUS_RATE, LANES, Lane, Lanes, Pace
from sgguard.wire.retry import Retry


class Clock:
    """Time that passes only by sleeping; threads see one another's."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s

    def sleep(self, seconds):
        self.now_s += seconds


@pytest.fixture
def clock():
    return Clock()


def pace(clock, rate=20.0, share=1.0, **more):
    rates = {"Read*": rate} if rate else {}
    return Pace(rates, ("key", "north"), share, Lanes(clock, clock.sleep), **more)


def gone_out(lane, arrivals):
    """The moments at which calls that arrive then go out."""
    return [lane.reserve(now_s, float("inf")) for now_s in arrivals]


# -- never faster than the rate ------------------------------------------------------------------


@given(
    rate=st.sampled_from([0.5, 1.0, 3.0, 10.0, 20.0, 100.0]),
    gaps=st.lists(st.floats(0, 0.4), min_size=1, max_size=120),
    window_s=st.sampled_from([0.1, 1.0, 2.5]),
)
def test_no_window_sees_more_calls_than_the_rate_times_its_length_and_the_burst(
    rate, gaps, window_s
):
    arrivals = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    moments = gone_out(Lane(rate), arrivals)
    burst = max(1, 0.5 * rate // 1)
    for n, begin_s in enumerate(moments):
        inside = sum(1 for moment_s in moments[n:] if moment_s < begin_s + window_s - 1e-6)
        assert inside <= 0.5 * rate * window_s + burst + 1e-6


@given(
    rate=st.sampled_from([1.0, 4.0, 7.0, 20.0, 100.0]),
    gaps=st.lists(st.floats(0, 0.2), min_size=1, max_size=150),
)
def test_no_second_sees_more_calls_than_the_documented_rate(rate, gaps):
    arrivals = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    moments = gone_out(Lane(rate), arrivals)
    for n, begin_s in enumerate(moments):
        assert sum(1 for moment_s in moments[n:] if moment_s < begin_s + 1.0 - 1e-6) <= rate


@given(gaps=st.lists(st.floats(0.11, 1.0), min_size=1, max_size=60))
def test_calls_slower_than_the_rate_never_wait(gaps):
    arrivals = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    assert gone_out(Lane(20.0), arrivals) == arrivals


@given(arrivals=st.lists(st.floats(0, 5), min_size=2, max_size=80).map(sorted))
def test_who_comes_first_goes_first(arrivals):
    moments = gone_out(Lane(10.0), arrivals)
    assert moments == sorted(moments)
    assert all(moment_s >= arrival_s for moment_s, arrival_s in zip(moments, arrivals, strict=True))


def test_a_crowd_is_served_at_the_rate_and_not_slower(clock):
    steady = pace(clock, 20.0)
    for _ in range(100):
        assert steady.wait_s("cloud", "Read", 60.0) == 0.0
    assert clock.now_s == pytest.approx(90 / 10)


def test_threads_never_get_the_same_turn():
    lane = Lane(10.0)
    with ThreadPoolExecutor(16) as threads:
        moments = list(threads.map(lambda _: lane.reserve(0.0, 1e9), range(200)))
    later = sorted(moments)[5:]
    assert len(set(later)) == len(later)


def test_an_action_without_a_documented_rate_is_not_held_back(clock):
    free = pace(clock, rate=None)
    for _ in range(500):
        assert free.wait_s("cloud", "Read", 1.0) == 0.0
    assert clock.now_s == 0.0


# -- who is counted together ---------------------------------------------------------------------


def test_another_action_caller_or_cloud_has_a_lane_of_its_own(clock):
    lanes = Lanes(clock, clock.sleep)
    for caller in (("key", "north"), ("key", "south"), ("other", "north")):
        for cloud in ("tencent", "alibaba"):
            for action in ("ReadA", "ReadB"):
                one = Pace({"Read*": 1.0}, caller, 1.0, lanes)
                assert one.wait_s(cloud, action, 0.0) == 0.0
    assert clock.now_s == 0.0


def test_invocations_of_one_process_share_their_lanes(clock):
    first, second = pace(clock, 1.0), pace(clock, 1.0)
    second = Pace(second.rates, second.caller, 1.0, first.lanes)
    assert first.wait_s("cloud", "Read", 0.0) == 0.0
    assert second.wait_s("cloud", "Read", 0.0) > 0


def test_only_a_share_of_the_rate_is_used(clock):
    steady = pace(clock, 20.0, share=0.5)
    for _ in range(50):
        steady.wait_s("cloud", "Read", 60.0)
    assert clock.now_s == pytest.approx(45 / 5)


def test_unused_lanes_are_dropped_when_there_are_many(clock):
    lanes = Lanes(clock, clock.sleep)
    busy = lanes.lane("busy", lambda: 0.001)
    busy.reserve(0.0, 1e9)
    for number in range(1000):
        lanes.lane(number, lambda: 1.0)
    assert len(lanes._lanes) <= 256
    assert lanes.lane("busy", lambda: 0.001) is busy


# -- rests the cloud asks for --------------------------------------------------------------------


def test_a_throttle_answer_makes_every_caller_of_the_lane_rest(clock):
    steady = pace(clock, 20.0)
    steady.slow_down("cloud", "Read", 3.0)
    assert steady.wait_s("cloud", "Read", 60.0) == 0.0
    assert clock.now_s == pytest.approx(3.0)


def test_after_a_rest_there_is_no_burst(clock):
    steady = pace(clock, 20.0)
    steady.slow_down("cloud", "Read", 3.0)
    for _ in range(11):
        steady.wait_s("cloud", "Read", 60.0)
    assert clock.now_s == pytest.approx(4.0)


def test_a_throttled_action_of_unknown_rate_is_asked_carefully_from_then_on(clock):
    free = pace(clock, rate=None)
    free.slow_down("cloud", "Read", None)
    for _ in range(101):
        free.wait_s("cloud", "Read", 60.0)
    assert clock.now_s == pytest.approx(1.0 + 100 / (0.5 * CAUTIOUS_RATE))


def test_a_call_that_waits_when_its_lane_is_paused_waits_for_the_pause_too():
    clock = Clock()
    closing = []

    def sleep(seconds):
        clock.now_s += seconds
        if not closing:
            closing.append(True)
            steady.slow_down("cloud", "Read", 5.0)

    steady = Pace({"Read": 1.0}, (), 1.0, Lanes(clock, sleep))
    steady.wait_s("cloud", "Read", 60.0)
    assert steady.wait_s("cloud", "Read", 60.0) == 0.0
    assert clock.now_s >= 7.0


# -- within the deadline, on the wire ------------------------------------------------------------


def wire(clock, handler, *, rate, seconds=60.0, retry=None):
    return Wire(
        "cloud",
        Deadline.after(seconds, clock),
        transport=httpx.MockTransport(handler),
        retry=retry or Retry(sleep=clock.sleep, jitter=lambda: 0.0),
        pace=pace(clock, rate),
    )


def good(_response):
    return None


def test_a_turn_after_the_deadline_is_refused_at_once_and_uses_no_slot(clock):
    sent = []
    slow = wire(clock, lambda r: sent.append(r) or httpx.Response(200), rate=0.1, seconds=5.0)
    slow.read("GET", "http://cloud/", action="Read", check=good)
    for _ in range(3):
        with pytest.raises(ThrottledError, match="not sent") as caught:
            slow.read("GET", "http://cloud/", action="Read", check=good)
        assert caught.value.retry_after_s == pytest.approx(20.0)
        assert caught.value.code == "Paced"
    assert (len(sent), clock.now_s) == (1, 0.0)


def test_every_attempt_takes_a_turn(clock):
    moments = []

    def handler(_request):
        moments.append(clock.now_s)
        return httpx.Response(200)

    def busy(_response):
        if len(moments) < 3:
            raise ThrottledError("cloud", "Read", retry_after_s=2.0)

    one = wire(clock, handler, rate=1.0)
    one.read("GET", "http://cloud/", action="Read", check=busy)
    assert moments == pytest.approx([0.0, 2.0, 4.0])


def test_a_write_waits_for_its_turn_too_and_is_sent_once(clock):
    moments = []
    one = wire(clock, lambda _: moments.append(clock.now_s) or httpx.Response(200), rate=1.0)
    for _ in range(3):
        one.write("POST", "http://cloud/", action="Read", check=good)
    assert moments == pytest.approx([0.0, 2.0, 4.0])


def test_a_pause_told_to_one_thread_holds_for_the_others(clock):
    told = threading.Event()
    moments = []

    def handler(_request):
        moments.append(clock.now_s)
        return httpx.Response(200)

    def once(_response):
        if not told.is_set():
            told.set()
            raise ThrottledError("cloud", "Read", retry_after_s=4.0)

    one = wire(clock, handler, rate=None, retry=Retry(attempts=1))
    with pytest.raises(ThrottledError):
        one.read("GET", "http://cloud/", action="Read", check=once)
    other = threading.Thread(
        target=lambda: one.read("GET", "http://cloud/", action="Read", check=once)
    )
    other.start()
    other.join()
    assert moments == pytest.approx([0.0, 4.0])


def test_the_lanes_of_a_process_run_on_real_time():
    assert Wire("cloud", Deadline.after(1.0)).pace.lanes is LANES
