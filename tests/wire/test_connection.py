"""Connections are used again, and never by two calls at once; counted at the server."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from sgguard.errors import UnreachableError
from sgguard.wire import connection, transport
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.retry import Retry


def good(_response):
    return None


@contextmanager
def counting_server(before=lambda: None, *, hangs_up=False):
    """A server that counts the connections it was asked for and the requests on each."""
    requests_by_connection = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self):
            super().setup()
            self.mine = len(requests_by_connection)
            requests_by_connection.append(0)

        def do_GET(self):
            requests_by_connection[self.mine] += 1
            before()
            self.close_connection = hangs_up
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", requests_by_connection
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def no_client_of_another_test():
    connection.CLIENTS.clear()
    yield
    connection.CLIENTS.clear()


def invocations(url, count):
    """Ask as so many events do, each with a wire of its own."""
    for _ in range(count):
        Wire("cloud", Deadline.after(9.0)).read("GET", url, action="Read", check=good)


def on_a_thread_of_its_own(url, count):
    thread = threading.Thread(target=invocations, args=(url, count))
    thread.start()
    thread.join()


def test_invocations_on_one_thread_share_one_connection():
    with counting_server() as (url, requests_by_connection):
        invocations(url, 5)
        assert requests_by_connection == [5]


def test_invocations_one_after_another_share_it_whatever_threads_they_run_on():
    with counting_server() as (url, requests_by_connection):
        for _ in range(4):
            on_a_thread_of_its_own(url, 2)
        assert requests_by_connection == [8]


def test_calls_at_the_same_time_share_no_connection_and_leave_theirs_to_the_next():
    together = threading.Barrier(4, timeout=60)
    with counting_server(lambda: together.wait() if together else None) as (url, by_connection):
        threads = [threading.Thread(target=invocations, args=(url, 1)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert by_connection == [1, 1, 1, 1]
        together = None
        invocations(url, 3)
        assert sorted(by_connection) == [1, 1, 1, 4]


def test_a_connection_the_server_gave_up_is_made_anew_and_nothing_is_lost():
    with counting_server(hangs_up=True) as (url, requests_by_connection):
        invocations(url, 3)
        assert requests_by_connection == [1, 1, 1]


def test_a_client_that_failed_is_used_again_like_any_other():
    for _ in range(3):
        with pytest.raises(UnreachableError):
            Wire("cloud", Deadline.after(9.0), retry=Retry(attempts=1)).read(
                "GET", "http://127.0.0.1:9/", action="Read", check=good
            )
    assert [len(idle) for idle in connection.CLIENTS._idle.values()] == [1]


def test_an_idle_connection_is_used_after_the_pause_between_two_events(monkeypatch):
    now_s = [0.0]
    monkeypatch.setattr(transport.time, "monotonic", lambda: now_s[0])
    with counting_server() as (url, requests_by_connection):
        invocations(url, 1)
        now_s[0] = 50.0
        invocations(url, 1)
        assert requests_by_connection == [2]
        now_s[0] = 50.0 + transport.KEPT_S + 1
        invocations(url, 1)
        assert requests_by_connection == [2, 1]


def test_an_idle_client_is_closed(monkeypatch):
    now_s = [0.0]
    monkeypatch.setattr(connection.time, "monotonic", lambda: now_s[0])
    clients = connection.ClientPool()
    many = [clients.acquire("host", httpx.Client) for _ in range(3)]
    for one in many:
        clients.release("host", one)
    for _ in range(3):
        now_s[0] += connection.KEPT_S / 2 + 1
        clients.release("host", clients.acquire("host", httpx.Client))
    assert [one.is_closed for one in many] == [True, True, False]
