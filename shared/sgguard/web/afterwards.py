"""What a function does after its answer is ready, while it is awake."""

from __future__ import annotations

import math
from collections.abc import Mapping

from msgspec.structs import replace

from sgguard.engine.context import begin
from sgguard.engine.delivery import deliverer
from sgguard.outbox.background import BACKGROUND
from sgguard.outbox.deliver import Deliverer
from sgguard.wire.clock import Deadline


def deliver(env: Mapping[str, str]) -> None:
    """Deliver in the background what this process has written into the outbox."""
    given = dict(env)

    def make() -> Deliverer:
        # Nobody waits for it: each attempt has a time of its own.
        return deliverer(replace(begin(given), deadline=Deadline(math.inf)))

    BACKGROUND.wake(make)
