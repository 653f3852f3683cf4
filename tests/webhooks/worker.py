"""A process that delivers callbacks until it is killed: ``python -m tests.webhooks.worker``.

Arguments: the store's address, when time began, and how many times faster it runs.
"""

from __future__ import annotations

import itertools
import os
import sys
import time

from msgspec.structs import replace

from sgguard.engine.context import Context
from sgguard.outbox.deliver import Deliverer
from sgguard.policy.callback import CallbackPolicy
from sgguard.store import open_store
from sgguard.webhooks.outgoing import CallbackSender

POLICY = CallbackPolicy(keys=({"env": "SGG_CALLBACK_KEY"},), loopback=True)


def faster(began_s: float, factor: float):
    """Return a clock on which waits are short: all processes of a test have the same."""
    return lambda: began_s + (time.time() - began_s) * factor


def main(url: str, began_s: float, factor: float) -> None:
    store = open_store(url, faster(began_s, factor))
    context = Context.from_env(dict(os.environ), makes_store=False)
    policy = replace(context.policy, callbacks=POLICY)
    sender = CallbackSender(replace(context, policy=policy, store=store))
    for number in itertools.count():
        worker = Deliverer(store, {"callback": sender}, f"{os.getpid()}-{number}")
        sent = sum(1 for _ in worker.drain(most=50))
        if not sent:
            time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
