"""Delivery: notices that are due are taken one by one, and given to the sender of their kind.

1. One is taken (:mod:`sgguard.store.outbox`); its destination may have many: then a sender that
   can send them together is asked first.
2. It is sent. Nothing is held meanwhile but its lease, which is longer than an attempt.
3. What came of it is written. A failure is tried again after a time that grows with each one, or
   that the destination asked for; a destination that takes nothing is left alone as a whole.

A sender that fails in a way nobody thought of costs its own notice an attempt, and no other.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator, Mapping

import msgspec

from sgguard.errors import StoreError
from sgguard.outbox.base import PARTLY, Gone, GroupSender, Later, Result, Sender, Sent
from sgguard.store.base import Store
from sgguard.store.notices import OutboxRow
from sgguard.telemetry import logs

ATTEMPT_S = 15.0
"""How long an attempt may take at most."""

LEASE_S = 60.0
"""How long a deliverer may be silent about what it took; a group of notices is one attempt."""

_FIRST_S, _GROWTH, _LONGEST_S = 5.0, 3.0, 4 * 3600.0
_HOLD_FIRST_S, _HOLD_LONGEST_S = 1.0, 300.0
_ASKED_LONGEST_S = 24 * 3600.0
_EXPONENT_MAX = 20
_TOGETHER_MAX = 500
_PROBLEM_MAX = 200


class Delivered(msgspec.Struct, frozen=True):
    """What became of one notice: ``what`` is sent, later, gone, dead or lost."""

    row: OutboxRow
    what: str
    detail: str = ""


def least_s(usual_s: float, deadline_s: float) -> float:
    """Return with how many seconds left something is still begun.

    Where every delivery has so few that this were never so, it is half of them.
    """
    return min(usual_s, deadline_s / 2)


def backoff_s(
    attempts: int, chance: float, *, first_s: float, growth: float, most_s: float
) -> float:
    """Return how long to wait after so many attempts; ``chance`` (0 to 1) spreads it."""
    grown = first_s * growth ** min(attempts, _EXPONENT_MAX)
    return min(grown, most_s) * (0.75 + 0.5 * chance)


class Deliverer(msgspec.Struct):
    """One worker that delivers; ``chance`` gives numbers from 0 to 1."""

    store: Store
    senders: Mapping[str, Sender]
    owner: str
    chance: Callable[[], float] = random.random
    _looked: dict[tuple[str, str], float] = msgspec.field(default_factory=dict)

    def drain(self, *, most: int | None = None) -> Iterator[Delivered]:
        """Deliver until nothing is due; yield what became of each notice.

        Raises:
            StoreError: the store cannot be read or written.
        """
        count = 0
        while most is None or count < most:
            # One of each kind in turn: none waits for the end of another.
            found = [one for kind in self.senders for one in self._next(kind)]
            if not found:
                return
            count += len(found)
            yield from found

    def _next(self, kind: str) -> list[Delivered]:
        taken = self.store.take_notices(kind, owner=self.owner, lease_s=LEASE_S)
        if not taken:
            return []
        [row] = taken
        sender = self.senders[kind]
        together = self._together(row, sender) if isinstance(sender, GroupSender) else []
        if any(one.row.notice_id == row.notice_id for one in together):
            return together
        return [*together, self.settle(row, _sent(row, sender))]

    def _together(self, row: OutboxRow, sender: GroupSender) -> list[Delivered]:
        """Send many notices for one destination as one, where there are so many."""
        where = (row.kind, row.destination)
        now_s = self.store.now_s()
        # What was not sent together a moment ago will not be now.
        if row.reference_json or 0 <= now_s - self._looked.get(where, now_s - LEASE_S) < LEASE_S:
            return []
        if self.store.due_first(*where) < sender.least:
            return []
        more = self.store.take_notices(
            row.kind,
            owner=self.owner,
            lease_s=LEASE_S,
            destination=row.destination,
            limit=_TOGETHER_MAX,
        )
        results: Mapping[str, Result]
        try:
            results = sender.together([row, *more])
        except Exception as error:  # noqa: BLE001 - they are sent alone then
            _warn(row, error)
            results = {}
        if not results:
            self._looked[where] = now_s
        self.store.let_back([one for one in more if one.notice_id not in results])
        every = {one.notice_id: one for one in (row, *more)}
        return self._settled(every, results)

    def _settled(
        self, rows: Mapping[str, OutboxRow], results: Mapping[str, Result]
    ) -> list[Delivered]:
        """Write down what came of a group: what one message told, in one transaction."""
        told: dict[Sent, list[OutboxRow]] = {}
        found: list[Delivered] = []
        for key, result in results.items():
            if isinstance(result, Sent):
                told.setdefault(result, []).append(rows[key])
            else:
                found.append(self.settle(rows[key], result))
        for sent, several in told.items():
            ours = self.store.delivered_together(several, sent.reference or "{}")
            self._note_missed(several[0], sent.missed)
            found += [
                Delivered(one, "sent" if one.notice_id in ours else "lost") for one in several
            ]
        return found

    def settle(self, row: OutboxRow, result: Result) -> Delivered:
        """Write down what came of a notice that this worker has taken.

        Raises:
            StoreError: it could not be written: the notice is taken again when its lease ends.
        """
        try:
            return self._written(row, result)
        except StoreError as error:
            _warn(row, error)
            raise

    def _written(self, row: OutboxRow, result: Result) -> Delivered:
        match result:
            case Sent(reference, missed):
                is_ours = self.store.delivered(row, reference or "{}")
                self._note_missed(row, missed)
                return Delivered(row, "sent" if is_ours else "lost")
            case Gone(why, is_dead):
                is_ours = self.store.give_up(row, why[:_PROBLEM_MAX], is_dead=is_dead)
                what = "dead" if is_dead else "gone"
                return Delivered(row, what if is_ours else "lost", why)
            case Later():
                return self._put_off(row, result)

    def _note_missed(self, row: OutboxRow, missed: str) -> None:
        """Note that a destination took it and did not tell everybody: that is for an operator."""
        if missed:
            self.store.place_failed(row.kind, row.destination, f"{PARTLY}{missed}"[:_PROBLEM_MAX])

    def _put_off(self, row: OutboxRow, result: Later) -> Delivered:
        why = result.why[:_PROBLEM_MAX]
        wait_s = self._wait_s(row, result)
        if result.counted:
            failures = self.store.place_failed(row.kind, row.destination, why)
            if result.is_everything:
                self._hold(row, result, failures)
            left_s = row.expires_at_s - self.store.now_s()
            if left_s <= 0:
                is_ours = self.store.give_up(row, why, is_dead=True)
                logs.log(
                    logging.ERROR,
                    "not delivered",
                    decision_id=row.decision_id,
                    where=row.destination,
                    detail=why,
                )
                return Delivered(row, "dead" if is_ours else "lost", why)
            wait_s = wait_s if result.retry_after_s else min(wait_s, max(left_s, 1.0))
        elif result.is_everything:
            self.store.hold_place(row.kind, row.destination, wait_s)
        is_ours = self.store.try_later(row, wait_s, why, counted=result.counted)
        return Delivered(row, "later" if is_ours else "lost", why)

    def _wait_s(self, row: OutboxRow, result: Later) -> float:
        if result.retry_after_s is not None:
            asked_s = min(max(result.retry_after_s, 0.0), _ASKED_LONGEST_S)
            return asked_s + self.chance() * min(1.0 + asked_s / 10, 60.0)
        return backoff_s(
            row.attempts, self.chance(), first_s=_FIRST_S, growth=_GROWTH, most_s=_LONGEST_S
        )

    def _hold(self, row: OutboxRow, result: Later, failures: int) -> None:
        hold_s = min(max(result.retry_after_s or 0.0, 0.0), _ASKED_LONGEST_S)
        if not hold_s and failures > 1:
            # One failure may be chance; it is not asked to wait for that.
            hold_s = backoff_s(
                failures - 2,
                self.chance(),
                first_s=_HOLD_FIRST_S,
                growth=2.0,
                most_s=_HOLD_LONGEST_S,
            )
        if hold_s:
            self.store.hold_place(row.kind, row.destination, hold_s)


def _sent(row: OutboxRow, sender: Sender) -> Result:
    try:
        return sender.send(row)
    except Exception as error:  # noqa: BLE001 - one that cannot be sent does not stop the others
        _warn(row, error)
        return Later(type(error).__name__)


def _warn(row: OutboxRow, error: Exception) -> None:
    logs.log(
        logging.WARNING,
        "outbox",
        decision_id=row.decision_id,
        where=row.destination,
        detail=f"{type(error).__name__}: {error}",
    )
