"""A thousand callbacks, a receiver that fails, and senders that are killed: none is lost."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

import pytest

from sgguard.store import open_store
from sgguard.store.notices import Notice, Telling
from tests.patience import Patience
from tests.stores import a_record
from tests.webhooks.test_send import NEW
from tests.webhooks.worker import faster

ROOT = Path(__file__).resolve().parents[2]
COUNT, WORKERS, FACTOR = 1000, 2, 100.0
GIVE_UP_S = 300.0


class Receiver(ThreadingHTTPServer):
    """Takes every message, and in one of five cases says that it did not, or nothing at all."""

    daemon_threads = True

    def __init__(self, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.random, self.guard = random.Random(seed), Lock()
        self.bodies: dict[str, list[bytes]] = defaultdict(list)
        self.answers: Counter[str] = Counter()

    def handle_error(self, request: object, client_address: object) -> None:
        del request, client_address  # a sender was killed


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.server.guard:
            self.server.bodies[self.headers["webhook-id"]].append(body)
            fails = self.server.random.random() < 0.2
            what = self.server.random.choice(("500", "503", "404", "lost")) if fails else "204"
            self.server.answers[what] += 1
        if what == "lost":
            self.close_connection = True
            return
        self.send_response(int(what))
        if what == "503":
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def receiving(seed: int):
    with Receiver(seed) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.slow
def test_no_callback_is_lost_and_each_keeps_its_id(tmp_path):
    url, began_s = f"sqlite:///{tmp_path}/guard.db", time.time()
    store = open_store(url, faster(began_s, FACTOR))
    chance = random.Random(7)
    with receiving(7) as to, ExitStack() as ending:
        expected = _written(store, f"http://127.0.0.1:{to.server_port}/hook")
        workers = [_worker(url, began_s, ending) for _ in range(WORKERS)]
        kills, patience = 0, Patience(GIVE_UP_S)
        while store.waiting_notices()[1]:
            patience.require(store.waiting_notices())
            time.sleep(chance.uniform(0.3, 1.0))  # what is tested is a kill at any moment
            number = chance.randrange(WORKERS)
            os.kill(workers[number].pid, signal.SIGKILL)
            workers[number].wait()
            workers[number] = _worker(url, began_s, ending)
            kills += 1
        received = dict(to.bodies)
    assert kills
    assert set(received) == set(expected)
    for message_id, bodies in received.items():
        # Sent again it is the same message, letter by letter.
        assert len(set(bodies)) == 1
        assert json.loads(bodies[0])["data"]["decision_id"] == expected[message_id]
    assert to.answers["204"] >= COUNT
    assert all(one.state == "delivered" for one in store.notices(limit=COUNT + 1))
    store.close()


def _written(store, url: str) -> dict[str, str]:
    """Keep decisions, each with its callback; return the decision of every message."""
    expected = {}
    for number in range(COUNT):
        decision_id = f"d{number}"
        text = json.dumps({"decision_id": decision_id, "target": ["tencent::r:sg-1"]})
        message_id = f"callback-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        order, host = f"callback:{decision_id}", "127.0.0.1"
        notice = Notice(message_id, "callback", decision_id, host, order, text)
        store.keep_callback(decision_id, url)
        store.keep(a_record(decision_id, document_json=text, telling=Telling((notice,))))
        expected[message_id] = decision_id
    return expected


def _worker(url: str, began_s: float, ending: ExitStack) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.webhooks.worker", url, str(began_s), str(FACTOR)]
    env = {**os.environ, "SGG_CALLBACK_KEY": NEW, "SGGUARD_LOG_LEVEL": "ERROR"}
    made = subprocess.Popen(command, cwd=ROOT, env=env)
    ending.callback(made.wait)
    ending.callback(made.kill)
    return made
