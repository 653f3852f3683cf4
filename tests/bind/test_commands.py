"""``sgguard bind``, ``unbind`` and ``undo`` from the command line, on a cloud on loopback."""

from __future__ import annotations

import io
import json
import time

import pytest

from sgguard.cli._binding import Bar
from sgguard.emulator import edit
from sgguard.emulator.resource import Rule
from sgguard.emulator.server import serve
from tests.bind.harness import BASE, GROUP, Fleet, ids
from tests.commands import sgguard
from tests.worlds.tencent import WORLD

__all__ = ["sgguard"]
ADDRESS = f"tencent::{WORLD.region}:{GROUP}"


@pytest.fixture
def fleet(tmp_path, monkeypatch):
    made = Fleet(tmp_path, 12)
    policy = tmp_path / "policy.toml"
    policy.write_text('mode = "enforce"\n')
    with serve(made.emulator) as running:
        made.emulator.now = time.time
        for name, value in {
            **WORLD.env,
            "SGGUARD_STORE": f"sqlite:///{tmp_path / 'cli.db'}",
            "SGGUARD_POLICY": str(policy),
            "SGGUARD_ENDPOINT_TENCENT": running.url,
            "USER": "ada",
        }.items():
            monkeypatch.setenv(name, value)
        yield made


def test_a_file_a_filter_and_ids_are_bound_and_undone(sgguard, fleet, tmp_path, monkeypatch):
    listed = tmp_path / "instances.txt"
    listed.write_text(f"# web\n{ids(12)[0]}, {ids(12)[1]}\n{ids(12)[0]}\n")
    code, out, err = sgguard("bind", "--json", "--yes", ADDRESS, ids(12)[2], "--from", str(listed))
    done = json.loads(out)
    assert (code, done["bind"]["counts"]["done"], err) == (0, 3, "")
    assert fleet.holders_of() == set(ids(3))
    # what is so already, and one that is not there
    monkeypatch.setattr("sys.stdin", io.StringIO("ins-gone0000\n"))
    code, out, _ = sgguard("bind", "--yes", ADDRESS, "--name", "web-1*", "--from", "-")
    assert code == 1
    assert "4 holders: 2 done, 1 nothing, 1 refused" in " ".join(out.split())
    assert "ins-gone0000  refused  holder-not-found" in out
    assert fleet.holders_of() == {*ids(3), *ids(12)[10:]}
    code, out, _ = sgguard("undo", "--yes", done["decision_id"][:12])
    assert code == 0
    assert fleet.holders_of() == set(ids(12)[10:])
    code, out, _ = sgguard("unbind", "--yes", ADDRESS, "--carrying", GROUP)
    assert (code, fleet.holders_of()) == (0, set())
    assert fleet.carried(ids(12)[0]) == [BASE]


def test_nothing_is_written_by_a_dry_run_or_without_an_answer(sgguard, fleet, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    code, out, _ = sgguard("bind", "--dry-run", ADDRESS, *ids(3))
    assert (code, fleet.calls()) == (3, 0)
    assert "REMEDIATE  bind" in out
    code, out, err = sgguard("bind", ADDRESS, *ids(3))
    assert (code, fleet.calls()) == (1, 0)
    assert "nothing was changed" in err
    code, _, err = sgguard("bind", "--yes", ADDRESS)
    assert code == 2
    assert "Name a HOLDER" in err


class Late:
    """A person who says yes after somebody has opened the group."""

    def __init__(self, fleet: Fleet) -> None:
        self.cloud = fleet.cloud

    def readline(self) -> str:
        edit.add_rule(self.cloud, GROUP, Rule("ingress", ports="22", cidr="0.0.0.0/0"))
        return "y\n"


def test_a_group_that_was_opened_while_the_question_was_open_is_not_bound(
    sgguard, fleet, monkeypatch
):
    monkeypatch.setattr("sys.stdin", Late(fleet))
    code, _, err = sgguard("bind", ADDRESS, *ids(3))
    assert (code, fleet.calls()) == (2, 0)
    assert "the facts have changed since the plan was shown: nothing was done" in err
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    code, _, _ = sgguard("bind", ADDRESS, *ids(3))
    assert (code, fleet.holders_of()) == (0, set(ids(3)))


def test_an_unbound_group_that_was_opened_while_an_undo_was_shown_is_not_put_back(
    sgguard, fleet, monkeypatch
):
    sgguard("bind", "--yes", ADDRESS, *ids(3))
    _, out, _ = sgguard("unbind", "--json", "--yes", ADDRESS, *ids(3))
    monkeypatch.setattr("sys.stdin", Late(fleet))
    code, _, err = sgguard("undo", json.loads(out)["decision_id"])
    assert (code, fleet.holders_of()) == (2, set())
    assert "the facts have changed since the plan was shown: nothing was done" in err


def test_a_bar_has_rate_and_remaining_time(monkeypatch):
    now = iter([0.0, 2.0])
    bar = Bar(clock=lambda: next(now))
    bar(0, 300)  # no terminal: nothing is shown
    assert bar.text(100, 300) == "[##########....................] 100/300  50/s  4 s left"
    assert bar.shown == 0


def test_ctrl_c_leaves_what_can_be_resumed_and_says_how(sgguard, fleet, monkeypatch):
    def stop(_bar, done, _total):
        if done:
            raise KeyboardInterrupt

    fleet.cloud.quirks["binds_at_most"] = 4
    monkeypatch.setattr(Bar, "__call__", stop)
    code, _, err = sgguard("bind", "--yes", ADDRESS, *ids(12))
    assert code == 130
    assert "of 12 holders are over; next: sgguard resume" in err
    monkeypatch.undo()


def test_a_bind_is_shown_as_any_decision(sgguard, fleet):
    done = json.loads(sgguard("bind", "--json", "--yes", ADDRESS, *ids(3))[1])
    code, out, err = sgguard("decisions", "show", done["decision_id"])
    assert code == 0, err
    assert "bind sg-unused00 to 3 of 3 holders" in out
    code, out, _ = sgguard("decisions", "list")
    assert done["decision_id"][:8] in out
