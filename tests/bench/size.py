"""A large account in the emulator: what one check of it asks, and what the asking process holds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, replace

from sgguard.emulator.core import Emulator
from sgguard.emulator.server import serve
from sgguard.emulator.state import Cloud, Group, Rule
from tests.bench.clouds import environment
from tests.worlds import World

GROUPS, RULES, INSTANCES = 2_000, 100, 10_000
CARRIED = 20
"""How many instances carry the group that is checked as a bound one."""


def large(world: World) -> Emulator:
    """The world, with so many more groups, rules and instances around its cast."""
    emulator = world.emulator()
    cloud = emulator.state.clouds[0]
    ids = [_renumbered(world.free, number) for number in range(GROUPS)]
    template = cloud.group(world.free)
    assert template is not None
    cloud.groups += [_group(template, group_id, ids) for group_id in ids]
    _populate(cloud, world, ids)
    return emulator


def naming_each_other(world: World, number: int, each: int) -> tuple[Emulator, list[str]]:
    """The world with so many more groups, each of which names ``each`` of the next ones."""
    emulator = world.emulator()
    cloud = emulator.state.clouds[0]
    template = cloud.group(world.free)
    assert template is not None
    ids = [_renumbered(world.free, place) for place in range(number)]
    for place, group_id in enumerate(ids):
        peers = [ids[(place + step) % number] for step in range(1, each + 1)]
        rules = [
            Rule(
                direction="ingress",
                id=_rule_id(template, group_id, step),
                ports=str(1000 + step),
                peer_group=peer,
                priority=1 + step,
            )
            for step, peer in enumerate(peers)
        ]
        cloud.groups.append(replace(template, id=group_id, name=f"set {group_id}", rules=rules))
    return emulator, ids


def _group(template: Group, group_id: str, ids: list[str]) -> Group:
    """A group full of rules; one in twenty names the next group."""
    following = ids[(ids.index(group_id) + 1) % len(ids)]
    rules = [
        Rule(
            direction="egress" if number % 2 else "ingress",
            id=_rule_id(template, group_id, number),
            ports=str(1000 + number),
            cidr="" if number % 20 == 0 else f"10.{number}.0.0/16",
            peer_group=following if number % 20 == 0 else "",
            priority=1 + number,
        )
        for number in range(RULES)
    ]
    return replace(template, id=group_id, name=f"team {group_id}", rules=rules)


def _rule_id(template: Group, group_id: str, number: int) -> str:
    if "-" in group_id[4:]:  # a UUID, which the rule's id then is as well
        return f"{group_id[:8]}-{number:04x}-4aaa-8aaa-{group_id[-12:]}"
    return f"{template.id[:3]}r-{group_id[3:]}{number:03d}"


def _populate(cloud: Cloud, world: World, ids: list[str]) -> None:
    primary = next(i for i in cloud.interfaces if i.instance == world.server)
    server = cloud.instance(world.server)
    assert server is not None
    for number in range(INSTANCES):
        instance = replace(server, id=_renumbered(world.server, number))
        groups = [world.bound] if number < CARRIED else [ids[number % len(ids)]]
        cloud.instances.append(instance)
        cloud.interfaces.append(
            replace(
                primary,
                id=_renumbered(primary.id, number),
                instance=instance.id,
                groups=groups,
                kind="primary",
            )
        )


def _renumbered(text: str, number: int) -> str:
    """An id of the same form that is none of the cast's."""
    return f"{text[:-6]}e{number:05d}"


# What the process itself held at most: ru_maxrss would count what its parent held before exec.
_ASK = """
import sys
from pathlib import Path
from sgguard.cli import main
try:
    main()
finally:
    print(Path("/proc/self/status").read_text(), file=sys.stderr)
"""


@dataclass(frozen=True)
class Check:
    """What one ``sgguard check delete`` did: calls by action, and the most memory it held."""

    verdict: str
    calls: dict[str, int]
    memory_mb: float


def check(world: World, emulator: Emulator, *group_ids: str) -> Check:
    """Run the command in a process of its own against the emulator."""
    emulator.requests.clear()
    addresses = [f"{world.provider}::{world.region}:{group_id}" for group_id in group_ids]
    command = [sys.executable, "-c", _ASK, "check", "delete", "--json", *addresses]
    with serve(emulator) as running:
        env = {"PATH": os.environ["PATH"], **environment(world, running.url)}
        env["SGGUARD_DEADLINE_S"] = "600"
        ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    held_kb = re.search(r"^VmHWM:\s+(\d+) kB$", ended.stderr, re.MULTILINE)
    assert held_kb is not None, ended.stderr[:500]
    assert ended.stdout, ended.stderr[:500]
    calls = Counter(request.action for request in emulator.requests)
    return Check(json.loads(ended.stdout)["verdict"], dict(calls), int(held_kb[1]) / 1024)
