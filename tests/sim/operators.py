"""What operators do to a whole deployment: halts, purges, deployments, policies, clocks."""

from __future__ import annotations

from tests.sim.scheduler import Task
from tests.sim.story import Json
from tests.sim.world import World


def halt(world: World, task: Task, spec: Json) -> None:
    """Stop all changes."""
    del task, spec
    world.store.halt("ops", "for a while")


def lift(world: World, task: Task, spec: Json) -> None:
    """Permit changes again."""
    del task, spec
    world.store.lift_halt()


def purge(world: World, task: Task, spec: Json) -> None:
    """Forget what ended so many seconds ago; nothing that somebody still needs."""
    world.store.purge(world.store_now() - spec["age"])
    world.note(task, f"purge: {len(world.monitor.forgotten)} decisions are forgotten")


def restart(world: World, task: Task, spec: Json) -> None:
    """Deploy: every worker of before dies where it is; what comes later is another process."""
    del spec
    for one in world.tasks:
        if one is not task and one.has_begun and not one.is_over:
            one.die()
            world.note(one, "dies with the deployment")


def policy(world: World, task: Task, spec: Json) -> None:
    """Deploy another policy: workers that begin from now on have it."""
    world.policy_name = spec["to"]
    world.note(task, f"policy {spec['to']}")


def clock(world: World, task: Task, spec: Json) -> None:
    """Put the clock of the store forward or back."""
    world.clock_step_s += spec["seconds"]
    world.stepped_s = world.scheduler.now_s
    world.note(task, f"the store's clock steps by {spec['seconds']} s")
