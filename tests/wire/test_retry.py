from datetime import UTC, datetime

import pytest

from sgguard.errors import (
    CloudError,
    ForbiddenError,
    GarbledError,
    InUseError,
    LimitError,
    NotFoundError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
    UnknownShapeError,
    UnreachableError,
)
from sgguard.wire.clock import Deadline
from sgguard.wire.retry import Retry, retry_after_s


class Clock:
    def __init__(self):
        self.now = 0.0
        self.slept = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def failing(times, error):
    left = [error] * times

    def call():
        if left:
            raise left.pop()
        return "answer"

    return call


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def retry(clock):
    return Retry(attempts=3, base_s=0.1, sleep=clock.sleep, jitter=lambda: 1.0)


def deadline(clock, seconds=60.0):
    return Deadline.after(seconds, clock)


def test_a_lost_answer_is_asked_again_with_growing_waits(clock, retry):
    lost = UnreachableError("c", "Read")
    assert retry.run(failing(2, lost), deadline(clock)) == "answer"
    assert clock.slept == pytest.approx([0.1, 0.2])


def test_attempts_are_bounded_and_the_last_error_is_raised(clock, retry):
    lost = UnreachableError("c", "Read")
    with pytest.raises(UnreachableError):
        retry.run(failing(3, lost), deadline(clock))
    assert len(clock.slept) == 2


def test_a_final_error_is_raised_at_once(clock, retry):
    with pytest.raises(ForbiddenError):
        retry.run(failing(1, ForbiddenError("c", "Read")), deadline(clock))
    assert clock.slept == []


def test_the_wait_a_cloud_asks_for_is_kept_and_the_jitter_comes_on_top(clock, retry):
    throttled = ThrottledError("c", "Read", retry_after_s=7.0)
    assert retry.run(failing(1, throttled), deadline(clock)) == "answer"
    assert clock.slept == [7.1]


@pytest.mark.parametrize("jitter", [0.0, 0.25, 0.999])
def test_the_jitter_is_full_from_nothing_to_the_whole_wait(clock, jitter):
    retry = Retry(attempts=4, base_s=1.0, sleep=clock.sleep, jitter=lambda: jitter)
    retry.run(failing(3, UnreachableError("c", "Read")), deadline(clock))
    assert clock.slept == pytest.approx([1.0 * jitter, 2.0 * jitter, 2.0 * jitter])


NEVER = [
    UnauthenticatedError("c", "Read"),
    ForbiddenError("c", "Read"),
    NotFoundError("c", "Read"),
    UnknownShapeError("c", "Read"),
    InUseError("c", "Read"),
    LimitError("c", "Read"),
    CloudError("c", "Read", code="InvalidParameter"),
]
AGAIN = [
    ThrottledError("c", "Read"),
    UnavailableError("c", "Read"),
    UnreachableError("c", "Read"),
]


@pytest.mark.parametrize("error", NEVER, ids=lambda e: type(e).__name__)
def test_what_asking_again_cannot_change_is_raised_at_once(clock, retry, error):
    with pytest.raises(type(error)):
        retry.run(failing(1, error), deadline(clock))
    assert clock.slept == []


@pytest.mark.parametrize("error", AGAIN, ids=lambda e: type(e).__name__)
def test_what_passes_is_asked_again(clock, retry, error):
    assert retry.run(failing(2, error), deadline(clock)) == "answer"


def test_a_garbled_answer_is_asked_for_once_more_and_then_is_what_it_is(clock, retry):
    garbled = GarbledError("c", "Read")
    assert retry.run(failing(1, garbled), deadline(clock)) == "answer"
    with pytest.raises(GarbledError):
        retry.run(failing(2, garbled), deadline(clock))


SENT = "Sun, 22 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT", "date": SENT}, 30.0),
        ({"retry-after": "Sun, 22 Nov 2026 09:00:00 GMT", "date": SENT}, 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT"}, 40.0),
        ({"retry-after": "Sun, 22 Nov 2026 10:00:30 GMT", "date": "yesterday"}, 40.0),
        ({"retry-after": "Sunday, 22-Nov-26 10:00:30 GMT", "date": SENT}, 30.0),
        ({"retry-after": "Sun, 22 Nov 99999 10:00:30 GMT", "date": SENT}, None),
    ],
    ids=str,
)
def test_retry_after_is_a_number_of_seconds_or_a_date(headers, seconds):
    now_s = datetime(2026, 11, 22, 9, 59, 50, tzinfo=UTC).timestamp()
    assert retry_after_s(headers, lambda: now_s) == seconds


def test_a_wait_that_would_pass_the_deadline_is_not_begun(clock, retry):
    throttled = ThrottledError("c", "Read", retry_after_s=7.0)
    with pytest.raises(ThrottledError):
        retry.run(failing(1, throttled), deadline(clock, 5.0))
    assert clock.slept == []


def test_an_error_that_is_not_a_clouds_passes_through(clock, retry):
    def broken():
        raise KeyError("bug")

    with pytest.raises(KeyError):
        retry.run(broken, deadline(clock))


def test_the_error_of_a_cloud_cuts_free_text():
    error = CloudError("c", "Read", code="X", detail="a" * 5000)
    assert len(str(error)) < 400
