"""What platforms answer over HTTPS: the API of FunctionGraph, gateways, Kubernetes' keys."""

from __future__ import annotations

import json
import re
import ssl
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.deploy.platforms import cluster, state

_INVOKE = re.compile(r"/v2/([0-9a-f]{32})/fgs/functions/(urn:fss:[\w:-]+)/invocations")
_ROLES = {
    "tencent-scf-web": (
        "tencent",
        ("X-Scf-Secret-Id", "X-Scf-Secret-Key", "X-Scf-Session-Token"),
    ),
    "huawei-functiongraph-http": (
        "huawei",
        ("X-CFF-Security-Access-Key", "X-CFF-Security-Secret-Key", "X-CFF-Security-Token"),
    ),
}


class _Edge(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        host = self.headers["Host"]
        if host.startswith("functiongraph."):
            self._invoke(body)
        else:
            self._forward(body)

    def do_GET(self) -> None:
        """Kubernetes gives its public keys to who has a token of a service account."""
        is_known = self.headers["Authorization"] == f"Bearer {cluster.OF_SERVICE_ACCOUNT}"
        if self.path == "/openid/v1/jwks" and is_known:
            self._answer(200, json.dumps(cluster.keys()).encode())
        else:
            self._answer(401, b"{}")

    def _invoke(self, body: bytes) -> None:
        found = _INVOKE.fullmatch(self.path)
        if found is None or not self.headers["X-Auth-Token"]:
            self._answer(404 if found is None else 401, b'{"error_code": "FSS.0400"}')
            return
        deployed = state.kept(f"functions/{found[2].split(':')[-1]}")
        event = json.loads(body)
        answer = state.handled(Path(deployed["archive"]), deployed, "functiongraph", event)
        told = {"request_id": "r-1", "result": json.dumps(answer), "log": "", "status": 200}
        self._answer(200, json.dumps(told).encode())

    def _forward(self, body: bytes) -> None:
        behind = state.kept("behind-the-edge")
        cloud, names = _ROLES[behind["runtime"]]
        role = dict(zip(names, state.role(cloud).values(), strict=True))
        headers = {**dict(self.headers.items()), **role}
        asked = urllib.request.Request(
            f"http://127.0.0.1:{behind['port']}{self.path}", body, headers, method="POST"
        )
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                self._answer(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            self._answer(error.code, error.read())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: Any) -> None:
        """Nothing is written."""


def edge(words: list[str]) -> None:
    """``edge CERTIFICATE KEY``: serve until the end."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*words)
    server = ThreadingHTTPServer(("127.0.0.1", 443), _Edge)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
