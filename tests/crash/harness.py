"""One cloud, one store and one event, to be handled, killed and looked at."""

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
from tests.crash.comparison import Seen, Watch, Watched, differences, seen, shown
from tests.crash.scenarios import PROVIDERS, Plot, plot_of
from tests.crash.worker import deliver, is_writing, means_of

LEASE_S = 3600.0
"""How far the store's clock jumps between deliveries: every lease has ended by then."""

DELIVERIES = 6
TRIED: Counter[str] = Counter()
"""The points at which a worker was killed in this run, for its summary."""

_number = itertools.count()


def mostly_slow(*quick: str) -> list[Any]:
    """All clouds for ``parametrize``: these in every run, the others in the long one."""
    return [pytest.param(one, marks=() if one in quick else pytest.mark.slow) for one in PROVIDERS]


@dataclass
class Rig:
    """Everything one event is handled with, in this process or by a worker elsewhere."""

    plot: Plot
    shape: str
    emulator: Watched
    env: dict[str, str]
    path: Path
    before: Seen
    ahead_s: float = 0.0
    _store: Store | None = field(default=None, repr=False)

    @classmethod
    def of(cls, provider: str, shape: str, folder: Path, *, env: dict[str, str] | None = None):
        plot = plot_of(provider, shape)
        emulator = Watched(plot.state())
        policy = folder / f"{provider}-{shape}.toml"
        if not policy.exists():
            policy.write_text(plot.policy)
        world = plot.stage.world
        rig = cls(
            plot,
            shape,
            emulator,
            {**world.env, "SGGUARD_POLICY": str(policy), **(env or {})},
            folder / f"store-{next(_number)}.db",
            seen(emulator.state.dump()),
        )
        to_group = plot.stage.spare if "rewrite" in plot.policy else ""
        emulator.watch = Watch.of(emulator.state.clouds[0], plot.targets, to_group)
        return rig

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
            self.plot, means_of(self.env, store or self.store, transport, **more), event_id
        )

    def deliver_until_answered(self, deliveries: int = DELIVERIES) -> dict[str, Any]:
        """Deliver the event again, each time after every lease has ended, until it is answered."""
        handled: dict[str, Any] | Exception = RuntimeError("never delivered")
        for _ in range(deliveries):
            self.ahead_s += LEASE_S
            handled = self.deliver()
            if isinstance(handled, dict):
                return handled
            if not isinstance(handled, SgguardError):
                raise handled
        raise AssertionError(f"no answer after {deliveries} deliveries") from handled

    # -- looking ---------------------------------------------------------------------------

    def now(self) -> Seen:
        return seen(self.emulator.state.dump())

    def action(self, request: httpx.Request) -> str:
        return all_faces()[self.plot.provider].action(request)

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

    def require_same_answer(self, document: dict[str, Any]) -> None:
        """The event delivered once more is answered alike, and changes nothing."""
        writes, world = len(self.writes()), self.now()
        assert self.deliver() == document
        assert len(self.writes()) == writes
        assert self.now() == world

    def require_unbroken(self) -> None:
        watch = self.emulator.watch
        assert watch is None or watch.violations == []

    def require_settled(self, document: dict[str, Any], before: Seen, remediated: Seen) -> None:
        """The outcome is one of three, and the world is what it says."""
        outcome = document["outcome"]
        if outcome == "partly-undone":
            self.require_told(document, before)
            return
        assert outcome in ("remediated", "undone"), document
        self.require(remediated if outcome == "remediated" else before)
        self.require_clean_store()
        self.require_same_answer(document)

    def require_told(self, document: dict[str, Any], before: Seen) -> None:
        """Whatever is not as before is named in the note; the run waits for a person."""
        found = self.now()
        for line in differences(before, found):
            kind, one_id = line.split(" ", 1)
            names = [one_id]
            if kind == "interfaces":
                names.append(before[kind].get(one_id, found[kind].get(one_id))["instance"])
            assert any(name and name in document["note"] for name in names), (
                f"{line} is not in the note: {document['note']}\n{shown(before, found)}"
            )
        (run,) = self.store.open_runs()
        assert run.state == "stuck"

    def require(self, world: Seen) -> None:
        found = self.now()
        assert found == world, shown(world, found)


def restart(rig: Rig) -> None:
    """Make the world as it was in the beginning."""
    rig.emulator.state.replace(rig.plot.state())
    rig.emulator.requests.clear()
