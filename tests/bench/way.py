"""The way of one warm delete through the code: ``python -m tests.bench.way [PROVIDER]``.

Prints the modules that the event passes through in the order of their first call, and how many
moves between modules it takes: calls from one module of the package into another, each pair of
caller and callee counted once. The fewer, the easier it is to follow an event with a finger.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import functions_framework

import sgguard
from sgguard.emulator.server import serve
from tests.worlds import World, world_of

MODULES_MAX, MOVES_MAX = 36, 100

_PACKAGE = Path(sgguard.__file__).parent
_FUNCTION = _PACKAGE.parents[1] / "functions" / "delete_request" / "main.py"


@dataclass
class Way:
    """Modules in the order of their first call, and the calls between them, while it is on."""

    is_on: bool = False
    modules: dict[str, int] = field(default_factory=dict)
    moves: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def called(self, frame: FrameType) -> None:
        name = module_of(frame) if self.is_on else None
        if name is None:
            return
        self.modules[name] = self.modules.get(name, 0) + 1
        caller = caller_of(frame)
        if caller not in (None, name):
            move = (caller, name, frame.f_code.co_name)
            self.moves[move] = self.moves.get(move, 0) + 1


def caller_of(frame: FrameType) -> str | None:
    """The module of the package that called, whatever library lies between."""
    back = frame.f_back
    while back is not None:
        if name := module_of(back):
            return name
        back = back.f_back
    return None


def module_of(frame: FrameType) -> str | None:
    """The module of the package that a frame runs, None elsewhere and in the emulator."""
    path = Path(frame.f_code.co_filename)
    if path == _FUNCTION:
        return "functions.delete_request"
    if not path.is_relative_to(_PACKAGE):
        return None
    parts = path.relative_to(_PACKAGE).with_suffix("").parts
    return None if parts[0] == "emulator" else ".".join(p for p in parts if p != "__init__")


def warm_delete(world: World) -> Way:
    """Send one delete to the real function, then trace a second one."""
    way = Way()
    with tempfile.TemporaryDirectory() as tmp, serve(world.emulator()) as running:
        name, url = world.provider.upper().replace("-", "_"), running.url
        env = {**world.env, f"SGGUARD_ENDPOINT_{name}": url}
        env |= {"SGGUARD_STORE": f"sqlite:///{tmp}/way.db", "OS_AUTH_URL": f"{url}/identity"}
        with environment(env):
            app = functions_framework.create_app("delete_request", str(_FUNCTION))
            client = app.test_client()
            address = f"{world.provider}::{world.region}:{world.free}"
            # The threads that the first event starts are those of the second one.
            with traced(way):
                cold = client.post("/", json={"target": address, "requested_by": "cold"})
                assert json.loads(cold.data)["verdict"] == "allow", cold.data
                way.is_on = True
                client.post("/", json={"target": address, "requested_by": "warm"}).close()
    return way


@contextmanager
def environment(env: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(env)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def traced(way: Way) -> Iterator[None]:
    """Note every call of a Python function in this thread and in those started meanwhile."""

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            way.called(frame)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def main(arguments: list[str]) -> int:
    way = warm_delete(world_of(arguments[0] if arguments else "tencent"))
    for name, calls in way.modules.items():
        print(f"{calls:6}  {name}")
    print(f"{len(way.modules)} modules, {len(way.moves)} moves between them")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
