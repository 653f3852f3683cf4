"""A story whose workers are processes: what they do is watched, and checked, as in the simulator.

The cloud is emulated here and served on a port for each worker, so that it is known whose a call
is. Workers that come at about the same moment run side by side, the others one after another; a
worker may be killed (SIGKILL) before or after any call that changes something, and any transaction.
What comes at the end is told in this process: see :func:`tests.sim.run.come_to_an_end`.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import httpx

from sgguard.emulator.core import Emulator
from sgguard.emulator.faces import all_faces
from sgguard.emulator.server import serve
from tests.crash.worker_pool import WorkerPool
from tests.sim.determined import determined
from tests.sim.run import come_to_an_end, one_worker
from tests.sim.scheduler import Task
from tests.sim.story import Json, Story
from tests.sim.world import World

HERE = frozenset({"edit", "halt", "lift", "policy", "clock", "purge", "restart"})
"""What is done in this process: no worker that could die does it."""

TOGETHER_S = 1.5
POINTS_MAX = 24


class _Watched(Emulator):
    """The cloud as one worker sees it: each call and its check are one step."""

    task: Task
    world: World

    def handle(self, request: httpx.Request) -> httpx.Response:
        with self.world.emulator.state.lock:
            try:
                return super().handle(request)
            finally:
                action = all_faces()[self.world.story.provider].action(request)
                self.world.monitor.after_request(self.task, action)


@contextmanager
def _served(world: World, task: Task) -> Iterator[dict[str, str]]:
    """Serve the cloud for one worker; give the variables that lead to it."""
    watched = _Watched(world.emulator.state, now=world.now, sleep=lambda _: None)
    watched.task, watched.world = task, world
    with serve(watched) as server:
        name = world.story.provider.upper().replace("-", "_")
        env = {f"SGGUARD_ENDPOINT_{name}": server.url}
        if world.story.provider == "openstack":
            env["OS_AUTH_URL"] = f"{server.url}/identity"
        yield {**env, **{key: world.env[key] for key in world.env if key not in env}}
        _wait_for_sent_calls()


def _wait_for_sent_calls() -> None:
    """Wait until the calls of a worker that was killed have had their effect."""
    for thread in threading.enumerate():
        if "process_request_thread" not in thread.name:
            continue
        while thread.ident is None:  # listed, and about to begin
            time.sleep(0.001)
        thread.join(30)


def tell(story: Story, store_url: str, pools: Sequence[WorkerPool]) -> tuple[World, list[str]]:
    """Tell a story with processes; return its world at the end, and where workers were killed."""
    world = World(story, store_url, is_alone=False)
    rng = random.Random(f"kills {story.provider} {story.seed}")
    killed: list[str] = []
    for batch in _batches(story.tasks):
        world.scheduler.now_s = max(world.scheduler.now_s, batch[0]["at"])
        for spec in (one for one in batch if one["kind"] in HERE):
            one_worker(world, spec)
        apart = [one for one in batch if one["kind"] not in HERE]
        kills = [rng.randint(0, POINTS_MAX) if rng.random() < 0.7 else -1 for _ in apart]
        for begin in range(0, len(apart), len(pools)):
            some = apart[begin : begin + len(pools)]
            with ThreadPoolExecutor(len(pools)) as threads:
                jobs = zip(some, kills[begin:], pools, strict=False)
                told = list(threads.map(lambda job: _work(world, *job), jobs))
            for one in told:
                killed += [one["point"]] if "point" in one else []
                _apply(world, one)
            world.monitor.after_transaction(Task("-", 0, 0.0, lambda: None), "-", None)
    with determined(world):
        come_to_an_end(world)
    return world, killed


def _batches(tasks: Sequence[Json]) -> list[list[Json]]:
    """Tasks in order; those of about the same moment together."""
    found: list[list[Json]] = []
    for one in sorted(tasks, key=lambda task: float(task["at"])):
        if found and one["at"] - found[-1][0]["at"] <= TOGETHER_S:
            found[-1].append(one)
        else:
            found.append([one])
    return found


def _work(world: World, spec: Json, kill_at: int, pool: WorkerPool) -> Json:
    task = Task(spec["name"], 1, world.scheduler.now_s, lambda: None)
    with _served(world, task) as env:
        told = pool.run(
            {
                "story": asdict(world.story),
                "task": spec,
                "store": world.store_url,
                "env": env,
                "at_s": world.scheduler.now_s,
                "step_s": world.clock_step_s,
                "policy": world.policy_name,
                "at": kill_at,
            }
        )
    if told.get("signal") == 9:
        world.note(task, f"is killed {told['point']}")
    elif "error" in told:
        world.monitor.broken("crash", str(told["error"])[-1500:])
    return told


def _apply(world: World, told: Json) -> None:
    """Let the monitor know what a worker has told."""
    monitor = world.monitor
    world.log += [f"             {line}" for line in told.get("log", ())]
    for event_id, document in told.get("answers", ()):
        world.answers.setdefault(event_id, []).append(document)
        world.decided_at_s.setdefault(event_id, world.scheduler.now_s)
        monitor.answered(event_id, document)
    for event_id, text in told.get("failed", ()):
        world.answers.setdefault(event_id, []).append(text)
    for decision_id, document in told.get("restores", ()):
        monitor.restored(decision_id, document)
    for code, text in told.get("violations", ()):
        monitor.broken(code, text)
    monitor.accepted |= set(told.get("accepted", ()))
    monitor.expired_told |= set(told.get("expired_told", ()))


__all__: list[Any] = ["tell"]
