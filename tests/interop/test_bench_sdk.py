"""The bench on the vendors' SDKs asks what a decision asks, call by call."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from urllib.parse import parse_qsl

import pytest

from sgguard.emulator.server import serve
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine.context import Context
from tests.bench import sdk
from tests.bench.clouds import decide
from tests.worlds import world_of


def asked(requests):
    """What was asked, without tokens, versions and where an API begins."""
    return Counter(
        (one.action, tuple(sorted(parse_qsl(one.query))) if one.method == "GET" else "")
        for one in requests
        if "tokens" not in one.action and one.action not in ("GET /", "GET /v2.0", "GET /identity")
    )


@pytest.mark.parametrize("name", sorted(sdk.SDKS))
def test_an_sdk_asks_the_very_same_questions(name):
    if name not in sdk.installed():
        pytest.skip("needs the extra interop")
    world = world_of(name)
    ours = world.emulator()
    for _ in range(2):  # only the first asks for a token
        ours.requests.clear()
        decide(world, Context.from_env(world.env, transport=EmulatorTransport(ours)))
    with serve(world.emulator()) as theirs:
        source = f"{sdk.source(world, theirs.url)}\nsdk(None)\n"
        command = [sys.executable, "-W", "ignore", "-c", source]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr[-2000:]
        requests = theirs.emulator.requests
        assert asked(requests) == asked(ours.requests)
        assert {one.status for one in requests} <= {200, 201, 300}
