"""One small world per cloud with the same groups and holders, for the contract suites.

``tests/worlds/<provider module>.py`` defines ``WORLD``. A provider without one fails the suite.
"""

from __future__ import annotations

import pickle
import time
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import Any

import httpx

from sgguard import providers
from sgguard.emulator.core import Emulator
from sgguard.emulator.state import State
from sgguard.emulator.transport import EmulatorTransport
from sgguard.providers.access import Access
from sgguard.providers.base import Provider
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.pacing import Lanes, Pace
from sgguard.wire.retry import Retry


class Jumping:
    """A clock that jumps over every wait: lanes keep their rates, and no test waits for them.

    Between two waits it stands: how far a deadline reaches is not a matter of the machine's load.
    """

    def __init__(self) -> None:
        self.begun_s = time.monotonic()
        self.jumped_s = 0.0

    def __call__(self) -> float:
        return self.begun_s + self.jumped_s

    def sleep(self, seconds: float) -> None:
        self.jumped_s += seconds


def lanes() -> Lanes:
    clock = Jumping()
    return Lanes(clock, clock.sleep)


@dataclass(frozen=True)
class World:
    """A scenario of one cloud and who is who in it.

    referenced: peer of one ingress rule of ``referrer_in`` and one egress rule of ``referrer_out``
    self_referencing: only its own rule names it ("" where the cloud refuses such a rule)
    bound: carried by the primary interface of ``server`` and a secondary one of ``other_server``
    free: nobody references or carries it, and it may be deleted
    default: the cloud's default group ("" where its API does not tell)
    missing, malformed: an id that does not exist, and text that is no id ("" where any text is)
    denied_references: fnmatch of the action that an account needs to read references
    bindings_page: (action fnmatch) the paged call that lists instances or ports of a group
    """

    provider: str
    region: str
    env: dict[str, str]
    scenario: dict[str, Any]
    referenced: str
    referrer_in: str
    referrer_out: str
    self_referencing: str
    bound: str
    server: str
    other_server: str
    free: str
    default: str
    missing: str
    malformed: str
    missing_server: str
    denied_references: str
    wrong_secret_env: dict[str, str] = field(default_factory=dict)

    @cached_property
    def _clouds(self) -> bytes:
        return pickle.dumps(Emulator.load(self.scenario).state.clouds)

    def emulator(self, **clocks: Any) -> Emulator:
        """A fresh emulator of the scenario, which is loaded once and copied."""
        return Emulator(State(pickle.loads(self._clouds)), **clocks)

    def scenario_copy(self) -> dict[str, Any]:
        """The scenario, to be changed and loaded; pickling copies faster than ``deepcopy``."""
        return pickle.loads(pickle.dumps(self.scenario))

    def connect(
        self,
        emulator: Emulator,
        *,
        env: dict[str, str] | None = None,
        region: str | None = None,
        attempts: int = 3,
        deadline_s: float = 30.0,
        now=time.time,
        transport: httpx.BaseTransport | None = None,
    ) -> Provider:
        """The real provider, its whole client stack, on the emulator; retries do not wait."""
        wire = Wire(
            self.provider,
            Deadline.after(deadline_s),
            transport=transport or EmulatorTransport(emulator),
            retry=Retry(attempts=attempts, sleep=lambda _: None),
            pace=Pace(lanes=lanes()),
        )
        access = Access(wire, region or self.region, env=self.env if env is None else env, now=now)
        return providers.connect(self.provider, access)


def world_of(provider: str) -> World:
    return import_module(f"tests.worlds.{provider.replace('-', '_')}").WORLD
