from __future__ import annotations

import json

import pytest

from sgguard.emulator.faults import Fault
from sgguard.emulator.server import _Server
from sgguard.events.sources.cloudevents import decode_header
from tests.worlds import World

STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"


def address(world: World, group_id: str) -> str:
    return f"{world.provider}::{world.region}:{group_id}"


def codes(decision: dict) -> list[str]:
    return [reason["code"] for reason in decision["reasons"]]


# -- verdicts, as curl sees them -----------------------------------------------------------------


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    ("who", "verdict", "code"),
    [
        ("free", "allow", "free"),
        ("self_referencing", "allow", "free"),
        ("referenced", "block", "referenced"),
        ("bound", "block", "bound"),
        ("default", "block", "default-group"),
        ("missing", "block", "not-found"),
        ("malformed", "block", "group-malformed"),
    ],
)
@pytest.mark.sampled(4)
def test_a_bare_request_gets_its_verdict_with_the_reason(delete_request, world, who, verdict, code):
    target = address(world, getattr(world, who))
    answer = delete_request.ask({"target": target})
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    decision = answer.get_json()
    assert (decision["verdict"], decision["mode"]) == (verdict, "observe")
    assert code in codes(decision)
    assert decision["event_id"].startswith("sha256:")
    assert decision["target"] == [target]


@pytest.mark.usefixtures("cloud")
def test_a_set_of_groups_is_judged_together(delete_request, world):
    targets = [
        address(world, group_id)
        for group_id in (world.referenced, world.referrer_in, world.referrer_out)
    ]
    assert delete_request.ask({"targets": targets}).get_json()["verdict"] == "allow"
    assert delete_request.ask({"targets": targets[:2]}).get_json()["verdict"] == "block"


@pytest.mark.usefixtures("cloud")
def test_the_same_request_twice_is_the_same_event_in_two_decisions(delete_request, world):
    body = {"target": address(world, world.free)}
    first, second = (delete_request.ask(body).get_json() for _ in range(2))
    assert first["event_id"] == second["event_id"]
    assert first["decision_id"] != second["decision_id"]


def test_a_decision_takes_one_wave_of_reads_and_writes_nothing(delete_request, world, cloud):
    delete_request.ask({"target": address(world, world.free)})
    actions = {request.action for request in cloud.emulator.requests}
    assert actions
    assert all(action.startswith("Describe") for action in actions)


def test_invocations_use_the_connections_of_the_ones_before_them(
    delete_request, world, cloud, monkeypatch
):
    accepted = []
    accept = _Server.get_request
    monkeypatch.setattr(
        _Server, "get_request", lambda self: accepted.append(accept(self)) or accepted[-1]
    )
    delete_request.ask({"target": address(world, world.free)})
    calls = len(cloud.emulator.requests)
    for _ in range(9):
        delete_request.ask({"target": address(world, world.free)})
    assert len(cloud.emulator.requests) == 10 * calls
    assert len(accepted) <= 2 * calls


# -- CloudEvents in, CloudEvents out -------------------------------------------------------------


@pytest.mark.usefixtures("cloud")
def test_a_structured_event_is_answered_with_one(delete_request, world):
    target = address(world, world.free)
    event = delete_request.event({"target": target})
    answer = delete_request.post(event, {"Content-Type": STRUCTURED})
    assert answer.status_code == 200
    assert answer.content_type == "application/cloudevents+json; charset=utf-8"
    told = answer.get_json()
    assert told["specversion"] == "1.0"
    assert told["type"] == "sgguard.decision.v1"
    assert told["id"] == told["data"]["decision_id"]
    assert told["source"] == "/sgguard/delete_request"
    assert told["subject"] == target
    assert told["time"].endswith("Z")
    assert told["data"]["event_id"] == "order-7"


@pytest.mark.usefixtures("cloud")
def test_a_binary_event_is_answered_with_one(delete_request, world):
    target = address(world, world.free)
    event = delete_request.event(None, id="order%207")
    headers = {f"ce-{name}": value for name, value in event.items() if name != "data"}
    answer = delete_request.post(
        {"target": target}, {**headers, "Content-Type": "application/json"}
    )
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert "ce-datacontenttype" not in answer.headers
    assert answer.headers["ce-type"] == "sgguard.decision.v1"
    assert answer.headers["ce-specversion"] == "1.0"
    assert decode_header(answer.headers["ce-subject"]) == target
    assert answer.get_json()["decision_id"] == answer.headers["ce-id"]
    assert answer.get_json()["event_id"] == "order 7"


@pytest.mark.usefixtures("cloud")
def test_the_answer_to_an_event_can_be_read_as_an_event(delete_request, world, instance_launch):
    event = delete_request.event({"target": address(world, world.free)})
    answer = delete_request.post(event, {"Content-Type": STRUCTURED})
    refused = instance_launch.post(answer.get_data(), {"Content-Type": answer.content_type})
    assert refused.status_code == 422
    assert refused.get_json()["problems"][0]["path"] == "/type"


@pytest.mark.usefixtures("cloud")
def test_a_wrong_event_of_a_batch_never_hides_the_others(delete_request, world):
    batch = [
        delete_request.event({"target": address(world, world.free)}, id="1"),
        {"id": "2"},
        delete_request.event({"target": "nonsense"}, id="3"),
        delete_request.event({"target": address(world, world.referenced)}, id="4"),
        delete_request.event({"target": "nimbus::north:sg-1"}, id="5"),
    ]
    answer = delete_request.post(batch, {"Content-Type": BATCHED})
    assert answer.status_code == 200
    assert answer.content_type == "application/cloudevents-batch+json; charset=utf-8"
    one, two, three, four, five = answer.get_json()
    assert (one["type"], one["data"]["verdict"]) == ("sgguard.decision.v1", "allow")
    assert (two["type"], two["data"]["status"]) == ("sgguard.problem.v1", 400)
    assert (three["data"]["event_id"], three["data"]["position"]) == ("3", 2)
    assert three["data"]["problems"][0]["path"] == "/2/data/target"
    assert (four["type"], four["data"]["verdict"]) == ("sgguard.decision.v1", "block")
    assert (five["data"]["status"], five["data"]["event_id"]) == (422, "5")


def test_a_batch_of_wrong_events_is_a_bad_request_that_says_what_is_wrong_with_each(
    delete_request,
):
    answer = delete_request.post([{"id": "1"}, {"id": "2"}], {"Content-Type": BATCHED})
    assert answer.status_code == 400
    assert [item["data"]["status"] for item in answer.get_json()] == [400, 400]


def test_a_batch_without_any_decision_is_to_be_retried(delete_request, world, cloud):
    cloud.emulator.faults.append(Fault("drop", count=1000))
    event = delete_request.event({"target": address(world, world.free)})
    answer = delete_request.post([event, {"id": "2"}], {"Content-Type": BATCHED})
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert [item["data"]["status"] for item in answer.get_json()] == [503, 400]


def test_an_empty_batch_has_an_empty_answer(delete_request):
    answer = delete_request.post([], {"Content-Type": BATCHED})
    assert (answer.status_code, answer.get_json()) == (200, [])


# -- when the cloud cannot be asked --------------------------------------------------------------


@pytest.mark.parametrize(
    "case",
    [
        (Fault("drop", count=1000), (503, "cloud-unavailable")),
        (Fault("throttle", count=1000), (429, "throttled")),
        (Fault("garbage", status=502, count=1000), (503, "cloud-unavailable")),
    ],
    ids=["dropped", "throttled", "bad gateway"],
)
@pytest.mark.sampled(2)
def test_an_unavailable_cloud_means_retry_later(delete_request, world, cloud, monkeypatch, case):
    fault, (status, slug) = case
    monkeypatch.setenv("SGGUARD_DEADLINE_S", "0.9")  # too short to wait as long as a cloud asks
    cloud.emulator.faults.append(fault)
    answer = delete_request.ask({"id": "e1", "target": address(world, world.free)})
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert int(answer.headers["Retry-After"]) >= 1
    problem = answer.get_json()
    assert problem["type"] == f"https://sgguard.dev/problems/{slug}"
    assert (problem["status"], problem["provider"]) == (status, world.provider)
    assert problem["event_id"] == "e1"


def test_a_response_of_unknown_shape_blocks_and_is_never_read_as_empty(
    delete_request, world, cloud
):
    cloud.emulator.faults.append(Fault("garbage", action=world.denied_references, count=1000))
    decision = delete_request.ask({"target": address(world, world.free)}).get_json()
    assert decision["verdict"] == "block"
    assert "facts-incomplete" in codes(decision)
    assert decision["facts"]["complete"] is False


@pytest.mark.usefixtures("cloud")
def test_credentials_that_are_refused_are_the_operators_problem(delete_request, world, monkeypatch):
    for name, value in world.wrong_secret_env.items():
        monkeypatch.setenv(name, value)
    answer = delete_request.ask({"target": address(world, world.free)})
    assert answer.status_code == 503
    assert answer.get_json()["type"].endswith("/credentials")
    assert int(answer.headers["Retry-After"]) >= 60
    for value in (*world.env.values(), *world.wrong_secret_env.values()):
        assert value not in answer.get_data(as_text=True)


def test_missing_credentials_name_the_variables_to_set(delete_request, world):
    answer = delete_request.ask({"target": address(world, world.free)})
    assert answer.status_code == 422
    assert next(iter(world.env)) in answer.get_json()["detail"]


@pytest.mark.usefixtures("cloud")
def test_a_deadline_that_expired_before_the_first_call(delete_request, world, monkeypatch):
    monkeypatch.setenv("SGGUARD_DEADLINE_S", "1e-9")
    answer = delete_request.ask({"target": address(world, world.free)})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.get_json()["type"].endswith("/deadline")


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    "setting", [("SGGUARD_MODE", "yolo"), ("SGGUARD_POLICY", "/nowhere/policy.toml")]
)
def test_a_function_that_is_not_set_up_correctly_says_so_and_logs_it(
    delete_request, world, monkeypatch, capsys, setting
):
    name, value = setting
    monkeypatch.setenv(name, value)
    answer = delete_request.ask({"target": address(world, world.free)})
    assert answer.status_code == 503
    assert answer.get_json()["type"].endswith("/settings")
    assert value in answer.get_json()["detail"]
    line = json.loads(capsys.readouterr().err)
    assert (line["level"], line["msg"]) == ("ERROR", "not decided")
    assert value in line["detail"]


# -- the account the credentials belong to -------------------------------------------------------


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(("configured", "asked"), [("", ""), ("blue", ""), ("blue", "blue")])
@pytest.mark.sampled(4)
def test_a_group_of_the_configured_account_is_judged(
    delete_request, world, monkeypatch, configured, asked
):
    monkeypatch.setenv("SGGUARD_ACCOUNT_TENCENT", configured)
    target = f"{world.provider}:{asked}:{world.region}:{world.free}"
    assert delete_request.ask({"target": target}).status_code == 200


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(("configured", "asked"), [("blue", "red"), ("", "blue")])
@pytest.mark.sampled(2)
def test_a_group_of_another_account_is_refused(
    delete_request, world, monkeypatch, configured, asked
):
    monkeypatch.setenv("SGGUARD_ACCOUNT_TENCENT", configured)
    target = f"{world.provider}:{asked}:{world.region}:{world.free}"
    answer = delete_request.ask({"target": target})
    assert answer.status_code == 422
    assert repr(asked) in answer.get_json()["detail"]


# -- log lines -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("cloud")
def test_one_line_per_event_says_what_was_decided(delete_request, world, capsys):
    delete_request.ask({"id": "e1", "target": address(world, world.referenced)})
    (line,) = [json.loads(text) for text in capsys.readouterr().err.splitlines()]
    assert (line["level"], line["msg"], line["event_id"]) == ("INFO", "decided", "e1")
    assert (line["provider"], line["account"], line["region"]) == (
        world.provider,
        "",
        world.region,
    )
    assert (line["groups"], line["mode"]) == ([world.referenced], "observe")
    assert (line["verdict"], line["reasons"]) == ("block", ["referenced"])
    assert line["duration_ms"] > 0


@pytest.mark.usefixtures("cloud")
def test_an_event_that_cannot_be_decided_has_its_line_too(delete_request, capsys):
    delete_request.ask({"id": "e1", "target": "s3cret"})
    (line,) = [json.loads(text) for text in capsys.readouterr().err.splitlines()]
    assert (line["level"], line["msg"], line["status"]) == ("INFO", "not decided", 400)
    assert line["event_id"] == "e1"
    assert "s3cret" not in json.dumps(line)


@pytest.mark.usefixtures("cloud")
def test_a_misspelt_variable_is_a_warning_once_and_not_an_error(
    delete_request, world, monkeypatch, capsys
):
    monkeypatch.setenv("SGGUARD_MOED", "enforce")
    for _ in range(2):
        assert delete_request.ask({"target": address(world, world.free)}).status_code == 200
    lines = [json.loads(text) for text in capsys.readouterr().err.splitlines()]
    assert [(x["level"], x["setting"]) for x in lines if x["msg"] == "unknown setting"] == [
        ("WARNING", "SGGUARD_MOED")
    ]
