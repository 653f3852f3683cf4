"""An approval request on an emulated cloud: how to make one in mode approve, and to decide it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sgguard.emulator import edit
from sgguard.emulator.core import Emulator
from sgguard.emulator.resource import Rule
from sgguard.emulator.state import Cloud
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import handle
from sgguard.engine.context import Context
from sgguard.model.address import Address, Scope
from sgguard.model.codes import Mode
from sgguard.model.event import Event
from sgguard.model.request import DeleteRequest
from sgguard.policy import ApprovalPolicy, Caps, DeletePolicy, Policy
from sgguard.store import open_store
from sgguard.store.base import Store
from sgguard.store.rows import Approval, Query
from sgguard.wire.retry import Retry
from tests.stores import Clock, empty_file
from tests.worlds import World, lanes, world_of

KEY = "0123456789abcdef0123456789abcdef"
POLICY = Policy(
    mode=Mode.APPROVE,
    delete=DeletePolicy(remedies=("revoke", "unbind")),
    caps=Caps(management_ports=()),
    approval=ApprovalPolicy(approvers=("ada", "bob", "eve")),
)


@dataclass
class ApprovalHarness:
    """One cloud, one store on a clock of the test's, and a requester: ``eve``."""

    world: World
    emulator: Emulator
    url: str
    store: Store
    clock: Clock
    policy: Policy = POLICY
    env: dict[str, str] = field(default_factory=dict)

    def context(self, **changed: Any) -> Context:
        given = Context.from_env(
            {**self.world.env, "SGGUARD_APPROVAL_KEY": KEY, "SGGUARD_STORE": self.url, **self.env},
            transport=EmulatorTransport(self.emulator),
        )
        values = {
            "policy": self.policy,
            "store": self.store,
            "retry": Retry(sleep=lambda _: None),
            "lanes": lanes(),
        }
        return replace(given, **{**values, **changed})

    @property
    def target(self) -> str:
        return f"{self.world.provider}::{self.world.region}:{self.world.referenced}"

    def ask(
        self, event_id: str = "order-7", requester: str = "eve", **changed: Any
    ) -> dict[str, Any]:
        scope = Scope(self.world.provider, "", self.world.region)
        request = DeleteRequest((Address(scope, self.world.referenced),), requester)
        event = Event(event_id, {"target": self.target, "by": requester}, "/portal")
        (document,) = handle.deletes([(request, event)], self.context(**changed))
        if isinstance(document, Exception):
            raise document
        return document

    def asked(self, **given: Any) -> Approval:
        document = self.ask(**given)
        assert document["outcome"] == "pending", document["reasons"]
        return self.approval(document["approval"]["approval_id"])

    def approved(self, by: str = "ada", outcome: str = "pending", **given: Any) -> Approval:
        """A request that was approved, as an older sgguard left it when its worker died.

        ``outcome`` is what its decision says of it.
        """
        asked = self.asked(**given)
        assert self.store.resolve(asked.approval_id, "approved", by)
        record = self.store.decision(asked.decision_id)
        assert record is not None
        text = json.dumps({**json.loads(record.document_json), "outcome": outcome})
        self.store.keep(replace(record, outcome=outcome, document_json=text))
        return self.approval(asked.approval_id)

    def approval(self, approval_id: str) -> Approval:
        found = self.store.approval(approval_id)
        assert found is not None
        return found

    def document(self, approval: Approval) -> dict[str, Any]:
        record = self.store.decision(approval.decision_id)
        assert record is not None
        return json.loads(record.document_json)

    @property
    def cloud(self) -> Cloud:
        return self.emulator.state.cloud(self.world.provider)

    @property
    def is_deleted(self) -> bool:
        return self.cloud.group(self.world.referenced) is None

    def add_reference(self) -> None:
        """Add a rule that references the group to a group that is not in the request."""
        edit.add_rule(self.cloud, self.world.bound, rule_naming(self.world.referenced))

    def kept(self) -> list[Any]:
        """Everything a user can read in the store: decisions, approval requests, runs."""
        return [
            self.store.decisions(Query(limit=1000)),
            self.store.approvals(),
            self.store.open_runs(),
        ]


def rule_naming(group_id: str, rule_id: str = "9f0c1a52-0000-4000-8000-00000000abcd") -> Rule:
    return Rule("ingress", id=rule_id, ports="443", peer_group=group_id)


@contextmanager
def approval_harness(provider: str, folder: Path, **clocks: Any) -> Iterator[ApprovalHarness]:
    world, clock = world_of(provider), Clock()
    url = empty_file(folder / "approval.db")
    store = open_store(url, clock)
    try:
        yield ApprovalHarness(world, world.emulator(**clocks), url, store, clock)
    finally:
        store.close()
