"""The real functions under their framework, and a cloud for them on loopback."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import functions_framework
import pytest

from sgguard.emulator.server import Running, serve
from tests.openapi import contract
from tests.worlds import World
from tests.worlds.tencent import WORLD

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
TYPES = {
    "bind_request": "sgguard.bind.requested.v1",
    "delete_request": "sgguard.delete.requested.v1",
    "instance_launch": "sgguard.launch.requested.v1",
}


@dataclass
class Function:
    """One function as a client over HTTP sees it."""

    name: str
    client: Any

    def post(self, body: Any, headers: dict[str, str] | None = None) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post("/", data=content, headers=headers or {})

    def ask(self, data: Any) -> Any:
        return self.post(data, {"Content-Type": "application/json"})

    def event(self, data: Any, **attributes: Any) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": "order-7",
            "source": "/portal",
            "type": TYPES[self.name],
            "data": data,
            **attributes,
        }


@pytest.fixture
def delete_request(framework) -> Function:
    return framework("delete_request")


@pytest.fixture
def instance_launch(framework) -> Function:
    return framework("instance_launch")


@pytest.fixture
def bind_request(framework) -> Function:
    return framework("bind_request")


@pytest.fixture
def framework(monkeypatch) -> Any:
    """Build a function as ``functions-framework --source --target`` does, and tidy up after it."""
    for name in ("FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(sys, "path", list(sys.path))

    def build(name: str) -> Function:
        app = functions_framework.create_app(name, str(FUNCTIONS / name / "main.py"))
        # No test of a function may see an answer that its document does not describe.
        app.wsgi_app = contract.held_to(app.wsgi_app, contract.of(app, name))
        return Function(name, app.test_client())

    return build


@pytest.fixture
def world() -> World:
    return WORLD


@pytest.fixture
def cloud(world, monkeypatch) -> Iterator[Running]:
    """The emulated cloud on loopback, with the environment a deployed function would have."""
    with serve(world.emulator()) as running:
        for name, value in world.env.items():
            monkeypatch.setenv(name, value)
        variable = world.provider.upper().replace("-", "_")
        monkeypatch.setenv(f"SGGUARD_ENDPOINT_{variable}", running.url)
        yield running
