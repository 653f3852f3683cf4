"""One run of deliveries against deployed functions, and what came of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.load.scene import POLICY, RULES, Scene, Weather

Json = dict[str, Any]
VERDICTS = {
    "free": ("allow", "left-to-caller"),
    "referenced": ("remediate", "unchanged"),
    "carried": ("block", "unchanged"),
}


@dataclass(frozen=True)
class Load:
    """How much is sent, and for how long."""

    seconds: float = 30.0
    senders: int = 200
    twice: float = 10.0


@dataclass
class Found:
    """Every delivery's answer, and what the store has kept."""

    lines: list[Json]
    rows: list[tuple[str, str, str, str]]
    flaws: list[str] = field(default_factory=list)

    def times_ms(self) -> tuple[float, float]:
        """The median and the 99th percentile of one answer."""
        ordered = sorted(line["ms"] for line in self.lines)
        return ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]


def environment(made: Scene, url: str, store: str, folder: Path, **more: str) -> dict[str, str]:
    """The environment of a deployed function of this scene."""
    policy = folder / "policy.toml"
    policy.write_text(POLICY)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {
        **kept,
        **made.setup.world.env,
        "OS_AUTH_URL": f"{url}/identity",
        "SGGUARD_ENDPOINT_OPENSTACK": url,
        "SGGUARD_STORE": store,
        "SGGUARD_POLICY": str(policy),
        "SGGUARD_DEADLINE_S": "45",
        "SGGUARD_PACE": "100",
        "SGGUARD_LOG_LEVEL": "ERROR",
        "WORKERS": "2",
        "THREADS": "100",
        **more,
    }


def send(
    made: Scene, urls: Sequence[str], load: Load, meanwhile: Callable[[], None] = lambda: None
) -> list[Json]:
    """Send the deliveries from a process of its own, do something meanwhile, return the answers."""
    judged = [one for kind in VERDICTS for one in made.groups[kind]]
    wishes = {
        "urls": list(urls),
        "targets": [made.address(one) for one in judged],
        "once": [made.address(one) for one in made.groups["revoked"]],
        "seconds": load.seconds,
        "senders": load.senders,
        "twice": load.twice,
        "seed": 7,
        "at": datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds"),
    }
    # Into a file: a pipe that nobody reads meanwhile would be full after some hundred answers, and
    # all senders would wait for it.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.load.sender"],
            stdin=subprocess.PIPE,
            stdout=said,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(wishes))
        process.stdin.close()
        try:
            meanwhile()
            process.wait(timeout=load.seconds + 600)
        finally:
            process.kill()
            process.wait()
        said.seek(0)
        return [json.loads(line) for line in said]


def flaws(made: Scene, cloud: Weather, found: Found) -> list[str]:
    """Return everything that is wrong, lost or doubled; nothing where all is as it should be."""
    kind_of = {made.address(one): kind for kind, ids in made.groups.items() for one in ids}
    wrong = [f"not answered: {line}" for line in found.lines if line["status"] != 200]
    # 1. Each event has one decision, and each of its deliveries was told that one.
    kept = Counter(event for event, *_ in found.rows)
    wrong += [f"{event} has {n} decisions" for event, n in kept.items() if n != 1]
    told: dict[str, set[str]] = {}
    for line in found.lines:
        told.setdefault(line["event"], set()).add(str(line.get("decision_id")))
    wrong += [f"{event} was told {ids}" for event, ids in told.items() if len(ids) != 1]
    wrong += [f"{event} is lost" for event in told.keys() - kept.keys()]
    # 2. Each verdict is the one of its group, whoever was asked and whatever failed meanwhile.
    state = cloud.state.clouds[0]
    for event, target, verdict, outcome in found.rows:
        (address,) = json.loads(target)
        kind = kind_of[address]
        if kind != "revoked":
            if (verdict, outcome) != VERDICTS[kind]:
                wrong.append(f"{event}: a {kind} group is {verdict} {outcome}")
            continue
        # 3. What was to be changed was changed as a whole or not at all, as the decision says.
        left = len(state.references(address.rpartition(":")[2]))
        if {"remediated": 0, "undone": RULES}.get(outcome) != left:
            wrong.append(f"{event}: {verdict} {outcome}, and {left} rules are left")
    # 4. Nothing else was touched.
    for kind, rules in (("free", 0), ("referenced", RULES)):
        for group_id in made.groups[kind]:
            if state.group(group_id) is None or len(state.references(group_id)) != rules:
                wrong.append(f"a {kind} group was changed: {group_id}")
    return wrong
