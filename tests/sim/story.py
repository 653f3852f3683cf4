"""A story as data: a cloud, policies, what workers do and when, and what happens to them.

Everything is plain JSON, so that a story can be printed, made smaller and kept as a test.
"""

from __future__ import annotations

import copy
import json
import pickle
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from sgguard.emulator.resource import Group, Instance, Interface, Rule
from sgguard.emulator.state import Cloud, State
from sgguard.policy.channel import ChannelPolicy, Route
from sgguard.policy.model import Policy
from sgguard.policy.read import build
from tests.crash.scenarios import added_group_id
from tests.false_verdicts.kinds import KINDS
from tests.false_verdicts.random_source import RandomSource
from tests.worlds import world_of

Json = dict[str, Any]


@dataclass
class Story:
    """One story.

    ``groups``: by name (``g0``…) its rules, each ``[direction, ports, peer]``; the peer is a
    group's name, or empty for an address. ``holders``: by name (``h0``…) the groups of an
    instance. ``policies``: by name; ``p0`` holds at the beginning. ``tasks``: what workers do,
    see :mod:`tests.sim.actors`; each has ``name``, ``kind``, ``at`` and ``mishaps``, a list of
    ``[points, number, what, seconds]``. ``latency_s`` are the seconds of one transaction and of
    one call; with ``jitter`` each takes a third to three times as long. ``shuffle``: calls that
    are sent side by side are sent in any order. ``end``: what becomes of open questions. ``kept``:
    what the version before left behind (:mod:`tests.sim.kept`); the story goes on from there.
    ``tells``: in the end the outbox is delivered, and what arrived is checked. ``binds``: who
    delivers goes on with binds and clicks as well, and brings them to their end before all else.
    ``limits``: how many ``groups`` a holder and ``holders`` a group may have, by the policy.
    ``ceilings`` are the same by the cloud, under its names; ``quirks`` are those of its emulator.
    """

    provider: str
    seed: str
    groups: dict[str, list[list[str]]] = field(default_factory=dict)
    holders: dict[str, list[str]] = field(default_factory=dict)
    policies: dict[str, Json] = field(default_factory=dict)
    tasks: list[Json] = field(default_factory=list)
    latency_s: tuple[float, float] = (0.002, 0.03)
    jitter: bool = True
    shuffle: bool = False
    deadline_s: float = 10.0
    account: str = ""
    end: str = "approve"
    restores: bool = False
    kept: str = ""
    tells: bool = False
    binds: bool = False
    limits: dict[str, int] = field(default_factory=dict)
    ceilings: dict[str, int] = field(default_factory=dict)
    quirks: Json = field(default_factory=dict)

    def to_json(self) -> str:
        """The story as a text that :func:`load` reads."""
        return json.dumps(asdict(self), indent=1)

    def copy(self) -> Story:
        """A story of its own, to be changed."""
        return copy.deepcopy(self)


def load(path: Path) -> Story:
    """Read a story that was kept."""
    raw = json.loads(path.read_text())
    return Story(**{**raw, "latency_s": tuple(raw["latency_s"])})


# -- who is who ------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def id_of(provider: str, name: str) -> str:
    """The id of a group (``g3``), an instance (``h1``) or its interface (``i1``) in that cloud."""
    if name[:1] == "g" and name[1:].isdigit():
        return added_group_id(provider, int(name[1:]))
    rng = RandomSource(f"sim {name}")
    kind = KINDS[provider]
    return kind.instance_id(rng) if name[:1] == "h" else kind.interface_id(rng)


@lru_cache(maxsize=8)
def _template(provider: str) -> tuple[bytes, Json]:
    """A cloud with nothing but its default group, pickled; and what groups and others are like."""
    world = world_of(provider)
    (raw,) = State.load(world.scenario).dump()["clouds"]
    found = {
        "group": next(one for one in raw["groups"] if one["id"] == world.free),
        "instance": next(one for one in raw["instances"] if one["id"] == world.server),
        "primary": next(one for one in raw["interfaces"] if one["instance"] == world.server),
    }
    default = [one for one in raw["groups"] if one["id"] == world.default]
    raw.update(groups=default, instances=[], interfaces=[], attachments=[])
    (cloud,) = State.load({"clouds": [raw]}).clouds
    return pickle.dumps(cloud), found


def state_of(story: Story) -> State:
    """The cloud at the beginning of the story."""
    pickled, found = _template(story.provider)
    group, instance, primary = found["group"], found["instance"], found["primary"]
    cloud: Cloud = pickle.loads(pickled)
    for name, rules in story.groups.items():
        group_id = id_of(story.provider, name)
        made = [_rule(story, name, n, rule) for n, rule in enumerate(rules)]
        cloud.groups.append(Group(**{**group, "id": group_id, "name": name, "rules": made}))
    for name, carried in story.holders.items():
        instance_id = id_of(story.provider, name)
        cloud.instances.append(Instance(**{**instance, "id": instance_id, "name": name}))
        ids = [id_of(story.provider, one) for one in carried]
        own = {"id": id_of(story.provider, f"i{name[1:]}"), "instance": instance_id, "groups": ids}
        cloud.interfaces.append(Interface(**{**primary, **own}))
    cloud.limits.update(story.ceilings)
    cloud.quirks.update(copy.deepcopy(story.quirks))
    return State([cloud])


def _rule(story: Story, owner: str, number: int, raw: list[str]) -> Rule:
    direction, ports, peer = raw
    return Rule(
        direction,
        f"0badc0de-0000-4000-8{int(owner[1:]):03d}-{number:012d}",
        ports=ports,
        cidr="" if peer else f"198.51.100.{number}/32",
        peer_group=id_of(story.provider, peer) if peer else "",
    )


# -- policies --------------------------------------------------------------------------------------


def policy_of(story: Story, name: str) -> Policy:
    """The policy of that name, as the product reads it."""
    raw = story.policies[name]
    delete: Json = {"remedies": raw.get("remedies", ["revoke"])}
    launch: Json = {"remedies": raw.get("launch_remedies", [])}
    for key, table in (
        ("replacement_group", delete),
        ("fallback_group", delete),
        ("quarantine_group", launch),
    ):
        if raw.get(key):
            table[key] = id_of(story.provider, raw[key])
    for key in ("baseline", "forbidden"):
        launch[key] = [id_of(story.provider, one) for one in raw.get(key, [])]
    built = build(
        {
            "mode": raw.get("mode", "enforce"),
            "halt": raw.get("halt", False),
            "delete": delete,
            "launch": launch,
            "caps": {
                "management_ports": raw.get("ports", [22]),
                "percent_of_rules": raw.get("percent", 100),
                "changes": raw.get("changes", 100),
                "holders": raw.get("most_holders", 100),
            },
            "limits": {story.provider: _limits(story)} if story.limits else {},
            "approval": {
                "approvers": raw.get("approvers", ["olga", "otto"]),
                "expires_s": raw.get("expires_s", 7200),
                "remind_s": 600,
            },
        }
    )
    # Every decision is told in a chat; nothing is sent, but the outbox has it.
    return replace(built, channels=(ChannelPolicy("room", "slack"),), routes=(Route(("room",)),))


def _limits(story: Story) -> dict[str, int]:
    names = {"groups": "groups-per-instance", "holders": "instances-per-group"}
    return {names[name]: most for name, most in story.limits.items()}
