"""Many processes that work off the same events, as a program: the test that uses it says why.

``python -m tests.contract.store_workers URL FOLDER PROCESSES EVENTS DEATHS``: every process is
delivered every event. What an event does is one line in ``FOLDER/world``, which a process looks
into, as it would ask a cloud, when a journal says that the line was intended. ``DEATHS`` processes
die by SIGKILL, at a random moment or between two steps of their work, and others are begun.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from sgguard.errors import BusyError, LeaseLostError
from sgguard.store import open_store
from sgguard.store.base import Store
from sgguard.store.rows import Answered, Claim, Entry, Run
from tests.stores import close_run

LEASE_S = 3.0
"""Longer than a process of sixteen on a small machine ever waits for its turn."""

GROUPS = 20


@dataclass
class Worker:
    store: Store
    folder: Path
    chance: random.Random
    is_mortal: bool

    def work_off(self, events: list[str]) -> None:
        left = self.chance.sample(events, len(events))
        while left:
            event = left.pop(0)
            got = self.store.claim(
                "bus",
                event,
                owner=str(os.getpid()),
                decision_id=f"d-{event}",
                lease_s=LEASE_S,
                payload_hash="h",
            )
            self.perhaps_die()
            if isinstance(got, Answered):
                continue
            if not (isinstance(got, Claim) and self.is_done(got)):
                left.append(event)
                time.sleep(0.002)

    def is_done(self, claim: Claim) -> bool:
        try:
            self.do(claim)
        except BusyError:
            self.store.release(claim)
            return False
        except LeaseLostError:
            return False
        self.note("winners", f"{claim.event_id} {claim.fence}")
        return True

    def do(self, claim: Claim) -> None:
        group = f"g{int(claim.event_id) % GROUPS}"
        self.store.lock(claim, [group], LEASE_S)
        self.perhaps_die()
        run = Run(claim.decision_id, "bus", claim.event_id, "{}", "{}", (group,))
        self.store.begin_run(claim, run)
        self.perhaps_die()
        states = [entry.state for entry in self.store.entries(claim.decision_id)]
        entry = Entry(claim.decision_id, 0, 0, "{}")
        if states != ["done"]:
            self.store.intend(claim, entry, LEASE_S)
            self.perhaps_die()
            if not states or claim.event_id not in self.read("world"):
                self.note("world", claim.event_id)
            self.perhaps_die()
            self.store.settle(claim, entry, "done")
            self.perhaps_die()
        close_run(self.store, claim, claim.decision_id, "finished")
        self.perhaps_die()
        self.store.finish(claim, f'"{claim.fence}"')

    def perhaps_die(self) -> None:
        if self.is_mortal and self.chance.random() < 0.01:
            os.kill(os.getpid(), signal.SIGKILL)

    def note(self, name: str, line: str) -> None:
        file = os.open(self.folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(file, f"{line}\n".encode())
        os.close(file)

    def read(self, name: str) -> list[str]:
        file = self.folder / name
        return file.read_text().splitlines() if file.exists() else []


def begin(url: str, folder: Path, events: list[str], number: int, *, is_mortal: bool) -> int:
    """Begin a process; return its id."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        worker = Worker(open_store(url), folder, random.Random(number), is_mortal)
        worker.work_off(events)
        worker.store.close()
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def main(url: str, folder: Path, processes: int, events: list[str], deaths: int) -> int:
    """Run them all; return how many died."""
    chance = random.Random(7)
    died = begun = 0
    running: set[int] = set()
    while begun < processes or running:
        while len(running) < processes and begun < processes + died:
            running.add(begin(url, folder, events, begun, is_mortal=died < deaths))
            begun += 1
        pid, status = os.waitpid(-1, os.WNOHANG if died < deaths else 0)
        if not pid:
            time.sleep(0.02)
            if died < deaths and chance.random() < 0.2:
                os.kill(chance.choice(sorted(running)), signal.SIGKILL)
            continue
        running.remove(pid)
        if os.waitstatus_to_exitcode(status) not in (0, -signal.SIGKILL):
            raise SystemExit(f"process {pid} failed")
        died += os.WIFSIGNALED(status)
    return died


if __name__ == "__main__":
    _, _url, _folder, _processes, _events, _deaths = sys.argv
    _names = [str(number) for number in range(int(_events))]
    print(main(_url, Path(_folder), int(_processes), _names, int(_deaths)))
