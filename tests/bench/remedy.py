"""A group with 50 references and 200 bindings taken apart: the calls used, against the fewest."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sgguard import providers
from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.emulator.state import Group, Rule
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import handle
from sgguard.engine.context import Context, connect
from sgguard.facts import gather
from sgguard.model.address import Address, Scope
from sgguard.model.event import Event
from sgguard.model.request import DeleteRequest
from sgguard.wire.retry import Retry
from tests.bench.fewest import fewest
from tests.bench.measure import Ratio, round_trips
from tests.worlds import World, lanes, world_of

REFERENCES, REFERRERS, HOLDERS = 50, 10, 200
LATENCY_S = 0.05

_READING = ("GET", "Describe", "POST /v3/auth/tokens")


@dataclass
class Crowd:
    """A cloud with one group that many rules name and many holders carry, and a store."""

    world: World
    remedies: tuple[str, ...]
    folder: Path
    references: int = REFERENCES
    referrers: int = REFERRERS
    holders: int = HOLDERS
    clocks: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    emulator: Emulator = field(init=False)
    target: str = field(init=False)

    def __post_init__(self) -> None:
        self.emulator = self.world.emulator(**self.clocks)
        self.target = self._group(0).id
        for number in range(1, self.referrers + 1):
            self._name(self._group(number), self.references // self.referrers)
        self._carry()

    def _group(self, number: int) -> Group:
        cloud = self.emulator.state.clouds[0]
        template = cloud.group(self.world.free)
        assert template is not None
        group_id = _renumbered(self.world.free, number)
        group = dataclasses.replace(
            template, id=group_id, name=f"crowd {number}", rules=[], tags={}
        )
        cloud.groups.append(group)
        return group

    def _name(self, group: Group, count: int) -> None:
        """Let the group have rules that name the target, and one more."""
        keeping = Rule("ingress", id=_rule_id(group.id, 0), ports="22", cidr="10.0.0.0/8")
        group.rules = [keeping] + [
            Rule(
                "ingress",
                id=_rule_id(group.id, number),
                ports=str(8000 + number),
                peer_group=self.target,
            )
            for number in range(1, count + 1)
        ]

    def _carry(self) -> None:
        """Let instances carry the target, and another group before it where unbinding is meant."""
        cloud, world = self.emulator.state.clouds[0], self.world
        primary = next(i for i in cloud.interfaces if i.instance == world.server)
        server = cloud.instance(world.server)
        assert server is not None
        other = [_renumbered(world.free, 1)] if "unbind" in self.remedies else []
        for number in range(self.holders):
            instance = dataclasses.replace(server, id=_renumbered(world.server, number))
            cloud.instances.append(instance)
            cloud.interfaces.append(
                dataclasses.replace(
                    primary,
                    id=_renumbered(primary.id, number),
                    instance=instance.id,
                    groups=[*other, self.target],
                    kind="primary",
                )
            )

    @property
    def env(self) -> dict[str, str]:
        path = self.folder / f"{self.world.provider}-{'-'.join(self.remedies)}.toml"
        listed = ", ".join(f'"{one}"' for one in self.remedies)
        path.write_text(
            f'mode = "enforce"\n[delete]\nremedies = [{listed}]\n'
            f'replacement_group = "{self.world.free}"\nfallback_group = "{self.world.free}"\n'
            "[caps]\nchanges = 2000\n"
        )
        store = f"sqlite:///{self.folder / f'{self.world.provider}.db'}"
        return {
            **self.world.env,
            "SGGUARD_POLICY": str(path),
            "SGGUARD_STORE": store,
            "SGGUARD_DEADLINE_S": "600",
            "SGGUARD_PACE": "1000000",
            **self.settings,
        }

    def context(self, **more: Any) -> Context:
        more = {"transport": EmulatorTransport(self.emulator), **more}
        context = Context.from_env(self.env, **more)
        return replace(context, retry=Retry(attempts=2, sleep=lambda _: None), lanes=lanes())

    def asked(self, event_id: str = "crowd") -> tuple[DeleteRequest, Event]:
        address = Address(Scope(self.world.provider, "", self.world.region), self.target)
        event = Event(event_id, {"target": str(address)}, "/bench")
        return DeleteRequest((address,), "alice"), event

    def verdict(self) -> int:
        """Read what a verdict takes; return the calls."""
        (target,) = self.asked()[0].targets
        self.emulator.requests.clear()
        gather.gather_delete(connect(target.scope, self.context()), self.asked()[0])
        return sum(self.calls().values())

    def remedy(
        self, context: Context | None = None, event_id: str = "crowd"
    ) -> dict[str, Any] | Exception:
        """Deliver the event, once."""
        (handled,) = handle.deletes([self.asked(event_id)], context or self.context())
        return handled

    def calls(self) -> Counter[str]:
        """What the emulator was asked since it was last cleared, by action; no tokens."""
        actions = (one.action for one in self.emulator.requests)
        return Counter(one for one in actions if one != "POST /v3/auth/tokens")


def is_writing(action: str) -> bool:
    return not action.startswith(_READING)


def _renumbered(text: str, number: int) -> str:
    """An id of the same form that is none of the cast's."""
    return f"{text[:-6]}c{number:05d}"


def _rule_id(group_id: str, number: int) -> str:
    if len(group_id) == len("00000000-0000-4000-8000-000000000000"):
        return f"{group_id[-8:]}-{number:04x}-4aaa-8aaa-{group_id[-12:]}"
    return f"sgr-{group_id[3:]}{number:03d}"


@dataclass(frozen=True)
class Used:
    """What one remediation cost."""

    calls: Counter[str]
    verdict: int
    fewest: int

    @property
    def total(self) -> int:
        return sum(self.calls.values())


def used(crowd: Crowd) -> Used:
    """Carry the plan out and count."""
    verdict = crowd.verdict()
    crowd.emulator.requests.clear()
    handled = crowd.remedy()
    assert isinstance(handled, dict), handled
    assert handled["outcome"] == "remediated", (handled["reasons"], handled["note"])
    return Used(crowd.calls(), verdict, fewest(crowd, verdict))


def elapsed_s(crowd: Crowd) -> tuple[float, int]:
    """Carry the plan out at a latency; return the time and the calls one after another."""
    crowd.emulator.faults.append(Fault("latency", latency_ms=LATENCY_S * 1000, count=1_000_000))
    begun = time.perf_counter()
    handled = crowd.remedy()
    took_s = time.perf_counter() - begun
    assert isinstance(handled, dict), handled
    assert handled["outcome"] == "remediated", handled["note"]
    return took_s, round_trips((one.begun_s, one.ended_s) for one in crowd.emulator.requests)


PLANS = (("revoke", "unbind"), ("rewrite", "move"))


def plans(provider: str) -> tuple[tuple[str, ...], ...]:
    """The remedies to try: API 2.0 does not tell what else an instance carries."""
    return (("revoke", "move"), ("rewrite", "move")) if provider == "tencent-dfw" else PLANS


def measure() -> list[Ratio]:
    return [
        ratio
        for name in providers.names()
        for remedies in plans(name)
        for ratio in (_calls(world_of(name), remedies), _in_a_row(world_of(name), remedies))
    ]


MOST_CALLS, MOST_IN_A_ROW = 1.6, 40.0


def _calls(world: World, remedies: tuple[str, ...]) -> Ratio:
    with tempfile.TemporaryDirectory() as folder:
        found = used(Crowd(world, remedies, Path(folder)))
    writes = sum(count for action, count in found.calls.items() if is_writing(action))
    return Ratio(
        f"calls to {' and '.join(remedies)}, {world.provider}",
        "the fewest its API permits",
        found.total / found.fewest,
        MOST_CALLS,
        f"{found.total} ({writes} that change something) and {found.fewest}",
    )


def _in_a_row(world: World, remedies: tuple[str, ...]) -> Ratio:
    with tempfile.TemporaryDirectory() as folder:
        took_s, depth = elapsed_s(Crowd(world, remedies, Path(folder)))
    return Ratio(
        f"calls in a row to {' and '.join(remedies)}, {world.provider}",
        "one",
        float(depth),
        MOST_IN_A_ROW,
        f"{took_s:.1f} s at 50 ms",
    )
