from __future__ import annotations

import pytest

STRUCTURED = "application/cloudevents+json"


def codes(decision: dict) -> list[str]:
    return [reason["code"] for reason in decision["reasons"]]


def place(world) -> dict:
    return {"provider": world.provider, "region": world.region}


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize(
    ("groups", "count", "expected"),
    [
        (["free"], 1, ("allow", "within-limits")),
        (["free", "referenced"], 20, ("allow", "within-limits")),
        (["free", "missing"], 1, ("block", "group-not-found")),
        (["malformed"], 1, ("block", "group-malformed")),
        (["free"], 1_000_000, ("block", "instances-per-group-exceeded")),
        (
            ["free", "referenced", "referrer_in", "referrer_out", "bound", "default"],
            1,
            ("block", "groups-per-instance-exceeded"),
        ),
    ],
)
@pytest.mark.sampled(6)
def test_a_planned_launch_gets_its_verdict(instance_launch, world, groups, count, expected):
    verdict, code = expected
    ids = [getattr(world, who) for who in groups]
    answer = instance_launch.ask({**place(world), "groups": ids, "count": count})
    assert answer.status_code == 200
    decision = answer.get_json()
    assert decision["verdict"] == verdict
    assert code in codes(decision)
    assert decision["target"] == [f"{world.provider}::{world.region}"]


@pytest.mark.usefixtures("cloud")
def test_an_instance_that_exists_is_judged_by_its_own_groups(instance_launch, world):
    answer = instance_launch.ask({**place(world), "instance_id": world.server})
    assert answer.status_code == 200
    decision = answer.get_json()
    assert decision["verdict"] == "allow"
    assert decision["target"] == [f"{world.provider}::{world.region}:{world.server}"]


@pytest.mark.usefixtures("cloud")
def test_an_instance_that_does_not_exist_blocks(instance_launch, world):
    answer = instance_launch.ask({**place(world), "instance_id": world.missing_server})
    assert "instance-not-found" in codes(answer.get_json())


@pytest.mark.usefixtures("cloud")
def test_a_launch_event_is_answered_with_a_decision_event(instance_launch, world):
    event = instance_launch.event({**place(world), "groups": [world.free]})
    answer = instance_launch.post(event, {"Content-Type": STRUCTURED})
    told = answer.get_json()
    assert told["source"] == "/sgguard/instance_launch"
    assert told["subject"] == f"{world.provider}::{world.region}"
    assert told["data"]["event_id"] == "order-7"


@pytest.mark.usefixtures("cloud")
def test_a_delete_event_is_not_a_launch(instance_launch):
    event = instance_launch.event({}, type="sgguard.delete.requested.v1")
    answer = instance_launch.post(event, {"Content-Type": STRUCTURED})
    assert answer.status_code == 422
    assert answer.get_json()["problems"][0]["expected"] == "sgguard.launch.requested.v1"
