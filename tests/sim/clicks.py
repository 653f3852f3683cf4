"""Clicks in a chat: what is checked and handed over is the product's own, the room is not.

A click's act runs in a thread of its process. Here that is a worker of its own, which dies with the
one that began it, and whose platform may stop it once the click is answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sgguard.approvals.link import LinkToken, sign
from sgguard.chat import clicks, handover, token
from sgguard.chat.base import Click, Setup, Verified, kinds
from sgguard.errors import SgguardError
from sgguard.outbox.background import BACKGROUND
from sgguard.policy.channel import ChannelPolicy
from sgguard.store.rows import Approval
from tests.sim.scheduler import Task
from tests.sim.story import Json, id_of

if TYPE_CHECKING:
    from tests.sim.world import World

KEY = "the key that signs the buttons of a chat in a story"
_TENANT = "T1"
_CONFIG = ChannelPolicy(
    "room", "slack", way="app", tenant=_TENANT, users={"U1": "olga", "U2": "otto", "U3": "eve"}
)
_SETUP = Setup(_CONFIG, {"SECRET": ("signs callbacks",)})
_LOOK_S = 0.25


def click(world: World, task: Task, spec: Json) -> None:
    """Press a button of every message that asks, or of those about some groups."""
    for one in _asked(world, spec):
        _press(world, task, spec, one)


def _asked(world: World, spec: Json) -> list[Approval]:
    wanted = {id_of(world.story.provider, one) for one in spec.get("targets", [])}
    found = [*world.store.approvals("pending")]
    if spec.get("stale"):  # the message of one that was decided is still there
        found += [one for one in world.store.approvals("approved") if one not in found]
    return [
        one
        for one in found
        if not wanted or {target.rpartition(":")[2] for target in one.target} & wanted
    ]


def _press(world: World, task: Task, spec: Json, asked: Approval) -> None:
    action = spec.get("action", "approve")
    given = LinkToken(
        asked.approval_id, asked.facts_hash, action, _CONFIG.name, int(asked.expires_at_s)
    )
    text = sign(given, (KEY,), token._PURPOSE)
    user = {"olga": "U1", "otto": "U2"}.get(spec.get("by", "olga"), "U3")
    pressed = Click(user, _TENANT, text, message_id=asked.approval_id, action=action)
    key = spec.get("again", spec["name"])
    verified = Verified({"click": key, "about": asked.approval_id}, f"{key} {asked.approval_id}")
    what = f"click {action} {asked.approval_id}"
    try:
        answer = clicks.decide(pressed, verified, kinds()["slack"], _SETUP, world.context(task))
    except SgguardError as error:
        world.note(task, f"{what}: {type(error).__name__}: {error}")
        return
    world.note(task, f"{what}: {' '.join(answer.lines)}"[:200])
    if answer.lines == (_SETUP.words.say("done.taken"),) and not answer.is_error:
        world.taken.setdefault(asked.approval_id, world.scheduler.now_s)
    if spec.get("stops"):
        for one in task.process:
            if one is not task and not one.is_over:
                one.is_dead = True
                world.note(one, "its platform stops it after the answer")


class _Threading:
    """In place of the module: a thread is a worker of the story, of the same process."""

    def __init__(self, world: World) -> None:
        self._world = world

    def Thread(self, *, target: Callable[[], None], **named: object) -> _Thread:  # noqa: N802
        del named
        return _Thread(self._world, target)


class _Thread:
    def __init__(self, world: World, target: Callable[[], None]) -> None:
        self._world = world
        self._target = target
        self._task: Task | None = None

    def start(self) -> None:
        """Begin."""
        self._task = self._world.fork(self._target)

    def join(self, timeout_s: float) -> None:
        """Wait until it is over, or so long."""
        scheduler = self._world.scheduler
        until_s = scheduler.now_s + timeout_s
        while self._task and not self._task.is_over and scheduler.now_s < until_s:
            scheduler.wait(min(_LOOK_S, until_s - scheduler.now_s))


@contextmanager
def in_the_story(world: World) -> Iterator[None]:
    """Let what a click begins be a worker of the story; nothing is delivered behind its back."""
    real, was_on = handover.threading, BACKGROUND.is_on
    handover.threading = _Threading(world)  # type: ignore[assignment]
    BACKGROUND.is_on = False
    try:
        yield
    finally:
        handover.threading, BACKGROUND.is_on = real, was_on
        BACKGROUND._written.clear()
