"""Processes that are killed at random moments: the final state is exact, the report complete.

``python -m tests.bind.test_killed 100`` makes a hundred runs, over all providers in turn.
"""

from __future__ import annotations

import copy
import json
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from sgguard.clouds import names
from sgguard.emulator.core import Emulator
from sgguard.emulator.server import serve
from sgguard.store import open_store
from sgguard.store.rows import Query
from tests.bind.killed import Workers, workers
from tests.callers import EVERYBODY
from tests.remedy.harness import Harness
from tests.worlds import world_of

HOLDERS = 12
KILLS = 3
_DIGITS = 8


def cloud_of(provider: str, folder: Path, count: int = HOLDERS) -> tuple[Harness, list[str]]:
    """A cloud with more servers like its first one; return their ids."""
    cloud = Harness(world_of(provider), folder)
    (state,) = cloud.emulator.state.clouds
    first = next(one for one in state.instances if one.id == cloud.world.server)
    own = [one for one in state.interfaces if one.instance == first.id]
    added = []
    for number in range(count):
        server = copy.deepcopy(first)
        server.id = numbered(first.id, 5000 + number)
        state.instances.append(server)
        for place, nic in enumerate(own):
            like = copy.deepcopy(nic)
            like.id, like.instance = numbered(nic.id, 1000 * (place + 6) + number), server.id
            state.interfaces.append(like)
        added.append(server.id)
    return cloud, added


def numbered(like: str, number: int) -> str:
    """An id of the same form."""
    return f"{like[:-_DIGITS]}{number:0{_DIGITS}d}"


def run(provider: str, folder: Path, pool: Workers, seed: int) -> int:
    """Kill some workers of one bind, then let it be ended; return how many were killed."""
    chance = random.Random(f"{provider} {seed}")
    cloud, servers = cloud_of(provider, folder)
    emulator = Emulator(cloud.emulator.state)
    world, action = cloud.world, chance.choice(["bind", "unbind"])
    (state,) = emulator.state.clouds
    if action == "unbind":
        for nic in state.interfaces:
            if nic.instance in servers:
                nic.groups = [*nic.groups, world.free]
    if provider.startswith("tencent"):
        state.quirks["binds_at_most"] = 3
    data = {
        "action": action,
        "group": f"{provider}::{world.region}:{world.free}",
        "holders": servers,
    }
    policy = folder / "killed.toml"
    policy.write_text(f'mode = "enforce"\n{EVERYBODY}')
    killed, ahead_s = 0, 0.0
    with serve(emulator) as api:
        env = {**world.env, f"SGGUARD_ENDPOINT_{provider.upper().replace('-', '_')}": api.url}
        if provider == "openstack":
            env["OS_AUTH_URL"] = f"{api.url}/identity"
        env["SGGUARD_POLICY"] = str(policy)
        store = f"sqlite:///{folder / 'killed.db'}"
        job = {"env": env, "store": store, "data": data, "how": "event", "ahead_s": 0.0}
        for _ in range(KILLS):
            # Most moments are early: a bind of so few is over in a second.
            done = pool.run(job, kill_after_s=chance.uniform(0.03, 0.45))
            if done is not None and job["how"] == "event":
                break
            killed += done is None
            ahead_s += 1000.0
            job |= {"ahead_s": ahead_s, "how": chance.choice(["event", "resume", "outbox"])}
        job |= {"ahead_s": ahead_s + 1000.0}
        if chance.random() < 0.5:
            pool.run({**job, "how": chance.choice(["resume", "outbox"])})
        told = pool.run({**job, "how": "event", "ahead_s": ahead_s + 2000.0})
    assert told is not None
    require_exact(told, action, servers, emulator, world.free)
    require_kept(store, told, servers)
    return killed


def require_exact(told, action, servers, emulator, group_id) -> None:
    (state,) = emulator.state.clouds
    for nic in state.interfaces:
        if nic.instance in servers:
            assert nic.groups.count(group_id) == (action == "bind"), (nic.id, nic.groups)
    rows = {one["holder"]: one["status"] for one in told["bind"]["rows"]}
    assert set(rows) == set(servers)
    assert set(rows.values()) <= {"done", "nothing"}, rows


def require_kept(store: str, told, servers) -> None:
    """Nothing is open, nothing waits, and the journal says of each holder once that it was done."""
    kept = open_store(store)
    try:
        assert kept.open_runs() == ()
        [record] = kept.decisions(Query())
        assert json.loads(record.document_json)["bind"] == told["bind"]
        assert [one.state for one in kept.notices()] in ([], ["dropped"], ["delivered"])
        done: Counter[str] = Counter()
        for entry in kept.entries(record.decision_id):
            note = json.loads(entry.note or "{}")
            named = {*note.get("results", {}), *note.get("again", ())}
            if entry.state == "done":
                done.update(set(json.loads(entry.change_json)["holders"]) - named)
        assert set(done.values()) <= {1}
        assert set(done) == {
            one["holder"] for one in told["bind"]["rows"] if one["status"] == "done"
        }
    finally:
        kept.close()


@pytest.mark.slow
def test_a_process_that_is_killed_at_any_moment_loses_and_doubles_nothing(tmp_path):
    killed = 0
    with workers() as pool:
        for provider in names():
            folder = tmp_path / provider
            folder.mkdir()
            killed += run(provider, folder, pool, 0)
    assert killed


def main(count: int) -> None:
    """Make so many runs, over all providers in turn, and print how many workers were killed."""
    killed: Counter[str] = Counter()
    with workers() as pool:
        for number in range(count):
            provider = names()[number % len(names())]
            with tempfile.TemporaryDirectory() as folder:
                killed[provider] += run(provider, Path(folder), pool, 1000 + number)
    print(f"{count} runs, killed: {dict(killed)}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
