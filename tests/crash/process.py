"""One worker of a story in a process of its own, and what it tells when it is over."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from sgguard.engine.context import Context
from sgguard.policy.account import at_home
from sgguard.settings import Settings
from sgguard.store import open_store
from sgguard.wire.clock import Deadline
from sgguard.wire.retry import Retry
from tests.crash.worker import Hook, Hooked, HookedStore
from tests.sim import actors
from tests.sim.rows import Rows
from tests.sim.scheduler import Scheduler, Task
from tests.sim.story import Json, Story, policy_of
from tests.sim.world import EPOCH_S
from tests.worlds import lanes, world_of


@dataclass
class Told:
    """What the monitor of the story is to know; the process that has the cloud applies it."""

    rows: Rows
    answers: list[list[Any]] = field(default_factory=list)
    restores: list[list[Any]] = field(default_factory=list)
    violations: list[list[str]] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)
    expired_told: set[str] = field(default_factory=set)

    def answered(self, event_id: str, document: Json) -> None:
        """Somebody was told an outcome."""
        self.answers.append([event_id, document])

    def restored(self, decision_id: str, document: Json) -> None:
        """A restore said something."""
        self.restores.append([decision_id, document])

    def broken(self, code: str, text: str) -> None:
        """An invariant does not hold."""
        self.violations.append([code, text])

    def outcomes(self) -> dict[str, str]:
        """The outcome of every decision."""
        return self.rows.outcomes()

    def targets(self, decision_id: str) -> list[str]:
        """What a decision is about."""
        return self.rows.targets(decision_id)


class Process:
    """What a worker of a story needs of its world, in a process that may be killed."""

    def __init__(self, job: Json, hook: Hook) -> None:
        self.story = Story(**{**job["story"], "latency_s": tuple(job["story"]["latency_s"])})
        self.policy_name: str = job["policy"]
        self.scheduler = Scheduler()
        self.scheduler.now_s = job["at_s"]
        self.answers: dict[str, list[Any]] = {}
        self.decided_at_s: dict[str, float] = {}
        self.log: list[str] = []
        begun_s = time.monotonic()

        def now() -> float:
            return float(EPOCH_S + job["at_s"] + time.monotonic() - begun_s)

        self._now, self._hook = now, hook
        self.store: Any = open_store(job["store"], now=lambda: now() + job["step_s"])
        self.monitor = Told(Rows(self._read))
        self.env = {**world_of(self.story.provider).env, **job["env"]}
        self.settings = Settings.from_env(self.env)
        self.policies = {
            name: at_home(policy_of(self.story, name), self.settings.accounts)
            for name in self.story.policies
        }

    def context(self, task: Task) -> Context:
        """What one delivery is handled with; nothing waits, the clouds answer at once."""
        del task
        network = httpx.HTTPTransport(verify=False, trust_env=False)
        return Context(
            settings=self.settings,
            policy=self.policies[self.policy_name],
            deadline=Deadline.after(self.story.deadline_s),
            env=self.env,
            transport=Hooked(network, self.story.provider, self._hook),
            now=self._now,
            retry=Retry(sleep=lambda _: None),
            lanes=lanes(),
            store=HookedStore(self.store, self._hook),  # type: ignore[arg-type]
        )

    def note(self, task: Task | None, text: str) -> None:
        """Write down what happened, for a reader."""
        self.log.append(f"{task.name if task else '-'} {text}")

    def _read(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.store._database.autocommit(
            lambda session: session.rows(statement, **values)
        )
        return found


def work(job: Json, hook: Hook) -> Json:
    """Do what one task of a story says; return what was told."""
    spec = job["task"]
    process = Process(job, hook)
    task = Task(spec["name"], 1, job["at_s"], lambda: None)
    actors.act(process, task, spec)  # type: ignore[arg-type]  # what an actor needs of a world
    told = process.monitor
    failed = [
        [event_id, f"{type(one).__name__}: {one}"]
        for event_id, answers in process.answers.items()
        for one in answers
        if isinstance(one, Exception)
    ]
    return {
        "answers": told.answers,
        "failed": failed,
        "restores": told.restores,
        "violations": told.violations,
        "accepted": sorted(told.accepted),
        "expired_told": sorted(told.expired_told),
        "log": process.log,
    }
