"""``sgguard restore``: asked about, with progress, whole or some groups of a decision."""

from __future__ import annotations

import io
import itertools
import json
import signal
import subprocess
import sys

import pytest

from sgguard.emulator.faults import Fault
from tests.cli.test_apply import answer, mode
from tests.commands import place, sgguard
from tests.patience import pause

__all__ = ["answer", "mode", "place", "sgguard"]  # fixtures


@pytest.fixture
def deleted(place, sgguard, mode):
    """Two groups that one decision deleted: one was referenced, the other bound."""
    targets = [place.target, place.target.replace(place.world.referenced, place.world.bound)]
    code, out, err = sgguard("apply", "--yes", "--json", *targets)
    assert code == 0, err
    [decided] = json.loads(out)["decisions"]
    return decided


def groups(place) -> dict[str, str]:
    return {one.name: one.id for one in place.cloud.groups}


def test_a_no_or_a_closed_input_ends_with_1_and_changes_nothing(place, sgguard, deleted, answer):
    before = place.emulator.state.dump()
    answers = {"n\n": "declined", "\n": "declined", "": "no answer"}
    for text, more in itertools.product(answers, ([], ["--json"])):
        answer(text)
        code, _, err = sgguard("restore", deleted["decision_id"][:8], *more)
        assert code == 1
        assert answers[text] in err
        assert err.rstrip().endswith("nothing was changed")
    assert place.emulator.state.dump() == before
    assert "1 declined, or something was left out" in sgguard("restore", "--help")[1]


def test_a_yes_restores_with_progress(place, sgguard, deleted, answer):
    answer("y\n")
    code, out, err = sgguard("restore", deleted["decision_id"])
    assert code == 0
    assert "To restore what decision" in out
    assert "done: create" in err
    assert {"databases", "carried"} <= set(groups(place))


@pytest.mark.parametrize("first", ["referenced", "bound"])
@pytest.mark.sampled(2)
def test_one_group_comes_back_and_the_other_later(place, sgguard, deleted, first):
    names = {"referenced": "databases", "bound": "carried"}
    other = "bound" if first == "referenced" else "referenced"
    chosen = getattr(place.world, first)
    code, out, _ = sgguard("restore", "--yes", "--json", "--group", chosen, deleted["decision_id"])
    assert code == 0
    assert json.loads(out)["outcome"] == "remediated"
    assert names[first] in groups(place)
    assert names[other] not in groups(place)
    # The whole decision is what is left of it now: nothing is made twice.
    assert sgguard("restore", "--yes", deleted["decision_id"])[0] == 0
    assert sorted(groups(place)).count(names[first]) == 1
    assert names[other] in groups(place)


def test_what_belongs_to_a_group_comes_back_with_it_and_nothing_else(place, sgguard, deleted):
    rules_before = len(place.cloud.group(place.world.referrer_in).rules)
    sgguard("restore", "--yes", "--group", place.world.bound, deleted["decision_id"])
    assert len(place.cloud.group(place.world.referrer_in).rules) == rules_before
    carried = groups(place)["carried"]
    assert any(carried in one.groups for one in place.cloud.interfaces)
    sgguard("restore", "--yes", "--group", place.world.referenced, deleted["decision_id"])
    [named] = [
        one.peer_group for one in place.cloud.group(place.world.referrer_in).rules if one.peer_group
    ]
    assert named == groups(place)["databases"]


def test_a_group_restored_before_is_not_made_again(place, sgguard, deleted):
    args = ["restore", "--yes", "--group", place.world.bound, deleted["decision_id"]]
    assert sgguard(*args)[0] == 0
    code, out, err = sgguard(*args)
    assert (code, out) == (2, "")
    assert "was restored before" in err
    assert sorted(groups(place)).count("carried") == 1


def test_a_group_of_another_decision_is_refused_with_those_it_deleted(place, sgguard, deleted):
    code, out, err = sgguard("restore", "--yes", "--group", "sg-0", deleted["decision_id"])
    assert (code, out) == (2, "")
    assert f"it deleted {place.world.referenced}, {place.world.bound}" in err


def test_a_group_may_be_named_by_its_address(place, sgguard, deleted):
    address = place.target
    assert sgguard("restore", "--yes", "--group", address, deleted["decision_id"])[0] == 0
    assert "databases" in groups(place)


def test_ctrl_c_tells_what_is_true_and_what_to_type(place, deleted):
    fault = Fault(kind="latency", latency_ms=9000, action="CreateSecurityGroup*", count=1)
    place.emulator.faults.append(fault)
    with subprocess.Popen(
        [sys.executable, "-m", "sgguard", "restore", "--yes", deleted["decision_id"]],
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
    [run] = place.store.open_runs()
    assert (process.returncode, out) == (130, "")
    assert f"sgguard resume {run.decision_id}" in err


def test_a_closed_standard_input_is_no_yes(place, sgguard, deleted, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    assert sgguard("restore", deleted["decision_id"])[0] == 1
    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    assert sgguard("restore", deleted["decision_id"])[0] == 0
