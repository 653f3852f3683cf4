"""Recalled answers, of this story or of another one, change no story."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

from sgguard.wire import client
from tests.sim import run as runs
from tests.sim.generate import PROVIDERS, story_of
from tests.sim.recall import forget, recalling
from tests.sim.seams import SimTransport

SEEDS = {"tencent": "10", "tencent-dfw": "26", "alibaba": "12", "huawei": "49", "openstack": "48"}
"""Of each cloud a story in which a change comes between a read and its answer."""


@pytest.fixture
def recalled(monkeypatch) -> list[bool]:
    """For each read that was known, whether the cloud was still as it was when it arrived."""
    found: list[bool] = []
    real = SimTransport.recalled

    def counted(self, *known):
        answer = real(self, *known)
        found.append(answer is not None)
        return answer

    monkeypatch.setattr(SimTransport, "recalled", counted)
    return found


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.sampled(3)
def test_a_story_is_the_same_without_recalled_answers(provider, recalled, monkeypatch):
    story = story_of(provider, SEEDS[provider])
    forget()
    with_them = runs.run(story)
    assert len(recalled) > 10
    assert not all(recalled)  # a change came between: it was asked anew
    again = runs.run(story)  # every answer is known already
    assert all(recalled[len(recalled) // 2 :])
    assert again.log == with_them.log
    monkeypatch.setattr(runs, "recalling", nullcontext)
    monkeypatch.setattr(runs, "remembering", nullcontext)
    without = runs.run(story)
    assert without.log == with_them.log
    assert without.points == with_them.points
    assert without.violations == with_them.violations


def test_the_wire_is_as_it_was_afterwards():
    before = client.Wire.write, client.with_query
    with recalling():
        assert client.Wire.write is not before[0]
    assert (client.Wire.write, client.with_query) == before
