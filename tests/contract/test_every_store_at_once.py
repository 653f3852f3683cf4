"""Sixteen processes that are all delivered the same two hundred events: each has one effect."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sgguard.store.rows import Answered

ROOT = Path(__file__).parents[2]
PROCESSES = 16
EVENTS = 200


def run(kept, folder, deaths):
    """Let them work; return how many died."""
    command = [sys.executable, "-m", "tests.contract.store_workers", kept.url, str(folder)]
    ended = subprocess.run(
        [*command, str(PROCESSES), str(EVENTS), str(deaths)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout)


def require_one_effect_each(kept, folder):
    wanted = sorted(str(number) for number in range(EVENTS))
    assert sorted((folder / "world").read_text().split()) == wanted
    store = kept.open_on_its_own_clock()
    assert store.open_runs() == ()
    fences = {}
    for event in wanted:
        answer = store.claim("bus", event, owner="w", decision_id="d", lease_s=1, payload_hash="h")
        assert isinstance(answer, Answered)
        fences[event] = answer.answer_json.strip('"')
        assert store.run(f"d-{event}").state == "finished"
        assert [entry.state for entry in store.entries(f"d-{event}")] == ["done"]
    winners = [line.split() for line in (folder / "winners").read_text().splitlines()]
    assert len({event for event, _ in winners}) == len(winners)
    assert all(fences[event] == fence for event, fence in winners)
    return len(winners)


@pytest.mark.slow
def test_of_sixteen_processes_with_the_same_events_one_has_each(kept, tmp_path):
    assert run(kept, tmp_path, 0) == 0
    assert require_one_effect_each(kept, tmp_path) == EVENTS


@pytest.mark.slow
def test_what_killed_processes_left_is_finished_by_others_and_nothing_is_done_twice(kept, tmp_path):
    assert run(kept, tmp_path, 30) >= 30
    # Who was killed right after the answer could not say that it was theirs.
    assert EVENTS - 30 <= require_one_effect_each(kept, tmp_path) <= EVENTS
