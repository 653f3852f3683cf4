"""Run seeds: ``python -m tests.sim --seeds N --from S [--provider P] [--store sqlite|postgres]``.

Prints progress, the time per seed, and for each kind of violation its first story, made small.
The exit code is 1 where one was found. ``--only CODE`` looks at those kinds of violations alone,
``--keep FOLDER`` writes the small stories there, ``--story FILE`` tells one that was kept.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from sgguard.telemetry import logs
from tests.sim.generate import PROVIDERS, story_of
from tests.sim.run import Result, run
from tests.sim.shrink import shrink
from tests.sim.stores import new_store_of
from tests.sim.story import Story, id_of, load

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


def told(story: Story, result: Result, code: str = "") -> str:
    """A story as a person reads it: what there is, what is done, and what came of it."""
    lines = [f"  story {story.seed} of {story.provider}"]
    lines += [f"    {name}: {rules}" for name, rules in story.groups.items()]
    lines += [f"    {name} carries {groups}" for name, groups in story.holders.items()]
    lines += [f"    policy {name}: {json.dumps(raw)}" for name, raw in story.policies.items()]
    more_or_less = ", more or less" if story.jitter else ""
    lines.append(
        f"    a transaction takes {story.latency_s[0]} s, a call {story.latency_s[1]} s"
        f"{more_or_less}; deadline {story.deadline_s:g} s"
    )
    lines += [f"    {_task(task)}" for task in story.tasks]
    until = next((n for n, line in enumerate(result.log) if f"*** {code}" in line), -2)
    log = _together(result.log[: until + 1 if until >= 0 else None])
    lines += [f"  | {line}" for line in log]
    return _named("\n".join(lines), story)


def _together(log: list[str]) -> list[str]:
    """Transactions of one worker that follow each other, on one line."""
    found: list[str] = []
    for line in log:
        who, text = line[14:22], line[23:]
        is_plain = text.replace("_", "").isalpha()
        if is_plain and found and found[-1][14:22] == who and found[-1].endswith(" ..."):
            found[-1] = f"{found[-1][:-4]}, {text} ..."
        else:
            found.append(f"{line} ..." if is_plain else line)
    return [line.removesuffix(" ...") for line in found]


def _named(text: str, story: Story) -> str:
    """The text with the story's names in place of ids."""
    numbers = [name[1:] for name in story.holders]
    for name in [*story.groups, *(f"{kind}{n}" for n in numbers for kind in "hi")]:
        text = text.replace(id_of(story.provider, name), name)
    return text


def _task(task: dict[str, object]) -> str:
    rest = {key: value for key, value in task.items() if key not in ("name", "kind", "at")}
    return f"at {task['at']} s {task['name']} {task['kind']}: {json.dumps(rest)}"


def _tell(story: Story, store: str) -> int:
    with new_store_of(store) as new_store:
        result = run(story, new_store)
    print(told(story, result))
    for violation in result.violations.values():
        print(f"  {violation}")
    return 1 if result.violations else 0


NewStore = Callable[[], str]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
