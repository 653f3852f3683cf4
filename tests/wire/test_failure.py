"""Errors of a transport in words of our own: what was sent never comes back in them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from sgguard import providers
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import CloudError, UnreachableError
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.failure import reason
from sgguard.wire.retry import Retry
from tests.worlds import world_of

SECRET = "s3cret-of-the-caller"  # stands first, where a cut text would still show it

ERRORS = [
    httpx.ConnectTimeout,
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.PoolTimeout,
    httpx.ConnectError,
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.RemoteProtocolError,
    httpx.LocalProtocolError,
    httpx.DecodingError,
    httpx.TooManyRedirects,
    httpx.InvalidURL,
]


@pytest.mark.parametrize("kind", ERRORS)
def test_no_text_of_an_error_is_used(kind):
    error = kind(SECRET)
    error.__cause__ = ValueError(SECRET)
    words = reason(error)
    assert SECRET not in words
    assert words


@pytest.mark.parametrize("kind", [one for one in ERRORS if one is not httpx.InvalidURL])
def test_every_kind_of_error_says_what_failed(kind):
    assert reason(kind("")) != "the call failed" or kind is httpx.LocalProtocolError


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("provider", providers.names())
def test_what_a_transport_says_reaches_no_error_and_no_cause_of_it(provider, kind):
    world = world_of(provider)

    class Quoting(EmulatorTransport):
        def handle_request(self, request):
            sent = f"{SECRET} {dict(request.headers)}"
            raise kind(sent) from ValueError(sent)

    wire = Wire(
        provider,
        Deadline.after(30),
        transport=Quoting(world.emulator()),
        retry=Retry(attempts=1, sleep=lambda _: None),
    )
    access = providers.Access(wire, world.region, env=world.env)
    try:
        seen = providers.connect(provider, access).read_groups([world.free])
    except CloudError as error:
        assert_no_secret(error)
    else:
        assert seen.unseen
        assert SECRET not in repr(seen)


def assert_no_secret(error: BaseException | None) -> None:
    """Nothing of it in the error, nor in the errors that a traceback shows with it."""
    while error is not None:
        assert SECRET not in f"{error} {error.args} {vars(error)}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@contextmanager
def answering(content: bytes) -> Iterator[str]:
    """A server that sends these bytes, whatever it is asked, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                request = connection.recv(65536)
                connection.sendall(content.replace(b"ECHO", request))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread.join(5)


def read(url: str) -> UnreachableError:
    wire = Wire("tencent", Deadline.after(30), retry=Retry(attempts=1, sleep=lambda _: None))
    headers = {"X-Auth-Token": SECRET}
    with pytest.raises(UnreachableError) as caught:
        wire.read("GET", url, action="Read", headers=headers, check=lambda _: None)
    return caught.value


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"ECHO", "what was received is not HTTP"),
        (b"HTTP/1.1 200 OK\r\nECHO\r\n\r\n", "what was received is not HTTP"),
        (b"", "the connection was closed before the response was complete"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nECHO"[:-4] + b"abc", ""),
    ],
    ids=["request echoed", "request echoed in a header", "nothing", "cut off"],
)
def test_a_server_that_echoes_the_request_gets_no_secret_into_an_error(content, words):
    with answering(content) as url:
        error = read(url)
    assert words in str(error)
    assert SECRET not in str(error)


def test_a_refused_connection_is_named_by_the_system():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    assert "127.0.0.1: no connection: Connection refused" in str(read(url))


def test_a_host_without_an_address_is_named():
    error = httpx.ConnectError("x")
    error.__cause__ = socket.gaierror(-2, SECRET)
    assert reason(error) == "no connection: the name of the host is not known"
