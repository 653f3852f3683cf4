"""The function ``bind_request`` over HTTP."""

from __future__ import annotations

import pytest

from sgguard import schemas
from sgguard.callers.secret import hash_of
from tests.callers.signers import TOKEN

HEADERS = {
    "Content-Type": "application/cloudevents+json",
    "Authorization": f"Bearer {TOKEN}",
}
POLICY = """
mode = "enforce"
[[caller]]
name = "portal"
functions = ["bind_request"]
targets = ["tencent::ap-guangzhou:*"]
mode = "enforce"
proof.bearer = ["{hash}"]
"""


def data(world, **more) -> dict:
    group = f"{world.provider}::{world.region}:{world.free}"
    return {"group": group, "holders": [world.server, world.other_server, world.server], **more}


@pytest.mark.usefixtures("cloud")
def test_a_bind_is_judged_and_nothing_is_changed_out_of_the_box(bind_request, world):
    answer = bind_request.ask(data(world))
    assert answer.status_code == 200
    decision = answer.get_json()
    assert schemas.problems("decision", decision) == ()
    assert (decision["guard"], decision["verdict"], decision["outcome"]) == (
        "bind",
        "remediate",
        "unchanged",
    )
    assert [(one["holder"], one["status"]) for one in decision["bind"]["rows"]] == [
        (world.server, "planned"),
        (world.other_server, "planned"),
    ]


def test_an_event_that_is_enforced_is_answered_with_a_row_for_each_holder(
    bind_request, world, cloud, monkeypatch, tmp_path
):
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY.format(hash=hash_of(TOKEN)))
    monkeypatch.setenv("SGGUARD_POLICY", str(policy))
    monkeypatch.setenv("SGGUARD_STORE", f"sqlite:///{tmp_path / 'store.db'}")
    event = bind_request.event(data(world))
    answer = bind_request.post(event, HEADERS)
    told = answer.get_json()["data"]
    assert told["bind"]["counts"]["done"] == 2
    again = bind_request.post(event, HEADERS)
    assert again.get_json()["data"]["decision_id"] == told["decision_id"]
    (state,) = cloud.emulator.state.clouds
    assert {one.instance for one in state.interfaces_with(world.free)} == {
        world.server,
        world.other_server,
    }
    back = bind_request.event(
        {"action": "unbind", **data(world), "holders": [world.server]}, id="order-8"
    )
    done = bind_request.post(back, HEADERS).get_json()["data"]
    assert done["bind"]["rows"][0]["status"] == "done"


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"group": "sg-1"}, "/group"),
        ({"holders": []}, "/holders"),
        ({"holders": ["a\u0000b"]}, "/holders/0"),
        ({"filter": {}}, "/filter"),
        ({"filter": {"colour": "red"}}, "/filter"),
        ({"action": "weld"}, "/action"),
        ({"requested_by": "\u0430dmin"}, "/requested_by"),
    ],
)
@pytest.mark.sampled(4)
def test_wrong_data_is_refused_with_its_path(bind_request, world, wrong, path):
    answer = bind_request.ask({**data(world), **wrong})
    assert answer.status_code == 400
    assert any(one["path"].startswith(path) for one in answer.get_json()["problems"])
