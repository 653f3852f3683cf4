"""The emulator as a server: any client, any framing, and the control paths."""

from __future__ import annotations

import http.client
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from sgguard.emulator import core
from sgguard.emulator.core import Emulator
from sgguard.emulator.server import BODY_MAX_BYTES, serve
from tests.emulator.echo import SCENARIO, EchoFace


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(core, "all_faces", lambda: {"echo": EchoFace()})
    with serve(Emulator.load(SCENARIO)) as running:
        yield running


@pytest.fixture
def client(server):
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client


def test_one_connection_carries_many_requests(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    for number in range(3):
        connection.request("POST", "/echo", body=f"n={number}")
        first = connection.sock
        answer = connection.getresponse()
        assert f"n={number}" in answer.read().decode()
        assert connection.sock is first
    connection.close()


def test_a_chunked_body_arrives_whole(client):
    answer = client.post("/echo", content=iter([b"ab", b"c" * 70_000, b"d"]))
    assert answer.json()["size"] == 70_003
    assert client.get("/echo").json()["size"] == 0


def test_a_big_body_arrives_whole(client):
    assert client.put("/echo", content=b"x" * 5_000_000).json()["size"] == 5_000_000


def test_a_head_answer_has_the_length_and_no_body(client):
    answer = client.head("/echo")
    assert int(answer.headers["content-length"]) > 100
    assert answer.content == b""
    assert client.get("/echo").status_code == 200


def test_an_answer_without_content_has_no_length(client):
    answer = client.get("/echo/none")
    assert answer.status_code == 204
    assert "content-length" not in answer.headers


def test_path_query_host_and_repeated_headers_arrive_unchanged(client, server):
    answer = client.get(
        "/echo/a%2Fb%20c?x=1&x=2&y=%E4%BD%A0+%2B", headers=[("x-a", "1"), ("x-a", "2")]
    )
    said = answer.json()
    assert said["raw_path"] == "/echo/a%2Fb%20c?x=1&x=2&y=%E4%BD%A0+%2B"
    assert said["url"].startswith(server.url)
    assert [v for k, v in said["headers"] if k == "x-a"] == ["1", "2"]
    assert answer.headers.get_list("x-twice") == ["1", "2"]


def test_a_real_host_name_in_the_host_header_is_what_the_cloud_sees(client):
    said = client.get("/echo", headers={"host": "vpc.tencentcloudapi.com"}).json()
    assert said["url"] == "http://vpc.tencentcloudapi.com/echo"


def test_calls_are_answered_side_by_side(server):
    client = httpx.Client(base_url=server.url, trust_env=False)
    with client, ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: client.get("/echo").status_code, range(64))) == {200}
    assert len(server.emulator.requests) == 64


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1_0\r\n\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: br\r\n\r\n", 501),
        (
            b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % (BODY_MAX_BYTES + 1),
            413,
        ),
        (b"GET /echo HTTP/1.1\r\nhost: x:y\r\n\r\n", 400),
        (b"BREW /echo HTTP/1.1\r\nhost: x\r\n\r\n", 501),
        (b"GET /echo HTTP/9.9\r\nhost: x\r\n\r\n", 505),
    ],
    ids=["negative", "underscore", "chunk", "coding", "too-large", "host", "method", "version"],
)
@pytest.mark.sampled(4)
def test_a_request_that_cannot_be_read_is_refused_and_hung_up(server, raw, status):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as sock:
        sock.sendall(raw)
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert b"application/problem+json" in answer


def test_a_failure_of_the_emulator_itself_is_said_and_survived(client):
    answer = client.get("/echo/boom")
    assert (answer.status_code, answer.json()["detail"]) == (
        500,
        "the emulator failed: RuntimeError: boom",
    )
    assert client.get("/echo").status_code == 200


def test_a_dropped_connection_ends_without_an_answer(client):
    client.post("/_emulator/faults", json={"kind": "drop", "provider": "echo"})
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/echo")
    assert client.get("/echo").status_code == 200


def test_the_port_is_free_again_and_idle_connections_are_hung_up(monkeypatch):
    monkeypatch.setattr(core, "all_faces", lambda: {"echo": EchoFace()})
    with serve(Emulator.load(SCENARIO)) as first:
        idle = socket.create_connection(("127.0.0.1", first.port), timeout=5)
        idle.sendall(b"GET /echo HTTP/1.1\r\nhost: x\r\n\r\n")
        idle.recv(65536)
    assert idle.recv(65536) == b""
    idle.close()
    with serve(Emulator.load(SCENARIO), port=first.port) as second:
        assert httpx.get(f"{second.url}/echo", trust_env=False).status_code == 200


def test_a_port_in_use_is_an_oserror(server):
    with pytest.raises(OSError, match="in use"), serve(Emulator.load(SCENARIO), port=server.port):
        pass


def test_requests_are_listed_without_headers_and_forgotten(client):
    client.post("/echo?a=1", content="body", headers={"authorization": "TC3 secret-signature"})
    listed = client.get("/_emulator/requests")
    [request] = listed.json()
    assert request["provider"] == "echo"
    assert (request["action"], request["query"], request["body"]) == ("POST", "a=1", "body")
    assert "secret-signature" not in listed.text
    assert client.delete("/_emulator/requests").status_code == 204
    assert client.get("/_emulator/requests").json() == []


TOML = """
[[clouds]]
provider = "echo"
regions = ["there"]
"""


@pytest.mark.parametrize(
    "sent",
    [
        {"json": {"clouds": [{"provider": "echo", "regions": ["there"]}]}},
        {"content": TOML},
        {"content": TOML, "headers": {"content-type": "application/toml"}},
    ],
    ids=["json", "toml", "toml-named"],
)
@pytest.mark.sampled(4)
def test_another_scenario_starts_afresh(client, sent):
    client.get("/echo")
    client.post("/_emulator/faults", json=[{"kind": "throttle"}])
    answer = client.put("/_emulator/scenario", **sent)
    assert (answer.status_code, answer.json()) == (200, {"clouds": ["echo"]})
    assert client.get("/_emulator/state").json()["clouds"][0]["regions"] == ["there"]
    assert client.get("/_emulator/requests").json() == []
    assert client.get("/echo").status_code == 200


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"clouds": 3}', "clouds: expected a list"),
        ('{"clouds": [7]}', "clouds[0]: expected a table"),
        ('{"clouds": [{"provider": "x", "group": []}]}', "clouds[0].group: unknown key"),
        ('{"clouds": [{"provider": "x", "groups": [{}]}]}', "clouds[0].groups[0].id: missing"),
        ('{"clouds": [{"provider": "x", "instances": 3}]}', "clouds[0].instances: expected a list"),
        ("[[clouds]]\nprovider = ", "neither JSON"),
        ("nonsense", "neither JSON"),
    ],
    ids=["clouds", "cloud", "unknown", "missing", "instances", "toml", "nonsense"],
)
@pytest.mark.sampled(4)
def test_a_scenario_that_does_not_fit_is_refused_with_its_path(client, body, said):
    answer = client.put("/_emulator/scenario", content=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert client.get("/_emulator/state").json()["clouds"][0]["provider"] == "echo"


def test_faults_apply_to_the_next_calls_and_can_be_removed(client):
    fault = {"kind": "throttle", "action": "GET", "count": 2}
    assert client.post("/_emulator/faults", json=fault).status_code == 201
    assert client.post("/echo").status_code == 200
    assert [client.get("/echo").status_code for _ in range(3)] == [429, 429, 200]
    client.post("/_emulator/faults", json=[{"kind": "error", "code": "Busy"}])
    assert client.delete("/_emulator/faults").status_code == 204
    assert client.get("/echo").status_code == 200


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"kind": "bang"}, "fault.kind: expected one of latency, throttle"),
        ({"kind": "drop", "count": 0}, "fault.count: expected at least 1"),
        ({"kind": "drop", "how": 1}, "fault.how: unknown key"),
        ([{"kind": "drop"}, {"kind": "drop", "count": "2"}], "faults[1].count: expected int"),
        ([{"kind": "drop"}, {}], "faults[1].kind: missing"),
        ("drop", "fault: expected a table"),
    ],
    ids=["kind", "count", "unknown", "type", "missing", "text"],
)
@pytest.mark.sampled(6)
def test_a_fault_that_does_not_fit_is_refused_with_its_path_and_none_is_kept(client, fault, said):
    answer = client.post("/_emulator/faults", json=fault)
    assert answer.status_code == 400
    assert said in answer.json()["detail"]
    assert client.get("/echo").status_code == 200


def test_an_unknown_control_path_names_those_there_are(client):
    assert "/_emulator/faults" in client.get("/_emulator/nothing").json()["detail"]
    answer = client.post("/_emulator/state")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
