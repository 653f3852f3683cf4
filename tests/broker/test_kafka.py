"""Events through a Kafka-compatible broker and Knative's rules, while processes are killed."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sgguard.emulator.server import serve
from tests import stores
from tests.broker import cloud, kafka, rules, supervisor

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(bool(kafka.why_not()), reason=kafka.why_not() or "there is a broker"),
]

PARTITIONS = 6
TOPIC, GROUP = "requests", "guard"
ROOT = Path(__file__).resolve().parents[2]


def record(one: cloud.Sent) -> tuple[bytes, bytes, kafka.Headers]:
    """An event in the Kafka binding's binary mode; events about a group have one key."""
    headers = [(f"ce_{name}", value.encode()) for name, value in one.attributes.items()]
    headers.append(("content-type", b"application/json"))
    return one.group.encode(), json.dumps(one.data).encode(), headers


def environment(made: cloud.Scene, url: str, store: str, policy: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {
        **kept,
        **made.setup.world.env,
        "OS_AUTH_URL": f"{url}/identity",
        "SGGUARD_ENDPOINT_OPENSTACK": url,
        "SGGUARD_STORE": store,
        "SGGUARD_POLICY": str(policy),
        "SGGUARD_DEADLINE_S": "4",
        "SGGUARD_LOG_LEVEL": "ERROR",
        "PYTHONPATH": str(ROOT),
    }


@pytest.mark.parametrize(
    ("count", "kills"), [(400, 3), pytest.param(10_000, 12, marks=pytest.mark.slow)]
)
def test_every_event_is_decided_once_and_the_cloud_is_as_without_any_fault(
    count, kills, postgres_server, tmp_path
):
    made = cloud.scene()
    now = datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds")
    sent, poison = cloud.events(made, count, seed=count, at=now)
    wanted, state = cloud.undisturbed(made, sent, tmp_path)
    emulator = made.emulator()
    with (
        stores.place("postgres", tmp_path, postgres_server) as place,
        serve(emulator) as api,
        kafka.broker({TOPIC: PARTITIONS, "replies": PARTITIONS, "dead": 1}) as broker,
        cloud.decided(place.url) as rows,
    ):
        cloud.migrated(place.url)
        env = environment(made, api.url, place.url, tmp_path / "policy.toml")
        served = [supervisor.function("delete_request", env) for _ in range(2)]
        command = [sys.executable, "-m", "tests.broker.dispatcher", broker, TOPIC, GROUP]
        command += [str(PARTITIONS), *(one.url for one in served)]
        dispatcher = supervisor.Supervised(command, env)
        ends = kafka.produce(broker, TOPIC, map(record, sent))
        with supervisor.running(*served, dispatcher):
            supervisor.killing(
                [*served, dispatcher], lambda: len(rows()), len(wanted), kills, seed=count
            )
            supervisor.until(lambda: not kafka.left(broker, TOPIC, GROUP, ends), "all is committed")
        found = {event: (json.loads(target)[0], *rest) for event, target, *rest in rows()}
        assert len(rows()) == len(found) == len(wanted)
        assert found == wanted
        assert emulator.state.dump() == state
        check_what_was_told(broker, sent, poison)
    assert sum(one.deaths for one in [*served, dispatcher]) == kills


def check_what_was_told(broker: str, sent: list[cloud.Sent], poison: list[str]) -> None:
    """Each delivery of an event has the same decision; what is no request is a dead letter."""
    replies: dict[str, set[str]] = {}
    told: Counter[str] = Counter()
    for _, value, headers in kafka.consumed(broker, "replies", PARTITIONS):
        event_id = headers["for"].decode()
        told[event_id] += 1
        document: dict[str, Any] = json.loads(value)
        assert document["event_id"] == event_id
        replies.setdefault(event_id, set()).add(document["decision_id"])
    deliveries = Counter(one.event_id for one in sent)
    # At least once: who dies between a reply and its commit delivers again.
    assert all(told[one] >= count for one, count in deliveries.items() if one not in poison)
    assert all(len(ids) == 1 for ids in replies.values())
    assert not replies.keys() & set(poison)
    dead = Counter(h["ce_id"].decode() for _, _, h in kafka.consumed(broker, "dead", 1))
    assert set(dead) == set(poison)
    assert all(dead[one] >= deliveries[one] for one in poison)


@pytest.mark.parametrize(
    ("status", "is_again"),
    [
        *((None, True), (404, True), (408, True), (409, True), (429, True), (500, True)),
        *((503, True), (400, False), (401, False), (403, False), (413, False), (415, False)),
        *((422, False), (301, False), (202, False)),
    ],
)
def test_the_dispatcher_repeats_what_knative_repeats(status, is_again):
    assert rules.is_repeated(status) is is_again


def test_the_dispatcher_waits_as_knative_does():
    spec = rules.DeliverySpec(backoff_delay_s=1.0, retry_after_max_s=30.0)
    assert [rules.wait_s(spec, n, 500, {}) for n in (1, 2, 3)] == [2, 4, 8]
    linear = rules.DeliverySpec(backoff_policy="linear", backoff_delay_s=1.0)
    assert [rules.wait_s(linear, n, 409, {"retry-after": "60"}) for n in (1, 2, 3)] == [1, 2, 3]
    assert rules.wait_s(spec, 1, 503, {"retry-after": "20"}) == 20
    assert rules.wait_s(spec, 1, 429, {"retry-after": "600"}) == 30
