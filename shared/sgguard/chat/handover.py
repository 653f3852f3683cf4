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
from msgspec.structs import replace

from sgguard.approvals.resolve import approve
from sgguard.engine.context import Context
from sgguard.engine.delivery import deliverer
from sgguard.engine.execute import Executor
from sgguard.errors import BusyError, EventError, HaltedError, SgguardError, StoreError
from sgguard.outbox.background import BACKGROUND
from sgguard.outbox.base import Gone, Later, Result, Sent
from sgguard.outbox.deliver import Deliverer
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
    """Approves what somebody who may has pressed the button of."""

    context: Context

    def send(self, row: OutboxRow) -> Result:
        """Approve one request, or go on with what was begun."""
        left_s = self.context.deadline.remaining_s()
        if left_s < _TIME_NEEDED_S:
            return Later("there is no time left for it", 1.0, counted=False)
        deadline = Deadline.after(min(self.context.settings.deadline_s, left_s))
        given = json.loads(row.payload_json)
        try:
            approve(given["approval_id"], given["by"], replace(self.context, deadline=deadline))
        except SgguardError as error:
            return result_of(error)
        return Sent()


def result_of(error: SgguardError) -> Result:
    """Return what an error means for an act: whether it is tried again."""
    if isinstance(error, EventError | HaltedError):
        # Answered otherwise, expired, or not theirs to approve; or it stays open for a new click.
        return Gone(str(error))
    if isinstance(error, BusyError):
        return Later(str(error), error.retry_after_s or _BUSY_S, counted=False)
    return Later(str(error) or type(error).__name__)


@dataclass
class Act:
    """One approval in work, in a thread of its own."""

    approval: Approval
    by: str
    context: Context
    executor: Executor
    row: OutboxRow
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
            self.document = approve(self.approval.approval_id, self.by, self.context)
        except Exception as error:  # noqa: BLE001 - raised where the click is answered
            self.error = error
        with self._lock:
            self._is_over = True
            is_left = self._is_left
        # What was answered is over; what was only taken is tried until it is done.
        self._settle(self._result() if is_left else Sent())
        if is_left:
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
                decision_id=self.approval.decision_id,
                detail=str(error),
            )


def hand_over(approval: Approval, by: str, context: Context) -> Json | None:
    """Approve a request; return the decision, or None where it takes longer than a click waits.

    Raises:
        SgguardError: as :func:`~sgguard.approvals.resolve.approve`, where that ended in time.
    """
    executor = Executor.of(context)
    row = _written(approval, by, executor)
    act = Act(approval, by, context, executor, row)
    if not act.ended_within(WAIT_S):
        logs.log(logging.INFO, "handed over", decision_id=approval.decision_id)
        return None
    if act.error is not None:
        raise act.error
    return act.document


def _written(approval: Approval, by: str, executor: Executor) -> OutboxRow:
    """Write the act down, and take it.

    Raises:
        BusyError: another click of the same person is being carried out.
    """
    store = executor.store
    key = f"{KIND}:{approval.approval_id}:{by}"
    payload = json.dumps({"approval_id": approval.approval_id, "by": by}, ensure_ascii=False)
    # After its request expired nothing can be begun, and a day is enough to end what was.
    keep_s = max(approval.expires_at_s - store.now_s(), 0.0) + 86400.0
    notice = Notice(
        key,
        KIND,
        approval.decision_id,
        _DESTINATION,
        f"{KIND}:{approval.approval_id}",
        payload,
        renews=True,
        keep_s=keep_s,
    )
    store.notify(approval.decision_id, Telling((notice,)))
    row = store.take_notice(key, owner=executor.owner, lease_s=executor.lease_s, is_hurried=True)
    if row is None:
        raise BusyError("this request is being worked on")
    return row
