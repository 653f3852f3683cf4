"""The way of one warm delete through the code: ``python -m tests.bench.way [PROVIDER]``.

Prints the stops that the event makes in the thread of its request, in order: every change from a
function of one module to a function of another is a move. The ground that every module may use
(errors, logs, settings, values, clocks, wording) is printed but is no stop of its own, and neither
is the pool that runs calls side by side. The fewer stops and moves, and the fewer moves that climb
back to a room further left, the easier an event is followed with a finger.
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
from sgguard.telemetry.logs import LOGGER
from tests.worlds import World, world_of

ROOMS = [
    "functions",
    "web",
    "callers",
    "events",
    "engine",
    "facts",
    "guards",
    "remedy",
    "providers",
    "wire",
]
"""The rooms of an event's way, left to right."""

GROUND = ("", "errors", "telemetry", "settings", "model", "schemas", "render.wording")
GROUND += ("wire.clock", "wire.shape", "wire.parallel")

_PACKAGE = Path(sgguard.__file__).parent
_FUNCTION = _PACKAGE.parents[1] / "functions" / "delete_request" / "main.py"


@dataclass
class Way:
    """The calls of one request, in order; noted while it is on, in the thread of the request."""

    is_on: bool = False
    thread: int = 0
    calls: list[tuple[str | None, str, str]] = field(default_factory=list)

    def called(self, frame: FrameType) -> None:
        if self.is_on and threading.get_ident() == self.thread:
            name = module_of(frame)
            if name is not None:
                self.calls.append((caller_of(frame), name, frame.f_code.co_name))

    def modules(self) -> list[str]:
        """Every module, in the order of its first call."""
        return list(dict.fromkeys(name for _, name, _ in self.calls))

    def stops(self) -> list[str]:
        """The modules in the order in which they are entered, each as often as it is."""
        found: list[str] = []
        for _, name, _ in self.calls:
            if not is_ground(name) and found[-1:] != [name]:
                found.append(name)
        return found

    def climbs(self) -> list[str]:
        """The calls that go back to a room further left."""
        return list(
            dict.fromkeys(
                f"{caller} -> {name} {function}"
                for caller, name, function in self.calls
                if caller and 0 <= room(name) < room(caller)
            )
        )


def is_ground(module: str) -> bool:
    return any(module == one or module.startswith(f"{one}.") for one in GROUND if one or not module)


def room(module: str) -> int:
    """How far right the room of a module is; -1 for one that is not on the way itself."""
    name = module.split(".", maxsplit=1)[0]
    return ROOMS.index(name) if name in ROOMS else -1


def caller_of(frame: FrameType) -> str | None:
    """The module of the package that called, whatever library or pool lies between."""
    back = frame.f_back
    while back is not None:
        name = module_of(back)
        if name not in (None, "wire.parallel"):
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
    """Send one delete to the real function, then note the way of a second one."""
    way = Way()
    with tempfile.TemporaryDirectory() as tmp, serve(world.emulator()) as running:
        name, url = world.provider.upper().replace("-", "_"), running.url
        env = {**world.env, f"SGGUARD_ENDPOINT_{name}": url}
        env |= {"SGGUARD_STORE": f"sqlite:///{tmp}/way.db", "OS_AUTH_URL": f"{url}/identity"}
        # Functions-framework's: without callers a function observes on loopback only.
        env["HOST"] = "127.0.0.1"
        with environment(env):
            app = functions_framework.create_app("delete_request", str(_FUNCTION))
            client = app.test_client()
            address = f"{world.provider}::{world.region}:{world.free}"
            cold = client.post("/", json={"target": address, "requested_by": "cold"})
            assert json.loads(cold.data)["verdict"] == "allow", cold.data
            with noted(way):
                client.post("/", json={"target": address, "requested_by": "warm"}).close()
    return way


@contextmanager
def environment(env: dict[str, str]) -> Iterator[None]:
    """Run as a deployed function does; environment and log are restored afterwards."""
    before = dict(os.environ)
    handlers, level, propagate = list(LOGGER.handlers), LOGGER.level, LOGGER.propagate
    os.environ.update(env)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        LOGGER.handlers[:], LOGGER.propagate = handlers, propagate
        LOGGER.setLevel(level)


@contextmanager
def noted(way: Way) -> Iterator[None]:
    """Note every call of a Python function in this thread, which is that of the test client."""

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            way.called(frame)

    way.thread, way.is_on = threading.get_ident(), True
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)
        way.is_on = False


def main(arguments: list[str]) -> int:
    way = warm_delete(world_of(arguments[0] if arguments else "tencent"))
    stops, climbs = way.stops(), way.climbs()
    print("\n".join(f"{number:4}  {name}" for number, name in enumerate(stops)))
    modules, rooms = len(set(stops)), len({name.split(".")[0] for name in stops})
    ground = [name for name in way.modules() if is_ground(name)]
    print(f"{modules} modules in {rooms} rooms, {len(stops) - 1} moves between them")
    print(f"on the ground of {len(ground)} more: {', '.join(ground)}")
    print("\n".join([f"{len(climbs)} climbs back", *climbs]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
