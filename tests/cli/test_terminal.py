"""On a terminal: long lists are paged, silence is explained, colours are shown."""

from __future__ import annotations

import os
import signal

import pytest

from sgguard.emulator.faults import Fault
from tests.commands import place, sgguard
from tests.stores import a_record
from tests.terminal import on_terminal, typing

__all__ = ["place", "sgguard"]  # fixtures

NAMES = ("SGGUARD_", "TENCENTCLOUD_", "USER", "HOME")


@pytest.fixture
def env(place):
    return {name: value for name, value in os.environ.items() if name.startswith(NAMES)}


@pytest.fixture
def many(place):
    for number in range(60):
        place.store.keep(a_record(f"dec{number:03}", at_s=1_800_000_000.0 + number))
    return place


def test_a_list_longer_than_the_terminal_is_shown_a_screen_at_a_time(many, env, tmp_path):
    pager = tmp_path / "pager"
    pager.write_text(f"#!/bin/sh\ncat > {tmp_path}/paged\n")
    pager.chmod(0o755)
    code, out = on_terminal(["decisions", "list"], {**env, "PAGER": str(pager)})
    assert (code, out) == (0, "")
    paged = (tmp_path / "paged").read_text()
    assert all(f"dec{number:03}" in paged for number in range(60))


def test_a_list_that_fits_is_printed(many, env):
    code, out = on_terminal(["decisions", "list", "--limit", "3"], {**env, "PAGER": "false"})
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[::2]] == ["dec059", "dec058", "dec057"]


def test_elsewhere_a_list_is_whole_and_no_line_is_cut(place, sgguard, monkeypatch):
    monkeypatch.delenv("COLUMNS")
    targets = tuple(f"tencent::ap-guangzhou:sg-{number:08}" for number in range(30))
    for number in range(120):
        place.store.keep(a_record(f"dec{number:03}", target=targets))
    out = sgguard("decisions", "list")[1]
    assert sum(line.startswith("dec") for line in out.splitlines()) == 120
    assert all(one in out for one in targets)


def test_a_verdict_is_coloured_unless_no_color_is_set(place, env):
    args = ["check", "delete", place.target]
    assert "\x1b[33m\x1b[1mREMEDIATE\x1b[0m" in on_terminal(args, env)[1]
    for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b" not in on_terminal(args, {**env, **more})[1]
    assert "\x1b" not in on_terminal([*args, "--color", "never"], env)[1]


def test_silence_says_what_is_waited_for(place, env):
    place.emulator.faults.append(Fault(kind="latency", latency_ms=2600, count=1))
    code, out = on_terminal(["check", "delete", place.target], env)
    assert code == 3
    assert "waiting for tencent::ap-guangzhou, 2 s" in out


def test_a_quick_answer_shows_no_wait(place, env):
    assert "waiting" not in on_terminal(["check", "delete", place.target], env)[1]


def test_ctrl_c_at_the_question_says_that_nothing_was_changed(place, env, tmp_path):
    policy = tmp_path / "enforce.toml"
    policy.write_text('mode = "enforce"\n[delete]\nremedies = ["revoke"]\n')
    args = ["apply", place.target, "--policy", str(policy)]
    interrupt = [("[y/N]", lambda pid, _: os.kill(pid, signal.SIGINT))]
    code, out = on_terminal(args, env, answers=interrupt)
    assert code == 130
    assert out.rstrip().endswith("interrupted: nothing was changed")
    assert not place.is_deleted


def test_an_answer_that_is_neither_is_asked_for_again(place, env, tmp_path):
    policy = tmp_path / "enforce.toml"
    policy.write_text('mode = "enforce"\n[delete]\nremedies = ["revoke"]\n')
    answers = [("[y/N]", typing("perhaps\n")), ("y or n", typing("n\n"))]
    code, out = on_terminal(["apply", place.target, "--policy", str(policy)], env, answers=answers)
    assert code == 1
    assert "declined: nothing was changed" in out
