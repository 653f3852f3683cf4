"""A long run goes through every store and cloud in turns, says how far it is, and can go on."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from tests.sim import __main__ as command
from tests.sim import search
from tests.sim.search import Progress, Tally, parts

BOTH = [("sqlite", "tencent"), ("postgres", "huawei")]


class Once:
    """Signals that have come as soon as something holds."""

    def __init__(self, holds) -> None:
        self._holds = holds

    def __bool__(self) -> bool:
        return self._holds()


@pytest.fixture
def searched(monkeypatch):
    """What was searched; no story is told, and seed 7 breaks an invariant."""
    found = []

    def noted(provider: str, seeds: range, store: str, server_url: str, kind: str) -> Tally:
        assert not kind
        assert bool(server_url) == (store != "sqlite")  # one server for all
        found.append((store, provider, seeds))
        tally = Tally(provider, store, seeds=len(seeds), points=len(seeds))
        if 7 in seeds:
            tally.counts["I1"] = 1
            tally.firsts["I1"] = 7, "two workers"
        return tally

    monkeypatch.setattr(search, "search", noted)
    monkeypatch.setattr(search, "server", lambda: nullcontext("a server's URL"))
    return found


def test_every_store_and_cloud_comes_about_as_far(searched):
    list(parts(BOTH, range(10, 15), jobs=1, chunk=3))
    assert searched == [
        ("sqlite", "tencent", range(10, 13)),
        ("postgres", "huawei", range(10, 13)),
        ("sqlite", "tencent", range(13, 15)),
        ("postgres", "huawei", range(13, 15)),
    ]


def test_without_a_store_or_cloud_all_clouds_are_searched_on_both_stores(searched, capsys):
    assert command.main(["--seeds", "2"]) == 0
    assert len({(store, provider) for store, provider, _ in searched}) == 5
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[0] == "both tencent: 2 seeds, 0 ms each, 1 points each; ; 0 violations"


def test_what_is_found_is_told_at_once_and_at_the_end(searched, capsys):
    arguments = ["--from", "5", "--seeds", "5", "--provider", "huawei", "--store", "sqlite"]
    assert command.main([*arguments, "--brief"]) == 1
    said = capsys.readouterr()
    assert "sqlite huawei; I1 in seed 7: 5 of 5 seeds" in said.err
    assert "  I1: 1 seeds, the first 7: two workers" in said.out
    assert len(searched) == 1


def test_a_run_that_is_stopped_says_how_it_goes_on(searched, monkeypatch, capsys):
    monkeypatch.setattr(command, "_signals", Once(lambda: len(searched) == 7))
    assert command.main(["--seeds", "30", "--chunk", "10"]) == 130
    # Two of the five clouds have come further: the others decide.
    assert "--from 10 --seeds 20" in capsys.readouterr().out


def test_progress_says_how_fast_it_is_and_how_long_it_takes():
    times = iter([100.0, 110.0, 120.0])
    progress = Progress(200, lambda: next(times))
    assert progress.after(20) == "20 of 200 seeds, 2.0 a second, 0:01:30 left"
    assert progress.after(80) == "100 of 200 seeds, 5.0 a second, 0:00:20 left"
