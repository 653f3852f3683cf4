"""What a function does after its answer is ready, while it is awake."""

from __future__ import annotations

from collections.abc import Mapping

from sgguard.engine.context import begin
from sgguard.engine.delivery import deliverer
from sgguard.outbox.background import BACKGROUND
from sgguard.outbox.deliver import Deliverer


def deliver(env: Mapping[str, str]) -> None:
    """Deliver in the background what this process has written into the outbox."""
    given = dict(env)

    def make() -> Deliverer:
        return deliverer(begin(given))

    BACKGROUND.wake(make)
