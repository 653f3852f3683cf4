"""Deliveries to the real handlers, on an emulated cloud, with a store in a file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sgguard.emulator.core import Emulator
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import handle
from sgguard.engine.context import Context
from sgguard.model.address import Address, Scope
from sgguard.model.event import Event
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.operations import restore as restoring
from sgguard.wire.retry import Retry
from tests.chinese import require_chinese
from tests.stores import empty_file
from tests.worlds import World, lanes

POLICY = """
mode = "{mode}"
[delete]
remedies = {remedies}
fallback_group = "{free}"
replacement_group = "{free}"
{in_delete}
[caps]
management_ports = {ports}
[approval]
approvers = ["olga"]
"""


@dataclass
class Harness:
    """A cloud, a store, a policy file, and the deliveries of events."""

    world: World
    folder: Path
    mode: str = "enforce"
    ports: tuple[int, ...] = ()
    remedies: tuple[str, ...] = ("revoke", "unbind", "move")
    emulator: Emulator = field(init=False)
    head: str = ""
    more: str = ""
    in_delete: str = ""

    def __post_init__(self) -> None:
        self.emulator = self.world.emulator()
        if self.world.provider == "tencent-dfw":
            # API 2.0 tells the groups of an instance only where no other interface carries any.
            (cloud,) = self.emulator.state.clouds
            cloud.interfaces = [one for one in cloud.interfaces if one.kind == "primary"]

    @property
    def env(self) -> dict[str, str]:
        text = POLICY.format(
            mode=self.mode,
            ports=list(self.ports),
            remedies=json.dumps(list(self.remedies)),
            free=self.world.free,
            in_delete=self.in_delete,
        )
        text = f"{self.head}{text}{self.more}"
        # A policy is read once per process: another one is another file.
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        path = self.folder / f"policy-{name}.toml"
        if not path.exists():
            path.write_text(text)
        store = self.folder / "store.db"
        url = f"sqlite:///{store}" if store.exists() else empty_file(store)
        return {**self.world.env, "SGGUARD_POLICY": str(path), "SGGUARD_STORE": url}

    def context(self) -> Context:
        """The context of one delivery, on clocks that jump over every wait."""
        context = Context.from_env(self.env, transport=EmulatorTransport(self.emulator))
        return replace(context, retry=Retry(sleep=lambda _: None), lanes=lanes())

    @property
    def scope(self) -> Scope:
        return Scope(self.world.provider, "", self.world.region)

    def delete(self, *group_ids: str, event_id: str = "e-1", **more: Any) -> dict[str, Any]:
        """Deliver a delete request; return the document or raise the error."""
        targets = tuple(Address(self.scope, group_id) for group_id in group_ids)
        data = {"targets": [str(one) for one in targets]}
        event = Event(event_id, more.pop("data", data), "/portal", **more)
        request = DeleteRequest(targets, "alice")
        return require_chinese(_raised(handle.deletes([(request, event)], self.context())))

    def launch(self, instance_id: str, *group_ids: str, event_id: str = "l-1") -> dict[str, Any]:
        request = LaunchRequest(
            self.scope, group_ids, instance_id=instance_id, requested_by="alice"
        )
        event = Event(event_id, {"instance_id": instance_id}, "/portal")
        return require_chinese(_raised(handle.launches([(request, event)], self.context())))

    def restore(self, decision_id: str, **more: Any) -> dict[str, Any]:
        return require_chinese(restoring.restore(decision_id, self.context(), by="olga", **more))

    def comparable_state(self, *renamed: tuple[str, str]) -> Any:
        """The state without what no restore can bring back: ids and counters."""
        return comparable(self.emulator.state.dump(), dict(renamed))


def _raised(handled: list[Any]) -> dict[str, Any]:
    (one,) = handled
    if isinstance(one, Exception):
        raise one
    return one


def comparable(dump: Any, renamed: dict[str, str]) -> Any:
    """A dump without what may differ between two equal clouds."""
    text = json.dumps(dump)
    for new, old in renamed.items():
        text = text.replace(new, old)
    found = json.loads(text)
    for cloud in found["clouds"]:
        for group in cloud["groups"]:
            is_ordered = cloud["provider"].startswith("tencent")
            # API 2.0 knows no tags: what it cannot tell it cannot bring back.
            tags = ("tags",) if cloud["provider"] == "tencent-dfw" else ()
            for gone in ("version", "created", *tags):
                group.pop(gone, None)
            for rule in group["rules"]:
                rule.pop("id", None)
            if not is_ordered:
                group["rules"].sort(key=repr)
            else:
                group["rules"].sort(key=lambda rule: rule["direction"])
        for interface in cloud["interfaces"]:
            interface.pop("version", None)
            interface.pop("revision", None)
            if not cloud["provider"].startswith(("tencent", "huawei")):
                interface["groups"].sort()
        cloud["groups"].sort(key=lambda group: group["id"])
        cloud.pop("quirks", None)
    return found
