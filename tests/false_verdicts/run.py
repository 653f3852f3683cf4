"""Many seeds at once: on every core, with the first problem shrunk and printed."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context

from tests.false_verdicts.case import Case
from tests.false_verdicts.clouds import batch_case_of, case_of
from tests.false_verdicts.detector import Tally, problem_with_batch, problem_with_delete
from tests.false_verdicts.kinds import KINDS
from tests.false_verdicts.launch import launch_case_of, problem_with_launch
from tests.false_verdicts.misled import MISLED
from tests.false_verdicts.shrink import minimised, report

_CHUNK = 250
_REPORTS_MAX = 3

Check = Callable[[Case, Tally], str]
_REQUESTS: dict[str, tuple[Callable[..., Case], Check]] = {
    "delete": (case_of, problem_with_delete),
    "batch": (batch_case_of, problem_with_batch),
    "launch": (launch_case_of, problem_with_launch),
}


@dataclass
class Result:
    """What came out of a run: problems as reports, and how often each answer came."""

    reports: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    problems: int = 0

    def __str__(self) -> str:
        shown = "\n\n".join(self.reports)
        return f"{self.problems} problems; {Tally(self.counts)}\n{shown}"


def clouds(count: int) -> int:
    """How many clouds to build: ``SEARCH_FACTOR`` times as many as the suite takes."""
    return count * int(os.environ.get("SEARCH_FACTOR", "1"))


def search(
    request_kind: str,
    provider: str,
    seeds: Iterable[str],
    *,
    has_faults: bool,
    is_misled: bool = False,
) -> Result:
    """Ask about the cloud of every seed; ``request_kind`` is ``delete`` or ``launch``.

    With ``is_misled`` the clouds mislead their readers, and every other one spells in another way.
    """
    kinds = MISLED if is_misled else KINDS
    make, check = _REQUESTS[request_kind]
    result = Result()
    tally = Tally(result.counts)
    for number, seed in enumerate(seeds):
        case = make(kinds[provider], seed)
        case = replace(case, is_respelt=is_misled and number % 2 == 1)
        if has_faults:
            case = replace(case, fault_seed=f"trouble {seed}")
        if check(case, tally):
            result.problems += 1
            if len(result.reports) < _REPORTS_MAX:
                small, problem = minimised(case, lambda one: check(one, Tally()))
                result.reports.append(report(small, problem))
    return result


def seeds(count: int) -> list[str]:
    """The seeds of a run; ``SEARCH_SEED`` selects others."""
    first = os.environ.get("SEARCH_SEED", "")
    return [f"{first}{number}" for number in range(count)]


def search_on_every_core(
    request_kind: str, provider: str, count: int, *, has_faults: bool, is_misled: bool = False
) -> Result:
    """The same in a process per core: a decision is mostly Python, and threads share one core."""
    every = seeds(count)
    parts = [every[start : start + _CHUNK] for start in range(0, count, _CHUNK)]
    total = Result()
    with ProcessPoolExecutor(mp_context=get_context("spawn"), initializer=_quiet) as pool:
        for result in pool.map(
            _part, [(request_kind, provider, part, has_faults, is_misled) for part in parts]
        ):
            total.reports += result.reports[: _REPORTS_MAX - len(total.reports)]
            total.counts += result.counts
            total.problems += result.problems
    return total


def _part(job: tuple[str, str, Sequence[str], bool, bool]) -> Result:
    request_kind, provider, part, has_faults, is_misled = job
    return search(request_kind, provider, part, has_faults=has_faults, is_misled=is_misled)


def _quiet() -> None:
    logging.disable(logging.CRITICAL)
