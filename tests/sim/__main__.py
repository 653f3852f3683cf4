"""Run seeds: ``python -m tests.sim --seeds N --from S [--provider P] [--store sqlite|postgres]``.

Prints progress, the time per seed, and for each kind of violation its first story, made small.
The exit code is 1 where one was found. ``--only CODE`` looks at those kinds of violations alone,
``--keep FOLDER`` writes the small stories there, ``--story FILE`` tells one that was kept.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from sgguard.telemetry import logs
from tests.sim.generate import PROVIDERS, story_of
from tests.sim.run import run
from tests.sim.search import Tally, search
from tests.sim.shrink import shrink
from tests.sim.stores import new_store_of
from tests.sim.story import Story, load
from tests.sim.tell import told

_CHUNK = 25


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments say; return the exit code."""
    given = _parser().parse_args(arguments)
    logs.LOGGER.setLevel(logging.CRITICAL)
    if given.story:
        return _tell(load(Path(given.story)), given.store)
    if given.mutants:
        from tests.sim import mutants  # noqa: PLC0415 - it copies the tree, which a search must not

        return mutants.main(given.seeds, given.jobs, given.without, given.mutant)
    wanted = set(given.only.split(",")) - {""}
    unwanted = set(given.without.split(",")) - {""}
    is_clean = True
    for provider in [given.provider] if given.provider else PROVIDERS:
        tally = _searched(provider, given)
        codes = [
            code for code in tally.counts if (not wanted or code in wanted) and code not in unwanted
        ]
        print(_summary(tally))
        for code in sorted(codes, key=lambda one: tally.firsts[one][0]):
            is_clean = False
            seed, text = tally.firsts[code]
            print(f"  {code}: {tally.counts[code]} seeds, the first {seed}: {text[:400]}")
            if not given.brief:
                _print_small(provider, seed, code, given)
    return 0 if is_clean else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--provider", choices=PROVIDERS)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", default="", metavar="CODE,…")
    parser.add_argument("--without", default="", metavar="CODE,…")
    parser.add_argument("--brief", action="store_true", help="do not make stories smaller")
    parser.add_argument("--keep", metavar="FOLDER")
    parser.add_argument("--story", metavar="FILE")
    parser.add_argument("--mutants", action="store_true", help="break the engine, and search")
    parser.add_argument("--mutant", default="", metavar="TEXT", help="those whose name has it")
    return parser


def _searched(provider: str, given: argparse.Namespace) -> Tally:
    tally = Tally(provider)
    for part in _parts(provider, given):
        tally.add(part)
        if sys.stderr.isatty():
            print(f"\r{provider} {tally.seeds} of {given.seeds}", end="", file=sys.stderr)
    return tally


def _parts(provider: str, given: argparse.Namespace) -> Iterator[Tally]:
    last = given.first + given.seeds
    chunks = [range(n, min(n + _CHUNK, last)) for n in range(given.first, last, _CHUNK)]
    if given.jobs <= 1:
        yield from (search(provider, chunk, given.store) for chunk in chunks)
        return
    with ProcessPoolExecutor(given.jobs) as pool:
        yield from pool.map(search, [provider] * len(chunks), chunks, [given.store] * len(chunks))


def _summary(tally: Tally) -> str:
    each_ms = tally.cpu_s * 1000 / max(1, tally.seeds)
    outcomes = ", ".join(f"{number} {one}" for one, number in tally.outcomes.most_common())
    return (
        f"{tally.provider}: {tally.seeds} seeds, {each_ms:.0f} ms each, "
        f"{tally.points // max(1, tally.seeds)} points each; {outcomes}; "
        f"{sum(tally.counts.values())} violations"
    )


# -- one story -------------------------------------------------------------------------------------


def _print_small(provider: str, seed: int, code: str, given: argparse.Namespace) -> None:
    with new_store_of(given.store) as new_store:
        small = shrink(
            story_of(provider, str(seed)),
            lambda story: code in run(story, new_store).violations,
        )
        result = run(small, new_store)
    print(told(small, result, code))
    if given.keep:
        path = Path(given.keep) / f"{code.lower()}-{provider}-{seed}.json"
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
