"""The baseline of the CPU rows: the very requests of a decision, and the very same answers."""

from __future__ import annotations

import httpx
import pytest

from sgguard import providers
from sgguard.engine.context import Context
from tests.bench.clouds import decide, environment
from tests.bench.replay import again, key_of, recorded, replayed
from tests.worlds import world_of


@pytest.fixture(params=providers.names())
def world(request):
    return world_of(request.param)


@pytest.mark.sampled(5)
def test_bare_calls_get_the_answers_that_a_decision_got(world, tmp_path):
    calls, answers = recorded(world)
    assert len(calls) >= 4
    with replayed(answers, tmp_path) as url, httpx.Client(trust_env=False) as bare:
        for call in calls:
            key = key_of(call.method, call.url.raw_path.decode(), call.headers, call.content)
            assert again(bare, url, call) == answers[key]["body"].encode()
            assert answers[key]["status"] == 200
        decide(world, Context.from_env(environment(world, url)))


def test_bare_calls_carry_the_signature_or_token_of_ours(world):
    calls, _ = recorded(world)
    for call in calls:
        signed = f"{call.url.query.decode()} {call.content.decode()}"
        has_header = {"authorization", "x-auth-token"} & set(call.headers)
        assert has_header or "Signature=" in signed
