"""The functions over HTTP with the clouds' own events: one rule with one target is enough."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sgguard import schemas
from sgguard.callers.secret import hash_of
from sgguard.emulator.server import serve
from sgguard.model.occurrence import Happened
from tests.callers.signers import TOKEN
from tests.deployment import emulator, environment
from tests.events.samples import About, cases, made, samples
from tests.events.test_every_cloud_source import leaves, planted

REFERENCED = "sg-5ua9adfv"
ANSWER = Draft202012Validator(schemas.load("cloud_event_answer"))
PROMISED = {200, 400, 413, 415, 422, 429, 503}
SECRET = "PLANTED/secret+0123456789=="


@pytest.fixture
def function(framework, cloud):
    del cloud
    return framework("cloud_event")


def about(**more: Any) -> About:
    given = {"at_s": int(time.time()) - 60, **more}
    return About(REFERENCED, "ins-915zrb0p", "ap-guangzhou", **given)


def refused(**more: Any) -> Any:
    return made("tencent_cloudaudit", Happened.DELETE_REFUSED, about(**more))


def test_a_refused_delete_is_answered_with_its_decision(function):
    answer = function.ask(refused())
    assert answer.status_code == 200
    ANSWER.validate(answer.json)
    (decision,) = answer.json["decisions"]
    assert decision["verdict"] == "block"
    assert {one["code"] for one in decision["reasons"]} == {"referenced"}
    assert decision["target"] == [f"tencent::ap-guangzhou:{REFERENCED}"]


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/octet-stream",
        "application/cloudevents+json",
        "text/plain",
        "",
    ],
)
@pytest.mark.sampled(4)
def test_whatever_a_bus_writes_on_it_an_event_is_read(function, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    assert function.post(refused(), headers).json["happened"] == "delete-refused"


def test_an_envelope_in_headers_is_read_as_one_in_the_body(function):
    event = refused()
    data = event.pop("data")
    headers = {f"ce-{name}": str(value).replace(" ", "%20") for name, value in event.items()}
    answer = function.post(data, {"Content-Type": "application/json", **headers})
    assert answer.json["happened"] == "delete-refused"


def test_a_batch_is_answered_in_its_order(function):
    answer = function.ask(
        [refused(), {"some": "thing"}, samples("timer").made[Happened.DUE](about())]
    )
    assert answer.status_code == 200
    types = [one["type"] for one in answer.json]
    assert types == [
        "sgguard.cloud_event.v1",
        "sgguard.problem.v1",
        "sgguard.approvals.reminders.v1",
    ]
    assert answer.json[2]["data"]["due"] == []


def test_a_batch_of_which_one_must_come_again_comes_again_whole(function, monkeypatch):
    monkeypatch.delenv("OS_REGION_NAME", raising=False)
    monkeypatch.setenv("OS_AUTH_URL", "https://keystone.example")
    deleted = made("openstack_oslo", Happened.DELETED)
    answer = function.ask([refused(), deleted])
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_an_event_of_a_cloud_that_is_not_set_up_does_not_come_again(function):
    for source in ("openstack_oslo", "huawei_cts", "alibaba_actiontrail"):
        answer = function.ask(made(source, Happened.DELETED))
        assert (answer.status_code, answer.headers.get("Retry-After")) == (422, None), source
        assert answer.json["type"].endswith("/not-possible")


def test_a_timer_closes_and_reminds_of_approvals(function):
    answer = function.ask(made("timer", Happened.DUE, about()))
    assert answer.status_code == 200
    assert answer.json["expired"] == []


@pytest.mark.parametrize(
    "body",
    [b"", b"no json", b"[]", b"{}", b"null", b'"text"', b"[[[[[[[[1]]]]]]]]"],
)
@pytest.mark.sampled(4)
def test_what_is_no_event_is_refused_and_not_delivered_again(function, body):
    answer = function.post(body, {"Content-Type": "application/json"})
    assert answer.status_code in (200, 400, 422)
    assert (answer.status_code == 200) is (body == b"[]")


def test_a_batch_that_is_too_large_is_refused_whole(function):
    assert function.ask([refused()] * 101).status_code == 413


def test_the_function_says_what_it_is(function):
    told = function.client.get("/").json
    assert told["function"] == "cloud_event"
    assert told["type"] == "any"


def test_a_delete_function_takes_its_native_events_and_its_own(delete_request, cloud):
    del cloud
    assert delete_request.ask(refused()).json["decisions"][0]["guard"] == "delete"
    own = delete_request.ask({"target": f"tencent::ap-guangzhou:{REFERENCED}"})
    assert own.json["guard"] == "delete"


def test_a_launch_function_takes_a_launch_and_leaves_a_delete(instance_launch, cloud):
    del cloud
    launched = made("tencent_cloudaudit", Happened.BOUND, about())
    assert instance_launch.ask(launched).json["decisions"][0]["guard"] == "launch"
    assert instance_launch.ask(refused()).json["status"] == "ignored"


@pytest.mark.parametrize("name", ["delete_request", "cloud_event"])
@pytest.mark.sampled(2)
def test_one_operation_told_to_two_functions_has_one_decision(framework, cloud, name):
    del cloud
    first = framework("delete_request").ask(refused()).json["decisions"][0]
    again = framework(name).ask(refused()).json["decisions"][0]
    assert first["decision_id"] == again["decision_id"]


def test_an_own_event_from_before_the_days_that_are_kept_is_only_judged(
    framework, cloud, monkeypatch, tmp_path
):
    # Its first delivery may be forgotten: whoever sends it again must not have it done again.
    policy = tmp_path / "policy.toml"
    policy.write_text(
        'mode = "enforce"\n[delete]\nremedies = ["revoke"]\n[[caller]]\nname = "portal"\n'
        f'proof = {{ bearer = ["{hash_of(TOKEN)}"] }}\nfunctions = ["delete_request"]\n'
        'targets = ["*:*:*:*"]\nmode = "enforce"\n'
    )
    monkeypatch.setenv("SGGUARD_POLICY", str(policy))
    function = framework("delete_request")
    before = cloud.emulator.state.dump()
    data = {"target": f"tencent::ap-guangzhou:{REFERENCED}"}
    event = function.event(data, time="2020-01-01T00:00:00Z")
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/cloudevents+json"}
    answer = function.post(event, headers)
    assert answer.json["data"]["verdict"] == "remediate"
    assert answer.json["data"]["mode"] == "observe"
    assert cloud.emulator.state.dump() == before


# -- secrets ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(emulator()) as running:
        yield running.url


@pytest.fixture
def store(framework, monkeypatch, url, tmp_path) -> Path:
    """The file of the store of a function that knows every cloud and logs all it can."""
    del framework
    found = tmp_path / "store.db"
    regions = {"OS_REGION_NAME": "RegionOne", "HUAWEICLOUD_SDK_REGION": "cn-north-4"}
    more = {"SGGUARD_STORE": f"sqlite:///{found}", "SGGUARD_LOG_LEVEL": "DEBUG"}
    for variable, value in {**environment(url), **regions, **more}.items():
        monkeypatch.setenv(variable, value)
    return found


@pytest.mark.parametrize(("name", "happened"), list(cases()))
@pytest.mark.sampled(16)
def test_a_secret_in_any_field_reaches_no_answer_log_or_row(
    store, framework, capfd, name, happened
):
    function = framework("cloud_event")
    example = replace(samples(name).example, at_s=int(time.time()) - 60)
    document = made(name, happened, example)
    for at in leaves(document):
        if "/" + "/".join(map(str, at)) in samples(name).kept:
            continue
        answer = function.ask(planted(document, at, SECRET))
        assert SECRET not in answer.get_data(as_text=True) + str(answer.headers), at
        assert answer.status_code in PROMISED
    out, err = capfd.readouterr()
    assert '"msg"' in err
    assert SECRET not in out + err
    assert SECRET not in everything_in(store)


def everything_in(store: Path) -> str:
    with sqlite3.connect(store) as database:
        found = "\n".join(database.iterdump())
    database.close()
    return found


# -- the handshake of webhooks ---------------------------------------------------------------------


def ask_to_begin(function: Any, **headers: str) -> Any:
    return function.client.options(
        "/", headers={n.replace("_", "-"): v for n, v in headers.items()}
    )


def test_a_sender_that_is_named_may_begin(function, monkeypatch):
    monkeypatch.setenv("SGGUARD_WEBHOOK_ORIGINS", "other.example, Bus.example")
    answer = ask_to_begin(function, WebHook_Request_Origin="bus.example", WebHook_Request_Rate="9")
    assert answer.status_code == 204
    assert answer.headers["WebHook-Allowed-Origin"] == "Bus.example"
    assert answer.headers["WebHook-Allowed-Rate"] == "9"
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("rate", ["100000", "0", "-1", "many", "9" * 400])
@pytest.mark.sampled(3)
def test_no_more_is_promised_than_can_be_taken(function, monkeypatch, rate):
    monkeypatch.setenv("SGGUARD_WEBHOOK_ORIGINS", "bus.example")
    answer = ask_to_begin(function, WebHook_Request_Origin="bus.example", WebHook_Request_Rate=rate)
    assert 1 <= int(answer.headers["WebHook-Allowed-Rate"]) <= 600


@pytest.mark.parametrize("origin", ["evil.example", "", "*", "bus.example.evil.example"])
@pytest.mark.parametrize("configured", ["", "bus.example"])
@pytest.mark.sampled(4)
def test_nobody_else_may_begin(function, monkeypatch, origin, configured):
    monkeypatch.setenv("SGGUARD_WEBHOOK_ORIGINS", configured)
    answer = ask_to_begin(function, WebHook_Request_Origin=origin, WebHook_Request_Rate="9")
    assert answer.status_code == 204
    assert not [name for name, _ in answer.headers.items() if name.lower().startswith("webhook")]


@pytest.mark.parametrize("configured", ["*", "https://bus.example", "bus.example,"])
def test_a_setting_that_would_let_everybody_begin_is_an_error(function, monkeypatch, configured):
    monkeypatch.setenv("SGGUARD_WEBHOOK_ORIGINS", configured)
    answer = ask_to_begin(function, WebHook_Request_Origin="bus.example")
    assert answer.status_code == 503
    assert "SGGUARD_WEBHOOK_ORIGINS" in answer.json["detail"]
