"""Delivery with the tick of a timer, for functions that sleep between their events."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from sgguard.engine.context import Context
from sgguard.errors import SgguardError
from sgguard.outbox.deliver import Deliverer, least_s
from sgguard.outbox.senders import senders
from sgguard.telemetry import logs

A = TypeVar("A")
H = TypeVar("H")

_TIME_NEEDED_S = 3.0


def with_delivery(
    handle: Callable[[Sequence[A], Context], Sequence[H]],
) -> Callable[[Sequence[A], Context], Sequence[H]]:
    """Return a handler that also delivers what is due, as long as there is time for it.

    Its answer is the one of ``handle``, whatever becomes of the delivery.
    """

    def handled(asked: Sequence[A], context: Context) -> Sequence[H]:
        answers = handle(asked, context)
        try:
            deliver(context)
        except SgguardError as error:
            logs.log(logging.WARNING, "outbox", error=type(error).__name__, detail=str(error))
        return answers

    return handled


def deliver(context: Context) -> int:
    """Deliver until nothing is due, or hardly any time is left; return how many.

    No attempt outlasts the time of the context.

    Raises:
        StoreError: the store cannot be read or written.
    """
    if context.store is None or not context.store.waiting_notices()[1]:
        return 0
    count = 0
    deliveries = deliverer(context).drain()
    needed_s = least_s(_TIME_NEEDED_S, context.settings.deadline_s)
    while context.deadline.remaining_s() > needed_s:
        if next(deliveries, None) is None:
            break
        count += 1
    return count


def deliverer(context: Context) -> Deliverer:
    """Return a deliverer of every kind of notice; the context must have a store."""
    if context.store is None:
        raise ValueError("a deliverer needs a store")
    return Deliverer(context.store, senders(context), context.new_id())
