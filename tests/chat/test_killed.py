"""The five services at 20 % of faults while deliverers are killed: every message ends up true."""

from __future__ import annotations

import copy
import json
import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from typing import Any

import pytest

from sgguard.outbox.what import telling
from sgguard.policy import Policy
from sgguard.policy.channel import ChannelPolicy, Route
from sgguard.store import open_store
from sgguard.store.base import Store
from sgguard.store.rows import Record
from tests.chat.city import city
from tests.chat.documents import document
from tests.chat.services import SERVICES
from tests.outbox.worker import fast
from tests.patience import Patience

COUNT = int(os.environ.get("CHAT_DECISIONS", "60"))
"""Of decisions, each told in all five; more of them on demand."""

BACKLOG = 150
"""Decisions come no faster than they are told: a backlog is another test's."""

BIND = {"per_minute": 1000, "digest_over": 1000, "stale_s": 86400}
WORDS = {
    "pending": "Approval needed",
    "refused": "Denied",
    "remediated": "Done",
    "unfinished": "Unfinished",
}
REPLACED = ("slack", "lark", "dingtalk")
"""Whose message is one, however often it changes."""


def channels() -> tuple[ChannelPolicy, ...]:
    return tuple(make(time.time).policy(name=kind, **BIND) for kind, make in SERVICES.items())


POLICY = Policy(channels=channels(), routes=(Route(tuple(SERVICES)),))


def policy_file() -> str:
    lines: list[str] = []
    for one in POLICY.channels:
        fields = {"name": one.name, "kind": one.kind, "way": one.way, "chat": one.chat, **BIND}
        fields |= {"tenant": one.tenant, "app": one.app, "template": one.template}
        lines.append("[[channel]]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in fields.items() if value]
    return "\n".join([*lines, "[[route]]", f"channels = {json.dumps(list(SERVICES))}", ""])


def decide(store: Store, number: int, outcome: str) -> None:
    found: dict[str, Any] = copy.deepcopy(document())
    found |= {"decision_id": f"{number:08d}" + "0" * 24, "outcome": outcome}
    found["approval"] |= {"approval_id": f"a{number:07d}" + "1" * 24}
    if outcome == "refused":
        found["approval"] |= {"state": "denied", "resolved_by": "bob"}
    about = (found["decision_id"], "bus", f"e{number}", "delete", tuple(found["target"]), "grace")
    what = (found["verdict"], "approve", outcome, json.dumps(found))
    store.keep(Record(*about, *what, telling=telling(found, "grace", POLICY)))


@pytest.mark.slow
def test_every_message_is_told_once_and_true_although_deliverers_are_killed(tmp_path):
    chance, start_s = random.Random(13), time.time()
    now = fast(start_s)
    url = f"sqlite:///{tmp_path / 'chat.db'}"
    store = open_store(url, now)
    (tmp_path / "policy.toml").write_text(policy_file())
    with city(now, 0.2) as services, closing(store):
        env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        env |= services.env() | {
            "SGGUARD_STORE": url,
            "SGGUARD_POLICY": str(tmp_path / "policy.toml"),
            "SGGUARD_APPROVAL_KEY": "0123456789abcdef0123456789abcdef",
        }
        command = [sys.executable, "-m", "tests.outbox.worker", str(start_s), str(tmp_path)]

        def deliverer() -> subprocess.Popen[bytes]:
            with (tmp_path / "said").open("ab") as said:
                return subprocess.Popen(command, env=env, stdout=said, stderr=said)

        def waits_for(holds: Any) -> None:
            patience = Patience(max(120.0, COUNT))
            while not holds():
                patience.require(holds)
                said = (tmp_path / "said").read_text()
                assert all(one.poll() is None for one in workers), said[-2000:]
                time.sleep(0.1)

        # 1. Decisions are made and changed while two deliverers work and die.
        workers, kills = [deliverer(), deliverer()], 0
        for number in range(COUNT):
            decide(store, number, "pending")
            if number >= 10 and chance.random() < 0.7:
                decide(store, number - 10, chance.choice(("refused", "remediated", "unfinished")))
            if number % 20 == 19:
                # It dies at its work, not before it began.
                waits_for(lambda least=services.taken + 20: services.taken >= least)
                waits_for(lambda: store.waiting_notices()[1] < BACKLOG)
                one = workers.pop(0)
                assert one.poll() is None
                one.send_signal(signal.SIGKILL)
                one.wait()
                kills += 1
                workers.append(deliverer())
        # 2. They work until nothing waits; what the dead had taken is due when its lease ends.
        waits_for(lambda: not store.waiting_notices()[1])
        for one in workers:
            one.kill()
            one.wait()
        assert kills >= COUNT // 20
        require_true(services.walls, store, kills + len(list(tmp_path.glob("lost-*"))))


def require_true(walls: Any, store: Store, unknown: int) -> None:
    """Every decision has a message in each chat; the last one is true, and none is there twice.

    ``unknown`` is how often a deliverer could not know whether its message had been taken.
    """
    for kind, wall in walls.items():
        shown, doubled = wall.states(), 0
        for number in range(COUNT):
            said = shown.get(f"{number:08d}", [])
            record = store.decision(f"{number:08d}" + "0" * 24)
            assert record is not None
            wanted = WORDS[record.outcome]
            if kind in ("wecom", "teams") and record.outcome == "unfinished":
                # What passes is worth no message of its own where nothing can be replaced.
                assert said[-1] in (wanted, WORDS["pending"]), (kind, number, said)
            else:
                assert said[-1:] == [wanted], (kind, number, said)
            doubled += len(said) - (1 if kind in REPLACED else len(set(said)))
        # Lark knows a message by its key, DingTalk by its card: there nothing is there twice.
        most = 0 if kind in ("lark", "dingtalk") else unknown + sum(wall.unsure.values())
        assert doubled <= most, (kind, doubled, most)
    assert {one.state for one in store.notices(limit=10 * COUNT)} == {"delivered"}
