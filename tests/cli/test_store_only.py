"""What needs the store needs nothing else: a broken policy or setting keeps nobody from a halt."""

from __future__ import annotations

import json

import pytest

from tests.cli.test_resume import cut_short, stuck
from tests.commands import POLICY_FILE, place, sgguard
from tests.stores import a_record

__all__ = ["place", "sgguard"]  # fixtures

ENDED = """
[[exemption]]
group = "tencent::ap-guangzhou:sg-1"
reasons = ["protected"]
owner = "ada"
reason = "moving"
expires = 2020-01-01
"""
POLICIES = {"broken": "mode = [", "wrong": "mode = 'never'", "ended": POLICY_FILE + ENDED}
SETTINGS = {
    "SGGUARD_MODE": "enforced",
    "SGGUARD_DEADLINE_S": "soon",
    "SGGUARD_PACE": "0",
    "SGGUARD_KEEP_DAYS": "1",
    "SGGUARD_APPROVAL_KEY": "short",
    "SGGUARD_APPROVAL_URL": "guard.example",
    "SGGUARD_MAX_BODY_BYTES": "much",
    "SGGUARD_LOG_LEVEL": "LOUD",
    "SGGUARD_MISSPELT": "1",
}


@pytest.fixture(params=[*POLICIES, "missing", "settings", "approve-without-approvers"])
def spoilt(request, place, tmp_path, monkeypatch) -> str:
    """One thing that keeps the functions from starting."""
    kind = request.param
    if kind == "missing":
        monkeypatch.setenv("SGGUARD_POLICY", str(tmp_path / "nowhere.toml"))
    elif kind == "settings":
        for name, value in SETTINGS.items():
            monkeypatch.setenv(name, value)
    elif kind == "approve-without-approvers":
        monkeypatch.delenv("SGGUARD_POLICY")
        monkeypatch.setenv("SGGUARD_MODE", "approve")
    else:
        bad = tmp_path / "bad.toml"
        bad.write_text(POLICIES[kind])
        monkeypatch.setenv("SGGUARD_POLICY", str(bad))
    return kind


@pytest.mark.sampled(3)
def test_changes_are_stopped_and_permitted_whatever_else_is_broken(spoilt, place, sgguard):
    assert sgguard("halt", "on", "--reason", "incident")[0] == 0
    assert place.store.halted().reason == "incident"
    code, out, _ = sgguard("halt", "status")
    assert (code, "by ada" in out) == (1, True)
    assert sgguard("halt", "off")[0] == 0
    assert place.store.halted() is None
    assert sgguard("halt", "status")[0] == 0


@pytest.mark.sampled(6)
def test_decisions_and_approvals_are_listed_and_shown_whatever_else_is_broken(
    spoilt, place, sgguard
):
    place.store.keep(a_record("d1"))
    asked = place.asked()
    for command, name in (("decisions", asked.decision_id), ("approvals", asked.approval_id)):
        code, out, _ = sgguard(command, "list", "--json")
        assert (code, name in out) == (0, True)
        code, out, _ = sgguard(command, "show", name)
        assert (code, name in out) == (0, True)


@pytest.mark.sampled(6)
def test_a_request_is_denied_whatever_else_is_broken(spoilt, place, sgguard):
    asked = place.asked()
    code, out, _ = sgguard("approvals", "deny", asked.approval_id, "--as", "bob")
    assert code == 0
    assert out.startswith("refused")
    assert place.approval(asked.approval_id).state == "denied"
    assert place.approval(asked.approval_id).resolved_by == "bob"


@pytest.mark.parametrize("policy", [POLICY_FILE, POLICY_FILE + ENDED], ids=["whole", "ended"])
@pytest.mark.sampled(2)
def test_who_may_deny_is_who_the_policy_lists_while_it_can_be_read(
    place, sgguard, tmp_path, monkeypatch, policy
):
    good = tmp_path / "good.toml"
    good.write_text(policy)
    monkeypatch.setenv("SGGUARD_POLICY", str(good))
    asked = place.asked()
    code, _, err = sgguard("approvals", "deny", asked.approval_id, "--as", "mallory")
    assert (code, "mallory" in err) == (2, True)
    assert place.approval(asked.approval_id).state == "pending"


def test_what_is_not_used_is_named_once(place, sgguard, monkeypatch):
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    for args in (("decisions", "list"), ("halt", "status")):
        _, _, err = sgguard(*args)
        assert [sum(line.count(name) for line in err.splitlines()) for name in SETTINGS] == [
            1 for _ in SETTINGS
        ]
    assert "short" not in err.replace("shortened", "")


def test_whether_a_broken_policy_halts_is_not_known(place, sgguard, monkeypatch, tmp_path):
    monkeypatch.setenv("SGGUARD_POLICY", str(tmp_path / "nowhere.toml"))
    code, out, err = sgguard("halt", "status", "--json")
    assert (code, json.loads(out)["policy"]) == (0, None)
    assert "nowhere.toml" in err


def test_an_ended_exemption_leaves_the_halt_of_its_policy(place, sgguard, monkeypatch, tmp_path):
    policy = tmp_path / "ended.toml"
    policy.write_text(f"halt = true\n{POLICY_FILE}{ENDED}")
    monkeypatch.setenv("SGGUARD_POLICY", str(policy))
    code, out, err = sgguard("halt", "status")
    assert (code, "policy file" in out) == (1, True)
    assert "ended" in err or "over" in err


def test_how_long_records_are_kept_is_never_guessed(place, sgguard, monkeypatch):
    place.store.keep(a_record("old", at_s=1.0))
    monkeypatch.setenv("SGGUARD_KEEP_DAYS", "1000000 days")
    code, out, err = sgguard("decisions", "purge")
    assert (code, out) == (2, "")
    assert "SGGUARD_KEEP_DAYS" in err
    assert place.store.decision("old") is not None


@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.sampled(2)
def test_what_cannot_be_resumed_is_listed_with_the_reason(
    place, sgguard, monkeypatch, tmp_path, is_named
):
    asked = cut_short(place)
    monkeypatch.setenv("SGGUARD_POLICY", str(tmp_path / "nowhere.toml"))
    code, out, err = sgguard("resume", *([asked.decision_id] if is_named else []))
    assert (code, out) == (2, "")
    assert asked.decision_id in err
    assert place.target in err
    assert "nowhere.toml" in err
    assert place.store.run(asked.decision_id).state != "finished"


def test_with_nothing_open_a_broken_policy_keeps_nothing_from_being_resumed(
    place, sgguard, monkeypatch, tmp_path
):
    monkeypatch.setenv("SGGUARD_POLICY", str(tmp_path / "nowhere.toml"))
    code, out, err = sgguard("resume")
    assert (code, out) == (0, f"Nothing is open in {place.url}.\n")
    assert "nowhere.toml" in err
    assert json.loads(sgguard("resume", "--json")[1]) == []


def test_a_stuck_plan_is_accepted_without_a_policy(place, sgguard, monkeypatch, tmp_path):
    asked = stuck(place)
    monkeypatch.setenv("SGGUARD_POLICY", str(tmp_path / "nowhere.toml"))
    code, out, err = sgguard("resume", asked.decision_id, "--accept", "--as", "ada")
    assert (code, err) == (1, "")
    assert "accepted as it is by ada" in out
    assert place.store.open_runs() == ()
