"""An exemption that is over is a warning at start, and an error where a policy is mended."""

from __future__ import annotations

import json

import pytest

from sgguard.engine import context as contexts
from sgguard.engine.context import Context, begin
from sgguard.telemetry.logs import LOGGER
from tests.commands import place, sgguard

__all__ = ["place", "sgguard"]  # fixtures

ENDED = """
mode = "approve"
[delete]
protected = ["databases"]
remedies = ["revoke", "unbind"]
[caps]
management_ports = []
[approval]
approvers = ["ada", "bob", "eve"]
[[exemption]]
group = "databases"
reasons = ["protected"]
owner = "olga"
reason = "moved"
expires = 2020-12-31
"""
WARNING = "the exemption of databases ended on 2020-12-31 and is not honoured any more"


@pytest.fixture
def policy(place, tmp_path, monkeypatch):
    path = tmp_path / "ended.toml"
    path.write_text(ENDED)
    monkeypatch.setenv("SGGUARD_POLICY", str(path))
    return path


def test_a_function_starts_with_it_warns_once_and_does_not_honour_it(place, policy, capsys):
    before = list(LOGGER.handlers), LOGGER.level, LOGGER.propagate
    contexts._warn_ended.cache_clear()
    env = {**place.world.env, "SGGUARD_POLICY": str(policy), "SGGUARD_STORE": place.url}
    try:
        contexts_begun = [begin(env) for _ in range(3)]
    finally:
        LOGGER.handlers[:], LOGGER.level, LOGGER.propagate = before
    [line] = [json.loads(one) for one in capsys.readouterr().err.splitlines()]
    assert (line["level"], line["msg"]) == ("WARNING", "exemption ended")
    assert WARNING in line["detail"]
    assert contexts_begun[0].policy.exemptions[0].owner == "olga"


def test_recorded_facts_are_judged_with_it_and_it_is_not_honoured(place, sgguard, tmp_path, policy):
    facts = str(tmp_path / "facts.json")
    sgguard("check", "delete", place.target, "--record", facts)
    cases = tmp_path / "cases.toml"
    cases.write_text(f'policy = "{policy}"\n[[case]]\nfacts = "{facts}"\nverdict = "block"\n')
    code, out, err = sgguard("policy", "test", str(cases))
    assert (code, out.splitlines()[-1]) == (0, "1 cases, 0 not as expected")
    assert err.count(WARNING) == 1
    assert sgguard("policy", "check", str(policy))[0] == 2


@pytest.mark.usefixtures("policy")
@pytest.mark.parametrize(
    "args",
    [
        ["policy", "show"],
        ["policy", "exemptions"],
        ["halt", "status"],
        ["check", "delete", "TARGET"],
        ["apply", "--dry-run", "TARGET"],
        ["approvals", "link", "APPROVAL"],
        ["approvals", "approve", "APPROVAL"],
        ["resume"],
    ],
    ids=" ".join,
)
@pytest.mark.sampled(6)
def test_a_command_works_and_warns_in_one_line(place, sgguard, monkeypatch, policy, args):
    monkeypatch.delenv("SGGUARD_POLICY")
    asked = place.asked()
    monkeypatch.setenv("SGGUARD_POLICY", str(policy))
    words = {"TARGET": place.target, "APPROVAL": asked.approval_id}
    code, _, err = sgguard(*(words.get(one, one) for one in args))
    assert "is over" not in err
    assert err.count(WARNING) == 1
    assert code in (0, 1, 3)


@pytest.mark.usefixtures("policy")
def test_a_group_whose_exemption_ended_is_protected_again(place, sgguard):
    _, out, _ = sgguard("check", "delete", place.target)
    assert out.startswith("BLOCK")
    assert "protected" in out


def test_the_check_of_a_policy_refuses_it(sgguard, policy):
    for args in ([str(policy)], [], [str(policy), "--json"]):
        code, out, err = sgguard("policy", "check", *args)
        assert code == 2
        assert "the exemption of databases is over" in err
        if "--json" in args:
            assert json.loads(out)["valid"] is False
    assert Context.from_env({"SGGUARD_POLICY": str(policy)}).policy.exemptions
