"""``sgguard callbacks``: keys, and a test that judges as a delivery does."""

from __future__ import annotations

import json
import os
import tomllib

import pytest

from sgguard.engine.context import Context
from sgguard.operations.doctor.callbacks import examine_callbacks
from sgguard.webhooks import sign
from tests.commands import sgguard
from tests.webhooks.receiver import OK, answer, receiving
from tests.webhooks.shapes import BY_THEMSELVES, HOST
from tests.webhooks.test_send import NEW

__all__ = ["sgguard"]  # a fixture


@pytest.fixture
def policy(tmp_path, monkeypatch):
    monkeypatch.setenv("SGG_CALLBACK_KEY", NEW)
    path = tmp_path / "policy.json"
    table = {"hosts": [HOST], "keys": [{"env": "SGG_CALLBACK_KEY"}], "loopback": True}
    path.write_text(json.dumps({"callbacks": table}))
    return str(path)


def test_a_new_key_signs_and_its_row_is_one_that_the_policy_takes(sgguard, tmp_path):
    code, out, _ = sgguard("callbacks", "key", "--json")
    made = json.loads(out)
    assert code == 0
    assert len(sign.key(made["key"])) == 32
    assert made["key"] not in made["row"]
    assert tomllib.loads(made["row"])["callbacks"]["keys"] == [{"env": "SGG_CALLBACK_KEY"}]
    path = tmp_path / "policy.toml"
    path.write_text(made["row"])
    assert sgguard("policy", "check", str(path))[0] == 0
    assert json.loads(sgguard("callbacks", "key", "--json")[1])["key"] != made["key"]


def test_a_test_is_sent_signed_and_tells_what_the_receiver_answers(sgguard, policy):
    with receiving(OK, answer(500), answer(410), host="") as to:
        url = f"http://127.0.0.1:{to.port}/secret-path"
        runs = [sgguard("callbacks", "test", url, "--policy", policy) for _ in range(3)]
        assert [code for code, *_ in runs] == [0, 1, 1]
        assert "taken: 127.0.0.1 answers 204" in runs[0][1]
        assert "not taken: 127.0.0.1 answers 500" in runs[1][1]
        assert "410" in runs[2][1]
        assert not [one for one in runs if "secret-path" in "".join(map(str, one))]
        sent = json.loads(to.requests[0].body)
        assert (sent["type"], sent["data"]) == ("sgguard.callback.test.v1", {"test": True})
        assert to.requests[0].header("webhook-id") == sent["id"]
        assert to.requests[0].header("webhook-signature").startswith("v1,")


def test_a_dry_run_sends_nothing(sgguard, policy):
    with receiving(host="") as to:
        url = f"http://127.0.0.1:{to.port}/"
        code, out, _ = sgguard("callbacks", "test", url, "--dry-run", "--policy", policy, "--json")
        assert code == 0
        assert json.loads(out) == {
            "ok": True,
            "host": "127.0.0.1",
            "addresses": ["127.0.0.1"],
            "result": "permitted; nothing was sent",
        }
        assert not to.requests


@pytest.mark.parametrize("shape", ["metadata", "IPv4 mapped", "user", "port of SSH", "octal"])
def test_a_test_refuses_what_a_delivery_refuses(sgguard, policy, shape):
    code, out, _ = sgguard("callbacks", "test", BY_THEMSELVES[shape], "--policy", policy)
    assert code == 1
    assert out.startswith("refused: the address ")


def test_a_key_that_cannot_be_read_is_an_error_that_names_its_place(sgguard, policy, monkeypatch):
    monkeypatch.delenv("SGG_CALLBACK_KEY")
    code, _, err = sgguard("callbacks", "test", "http://127.0.0.1:9/", "--policy", policy)
    assert code == 2
    assert "SGG_CALLBACK_KEY" in err


def test_a_policy_that_names_hosts_and_no_key_or_hosts_that_are_none_is_refused(sgguard, tmp_path):
    path = tmp_path / "policy.json"
    for table, word in (
        ({"hosts": [HOST]}, "callbacks.keys"),
        ({"hosts": ["127.0.0.1"], "keys": [{"env": "X"}]}, "callbacks.hosts.0"),
        ({"hosts": ["*.com:8443"], "keys": [{"env": "X"}]}, "callbacks.hosts.0"),
        ({"hosts": ["*.com"], "keys": [{"env": "X"}]}, "callbacks.hosts.0"),
        ({"hosts": ["*"], "keys": [{"env": "X"}]}, "callbacks.hosts.0"),
        ({"hosts": ["metadata.tencentyun.com"], "keys": [{"env": "X"}]}, "callbacks.hosts.0"),
        ({"refuse": ["9.0.0.0/8", "x"]}, "callbacks.refuse.1"),
        ({"ports": [0]}, "callbacks.ports.0"),
        ({"host": [HOST]}, "callbacks"),
    ):
        path.write_text(json.dumps({"callbacks": table}))
        code, out, err = sgguard("policy", "check", str(path))
        assert code != 0, table
        assert word in out + err, (table, out, err)


def test_the_doctor_names_keys_that_cannot_sign_and_what_is_for_tests(sgguard, policy, monkeypatch):
    found = examined(policy)
    assert f"{HOST}; keys that sign: 1" in found["callbacks"].message
    assert found["callback-loopback"].weight == "problem"
    monkeypatch.setenv("SGG_CALLBACK_KEY", "short")
    found = examined(policy)
    assert found["callback-key"].weight == "setup"
    assert "short" not in found["callback-key"].message
    assert list(examine_callbacks(Context.from_env({}, makes_store=False))) == []


def examined(policy):
    context = Context.from_env({**os.environ, "SGGUARD_POLICY": policy}, makes_store=False)
    return {one.code: one for one in examine_callbacks(context)}


def test_the_policy_in_words_says_where_callbacks_may_go(sgguard, policy):
    out = sgguard("policy", "check", policy)[1]
    assert f"Callbacks may go to {HOST} (port 443)." in out
    assert "this machine" in out
