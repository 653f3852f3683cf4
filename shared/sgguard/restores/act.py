"""One restore by a button or a link: checked, claimed once, and carried out as the command does.

1. May this person? The approver list of the policy says so, as it does for approvals.
2. Is the permit for the restore that would be the next one, and in time?
3. It is claimed: of two presses at the same moment one restores, and it permits nothing afterwards.
   Where the restore was begun and not finished, the same press again continues it.
4. The restore itself locks, looks again and writes its journal (:mod:`sgguard.operations.restore`).
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from sgguard.approvals.link import LinkToken
from sgguard.engine.approver import require_approver
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import BusyError, EventError, SgguardError
from sgguard.model.sentence import moment, said
from sgguard.operations import restore
from sgguard.operations.restore import Preview
from sgguard.render.language.message import Message
from sgguard.render.language.refusal import refusal
from sgguard.restores.standing import message_of
from sgguard.store.rows import Answered, Claim

Json = dict[str, Any]

SOURCE = "restore.permit"


def standing(given: LinkToken, context: Context) -> Message:
    """Return the message of the decision that a permit is for.

    Raises:
        EventError: 404 there is no such decision.
        StoreError: the store cannot be read.
    """
    store = Executor.of(context).store
    record = store.decision(given.approval_id)
    if record is None:
        raise refusal(EventError, said("restore.none", decision=given.approval_id), status=404)
    return message_of(record, store)


def require_offered(given: LinkToken, message: Message, now_s: float) -> None:
    """Refuse a permit that is over, or for another restore than the next one.

    Raises:
        EventError: 409 it is for another restore; 410 it is over.
    """
    if given.expires_at_s <= now_s:
        at = moment(datetime.fromtimestamp(given.expires_at_s, UTC))
        over = said("restore.over", decision=given.approval_id, at=at)
        raise refusal(EventError, over, status=410)
    if message.restore_hash != given.facts_hash:
        changed = said("restore.changed", decision=given.approval_id)
        raise refusal(EventError, changed, status=409)


def carry_out(
    given: LinkToken, by: str, context: Context, seen: Preview | None = None
) -> Json | Preview:
    """Restore what a permit is for, once; return the document of the restore.

    ``seen`` is the plan that a person confirmed: where it is another one by now, nothing is done,
    and that one is returned.

    Raises:
        EventError: 403 they may not; 404 there is no such decision; 409 it was used, or is for
            another restore; 410 it is over.
        BusyError: it is being restored, or others work on the same.
        SgguardError: as :func:`sgguard.operations.restore.restore`; called again, it is continued.
    """
    require_approver(by, context.policy.approval)
    executor = Executor.of(context)
    claim = _claim(given, executor)
    try:
        message = standing(given, context)
        if not (claim.is_again and message.state == "restoring"):
            require_offered(given, message, executor.store.now_s())
        found: Json | Preview
        if seen is None:
            found = restore.restore(given.approval_id, context, by=by)
        else:
            found = restore.restore_confirmed(seen, context, by=by)
        if isinstance(found, Preview):
            executor.release(claim)
        else:
            ended = {name: found[name] for name in ("decision_id", "outcome")}
            executor.store.finish(claim, json.dumps(ended))
    except SgguardError:
        executor.release(claim)
        raise
    return found


def _claim(given: LinkToken, executor: Executor) -> Claim:
    name = hashlib.sha256(f"{given.approval_id}\n{given.facts_hash}".encode()).hexdigest()
    claimed = executor.claim(SOURCE, name, executor.context.new_id(), None)
    if isinstance(claimed, Claim):
        return claimed
    if isinstance(claimed, Answered):
        used = said("restore.used", decision=given.approval_id)
        raise refusal(EventError, used, status=409)
    raise refusal(BusyError, said("restore.busy", decision=given.approval_id))
