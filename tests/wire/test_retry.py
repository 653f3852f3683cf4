import pytest

from sgguard.errors import CloudError, ForbiddenError, ThrottledError, UnreachableError
from sgguard.wire.clock import Deadline
from sgguard.wire.retry import Retry


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


def test_the_wait_a_cloud_asks_for_is_kept(clock, retry):
    throttled = ThrottledError("c", "Read", retry_after_s=7.0)
    assert retry.run(failing(1, throttled), deadline(clock)) == "answer"
    assert clock.slept == [7.0]


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
