"""What a later decision overwrote comes back once both are restored, in any order."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st

from sgguard import providers
from tests.examples import examples
from tests.remedy.harness import Harness
from tests.remedy.test_restore_any_order import NUMBERS, PAIRS, circle, deleted, state
from tests.worlds import world_of

QUARANTINE = """
[launch]
remedies = ["quarantine"]
quarantine_group = "{quarantine}"
forbidden = ["{forbidden}"]
"""


def rewriting(provider: str, folder) -> Harness:
    """A harness that rewrites rules to a group, and revokes them where that one goes itself."""
    return Harness(world_of(provider), folder, remedies=("rewrite", "revoke", "unbind", "move"))


def restored_twice(harness: Harness, decisions: list[str]) -> list[dict[str, Any]]:
    """Restore all, then all once more: what had to wait is made at the latest then."""
    found = [harness.restore(one) for one in (*decisions, *decisions)]
    return [*{one["decision_id"]: one for one in found}.values()]


@pytest.mark.parametrize("provider", providers.names())
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["as deleted", "reversed"])
@pytest.mark.sampled(12)
def test_a_rewritten_rule_does_not_come_back_beside_the_first_one(provider, order, tmp_path):
    harness = rewriting(provider, tmp_path)
    before = harness.comparable_state()
    decisions = deleted(harness, harness.world.referenced, harness.world.free)
    restored = restored_twice(harness, [decisions[one] for one in order])
    assert {one["outcome"] for one in restored} == {"remediated"}
    assert state(harness, *restored) == before


@pytest.mark.sampled(6)
@pytest.mark.parametrize("provider", providers.names())
@examples(8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pairs=st.lists(st.sampled_from(PAIRS), max_size=4, unique=True),
    removal=st.permutations([*NUMBERS]),
    place=st.integers(1, 3),
    order=st.sampled_from(list(permutations(range(4)))),
)
@example(pairs=[(2, 0)], removal=[1, 0, 2], place=3, order=(2, 1, 0, 3))
def test_the_group_that_took_the_place_of_others_comes_back_in_any_order(
    provider, tmp_path_factory, **drawn
):
    removal, place, order = drawn["removal"], drawn["place"], drawn["order"]
    harness = rewriting(provider, tmp_path_factory.mktemp("r"))
    ids = circle(harness, drawn["pairs"])
    before = state(harness)
    going = [ids[one] for one in removal[:place]] + [harness.world.free]
    decisions = deleted(harness, *going)
    restored = restored_twice(harness, [decisions[one] for one in order if one < len(decisions)])
    assert {one["outcome"] for one in restored} == {"remediated"}
    assert state(harness, *restored) == before


@pytest.mark.parametrize("provider", providers.names())
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["as decided", "reversed"])
@pytest.mark.sampled(10)
def test_a_holder_returns_to_its_groups_when_its_quarantine_was_deleted(provider, order, tmp_path):
    if provider == "tencent-dfw":
        pytest.skip("API 2.0 does not tell whether an instance can be bound now")
    harness = Harness(world_of(provider), tmp_path)
    world, quarantine = harness.world, harness.world.referenced
    harness.more = QUARANTINE.format(quarantine=quarantine, forbidden=world.bound)
    before = harness.comparable_state()
    first = harness.launch(world.server)
    assert first["outcome"] == "remediated", first["reasons"]
    second = harness.delete(quarantine)
    assert second["outcome"] == "remediated", second["reasons"]
    decisions = [first["decision_id"], second["decision_id"]]
    restored = restored_twice(harness, [decisions[one] for one in order])
    assert "remediated" in {one["outcome"] for one in restored}
    assert state(harness, *restored) == before
