"""Deliveries between whose steps something else happens: other deliveries, edits, deaths, time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from msgspec.structs import replace

from sgguard.emulator.faces import all_faces
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import handle
from sgguard.engine.context import Context
from sgguard.model.address import Address, Scope
from sgguard.model.event import Event
from sgguard.model.request import DeleteRequest
from sgguard.wire.retry import Retry
from tests.remedy.harness import Harness
from tests.worlds import lanes


class DiedError(BaseException):
    """The process is gone: no handler of errors sees it."""


@dataclass(eq=False)
class Between:
    """A store with which something else happens, once, before or after a call of these names."""

    store: Any
    names: tuple[str, ...]
    happens: Callable[[], object]
    is_after: bool = False
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.store, name)
        if not callable(method):
            return method

        def call(*args: Any, **given: Any) -> Any:
            is_first = name in self.names and name not in self.calls
            self.calls.append(name)
            if is_first and not self.is_after:
                self.happens()
            result = method(*args, **given)
            if is_first and self.is_after:
                self.happens()
            return result

        return call


@dataclass(eq=False)
class Watching(httpx.BaseTransport):
    """A transport that says which action comes, before the emulator gets it."""

    harness: Harness
    before: Callable[[str], object]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.before(all_faces()[self.harness.world.provider].action(request))
        return EmulatorTransport(self.harness.emulator).handle_request(request)


def context_of(harness: Harness, *, env: dict[str, str] | None = None, **changed: Any) -> Context:
    """The context of a delivery; ``changed`` are fields of it."""
    transport = changed.pop("transport", EmulatorTransport(harness.emulator))
    context = Context.from_env({**harness.env, **(env or {})}, transport=transport)
    values = {"retry": Retry(sleep=lambda _: None), "lanes": lanes()}
    return replace(context, **(values | changed))


def a_delete(
    harness: Harness, *group_ids: str, event_id: str = "e-1", account: str = "", **event: Any
) -> tuple[DeleteRequest, Event]:
    scope = Scope(harness.world.provider, account, harness.world.region)
    targets = tuple(Address(scope, one) for one in group_ids)
    data = {"targets": [str(one) for one in targets]}
    return DeleteRequest(targets, "alice"), Event(event_id, data, "/portal", **event)


def deliver(context: Context, *asked: tuple[DeleteRequest, Event]) -> Any:
    """Deliver a batch; return what its last event is answered, error or document."""
    return handle.deletes(list(asked), context)[-1]
