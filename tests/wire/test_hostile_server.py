"""A server that drips, floods, packs and sets cookies: a call ends with its deadline.

The server moves the clock that the deadline is read from: a second for every drop it sends. So a
call that waits for more drops than it has seconds is seen without any waiting.
"""

from __future__ import annotations

import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from sgguard.errors import CloudError, UnknownShapeError, UnreachableError
from sgguard.wire import body
from sgguard.wire.bounded import HttpxClient
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.connection import CLIENTS, new_client
from sgguard.wire.names import Names
from sgguard.wire.retry import Retry

SECONDS = 5
DROPS_MAX = 200_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@dataclass
class Clock:
    """A clock that the server moves."""

    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Server:
    """A listening socket whose every connection is answered by ``behave``."""

    behave: Callable[[socket.socket, Clock], None]
    clock: Clock = field(default_factory=Clock)
    requests: list[bytes] = field(default_factory=list)
    url: str = ""

    def ask(self, seconds: float = SECONDS) -> httpx.Response:
        deadline = Deadline.after(seconds, self.clock)
        wire = Wire("tencent", deadline, retry=Retry(attempts=1))
        return wire.read("GET", self.url, action="Describe", check=lambda _: None)


@contextmanager
def serving(behave: Callable[[socket.socket, Clock], None]) -> Iterator[Server]:
    server = Server(behave)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server.url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        thread = threading.Thread(target=_accept, args=(listener, server), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            CLIENTS.clear()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, server: Server) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            try:
                while sent := connection.recv(65536):
                    server.requests.append(sent)
                    server.behave(connection, server.clock)
            except OSError:
                continue


def dripping(before: bytes, drop: bytes) -> Callable[[socket.socket, Clock], None]:
    """Send the first part, then one drop a second until the client hangs up."""

    def behave(connection: socket.socket, clock: Clock) -> None:
        connection.sendall(before)
        for _ in range(DROPS_MAX):
            clock.now_s += 1
            connection.sendall(drop)

    return behave


def answering(head: bytes, content: bytes = b"") -> Callable[[socket.socket, Clock], None]:
    length = f"Content-Length: {len(content)}\r\n\r\n".encode()

    def behave(connection: socket.socket, _: Clock) -> None:
        connection.sendall(HEAD + head + length + content)

    return behave


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
DRIBBLES = {
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "head": (HEAD, b"x: 1\r\n"),
    "interim answers": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"),
    "body": (HEAD + b"Content-Length: 1000000\r\n\r\n", b" "),
    "chunks": (CHUNKED, b"1\r\n \r\n"),
    "chunk extension": (CHUNKED + b"1;", b"x"),
    "trailers": (CHUNKED + b"0\r\n", b"x: 1\r\n"),
    "body without an end": (HEAD + b"\r\n", b" "),
    "packed body": (HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}")[:9], b"\0"),
}


@pytest.mark.parametrize("part", DRIBBLES)
@pytest.mark.sampled(4)
def test_a_call_ends_with_its_deadline_whatever_drips(part):
    with serving(dripping(*DRIBBLES[part])) as server:
        with pytest.raises(UnreachableError) as caught:
            server.ask()
        codes = {"ReadTimeout"}
        if part == "interim answers":
            codes.add("NotHttpError")  # too many of them, where they arrive faster than the clock
        assert caught.value.code in codes


@pytest.mark.parametrize("part", DRIBBLES)
@pytest.mark.sampled(4)
def test_no_thread_is_left_by_a_call_that_was_cut(part):
    with serving(dripping(*DRIBBLES[part])) as server:
        before = threading.active_count()
        for _ in range(3):
            with pytest.raises(UnreachableError):
                server.ask()
        assert threading.active_count() <= before


def test_a_peer_that_never_shakes_hands_is_a_call_without_connection():
    def silent(connection: socket.socket, clock: Clock) -> None:
        clock.now_s += SECONDS + 1

    with serving(silent) as server:
        url = server.url.replace("http:", "https:")
        wire = Wire("tencent", Deadline.after(0.2), retry=Retry(attempts=1))
        with pytest.raises(UnreachableError) as caught:
            wire.read("GET", url, action="Describe", check=lambda _: None)
        assert caught.value.code == "ConnectTimeout"


def test_a_request_that_is_not_taken_ends_with_the_deadline():
    over = threading.Event()

    def deaf(connection: socket.socket, clock: Clock) -> None:
        clock.now_s += SECONDS + 1
        over.wait()

    with serving(deaf) as server:
        wire = Wire("tencent", Deadline.after(SECONDS, server.clock), retry=Retry(attempts=1))
        large = b" " * (64 << 20)
        with pytest.raises(UnreachableError) as caught:
            wire.read("POST", server.url, action="Describe", check=lambda _: None, content=large)
        over.set()
    assert caught.value.code in ("WriteTimeout", "ReadTimeout")


# -- names ---------------------------------------------------------------------------------------


def test_a_resolver_that_hangs_is_asked_once_and_waited_for_until_the_deadline():
    asked: list[str] = []
    released = threading.Event()

    def hang(host: str) -> list[str]:
        asked.append(host)
        released.wait()
        return ["127.0.0.1"]

    names = Names(hang)
    for _ in range(5):
        with pytest.raises(TimeoutError):
            names.resolve("cloud.example", 0.01)
    assert asked == ["cloud.example"]
    released.set()
    assert names.resolve("cloud.example", None) == ["127.0.0.1"]


def test_a_name_that_is_not_known_is_no_connection():
    def unknown(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    with pytest.raises(socket.gaierror):
        Names(unknown).resolve("cloud.example", 1.0)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "[::1]"])
def test_an_address_is_not_looked_up(address):
    def fail(host: str) -> list[str]:
        raise AssertionError(host)

    assert Names(fail).resolve(address, 0.0) == [address]


def test_every_connection_of_a_client_is_bounded_also_through_a_proxy(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    client = new_client(httpx.URL("https://cloud.example/"))
    sending = (client._client._transport, *client._client._mounts.values())
    pools = [one._pool for one in sending if one is not None]
    assert len(pools) > 1
    assert all(pool._network_backend is client._backend for pool in pools)
    assert isinstance(client, HttpxClient)


# -- encodings -----------------------------------------------------------------------------------


def packed(content: bytes, window: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return packer.compress(content) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "window"),
    [("gzip", 31), ("x-gzip", 31), ("GZIP", 31), ("deflate", 15), ("deflate", -15)],
)
@pytest.mark.sampled(3)
def test_a_packed_body_is_read(encoding, window):
    content = b'{"a": "' + b"x" * (3 << 20) + b'"}'
    head = f"Content-Encoding: {encoding}\r\n".encode()
    with serving(answering(head, packed(content, window))) as server:
        assert server.ask().content == content


@pytest.mark.parametrize("encoding", ["identity", ""])
def test_a_body_that_is_not_packed_may_say_so(encoding):
    head = f"Content-Encoding: {encoding}\r\n".encode()
    with serving(answering(head, b"{}")) as server:
        assert server.ask().content == b"{}"


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,deflate", "br", "zstd", "perhaps"])
def test_an_encoding_in_layers_or_one_not_asked_for_is_refused(encoding):
    content = gzip.compress(gzip.compress(b"{}"))
    head = f"Content-Encoding: {encoding}\r\n".encode()
    with serving(answering(head, content)) as server, pytest.raises(UnknownShapeError):
        server.ask()


def test_a_packed_body_that_unpacks_to_too_much_is_cut_before_memory_is_taken(
    monkeypatch,
):
    taken: list[int] = []
    unpacked = body._unpacked

    def counted(*arguments: object) -> Iterator[bytes]:
        for piece in unpacked(*arguments):  # type: ignore[arg-type]
            taken.append(len(piece))
            yield piece

    monkeypatch.setattr(body, "_unpacked", counted)
    bomb = packed(b" " * (200 << 20), 31)
    server = serving(answering(b"Content-Encoding: gzip\r\n", bomb))
    with server as bombing, pytest.raises(UnknownShapeError, match="larger than"):
        bombing.ask()
    assert sum(taken) <= body.LARGEST_BYTES + (1 << 20)


def test_a_packed_body_that_ends_early_is_refused():
    half = gzip.compress(b'{"a": "%s"}' % bytes(range(65, 91)))[:-12]
    ending = serving(answering(b"Content-Encoding: gzip\r\n", half))
    with ending as server, pytest.raises(UnknownShapeError):
        server.ask()


# -- cookies -------------------------------------------------------------------------------------


def test_a_cookie_is_neither_kept_nor_sent():
    cookie = b"Set-Cookie: session=planted; Path=/\r\n"
    with serving(answering(cookie, b"{}")) as server:
        for _ in range(3):
            server.ask()
        assert len(server.requests) == 3
        assert not [one for one in server.requests if b"cookie" in one.lower()]


def test_an_error_of_the_cloud_is_not_hidden_by_the_bounds():
    def hang_up(connection: socket.socket, _: Clock) -> None:
        connection.shutdown(socket.SHUT_RDWR)

    with serving(hang_up) as server, pytest.raises(CloudError) as caught:
        server.ask()
    assert caught.value.code == "RemoteProtocolError"
