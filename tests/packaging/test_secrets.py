"""Planted secrets in every place that a packaged function takes anything from, with everything on.

Of none of them is anything in a log line, a metric, a trace or an answer: not of the settings, not
of what comes with an invocation or a request, and not of what a role that was assumed gave.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from sgguard.demo.processes import free_port
from sgguard.emulator.server import serve
from sgguard.packaging import runtime
from tests.accounts.worlds import HOMES, Deployment
from tests.packaging import artifact, test_event_runtimes, test_server_runtimes

pytestmark = pytest.mark.slow

EXTRAS = ("metrics", "otel", "postgres")
KEY = "k" * 40
POLICY = f"""
[[channel]]
name = "ops"
kind = "slack"
chat = "C0123456789"
[[route]]
channels = ["ops"]
[[caller]]
name = "asking"
proof = {{ bearer = ["sha256:{hashlib.sha256(KEY.encode()).hexdigest()}"] }}
functions = ["delete_request"]
targets = ["*:*:*:*"]
speaks_for = ["*"]
[[caller]]
name = "hooks"
proof = {{ hmac = {{ scheme = "github", secrets = [{{ env = "HOOK_SECRET" }}] }} }}
functions = ["delete_request"]
targets = ["*:*:*:*"]
"""


class Planted:
    """Secrets that were handed out, each with the place it was planted in."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}

    def __call__(self, place: str) -> str:
        text = f"planted-{len(self.places):03}-{hashlib.sha256(place.encode()).hexdigest()[:24]}"
        self.places[text] = place
        return text

    def jwt(self, place: str) -> str:
        """A token of three parts, of which each is planted."""
        head = base64.urlsafe_b64encode(b'{"alg":"RS256","kid":"k"}').decode().rstrip("=")
        claims = json.dumps({"sub": self(f"{place}, subject"), "iss": "https://issuer.example"})
        body = base64.urlsafe_b64encode(claims.encode()).decode().rstrip("=")
        self.places[body] = f"{place}, claims"
        return f"{head}.{body}.{self(f'{place}, signature')}"

    def found_in(self, told: str) -> list[str]:
        return [place for text, place in self.places.items() if text in told]


@contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A collector of OTLP on loopback, and every body that it was sent."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *words: Any) -> None:
            """Nothing is written."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", bodies
        finally:
            server.shutdown()
            thread.join()


def settings_of(planted: Planted, guarded: Deployment, cloud: str, otlp: str) -> dict[str, str]:
    """Every setting that holds a secret, beside those that the function needs."""
    return {
        "SGGUARD_ACCOUNTS": guarded.env["SGGUARD_ACCOUNTS"],
        f"SGGUARD_ACCOUNT_{cloud.upper()}": guarded.home.home_number,
        "SHOP_WORD": planted("SHOP_WORD"),
        "HOOK_SECRET": planted("HOOK_SECRET"),
        "SGGUARD_APPROVAL_KEY": planted("SGGUARD_APPROVAL_KEY"),
        "SGGUARD_CHAT_OPS_TOKEN": f"xoxb-{planted('SGGUARD_CHAT_OPS_TOKEN')}",
        "SGGUARD_CHAT_OPS_SECRET": planted("SGGUARD_CHAT_OPS_SECRET"),
        # Nobody is there: errors of a driver quote where they wanted to go.
        "SGGUARD_STORE": f"postgresql://guard:{planted('SGGUARD_STORE')}@127.0.0.1:9/sgguard",
        "SGGUARD_METRICS": "on",
        "SGGUARD_OTEL": "flush",
        "OTEL_EXPORTER_OTLP_ENDPOINT": otlp,
        "OTEL_EXPORTER_OTLP_HEADERS": f"api-key={planted('OTEL_EXPORTER_OTLP_HEADERS')}",
    }


def bodies_of(planted: Planted, address: str) -> dict[str, Any]:
    """Events with a secret in each of the fields that are a person's or a system's to fill."""
    url = f"https://user:{planted('userinfo')}@hooks.example/x?sig={planted('query of a URL')}"
    return {
        "decided": {"target": address, "requested_by": "ada"},
        "unknown field": {"target": address, "password": planted("unknown field")},
        "callback": {"target": address, "callback": url},
        "event": {
            "specversion": "1.0",
            "id": "e-1",
            "type": planted("type of an event"),
            "source": url,
            "token": planted("extension of an event"),
            "data": {"target": address, "secret": planted("data of an event")},
        },
    }


def headers_of(planted: Planted) -> dict[str, str]:
    """Every header in which a caller, a gateway or another platform sends a credential."""
    names = (
        *("x-fc-access-key-secret", "x-fc-security-token", "x-scf-secret-key"),
        *("x-scf-session-token", "x-cff-security-secret-key", "x-cff-security-token"),
        *("x-cff-auth-token", "x-api-key", "x-hub-signature-256", "webhook-signature"),
        *("x-gitlab-token", "proxy-authorization", "x-forwarded-client-cert", "x-auth-token"),
    )
    return {**{one: planted(one) for one in names}, "cookie": f"session={planted('cookie')}"}


def told_by_a_role(guarded: Deployment) -> list[str]:
    sessions = guarded.emulator.state.clouds[0].sessions.values()
    return [text for one in sessions for text in (one.secret, one.token)]


def deployment(cloud: str) -> Deployment:
    (home,) = [one for one in HOMES if one.provider == cloud]
    guarded = Deployment(home, {"id": home.shop_number, **home.role})
    guarded.emulator.now = time.time
    return guarded


@pytest.mark.parametrize("name", test_event_runtimes.RUNTIMES)
def test_an_event_function_tells_no_secret_of_its_settings_its_context_or_its_events(
    name, tmp_path
):
    cloud, _ = test_event_runtimes.RUNTIMES[name]
    planted, guarded = Planted(), deployment(cloud)
    home = guarded.home
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    bodies = bodies_of(planted, guarded.address("shop", home.shops))
    gateway = {
        "httpMethod": "POST",
        "path": f"/{planted('path')}",
        "queryStringParameters": {"access_token": planted("query")},
        "headers": {**headers_of(planted), "authorization": f"Bearer {planted.jwt('JWT')}"},
        "body": json.dumps(bodies["decided"]),
        "isBase64Encoded": False,
        "requestContext": {},
    }
    key_id, secret = home.env.values()
    role = {"key_id": key_id, "secret": secret, "token": ""}
    wrong = {"key_id": key_id, "secret": planted("context"), "token": planted("token of a context")}
    proven = {"content-type": "application/json", "authorization": f"Bearer {KEY}"}
    asked = [
        {**gateway, "path": "/", "body": json.dumps(one), "headers": {**proven, **more}}
        for one in bodies.values()
        for more in ({}, headers_of(planted))
    ]
    events = [{"event": one, "context": dict(role)} for one in (*asked, gateway, *bodies.values())]
    events.append({"event": asked[0], "context": wrong})
    with serve(guarded.emulator) as running, collector() as (otlp, sent):
        settings = {
            **settings_of(planted, guarded, cloud, otlp),
            "SGGUARD_POLICY": str(policy),
            f"SGGUARD_ENDPOINT_{cloud.upper()}": running.url,
        }
        if cloud == "huawei":  # what the operator set comes with the context
            for one in events:
                one["context"]["settings"] = settings
        made = artifact.built("delete_request", name, EXTRAS)
        given = {} if cloud == "huawei" else settings
        invoked = artifact.invoke(made, tmp_path, cloud, runtime.target(name), events, **given)
    told = invoked.printed + json.dumps(invoked.answers)
    traced = b"".join(sent).decode("latin-1")
    check(planted, (secret, *told_by_a_role(guarded)), told, traced)
    assert "referenced" in told


SERVERS = {
    **test_server_runtimes.RUNTIMES,
    "tencent-scf-image": "tencent",
    "alibaba-fc-image": "alibaba",
    "huawei-functiongraph-image": "huawei",
    "google-cloud-run": "tencent",
    "linux": "tencent",
    "oci": "tencent",
}
"""Whose functions a runtime serves."""

OWN_CREDENTIALS = {"google-cloud-run", "linux", "oci"}
"""Runtimes on which nobody but the operator gives credentials."""


def test_no_runtime_is_left_out():
    assert {*test_event_runtimes.RUNTIMES, *SERVERS} == set(runtime.RUNTIMES)


def command_of(name: str, code: Path, folder: Path, port: int) -> list[str]:
    """How the platform starts the server: its start file, its framework, or the image's command."""
    target = runtime.target(name)
    if name in test_server_runtimes.RUNTIMES:
        return artifact.start_command(code, target, folder, port)
    python = [artifact.interpreter(target.python), "-S", "-u"]
    if name != "google-cloud-run":
        return [*python, str(code / "server.py")]
    start = "import sitecustomize; from functions_framework._cli import _cli; _cli()"
    words = ["--target", "delete_request", "--source", str(code / "main.py")]
    return [*python, "-c", start, *words]


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_tells_no_secret_of_its_settings_or_of_requests(name, tmp_path):
    cloud = SERVERS[name]
    planted, guarded = Planted(), deployment(cloud)
    home = guarded.home
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY)
    code = artifact.unpacked(artifact.built("delete_request", name, EXTRAS), tmp_path)
    bodies = bodies_of(planted, guarded.address("shop", home.shops))
    role = dict(zip(test_server_runtimes.HEADERS[cloud], (*home.env.values(), ""), strict=True))
    with serve(guarded.emulator) as running, collector() as (otlp, sent):
        env = artifact.empty_environment(
            tmp_path,
            **settings_of(planted, guarded, cloud, otlp),
            SGGUARD_POLICY=str(policy),
            PATH="/usr/bin:/bin",
        )
        env[f"SGGUARD_ENDPOINT_{cloud.upper()}"] = running.url
        port = free_port()
        env |= {"PORT": str(port), **(home.env if name in OWN_CREDENTIALS else {})}
        if name == "google-cloud-run":  # its platform installs the framework beside the function
            env["PYTHONPATH"] += f":{code}"
        command = command_of(name, code, tmp_path, port)
        with artifact.serving(command, tmp_path, env, port) as served:
            own = {**role, "content-type": "application/json", "authorization": f"Bearer {KEY}"}

            def ask(body: Any, path: str = "/", **more: str) -> str:
                answer = served.post(path, json.dumps(body).encode(), **{**own, **more})
                return answer.text + str(dict(answer.headers))

            told = [ask(one) for one in bodies.values()]
            told += [ask(bodies["decided"], f"/?access_token={planted('query')}")]
            told += [ask(bodies["decided"], f"/{planted('path')}")]
            told += [ask(bodies["decided"], authorization=f"Bearer {planted.jwt('JWT')}")]
            told += [ask(bodies["decided"], **headers_of(planted))]
            told += [served_metrics(served.url)]
            told += [served.printed()]
    traced = b"".join(sent).decode("latin-1")
    check(planted, (*list(home.env.values())[1:], *told_by_a_role(guarded)), "".join(told), traced)
    assert "sgguard_" in told[-2]
    assert "referenced" in "".join(told)


def served_metrics(url: str) -> str:
    answer = httpx.get(f"{url}/metrics", trust_env=False, timeout=60)
    return answer.text


def check(planted: Planted, secrets: tuple[str, ...], told: str, traced: str) -> None:
    """Nothing of a secret is anywhere, and each of the places was written to at all."""
    assert planted.found_in(told) == []
    assert planted.found_in(traced) == []
    assert [one for one in secrets if one in told + traced] == []
    assert "delete_request" in traced
    assert '"level"' in told
