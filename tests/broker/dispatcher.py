"""A dispatcher as Knative has it, a process that may be killed at any moment.

``python -m tests.broker.dispatcher BROKER TOPIC GROUP PARTITIONS URL…``: each partition is
delivered in order by a thread of its own; what was delivered or dead-lettered is committed then.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from itertools import count
from threading import Thread
from typing import Any

import httpx
from confluent_kafka import Consumer, Producer, TopicPartition

from sgguard.demo.child import _end_with_parent
from tests.broker.rules import DeliverySpec, is_delivered, is_repeated, wait_s

SPEC = DeliverySpec()
REPLIES, DEAD = "replies", "dead"
_ATTRIBUTE = "ce_"


def to_http(headers: Mapping[str, bytes]) -> dict[str, str]:
    """Return the headers of a record as those of a request (Kafka binding to HTTP binding)."""
    found = {name: value.decode() for name, value in headers.items()}
    return {
        (f"ce-{name.removeprefix(_ATTRIBUTE)}" if name.startswith(_ATTRIBUTE) else name): value
        for name, value in found.items()
    }


class Partition:
    """One partition, delivered in order."""

    def __init__(self, broker: str, topic: str, group: str, number: int, urls: list[str]) -> None:
        self.consumer = Consumer(
            {
                "bootstrap.servers": broker,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )
        self.at = TopicPartition(topic, number)
        self.producer = Producer({"bootstrap.servers": broker, "acks": "all"})
        self.http = httpx.Client(trust_env=False, timeout=20)
        self.urls = urls
        self.turns = count(number)

    def run(self) -> None:
        (stored,) = self.consumer.committed([self.at], timeout=20)
        self.at.offset = max(stored.offset, 0)
        self.consumer.assign([self.at])
        while True:
            record = self.consumer.poll(1.0)
            if record is None or record.error():
                continue
            self.deliver(record)
            self.consumer.commit(message=record, asynchronous=False)

    def deliver(self, record: Any) -> None:
        headers = dict(record.headers() or ())
        asked = to_http(headers)
        for attempt in count():
            status, told, reply = self.send(asked, record.value())
            if status is not None and is_delivered(status):
                # A body that is an event is a reply, and goes back to the broker.
                if "ce-id" in told:
                    given = {f"ce_{n[3:]}": v.encode() for n, v in told.items() if n[:3] == "ce-"}
                    self.put(REPLIES, record, reply, given | {"for": headers["ce_id"]})
                return
            if not is_repeated(status) or attempt >= SPEC.retry:
                why = {"knativeerrorcode": str(status).encode(), "knativeerrordata": reply[:1024]}
                self.put(DEAD, record, record.value(), headers | why)
                return
            time.sleep(wait_s(SPEC, attempt + 1, status, told))

    def send(self, headers: dict[str, str], body: bytes) -> tuple[int | None, Any, bytes]:
        url = self.urls[next(self.turns) % len(self.urls)]
        try:
            answer = self.http.post(url, content=body, headers=headers)
        except httpx.TransportError:
            return None, {}, b""
        return answer.status_code, answer.headers, answer.content

    def put(self, topic: str, record: Any, value: bytes, headers: dict[str, bytes]) -> None:
        self.producer.produce(topic, value, record.key(), headers=list(headers.items()))
        assert self.producer.flush(20) == 0


def main() -> None:
    broker, topic, group, partitions, *urls = sys.argv[1:]
    threads = [
        Thread(target=Partition(broker, topic, group, number, urls).run)
        for number in range(int(partitions))
    ]
    for one in threads:
        one.start()


if __name__ == "__main__":
    # Nobody is left to end it where the test itself was ended.
    Thread(target=_end_with_parent, daemon=True).start()
    main()
