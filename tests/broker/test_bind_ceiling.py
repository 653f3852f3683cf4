"""Ten thousand instances, four consumers of a Kafka-compatible broker: the rate is used whole.

The broker is real and on loopback; the time of cloud, store and functions is simulated, for a busy
machine must not count. A consumer is a process that delivers a partition in its order, as
Knative's dispatcher does; keys are such that each bind has a partition of its own. Functions have
ten seconds, and hand the rest on to ``K_SINK``, from where it comes back through the broker.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any
from zlib import crc32

import pytest
from msgspec.structs import replace

from sgguard.engine.bind_target import REST_TYPE
from sgguard.errors import SgguardError
from sgguard.events.bind import bind_event
from sgguard.model.event import Event
from tests.bind.simulated import SCOPE, Crowd, finished
from tests.bind.test_ceiling import OF_THE_CEILING
from tests.broker import kafka
from tests.broker.test_bind_kafka import ingress, record
from tests.pace.virtual import Process, Time, processes, threads_in

pytestmark = [
    pytest.mark.interop,
    pytest.mark.slow,
    pytest.mark.skipif(bool(kafka.why_not()), reason=kafka.why_not() or "there is a broker"),
]

EVENTS, EACH, CONSUMERS, PARTITIONS = 4, 2500, 4, 4
TOPIC = "binds"
POLL_S = 0.05
_NUMBERS = count()


@dataclass
class Consumer:
    """One partition, delivered in order to one process; what was delivered is committed."""

    crowd: Crowd
    process: Process
    sink: str
    number: int
    client: Any
    ended: set[str]
    delivered: int = 0

    def run(self) -> None:
        """Deliver until every bind has ended."""
        while len(self.ended) < EVENTS:
            found = self.client.poll(0.001)
            self.crowd.time.wait(POLL_S)
            if found is None:
                continue
            assert found.error() is None, found.error()
            self.deliver(found)
            self.client.commit(message=found, asynchronous=False)
            self.delivered += 1

    def deliver(self, found: Any) -> None:
        headers = {name: value.decode() for name, value in found.headers()}
        data = json.loads(found.value())
        event = Event(headers["ce_id"], data, headers["ce_source"])
        while True:
            context = self.crowd.context(self.process, 10.0, K_SINK=self.sink)
            context = replace(context, new_id=partial(keyed, "decision", self.number))
            done = self.crowd.deliver(bind_event(data), event, context)
            if not isinstance(done, SgguardError):
                break
            # 409, 429 and 503 are delivered again.
            self.crowd.time.wait(done.retry_after_s or 0.2)
        if done["outcome"] == "remediated":
            self.ended.add(done["decision_id"])


def client_of(broker: str, number: int) -> Any:
    """A client that reads one partition from its beginning."""
    from confluent_kafka import Consumer as Client  # noqa: PLC0415 - an extra
    from confluent_kafka import TopicPartition  # noqa: PLC0415

    made = Client({"bootstrap.servers": broker, "group.id": "guard", "enable.auto.commit": False})
    made.assign([TopicPartition(TOPIC, number, 0)])
    return made


def keyed(name: str, number: int) -> str:
    """A text that is new each time, and whose key leads to that partition."""
    return next(
        text
        for text in (f"{name}-{n}" for n in _NUMBERS)
        if crc32(text.encode()) % PARTITIONS == number
    )


def asked(crowd: Crowd, number: int, group_id: str) -> tuple[bytes, bytes, kafka.Headers]:
    headers = {"ce-id": f"bind-{number}", "ce-source": "/portal", "ce-type": REST_TYPE}
    headers |= {"ce-specversion": "1.0", "ce-partitionkey": keyed(group_id, number)}
    data = {"group": f"{SCOPE}:{group_id}", "holders": crowd.wanted[group_id]}
    return record(headers, json.dumps(data).encode())


def test_four_consumers_of_a_broker_bind_ten_thousand_at_the_ceiling(kept, tmp_path):
    time, taken, ended = Time(), [], set()
    crowd = Crowd(time, tmp_path, EVENTS, EACH)
    made = processes(time, kept, CONSUMERS)
    with kafka.broker({TOPIC: PARTITIONS}) as broker, ingress(broker, taken) as sink:
        kafka.produce(broker, TOPIC, [asked(crowd, n, one) for n, one in enumerate(crowd.wanted)])
        clients = [client_of(broker, number) for number in range(PARTITIONS)]
        consumers = [
            Consumer(crowd, made[n % CONSUMERS], sink, n, one, ended)
            for n, one in enumerate(clients)
        ]
        with threads_in(time):
            finished(time, {f"partition {one.number}": one.run for one in consumers})
        for one in clients:
            one.close()
    crowd.require_whole()
    assert len(crowd.moments()) == EVENTS * EACH // 100
    # The rest of every bind came back through the broker, at least once.
    assert taken.count(REST_TYPE) >= EVENTS
    assert sum(one.delivered for one in consumers) >= 2 * EVENTS
    part = crowd.part_of_the_ceiling()
    print(f"{len(crowd.moments())} calls, {taken.count(REST_TYPE)} handed on, {part:.1%}")
    assert part >= OF_THE_CEILING
