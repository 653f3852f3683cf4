"""Every function on one port: the same promises as deployed, under another server."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from sgguard import schemas
from sgguard.emulator.server import serve as serve_emulator
from sgguard.web import server
from tests.chinese import require_chinese
from tests.deployment import CLOUDS, address, emulator, environment
from tests.worlds import world_of

NAMES = sorted(server.functions())


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """`sgguard serve` as a process of its own: its server has a thread for each connection."""
    command = [sys.executable, "-m", "sgguard.cli", "serve", "--port", "0"]
    with serve_emulator(emulator()) as clouds:
        env = environment(clouds.url, SGGUARD_DEADLINE_S="0.5")
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=env
        ) as process:
            try:
                yield process.stdout.readline().decode().strip().rpartition("/")[0]
            finally:
                process.kill()


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=10) as client:
        yield client


def test_every_function_says_under_its_name_what_it_is(url, http):
    assert http.get(url).json() == {"functions": [f"/{name}" for name in NAMES]}
    for name in NAMES:
        for path in (f"/{name}", f"/{name}/", f"/{name}/invoke?access_token=x"):
            assert http.get(url + path).json()["function"] == name


@pytest.mark.parametrize("path", ["/nothing", "/delete_requests", "/DELETE_REQUEST"])
@pytest.mark.sampled(4)
def test_an_unknown_name_is_404_with_the_list_of_known_ones(url, http, path):
    answer = http.post(url + path, json={})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert all(name in answer.json()["detail"] for name in NAMES)
    chinese = http.post(url + path, json={}, headers={"accept-language": "zh-CN"})
    assert chinese.json()["detail"].startswith("没有此函数，可用的函数：/")  # noqa: RUF001 - Chinese
    assert chinese.headers["content-language"] == "zh-CN"


def test_every_function_refuses_in_the_language_of_its_caller(url, http):
    for name in NAMES:
        sent = {"content-type": "text/xml", "accept-language": "zh-CN"}
        found = http.post(f"{url}/{name}", content=b"<x/>", headers=sent).json()
        assert schemas.problems("problem", found) == ()
        require_chinese(found)


def test_every_cloud_is_judged(url, http):
    for cloud in CLOUDS:
        wanted = {"target": address(world_of(cloud), "free")}
        assert http.post(f"{url}/delete_request", json=wanted).json()["verdict"] == "allow"


def test_a_body_that_is_too_large_is_refused_and_the_next_request_is_not_lost(url, http):
    for _ in range(5):
        assert http.post(f"{url}/delete_request", content=b" " * 3_000_000).status_code == 413
        assert http.post(f"{url}/instance_launch", content=b"{}").status_code == 400


def test_a_sender_that_stalls_gets_503_at_the_deadline(url):
    port = int(url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=300) as connection:
        connection.sendall(
            b"POST /delete_request HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"
        )
        response = b"".join(iter(lambda: connection.recv(65536), b""))
    assert response.startswith(b"HTTP/1.1 503 ")
    assert b"used up before it arrived" in response


def test_a_port_in_use_is_an_oserror(url):
    port = int(url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"), server.serve("127.0.0.1", port):
        pass
