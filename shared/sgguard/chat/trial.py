"""A test of a channel: one message through the outbox, by the code that sends every message."""

from __future__ import annotations

import logging

from sgguard.chat import outgoing
from sgguard.chat.kept import Kept
from sgguard.engine.context import Context
from sgguard.engine.execute import Executor
from sgguard.errors import BusyError, SgguardError
from sgguard.model.sentence import said
from sgguard.outbox.base import Gone, Result, Sent
from sgguard.outbox.deliver import ATTEMPT_S, LEASE_S, Deliverer
from sgguard.render.language.refusal import refusal
from sgguard.store.notices import Notice, Telling
from sgguard.telemetry import logs


def send(name: str, context: Context) -> Kept:
    """Send a message that says it is a test; return what the channel calls it.

    It waits in the outbox like any other, counts against the limits of the channel, and is tried
    once. A success shows that the channel works again, a refusal counts as no failure of it.

    Raises:
        CloudError: the channel refused it; :func:`~sgguard.chat.preview.hint` says what is wrong.
        SettingsError: there is no store, or a secret of the channel is missing.
        BusyError: the channel has had as much as it may.
    """
    executor = Executor.of(context)
    store, test_id = executor.store, context.new_id()
    key = f"chat-test:{test_id}"
    notice = Notice(key, outgoing.KIND, test_id, name, key, outgoing.TRIAL, keep_s=ATTEMPT_S)
    store.notify(test_id, Telling((notice,)))
    row = store.take_notice(key, owner=executor.owner, lease_s=LEASE_S, is_hurried=True)
    if row is None:
        raise refusal(BusyError, said("chat.sending"))
    sender = outgoing.sender(context)
    deliverer = Deliverer(store, {outgoing.KIND: sender}, executor.owner)
    result: Result = Gone("a test is tried once")
    try:
        result = sender.attempt(row)
    except SgguardError as error:
        result = Gone(str(error))
        raise
    finally:
        deliverer.settle(row, result if isinstance(result, Sent) else Gone(_why(result)))
    if not isinstance(result, Sent):
        raise BusyError(f"nothing was sent: {_why(result)}")
    logs.log(logging.INFO, "chat test", where=name)
    return Kept.of(result.reference)


def _why(result: Result) -> str:
    return "" if isinstance(result, Sent) else result.why
