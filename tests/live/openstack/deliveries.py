"""Deliveries to the real handlers as one user of the real cloud, with a store in a file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from msgspec.structs import replace

from sgguard.engine import handle
from sgguard.engine.context import Context
from sgguard.model.address import Address, Scope
from sgguard.model.event import Event
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.operations import restore as restoring
from tests.live.openstack.stack import WHOLE, Stack
from tests.worlds import lanes


@dataclass(eq=False)
class Meddling(httpx.BaseTransport):
    """The network, on which somebody else does something just before the first change.

    A request for a token changes nothing.
    """

    inner: httpx.BaseTransport
    meddle: Callable[[], object] | None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        is_change = request.method != "GET" and not request.url.path.endswith("/auth/tokens")
        if is_change and self.meddle is not None:
            meddle, self.meddle = self.meddle, None
            meddle()
        return self.inner.handle_request(request)


@dataclass
class Deliveries:
    """Events of one user about one region, under one policy (TOML)."""

    stack: Stack
    who: str
    folder: Path
    policy: str = 'mode = "observe"\n'
    region: str = WHOLE
    meddle: Callable[[], object] | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def scope(self) -> Scope:
        return Scope("openstack", "", self.region)

    def context(self) -> Context:
        """The context of one delivery."""
        # A policy is read once per process: another one is another file.
        name = hashlib.sha256(self.policy.encode()).hexdigest()[:16]
        self.folder.mkdir(exist_ok=True)
        path = self.folder / f"policy-{name}.toml"
        path.write_text(self.policy)
        env = {
            **self.stack.env(self.who),
            "SGGUARD_POLICY": str(path),
            "SGGUARD_STORE": f"sqlite:///{self.folder / 'store.db'}",
            **self.settings,
        }
        transport: httpx.BaseTransport = self.stack.transport
        if self.meddle is not None:
            transport = Meddling(transport, self.meddle)
        return replace(Context.from_env(env, transport=transport), lanes=lanes())

    def delete(self, *group_ids: str, event_id: str = "e-1") -> dict[str, Any]:
        """Deliver a delete request; return the document or raise the error."""
        targets = tuple(Address(self.scope, group_id) for group_id in group_ids)
        event = Event(event_id, {"targets": [str(one) for one in targets]}, "/portal")
        return _raised(handle.deletes([(DeleteRequest(targets, "alice"), event)], self.context()))

    def launch(self, *group_ids: str, **more: Any) -> dict[str, Any]:
        """Deliver a launch request, or one about the instance ``instance_id``."""
        request = LaunchRequest(self.scope, group_ids, requested_by="alice", **more)
        event = Event(f"l-{group_ids}-{more}", {"launch": repr(request)}, "/portal")
        return _raised(handle.launches([(request, event)], self.context()))

    def restore(self, decision_id: str) -> dict[str, Any]:
        """Restore what a decision took away."""
        return restoring.restore(decision_id, self.context(), by="olga")


def _raised(handled: list[Any]) -> dict[str, Any]:
    (one,) = handled
    if isinstance(one, Exception):
        raise one
    return one
