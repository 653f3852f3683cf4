"""Sixteen processes and a store that is stopped five times: one answer and one effect per event."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.server import serve
from sgguard.engine.context import Context
from sgguard.operations import resume
from tests import postgres
from tests.crash.outage_workers import deliver
from tests.crash.scenarios import added_group_id
from tests.deployment import CLOUDS, environment
from tests.patience import Patience
from tests.worlds import world_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PROCESSES = 16
EVENTS = 6
OUTAGES = 5
WATCHDOG_S = 200
POLICY = """
mode = "enforce"
[delete]
remedies = ["revoke"]
[caps]
management_ports = []
"""


def going(cloud, number):
    return added_group_id(cloud, 100 + number)


def referring(cloud, number):
    return added_group_id(cloud, 200 + number)


def rule(cloud, number, ports, **peer):
    return {
        "id": f"0badc0de-0000-4000-8000-{number:04d}{int(ports):08d}",
        "direction": "ingress",
        "protocol": "tcp",
        "ports": ports,
        **peer,
    }


def clouds():
    """Every small world, with a group to delete per event and one that names it and stays.

    The rule that names it is the first of three: one that is revoked twice by its position takes
    another one with it.
    """
    found = []
    for cloud in CLOUDS:
        (made,) = (c for c in world_of(cloud).scenario["clouds"] if c["provider"] == cloud)
        made = copy.deepcopy(made)
        like = {"name": ""}
        for number in range(EVENTS):
            made["groups"].append({**like, "id": going(cloud, number), "name": f"going-{number}"})
            rules = [
                rule(cloud, number, "443", peer_group=going(cloud, number)),
                rule(cloud, number, "80", cidr="10.0.0.0/8"),
                rule(cloud, number, "81", cidr="10.1.0.0/16"),
            ]
            made["groups"].append(
                {**like, "id": referring(cloud, number), "name": f"stays-{number}", "rules": rules}
            )
        found.append(made)
    return found


@pytest.fixture
def server():
    if missing := postgres.why_not():
        pytest.skip(missing)
    with postgres.server("-c fsync=off -c max_connections=300") as own:
        yield own


def answered(folder):
    path = folder / "answers"
    return path.read_text().splitlines() if path.exists() else []


def stop_and_start(server, folder, process):
    """Stop the store and start it again, five times, each time after some more answers."""
    total = PROCESSES * EVENTS * len(CLOUDS)
    patience = Patience(WATCHDOG_S)
    for number in range(OUTAGES):
        wanted = total * number // (2 * OUTAGES) + 1
        while len(answered(folder)) < wanted and process.poll() is None:
            patience.require(f"{wanted} answers, {len(answered(folder))} came")
            time.sleep(0.02)
        assert process.poll() is None, "the workers ended before the last outage"
        server.end("immediate" if number % 2 else "fast")
        server.begin()


def test_every_event_has_one_answer_and_after_resume_one_effect(server, tmp_path):
    emulator = Emulator.load({"clouds": clouds()})
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    with serve(emulator) as running:
        env = environment(running.url, SGGUARD_STORE=server.url(), SGGUARD_POLICY=str(policy))
        env |= {"SGGUARD_PACE": "1000", "SGGUARD_DEADLINE_S": "4"}
        events = {
            f"{cloud}-{number}": f"{cloud}::{world_of(cloud).region}:{going(cloud, number)}"
            for cloud in CLOUDS
            for number in range(EVENTS)
        }
        (tmp_path / "job.json").write_text(json.dumps({"env": env, "events": events}))
        command = [sys.executable, "-m", "tests.crash.outage_workers", str(tmp_path)]
        with (tmp_path / "said").open("w+") as said:
            process = subprocess.Popen(
                [*command, str(PROCESSES)],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}"},
                stdout=said,
                stderr=said,
            )
            try:
                stop_and_start(server, tmp_path, process)
                process.wait(WATCHDOG_S)
            finally:
                process.kill()
            said.seek(0)
            assert process.returncode == 0, said.read()[-4000:]
        context = Context.from_env(env)
        for one in resume.unresolved(context):
            resume.resume(one.decision_id, Context.from_env(env))
        require_one_answer(tmp_path, events, env)
        require_one_effect(emulator)


def require_one_answer(folder, events, env):
    told: dict[str, set[str]] = {}
    for line in answered(folder):
        one = json.loads(line)
        told.setdefault(one["event"], set()).add(json.dumps(one["document"], sort_keys=True))
    assert set(told) == set(events)
    for event_id, documents in told.items():
        documents.add(json.dumps(deliver(event_id, events[event_id], env), sort_keys=True))
        assert len(documents) == 1, (event_id, documents)
        assert json.loads(next(iter(documents)))["outcome"] == "remediated"
    count = Counter(json.loads(line)["event"] for line in answered(folder))
    assert set(count.values()) == {PROCESSES}


def require_one_effect(emulator):
    for cloud in emulator.state.clouds:
        groups = {group.id: group for group in cloud.groups}
        for number in range(EVENTS):
            assert going(cloud.provider, number) not in groups
            left = groups[referring(cloud.provider, number)].rules
            assert sorted(one.ports for one in left) == ["80", "81"], cloud.provider
