"""Processes that are started again when they were killed, as a platform does it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx

from sgguard.demo.processes import free_port
from sgguard.web.installed import functions
from tests.patience import Patience

GIVE_UP_S = 600.0
_POLL_S = 0.25


@dataclass
class Supervised:
    """One process with its command; ``kill`` ends it at once, and it is started anew."""

    command: Sequence[str]
    env: dict[str, str]
    url: str = ""
    deaths: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def end(self) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.stdin.close()
        self.process.wait()

    def kill(self) -> None:
        self.end()
        self.deaths += 1
        self.start()

    def is_up(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}healthz", trust_env=False, timeout=5).status_code == 200
        return False


def function(name: str, env: dict[str, str]) -> Supervised:
    """Return a function on a port of its own, which it keeps."""
    port = free_port()
    command = [sys.executable, "-m", "tests.broker.function", "--target", name]
    command += ["--source", str(functions()[name]), "--host", "127.0.0.1", "--port", str(port)]
    return Supervised(command, env, f"http://127.0.0.1:{port}/")


@contextmanager
def running(*processes: Supervised) -> Iterator[None]:
    """Run the processes until the block is left; those with an address can be asked then."""
    try:
        for one in processes:
            one.start()
        until(lambda: all(one.is_up() for one in processes if one.url), "the functions start")
        yield
    finally:
        for one in processes:
            if one.process is not None:
                one.end()


def until(is_so: Callable[[], bool], what: str) -> None:
    """Wait for something that other processes do."""
    patience = Patience(GIVE_UP_S)
    while not is_so():
        patience.require(what)
        time.sleep(_POLL_S)


def killing(
    victims: Sequence[Supervised], progress: Callable[[], int], total: int, times: int, seed: int
) -> None:
    """Kill one of the processes whenever the work has come to the next of some random places."""
    chance = random.Random(seed)
    places = sorted(chance.sample(range(total // 20, total * 9 // 10), times))
    order = [victims[n % len(victims)] for n in range(times)]
    chance.shuffle(order)
    for place, victim in zip(places, order, strict=True):
        until(lambda place=place: progress() >= place, f"{place} of {total} are done")
        victim.kill()
