"""Running the stories of many seeds, and what they have shown."""

from __future__ import annotations

import logging
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from sgguard.telemetry import logs
from tests.sim.generate import story_of
from tests.sim.run import run
from tests.sim.stores import new_store_of

_CHUNK = 25


@dataclass
class Tally:
    """What many seeds have shown: how often each kind of violation, and where first."""

    provider: str
    seeds: int = 0
    points: int = 0
    cpu_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    firsts: dict[str, tuple[int, str]] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Take over what other seeds have shown; they came later."""
        self.seeds += other.seeds
        self.points += other.points
        self.cpu_s += other.cpu_s
        self.counts += other.counts
        self.outcomes += other.outcomes
        for code, found in other.firsts.items():
            if code not in self.firsts or found[0] < self.firsts[code][0]:
                self.firsts[code] = found


def search(provider: str, seeds: range, store: str) -> Tally:
    """Run the stories of some seeds."""
    logs.LOGGER.setLevel(logging.CRITICAL)
    tally = Tally(provider)
    begun_s = time.process_time()
    with new_store_of(store) as new_store:
        for seed in seeds:
            result = run(story_of(provider, str(seed)), new_store)
            tally.seeds += 1
            tally.points += result.points
            tally.outcomes.update(result.outcomes.values())
            for code, violation in result.violations.items():
                tally.counts[code] += 1
                tally.firsts.setdefault(code, (seed, str(violation)))
    tally.cpu_s = time.process_time() - begun_s
    return tally


def search_on_every_core(provider: str, seeds: range, store: str = "sqlite") -> Tally:
    """Run the stories of many seeds, in a process per core: a story is one thread at a time."""
    chunks = [seeds[n : n + _CHUNK] for n in range(0, len(seeds), _CHUNK)]
    tally = Tally(provider)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for part in pool.map(search, [provider] * len(chunks), chunks, [store] * len(chunks)):
            tally.add(part)
    return tally
