"""No story breaks an invariant: random ones of every cloud, and those that once did."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sim.generate import PROVIDERS
from tests.sim.run import run
from tests.sim.search import Tally, search, search_on_every_core
from tests.sim.story import load

STORIES = Path(__file__).with_name("stories")
KEPT = sorted(STORIES.glob("*.json"))
OPEN = sorted((STORIES / "open").glob("*.json"))
"""What is found and not mended yet; the name begins with the code of what is broken."""

QUICK, SLOW = 300, 3000
"""Stories of each cloud. One takes about 40 ms of processor time on a machine in use."""

QUICK_TOLD, SLOW_TOLD = 10, 150
"""Stories of each cloud in which the outbox is delivered."""

QUICK_BINDS, SLOW_BINDS = 25, 300
"""Stories of each cloud of binds and clicks, which take 25 ms each."""

SLOW_POSTGRES = 60
"""Stories of each kind and cloud on PostgreSQL, and as many on both stores side by side."""


def code_of(path: Path) -> str:
    """The code with which the name of a story begins: ``i8-rules-…`` is about ``I8-rules``."""
    invariant, kind, *_ = path.stem.split("-")
    return f"{invariant.upper()}-{kind}"


def require_unbroken(
    tally: Tally, seeds: range, known: frozenset[str] = frozenset(), kind: str = ""
) -> None:
    provider = tally.provider
    assert tally.seeds == len(seeds)
    found = [
        f"{code}: python -m tests.sim --provider {provider} --seeds 1 --from {seed} {kind}: {text}"
        for code, (seed, text) in tally.firsts.items()
        if code not in known
    ]
    assert not found, "\n".join(found)
    # What is never remediated and never undone shows nothing.
    assert tally.outcomes["remediated"] > len(seeds) // 4


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_random_story_breaks_an_invariant(provider):
    seeds = range(QUICK)
    require_unbroken(search(provider, seeds, "sqlite"), seeds)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "seeds",
    [range(QUICK_TOLD), pytest.param(range(QUICK_TOLD, SLOW_TOLD), marks=pytest.mark.slow)],
    ids=["few", "many"],
)
def test_whatever_happens_to_those_who_tell_it_a_room_is_told_every_end_once(provider, seeds):
    tally = search(provider, seeds, "sqlite", kind="told")
    require_unbroken(tally, seeds, kind="--kind told")


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(
    "seeds",
    [range(QUICK_BINDS), pytest.param(range(QUICK_BINDS, SLOW_BINDS), marks=pytest.mark.slow)],
    ids=["few", "many"],
)
def test_whatever_happens_to_its_workers_a_bind_is_told_as_it_is_and_comes_to_its_end(
    provider, seeds
):
    tally = search(provider, seeds, "sqlite", kind="bind")
    require_unbroken(tally, seeds, kind="--kind bind")


@pytest.mark.slow
@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_random_story_of_many_breaks_an_invariant(provider):
    seeds = range(QUICK, SLOW)
    known = frozenset(map(code_of, OPEN))
    require_unbroken(search_on_every_core(provider, seeds), seeds, known)


@pytest.mark.slow
@pytest.mark.usefixtures("postgres_server")
@pytest.mark.parametrize("store", ["both", "postgres"])
@pytest.mark.parametrize("kind", ["", "told", "bind"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_random_story_breaks_an_invariant_on_postgresql(provider, kind, store):
    seeds = range(SLOW_POSTGRES)
    require_unbroken(
        search(provider, seeds, store, kind=kind), seeds, kind=kind and f"--kind {kind}"
    )


@pytest.mark.parametrize("path", KEPT, ids=[path.stem for path in KEPT])
def test_a_story_that_once_broke_an_invariant_breaks_none(path):
    result = run(load(path))
    assert not result.violations, list(map(str, result.violations.values()))


@pytest.mark.xfail(strict=True, reason="found, and not mended yet")
@pytest.mark.parametrize("path", OPEN, ids=[path.stem for path in OPEN])
def test_a_story_that_is_open_breaks_no_invariant(path):
    assert code_of(path) not in run(load(path)).violations
