"""Which actions of a cloud each mode and remedy really uses: every kind of decision is made.

Each is carried out on a fresh emulated cloud, undone by a step that the cloud refuses, and restored
from what was kept of it: a permission is needed for the way back as well.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from sgguard.emulator.faults import Fault
from sgguard.errors import SgguardError
from sgguard.model.codes import TOLERABLE
from tests.remedy.harness import Harness
from tests.worlds import World, world_of

Act = Callable[[Harness], Any]

DELETES = ("revoke", "rewrite", "unbind", "move", "force")
_TOLERANT = f"tolerate_unseen = {sorted(map(str, TOLERABLE))}"
LAUNCHES = ("bind", "unbind", "quarantine")


def observed(provider: str) -> set[str]:
    """What judging takes: every kind of request in mode observe."""
    world = world_of(provider)
    used: set[str] = set()
    for target in (world.referenced, world.bound, world.free, world.missing):
        used |= _used(world, lambda h, one=target: h.delete(one), mode="observe")
    for server in (world.server, world.other_server):
        used |= _used(world, lambda h, one=server: h.launch(one, world.free), mode="observe")
    if provider == "huawei":  # where no list by ids tells of a port, it is read by itself
        used |= {one for one in observed_on(provider, otc=True) if one.startswith("GET /v3/")}
    older = _with_quirks(quota_details_absent=True)
    launching = _launching(world.server, world.free)
    return used | _used(world, launching, prepare=older, mode="observe")


def observed_on(provider: str, **quirks: bool) -> set[str]:
    """What judging takes on a cloud that lacks something."""
    world, prepare = world_of(provider), _with_quirks(**quirks)
    used: set[str] = set()
    for target in (world.referenced, world.bound, world.free):
        used |= _used(world, deleting(target), prepare=prepare, mode="observe")
    return used | _used(world, _launching(world.server, world.free), prepare=prepare)


def sent(provider: str, act: Act, **how: Any) -> set[tuple[str, str]]:
    """Method and path of each request, as the cloud gets it."""
    with tempfile.TemporaryDirectory() as folder:
        harness = Harness(world_of(provider), Path(folder), **how)
        act(harness)
        return {(one.method, one.path) for one in harness.emulator.requests}


def base(provider: str) -> set[str]:
    """What a mode other than observe takes without any remedy: free groups are deleted."""
    world = world_of(provider)
    always = {"in_delete": f'carry_out = "always"\n{_TOLERANT}', "remedies": ()}
    used: set[str] = set()
    rules = _with_rules_and_tags(world)
    for prepare in (_as_it_is, rules, _with_one_rule(world), _shared(world)):
        used |= _both_ways(world, lambda h: h.delete(world.free), prepare=prepare, **always)
    return used


def of_remedy(provider: str, remedy: str) -> set[str]:
    """What a remedy takes, its way back included."""
    world = world_of(provider)
    used: set[str] = set()
    delete = {"remedies": (remedy,), "in_delete": _TOLERANT}
    if remedy in DELETES:
        for target in (world.referenced, world.bound):
            act = deleting(target)
            for prepare in _holdings(world):
                used |= _both_ways(world, act, prepare=prepare, **delete)
    if remedy in LAUNCHES:
        for server in (world.server, world.other_server):
            act = _launching(server)
            more = _launch_policy(world, remedy)
            for prepare in _holdings(world):
                used |= _both_ways(world, act, prepare=prepare, more=more)
    return used


def _holdings(world: World) -> tuple[Callable[[Harness], None], ...]:
    """A group that is first or last of several, on one interface or all: calls differ by it."""
    both = [world.bound, world.referrer_in]
    return (
        _as_it_is,
        _with_another_group(world),
        _all_alike(world, both),
        _all_alike(world, both[::-1]),
        # It has the group already to which it would move.
        _all_alike(world, [world.bound, world.free]),
    )


def deleting(target: str) -> Act:
    """A delivery that asks for one group."""
    return lambda harness: harness.delete(target)


def _launching(server: str, *groups: str) -> Act:
    return lambda harness: harness.launch(server, *groups)


def _launch_policy(world: World, remedy: str) -> str:
    rest = {
        "bind": f'baseline = ["{world.free}"]',
        "unbind": f'forbidden = ["{world.bound}"]\nfallback_group = "{world.free}"',
        "quarantine": f'forbidden = ["{world.bound}"]\nquarantine_group = "{world.free}"',
    }[remedy]
    return f'[launch]\nremedies = ["{remedy}"]\n{rest}\n{_TOLERANT}\n'


def _both_ways(world: World, act: Act, **how: Any) -> set[str]:
    """Carry it out and restore it; carry it out up to each write in turn, which is refused."""
    writes: list[str] = []

    def there_and_back(harness: Harness) -> None:
        done = act(harness)
        writes.extend(_writes(harness))
        with suppress(SgguardError):
            harness.restore(done["decision_id"])

    used = _used(world, there_and_back, **how)
    for number in range(1, len(writes)):
        used |= _used(world, _refused_at(act, writes, number), **how)
    return used


def _refused_at(act: Act, writes: list[str], number: int) -> Act:
    action = writes[number]

    def run(harness: Harness) -> None:
        pattern = re.sub(r"\{[^}]*\}", "*", action)
        skip = writes[:number].count(action)
        fault = Fault("error", action=pattern, skip=skip, code=_refusal(harness.world.provider))
        harness.emulator.faults.append(fault)
        act(harness)

    return run


def _refusal(provider: str) -> str:
    return {
        "tencent": "UnsupportedOperation",
        "tencent-dfw": "5100",
        "alibaba": "OperationDenied",
        "huawei": "VPC.0010",
        "openstack": "HTTPForbidden",
    }[provider]


def _writes(harness: Harness) -> list[str]:
    reads = ("Describe", "GET ", "POST /v3/auth")
    return [one.action for one in harness.emulator.requests if not one.action.startswith(reads)]


def _used(
    world: World, act: Act, prepare: Callable[[Harness], None] | None = None, **how: Any
) -> set[str]:
    with tempfile.TemporaryDirectory() as folder:
        harness = Harness(world, Path(folder), **how)
        if prepare is not None:
            prepare(harness)
        with suppress(SgguardError):
            act(harness)
        return {_general(one.action) for one in harness.emulator.requests}


def _general(action: str) -> str:
    """An action without the id of a rule, which the emulator takes for a part of its name."""
    return re.sub(r"(?<=/security-group-rules/)(?!batch-)[^/]+$", "{id}", action)


def _as_it_is(_: Harness) -> None:
    """The cloud of the contract suites."""


def _with_quirks(**quirks: bool) -> Callable[[Harness], None]:
    """The cloud is an older one, or another one's partner: other clouds know no such quirk."""

    def prepare(harness: Harness) -> None:
        (cloud,) = harness.emulator.state.clouds
        cloud.quirks.update(quirks)

    return prepare


def _with_another_group(world: World) -> Callable[[Harness], None]:
    """Every holder of the bound group carries a second one as well, and can lose the first."""

    def prepare(harness: Harness) -> None:
        for interface in _interfaces(harness):
            if world.bound in interface.groups and world.referrer_in not in interface.groups:
                interface.groups.append(world.referrer_in)

    return prepare


def _all_alike(world: World, groups: list[str]) -> Callable[[Harness], None]:
    """Every interface of every kind carries the same groups in the same order."""

    def prepare(harness: Harness) -> None:
        for interface in _interfaces(harness):
            if interface.instance in (world.server, world.other_server):
                interface.groups[:] = groups

    return prepare


def _interfaces(harness: Harness) -> list[Any]:
    (cloud,) = harness.emulator.state.clouds
    return cloud.interfaces


def _with_rules_and_tags(world: World) -> Callable[[Harness], None]:
    """The free group has rules of both directions, tags and a sharing: they are made again."""

    def prepare(harness: Harness) -> None:
        (cloud,) = harness.emulator.state.clouds
        groups = {group.id: group for group in cloud.groups}
        free = groups[world.free]
        rules = [*groups[world.referrer_in].rules, *groups[world.referrer_out].rules]
        free.rules = [replace(rule, peer_group="", cidr="10.0.0.0/8") for rule in rules]
        free.tags = {"team": "data"}
        free.isolated = world.provider == "alibaba"

    return prepare


def _with_one_rule(world: World) -> Callable[[Harness], None]:
    """The free group has one rule: where a call takes several, this one goes by itself."""
    several = _with_rules_and_tags(world)

    def prepare(harness: Harness) -> None:
        several(harness)
        (cloud,) = harness.emulator.state.clouds
        (free,) = [group for group in cloud.groups if group.id == world.free]
        del free.rules[1:]

    return prepare


def _shared(world: World) -> Callable[[Harness], None]:
    """The free group may be used by another project, where the cloud knows such a thing."""

    def prepare(harness: Harness) -> None:
        if world.provider == "openstack":
            (cloud,) = harness.emulator.state.clouds
            (free,) = [group for group in cloud.groups if group.id == world.free]
            free.shared_with = ["0fd8f4e0000040008000000000000001"]

    return prepare


if __name__ == "__main__":
    for cloud in sys.argv[1:]:
        seen = observed(cloud)
        print(cloud, "observe", json.dumps(sorted(seen)))
        more = base(cloud)
        print(cloud, "base", json.dumps(sorted(more - seen)))
        for name in dict.fromkeys((*DELETES, *LAUNCHES)):
            print(cloud, name, json.dumps(sorted(of_remedy(cloud, name) - seen - more)))
