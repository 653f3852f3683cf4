"""One bulk run on its way: what is over, what waits, and what is being changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from sgguard import hiding
from sgguard.engine.bulk.line import Result
from sgguard.engine.bulk.pool import Pool
from sgguard.model.bind import BindPlan, HolderState, Target
from sgguard.model.sentence import Sentence
from sgguard.providers import Bulk
from sgguard.store.base import Store
from sgguard.store.rows import Claim, Entry
from sgguard.wire.clock import Deadline, EpochClock

AT_ONCE = 8
"""How many calls are under way at a time."""

RESERVE_S = 1.0
"""Nothing is begun with less time than this: it is left to the next delivery."""

FIRST_LOOK_S, LONGEST_LOOK_S = 0.5, 8.0
"""How long after a call its holders are looked at, and the longest time between two looks."""

LINES_IN_A_LOOK = 4
"""How many calls' holders are looked at together while others are sent."""

LONGEST_CHANGE_S = 600.0
"""How long a holder may be in the middle of its change; then it is reported as busy."""

LOOKS = 12
"""How often an accepted change is looked for, after a wait each, before it is sent again."""

LOOKS_FOR_LOST = 2
"""The same for a change of which it is not known whether the cloud took it."""

SENDS = 3
"""How often a holder is sent whose change was lost or never showed."""

LATER = 10
"""How often a busy holder comes back before it is reported as busy."""


@hiding("now", "sleep")
class BulkWorker(msgspec.Struct, frozen=True):
    """What one worker needs to change many holders; ``report`` gets how many are over, of all.

    ``second_look`` says why a run that was begun before and has changed nothing must not go on.
    """

    bulk: Bulk
    store: Store
    claim: Claim
    deadline: Deadline
    lease_s: float = 60.0
    reserve_s: float = RESERVE_S
    report: Callable[[int, int], None] = lambda _done, _total: None
    now: EpochClock = time.time
    sleep: Callable[[float], None] = time.sleep
    second_look: Callable[[], Sentence | None] | None = None


@dataclass(slots=True)
class Line:
    """A line of the journal that is not settled: who of its holders is still being changed.

    ``is_lost``: it is not known whether the cloud took the call; ``is_refused``: it took none of
    them, because of one. ``begun_s`` is when its call was intended, in epoch seconds. ``due_s`` is
    when it is looked at next, on the run's clock, and ``wait_s`` how long after the look before.
    """

    entry: Entry
    pending: set[str]
    begun_s: float
    request_id: str = ""
    is_lost: bool = False
    results: dict[str, Result] = field(default_factory=dict)
    again: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    is_refused: bool = False
    looks: int = 0
    due_s: float = 0.0
    wait_s: float = FIRST_LOOK_S


class StoppedError(KeyboardInterrupt):
    """Ctrl-C ended a run for now; every call that had begun is over, and noted."""


class AgainstError(Exception):
    """A run that has changed nothing must not go on; ``results`` are those of its holders."""

    def __init__(self, why: Sentence, results: dict[str, Result]) -> None:
        super().__init__(why.code)
        self.why, self.results = why, results


class UnderWay(msgspec.Struct, frozen=True):
    """A call that was begun; ``note`` waits for its end, and notes what came of it.

    ``is_set``: it changes holders, else it only looks at some.
    """

    is_over: Callable[[], bool]
    note: Callable[[], None]
    is_set: bool = True


@dataclass(slots=True)
class BulkRun:
    """One run on its way: what is over, what waits, and what is being changed.

    ``under_way`` are the calls that have begun, in that order. ``is_late``: for one of them there
    was no time left.
    """

    worker: BulkWorker
    plan: BindPlan
    targets: dict[str, Target]
    results: dict[str, Result] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    over: list[Line] = field(default_factory=list)
    later: list[str] = field(default_factory=list)
    laters: dict[str, int] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    sends: dict[str, int] = field(default_factory=dict)
    number: int = 0
    denied: int = 0
    is_filling: bool = False
    pause_s: float = 0.0

    under_way: list[UnderWay] = field(default_factory=list)
    is_looking: bool = False
    is_late: bool = False
    is_ending: bool = False

    def clock(self) -> float:
        """Return seconds that only ever grow."""
        return self.worker.deadline.clock()

    def report(self) -> None:
        """Tell how many holders are over, of all; whoever is told may end the run by raising."""
        if not self.is_ending:
            self.worker.report(len(self.results), len(self.targets))


def pool_of(run: BulkRun, holder_id: str) -> Pool:
    """Return the pool of a holder's kind."""
    kind = run.targets[holder_id].kind
    return run.pools.setdefault(kind, Pool(run.worker.bulk.largest))


def over(run: BulkRun, line: Line, holder_id: str, how: Result) -> None:
    """Note what became of a holder of a line."""
    line.results[holder_id] = how
    line.pending.discard(holder_id)
    run.results[holder_id] = how


def end(run: BulkRun, holder_id: str, how: Result) -> None:
    """Note what became of a holder that is in no call."""
    run.results[holder_id] = how


def wait(run: BulkRun, holder_id: str, how: Result, state: HolderState | None) -> None:
    """Let a busy holder come back later; one that was busy too often, or stays so, is refused."""
    run.laters[holder_id] = run.laters.get(holder_id, 0) + 1
    if (state is not None and not state.is_passing) or run.laters[holder_id] > LATER:
        end(run, holder_id, how)
    else:
        run.later.append(holder_id)
        run.busy.add(holder_id)
