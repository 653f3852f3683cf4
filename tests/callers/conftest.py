"""Functions whose callers prove who they are, a cloud for them, and what they did to it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sgguard.callers.budget import METER
from sgguard.callers.certificate import CERTIFICATES
from sgguard.callers.jwks import ISSUERS
from sgguard.web import door
from tests.callers.harness import Web
from tests.callers.signers import ENV, Sent, pages
from tests.functions.conftest import cloud, framework, world
from tests.stores import empty_file

__all__ = ["cloud", "framework", "world"]  # fixtures of functions over HTTP


_IS_THERE = "SELECT 1 FROM sqlite_master WHERE name = ?"


@dataclass
class Guarded:
    """One function with a table of callers, as its senders see it."""

    place: Any
    folder: Path
    framework: Any
    setenv: Any
    web: Web = field(default_factory=Web)

    def start(
        self, *callers: dict[str, Any], function: str = "delete_request", **policy: Any
    ) -> Any:
        # A process reads a policy once: each start has its own.
        path = self.folder / f"policy-{len(list(self.folder.iterdir()))}.json"
        path.write_text(json.dumps({**policy, "caller": list(callers)}))
        self.setenv("SGGUARD_POLICY", str(path))
        return self.framework(function)

    def send(self, function: Any, sent: Sent, **more: str) -> Any:
        headers = {"content-type": "application/json", **sent.headers, **more}
        return function.client.open(
            sent.path,
            method=sent.method,
            data=sent.body,
            headers=headers,
            environ_base={"REMOTE_ADDR": sent.peer},
        )

    def asked_the_cloud(self) -> int:
        return len(self.place.emulator.requests)

    def kept(self, table: str = "claims") -> int:
        path = self.folder / "guard.db"
        if not path.exists():
            return 0
        with sqlite3.connect(path) as database:
            if not database.execute(_IS_THERE, (f"sgguard_{table}",)).fetchone():
                return 0
            return database.execute(f"SELECT count(*) FROM sgguard_{table}").fetchone()[0]


@pytest.fixture
def guarded(cloud, framework, monkeypatch, tmp_path) -> Iterator[Guarded]:
    monkeypatch.setenv("SGGUARD_STORE", empty_file(tmp_path / "guard.db"))
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    made = Guarded(cloud, tmp_path, framework, monkeypatch.setenv, Web(pages()))
    # What replaces the network; keys that an earlier test published are not those of this one.
    monkeypatch.setattr(door, "fetch", made.web.fetch)
    for memory in (ISSUERS, CERTIFICATES, METER):
        memory.__init__()
    return made
