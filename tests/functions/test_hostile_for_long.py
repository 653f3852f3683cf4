"""Five hundred asks of a cloud that drips, floods, quotes and packs: nothing of them is kept.

The clock is one that passes with every look at it, and with every wait between attempts. So what a
call does after its deadline is counted, and nothing here waits.
"""

from __future__ import annotations

import gc
import json
import logging
import socket
import threading
import tracemalloc
from dataclasses import dataclass, field
from itertools import cycle

import pytest
from msgspec.structs import replace

from sgguard.engine.context import Context
from sgguard.engine.decide import decide_deletes
from sgguard.model.address import Address
from sgguard.model.codes import Verdict
from sgguard.model.request import DeleteRequest
from sgguard.render.document import to_json
from sgguard.wire.connection import CLIENTS
from sgguard.wire.retry import Retry
from tests.deployment import CLOUDS, address, environment, secrets
from tests.functions.test_faulty_cloud import (
    answering,
    cut_off,
    hung_up,
    moved,
    no_gzip,
    no_http,
    no_text,
    patience_without_end,
    quoting,
    whole,
)
from tests.wire.test_hostile_server import DRIBBLES
from tests.worlds import lanes, world_of

pytestmark = pytest.mark.slow

ASKS = 500
WARM = 100
TICK_S = 0.02
DEADLINE_TICKS = 200
PAUSE_S = 0.002
GROWTH_MAX = 1.1
ROOM_BYTES = 128 * 1024
"""What caches of a fixed size and the interpreter may still take, whatever the number of asks."""


@dataclass
class Ticking:
    """A clock that passes with every look at it."""

    ticks: float = 0.0
    looked: threading.Event = field(default_factory=threading.Event)

    def __call__(self) -> float:
        self.ticks += 1
        self.looked.set()
        return self.ticks * TICK_S

    def sleep(self, seconds: float) -> None:
        self.ticks += seconds / TICK_S


CLOCK = Ticking()


def dripping(before, drop):
    def behave(connection, _):
        connection.sendall(before)
        while True:  # until the client hangs up: a drop for every look at the clock
            connection.sendall(drop)
            CLOCK.looked.wait(PAUSE_S)
            CLOCK.looked.clear()

    return behave


def with_cookies(connection, sent):
    cookie = b"".join(one for one in sent.splitlines() if one.lower().startswith(b"auth"))[:2000]
    connection.sendall(whole(b"{}", more=f"Set-Cookie: a={cookie.decode('latin-1')}\r\n"))


def in_layers(connection, _):
    connection.sendall(whole(b"{}", more="Content-Encoding: gzip, gzip\r\n"))


BEHAVIOURS = [
    *(dripping(*parts) for parts in DRIBBLES.values()),
    *(quoting(status, "AuthFailure") for status in ("401 No", "403 No", "400 No", "500 No")),
    *(hung_up, no_http, cut_off, no_gzip, no_text, moved, patience_without_end),
    *(with_cookies, in_layers),
]


class Hostile:
    """Behaves in another way for every ask."""

    def __init__(self):
        self.turns = cycle(BEHAVIOURS)
        self.now = next(self.turns)

    def __call__(self, connection, sent):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.now(connection, sent)


def ask(env, request):
    """Ask once; gives the result and by how many looks at the clock it took."""
    context = Context.from_env(env, clock=CLOCK)
    begun = CLOCK.ticks
    # Without a store no pace is shared: each ask has lanes of its own, and would log that anew.
    context = replace(context, lanes=lanes(), retry=Retry(sleep=CLOCK.sleep), store=None)
    (result,) = decide_deletes([(request, "e")], context)
    return result, CLOCK.ticks - begun


def shown(result):
    if isinstance(result, Exception):
        return f"{result!r} {result} {result.__cause__} {result.__context__}"
    assert result.judgement.verdict is Verdict.BLOCK
    return json.dumps(to_json(result))


@pytest.mark.parametrize("cloud", CLOUDS)
def test_five_hundred_asks_keep_the_deadline_and_leave_nothing(cloud, caplog):
    caplog.set_level(logging.DEBUG, logger="sgguard")
    hostile, request = Hostile(), DeleteRequest((Address.parse(address(world_of(cloud), "free")),))
    figures = {}
    with answering(hostile) as (url, sent):
        env = environment(url, SGGUARD_DEADLINE_S=str(DEADLINE_TICKS * TICK_S))
        tracemalloc.start()
        try:
            for number in range(ASKS + 1):
                if number in (WARM, ASKS):
                    CLIENTS.clear()
                    sent.clear()
                    gc.collect()
                    figures[number] = tracemalloc.get_traced_memory()[0], threading.active_count()
                hostile.now = next(hostile.turns)
                result, ticks = ask(env, request)
                text = shown(result) + "".join(str(vars(one)) for one in caplog.records)
                assert not [one for one in secrets() if one in text]
                assert ticks <= 1.1 * DEADLINE_TICKS, (number % len(BEHAVIOURS), ticks)
                caplog.clear()
        finally:
            tracemalloc.stop()
    (before, threads_before), (after, threads_after) = figures[WARM], figures[ASKS]
    print(f"\n{cloud}: {before} bytes after {WARM} asks, {after} after {ASKS}")
    assert after <= before * GROWTH_MAX + ROOM_BYTES
    assert threads_after <= threads_before + 2
