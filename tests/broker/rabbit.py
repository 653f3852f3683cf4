"""RabbitMQ on loopback, from the distribution's package, with the queues that oslo writes to."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sgguard.demo.processes import free_port
from tests.patience import Patience

EXCHANGE, QUEUE, DEAD = "openstack", "notifications.info", "dead"
_PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_START_S = 120.0


def why_not() -> str:
    """What is missing for a broker; nothing if none is."""
    if find_spec("pika") is None:
        return "pika is not installed"
    return "" if _PROGRAM.exists() else "no RabbitMQ here: apt-get install rabbitmq-server"


@contextmanager
def broker() -> Iterator[str]:
    """Run a broker with the exchange and the queues, and give its address."""
    folder = Path(tempfile.mkdtemp(prefix="sgguard-rabbit-"))
    port, mapper = free_port(), free_port()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),  # the cookie of its nodes
        "LANG": "C.UTF-8",
        "ERL_EPMD_PORT": str(mapper),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"sgguard{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
    }
    (folder / "plugins").write_text("[].")
    url = f"amqp://guest:guest@127.0.0.1:{port}/?heartbeat=0"
    # A node that finds no server of names starts one that outlives it: this one is ours.
    names = subprocess.Popen(
        ["epmd", "-port", str(mapper), "-address", "127.0.0.1"],
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [str(_PROGRAM)],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        _declare(url, process, folder)
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()
        names.kill()
        names.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _declare(url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    import pika  # noqa: PLC0415 - an extra
    from pika.exceptions import AMQPConnectionError  # noqa: PLC0415

    patience = Patience(_START_S)
    while True:
        try:
            connection = pika.BlockingConnection(pika.URLParameters(url))
            break
        except AMQPConnectionError:
            said = (folder / "said").read_text(errors="replace")[-2000:]
            assert process.poll() is None, said
            patience.require(said)
            time.sleep(0.5)
    channel = connection.channel()
    channel.exchange_declare(EXCHANGE, "topic", durable=True)
    channel.queue_declare(DEAD, durable=True)
    to_dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD}
    channel.queue_declare(QUEUE, durable=True, arguments=to_dead)
    channel.queue_bind(QUEUE, EXCHANGE, QUEUE)
    connection.close()


def publish(url: str, bodies: Iterable[bytes]) -> None:
    """Send bodies as oslo.messaging does: by routing key, persistent, without an id."""
    import pika  # noqa: PLC0415 - an extra

    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    properties = pika.BasicProperties(
        content_type="application/json", content_encoding="utf-8", delivery_mode=2, priority=0
    )
    for body in bodies:
        channel.basic_publish(EXCHANGE, QUEUE, body, properties, mandatory=True)
    connection.close()


def waiting(url: str, queue: str) -> int:
    """Return how many messages a queue has that nobody works on."""
    import pika  # noqa: PLC0415 - an extra

    connection = pika.BlockingConnection(pika.URLParameters(url))
    found = connection.channel().queue_declare(queue, passive=True).method.message_count
    connection.close()
    return int(found)


def drained(url: str, queue: str) -> list[tuple[bytes, Any]]:
    """Return every message of a queue: its body and its headers."""
    import pika  # noqa: PLC0415 - an extra

    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    found = []
    while (got := channel.basic_get(queue, auto_ack=True))[0] is not None:
        found.append((got[2], got[1].headers or {}))
    connection.close()
    return found
