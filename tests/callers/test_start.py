"""A function that would answer everybody does not start, but where it can change nothing."""

from __future__ import annotations

import json

import pytest

from sgguard.engine.context import Context
from sgguard.errors import SettingsError
from sgguard.telemetry.redaction import redacted
from sgguard.web import door
from tests.callers.test_forgery import row


def lines(capsys) -> list[dict]:
    return [json.loads(text) for text in capsys.readouterr().err.splitlines()]


def test_without_callers_it_observes_on_loopback_and_says_so(framework, capsys):
    framework("delete_request")
    started, said = lines(capsys)
    assert (started["msg"], said["msg"], said["level"]) == ("started", "open", "WARNING")
    assert "everybody" in said["detail"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "guard.example", ""])
def test_without_callers_it_does_not_start_where_others_reach_it(
    framework, monkeypatch, capsys, host
):
    monkeypatch.setenv("HOST", host)
    with pytest.raises(SystemExit):
        framework("delete_request")
    (said,) = lines(capsys)
    assert said["msg"] == "not started"
    assert "[[caller]]" in said["detail"]


@pytest.mark.parametrize("mode", ["approve", "enforce"])
def test_without_callers_it_does_not_start_where_it_can_change_something(
    framework, monkeypatch, capsys, mode, tmp_path
):
    policy = tmp_path / "policy.toml"
    policy.write_text(f'mode = "{mode}"\n[approval]\napprovers = ["ada"]\n')
    monkeypatch.setenv("SGGUARD_POLICY", str(policy))
    with pytest.raises(SystemExit):
        framework("delete_request")
    assert "its mode is not observe" in lines(capsys)[0]["detail"]


def test_kept_up_without_callers_it_answers_nobody(framework, monkeypatch):
    monkeypatch.setenv("HOST", "0.0.0.0")
    monkeypatch.setenv("SGGUARD_START", "lenient")
    function = framework("delete_request")
    assert function.client.get("/healthz").status_code == 200
    assert function.client.get("/readyz").status_code == 503
    answer = function.ask({"target": "tencent::ap-guangzhou:sg-5ua9adfv"})
    assert (answer.status_code, answer.get_json()["title"]) == (503, "Invalid settings")


def test_a_secret_that_is_not_there_keeps_a_function_from_starting(guarded, monkeypatch, capsys):
    monkeypatch.delenv("SGG_TEST_HMAC")
    with pytest.raises(SystemExit):
        guarded.start(row("github"))
    detail = lines(capsys)[0]["detail"]
    assert "SGG_TEST_HMAC" in detail
    assert "portal" in detail


@pytest.mark.parametrize(
    ("argv", "env", "host"),
    [
        (["functions-framework"], {}, "0.0.0.0"),
        (["functions-framework"], {"HOST": "127.0.0.1"}, "127.0.0.1"),
        (["x", "--host", "127.0.0.1"], {"HOST": "0.0.0.0"}, "127.0.0.1"),
        (["x", "--host=::1", "--host", "10.0.0.1"], {}, "10.0.0.1"),
        (["x", "--host"], {}, ""),
    ],
)
def test_the_address_is_the_one_that_functions_framework_takes(argv, env, host):
    assert door.listens_on(argv, env) == host


def test_a_secret_of_a_caller_is_taken_out_of_every_text(guarded, monkeypatch):
    monkeypatch.setenv("SGG_TEST_HMAC", "planted-secret-of-forty-characters-00000")
    guarded.start(row("github"))
    assert "planted" not in redacted("it was planted-secret-of-forty-characters-00000")


def test_the_mode_observe_does_not_open_an_address_that_others_reach():
    with pytest.raises(SettingsError):
        door.is_open(Context.from_env({"HOST": "1.2.3.4", "SGGUARD_MODE": "observe"}), ["x"])
