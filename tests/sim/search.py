"""Running the stories of many seeds on every store and cloud, and what they have shown."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing import get_context

from sgguard.telemetry import logs
from tests.sim.generate import story_of
from tests.sim.run import Result, not_collected, run
from tests.sim.stores import new_store_of, server

STORES = ("both", "sqlite", "postgres")
"""Both: what is done in SQLite is compared with PostgreSQL (:mod:`tests.sim.twin`)."""

_CHUNK = 25
"""After so many stories garbage is collected, and the next store or cloud has its turn."""


@dataclass
class Tally:
    """What many seeds have shown: how often each kind of violation, and where first."""

    provider: str
    store: str = "sqlite"
    seeds: int = 0
    points: int = 0
    cpu_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    firsts: dict[str, tuple[int, str]] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)

    def count(self, seed: int, result: Result) -> None:
        """Take over what one more seed has shown."""
        self.seeds += 1
        self.points += result.points
        self.outcomes.update(result.outcomes.values())
        for code, violation in result.violations.items():
            self.counts[code] += 1
            self.firsts.setdefault(code, (seed, str(violation)))

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


def seed_of(kind: str, number: int) -> str:
    """The seed of that number, of a kind of stories."""
    return f"{kind}-{number}" if kind else str(number)


def search(provider: str, seeds: range, store: str, server_url: str = "", kind: str = "") -> Tally:
    """Run the stories of some seeds; a PostgreSQL is started for them where none is given."""
    logs.LOGGER.setLevel(logging.CRITICAL)
    tally = Tally(provider, store)
    begun_s = time.process_time()
    with new_store_of(store, server_url=server_url) as new_store:
        for first in range(0, len(seeds), _CHUNK):
            with not_collected():
                for seed in seeds[first : first + _CHUNK]:
                    tally.count(seed, run(story_of(provider, seed_of(kind, seed)), new_store))
    tally.cpu_s = time.process_time() - begun_s
    return tally


def search_on_every_core(provider: str, seeds: range, store: str = "sqlite") -> Tally:
    """Run the stories of many seeds, in a process per core: a story is one thread at a time."""
    tally = Tally(provider, store)
    for part in parts([(store, provider)], seeds, os.cpu_count() or 1):
        tally.add(part)
    return tally


def parts(
    combinations: Sequence[tuple[str, str]],
    seeds: range,
    jobs: int,
    chunk: int = _CHUNK,
    kind: str = "",
) -> Iterator[Tally]:
    """Run seeds of each store and cloud, some of one and then as many of the next, in order.

    So whenever it ends, all of them have come about as far.
    """
    with ExitStack() as stack:
        servers = {store: stack.enter_context(server()) for store in _served(combinations)}
        work = [
            (provider, seeds[n : n + chunk], store, servers.get(store, ""), kind)
            for n in range(0, len(seeds), chunk)
            for store, provider in combinations
        ]
        yield from _parts(work, jobs)


def _served(combinations: Sequence[tuple[str, str]]) -> set[str]:
    return {store for store, _ in combinations if store != "sqlite"}


def _parts(work: list[tuple[str, range, str, str, str]], jobs: int) -> Iterator[Tally]:
    if jobs <= 1:
        yield from (search(*one) for one in work)
        return
    # An interrupt of the terminal goes to all processes; these end what they are at.
    deaf = signal.signal, (signal.SIGINT, signal.SIG_IGN)
    with ProcessPoolExecutor(jobs, get_context("spawn"), *deaf) as pool:
        try:
            yield from pool.map(search, *zip(*work, strict=True))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class Progress:
    """How far a run of so many seeds in all is, how fast, and how long it will take."""

    def __init__(self, seeds: int, now: Callable[[], float] = time.monotonic) -> None:
        self._seeds = seeds
        self._now = now
        self._begun_s = now()
        self._done = 0

    def after(self, seeds: int) -> str:
        """Count seeds that were run; return how far it is."""
        self._done += seeds
        each_s = (self._now() - self._begun_s) / self._done
        left = timedelta(seconds=round(each_s * (self._seeds - self._done)))
        return f"{self._done} of {self._seeds} seeds, {1 / each_s:.1f} a second, {left} left"
