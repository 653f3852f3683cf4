"""A consumer that posts each message of a queue to a function: ``URL QUEUE NOTES FUNCTION…``.

It acknowledges after 2xx, repeats what ``rules`` says is repeated, and rejects the rest, which the
broker dead-letters. It may be killed at any moment. ``NOTES`` is a file that gets a line for each
message that is done.
"""

from __future__ import annotations

import sys
import time
from itertools import count
from pathlib import Path
from threading import Thread

import httpx
import pika

from sgguard.demo.child import _end_with_parent
from tests.broker.rules import DeliverySpec, is_delivered, is_repeated, wait_s

SPEC = DeliverySpec()


def main() -> None:
    url, queue, notes, *functions = sys.argv[1:]
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    # One after another: a message that comes again comes before those behind it.
    channel.basic_qos(prefetch_count=1)
    turns = count()
    with httpx.Client(trust_env=False, timeout=20) as http, Path(notes).open("a") as done:
        for method, properties, body in channel.consume(queue):
            for attempt in count():
                status, headers = _sent(http, functions[next(turns) % len(functions)], body)
                is_over = attempt >= SPEC.retry or not is_repeated(status)
                if is_over or (status is not None and is_delivered(status)):
                    break
                time.sleep(wait_s(SPEC, attempt + 1, status, headers))
            del properties
            done.write(f"{status}\n")
            done.flush()
            if status is not None and is_delivered(status):
                channel.basic_ack(method.delivery_tag)
            else:
                channel.basic_reject(method.delivery_tag, requeue=False)


def _sent(http: httpx.Client, url: str, body: bytes) -> tuple[int | None, httpx.Headers]:
    try:
        answer = http.post(url, content=body, headers={"content-type": "application/json"})
    except httpx.TransportError:
        return None, httpx.Headers()
    return answer.status_code, answer.headers


if __name__ == "__main__":
    # Nobody is left to end it where the test itself was ended.
    Thread(target=_end_with_parent, daemon=True).start()
    main()
