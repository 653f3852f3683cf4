"""How many calls a decision and a batch cost, against a client that asks one thing at a time."""

from __future__ import annotations

import copy

from msgspec.structs import replace

from sgguard import providers
from sgguard.emulator.core import Emulator
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import decide
from sgguard.engine.context import Context
from sgguard.model.address import Address, Scope
from sgguard.model.decision import Decision
from sgguard.model.request import DeleteRequest
from sgguard.wire.retry import Retry
from tests.bench.measure import Ratio
from tests.worlds import World, lanes, world_of

BATCH = 100
WHO = ("free", "referenced", "bound")

# What the APIs' own ceilings of ids a call make of a hundred groups, as a part of naive.
_AIMS = {"alibaba": 0.60, "huawei": 0.05, "openstack": 0.05, "tencent": 0.10, "tencent-dfw": 0.90}


def measure_batches() -> list[Ratio]:
    return [_batch(world_of(name)) for name in providers.names()]


def _batch(world: World) -> Ratio:
    emulator, ids = crowd(world)
    _decide(world, emulator, [world.free])  # a token, where one is needed
    together = _decide(world, emulator, ids)
    one_by_one = sum(_decide(world, emulator, [group_id]) for group_id in ids)
    return Ratio(
        f"calls for {BATCH} deletes, {world.provider}",
        "one call per question and group",
        together / one_by_one,
        _AIMS.get(world.provider, 1.0),
        f"{together} and {one_by_one} calls",
    )


def crowd(world: World) -> tuple[Emulator, list[str]]:
    """The world with a hundred more free groups."""
    emulator = world.emulator()
    cloud = emulator.state.clouds[0]
    template = cloud.group(world.free)
    ids = [f"{world.free[:-4]}{number:04d}" for number in range(BATCH)]
    for group_id in ids:
        group = copy.deepcopy(template)
        group.id, group.name, group.rules = group_id, f"team {group_id}", []
        cloud.groups.append(group)
    return emulator, ids


def _decide(world: World, emulator: Emulator, ids: list[str]) -> int:
    """Decide each group by itself, in one batch, and return how many calls that took."""
    context = Context.from_env(world.env, transport=EmulatorTransport(emulator))
    context = replace(context, retry=Retry(attempts=1), lanes=lanes())
    scope = Scope(world.provider, "", world.region)
    asked = [(DeleteRequest((Address(scope, group_id),)), group_id) for group_id in ids]
    emulator.requests.clear()
    outcomes = decide.decide_deletes(asked, context)
    assert all(isinstance(one, Decision) for one in outcomes), outcomes
    return len(emulator.requests)


def counts(world: World) -> tuple[int, ...]:
    """Return the calls of one check of each sort, with the token where the cloud has tokens."""
    return tuple(_decide(world, world.emulator(), [getattr(world, who)]) for who in WHO)


def table() -> str:
    """The calls of one check, by provider and by what is found, as RESULTS.md shows them."""
    rows = ["| provider | free | referenced by two groups | bound |", "|---|--:|--:|--:|"]
    rows += [f"| {n} | {' | '.join(map(str, counts(world_of(n))))} |" for n in providers.names()]
    return "\n".join(rows)
