from __future__ import annotations

import io
import socket
import threading
from contextlib import suppress

import pytest

from sgguard.errors import DeadlineError, EventError
from sgguard.web import body
from sgguard.wire.clock import Deadline


@pytest.fixture
def pair():
    here, there = socket.socketpair()
    with here, there:
        yield here, there


NOTHING = io.BytesIO()


def running_timers() -> list[threading.Timer]:
    """The timers that have not ended yet."""
    return [one for one in threading.enumerate() if isinstance(one, threading.Timer)]


def read_to_its_end(connection: socket.socket) -> None:
    while connection.recv(1):
        pass
    raise EventError("the body could not be read to its end")


@pytest.mark.parametrize("server", ["gunicorn.socket", "werkzeug.socket"])
def test_a_read_that_waits_for_its_sender_ends_at_the_deadline(pair, server):
    here, _ = pair
    here.settimeout(300)  # a watchdog
    deadline = Deadline.after(0.05)
    with (
        pytest.raises(DeadlineError, match="arrived"),
        body.read_timeout(deadline, {server: here}, NOTHING),
    ):
        read_to_its_end(here)
    here.sendall(b"an answer can still be sent")


def test_a_sender_that_drips_gets_no_more_time_with_each_byte(pair):
    here, there = pair
    is_over = threading.Event()

    def drip() -> None:
        with suppress(BrokenPipeError):
            while not is_over.wait(0.01):
                there.send(b" ")

    thread = threading.Thread(target=drip)
    thread.start()
    read = 0
    with body.read_timeout(Deadline.after(0.1), {"gunicorn.socket": here}, NOTHING):
        while here.recv(1):
            read += 1
            assert read < 1000
    is_over.set()
    thread.join()
    assert 0 < read < 1000


def test_a_body_that_is_wrong_in_time_is_wrong_and_not_late(pair):
    here, _ = pair
    with (
        pytest.raises(EventError, match="no JSON"),
        body.read_timeout(Deadline.after(10), {"gunicorn.socket": here}, NOTHING),
    ):
        raise EventError("no JSON")


def test_a_body_that_arrived_leaves_the_connection_as_it_was(pair):
    here, there = pair
    with body.read_timeout(Deadline.after(0.2), {"gunicorn.socket": here}, NOTHING):
        timers = running_timers()
    for timer in timers:
        timer.join()
    there.sendall(b"the next request")
    assert here.recv(100) == b"the next request"


def test_a_connection_that_is_gone_is_no_trouble():
    gone = socket.socket()
    gone.close()
    with body.read_timeout(Deadline.after(0.001), {"gunicorn.socket": gone}, NOTHING):
        for timer in running_timers():
            timer.join()


def test_a_deadline_beyond_the_range_of_timers_is_accepted(pair):
    with body.read_timeout(Deadline.after(1e300), {"gunicorn.socket": pair[0]}, NOTHING):
        assert all(timer.interval <= threading.TIMEOUT_MAX for timer in running_timers())


def test_without_a_connection_nothing_is_waited_for():
    with pytest.raises(EventError), body.read_timeout(Deadline.after(0.0), {}, NOTHING):
        raise EventError("as it is")


class Endless:
    """A body of which more always comes."""

    def __init__(self) -> None:
        self.read_bytes = 0

    def read(self, size: int, /) -> bytes:
        self.read_bytes += size
        return b" " * size


def test_the_rest_of_a_refused_body_is_dropped_so_that_the_connection_stays_good(pair):
    rest = io.BytesIO(b" " * 3_000_000)
    with (
        pytest.raises(EventError, match="too large"),
        body.read_timeout(Deadline.after(10), {"gunicorn.socket": pair[0]}, rest),
    ):
        raise EventError("too large", status=413)
    assert rest.read() == b""


def test_a_body_without_end_is_not_dropped_for_ever(pair):
    rest = Endless()
    with (
        pytest.raises(EventError, match="too large"),
        body.read_timeout(Deadline.after(10), {"gunicorn.socket": pair[0]}, rest),
    ):
        raise EventError("too large", status=413)
    assert rest.read_bytes <= 16 * 1024 * 1024
