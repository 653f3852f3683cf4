"""The emulator enforces the documented rate: nothing is throttled, and almost all of it is used."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from sgguard.emulator.server import serve
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine.context import Context
from tests.bind.simulated import Far
from tests.pace.binding import ACTION, LIMIT, WORLD, bind, bulk, emulator
from tests.pace.virtual import Time, crowded, processes

CALLS = 100
"""What binds 10,000 instances, a hundred a call."""


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.sampled(4)
def test_ten_thousand_instances_are_bound_at_the_ceiling_and_never_throttled(kept, count):
    time = Time()
    cloud = emulator(now=time.now)
    network = Far(EmulatorTransport(cloud), time)
    throttled: list[bool] = []
    left = iter(range(CALLS))

    def work(one):
        env = {**WORLD.env, "SGGUARD_ENDPOINT_TENCENT": "", "HOME": ""}
        context = Context.from_env(env, transport=network, now=time.now, clock=one.clock)
        mine = bulk_cloud(context, one)
        throttled.extend(bind(mine) for _ in left)

    def bulk_cloud(context, one):
        given = {"store": one.store, "lanes": one.lanes}
        return bulk(Context(**{**fields(context), **given}), 600.0)

    many = processes(time, kept, count)
    tasks = [time.spawn("bind", lambda one=one: work(one), 0.0) for one in many for _ in range(4)]
    time.run()
    assert [task.error for task in tasks if task.error] == []
    assert throttled == [False] * CALLS
    moments = [one.begun_s for one in cloud.requests if one.action == ACTION]
    assert not crowded(moments, LIMIT)
    turns = (max(moments) - min(moments)) * LIMIT + 1
    assert 0.95 * turns <= CALLS


def fields(context: Context) -> dict[str, object]:
    return {name: getattr(context, name) for name in Context.__struct_fields__}


@pytest.mark.slow
def test_four_processes_take_every_call_from_one_lane_and_are_never_throttled(kept):
    """Two thousand instances and more. What is asserted is counts: the test above has the rate.

    How late a busy machine sends a call is not ours to say: a fifth of the rate is left for that.
    """
    cloud, calls, threads, part = emulator(), 48, 3, 0.8
    with serve(cloud) as running:
        env = {
            **os.environ,
            **WORLD.env,
            "SGGUARD_ENDPOINT_TENCENT": running.url,
            "SGGUARD_STORE": kept.url,
            "SGGUARD_PACE": str(part),
        }
        kept.open_on_its_own_clock().now_s()  # its tables are there
        command = [sys.executable, "-m", "tests.pace.binding", str(calls // 4 * 2), str(threads)]
        children = [
            subprocess.Popen(
                command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
            for _ in range(4)
        ]
        for child in children:
            assert child.stdout.readline().strip() == "ready"
        for child in children:
            child.stdin.write("go\n")
            child.stdin.flush()
        throttled = [int(child.communicate(timeout=100)[0]) for child in children]
    sent = sum(one.action == ACTION for one in cloud.requests)
    assert throttled == [0, 0, 0, 0]
    assert sent == 4 * (calls // 4 * 2)
    # Each turn moves the next one on by at least a gap, whichever process takes it and when.
    [(due_s,)] = kept.open_on_its_own_clock()._database.autocommit(
        lambda session: session.rows(
            "SELECT due_s FROM sgguard_paces WHERE name LIKE :end", end=f"%{ACTION}"
        )
    )
    assert round(due_s * part * LIMIT, 6) >= sent
