"""Deliverers are killed while they deliver: nothing is lost, and every message ends up true."""

from __future__ import annotations

import copy
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sgguard.outbox.what import telling
from sgguard.policy import Policy
from sgguard.policy.channel import ChannelPolicy, Route
from sgguard.store import open_store
from sgguard.store.base import Store
from sgguard.store.rows import Record
from tests.chat.documents import document
from tests.outbox.receiver import Receiver, receiving
from tests.outbox.worker import LONGEST_S, fast
from tests.patience import Patience

ROOT = Path(__file__).resolve().parents[2]
COUNT = 500
"""In each store."""

CHANNEL = ChannelPolicy("ops", "slack", way="app", chat="C111", per_minute=1000, digest_over=1000)
POLICY = Policy(channels=(CHANNEL,), routes=(Route(("ops",)),))
POLICY_FILE = """
[[channel]]
name = "ops"
kind = "slack"
way = "app"
chat = "C111"
per_minute = 1000
digest_over = 1000
stale_s = 86400
[[route]]
channels = ["ops"]
"""


def decide(store: Store, number: int, outcome: str) -> None:
    found: dict[str, Any] = copy.deepcopy(document())
    found |= {"decision_id": f"{number:08d}" + "0" * 24, "outcome": outcome}
    found["approval"] |= {"approval_id": f"a{number:07d}" + "1" * 24}
    if outcome == "refused":
        found["approval"] |= {"state": "denied", "resolved_by": "bob"}
    store.keep(
        Record(
            found["decision_id"],
            "bus",
            f"e{number}",
            "delete",
            tuple(found["target"]),
            "grace",
            found["verdict"],
            "approve",
            outcome,
            json.dumps(found),
            telling=telling(found, "grace", POLICY),
        )
    )


def environment(url: str, api: str, folder: Path) -> dict[str, str]:
    (folder / "policy.toml").write_text(POLICY_FILE)
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **kept,
        "SGGUARD_STORE": url,
        "SGGUARD_POLICY": str(folder / "policy.toml"),
        "SGGUARD_APPROVAL_KEY": "0123456789abcdef0123456789abcdef",
        "SGGUARD_CHAT_OPS_TOKEN": "xoxb-fake-token-1",
        "SGGUARD_CHAT_OPS_SECRET": "a-signing-secret-of-slack",
        "SGGUARD_CHAT_OPS_URL": api,
    }


def deliverer(env: dict[str, str], start_s: float, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.outbox.worker", str(start_s), str(folder)]
    return subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def waits_for(holds: Callable[[], bool]) -> None:
    patience = Patience(LONGEST_S)
    while not holds():
        patience.require(holds)
        time.sleep(0.2)


@pytest.mark.slow
def test_a_thousand_decisions_are_told_although_their_deliverers_are_killed(kept, tmp_path):
    chance, start_s = random.Random(7), time.time()
    store = open_store(kept.url, fast(start_s))
    with receiving(Receiver(rate=0.2)) as receiver, closing(store):
        env = environment(kept.url, receiver.url, tmp_path)
        # 1. Decisions are made and changed while two deliverers work and die.
        workers = [deliverer(env, start_s, tmp_path), deliverer(env, start_s, tmp_path)]
        kills = 0
        for number in range(COUNT):
            decide(store, number, "pending")
            if number >= 50 and chance.random() < 0.7:
                decide(store, number - 50, chance.choice(("refused", "remediated", "unfinished")))
            if number % 60 == 59:
                # It dies at its work, not before it began.
                waits_for(lambda wanted=15 * (kills + 1): receiver.taken >= wanted)
                one = workers.pop(0)
                assert one.poll() is None
                one.send_signal(signal.SIGKILL)
                kills += 1
                one.wait()
                workers.append(deliverer(env, start_s, tmp_path))
        # 2. Two are left to work until nothing waits. What the dead had taken is due when its
        #    lease has ended.
        waits_for(lambda: not store.waiting_notices()[1])
        for one in workers:
            one.kill()
            one.wait()
        # 3. Every decision has a message, and its last one says what became of it.
        assert kills >= 5
        shown = receiver.states()
        words = {
            "pending": "Approval needed",
            "refused": "Denied",
            "remediated": "Done",
            "unfinished": "Unfinished",
        }
        for number in range(COUNT):
            record = store.decision(f"{number:08d}" + "0" * 24)
            assert record is not None
            assert shown[f"{number:08d}"][-1] == words[record.outcome], number
        # 4. Two messages are there only where a process died, stood still for longer than its
        #    lease, or an answer was lost.
        doubled = sum(times - 1 for times in receiver.posts.values())
        lost = len(list(tmp_path.glob("lost-*")))
        assert doubled <= kills + lost + sum(receiver.unsure.values())
