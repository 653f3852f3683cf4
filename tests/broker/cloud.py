"""The cloud, the policy and the events of a run, and what becomes of them without any fault."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sgguard.emulator.core import Emulator
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import handle
from sgguard.engine.context import Context
from sgguard.events import request
from sgguard.model.event import Event
from sgguard.store import open_store
from tests.callers import EVERYBODY
from tests.crash.scenarios import Setup, added_group_id

Json = dict[str, Any]

POLICY = f"""
mode = "enforce"
[delete]
remedies = ["revoke"]
[caps]
management_ports = []
{EVERYBODY}sender = "knative"
"""
TYPE = "sgguard.delete.requested.v1"
REFERENCED, CARRIED, FREE = 16, 8, 16
"""How many groups there are of which others' rules name it, that are carried, and that are free."""


@dataclass(frozen=True)
class Scene:
    """One cloud, and the groups whose delete is asked for again and again."""

    setup: Setup
    groups: tuple[str, ...]

    def emulator(self) -> Emulator:
        return Emulator.load({"clouds": [self.setup.cloud]})

    def address(self, group_id: str) -> str:
        return f"openstack::{self.setup.world.region}:{group_id}"


def scene() -> Scene:
    """Return a cloud in which some deletes need a remedy, some are blocked and some are free."""
    setup = Setup.of("openstack")
    like = setup.group(setup.world.free)
    ids = [added_group_id("openstack", 100 + n) for n in range(REFERENCED + CARRIED + FREE)]
    for group_id in ids:
        setup.cloud["groups"].append(
            {**json.loads(json.dumps(like)), "id": group_id, "name": f"group {group_id[-3:]}"}
        )
    holders = (setup.one, setup.two, setup.three)
    for n, group_id in enumerate(ids[:REFERENCED]):
        for k, holder in enumerate(holders):
            setup.name(holder, group_id, str(1000 + 10 * n + k))
    carrier = next(i for i in setup.cloud["interfaces"] if setup.world.bound in i["groups"])
    carrier["groups"] += ids[REFERENCED : REFERENCED + CARRIED]
    return Scene(setup, tuple(ids))


@dataclass(frozen=True)
class Sent:
    """One CloudEvent; ``data`` of a poisoned one is no request."""

    event_id: str
    group: str
    data: Json
    at: str

    @property
    def attributes(self) -> dict[str, str]:
        return {
            "specversion": "1.0",
            "id": self.event_id,
            "source": "/portal",
            "type": TYPE,
            "time": self.at,
        }


def events(made: Scene, count: int, seed: int, at: str) -> tuple[list[Sent], list[str]]:
    """Return deliveries in their order, duplicates among them, and the ids of poisoned ones.

    ``count`` is that of all deliveries. A group's first event comes anywhere in the run.
    """
    chance = random.Random(seed)
    begins = {group: n * count // len(made.groups) for n, group in enumerate(made.groups)}
    found: list[Sent] = []
    poison: list[str] = []
    while len(found) < count:
        n = len(found)
        group = chance.choice([one for one, begin in begins.items() if begin <= n])
        earlier = [one for one in found[-200:] if one.group == group]
        if earlier and chance.random() < 0.2:
            found.append(chance.choice(earlier))
            continue
        data: Json = {"target": made.address(group)}
        if chance.random() < 0.01:
            data = {"targte": made.address(group)}
            poison.append(f"e-{n}")
        found.append(Sent(f"e-{n}", group, data, at))
    return found, poison


Verdicts = dict[str, tuple[str, str, str]]
"""By the id of an event: the target, the verdict and the outcome of its decision."""


def undisturbed(made: Scene, sent: list[Sent], folder: Path) -> tuple[Verdicts, Json]:
    """Return what becomes of the events, and of the cloud, where nothing ever fails.

    The events of a group come one after another, as from their partition; those of different
    groups are judged together, which is the cheaper way to the same.
    """
    emulator = made.emulator()
    policy = folder / "policy.toml"
    policy.write_text(POLICY)
    env = {
        **made.setup.world.env,
        "SGGUARD_POLICY": str(policy),
        "SGGUARD_STORE": f"sqlite:///{folder}/undisturbed.db",
    }
    rows: dict[str, list[Sent]] = {}
    for one in {one.event_id: one for one in sent if "target" in one.data}.values():
        rows.setdefault(one.group, []).append(one)
    found: Verdicts = {}
    for turn in range(max(map(len, rows.values()))):
        batch = [row[turn] for row in rows.values() if turn < len(row)]
        context = replace(Context.from_env(env, transport=EmulatorTransport(emulator)))
        asked = [
            (request.delete_request(one.data), Event(one.event_id, one.data, "/portal"))
            for one in batch
        ]
        for one, done in zip(batch, handle.deletes(asked, context), strict=True):
            assert not isinstance(done, Exception), done
            found[one.event_id] = (one.data["target"], done["verdict"], done["outcome"])
    return found, emulator.state.dump()


@contextmanager
def decided(url: str) -> Iterator[Any]:
    """Give a way to read what a store has kept: rows of event, target, verdict and outcome."""
    import psycopg  # noqa: PLC0415 - only with a store

    with psycopg.connect(url, autocommit=True) as connection:

        def rows() -> list[tuple[str, str, str, str]]:
            query = "SELECT event_id, target_json, verdict, outcome FROM sgguard_decisions"
            return connection.execute(query).fetchall()

        yield rows


def migrated(url: str) -> None:
    """Make the tables, so that the first functions do not race for it."""
    store = open_store(url)
    store.halted()  # the first question makes them
    store.close()
