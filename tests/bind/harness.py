"""Many instances of an emulated Tencent Cloud, a store in a file, and binds on clocks that jump."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sgguard.emulator.core import Emulator
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import bind
from sgguard.engine.context import Context
from sgguard.model.address import Scope
from sgguard.model.event import Event
from sgguard.model.request import BindRequest
from sgguard.store import Store, open_store
from sgguard.wire.clock import Deadline
from sgguard.wire.pacing import Lanes
from sgguard.wire.retry import Retry
from tests.chinese import require_chinese
from tests.stores import empty_file
from tests.worlds import Jumping
from tests.worlds.tencent import WORLD

GROUP = "sg-unused00"
BASE = "sg-deflt000"
LEASE_S = 8000.0
POLICY = 'mode = "{mode}"\n[approval]\napprovers = ["olga"]\n{more}'


def ids(number: int, begin: int = 0) -> list[str]:
    """Well-formed ids of instances."""
    return [f"ins-{n:08d}" for n in range(begin, begin + number)]


@dataclass
class Fleet:
    """``size`` instances that carry the default group, and everything that is done to them."""

    folder: Path
    size: int
    mode: str = "enforce"
    more: str = ""
    groups: tuple[str, ...] = (BASE,)
    url: str = ""
    emulator: Emulator = field(init=False)
    store: Store = field(init=False)
    clock: Jumping = field(default_factory=Jumping)

    def __post_init__(self) -> None:
        scenario = WORLD.scenario_copy()
        (cloud,) = scenario["clouds"]
        cloud["instances"] += [
            {"id": one, "name": f"web-{n}", "network": "vpc-2hxl6jir", "groups": list(self.groups)}
            for n, one in enumerate(ids(self.size))
        ]
        self.emulator = Emulator.load(scenario, now=self._now)
        self.store = open_store(self.url or empty_file(self.folder / "store.db"), self._now)
        self.store.paces().tick = self.clock

    def restart(self) -> None:
        """Let every lease end: the worker is gone."""
        self.clock.jumped_s += LEASE_S

    def _now(self) -> float:
        return 1_800_000_000.0 + self.clock.jumped_s

    @property
    def cloud(self) -> Any:
        return self.emulator.state.clouds[0]

    def instance(self, holder_id: str) -> Any:
        return next(one for one in self.cloud.instances if one.id == holder_id)

    def carried(self, holder_id: str) -> list[str]:
        return self.cloud.groups_of(holder_id)

    def holders_of(self, group_id: str = GROUP) -> set[str]:
        return {one.instance for one in self.cloud.interfaces_with(group_id)}

    def calls(self, action: str = "AssociateSecurityGroups") -> int:
        return Counter(one.action for one in self.emulator.requests)[action]

    def context(self, *, deadline_s: float = 3600.0, transport: Any = None) -> Context:
        text = POLICY.format(mode=self.mode, more=self.more)
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        path = self.folder / f"policy-{name}.toml"
        if not path.exists():  # workers side by side: none may read the half of it
            part = path.with_name(f"{path.name}-{threading.get_ident()}")
            part.write_text(text)
            part.replace(path)
        env = {
            **WORLD.env,
            "SGGUARD_POLICY": str(path),
            "SGGUARD_STORE": f"sqlite:///{self.folder / 'none.db'}",
        }
        context = Context.from_env(
            env, transport=transport or EmulatorTransport(self.emulator), makes_store=False
        )
        return replace(
            context,
            store=self.store,
            retry=Retry(sleep=self.clock.sleep),
            lanes=Lanes(self.clock, self.clock.sleep),
            now=self._now,
            deadline=Deadline.after(deadline_s, self.clock),
        )

    def bind(
        self,
        holders: list[str] | tuple[str, ...],
        group_id: str = GROUP,
        event_id: str = "b-1",
        context: Context | None = None,
        **more: Any,
    ) -> dict[str, Any]:
        """Deliver a bind request; return the document or raise the error."""
        request = BindRequest(
            Scope("tencent", "", WORLD.region),
            group_id,
            holders=tuple(dict.fromkeys(holders)),
            requested_by="alice",
            **more,
        )
        data = {"group": group_id, "holders": list(holders), **{k: str(v) for k, v in more.items()}}
        event = Event(event_id, data, "/portal")
        (done,) = bind.binds([(request, event)], context or self.context())
        if isinstance(done, Exception):
            raise done
        return require_chinese(done)


def rows(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of a document by holder."""
    return {one["holder"]: one for one in document["bind"]["rows"]}


def by_status(document: dict[str, Any], status: str) -> set[str]:
    return {one["holder"] for one in document["bind"]["rows"] if one["status"] == status}


def dumps(document: dict[str, Any]) -> str:
    return json.dumps(document)
