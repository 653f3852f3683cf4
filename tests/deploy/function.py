"""The plugin for Neutron, and functions for it to ask: one that answers, and raw ones."""

from __future__ import annotations

import importlib
import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PLUGIN = Path(__file__).parents[2] / "deploy" / "openstack" / "neutron_plugin"

# The plugin is a package of its own, which nothing here installs. These parts need no Neutron.
sys.path.append(str(PLUGIN))
plugin_ask = importlib.import_module("sgguard_neutron.ask")
plugin_refusal = importlib.import_module("sgguard_neutron.refusal")

Answer = Mapping[str, Any] | int | None
"""A document, a status, or None: nothing is ever answered."""


def decision(target: str, verdict: str = "allow", *reasons: Mapping[str, Any]) -> dict[str, Any]:
    """A decision as the function gives it, as far as the plugin reads it."""
    return {
        "decision_id": "d-1",
        "guard": "delete",
        "verdict": verdict,
        "target": [target],
        "reasons": list(reasons),
    }


def reason(
    code: str, message: str, *evidence: Mapping[str, Any], effect: str = "block"
) -> dict[str, Any]:
    return {
        "code": code,
        "message": message,
        "effect": effect,
        "evidence": list(evidence),
        "evidence_count": len(evidence),
    }


@dataclass
class Function:
    """A function of the test's own; ``answer`` makes its answers."""

    url: str
    answer: Callable[[str], Answer] = decision
    asked: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def targets(self) -> list[str]:
        """The ids of the groups it was asked about."""
        return [body["target"].rpartition(":")[2] for _, body in self.asked]


@contextmanager
def answering() -> Iterator[Function]:
    """A function on loopback that remembers what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            function.asked.append(({k.lower(): v for k, v in self.headers.items()}, body))
            answer = function.answer(body["target"])
            if answer is None:
                function.released.wait(60)
                return
            is_status = isinstance(answer, int)
            content = b"" if is_status else json.dumps(answer).encode()
            self.send_response(answer if is_status else 200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Nothing is written."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        function = Function(f"http://127.0.0.1:{server.server_address[1]}/delete_request")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield function
        finally:
            function.released.set()
            server.shutdown()
            thread.join()


@contextmanager
def raw(serve: Callable[[socket.socket], None]) -> Iterator[tuple[str, threading.Event]]:
    """Let ``serve`` handle one connection as bytes; the event is set once it has returned."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def handle() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    serve(connection)
            except OSError:
                pass  # the plugin has left, or the test is over
            finally:
                ended.set()

        thread = threading.Thread(target=handle, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/", ended
        listener.close()
