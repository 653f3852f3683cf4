"""A click that approves is answered in time, however long its plan takes.

The act is written into the outbox before it begins, and begun at once in a thread of its own. Where
it ends in time, the click is answered with its end. Otherwise the click is answered that it was
taken: the thread goes on, and where its platform stops it, whoever delivers next takes the act over
when its lease has ended. It is approved once in any case: an approval has a claim of its own
(:mod:`sgguard.approvals.resolve`), and every check is made again then.
"""

from __future__ import annotations

import json
import logging
import math
import threading
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import astuple, replace

from sgguard.approvals.link import LinkToken
from sgguard.approvals.resolve import approve
from sgguard.engine.context import Context
from sgguard.engine.delivery import deliverer
from sgguard.engine.execute import Executor
from sgguard.errors import BusyError, HaltedError, InputError, SgguardError, StoreError
from sgguard.model.sentence import said
from sgguard.outbox.background import BACKGROUND
from sgguard.outbox.base import Gone, Later, Result, Sent
from sgguard.outbox.deliver import Deliverer, least_s
from sgguard.render.language.refusal import refusal
from sgguard.restores import act
from sgguard.store.notices import Notice, OutboxRow, Telling
from sgguard.store.rows import Approval
from sgguard.telemetry import logs
from sgguard.wire.clock import Deadline

Json = dict[str, Any]

KIND = "approve"
WAIT_S = 1.5
"""How long a click waits for its act: the strictest service waits two seconds for an answer."""

_TIME_NEEDED_S = 5.0
_BUSY_S = 5.0
_DESTINATION = "approvals"


def sender(context: Context) -> Acts:
    """Return what carries out acts that were handed over."""
    return Acts(context)


class Acts(msgspec.Struct, frozen=True):
    """Approves, or restores, what somebody who may has pressed the button of."""

    context: Context

    def send(self, row: OutboxRow) -> Result:
        """Do one act, or go on with what was begun."""
        left_s = self.context.deadline.remaining_s()
        deadline_s = self.context.settings.deadline_s
        if left_s < least_s(_TIME_NEEDED_S, deadline_s):
            return Later("there is no time left for it", 1.0, counted=False)
        clock = self.context.deadline.clock
        deadline = Deadline.after(min(deadline_s, left_s), clock)
        try:
            _done(json.loads(row.payload_json), replace(self.context, deadline=deadline))
        except SgguardError as error:
            return result_of(error)
        return Sent()


def _done(asked: Json, context: Context) -> Json:
    """Do what was handed over: approve a request, or restore what a decision removed."""
    if "restore" not in asked:
        return approve(asked["approval_id"], asked["by"], context)
    found = act.carry_out(LinkToken(*asked["restore"]), asked["by"], context)
    return found if isinstance(found, dict) else {}


def result_of(error: SgguardError) -> Result:
    """Return what an error means for an act: whether it is tried again."""
    if isinstance(error, InputError | HaltedError):
        # Answered otherwise, expired, or not theirs to approve; or it stays open for a new click.
        return Gone(str(error))
    if isinstance(error, BusyError):
        return Later(str(error), error.retry_after_s or _BUSY_S, counted=False)
    return Later(str(error) or type(error).__name__)


@dataclass
class Act:
    """One act in work, in a thread of its own.

    ``is_promised``: it waited already, so somebody may have been told that it is carried out.
    """

    asked: Asked
    context: Context
    executor: Executor
    row: OutboxRow
    is_promised: bool = False
    document: Json | None = None
    error: Exception | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_over: bool = False
    _is_left: bool = False

    def ended_within(self, wait_s: float) -> bool:
        """Begin; return whether it ended in time. If not, it goes on by itself."""
        thread = threading.Thread(target=self._run, name="sgguard-act", daemon=True)
        thread.start()
        thread.join(wait_s)
        with self._lock:
            self._is_left = not self._is_over
        return not self._is_left

    def _run(self) -> None:
        try:
            self.document = _done(self.asked.payload, self.context)
        except Exception as error:  # noqa: BLE001 - raised where the click is answered
            self.error = error
        with self._lock:
            self._is_over = True
            is_left = self._is_left
        # What was answered is over; what was only taken is tried until it is done, also where
        # another click of the same person was told that.
        goes_on = is_left or self.is_promised
        self._settle(self._result() if goes_on else Sent())
        if goes_on:
            # Nobody answers after this: what it wrote is told from here.
            patient = replace(self.context, deadline=Deadline(math.inf))
            BACKGROUND.wake(lambda: deliverer(patient))

    def _result(self) -> Result:
        if self.error is None:
            return Sent()
        if isinstance(self.error, SgguardError):
            return result_of(self.error)
        return Later(type(self.error).__name__)

    def _settle(self, result: Result) -> None:
        try:
            Deliverer(self.executor.store, {}, self.executor.owner).settle(self.row, result)
        except StoreError as error:
            # Its lease ends: whoever takes it finds it done.
            logs.log(
                logging.WARNING,
                "outbox",
                decision_id=self.asked.decision_id,
                detail=str(error),
            )


class Asked(msgspec.Struct, frozen=True):
    """What a button asks for: the act in JSON, what it is about, and until when it can begin."""

    payload: Json
    about: str
    by: str
    decision_id: str
    open_until_s: float


def approving(approval: Approval, by: str) -> Asked:
    """Return the act of a button that approves."""
    payload = {"approval_id": approval.approval_id, "by": by}
    return Asked(payload, approval.approval_id, by, approval.decision_id, approval.expires_at_s)


def restoring(given: LinkToken, by: str) -> Asked:
    """Return the act of a button that restores."""
    payload = {"restore": [*astuple(given)], "by": by}
    about = f"{given.approval_id}:{given.facts_hash}"
    return Asked(payload, about, by, given.approval_id, given.expires_at_s)


def hand_over(asked: Asked, context: Context) -> Json | None:
    """Do an act; return the decision, or None where it takes longer than a click waits.

    Raises:
        SgguardError: as :func:`~sgguard.approvals.resolve.approve`, or as
            :func:`~sgguard.restores.act.carry_out`, where that ended in time.
    """
    executor = Executor.of(context)
    row, is_promised = _written(asked, executor)
    begun = Act(asked, context, executor, row, is_promised)
    if not begun.ended_within(WAIT_S):
        logs.log(logging.INFO, "handed over", decision_id=asked.decision_id)
        return None
    if begun.error is not None:
        raise begun.error
    return begun.document


def _written(asked: Asked, executor: Executor) -> tuple[OutboxRow, bool]:
    """Write the act down, and take it; return whether it waited before, too.

    Raises:
        BusyError: another click of the same person is being carried out.
    """
    store = executor.store
    key = f"{KIND}:{asked.about}:{asked.by}"
    payload = json.dumps(asked.payload, ensure_ascii=False)
    # After its end nothing can be begun, and a day is enough to end what was.
    keep_s = max(asked.open_until_s - store.now_s(), 0.0) + 86400.0
    notice = Notice(
        key,
        KIND,
        asked.decision_id,
        _DESTINATION,
        f"{KIND}:{asked.about}",
        payload,
        renews=True,
        keep_s=keep_s,
    )
    before = store.notice(key)
    store.notify(asked.decision_id, Telling((notice,)))
    row = store.take_notice(key, owner=executor.owner, lease_s=executor.lease_s, is_hurried=True)
    if row is None:
        raise refusal(BusyError, said("chat.acting"))
    return row, before is not None and before.state == "waiting"
