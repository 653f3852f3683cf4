"""``sgguard serve`` and ``sgguard emulate`` end: what is under way is answered, the idle is cut."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress

import pytest

from sgguard.emulator.faults import Fault
from sgguard.emulator.server import serve as serve_emulator
from sgguard.web.bounded_server import BoundedServer, Bounds
from tests.deployment import address, emulator, environment
from tests.patience import pause
from tests.worlds import world_of

WATCHDOG_S = 60  # for what never ends; no test measures seconds
NUMBERS = [signal.SIGINT, signal.SIGTERM]


class Gate:
    """A cloud whose next answer waits until it is let go."""

    def __init__(self) -> None:
        self.is_asked, self.is_open = threading.Event(), threading.Event()

    def sleep(self, _seconds: float) -> None:
        self.is_asked.set()
        assert self.is_open.wait(WATCHDOG_S)


@contextmanager
def command(*args, env):
    with subprocess.Popen(
        [sys.executable, "-m", "sgguard.cli", *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def gate():
    return Gate()


@pytest.fixture
def serving(gate):
    """``sgguard serve`` whose cloud answers when the gate is opened."""
    clouds = emulator()
    clouds.sleep = gate.sleep
    clouds.faults.append(Fault("latency", latency_ms=1))
    with serve_emulator(clouds) as running:
        env = environment(running.url, SGGUARD_DEADLINE_S="50")
        with command("serve", "--port", "0", env=env) as process:
            yield process, process.stdout.readline().strip().rpartition("/")[0]
        gate.is_open.set()


def connection(url):
    host, _, port = url.removeprefix("http://").partition(":")
    return socket.create_connection((host, int(port)), timeout=WATCHDOG_S)


def until_closed(url):
    """Wait until the server takes no further connection."""
    give_up = time.monotonic() + WATCHDOG_S
    with suppress(OSError):
        while time.monotonic() < give_up:
            connection(url).close()
        raise AssertionError("it still listens")


def request(url):
    body = json.dumps({"target": address(world_of("tencent"), "free")}).encode()
    head = "POST /delete_request HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


def whole(one):
    """Everything until the end; a connection that was not taken yet is reset instead."""
    found = bytearray()
    with suppress(ConnectionResetError):
        while chunk := one.recv(65536):
            found += chunk
    return bytes(found)


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.sampled(2)
def test_a_request_under_way_is_answered_and_an_idle_connection_is_cut_at_once(
    serving, gate, number
):
    process, url = serving
    with connection(url) as idle, connection(url) as half, connection(url) as busy:
        half.sendall(b"POST /delete_request HTTP/1.1\r\nHost: x\r\n")
        busy.sendall(request(url))
        assert gate.is_asked.wait(WATCHDOG_S)
        process.send_signal(number)
        assert whole(idle) == b""
        assert not whole(half).startswith(b"HTTP/1.1 200")
        assert process.poll() is None
        until_closed(url)
        gate.is_open.set()
        answer = whole(busy)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["verdict"] == "allow"
    assert process.wait(WATCHDOG_S) == 0
    assert "Fatal Python error" not in process.stderr.read()


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.sampled(2)
def test_a_second_signal_ends_it_at_once(serving, gate, number):
    process, url = serving
    with connection(url) as busy:
        busy.sendall(request(url))
        assert gate.is_asked.wait(WATCHDOG_S)
        process.send_signal(number)
        until_closed(url)  # two signals at the same moment are one
        process.send_signal(number)
        assert process.wait(WATCHDOG_S) == -number
        assert not gate.is_open.is_set()


def test_the_emulator_answers_a_call_under_way_and_cuts_the_idle(gate):
    clouds = emulator()
    clouds.sleep = gate.sleep
    clouds.faults.append(Fault("latency", latency_ms=1))
    ending = ExitStack()
    running = ending.enter_context(serve_emulator(clouds, is_patient=True))
    url = running.url
    with connection(url) as idle, connection(url) as kept, connection(url) as busy:
        kept.sendall(b"GET /_emulator/requests HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(65536).startswith(b"HTTP/1.1 200 ")
        busy.sendall(b"POST / HTTP/1.1\r\nHost: cvm.tencentcloudapi.com\r\n\r\n")
        assert gate.is_asked.wait(WATCHDOG_S)
        thread = threading.Thread(target=ending.close)
        thread.start()
        assert whole(idle) == whole(kept) == b""
        assert thread.is_alive()
        gate.is_open.set()
        assert whole(busy).startswith(b"HTTP/1.1 ")
    thread.join(WATCHDOG_S)
    assert not thread.is_alive()


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.sampled(2)
def test_the_command_emulate_ends_with_open_connections(number):
    with command("emulate", env=dict(os.environ)) as process:
        url = json.loads(process.stdout.readline())["url"]
        with connection(url) as idle:
            process.send_signal(number)
            assert whole(idle) == b""
        assert process.wait(WATCHDOG_S) == 0
        assert process.stderr.read() == ""


def test_a_half_head_is_cut_when_it_is_late_without_anybody_asking():
    clock = [0.0]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        bounds = Bounds(8, head_s=10, clock=lambda: clock[0])
        server = BoundedServer(listener, "127.0.0.1", port, lambda _e, _s: [], bounds)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with socket.create_connection(("127.0.0.1", port), timeout=WATCHDOG_S) as half:
            half.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n")
            while not server._ends:
                pause()
            clock[0] = 11.0
            assert half.recv(100) == b""
        server.shutdown()
        thread.join()
        server.server_close()
