"""The emulator's core with a face of the test's own: routing, faults, rates and the log."""

from __future__ import annotations

import httpx
import pytest

from sgguard.emulator import core
from sgguard.emulator.core import Emulator
from sgguard.emulator.faces.base import Certainty, Claim
from sgguard.emulator.faults import DroppedConnectionError, Fault
from sgguard.emulator.state import Cloud, Group, State
from sgguard.emulator.transport import EmulatorTransport


class PathFace:
    """Claims ``/<provider>/…``; ``DELETE`` removes the first group."""

    def __init__(self, name, certainty=Certainty.PATH):
        self.claims = (Claim(certainty, path=rf"/{name}/.*"),)

    def knows(self, request, cloud):
        return Certainty.NONE

    def action(self, request):
        return request.url.path.rsplit("/", 1)[-1]

    def respond(self, request, cloud, now):
        if request.method == "DELETE":
            cloud.groups.clear()
        return httpx.Response(200, json={"provider": cloud.provider, "now": now})

    def fault(self, kind, request, code):
        return httpx.Response(429 if kind == "throttle" else 500, json={"code": code or kind})

    def refuse(self, request, message):
        return httpx.Response(418, json={"message": message})


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def emulator(monkeypatch, clock):
    monkeypatch.setattr(core, "all_faces", lambda: {n: PathFace(n) for n in ("red", "blue")})
    scenario = {
        "clouds": [
            {"provider": "red", "groups": [{"id": "sg-1"}], "rates": {"Slow*": 2}},
            {"provider": "blue"},
        ]
    }
    return Emulator.load(scenario, now=clock, sleep=clock.sleep)


def ask(emulator, path, method="GET"):
    return emulator.handle(httpx.Request(method, f"http://clouds{path}"))


def test_each_cloud_answers_what_is_meant_for_it(emulator):
    assert ask(emulator, "/red/Read").json()["provider"] == "red"
    assert ask(emulator, "/blue/Read").json()["provider"] == "blue"


def test_what_belongs_to_no_cloud_is_not_found(emulator):
    assert ask(emulator, "/green/Read").status_code == 404


def test_the_surest_claim_wins_whatever_the_order(monkeypatch):
    faces = {"red": PathFace("x"), "blue": PathFace("x", Certainty.HOST)}
    monkeypatch.setattr(core, "all_faces", lambda: faces)
    for order in (["red", "blue"], ["blue", "red"]):
        emulator = Emulator(State([Cloud(name) for name in order]))
        assert ask(emulator, "/x/y").json()["provider"] == "blue"


def test_what_the_cloud_itself_knows_wins_over_a_path(monkeypatch):
    class Knowing(PathFace):
        def knows(self, request, cloud):
            return Certainty.TOKEN if cloud.groups else Certainty.NONE

    faces = {"red": PathFace("x"), "blue": Knowing("y")}
    monkeypatch.setattr(core, "all_faces", lambda: faces)
    blue = Cloud("blue", groups=[Group("sg-1")])
    assert ask(Emulator(State([Cloud("red"), blue])), "/x/y").json()["provider"] == "blue"
    blue.groups.clear()
    assert ask(Emulator(State([Cloud("red"), blue])), "/x/y").json()["provider"] == "red"


def test_two_equal_claims_on_one_request_are_an_error_and_not_a_guess(monkeypatch):
    faces = {"red": PathFace("x"), "blue": PathFace("x")}
    monkeypatch.setattr(core, "all_faces", lambda: faces)
    emulator = Emulator(State([Cloud("red"), Cloud("blue")]))
    with pytest.raises(core.AmbiguousRequestError, match="/x/y is claimed by red and blue"):
        ask(emulator, "/x/y")


def test_a_cloud_that_the_scenario_lacks_says_so_in_its_own_words(monkeypatch):
    faces = {"red": PathFace("x"), "blue": PathFace("x", Certainty.HOST)}
    monkeypatch.setattr(core, "all_faces", lambda: faces)
    emulator = Emulator(State([Cloud("red")]))
    answer = ask(emulator, "/x/y")
    assert answer.status_code == 418
    assert "a scenario without this cloud" in answer.json()["message"]
    assert "Clouds of the scenario: red." in answer.json()["message"]
    assert emulator.requests[0].provider == "blue"


def test_a_mere_path_belongs_to_a_cloud_that_the_scenario_has(monkeypatch):
    faces = {"red": PathFace("x", Certainty.SHARED), "blue": PathFace("x", Certainty.PATH)}
    monkeypatch.setattr(core, "all_faces", lambda: faces)
    assert ask(Emulator(State([Cloud("red")])), "/x/y").json()["provider"] == "red"
    both = Emulator(State([Cloud("red"), Cloud("blue")]))
    assert ask(both, "/x/y").json()["provider"] == "blue"


def test_a_fault_strikes_the_matching_calls_and_only_so_many(emulator):
    emulator.faults.append(Fault("throttle", provider="red", action="Re*", count=2))
    assert ask(emulator, "/blue/Read").status_code == 200
    assert ask(emulator, "/red/Write").status_code == 200
    assert [ask(emulator, "/red/Read").status_code for _ in range(3)] == [429, 429, 200]


def test_a_fault_can_let_calls_through_first(emulator):
    emulator.faults.append(Fault("error", skip=1))
    assert [ask(emulator, "/red/Read").status_code for _ in range(3)] == [200, 500, 200]


def test_an_error_carries_the_code_that_was_ordered(emulator):
    emulator.faults.append(Fault("error", code="InternalError"))
    assert ask(emulator, "/red/Read").json() == {"code": "InternalError"}


def test_latency_passes_on_the_injected_clock_and_the_call_still_succeeds(emulator, clock):
    emulator.faults.append(Fault("latency", latency_ms=2500))
    assert ask(emulator, "/red/Read").status_code == 200
    assert clock.now == pytest.approx(1002.5)


def test_garbage_has_the_body_status_and_type_that_were_ordered(emulator):
    emulator.faults.append(Fault("garbage", body="{", status=203, content_type="a/b"))
    answer = ask(emulator, "/red/Read")
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (203, "{", "a/b")


def test_a_dropped_connection_leaves_the_world_alone(emulator):
    emulator.faults.append(Fault("drop"))
    with pytest.raises(DroppedConnectionError):
        ask(emulator, "/red/Delete", "DELETE")
    assert emulator.state.cloud("red").groups


def test_a_lost_answer_comes_after_the_change(emulator):
    emulator.faults.append(Fault("drop", is_after=True))
    with pytest.raises(DroppedConnectionError):
        ask(emulator, "/red/Delete", "DELETE")
    assert not emulator.state.cloud("red").groups


def test_calls_over_the_rate_of_a_second_are_throttled(emulator, clock):
    assert [ask(emulator, "/red/SlowRead").status_code for _ in range(3)] == [200, 200, 429]
    clock.now += 1.1
    assert ask(emulator, "/red/SlowRead").status_code == 200


def test_every_request_is_logged_without_its_headers(emulator):
    request = httpx.Request(
        "POST", "http://clouds/red/Read?a=1", headers={"authorization": "hunter2"}, content=b"body"
    )
    emulator.handle(request)
    ask(emulator, "/green/x")
    first, second = emulator.requests
    assert (first.provider, first.action, first.method) == ("red", "Read", "POST")
    assert (first.query, first.body, first.status) == ("a=1", "body", 200)
    assert second.status == 404
    assert "hunter2" not in repr(emulator.requests)


@pytest.mark.parametrize("wrong", [{"kind": "explode"}, {"kind": "drop", "count": 0}], ids=str)
def test_a_fault_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        Fault(**wrong)


def test_the_transport_turns_a_dropped_connection_into_a_read_error(emulator):
    emulator.faults.append(Fault("drop"))
    client = httpx.Client(transport=EmulatorTransport(emulator))
    with pytest.raises(httpx.ReadError):
        client.get("http://clouds/red/Read")
    assert client.get("http://clouds/red/Read").status_code == 200
