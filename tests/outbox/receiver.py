"""Slack on loopback: messages by their number, behind faults; it outlives every deliverer."""

from __future__ import annotations

import json
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DECISION = re.compile(r"decision ([0-9a-f]{8})…")
STATE = re.compile(r"\[(Approval needed|Denied|Done|Unfinished|Blocked)\]")
# Few ask for a wait: each of those is one of all deliverers.
_FAULTS = ("429", *("500", "in a success", "lost") * 3)


class Receiver:
    """What was posted, and what each message says now."""

    def __init__(self, rate: float, seed: int = 1) -> None:
        self.rate, self.random = rate, random.Random(seed)
        self.lock = threading.Lock()
        self.shown: dict[str, tuple[str, str]] = {}
        self.posts: Counter[str] = Counter()
        self.unsure: Counter[str] = Counter()
        self.url = ""
        self.taken = 0

    def states(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for decision, state in self.shown.values():
            found.setdefault(decision, []).append(state)
        return found

    def answer(self, method: str, body: dict) -> tuple[int, dict | None, dict[str, str]]:
        """Return status, body (None: the answer is lost) and headers."""
        with self.lock:
            kind = self.random.random() < self.rate and self.random.choice(_FAULTS)
            if kind == "429":
                return 429, {}, {"Retry-After": "1"}
            if kind == "500":
                return 500, {}, {}
            if kind == "in a success":
                return 200, {"ok": False, "error": "internal_error"}, {}
            text = json.dumps(body, ensure_ascii=False)
            found, state = DECISION.search(text), STATE.search(text)
            assert found
            assert state
            ts = body.get("ts") or f"{len(self.shown)}.1"
            self.shown[ts] = (found[1], state[1])
            self.taken += 1
            if method == "chat.postMessage":
                self.posts[found[1]] += 1
                self.unsure[found[1]] += kind == "lost"
            if kind == "lost":
                return 200, None, {}
            return 200, {"ok": True, "ts": ts, "channel": "C111"}, {}


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer, headers = receiver.answer(self.path.rpartition("/")[2], body)
            if answer is None:
                self.connection.close()
                return
            content = json.dumps(answer).encode()
            try:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # whoever asked was killed

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
