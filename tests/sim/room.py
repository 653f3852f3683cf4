"""The room of a chat that is told of decisions, and the workers that tell it from the outbox.

A message says what the record says when it is sent, as those of every channel do. What a worker
sends that was frozen after it had read the record comes late and may be old; no outbox could help
that, so of each notice the message of the last worker that took it counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sgguard.errors import StoreError
from sgguard.outbox.base import Gone, Later, Result, Sender, Sent
from sgguard.outbox.deliver import Deliverer
from sgguard.outbox.senders import senders as senders_of
from sgguard.store.notices import OutboxRow
from sgguard.wire.clock import Deadline
from tests.sim.scheduler import Task
from tests.sim.story import Json

if TYPE_CHECKING:
    from tests.sim.world import World

KIND = "chat"
HANDED = ("bind", "approve")
"""What is no message: whoever delivers goes on with it."""


@dataclass(eq=False)
class Room:
    """What has arrived: by decision and notice, the fence it was sent under and what it said.

    ``known`` are notices of which somebody knows that they were delivered: version and fence.
    """

    arrived: dict[str, dict[str, tuple[int, str]]] = field(default_factory=dict)
    known: dict[str, tuple[int, int]] = field(default_factory=dict)

    def take(self, row: OutboxRow, outcome: str) -> None:
        """Take a message."""
        notices = self.arrived.setdefault(row.decision_id, {})
        if row.fence >= notices.get(row.notice_id, (0, ""))[0]:
            notices[row.notice_id] = row.fence, outcome

    def is_known(self, row: OutboxRow) -> bool:
        """Whether it was noted as delivered before it was taken to be sent."""
        version, fence = self.known.get(row.notice_id, (-1, 0))
        return row.version <= version and row.fence > fence

    def note(self, row: OutboxRow) -> None:
        """Note that it is written down as delivered."""
        self.known[row.notice_id] = row.version, row.fence

    def says(self, decision_id: str) -> set[str]:
        """What the messages about a decision say."""
        return {outcome for _, outcome in self.arrived.get(decision_id, {}).values()}


class _Sender:
    """Sends the messages of one worker."""

    def __init__(self, world: World, task: Task) -> None:
        self._world = world
        self._task = task

    def send(self, row: OutboxRow) -> Result:
        """Read the record, and send what it says; the room may be busy, or its answer be lost."""
        world, task = self._world, self._task
        record = world.store.decision(row.decision_id)
        if record is None:
            return Gone("the decision is forgotten")
        mishap = world.arrive(task, "cloud", "a message", is_write=True)
        if mishap.what in ("throttle", "error"):
            is_busy = mishap.what == "throttle"
            return Later(mishap.what, 5.0 if is_busy else None, is_everything=is_busy)
        if world.room.is_known(row):
            text = f"{task.name} sends {row.notice_id} again, which is known to be delivered"
            world.monitor.broken("I6-twice", text)
        world.room.take(row, record.outcome)
        world.note(task, f"a message: {row.decision_id} is {record.outcome}")
        world.leave(task, mishap)
        return Later("no answer") if mishap.what == "lost" else Sent()


def tell(world: World, task: Task, spec: Json) -> None:
    """Deliver what is due."""
    senders: dict[str, Sender] = {KIND: _Sender(world, task)}
    context = world.context(task)
    may_go_on = partial(_has_time, context.deadline) if world.story.binds else lambda: True
    if spec.get("awake"):  # a process that is not stopped: each attempt has its own time
        context = replace(context, deadline=Deadline(math.inf))
    if world.story.binds:
        senders |= {kind: senders_of(context)[kind] for kind in HANDED}
    deliverer = Deliverer(world.store, senders, task.name, lambda: 0.5)
    try:
        deliveries = deliverer.drain()
        while may_go_on() and (one := next(deliveries, None)):
            if one.what == "sent":
                world.room.note(one.row)
    except StoreError as error:
        world.note(task, f"tells no more: {error}")


def _has_time(deadline: Deadline) -> bool:
    """Whether a delivery of a timer begins something more; what waits has the next one."""
    return deadline.remaining_s() > 0


def check(world: World) -> None:
    """Check that the room was told the end of every decision."""
    for decision_id, outcome in world.monitor.outcomes().items():
        if outcome not in (said := world.room.says(decision_id)):
            world.monitor.broken("I6-room", f"{decision_id} is {outcome}, the room has {said}")
