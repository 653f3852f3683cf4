"""The development server: half a request from many connections does not block it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest

from sgguard.web.bounded_server import BoundedServer, Bounds


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


@contextmanager
def running(bounds: Bounds) -> Iterator[tuple[BoundedServer, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = BoundedServer(listener, "127.0.0.1", port, app, bounds)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server, port
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def halves(stack: ExitStack, port: int, count: int) -> list[socket.socket]:
    """Open connections that send half a head and wait."""
    found = []
    for _ in range(count):
        one = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        one.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Half: ")
        found.append(one)
    return found


def get(port: int) -> int:
    with httpx.Client(trust_env=False) as client:
        return client.get(f"http://127.0.0.1:{port}/").status_code


def until(port: int, status: int) -> int:
    """Ask until the server has noticed what was sent to it before."""
    for _ in range(200):
        if get(port) == status:
            return status
    return get(port)


def test_half_a_head_from_more_connections_than_there_may_be_is_refused_and_not_waited_for():
    with running(Bounds(connections_max=8, clock=Clock())) as (_, port), ExitStack() as stack:
        halves(stack, port, 8)
        assert until(port, 503) == 503


def test_a_head_that_is_late_is_cut_and_the_next_request_is_answered():
    clock = Clock()
    with running(Bounds(8, head_s=10, clock=clock)) as (server, port), ExitStack() as stack:
        waiting = halves(stack, port, 8)
        assert until(port, 503) == 503
        clock.now_s = 11
        server.cut_overdue()
        assert [one.recv(100) for one in waiting] == [b""] * 8
        assert until(port, 200) == 200


@pytest.mark.parametrize("drip", [b"a", b"a\r\nX-Next: "])
@pytest.mark.sampled(2)
def test_a_head_that_drips_is_cut_as_well(drip):
    clock = Clock()
    with running(Bounds(8, head_s=10, clock=clock)) as (server, port), ExitStack() as stack:
        (one,) = halves(stack, port, 1)
        until(port, 200)  # the connection was taken before this one
        for _ in range(12):
            clock.now_s += 1
            one.sendall(drip)
        server.cut_overdue()
        # What was not read when it was cut makes it a reset.
        with suppress(ConnectionResetError):
            assert one.recv(100) == b""


def test_a_body_that_never_ends_is_cut_after_the_longest_life_of_a_connection():
    clock = Clock()
    with (
        running(Bounds(8, 10, lifetime_s=300, clock=clock)) as (server, port),
        ExitStack() as stack,
    ):
        one = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        one.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        until(port, 200)
        clock.now_s = 301
        while server.cut_overdue() == 0 and one.recv(1000):
            pass
        assert get(port) == 200


def test_a_whole_request_is_answered_and_forgotten():
    with running(Bounds(connections_max=2)) as (server, port):
        assert [get(port) for _ in range(20)].count(200) >= 15
        assert until(port, 200) == 200
        assert server.cut_overdue() == 0
