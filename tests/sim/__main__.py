"""Run seeds: ``python -m tests.sim --seeds N --from S [--provider P] [--store S]``.

Without ``--provider`` these are all clouds, in turns; without ``--store`` each story is one of both
stores: whatever PostgreSQL does otherwise than SQLite is a violation, too. Prints how far it is,
how fast and how long it will take (stderr), then a line for each cloud, and for each kind of
violation its first story, made small. The exit code is 1 where one was found, and 130 where it was
stopped: it then says with which ``--from`` it goes on.

``--only CODE`` looks at those kinds of violations alone, ``--keep FOLDER`` writes the small stories
there, ``--story FILE`` tells one that was kept.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sgguard.telemetry import logs
from tests.sim.generate import KINDS, PROVIDERS, story_of
from tests.sim.run import run
from tests.sim.search import STORES, Progress, Tally, parts, seed_of
from tests.sim.shrink import shrink
from tests.sim.stores import new_store_of
from tests.sim.story import Story, load
from tests.sim.tell import told

_STOPPED = 130
_signals: list[int] = []
"""Which have come; they stop a run between two stories, whose threads nobody can interrupt."""


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments say; return the exit code."""
    given = _parser().parse_args(arguments)
    logs.LOGGER.setLevel(logging.CRITICAL)
    if given.story:
        return _tell(load(Path(given.story)), "sqlite" if given.store == "both" else given.store)
    if given.mutants:
        from tests.sim import mutants  # noqa: PLC0415 - it copies the tree, which a search must not

        return mutants.main(given.seeds, given.jobs, given.without, given.mutant)
    providers = [given.provider] if given.provider else PROVIDERS
    return _search([(given.store, provider) for provider in providers], given)


@contextmanager
def _stopped_between_stories() -> Iterator[None]:
    """Note signals that would end the process, and end when the stories under way are over."""
    noted = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in noted:
        signal.signal(number, lambda number, _: _signals.append(number))
    try:
        yield
    finally:
        for number, before in noted.items():
            signal.signal(number, before)


def _search(combinations: Sequence[tuple[str, str]], given: argparse.Namespace) -> int:
    tallies = {one: Tally(one[1], one[0]) for one in combinations}
    seeds = range(given.first, given.first + given.seeds)
    progress = Progress(len(seeds) * len(tallies))
    with _stopped_between_stories():
        for part in parts(combinations, seeds, given.jobs, given.chunk, given.kind):
            tallies[part.store, part.provider].add(part)
            _report(progress.after(part.seeds), part, given)
            if _signals:
                break
    is_whole = not _signals
    is_clean = True
    for tally in tallies.values():
        print(_summary(tally), flush=True)
        for code in sorted(_codes(tally, given), key=lambda one: tally.firsts[one][0]):
            is_clean = False
            seed, text = tally.firsts[code]
            print(f"  {code}: {tally.counts[code]} seeds, the first {seed}: {text[:400]}")
            if is_whole and not given.brief:
                _print_small(tally, seed, code, given)
    if not is_whole:
        done = min(tally.seeds for tally in tallies.values())
        last = f"--from {given.first + done} --seeds {given.seeds - done}"
        print(f"stopped; go on with the same and {last}")
        return _STOPPED
    return 0 if is_clean else 1


def _report(progress: str, part: Tally, given: argparse.Namespace) -> None:
    """Tell on stderr how far it is, and of each violation as soon as it is found."""
    end, begin = ("", "\r") if sys.stderr.isatty() else ("\n", "")
    found = "".join(f"; {code} in seed {part.firsts[code][0]}" for code in _codes(part, given))
    print(f"{begin}{part.store} {part.provider}{found}: {progress}", end=end, file=sys.stderr)


def _codes(tally: Tally, given: argparse.Namespace) -> list[str]:
    """The violations that count."""
    wanted = set(given.only.split(",")) - {""}
    unwanted = set(given.without.split(",")) - {""}
    return [one for one in tally.counts if (not wanted or one in wanted) and one not in unwanted]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument(
        "--kind", choices=KINDS, default="", help="told: and the outbox is delivered"
    )
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--provider", choices=PROVIDERS, help="one cloud, not each of them")
    parser.add_argument("--store", choices=STORES, default="both", help="one of them alone")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--chunk", type=int, default=25, help="seeds of one before the next")
    parser.add_argument("--only", default="", metavar="CODE,…")
    parser.add_argument("--without", default="", metavar="CODE,…")
    parser.add_argument("--brief", action="store_true", help="do not make stories smaller")
    parser.add_argument("--keep", metavar="FOLDER")
    parser.add_argument("--story", metavar="FILE")
    parser.add_argument("--mutants", action="store_true", help="break the engine, and search")
    parser.add_argument("--mutant", default="", metavar="TEXT", help="those whose name has it")
    return parser


def _summary(tally: Tally) -> str:
    each_ms = tally.cpu_s * 1000 / max(1, tally.seeds)
    outcomes = ", ".join(f"{number} {one}" for one, number in tally.outcomes.most_common())
    return (
        f"{tally.store} {tally.provider}: {tally.seeds} seeds, {each_ms:.0f} ms each, "
        f"{tally.points // max(1, tally.seeds)} points each; {outcomes}; "
        f"{sum(tally.counts.values())} violations"
    )


# -- one story -------------------------------------------------------------------------------------


def _print_small(tally: Tally, seed: int, code: str, given: argparse.Namespace) -> None:
    with new_store_of(tally.store) as new_store:
        small = shrink(
            story_of(tally.provider, seed_of(given.kind, seed)),
            lambda story: code in run(story, new_store).violations,
        )
        result = run(small, new_store)
    print(told(small, result, code))
    if given.keep:
        path = Path(given.keep) / f"{code.lower()}-{tally.provider}-{seed}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(small.to_json() + "\n")
        print(f"  kept as {path}")


def _tell(story: Story, store: str) -> int:
    with new_store_of(store) as new_store:
        result = run(story, new_store)
    print(told(story, result))
    for violation in result.violations.values():
        print(f"  {violation}")
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
