"""Invalid and concurrent control requests: the emulator refuses them and keeps serving."""

from __future__ import annotations

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.emulator import control, mock_clouds
from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import DroppedConnectionError, Fault
from sgguard.emulator.scenario import parse
from sgguard.emulator.server import serve
from tests.deployment import CLOUDS, emulator
from tests.examples import examples

FAULTS = "/_emulator/faults"
SCENARIO = "/_emulator/scenario"


@pytest.fixture(scope="module")
def server():
    with serve(emulator()) as running:
        yield running


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client
        client.delete(FAULTS)


def ask(client: httpx.Client) -> httpx.Response:
    return client.post("/", headers={"x-tc-action": "DescribeSecurityGroups"}, content=b"{}")


# -- orders that do not fit ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"latency_ms": -1}, "fault.latency_ms: expected 0 to"),
        ({"latency_ms": 1e300}, "fault.latency_ms: expected 0 to"),
        ({"skip": -1}, "fault.skip: expected at least 0"),
        ({"status": 0}, "fault.status: expected 200 to 599"),
        ({"status": 99}, "fault.status: expected 200 to 599"),
        ({"status": 101}, "fault.status: expected 200 to 599"),
        ({"status": 1000}, "fault.status: expected 200 to 599"),
        ({"status": True}, "fault.status: expected int"),
        ({"content_type": "a\r\nset-cookie: b"}, "fault.content_type: expected printable"),
        ({"content_type": "ü"}, "fault.content_type: expected printable"),
    ],
    ids=str,
)
@pytest.mark.sampled(8)
def test_a_fault_that_no_server_could_do_is_refused_and_not_kept(client, server, more, said):
    answer = client.post(FAULTS, json={"kind": "garbage", **more})
    assert answer.status_code == 400
    assert said in answer.json()["detail"]
    assert not server.emulator.faults


RAW = {
    "not a number": b'{"kind": "latency", "latency_ms": NaN}',
    "infinite": b'{"kind": "latency", "latency_ms": 1e999}',
    "half a surrogate pair": b'{"kind": "garbage", "body": "\\ud800"}',
    "deep JSON": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep TOML": b"a = " + b"[" * 100_000,
    "many digits": b'{"kind": "drop", "count": ' + b"9" * 5_000 + b"}",
    "no text": b"\xff\xfe",
    "null": b"null",
    "a number": b"1",
    "a list of texts": b'["drop"]',
    "a TOML date": b"kind = 2026-01-01",
    "a good one and a bad one": b'[{"kind": "drop"}, {"kind": "bang"}]',
}


@pytest.mark.parametrize("body", RAW.values(), ids=RAW)
@pytest.mark.sampled(12)
def test_a_body_that_cannot_be_an_order_changes_nothing(client, server, body):
    before = server.emulator.state.dump()
    for method, path in (("POST", FAULTS), ("PUT", SCENARIO)):
        answer = client.request(method, path, content=body)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
    assert not server.emulator.faults
    assert server.emulator.state.dump() == before
    assert client.get("/_emulator/state").status_code == 200


SMALL = {"clouds": [{"provider": "tencent-dfw", "groups": [{"id": "sg-00000001"}]}]}
KEYS = ("regions", "accounts", "groups", "instances", "interfaces", "limits", "quirks", "rates")

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 700)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
fault_tables = st.dictionaries(
    st.sampled_from([*Fault.__dataclass_fields__, "other"]), json_values, max_size=5
)


@given(order=fault_tables | st.lists(fault_tables, max_size=3) | json_values)
@examples(60)
def test_whatever_is_ordered_is_refused_or_done(order):
    clouds = Emulator.load(SMALL, sleep=lambda _: None)
    wanted = httpx.Request("POST", f"http://x{FAULTS}", content=json.dumps(order).encode())
    answer = control.respond(clouds, wanted)
    assert answer.status_code in (201, 400)
    if answer.status_code == 400:
        assert not clouds.faults
    for _ in range(3):
        call = httpx.Request(
            "POST", "http://x/v2/index.php", content=b"Action=DescribeSecurityGroups"
        )
        with suppress(DroppedConnectionError):
            assert 200 <= clouds.handle(call).status_code < 600


@given(
    clouds=json_values
    | st.lists(st.dictionaries(st.sampled_from(["provider", *KEYS]), json_values))
)
@examples(60)
def test_whatever_stands_in_a_scenario_is_refused_with_its_path_or_loads(clouds):
    running = Emulator.load(SMALL)
    before = running.state.dump()
    body = json.dumps({"clouds": clouds}).encode()
    answer = control.respond(running, httpx.Request("PUT", f"http://x{SCENARIO}", content=body))
    if answer.status_code == 200:
        assert clouds == []
    else:
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith("clouds")
        assert running.state.dump() == before


def test_an_unsupported_cloud_is_refused_in_every_delivery(client, server):
    scenario = {"clouds": [{"provider": "tencnt"}]}
    said = "clouds[0].provider: expected one of alibaba, huawei, openstack"
    before = server.emulator.state.dump()
    answer = client.put(SCENARIO, json=scenario)
    assert answer.status_code == 400
    assert said in answer.json()["detail"]
    assert server.emulator.state.dump() == before
    with pytest.raises(ValueError, match=r"clouds\[0\].provider"):
        parse('[[clouds]]\nprovider = "tencnt"\n', "mine.toml")
    with pytest.raises(ValueError, match=r"clouds\[0\].provider"), mock_clouds(scenario):
        pass


# -- many at once --------------------------------------------------------------------------------


def test_steering_and_calls_go_on_side_by_side(server):
    """Faults come and go, scenarios change and the log is read while calls are answered."""
    whole = server.emulator.state.dump()
    with httpx.Client(base_url=server.url, trust_env=False, timeout=30) as http:

        def steer(number: int) -> int:
            match number % 6:
                case 0:
                    return http.post(FAULTS, json={"kind": "throttle", "count": 3}).status_code
                case 1:
                    return http.delete(FAULTS).status_code
                case 2:
                    return http.put(SCENARIO, json=whole).status_code
                case 3:
                    return http.get("/_emulator/requests").status_code
                case 4:
                    return http.delete("/_emulator/requests").status_code
                case _:
                    return ask(http).status_code

        with ThreadPoolExecutor(24) as hands:
            statuses = set(hands.map(steer, range(240)))
        http.delete(FAULTS)
    assert statuses <= {200, 201, 204}
    assert server.emulator.state.dump() == whole


def test_a_log_of_many_requests_has_no_credentials_of_theirs(client, server):
    lent = {"authorization": "s3cret", "x-auth-token": "s3cret", "cookie": "s3cret"}
    for path in ("/", "/v2/index.php", "/v3/auth/tokens", "/v2.0/ports"):
        for method in ("GET", "POST"):
            client.request(method, path, headers=lent)
    assert "s3cret" not in client.get("/_emulator/requests").text
    assert "s3cret" not in repr(server.emulator.requests)


@pytest.mark.parametrize(
    "rest",
    [
        b"transfer-encoding: chunked\r\n\r\n-1\r\n{}",
        b"transfer-encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n1_0\r\n{}",
        b"transfer-encoding: chunked\r\n\r\n\r\n{}",
        b"content-length: " + b"1" * 5000 + b"\r\n\r\n{}",
        b"content-length: 1" + b"0" * 18 + b"\r\n\r\n{}",
    ],
    ids=["negative", "prefix", "underscore", "none", "5000 digits", "19 digits"],
)
def test_a_size_that_is_none_is_refused_at_once(server, rest):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\n" + rest)
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_clients_that_say_nothing_do_not_keep_others_waiting(server):
    silent = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(40)]
    for connection in silent[::2]:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{")
    answered = threading.Event()

    def other() -> None:
        httpx.get(f"{server.url}/_emulator/state", trust_env=False, timeout=60)
        answered.set()

    thread = threading.Thread(target=other)
    thread.start()
    assert answered.wait(60)
    thread.join()
    for connection in silent:
        connection.close()


# -- whose call it is ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "/", {"x-tc-action": "DeleteSecurityGroup"}),
        ("POST", "/v2/index.php", {}),
        ("POST", "/", {"x-acs-action": "DeleteSecurityGroup", "x-acs-version": "2014-05-26"}),
        ("POST", "/?Version=2014-05-26&Action=DeleteSecurityGroup", {}),
        ("DELETE", "/v3/p/vpc/security-groups/g", {"host": "vpc.cn-north-4.myhuaweicloud.com"}),
        ("DELETE", "/v2.0/security-groups/g", {}),
        ("DELETE", "/v2.0/security-groups/g", {"x-auth-token": "made-up"}),
        ("POST", "/v2.1/servers/s/action", {}),
        ("POST", "/v3/auth/tokens", {}),
        ("GET", "/nothing/here", {}),
    ],
    ids=str,
)
@pytest.mark.sampled(8)
def test_a_call_without_credentials_changes_nothing_on_any_cloud(
    client, server, method, path, headers
):
    before = server.emulator.state.dump()
    answer = client.request(method, path, headers=headers, content=b"{}")
    assert answer.status_code < 500
    # Tencent refuses with 200 and an error inside, as it does.
    assert answer.status_code >= 400 or "Error" in answer.text or answer.json()["code"]
    assert server.emulator.state.dump() == before


def test_the_five_clouds_share_one_port(server):
    assert [cloud.provider for cloud in server.emulator.state.clouds] == list(CLOUDS)
