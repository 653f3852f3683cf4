"""Faulty servers in place of a cloud: no allow, no wait past the deadline, no secret quoted."""

from __future__ import annotations

import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from sgguard.emulator.faults import Fault
from sgguard.emulator.server import Running, serve
from sgguard.wire.pacing import LANES
from sgguard.wire.parallel import parallel
from tests.deployment import CLOUDS, address, emulator, environment, secrets
from tests.functions.conftest import Function
from tests.worlds import world_of

DEADLINE_S = 0.5
WATCHDOG_S = 300

Behaviour = Callable[[socket.socket, bytes], None]


@contextmanager
def answering(behave: Behaviour) -> Iterator[tuple[str, list[bytes]]]:
    """A server that does as told with every connection; gives its address and what it was sent."""
    sent: list[bytes] = []

    def one(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            sent.append(connection.recv(65536))
            behave(connection, sent[-1])

    def all_of_them() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=one, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=all_of_them, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", sent
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@dataclass(frozen=True)
class Asked:
    """The response of a function about one cloud's free group."""

    cloud: str
    answer: Any


@pytest.fixture
def ask(framework, monkeypatch) -> Callable[..., list[Asked]]:
    """Ask whether each cloud's free group may be deleted, all at once."""
    function: Function = framework("delete_request")

    def one(cloud: str) -> Asked:
        mine = Function(function.name, function.client.application.test_client())
        return Asked(cloud, mine.ask({"target": address(world_of(cloud), "free")}))

    def asked(url: str, *clouds: str, deadline_s: float = DEADLINE_S) -> list[Asked]:
        for name, value in environment(url, SGGUARD_DEADLINE_S=str(deadline_s)).items():
            monkeypatch.setenv(name, value)
        # On the threads of the process, which stay, as a server's do: clients are kept per thread.
        return parallel([partial(one, cloud) for cloud in clouds or CLOUDS])

    return asked


@pytest.fixture(autouse=True)
def unpaced() -> Iterator[None]:
    """No test waits for the pace another one left behind."""
    LANES._lanes.clear()
    yield
    LANES._lanes.clear()


def head(more: str = "", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{more}\r\n".encode()


def whole(body: bytes, status: str = "200 OK", more: str = "") -> bytes:
    return head(f"Content-Length: {len(body)}\r\n{more}", status) + body


def silent(connection: socket.socket, _: bytes) -> None:
    connection.settimeout(WATCHDOG_S)
    connection.recv(1)  # until the caller hangs up


def hung_up(connection: socket.socket, _: bytes) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def no_http(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"\x15\x03\x01\x00\x02\x02\x50")


def cut_off(connection: socket.socket, _: bytes) -> None:
    connection.sendall(head("Content-Length: 100\r\n") + b"{}")


def no_gzip(connection: socket.socket, _: bytes) -> None:
    connection.sendall(whole(b"{}", more="Content-Encoding: gzip\r\n"))


def no_text(connection: socket.socket, _: bytes) -> None:
    connection.sendall(whole(b"\xff\xfe{}", more="X-Subject-Token: t\r\n"))


def moved(connection: socket.socket, _: bytes) -> None:
    connection.sendall(whole(b"", "307 Moved", "Location: http://127.0.0.1:1/elsewhere\r\n"))


def patience_without_end(connection: socket.socket, _: bytes) -> None:
    connection.sendall(whole(b"{}", "503 Busy", f"Retry-After: {'9' * 20}\r\n"))


def patience_in_no_number(connection: socket.socket, _: bytes) -> None:
    connection.sendall(whole(b"{}", "503 Busy", "Retry-After: nan\r\nDate: then\r\n"))


BEHAVIOURS = [
    silent,
    hung_up,
    no_http,
    cut_off,
    no_gzip,
    no_text,
    moved,
    patience_without_end,
    patience_in_no_number,
]


@pytest.mark.parametrize("behave", BEHAVIOURS, ids=lambda behave: behave.__name__)
@pytest.mark.sampled(7)
def test_any_server_in_place_of_a_cloud_gets_nothing_allowed_within_the_deadline(ask, behave):
    with answering(behave) as (url, _):
        results = ask(url)
    for asked in results:
        assert asked.answer.status_code in (200, 429, 503)
        if asked.answer.status_code == 200:
            decision = asked.answer.get_json()
            assert decision["verdict"] == "block"
            assert decision["facts"]["complete"] is False
        else:
            assert 1 <= int(asked.answer.headers["Retry-After"]) <= 3600


def test_a_redirect_is_not_followed_with_credentials(ask):
    with answering(hung_up) as (elsewhere, stolen):

        def redirect(connection: socket.socket, _: bytes) -> None:
            connection.sendall(whole(b"", "307 Moved", f"Location: {elsewhere}/\r\n"))

        with answering(redirect) as (url, sent):
            ask(url)
    assert len(sent) >= len(CLOUDS)
    assert not stolen


# -- answers that quote the request ---------------------------------------------------------------


def quoting(status: str, code: str) -> Behaviour:
    """An error in the shape of every cloud at once, whose text is the request that was sent."""

    def behave(connection: socket.socket, sent: bytes) -> None:
        text = sent.decode("latin-1")
        document = {
            "Response": {"Error": {"Code": code, "Message": text}, "RequestId": "r"},
            "code": 4100,
            "message": text,
            "Code": code,
            "Message": text,
            "RequestId": "r",
            "error": {"code": int(status[:3]), "message": text, "title": status[4:]},
            "error_code": "APIGW.0301",
            "error_msg": text,
            "request_id": "r",
        }
        connection.sendall(whole(json.dumps(document).encode(), status))

    return behave


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("401 Unauthorized", "AuthFailure.SignatureFailure"),
        ("400 Bad Request", "SignatureDoesNotMatch"),
        ("200 OK", "AuthFailure.TokenFailure"),
        ("500 Internal", "InternalError"),
        ("502 Bad Gateway", "Whatever.Nobody.Documents"),
    ],
    ids=lambda value: value,
)
@pytest.mark.sampled(6)
def test_a_cloud_that_quotes_the_signed_request_leaks_no_secret(ask, capsys, status, code):
    with answering(quoting(status, code)) as (url, sent):
        results = ask(url)
    assert len(sent) >= len(CLOUDS)
    told = capsys.readouterr().err
    told += "".join(a.answer.get_data(as_text=True) + str(a.answer.headers) for a in results)
    assert not [secret for secret in secrets() if secret in told]
    assert "Signature=" not in told


# -- slow and large, byte by byte ----------------------------------------------------------------


DRIPS = 100
sent_whole: list[int] = []


def drip(connection: socket.socket, drop: bytes) -> None:
    """Send a drop every tenth of a second for as long as the caller reads; note the end."""
    for _ in range(DRIPS):
        connection.sendall(drop)
        threading.Event().wait(0.1)
    sent_whole.append(DRIPS)


def dripping_body(connection: socket.socket, _: bytes) -> None:
    connection.sendall(head("Content-Length: 1000\r\n"))
    drip(connection, b" ")


def dripping_head(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    drip(connection, b"x: 1\r\n")


@pytest.mark.slow
@pytest.mark.parametrize("behave", [dripping_body, dripping_head], ids=["body", "head"])
def test_a_cloud_that_answers_a_byte_at_a_time_is_not_waited_for(ask, behave):
    sent_whole.clear()
    with answering(behave) as (url, _):
        (asked,) = ask(url, "alibaba")
    assert asked.answer.status_code == 503
    assert not sent_whole, "every drop was waited for"


def large(connection: socket.socket, _: bytes) -> None:
    connection.sendall(head("Transfer-Encoding: chunked\r\n"))
    for _ in range(20):
        connection.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")
    connection.sendall(b"0\r\n\r\n")


def packed(connection: socket.socket, _: bytes) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = packer.compress(b" " * (20 << 20)) + packer.flush()
    connection.sendall(whole(body, more="Content-Encoding: gzip\r\n"))


@pytest.mark.slow
@pytest.mark.parametrize("behave", [large, packed], ids=["chunked", "packed"])
def test_an_answer_larger_than_any_list_of_groups_is_not_held_in_memory(ask, behave, monkeypatch):
    import httpx  # noqa: PLC0415 - only to see how much of the answer it was given to hold

    held: list[int] = []
    whole_body = httpx.Response.content.fget

    def content(response: httpx.Response) -> bytes:
        body = whole_body(response)
        held.append(len(body))
        return body

    monkeypatch.setattr(httpx.Response, "content", property(content))
    with answering(behave) as (url, _):
        ask(url, "alibaba", deadline_s=3.0)
    assert max(held, default=0) < 16 << 20


@pytest.mark.slow
def test_an_endless_retry_after_is_capped_and_the_next_request_is_made(ask):
    calls: list[int] = []

    def busy_once(connection: socket.socket, _: bytes) -> None:
        calls.append(1)
        connection.sendall(whole(b"{}", "429 Busy", f"Retry-After: {'9' * 12}\r\n"))

    with answering(busy_once) as (url, _):
        (first,) = ask(url, "openstack", deadline_s=5.0)
        assert first.answer.status_code == 429
        count = len(calls)
        (again,) = ask(url, "openstack", deadline_s=5.0)
        assert int(again.answer.headers["Retry-After"]) <= 3600
        assert len(calls) > count


# -- 200 and garbage -----------------------------------------------------------------------------


GARBAGE = {
    "a page": "<html>not what you asked for</html>",
    "nothing": "",
    "null": "null",
    "an empty object": "{}",
    "half of it": '{"Response": {"RequestId": "r"',
    "an answer without its content": '{"Response": {"RequestId": "r", "TotalCount": 0}}',
    "null in place of an answer": '{"Response": null}',
    "success without data": '{"code": 0, "message": "", "codeDesc": "Success"}',
    "only a request id": '{"RequestId": "r"}',
    "lists that are null": (
        '{"security_groups": null, "security_group_rules": null, "ports": null, "quota": null,'
        ' "sub_network_interfaces": null, "server": null, "quotas": null}'
    ),
    "deep": "[" * 50_000,
    "an error with 200": '{"error_code": "X", "error_msg": "x", "request_id": "1"}',
}
# Calls whose answer carries a warning but no verdict: (cloud, function) and the action.
ONLY_WARNS = {
    ("huawei", "instance_launch"): "GET /v3/{project_id}/vpc/security-group-rules",
}


def questions(cloud: str) -> list[tuple[str, dict[str, object]]]:
    world = world_of(cloud)
    place = {"provider": cloud, "region": world.region}
    return [
        ("delete_request", {"target": address(world, "free")}),
        ("instance_launch", {**place, "groups": [world.free]}),
        ("instance_launch", {**place, "instance_id": world.server}),
    ]


@pytest.fixture(scope="module")
def clouds() -> Iterator[Running]:
    with serve(emulator()) as running:
        yield running


@pytest.fixture
def actors(framework, monkeypatch, clouds) -> dict[str, Function]:
    for name, value in environment(clouds.url, SGGUARD_DEADLINE_S="5").items():
        monkeypatch.setenv(name, value)
    return {name: framework(name) for name in ("delete_request", "instance_launch")}


def assert_garbage_allows_nothing(
    actors: dict[str, Function], clouds: Running, cloud: str, bodies: list[str]
) -> None:
    """Put garbage in the place of each call of each allowed question in turn."""
    tried = 0
    for name, data in questions(cloud):
        clouds.emulator.faults.clear()
        clouds.emulator.requests.clear()
        LANES._lanes.clear()
        verdict = actors[name].ask(data).get_json().get("verdict")
        # A token that is kept need not be asked for, so garbage in its place reaches nobody.
        actions = {r.action for r in clouds.emulator.requests if "auth/tokens" not in r.action}
        actions.discard(ONLY_WARNS.get((cloud, name), ""))
        for action in sorted(actions) if verdict == "allow" else []:
            for body in bodies:
                clouds.emulator.faults[:] = [
                    Fault("garbage", provider=cloud, action=action, count=999, body=body)
                ]
                LANES._lanes.clear()
                answer = actors[name].ask(data)
                assert answer.status_code in (200, 503), (action, body)
                assert answer.get_json().get("verdict", "block") == "block", (action, body)
                tried += 1
    clouds.emulator.faults.clear()
    assert tried >= 6 * len(bodies)


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.sampled(5)
def test_garbage_with_a_success_status_in_the_place_of_any_one_call_allows_nothing(
    actors, clouds, cloud
):
    assert_garbage_allows_nothing(actors, clouds, cloud, [GARBAGE["an empty object"]])


@pytest.mark.slow
@pytest.mark.parametrize("cloud", CLOUDS)
def test_no_kind_of_garbage_in_the_place_of_any_one_call_allows_anything(actors, clouds, cloud):
    assert_garbage_allows_nothing(actors, clouds, cloud, list(GARBAGE.values()))
