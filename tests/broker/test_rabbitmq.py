"""OpenStack's notifications through RabbitMQ, in oslo's shape, while processes are killed."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sgguard import events
from sgguard.emulator.core import Emulator
from sgguard.emulator.server import serve
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import cloud_event
from sgguard.engine.context import Context
from sgguard.events import request
from sgguard.events.base import Kind
from sgguard.model.occurrence import Happened
from tests import stores
from tests.broker import cloud, rabbit, supervisor
from tests.callers import EVERYBODY
from tests.crash.scenarios import Setup
from tests.events.samples import About, made

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(rabbit.why_not()), reason=rabbit.why_not() or "there is a broker"),
]

INSTANCES = 24
KIND = Kind("cloud_event", "", cloud_event.TYPE, cloud_event.EVERYTHING)
BROKEN = b'{"oslo.version": "2.0", "oslo.message": "{"}'
ROOT = Path(__file__).resolve().parents[2]


def scene() -> tuple[Setup, str]:
    """Return a cloud, half of whose instances carry a group that the policy forbids."""
    setup = Setup.of("openstack")
    for n in range(INSTANCES):
        carried = [setup.world.free] + ([setup.spare] if n % 2 else [])
        setup.cloud["instances"].append({"id": instance(n), "name": f"server {n}"})
        setup.cloud["interfaces"].append(
            {"id": f"dddddddd-0000-4000-8000-{n:012d}", "instance": instance(n), "groups": carried}
        )
    policy = (
        f'mode = "enforce"\n[launch]\nremedies = ["unbind"]\nforbidden = ["{setup.spare}"]\n'
        f"{EVERYBODY}"
    )
    return setup, policy


def instance(number: int) -> str:
    return f"eeeeeeee-0000-4000-8000-{number:012d}"


def notifications(setup: Setup, count: int, at_s: int) -> list[bytes]:
    """Bindings of instances, changes and what concerns nobody, with duplicates and poison."""
    chance = random.Random(count)
    found: list[bytes] = []
    while len(found) < count:
        n = len(found)
        known = max(1, n * INSTANCES // count)
        about = About(
            setup.world.free,
            instance(chance.randrange(known)),
            "RegionOne",
            at_s,
            f"{chance.getrandbits(32):08x}-0000-4000-8000-{n:012d}",
        )
        draw = chance.random()
        if found and draw < 0.2:
            found.append(chance.choice(found[-100:]))
        elif draw < 0.22:
            found.append(BROKEN)
        else:
            kind = Happened.CHANGED if draw < 0.3 else Happened.BOUND
            found.append(json.dumps(made("openstack_oslo", kind, about)).encode())
    return found


def undisturbed(setup: Setup, env: dict[str, str], bodies: list[bytes]) -> tuple[set, Any]:
    """Return what is decided, and the cloud then, where nothing ever fails."""
    emulator = Emulator.load({"clouds": [setup.cloud]})
    env = env | {"SGGUARD_STORE": f"sqlite:///{env['HOME']}/undisturbed.db"}
    handler = cloud_event.handler(KIND.takes)
    for body in dict.fromkeys(bodies):
        if body == BROKEN:
            continue
        context = Context.from_env(env, transport=EmulatorTransport(emulator))
        delivery = events.read({"content-type": "application/json"}, body, KIND)
        asked = [(request.occurrence(one.data), one) for one in delivery.items]
        for done in handler(asked, context):
            assert not isinstance(done, Exception), done
    with sqlite3.connect(f"{env['HOME']}/undisturbed.db") as kept:
        query = "SELECT event_id, target_json, verdict, outcome FROM sgguard_decisions"
        return set(kept.execute(query)), emulator.state.dump()


@pytest.mark.parametrize(
    ("count", "kills"), [(120, 3), pytest.param(1000, 6, marks=pytest.mark.slow)]
)
def test_every_notification_is_judged_once_and_the_cloud_is_as_without_any_fault(
    count, kills, postgres_server, tmp_path
):
    setup, policy = scene()
    (tmp_path / "policy.toml").write_text(policy)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        **setup.world.env,
        "OS_REGION_NAME": "RegionOne",
        "SGGUARD_POLICY": str(tmp_path / "policy.toml"),
        "SGGUARD_DEADLINE_S": "4",
        "SGGUARD_LOG_LEVEL": "ERROR",
    }
    bodies = notifications(setup, count, int(time.time()) - 60)
    wanted, state = undisturbed(setup, env, bodies)
    assert {outcome for *_, outcome in wanted} >= {"remediated"}
    emulator = Emulator.load({"clouds": [setup.cloud]})
    with (
        stores.place("postgres", tmp_path, postgres_server) as place,
        serve(emulator) as api,
        rabbit.broker() as broker,
        cloud.decided(place.url) as rows,
    ):
        cloud.migrated(place.url)
        env |= {
            "OS_AUTH_URL": f"{api.url}/identity",
            "SGGUARD_ENDPOINT_OPENSTACK": api.url,
            "SGGUARD_STORE": place.url,
        }
        served = supervisor.function("cloud_event", env)
        notes = tmp_path / "notes"
        notes.touch()
        command = [sys.executable, "-m", "tests.broker.consumer", broker, rabbit.QUEUE]
        consumer = supervisor.Supervised([*command, str(notes), served.url], env)
        rabbit.publish(broker, bodies)
        with supervisor.running(served, consumer):
            supervisor.killing(
                [served, consumer], lambda: len(rows()), len(wanted), kills, seed=count
            )
            supervisor.until(
                lambda: (
                    len(notes.read_text().splitlines()) >= count
                    and not rabbit.waiting(broker, rabbit.QUEUE)
                ),
                "all is acknowledged",
            )
        dead = rabbit.drained(broker, rabbit.DEAD)
        found = rows()
    assert len(found) == len(set(found)) == len(wanted)
    assert set(found) == wanted
    assert emulator.state.dump() == state
    assert [body for body, _ in dead] == [BROKEN] * bodies.count(BROKEN)
    assert all(headers["x-death"][0]["reason"] == "rejected" for _, headers in dead)
    assert served.deaths + consumer.deaths == kills
