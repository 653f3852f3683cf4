"""Sends deliveries, many at once, each until it is answered: a process of its own.

Run as ``python -m tests.load.sender``; standard input has the wishes as JSON, standard output one
line of JSON for each delivery that was answered. As event buses do, a delivery that is refused for
now (409, 429, 5xx, no answer) is sent again; some are sent twice, at the same time.
"""

from __future__ import annotations

import http.client
import json
import random
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

_AGAIN = frozenset({409, 429, 500, 502, 503, 504})
_GIVE_UP_S = 240.0
_WAIT_S = (0.2, 1.0)


@dataclass(frozen=True)
class Wishes:
    """What to send: ``targets`` again and again for ``seconds``, each of ``once`` once.

    ``urls`` are asked in turn. ``twice`` of a hundred deliveries are sent a second time at once.
    """

    urls: list[str]
    targets: list[str]
    once: list[str]
    seconds: float
    senders: int
    twice: float
    seed: int
    at: str


class Sender:
    """What all threads share: the next event, and where lines are written."""

    def __init__(self, wishes: Wishes) -> None:
        self.wishes = wishes
        self._chance = random.Random(wishes.seed)
        self._guard = threading.Lock()
        self._count = 0
        self._once = list(enumerate(wishes.once))
        self._again: list[tuple[str, str]] = []
        self._ends_s = time.monotonic() + wishes.seconds

    def next(self) -> tuple[str, str] | None:
        """Return the id and the target of the next event, None when the time is over."""
        with self._guard:
            if self._again:
                return self._again.pop()
            is_over = time.monotonic() >= self._ends_s
            if is_over and not self._once:
                return None
            self._count += 1
            if self._once and (is_over or self._chance.random() < self._share()):
                n, target = self._once.pop()
                found = (f"once-{n}", target)
            else:
                found = (f"e-{self._count}", self._chance.choice(self.wishes.targets))
            if self._chance.random() * 100 < self.wishes.twice:
                self._again.append(found)
            return found

    def _share(self) -> float:
        """Spread the events that come once over the whole time."""
        left_s = max(1.0, self._ends_s - time.monotonic())
        return min(0.5, len(self._once) / (20 * left_s))

    def write(self, line: Json) -> None:
        with self._guard:
            sys.stdout.write(json.dumps(line) + "\n")

    def run(self, number: int) -> None:
        """Send one event after the other."""
        chance = random.Random(self.wishes.seed + number)
        while (found := self.next()) is not None:
            self.deliver(*found, chance)

    def deliver(self, event_id: str, target: str, chance: random.Random) -> None:
        """Send one event until it is answered."""
        begun_s, attempts = time.monotonic(), 0
        while time.monotonic() - begun_s < _GIVE_UP_S:
            attempts += 1
            sent_s = time.monotonic()
            status, document = self.post(event_id, target, chance.choice(self.wishes.urls))
            if status not in _AGAIN:
                took_ms = (time.monotonic() - sent_s) * 1000
                self.write(
                    {
                        "event": event_id,
                        "status": status,
                        "attempts": attempts,
                        "ms": took_ms,
                        "reasons": [one["code"] for one in document.get("reasons", ())],
                        **{
                            key: document.get(key)
                            for key in ("decision_id", "verdict", "outcome", "target")
                        },
                    }
                )
                return
            time.sleep(chance.uniform(*_WAIT_S))
        self.write({"event": event_id, "status": 0, "attempts": attempts, "ms": 0.0})

    def post(self, event_id: str, target: str, url: str) -> tuple[int, Json]:
        """Send one request; 503 where nobody answers."""
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        headers = {
            "Content-Type": "application/json",
            "ce-specversion": "1.0",
            "ce-id": event_id,
            "ce-source": "/load",
            "ce-type": "sgguard.delete.requested.v1",
            "ce-time": self.wishes.at,
        }
        try:
            body = json.dumps({"target": target})
            connection.request("POST", parts.path or "/", body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        except (OSError, http.client.HTTPException, ValueError):
            return 503, {}
        finally:
            connection.close()


def main() -> None:
    """Send what standard input asks for."""
    sender = Sender(Wishes(**json.loads(sys.stdin.read())))
    threads = [threading.Thread(target=sender.run, args=(n,)) for n in range(sender.wishes.senders)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    sys.stdout.flush()


if __name__ == "__main__":
    main()
