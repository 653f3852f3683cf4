"""``mock_clouds`` keeps every client of the process off the internet, and loopback reachable."""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from sgguard.emulator import mock_clouds
from sgguard.emulator.core import Emulator
from sgguard.emulator.offline import OfflineError, is_loopback, offline
from sgguard.emulator.server import serve

EMPTY = {"clouds": []}
HOSTS = ["ecs.aliyuncs.com", "example.com", "192.0.2.1", "2001:db8::1"]


def by_http_client(host):
    name = f"[{host}]" if ":" in host else host
    connection = http.client.HTTPSConnection(name, timeout=5)
    try:
        connection.request("GET", "/")
    finally:
        connection.close()


def by_urllib(host):
    name = f"[{host}]" if ":" in host else host
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://{name}/", timeout=5)


def by_socket(host):
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(kind) as sock:
        sock.settimeout(5)
        sock.connect((host, 80))


def by_connect_ex(host):
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(kind) as sock:
        sock.settimeout(5)
        sock.connect_ex((host, 80))


def by_create_connection(host):
    socket.create_connection((host, 443), timeout=5).close()


def by_datagram(host):
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(kind, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", (host, 53))


def by_message(host):
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(kind, socket.SOCK_DGRAM) as sock:
        sock.sendmsg([b"x"], [], 0, (host, 53))


def by_tls(host):
    kind = socket.AF_INET6 if ":" in host else socket.AF_INET
    context = ssl.create_default_context()
    with context.wrap_socket(socket.socket(kind), server_hostname="x") as sock:
        sock.settimeout(5)
        sock.connect((host, 443))


def by_streams(host):
    asyncio.run(asyncio.wait_for(asyncio.open_connection(host, 443), 5))


CLIENTS = [
    *(by_http_client, by_urllib, by_socket, by_connect_ex, by_create_connection),
    *(by_datagram, by_message, by_tls, by_streams),
]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.sampled(16)
def test_no_client_leaves_the_machine(client, host):
    with mock_clouds(EMPTY), pytest.raises(OfflineError, match=f"connection to {host} refused"):
        client(host)


@pytest.mark.parametrize("lookup", ["getaddrinfo", "gethostbyname", "gethostbyname_ex"])
def test_no_name_is_looked_up_outside(lookup):
    more = (80,) if lookup == "getaddrinfo" else ()
    with mock_clouds(EMPTY):
        with pytest.raises(OfflineError, match=r"example\.com refused"):
            getattr(socket, lookup)("example.com", *more)
        assert getattr(socket, lookup)("localhost", *more)


def test_worker_threads_are_kept_in_too():
    with mock_clouds(EMPTY), ThreadPoolExecutor(4) as pool:
        for failed in [pool.submit(by_http_client, "example.com") for _ in range(8)]:
            assert isinstance(failed.exception(), OfflineError)


def test_loopback_stays_reachable_for_every_client():
    with serve(Emulator.load(EMPTY)) as server, mock_clouds(EMPTY):
        for host in ("127.0.0.1", "localhost"):
            connection = http.client.HTTPConnection(host, server.port, timeout=5)
            connection.request("GET", "/_emulator/state")
            assert connection.getresponse().status == 200
            connection.close()
            url = f"http://{host}:{server.port}/_emulator/state"
            assert httpx.get(url, trust_env=False).status_code == 200

        async def ask():
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET /_emulator/state HTTP/1.0\r\nhost: x\r\n\r\n")
            line = await reader.readline()
            writer.close()
            await writer.wait_closed()
            return line

        assert b"200" in asyncio.run(ask())


def test_a_server_may_be_started_meanwhile(tmp_path):
    with mock_clouds(EMPTY):
        for address in (("", 0), ("0.0.0.0", 0), ("127.0.0.1", 0)):
            with socket.create_server(address) as server:
                port = server.getsockname()[1]
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "s"))
            server.listen()
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(tmp_path / "s"))


@pytest.mark.parametrize("name", ["https_proxy", "ALL_PROXY", "http_proxy"])
def test_a_proxy_on_loopback_leads_out_and_is_refused(monkeypatch, name):
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        port = proxy.getsockname()[1]
        monkeypatch.setenv(name, f"http://user:pw@localhost:{port}")
        monkeypatch.setenv("no_proxy", "example.test,10.0.0.0/8")
        with mock_clouds(EMPTY), pytest.raises(OfflineError, match="to the proxy"):
            socket.create_connection(("127.0.0.1", port), timeout=5)
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_the_network_is_given_back_when_the_last_mock_ends():
    before = (socket.getaddrinfo, socket.socket.connect, vars(socket.socket).get("connect"))
    with offline():
        with offline():
            pass
        with pytest.raises(OfflineError):
            by_socket("192.0.2.1")
    after = (socket.getaddrinfo, socket.socket.connect, vars(socket.socket).get("connect"))
    assert after == before


def test_a_guard_that_somebody_kept_lets_everything_pass_afterwards():
    with offline():
        kept = socket.getaddrinfo
    assert kept("127.0.0.1", 80)
    with pytest.raises(OSError, match=r".*"):
        kept("no-such-host.invalid", 80)


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        *((name, True) for name in ("127.0.0.1", "127.9.9.9", "127.1", "::1", "localhost")),
        *((name, True) for name in ("LOCALHOST.", "app.localhost", "", "0.0.0.0", "::")),
        *((name, True) for name in ("::ffff:127.0.0.1", "::1%lo", b"localhost")),
        *((name, False) for name in ("::ffff:192.0.2.1", "localhost.evil.test", "10.0.0.1")),
        *((name, False) for name in ("<broadcast>", "169.254.169.254", "1.1", b"example.com")),
    ],
)
def test_what_is_loopback(host, is_here):
    assert is_loopback(host) is is_here
