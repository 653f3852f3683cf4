"""Running a story from its first event to the last question, and what it has broken."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sgguard.errors import SgguardError
from tests.sim import actors, bound, ending, room
from tests.sim.determined import determined
from tests.sim.ending import events_of
from tests.sim.pure import remembering
from tests.sim.recall import recalling
from tests.sim.records import FINAL
from tests.sim.scheduler import RunawayError
from tests.sim.stores import fresh_sqlite, in_memory
from tests.sim.story import Json, Story
from tests.sim.violation import Violation
from tests.sim.world import World

ROUNDS = 12
HANDED_ON_MAX = 12
"""So many deliveries end what was handed on, each a lease after the one before."""
_LEASE_S = 130.0
_LONG_S = 4000.0
"""Longer than any lease, any wait of a worker that is frozen, and half of any expiry."""


@dataclass(frozen=True)
class Result:
    """What became of a story."""

    violations: dict[str, Violation]
    log: list[str]
    points: int
    outcomes: dict[str, str]

    def first(self) -> str:
        """The code of the violation that came first."""
        return min(self.violations.values(), key=lambda one: one.at_s).code


def run(story: Story, new_store: Callable[[], str] = in_memory) -> Result:
    """Run a story to its end and check it at every step."""
    if story.kept and new_store is in_memory:  # that was in a file
        new_store = fresh_sqlite
    with not_collected():
        return _run(World(story, new_store()))


def _run(world: World) -> Result:
    try:
        with determined(world), recalling(), remembering():
            try:
                _tell(world)
                world.compare_stores()
            except RunawayError as error:
                world.monitor.broken("runaway", str(error))
            except Exception as error:
                world.monitor.broken("sim", f"{type(error).__name__}: {error}")
                if not world.story.provider:
                    raise
        return Result(
            dict(world.monitor.violations),
            world.log,
            world.scheduler.points,
            world.monitor.outcomes(),
        )
    finally:
        world.close()


@contextmanager
def not_collected() -> Iterator[None]:
    """Look for garbage afterwards, not meanwhile; what is there then is not looked at again.

    Few objects of a story are in circles, and what is recalled in later ones is never garbage.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.collect()
            gc.freeze()
            gc.enable()


def _tell(world: World) -> None:
    for spec in world.story.tasks:
        _spawn(world, spec, spec["at"])
    world.scheduler.run(forks=world.story.binds)
    come_to_an_end(world)


def come_to_an_end(world: World) -> None:
    """Do whatever is left to do, and check what must hold then."""
    _quiesce(world)
    ending.check(world)
    if world.story.restores:
        for number in range(3):
            one_worker(world, {"name": f"z-restore-{number}", "kind": "restore", **_order(world)})
            world.scheduler.now_s += _LONG_S
            one_worker(world, {"name": f"z-resume-r{number}", "kind": "resume"})
        ending.check_restored(world)
    if world.story.tells:
        for number in range(3):
            world.scheduler.now_s += _LONG_S
            one_worker(world, {"name": f"z-tell-{number}", "kind": "tell"})
        room.check(world)
    if world.story.binds:
        bound.check_handed_on(world)


def _order(world: World) -> Json:
    return {"last_first": len(world.story.seed) % 2 == 0}


def _spawn(world: World, spec: Json, at_s: float) -> None:
    def work() -> None:
        task = world.scheduler.current
        assert task is not None
        world.note(task, _title(spec))
        actors.act(world, task, spec)

    task = world.scheduler.spawn(spec["name"], work, at_s)
    world.tasks.append(task)


def _title(spec: Json) -> str:
    about = ", ".join(_event(raw) for raw in spec.get("events", []))
    return f"{spec['kind']} {about}".strip()


def _event(raw: Json) -> str:
    about = raw.get("targets") or raw.get("holder") or raw.get("groups")
    if "group" in raw:
        about = f"{raw['group']} on {raw['holders']}"
    when = "" if raw.get("at_s") is None else f" of {raw['at_s']:g} s"
    return f"{raw['id']}{when} about {about}"


# -- until nothing is left to do -------------------------------------------------------------------


def _quiesce(world: World) -> None:
    """Deliver everything again, resume, remind and wait, until all is at its end."""
    world.is_quiet = True
    world.policy_name = "p0"
    one_worker(world, {"name": "z-lift", "kind": "lift"})
    if world.story.binds:
        _handed_on(world)
    for number in range(ROUNDS):
        world.scheduler.now_s += _LONG_S
        for event_id, (raw, _) in events_of(world).items():
            one_worker(
                world,
                {"name": f"z-{event_id}-{number}", "kind": "deliver", "events": [raw]},
            )
        for task in [one["name"] for one in world.story.tasks if one["kind"] == "remind"]:
            one_worker(world, {"name": f"z-{task}-{number}", "kind": "remind", "again": task})
        one_worker(world, {"name": f"z-resume-{number}", "kind": "resume"})
        if number == 1 and world.monitor.touched:
            _repair(world)
        if number >= 1:
            kind = {"approve": "approve", "deny": "deny", "expire": "remind"}[world.story.end]
            one_worker(world, {"name": f"z-{kind}-{number}", "kind": kind})
        if number >= 2:
            one_worker(world, {"name": f"z-accept-{number}", "kind": "accept"})
        one_worker(world, {"name": f"z-remind-{number}", "kind": "remind"})
        if number >= 1 and _is_over(world):
            return


def _handed_on(world: World) -> None:
    """Let nobody work but those who deliver, until nothing waits for them."""
    for number in range(HANDED_ON_MAX):
        world.scheduler.now_s += _LEASE_S
        one_worker(world, {"name": f"z-go-on-{number}", "kind": "tell"})
        if not world.monitor.rows.is_waiting(room.HANDED):
            break
    bound.check_handed_on(world)


def _repair(world: World) -> None:
    """An operator gives the holders that somebody else changed their groups back."""
    if any(state == "stuck" for _, state, *_ in world.monitor.rows.states()):
        for name in world.story.holders:
            one_worker(
                world,
                {"name": f"z-mend-{name}", "kind": "edit", "what": "repair", "holder": name},
            )


def one_worker(world: World, spec: Json) -> None:
    """Let one worker do its work with nobody beside it."""
    _spawn(world, spec, world.scheduler.now_s)
    world.scheduler.run(forks=world.story.binds)
    for task in world.tasks:
        if task.error is not None:
            error, task.error = task.error, None
            text = f"{type(error).__name__}: {error}"
            world.note(task, text)
            if not isinstance(error, SgguardError):
                world.monitor.broken("crash", f"{task.name}: {text}")


def _is_over(world: World) -> bool:
    outcomes = world.monitor.outcomes()
    accepted = world.monitor.accepted
    if any(
        one not in FINAL and decision_id not in accepted for decision_id, one in outcomes.items()
    ):
        return False
    if any(state in ("open", "stuck") for _, state, *_ in world.monitor.rows.states()):
        return False
    last = [world.answers.get(one, [None])[-1] for one in events_of(world)]
    return all(isinstance(one, dict) and one["outcome"] in FINAL for one in last)


__all__ = ["Result", "come_to_an_end", "not_collected", "one_worker", "run"]
