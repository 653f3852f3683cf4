"""One story under way: its cloud, its store, its clocks, and everything that was said."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from typing import Any

import httpx

from sgguard.emulator.core import Emulator
from sgguard.emulator.state import Cloud, State
from sgguard.engine.context import Context
from sgguard.policy.account import at_home
from sgguard.settings import Settings
from sgguard.store import Store, open_store
from sgguard.wire.clock import Deadline
from sgguard.wire.pacing import Lanes
from sgguard.wire.retry import Retry
from tests.sim import kept
from tests.sim.clicks import KEY
from tests.sim.cloud import Picture
from tests.sim.depends import Content, watched
from tests.sim.monitor import Monitor
from tests.sim.room import Room
from tests.sim.scheduler import Killed, Scheduler, Task
from tests.sim.seams import SimDatabase, SimTransport, face_of
from tests.sim.shared import SHARED, Shared, shared
from tests.sim.story import Story, policy_of, state_of
from tests.sim.twin import SEPARATOR, TwinDatabase, open_twin
from tests.worlds import world_of

EPOCH_S = 1_800_000_000.0
_QUIET_S = 0.02


@dataclass(frozen=True)
class Mishap:
    """What happens to a worker at one point; nothing, mostly."""

    what: str = ""
    seconds: float = 0.0


_NONE = Mishap()
_POINTS = {
    (kind, is_write): ("any", f"{kind}-write") if is_write else ("any",)
    for kind in ("store", "cloud")
    for is_write in (False, True)
}


class _Emulator(Emulator):
    """An emulator of one cloud: whose a request is needs no search, and no story reads its log."""

    def _route(self, request: httpx.Request) -> tuple[str, Any]:
        provider = self.state.clouds[0].provider
        return provider, face_of(provider)

    def _log(self, *call: Any) -> None:
        del call

    def _respond(
        self, request: httpx.Request, cloud: Cloud, face: Any, action: str
    ) -> httpx.Response:
        # No fault is the emulator's own, nobody else is at its state, and it is watched.
        if self._is_over_rate(cloud, action):
            response: httpx.Response = face.fault("throttle", request, "")
            return response
        answered: httpx.Response = face.respond(request, cloud, self.now())
        return answered

    def _dated(self, response: httpx.Response) -> httpx.Response:
        if "date" not in response.headers:
            response.headers["date"] = _date(int(self.now()))
        return response


@lru_cache(maxsize=1024)
def _date(at_s: int) -> str:
    return formatdate(at_s, usegmt=True)


@dataclass(eq=False)
class World:
    """Everything of one story; ``answers`` are by event, in the order they were given.

    ``is_alone``: nobody but the workers of this process writes to the store.
    ``content`` is what is in the cloud since its last change (:mod:`tests.sim.depends`).
    ``written`` counts what was written, by table.
    ``is_changing``: a call that changes something is being answered.
    ``taken`` are the questions of which a click was told that it is carried out, and since when.
    """

    story: Story
    store_url: str
    is_alone: bool = True
    scheduler: Scheduler = field(default_factory=Scheduler)
    answers: dict[str, list[Any]] = field(default_factory=dict)
    decided_at_s: dict[str, float] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    policy_name: str = "p0"
    clock_step_s: float = 0.0
    stepped_s: float = -1.0
    is_quiet: bool = False
    is_changing: bool = False
    written: Counter[str] = field(default_factory=Counter)
    tasks: list[Task] = field(default_factory=list)
    room: Room = field(default_factory=Room)
    taken: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._dices: dict[tuple[str, str], int] = {}
        self._mishaps: dict[str, Any] = {}
        for one in self.story.tasks:
            self._mishaps.setdefault(one["name"], one.get("mishaps", ()))
            self._mishaps.setdefault(thread_of(one["name"]), one.get("thread_mishaps", ()))
        self.face = face_of(self.story.provider)
        self.emulator = _Emulator(state_of(self.story), now=self.now, sleep=self.scheduler.wait)
        self.first = Picture.of(self.emulator.state.clouds[0])
        if self.story.kept:
            kept.fill(self.story.kept, self.store_url)
            left = kept.read(self.story.kept)
            self.emulator.state.replace(State.load(left["cloud"]))
            self.scheduler.now_s = left["at_s"]
        clouds = self.emulator.state.clouds
        clouds[0] = watched(clouds[0])
        self.content = self.content_now()
        self.store = (
            open_twin(self.store_url, self.store_now)
            if SEPARATOR in self.store_url
            else open_store(self.store_url, now=self.store_now)
        )
        self.database = self.store._database
        self.database._lasts = False  # no story takes the machine's power away
        self.store._database = SimDatabase(self.database, self)  # type: ignore[assignment]
        self._shared: list[Shared] = []
        if self.is_alone and not self.story.kept:  # that must be found in another version first
            self._shared = shared(self.store_url, self.database)
        self.monitor = Monitor(self)
        self.env = dict(world_of(self.story.provider).env)
        if self.story.account:
            name = self.story.provider.upper().replace("-", "_")
            self.env[f"SGGUARD_ACCOUNT_{name}"] = self.story.account
        self.env["SGGUARD_DEADLINE_S"] = str(self.story.deadline_s)
        if self.story.binds:
            self.env["SGGUARD_APPROVAL_KEY"] = KEY
        self.settings = Settings.from_env(self.env)
        self.policies = {
            name: at_home(policy_of(self.story, name), self.settings.accounts)
            for name in self.story.policies
        }

    def content_now(self) -> Content:
        """What is in the cloud from now on, until its next change."""
        return Content(self.emulator.state.clouds[0], self.now)

    # -- clocks ----------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds since 1970, on the clock of the cloud."""
        return EPOCH_S + self.scheduler.now_s

    def store_now(self) -> float:
        """The same on the clock of the store, which an operator may put forward or back."""
        return self.now() + self.clock_step_s

    # -- workers ---------------------------------------------------------------------------

    def context(self, task: Task) -> Context:
        """What one delivery is handled with: a process of its own."""
        scheduler = self.scheduler

        def new_id() -> str:
            number = task.counts["ids"] = task.counts.get("ids", 0) + 1
            return self._id(f"{task.name}-{number}")

        def clock() -> float:
            return scheduler.now_s - task.standstill_s

        return Context(
            settings=self.settings,
            policy=self.policies[self.policy_name],
            deadline=Deadline.after(self.story.deadline_s, clock),
            env=self.env,
            transport=SimTransport(self, task),
            now=self.now,
            new_id=new_id,
            retry=Retry(sleep=scheduler.wait, jitter=lambda: 0.5),
            lanes=Lanes(clock, scheduler.wait),
            store=self.store,
        )

    def _id(self, name: str) -> str:
        return f"{name}-{zlib.crc32(f'{self.story.seed} {name}'.encode()):08x}"

    def fork(self, work: Callable[[], object]) -> Task:
        """Begin a thread in the process of the worker that is running."""
        assert self.scheduler.current is not None
        task = self.scheduler.fork(thread_of(self.scheduler.current.name), work)
        self.tasks.append(task)
        return task

    # -- points ----------------------------------------------------------------------------

    def arrive(self, task: Task, kind: str, name: str, *, is_write: bool) -> Mishap:
        """Come to a point, and return what happens at it.

        Raises:
            Killed: the worker dies here.
        """
        # Reads go out side by side; here they follow each other, and take less time each.
        share = 0.3 if kind == "cloud" and not is_write else 1.0
        self.scheduler.wait(share * self._latency_s(task, kind))
        mishap = self._mishap(task, kind, is_write=is_write)
        if mishap is _NONE:
            return mishap
        if mishap.what == "kill":
            self.note(task, f"dies before {name}")
            task.die()
            raise Killed
        if mishap.what == "freeze" and kind == "store":
            self.note(task, f"is frozen for {mishap.seconds:g} s before {name}")
            self.scheduler.wait(mishap.seconds)
        return mishap

    def leave(self, task: Task, mishap: Mishap) -> None:
        """Leave a point.

        Raises:
            Killed: the worker dies here.
        """
        if mishap is _NONE:
            return
        if mishap.what == "kill-after":
            self.note(task, "dies after it")
            task.die()
            raise Killed
        if mishap.what in ("freeze-after", "pause") or mishap.what == "freeze-cloud":
            self.note(task, f"is frozen for {mishap.seconds:g} s after it")
            if mishap.what == "pause":
                task.standstill_s += mishap.seconds
            self.scheduler.wait(mishap.seconds)

    def _latency_s(self, task: Task, kind: str) -> float:
        base_s = self.story.latency_s[kind == "cloud"]
        if self.story.binds and self.is_quiet:  # then what there is time for is no question
            base_s = min(base_s, _QUIET_S)
        if not self.story.jitter:
            return base_s
        return base_s * (0.3 + 2.7 * self._dice(task, "latency", task.counts.get("any", 0)))

    def _dice(self, task: Task, about: str, number: int) -> float:
        """A number from 0 to 1 that depends on nothing but the story, the worker and its point."""
        begun = self._dices.get((task.name, about))
        if begun is None:
            text = f"{self.story.seed} {about} {task.name} "
            begun = self._dices[task.name, about] = zlib.crc32(text.encode())
        return zlib.crc32(b"%d" % number, begun) / 2**32

    def is_early(self) -> bool:
        """Whether a call that is to be sent side by side with others is sent at once."""
        task = self.scheduler.current
        if not self.story.shuffle or task is None:
            return False
        number = task.counts["early"] = task.counts.get("early", 0) + 1
        return int(self._dice(task, "early", number) * 2**32) % 2 == 0

    def _mishap(self, task: Task, kind: str, *, is_write: bool) -> Mishap:
        counts, mishaps = task.counts, self._mishaps.get(task.name, ())
        found = _NONE
        for points in _POINTS[kind, is_write]:
            number = counts[points] = counts.get(points, 0) + 1
            for one in mishaps:
                if one[0] == points and one[1] == number:
                    found = Mishap(one[2], one[3])
        if found.what == "freeze" and kind == "cloud":
            return Mishap("freeze-cloud", found.seconds)
        return found

    # -- the log ---------------------------------------------------------------------------

    def note(self, task: Task | None, text: str) -> None:
        """Write down what happened, for a reader."""
        who = task.name if task else "-"
        self.log.append(f"{self.scheduler.now_s:10.3f} s  {who:8} {text}")

    def rows(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Read the store without being a worker."""
        if self._shared and (memory := self._shared[0].memory) is not None:
            return memory.execute(statement, {**values, "now": self.store_now()}).fetchall()
        work: Callable[[Any], Any] = lambda session: session.rows(statement, **values)  # noqa: E731
        found: list[tuple[Any, ...]] = self.database.autocommit(work)
        return found

    def rows_of_all(self, statements: list[str]) -> list[list[tuple[Any, ...]]]:
        """Read the store with several statements, which go to a server together."""

        def read(session: Any) -> list[list[tuple[Any, ...]]]:
            return [one.rows() for one in [session.send(statement) for statement in statements]]

        found: list[list[tuple[Any, ...]]] = self.database.autocommit(read)
        return found

    def compare_stores(self) -> None:
        """Find out whether both stores, where there are two, hold the same."""
        if isinstance(self.database, TwinDatabase):
            tables = sorted(set(self.written) - {"sgguard_schema_version"})
            for text in self.database.differences(tables):
                self.monitor.broken("stores", f"SQLite and PostgreSQL differ: {text}")

    def close(self) -> None:
        """Close the store."""
        if not self._shared:
            self.store.close()
            if self.store_url in SHARED:  # it knows nothing of what was written here
                SHARED.pop(self.store_url).close()
        for one in self._shared:
            one.written.update(self.written)


def thread_of(name: str) -> str:
    """The name of the thread that a worker of that name begins."""
    return f"{name}-act"


def environment_of(world: World) -> Mapping[str, str]:
    """What the workers of a story run with."""
    return world.env


__all__ = ["EPOCH_S", "Mishap", "Store", "World"]
