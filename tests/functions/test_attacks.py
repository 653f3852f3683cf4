"""The real functions as processes, attacked over real sockets, with every cloud behind them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest

from sgguard.emulator.faults import Fault
from sgguard.emulator.server import Running, serve
from sgguard.telemetry.logs import Fields
from tests.deployment import CLOUDS, FunctionProcess, address, emulator, functions, secrets
from tests.functions.conftest import TYPES
from tests.worlds import world_of

MIB = 1024 * 1024
SHORT_S = 0.6
WATCHDOG_S = 300  # for what never ends; no test measures seconds

LENT = {
    "x-fc-access-key-id": "LTAI-s3cret-id",
    "x-fc-access-key-secret": "s3cret-key",
    "x-fc-security-token": "s3cret-token",
    "X-CFF-Security-Access-Key": "s3cret-access",
    "X-CFF-Security-Secret-Key": "s3cret-huawei",
    "X-CFF-Security-Token": "s3cret-huawei-token",
    "X-Scf-Secret-Id": "s3cret-scf-id",
    "X-Scf-Secret-Key": "s3cret-scf",
    "X-Scf-Session-Token": "s3cret-scf-token",
    "Authorization": "Bearer s3cret-bearer",
    "Proxy-Authorization": "Basic s3cret-proxy",
    "X-Auth-Token": "s3cret-keystone",
    "Cookie": "session=s3cret-cookie",
}
"""What runtimes put into a request: credentials, under each one's own header names."""


@pytest.fixture(scope="module")
def clouds() -> Iterator[Running]:
    with serve(emulator()) as running:
        yield running


@pytest.fixture(scope="module")
def unhurried(clouds) -> Iterator[dict[str, FunctionProcess]]:
    # The emulator has no rates here: no request waits for its turn.
    with functions(clouds.url, *TYPES, SGGUARD_DEADLINE_S="30", SGGUARD_PACE="50") as actors:
        yield actors
        for actor in actors.values():
            assert_only_known_fields(actor.child.output())


@pytest.fixture(scope="module")
def deadlined(clouds) -> Iterator[FunctionProcess]:
    with functions(clouds.url, "delete_request", SGGUARD_DEADLINE_S=str(SHORT_S)) as actors:
        yield actors["delete_request"]
        assert_only_known_fields(actors["delete_request"].child.output())


@pytest.fixture(autouse=True)
def no_faults_left(clouds) -> Iterator[None]:
    yield
    clouds.emulator.faults.clear()
    clouds.emulator.sleep = time.sleep


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    # Shorter than a server keeps an idle connection: a request on a closed one would be lost.
    limits = httpx.Limits(max_connections=128, keepalive_expiry=0.5)
    with httpx.Client(trust_env=False, timeout=WATCHDOG_S, limits=limits) as client:
        yield client


def assert_only_known_fields(log: str) -> None:
    """Every line is JSON, has fields of the list only, and no secret of any cloud."""
    known = {"ts", "level", "msg", *Fields.__annotations__}
    for line in log.splitlines():
        assert json.loads(line).keys() <= known
    assert not [secret for secret in secrets() if secret in log]
    assert "s3cret" not in log


def free(cloud: str) -> dict[str, str]:
    return {"target": address(world_of(cloud), "free")}


def planned(cloud: str) -> dict[str, object]:
    world = world_of(cloud)
    return {"provider": cloud, "region": world.region, "groups": [world.free]}


# -- the events themselves: at once, twice, mixed ------------------------------------------------


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.sampled(6)
def test_both_functions_judge_every_cloud(unhurried, http, cloud):
    for name, data in (("delete_request", free(cloud)), ("instance_launch", planned(cloud))):
        answer = http.post(unhurried[name].url, json=data)
        assert (answer.status_code, answer.json()["verdict"]) == (200, "allow")


def test_sixty_four_senders_at_once_each_get_their_own_answer(unhurried, http):
    verdicts = {"free": "allow", "referenced": "block", "bound": "block", "missing": "block"}

    def ask(number: int) -> None:
        cloud = CLOUDS[number % len(CLOUDS)]
        who = list(verdicts)[number // len(CLOUDS) % len(verdicts)]
        wanted = {"id": f"event-{number}", "target": address(world_of(cloud), who)}
        answer = http.post(unhurried["delete_request"].url, json=wanted)
        told = answer.json()
        assert (answer.status_code, told["verdict"]) == (200, verdicts[who])
        assert (told["event_id"], told["target"]) == (wanted["id"], [wanted["target"]])
        if number % 8 == 0:
            launch = http.post(unhurried["instance_launch"].url, json=planned(cloud))
            assert launch.json()["verdict"] == "allow"

    with ThreadPoolExecutor(64) as senders:
        list(senders.map(ask, range(64)))


def test_a_batch_of_every_cloud_with_wrong_repeated_and_late_events_is_answered_one_by_one(
    unhurried, http
):
    actor = unhurried["delete_request"]

    def event(number: int, data: object, **more: object) -> dict[str, object]:
        kind = TYPES["delete_request"]
        base = {"specversion": "1.0", "id": str(number), "source": "/bus", "type": kind}
        return {**base, "data": data, **more}

    good = [event(n, free(cloud)) for n, cloud in enumerate(CLOUDS)]
    blocked = [
        event(10 + n, {"target": address(world_of(cloud), "referenced")})
        for n, cloud in enumerate(CLOUDS)
    ]
    late = event(20, free("alibaba"), time="1999-12-31T23:59:60Z")
    wrong = [event(30, {"target": 7}), {"id": "31"}, None, [], 7, "x", event(32, None)]
    batch = [*reversed(good), late, *blocked, *wrong, good[0], good[0]]
    answer = http.post(
        actor.url,
        content=json.dumps(batch),
        headers={"content-type": "application/cloudevents-batch+json"},
    )
    assert answer.status_code == 200
    told = answer.json()
    assert len(told) == len(batch)
    verdicts = [one["data"].get("verdict", one["data"].get("status")) for one in told]
    decided = ["allow"] * 6 + ["block"] * 5
    assert verdicts == [*decided, *[400] * len(wrong), "allow", "allow"]
    # The event that came three times has one decision; every other answer is its own.
    assert len({one["id"] for one in told}) == len(batch) - 2
    ids = [one["data"]["event_id"] for one in told if "event_id" in one["data"]]
    assert ids[:5] == ["4", "3", "2", "1", "0"]
    assert ids[-2:] == ["0", "0"]


def test_a_batch_of_a_hundred_is_answered_and_one_more_is_too_large(unhurried, http):
    kind = TYPES["delete_request"]
    event = {"specversion": "1.0", "source": "/bus", "type": kind, "data": free("alibaba")}
    headers = {"content-type": "application/cloudevents-batch+json"}
    for count, status in ((100, 200), (101, 413)):
        batch = json.dumps([{**event, "id": str(n)} for n in range(count)])
        answer = http.post(unhurried["delete_request"].url, content=batch, headers=headers)
        assert answer.status_code == status
        if status == 200:
            assert [one["data"]["event_id"] for one in answer.json()] == [
                str(n) for n in range(100)
            ]


def test_two_instances_with_the_same_request_at_once_give_the_same_decision(
    clouds, unhurried, http
):
    def ask(actor: FunctionProcess) -> list[str]:
        answers = [http.post(actor.url, json=free(cloud)).json() for cloud in CLOUDS]
        return [(one["event_id"], one["verdict"]) for one in answers]

    with (
        functions(clouds.url, "delete_request", SGGUARD_DEADLINE_S="30") as others,
        ThreadPoolExecutor(8) as senders,
    ):
        pair = [unhurried["delete_request"], others["delete_request"]]
        said = list(senders.map(ask, pair * 3))
    assert all(one == said[0] for one in said)


# -- malformed requests ---------------------------------------------------------------------


HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
LENT_LINES = "".join(f"{name}: {value}\r\n" for name, value in LENT.items()).encode()

MALFORMED = {
    "shorter than announced": (HEAD + b"Content-Length: 99\r\n\r\n{}", 400),
    "no chunk size": (HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n", 400),
    "half a chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}", 400),
    "no last chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", 400),
    "more than any number": (HEAD + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n{}", 413),
    "negative": (HEAD + b"Content-Length: -1\r\n\r\n{}", 400),
    "two lengths": (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
    "length and chunks": (
        HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        400,
    ),
    "another coding": (HEAD + b"Transfer-Encoding: gzip\r\n\r\n{}", 400),
    "empty": (HEAD + b"Content-Length: 0\r\n\r\n", 400),
    "no length at all": (HEAD + b"\r\n", 400),
    "a header with NUL": (HEAD + b"x-a: s3cret\x00\r\nContent-Length: 2\r\n\r\n{}", 400),
    "a folded header": (HEAD + b"x-a: a\r\n  s3cret\r\nContent-Length: 2\r\n\r\n{}", 400),
    "a header of 30 KB": (HEAD + b"x-a: " + b"s3cret" * 5000 + b"\r\n\r\n", 431),
    "500 headers": (
        HEAD + b"".join(b"x-%d: s3cret\r\n" % n for n in range(500)) + b"\r\n",
        431,
    ),
    "an id twice": (HEAD + b"ce-id: 1\r\nce-id: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
    "Latin-1 in a header": (HEAD + b"ce-id: \xe9\r\nContent-Length: 2\r\n\r\n{}", 400),
    "bytes that are no text": (HEAD + b"Content-Length: 2\r\n\r\n\xff\xfe", 400),
    "deep": (HEAD + b"Content-Length: 100000\r\n\r\n" + b"[" * 100_000, 400),
    "a path upwards": (
        b"POST /../..//%00%ff?token=s3cret HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
        404,
    ),
    "a path of 60 KB": (
        b"POST /" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
        404,
    ),
    "another method": (b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 405),
    "a favicon": (b"GET /favicon.ico?token=s3cret HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    "a version nobody knows": (b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", 400),
}


@pytest.mark.parametrize("case", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.sampled(32)
def test_a_malformed_request_is_refused_and_its_headers_are_not_repeated(deadlined, case):
    raw, status = case
    line, end, rest = raw.partition(b"\r\n")
    answer = deadlined.send(line + end + LENT_LINES + rest, is_half_closed=True)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"s3cret" not in answer


@pytest.mark.parametrize("kind", ["announced", "chunked"])
@pytest.mark.sampled(2)
def test_a_body_that_is_far_too_large_is_refused_and_never_held_in_memory(deadlined, http, kind):
    http.post(deadlined.url, content=b"{}")
    before = deadlined.resident_mib()
    whole = b" " * (60 * MIB)
    pieces = (b" " * 65536 for _ in range(60 * 16))
    answer = http.post(deadlined.url, content=whole if kind == "announced" else pieces)
    assert answer.status_code == 413
    assert answer.json()["type"].endswith("/too-large")
    assert deadlined.resident_mib() < before + 20


@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
@pytest.mark.sampled(4)
def test_an_unexpected_body_is_never_held_in_memory(deadlined, http, method):
    before = deadlined.resident_mib()
    http.request(method, deadlined.url, content=b" " * (60 * MIB))
    assert deadlined.resident_mib() < before + 20


SLOW = {
    "nothing more comes": (b"Content-Length: 1000\r\n\r\n{", b""),
    "a byte at a time": (b"Content-Length: 1000\r\n\r\n{", b" "),
    "a chunk at a time": (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
}


@pytest.mark.parametrize("case", SLOW.values(), ids=SLOW)
def test_a_sender_that_stalls_gets_503_at_the_deadline(deadlined, case):
    head, drop = case
    is_over = threading.Event()
    with socket.create_connection(("127.0.0.1", deadlined.port), timeout=WATCHDOG_S) as connection:
        connection.sendall(HEAD + head)
        dripping = threading.Thread(target=drip, args=(connection, drop, is_over))
        dripping.start()
        # It is answered although its sender never ends the body.
        answer = connection.recv(65536)
        is_over.set()
        dripping.join()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 1" in answer


def drip(connection: socket.socket, drop: bytes, is_over: threading.Event) -> None:
    while drop and not is_over.wait(0.05):
        try:
            connection.sendall(drop)
        except OSError:
            return


def test_stalled_senders_do_not_block_other_requests(deadlined, http):
    """As many as there are threads, and more: each holds one for the deadline at most."""
    stalled = []
    for _ in range(12):
        connection = socket.create_connection(("127.0.0.1", deadlined.port), timeout=WATCHDOG_S)
        connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{")
        stalled.append(connection)
    # Their bodies never end: without the deadline this request would wait for ever.
    assert http.post(deadlined.url, json=free("alibaba")).status_code == 200
    for connection in stalled:
        connection.close()


# -- credentials that a runtime lends -------------------------------------------------------------


@pytest.mark.parametrize(
    "case",
    [
        ("POST", free("tencent"), 200),
        ("POST", {"target": "nonsense"}, 400),
        ("POST", {"target": "nimbus::north:sg-1"}, 422),
        ("POST", {"target": address(world_of("tencent"), "free").replace("::", ":other:")}, 422),
        ("POST", [], 400),
        ("PUT", {}, 405),
        ("GET", None, 200),
        ("OPTIONS", None, 204),
    ],
    ids=str,
)
@pytest.mark.sampled(4)
def test_credentials_lent_in_headers_never_come_back(unhurried, http, case):
    method, data, status = case
    actor = unhurried["delete_request"]
    content = b"" if data is None else json.dumps(data).encode()
    for path in ("", "invoke?access_token=s3cret"):
        answer = http.request(method, actor.url + path, content=content, headers=LENT)
        assert answer.status_code == status
        assert "s3cret" not in answer.text + str(answer.headers)
    assert "s3cret" not in actor.child.output()


def test_no_secret_of_any_cloud_is_in_any_answer(unhurried, http):
    known = secrets()
    assert len(known) == 7
    for cloud in CLOUDS:
        world = world_of(cloud)
        for who in ("free", "referenced", "bound", "missing"):
            text = http.post(
                unhurried["delete_request"].url, json={"target": address(world, who)}
            ).text
            assert not [secret for secret in known if secret in text]


# -- clouds that are slow, busy or gone ----------------------------------------------------------


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.sampled(3)
def test_a_cloud_that_is_too_slow_is_not_waited_for(deadlined, clouds, http, cloud):
    is_answered = threading.Event()
    clouds.emulator.sleep = lambda _: is_answered.wait(WATCHDOG_S)
    clouds.emulator.faults.append(Fault("latency", provider=cloud, count=99, latency_ms=1))
    # The cloud responds only once the function has.
    answer = http.post(deadlined.url, json=free(cloud))
    is_answered.set()
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


def test_throttling_clouds_mean_retry_later(clouds, http):
    """A process of its own: the pace stays slow after a throttle, and that is as it should be."""
    clouds.emulator.faults.append(Fault("throttle", count=999))
    with functions(clouds.url, "delete_request", SGGUARD_DEADLINE_S=str(SHORT_S)) as actors:
        for cloud in CLOUDS:
            answer = http.post(actors["delete_request"].url, json=free(cloud))
            assert answer.status_code in (429, 503), cloud
            assert answer.headers["content-type"] == "application/problem+json"
            assert int(answer.headers["retry-after"]) >= 1


def test_a_cloud_that_is_killed_during_a_decision_means_retry_later(http, clouds):
    with emulating() as (url, process):
        httpx.put(f"{url}/_emulator/scenario", json=clouds.emulator.state.dump(), trust_env=False)
        fault = {"kind": "latency", "count": 99, "latency_ms": 5_000}
        httpx.post(f"{url}/_emulator/faults", json=fault, trust_env=False)

        def is_asked() -> bool:
            faults = httpx.post(f"{url}/_emulator/faults", json=[], trust_env=False).json()
            return faults["faults"][0]["count"] < 99

        with (
            functions(url, "delete_request", SGGUARD_DEADLINE_S="3") as actors,
            ThreadPoolExecutor(1) as sender,
        ):
            actor = actors["delete_request"]
            under_way = sender.submit(http.post, actor.url, json=free("tencent"))
            wait_for(is_asked)
            process.kill()
            answer = under_way.result()
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json()["type"].endswith("/cloud-unavailable")
            assert_only_known_fields(actor.child.output())


@contextmanager
def emulating() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """`sgguard emulate` as a process of its own, with its address."""
    command = [sys.executable, "-m", "sgguard.cli", "emulate"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            yield json.loads(process.stdout.readline())["url"], process
        finally:
            process.kill()


def wait_for(is_so: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + WATCHDOG_S
    while not is_so():
        if time.monotonic() > give_up_s:
            raise TimeoutError("it never came about")
        time.sleep(0.01)


@pytest.mark.slow
def test_a_request_under_way_is_answered_when_the_platform_ends_the_function(clouds, http):
    with (
        functions(clouds.url, "delete_request", SGGUARD_DEADLINE_S="5") as actors,
        ThreadPoolExecutor(1) as sender,
    ):
        actor = actors["delete_request"]
        slow = Fault("latency", provider="alibaba", count=99, latency_ms=500)
        clouds.emulator.faults.append(slow)
        under_way = sender.submit(
            httpx.post, actor.url, json=free("alibaba"), trust_env=False, timeout=10
        )
        wait_for(lambda: slow.count < 99)
        actor.child.process.send_signal(signal.SIGTERM)
        answer = under_way.result()
        assert (answer.status_code, answer.json()["verdict"]) == (200, "allow")
        assert actor.child.process.wait(10) == 0


# -- what all of this left behind ----------------------------------------------------------------


def test_nothing_was_changed_in_any_cloud_and_every_call_only_read(unhurried, clouds, http):
    whole = emulator().state.dump()
    clouds.emulator.requests.clear()
    for cloud in CLOUDS:
        for who in ("free", "referenced", "bound", "default", "missing"):
            if target := getattr(world_of(cloud), who):
                wanted = {"target": f"{cloud}::{world_of(cloud).region}:{target}"}
                answer = http.post(unhurried["delete_request"].url, json=wanted).json()
                is_left = answer["verdict"] == "allow"
                outcome = "left-to-caller" if is_left else "unchanged"
                assert (answer["mode"], answer["outcome"]) == ("observe", outcome)
        assert http.post(unhurried["instance_launch"].url, json=planned(cloud)).status_code == 200
    assert clouds.emulator.state.dump() == whole
    actions = {request.action for request in clouds.emulator.requests}
    assert len(actions) > len(CLOUDS)
    assert not [a for a in actions if not a.startswith(("Describe", "GET ", "POST /v3/auth/"))]


@pytest.mark.slow
def test_an_event_of_sixty_four_kilobytes_is_read_as_every_bus_may_send_it(unhurried, http):
    """CloudEvents 1.0, "Size Limits": what is as large must be forwarded by everybody."""
    kind = TYPES["delete_request"]
    event = {"specversion": "1.0", "id": "64 KiB", "source": "/bus", "type": kind}
    body = json.dumps({**event, "data": free("alibaba")}).encode().ljust(65_536)
    headers = {"content-type": "application/cloudevents+json"}
    answer = http.post(unhurried["delete_request"].url, content=body, headers=headers)
    assert answer.json()["data"]["verdict"] == "allow"


# -- in the long run -----------------------------------------------------------------------------


@pytest.mark.slow
def test_two_thousand_requests_leave_the_memory_as_it_was(unhurried, http):
    actor = unhurried["delete_request"]
    bodies = [
        json.dumps({"id": "i", **free("openstack")}).encode(),
        json.dumps({"target": address(world_of("openstack"), "referenced")}).encode(),
        b'{"target": 7, "unknown": true}',
        b"[" * 1000,
        b'{"target": "nimbus::north:sg-1"}',
        b" " * (MIB + 1),
    ]

    def ask(number: int) -> int:
        return http.post(actor.url, content=bodies[number % len(bodies)]).status_code

    with ThreadPoolExecutor(16) as senders:
        list(senders.map(ask, range(400)))
        before = actor.resident_mib()
        statuses = Counter(senders.map(ask, range(2_000)))
    assert statuses.keys() == {200, 400, 422, 413}
    assert actor.resident_mib() < before + 8
