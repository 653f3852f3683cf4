"""One delivery of one event, with hooks before and after every write."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from msgspec.structs import replace

from sgguard.emulator.faces import all_faces
from sgguard.engine import handle as handling
from sgguard.engine.context import Context
from sgguard.store import Store
from sgguard.wire.retry import Retry
from tests.crash.scenarios import Scenario
from tests.worlds import lanes

READ_ACTIONS = ("GET", "Describe", "POST /v3/auth/tokens")
WRITING_TRANSACTIONS = frozenset(
    {
        *("claim", "renew", "finish", "release", "lock", "newest", "begin_run", "intend", "settle"),
        *("keep", "ask", "resolve", "halt", "lift_halt", "purge"),
        *("ask_for", "turn", "end", "refuse", "lapse"),
    }
)
"""The store's transactions that write."""

Hook = Callable[[str], None]


def is_writing(action: str) -> bool:
    return not action.startswith(READ_ACTIONS)


@dataclass(eq=False)
class Hooked(httpx.BaseTransport):
    """A transport that calls a hook before and after every request that writes."""

    inner: httpx.BaseTransport
    provider: str
    hook: Hook

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        action = all_faces()[self.provider].action(request)
        if not is_writing(action):
            return self.inner.handle_request(request)
        self.hook(f"before {action}")
        response = self.inner.handle_request(request)
        response.read()
        self.hook(f"after {action}")
        return response


class HookedStore:
    """A store that calls a hook before and after every transaction that writes."""

    def __init__(self, inner: Store, hook: Hook) -> None:
        self._inner = inner
        self._hook = hook

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if name not in WRITING_TRANSACTIONS:
            return method

        def hooked(*args: Any, **kwargs: Any) -> Any:
            self._hook(f"before {name}")
            result = method(*args, **kwargs)
            self._hook(f"after {name}")
            return result

        return hooked


def context_of(
    env: dict[str, str],
    store: Store,
    transport: httpx.BaseTransport,
    *,
    attempts: int = 3,
    **more: Any,
) -> Context:
    """The context of a delivery: nothing waits, and the store is given."""
    context = Context.from_env(env, transport=transport, **more)
    return replace(
        context,
        store=store,
        lanes=lanes(),
        retry=Retry(attempts=attempts, sleep=lambda _: None),
    )


def deliver(scenario: Scenario, context: Context, event_id: str = "") -> dict[str, Any] | Exception:
    """Deliver the scenario's event once."""
    handle = handling.launches if scenario.instance else handling.deletes
    (handled,) = handle([scenario.request_and_event(event_id)], context)
    return handled


@dataclass
class Killer:
    """Kills the process at the n-th point, after reporting which point that is."""

    at: int
    report: Callable[[str], None]
    reached: int = 0
    _one: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, point: str) -> None:
        with self._one:  # changes are made side by side
            if self.reached == self.at:
                self.report(point)
                os.kill(os.getpid(), signal.SIGKILL)
            self.reached += 1
