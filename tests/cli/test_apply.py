"""``sgguard apply``: judged, shown, asked about, carried out as the functions would."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys

import pytest

from sgguard import schemas
from sgguard.emulator import edit
from sgguard.emulator.faults import Fault
from sgguard.store.rows import Query
from tests.approvals.harness import rule_naming
from tests.commands import place, sgguard
from tests.patience import pause

__all__ = ["place", "sgguard"]  # fixtures

ENFORCE = """
mode = "{mode}"
[delete]
remedies = ["revoke", "unbind", "move"]
fallback_group = "{free}"
[caps]
management_ports = []
[approval]
approvers = ["ada", "bob"]
"""


@pytest.fixture
def mode(place, tmp_path, monkeypatch):
    def use(name: str) -> None:
        path = tmp_path / f"{name}.toml"
        path.write_text(ENFORCE.format(mode=name, free=place.world.free))
        monkeypatch.setenv("SGGUARD_POLICY", str(path))

    use("enforce")
    return use


@pytest.fixture
def answer(monkeypatch):
    def type_(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    type_("")
    return type_


def kept(place):
    return place.store.decisions(Query(limit=100))


@pytest.mark.usefixtures("mode", "answer")
def test_a_dry_run_shows_the_plan_and_neither_asks_nor_keeps(place, sgguard):
    before = place.emulator.state.dump()
    code, out, err = sgguard("apply", "--dry-run", place.target)
    assert (code, err) == (3, "")
    assert out.startswith(f"REMEDIATE  delete {place.target}")
    assert "3. delete " in out
    assert "decision " not in out
    assert place.emulator.state.dump() == before
    assert kept(place) == ()


@pytest.mark.usefixtures("mode")
def test_a_plan_is_shown_asked_about_and_carried_out(place, sgguard, answer):
    answer("y\n")
    code, out, err = sgguard("apply", place.target, "--as", "olga")
    assert code == 0
    assert place.is_deleted
    assert out.index("3. delete ") < out.index("remediated: decision ")
    assert "Carry out 3 steps" in err
    assert "change 1 of 3: done: revoke" in err
    assert "change 3 of 3: done: delete" in err
    [record] = kept(place)
    assert (record.source, record.requester, record.outcome) == ("apply", "olga", "remediated")
    assert f"To bring it back: sgguard restore {record.decision_id}" in out


@pytest.mark.usefixtures("mode", "answer")
def test_yes_asks_nothing_and_json_is_the_document_alone(place, sgguard):
    code, out, err = sgguard("apply", "--yes", "--json", place.target)
    assert code == 0
    document = json.loads(out)
    [decided] = document["decisions"]
    assert (document["verdict"], document["errors"]) == ("remediate", [])
    assert schemas.problems("decision", decided) == ()
    assert decided["outcome"] == "remediated"
    assert "[y/N]" not in err
    assert sgguard("apply", "--yes", "-q", "--dry-run", place.target)[0] == 2


@pytest.mark.usefixtures("mode")
@pytest.mark.parametrize(
    ("text", "said"),
    [("n\n", "declined"), ("\n", "declined"), ("", "no answer"), ("perhaps\nno\n", "declined")],
    ids=["n", "enter", "closed", "unclear"],
)
@pytest.mark.sampled(3)
def test_a_no_or_a_closed_input_ends_with_1_and_changes_nothing(place, sgguard, answer, text, said):
    before = place.emulator.state.dump()
    for args in (["apply", place.target], ["apply", place.target, "--json"]):
        answer(text)
        code, _, err = sgguard(*args)
        assert code == 1
        assert err.rstrip().endswith(f"{said}: nothing was changed") or "(--yes" in err
    assert place.emulator.state.dump() == before
    assert kept(place) == ()
    assert "1 blocked, declined or undone" in sgguard("apply", "--help")[1]


def test_mode_approve_asks_for_an_approval(place, sgguard, mode):
    mode("approve")
    code, out, _ = sgguard("apply", "--yes", place.target, "--as", "eve")
    assert code == 3
    assert not place.is_deleted
    [asked] = place.store.approvals("pending")
    assert asked.requester == "eve"
    assert f"sgguard approvals approve {asked.approval_id}" in out
    assert sgguard("approvals", "approve", asked.approval_id[:8], "--as", "bob")[0] == 0
    assert place.is_deleted


def test_mode_observe_changes_nothing_and_asks_nothing(place, sgguard, mode, answer):
    mode("observe")
    code, _, err = sgguard("apply", place.target)
    assert (code, err) == (3, "")
    assert not place.is_deleted
    [record] = kept(place)
    assert record.outcome == "unchanged"


@pytest.mark.usefixtures("mode", "answer")
def test_a_group_that_is_blocked_ends_with_1_without_a_question(place, sgguard, monkeypatch):
    monkeypatch.delenv("SGGUARD_POLICY")
    code, out, err = sgguard("apply", place.target)
    assert (code, err) == (1, "")
    assert "BLOCK" in out


@pytest.mark.usefixtures("mode", "answer")
def test_a_stopped_store_stops_it(place, sgguard):
    sgguard("halt", "on", "--reason", "incident")
    code, out, _ = sgguard("apply", "--yes", place.target)
    assert code == 1
    assert "incident" in out
    assert not place.is_deleted


@pytest.mark.usefixtures("mode")
def test_facts_that_changed_while_the_question_was_open_stop_it(place, sgguard, monkeypatch):
    class Late:
        """A person who answers after another one changed the cloud."""

        def readline(self) -> str:
            edit.add_rule(place.cloud, place.world.bound, rule_naming(place.world.referenced))
            return "y\n"

    monkeypatch.setattr("sys.stdin", Late())
    code, _, err = sgguard("apply", place.target)
    assert code == 2
    assert "the facts have changed since the plan was shown: nothing was done" in err
    assert not place.is_deleted
    assert place.store.open_runs() == ()
    answer = io.StringIO("y\n")
    monkeypatch.setattr("sys.stdin", answer)
    assert sgguard("apply", place.target)[0] == 0


@pytest.mark.usefixtures("mode", "answer")
def test_where_one_set_cannot_be_judged_nothing_is_carried_out(place, sgguard):
    before = place.emulator.state.dump()
    other = "nimbus::r:sg-1"
    code, _, err = sgguard("apply", "--yes", place.target, other)
    assert code == 2
    assert "unknown provider 'nimbus'" in err
    assert place.emulator.state.dump() == before


@pytest.mark.usefixtures("answer")
@pytest.mark.parametrize("action", ["", "DeleteSecurityGroupPolicies", "DeleteSecurityGroup"])
@pytest.mark.sampled(2)
def test_a_plan_that_outlasts_a_deadline_continues(place, sgguard, mode, monkeypatch, action):
    monkeypatch.setenv("SGGUARD_DEADLINE_S", "2")
    if action:
        fault = Fault(kind="latency", latency_ms=2500, action=action, count=1)
        place.emulator.faults.append(fault)
    assert sgguard("apply", "--yes", place.target)[0] == 0
    assert place.is_deleted
    [record] = kept(place)
    assert record.outcome == "remediated"


def test_ctrl_c_tells_what_is_true_and_what_to_type(place, mode):
    fault = Fault(kind="latency", latency_ms=9000, action="DeleteSecurityGroupPolicies", count=1)
    place.emulator.faults.append(fault)
    with subprocess.Popen(
        [sys.executable, "-m", "sgguard", "apply", "--yes", "--as", "ada", place.target],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while fault.count:
            assert process.poll() is None
            pause()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    runs = place.store.open_runs()
    assert len(runs) == 1, (process.returncode, out, err)
    [run] = runs
    assert (process.returncode, out) == (130, "")
    assert "of 3 changes are made" in err
    assert f"sgguard resume {run.decision_id}" in err
    assert err.count("\n") == 1


@pytest.mark.usefixtures("mode")
def test_a_declined_plan_makes_no_store(place, sgguard, answer, tmp_path, monkeypatch):
    path = tmp_path / "fresh.db"
    monkeypatch.setenv("SGGUARD_STORE", f"sqlite:///{path}")
    answer("n\n")
    assert sgguard("apply", place.target)[0] == 1
    assert sgguard("apply", "--dry-run", place.target)[0] == 3
    assert not path.exists()
