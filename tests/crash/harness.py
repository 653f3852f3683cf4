"""One cloud, one store and one event: deliver it, kill its worker, compare the result."""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from sgguard.emulator.faces import all_faces
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import SgguardError
from sgguard.store import Store, open_store
from tests.chinese import require_chinese
from tests.crash.comparison import (
    InvariantMonitor,
    MonitoredEmulator,
    Snapshot,
    describe_differences,
    differences,
    snapshot,
)
from tests.crash.scenarios import PROVIDERS, SHAPES, Scenario, scenario_of
from tests.crash.worker import context_of, deliver, is_writing

LEASE_S = 3600.0
"""How far the store's clock jumps between deliveries: every lease has ended by then."""

DELIVERIES = 6
CRASH_POINTS: Counter[str] = Counter()
"""The points at which a worker was killed in this run, for its summary."""

LAUNCHES = ("baseline", "forbidden", "quarantine")
SCENARIOS = [
    (provider, shape)
    for provider in PROVIDERS
    for shape in SHAPES
    # The legacy API of Tencent does not tell whether an instance can be bound; only it can force.
    if (shape not in LAUNCHES if provider == "tencent-dfw" else shape != "force")
]
IDS = ["-".join(scenario) for scenario in SCENARIOS]

_number = itertools.count()


def mostly_slow(*quick: str) -> list[Any]:
    """All clouds for ``parametrize``: these in every run, the others in the long one."""
    return [pytest.param(one, marks=() if one in quick else pytest.mark.slow) for one in PROVIDERS]


@dataclass
class Harness:
    """Everything one event is handled with, in this process or by a worker elsewhere."""

    scenario: Scenario
    shape: str
    emulator: MonitoredEmulator
    env: dict[str, str]
    path: Path
    before: Snapshot
    ahead_s: float = 0.0
    _store: Store | None = field(default=None, repr=False)

    @classmethod
    def of(cls, provider: str, shape: str, folder: Path, *, env: dict[str, str] | None = None):
        scenario = scenario_of(provider, shape)
        emulator = MonitoredEmulator(scenario.state())
        policy = folder / f"{provider}-{shape}.toml"
        if not policy.exists():
            policy.write_text(scenario.policy)
        world = scenario.setup.world
        harness = cls(
            scenario,
            shape,
            emulator,
            {**world.env, "SGGUARD_POLICY": str(policy), **(env or {})},
            folder / f"store-{next(_number)}.db",
            snapshot(emulator.state.dump()),
        )
        to_group = scenario.setup.spare if "rewrite" in scenario.policy else ""
        emulator.monitor = InvariantMonitor.of(emulator.state.clouds[0], scenario.targets, to_group)
        return harness

    # -- deliveries ------------------------------------------------------------------------

    @property
    def store_url(self) -> str:
        return f"sqlite:///{self.path}"

    @property
    def store(self) -> Store:
        if self._store is None:
            self._store = open_store(self.store_url, now=lambda: time.time() + self.ahead_s)
        return self._store

    def close(self) -> None:
        if self._store is not None:
            self._store.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)

    def deliver(
        self, store: Any = None, *, event_id: str = "", transport: Any = None, **more: Any
    ) -> dict[str, Any] | Exception:
        """Deliver the event once, in this process."""
        transport = transport or EmulatorTransport(self.emulator)
        return deliver(
            self.scenario, context_of(self.env, store or self.store, transport, **more), event_id
        )

    def deliver_until_decided(self, deliveries: int = DELIVERIES) -> dict[str, Any]:
        """Deliver the event again, each time after its lease has ended, until it is decided."""
        handled: dict[str, Any] | Exception = RuntimeError("never delivered")
        for _ in range(deliveries):
            self.ahead_s += LEASE_S
            handled = self.deliver()
            if isinstance(handled, dict):
                return handled
            if not isinstance(handled, SgguardError):
                raise handled
        raise AssertionError(f"no decision after {deliveries} deliveries") from handled

    # -- assertions ------------------------------------------------------------------------

    def now(self) -> Snapshot:
        return snapshot(self.emulator.state.dump())

    def action(self, request: httpx.Request) -> str:
        return all_faces()[self.scenario.provider].action(request)

    def writes(self) -> list[str]:
        return [one.action for one in self.emulator.requests if is_writing(one.action)]

    def require_clean_store(self) -> None:
        """Nothing is open, nothing is locked, no change's end is unknown."""
        assert self.store.open_runs() == ()
        with sqlite3.connect(self.path) as connection:
            locks = connection.execute("SELECT name FROM sgguard_locks").fetchall()
            intended = connection.execute(
                "SELECT number FROM sgguard_entries WHERE state = 'intended'"
            ).fetchall()
        connection.close()
        assert locks == []
        assert intended == []

    def require_same_decision(self, document: dict[str, Any]) -> None:
        """The event delivered once more has the same decision and changes nothing."""
        writes, world = len(self.writes()), self.now()
        assert self.deliver() == document
        assert len(self.writes()) == writes
        assert self.now() == world

    def require_unbroken(self) -> None:
        monitor = self.emulator.monitor
        assert monitor is None or monitor.violations == []

    def require_settled(
        self, document: dict[str, Any], before: Snapshot, remediated: Snapshot
    ) -> None:
        """The outcome is one of three, and the cloud's state agrees with it."""
        outcome = require_chinese(document)["outcome"]
        if outcome == "partly-undone":
            self.require_reported(document, before)
            return
        assert outcome in ("remediated", "undone"), document
        self.require(remediated if outcome == "remediated" else before)
        self.require_clean_store()
        self.require_same_decision(document)

    def require_reported(self, document: dict[str, Any], before: Snapshot) -> None:
        """Every remaining difference is named in the note; the run is stuck."""
        found = self.now()
        for line in differences(before, found):
            kind, one_id = line.split(" ", 1)
            names = [one_id]
            if kind == "interfaces":
                names.append(before[kind].get(one_id, found[kind].get(one_id))["instance"])
            assert any(name and name in document["note"] for name in names), (
                f"{line} is not in the note: {document['note']}\n"
                f"{describe_differences(before, found)}"
            )
        (run,) = self.store.open_runs()
        assert run.state == "stuck"

    def require(self, world: Snapshot) -> None:
        found = self.now()
        assert found == world, describe_differences(world, found)


def clean_run(provider: str, shape: str, folder: Path) -> Snapshot:
    """The state after the plan was applied without a fault."""
    harness = Harness.of(provider, shape, folder)
    handled = harness.deliver()
    assert not isinstance(handled, Exception), handled
    assert (handled["verdict"], handled["outcome"]) == ("remediate", "remediated"), handled
    world = harness.now()
    assert not set(harness.scenario.targets) & set(world["groups"])
    harness.require_unbroken()
    harness.close()
    return world
