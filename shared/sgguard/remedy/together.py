"""Changes of many decisions in the same calls, where a cloud's calls take many holders.

A scaling group launches a hundred instances, and each has a decision of its own: with a plan, a
journal and locks. Their changes meet here:

1. Every decision under way is a *member*. One that has changes to make leaves them here and waits.
2. When all members wait, or there are enough for a call, or one waited for :data:`PATIENCE_S`, the
   changes of all go out together, and each gets its own result.

A member that does anything else holds the others up for no longer than that. What is sent together
is of one scope; whoever may not send any more when it is time takes no part.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import msgspec

from sgguard.errors import SgguardError
from sgguard.model.change import Change
from sgguard.providers import BatchChanges, late

ENOUGH = 100
"""So many holders fill a call, and wait for no others."""

PATIENCE_S = 1.0
"""The longest time that changes wait for those of others."""

Made = list[str | SgguardError]
"""Of each change nothing or its error: an ``UnsentError`` where it was not sent."""


class _Wish(msgspec.Struct, eq=False):
    changes: Sequence[Change]
    may_send: Callable[[], bool]
    made: Made | None = None
    failure: Exception | None = None

    @property
    def is_over(self) -> bool:
        return self.made is not None or self.failure is not None


class _Meeting(msgspec.Struct, eq=False):
    """Where the members of one scope meet."""

    members: int = 0
    wishes: list[_Wish] = msgspec.field(default_factory=list)
    changed: threading.Condition = msgspec.field(default_factory=threading.Condition)

    def is_time(self) -> bool:
        number = sum(len(one.changes) for one in self.wishes)
        return len(self.wishes) >= self.members or number >= ENOUGH


Meetings = dict[str, _Meeting]
_MEETINGS: ContextVar[Meetings | None] = ContextVar("meetings", default=None)
_MINE: ContextVar[_Meeting | None] = ContextVar("mine", default=None)


@contextmanager
def meeting() -> Iterator[None]:
    """Let the decisions of this block, also those in other threads, make changes together."""
    token = _MEETINGS.set({})
    try:
        yield
    finally:
        _MEETINGS.reset(token)


@contextmanager
def member(scope: str) -> Iterator[None]:
    """Be a decision of a scope that may have changes to make; nothing outside a meeting."""
    meetings = _MEETINGS.get()
    if meetings is None:
        yield
        return
    mine = meetings.setdefault(scope, _Meeting())
    with mine.changed:
        mine.members += 1
    token = _MINE.set(mine)
    try:
        yield
    finally:
        _MINE.reset(token)
        with mine.changed:
            mine.members -= 1
            mine.changed.notify_all()


def make(
    cloud: BatchChanges, changes: Sequence[Change], may_send: Callable[[], bool]
) -> Made | None:
    """Make changes of holders' groups with those of others; None: there are no others here."""
    mine = _MINE.get()
    if mine is None:
        return None
    wish = _Wish(changes, may_send)
    with mine.changed:
        mine.wishes.append(wish)
        mine.changed.notify_all()
        # Whoever finds that it is time sends what is there; who was taken along only waits.
        mine.changed.wait_for(lambda: wish not in mine.wishes or mine.is_time(), PATIENCE_S)
        sent = list(mine.wishes) if wish in mine.wishes else []
        if sent:
            mine.wishes.clear()
            mine.changed.notify_all()
    if sent:
        _send(cloud, sent)
        with mine.changed:
            mine.changed.notify_all()
    else:
        with mine.changed:
            mine.changed.wait_for(lambda: wish.is_over)
    if wish.failure is not None:
        raise wish.failure
    return wish.made


def _send(cloud: BatchChanges, wishes: Sequence[_Wish]) -> None:
    """Send the changes of all who may still send, and give each what came of its own."""
    mine = [one for one in wishes if one.may_send()]
    for one in wishes:
        if one not in mine:
            one.made = [late() for _ in one.changes]
    if not mine:
        return
    try:
        errors = cloud.set_groups_batch(
            [each for one in mine for each in one.changes],
            # A call is for many: whoever may not send any more holds back those left of all.
            lambda: all(one.may_send() for one in mine),
        )
    except SgguardError as error:
        for one in mine:
            one.made = [error] * len(one.changes)
    except BaseException as error:
        # Nobody waits for ever for what is never told.
        for one in mine:
            one.failure = RuntimeError(f"the call for many failed: {type(error).__name__}")
        raise
    else:
        left = iter(errors)
        for one in mine:
            one.made = [next(left) or "" for _ in one.changes]
