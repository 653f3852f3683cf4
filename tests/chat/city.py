"""The five services on loopback, each behind faults; they outlive every deliverer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.chat.services import SERVICES
from tests.chat.wall import Wall

# Where each API is at its vendor; only its path is under the address of this machine.
HOMES = {
    "slack": "https://slack.com/api",
    "lark": "https://open.feishu.cn/open-apis",
    "dingtalk": "https://api.dingtalk.com",
    "wecom": "https://qyapi.weixin.qq.com/cgi-bin",
    "teams": "https://prod-01.westus.logic.azure.com/workflows/abc",
}


class City:
    """Every service, what each shows, and what was asked of it."""

    def __init__(self, now: Callable[[], float], rate: float) -> None:
        self.walls = {
            kind: Wall(make(now), rate=rate, seed=number)
            for number, (kind, make) in enumerate(SERVICES.items())
        }
        for wall in self.walls.values():
            wall.service.per_minute = 100_000
        self.url = ""
        self._lock = threading.Lock()

    @property
    def taken(self) -> int:
        return sum(len(one.times) for one in self.walls.values())

    def env(self) -> dict[str, str]:
        """Return the secrets of a channel of each kind, named as its kind, and its address here."""
        found: dict[str, str] = {}
        for kind, wall in self.walls.items():
            found |= wall.service.env(kind)
            query = httpx.URL(wall.service.variables.get("URL", "")).query.decode()
            found[f"SGGUARD_CHAT_{kind.upper()}_URL"] = f"{self.url}/{kind}" + (
                f"?{query}" if query else ""
            )
        return found

    def answer(self, method: str, path: str, headers: httpx.Headers, body: bytes) -> httpx.Response:
        kind, _, rest = path.lstrip("/").partition("/")
        kind, mark, query = kind.partition("?")
        home = HOMES[kind] + (f"/{rest}" if rest else "") + mark + query
        known = {k: v for k, v in headers.items() if k.lower() not in ("host", "content-length")}
        with self._lock:
            return self.walls[kind].handle_request(
                httpx.Request(method, home, headers=known, content=body)
            )


@contextmanager
def city(now: Callable[[], float], rate: float) -> Iterator[City]:
    """Serve the five services, so that a process is told from another by nothing."""
    found = City(now, rate)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = httpx.Headers(dict(self.headers.items()))
            with suppress(OSError):  # whoever asked may have been killed
                try:
                    response = found.answer(self.command, self.path, headers, body)
                except httpx.TransportError:
                    self.connection.close()  # the answer is lost
                    return
                content = response.read()
                self.send_response(response.status_code)
                for name in ("Retry-After", "Content-Type"):
                    if name in response.headers:
                        self.send_header(name, response.headers[name])
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        do_GET = do_PUT = do_PATCH = do_POST  # noqa: N815 - names of the library

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
