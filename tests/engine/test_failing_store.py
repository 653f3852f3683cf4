"""A store that fails is an error, and never read as "there is no store"."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from sgguard.engine import handle
from sgguard.engine.context import Context
from sgguard.errors import StoreError
from sgguard.model.address import Address
from sgguard.model.codes import Mode
from sgguard.model.event import Event
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.store.base import Store
from tests.remedy.harness import Harness
from tests.worlds import world_of

# What a delivery that only observes calls, in this order.
CALLS = ("claim", "end")


class Failing:
    """The store, but for the methods named: those fail."""

    def __init__(self, store: Store, *methods: str) -> None:
        self._store = store
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        if name in self._methods:
            raise StoreError(f"the disk is full ({name})")
        return getattr(self._store, name)


@pytest.fixture
def harness(tmp_path) -> Harness:
    return Harness(world_of("tencent"), tmp_path)


def failing(harness: Harness, *methods: str, mode: Mode | None = None) -> Context:
    context = harness.context()
    settings = replace(context.settings, mode=mode)
    return replace(context, store=Failing(context.store, *methods), settings=settings)


def deliver(harness: Harness, context: Context, group_id: str, event_id: str = "e-1"):
    target = Address(harness.scope, group_id)
    event = Event(event_id, {"targets": [str(target)]}, "/portal")
    (handled,) = handle.deletes([(DeleteRequest((target,), "alice"), event)], context)
    return handled


def changes(harness: Harness) -> list[str]:
    return [r.action for r in harness.emulator.requests if not r.action.startswith("Describe")]


@pytest.mark.parametrize("mode", ["enforce", "approve"])
@pytest.mark.parametrize("who", ["free", "referenced", "missing"])
def test_nothing_is_decided_while_an_event_cannot_be_claimed(harness, mode, who):
    harness.mode = mode
    handled = deliver(harness, failing(harness, "claim"), getattr(harness.world, who))
    assert isinstance(handled, StoreError)
    assert changes(harness) == []


def test_a_scope_that_may_change_something_is_enough_for_an_error(harness):
    harness.mode = "observe"
    harness.more = '[[scope]]\nmatch = { region = "elsewhere-*" }\nmode = "enforce"\n'
    assert isinstance(deliver(harness, failing(harness, "claim"), harness.world.free), StoreError)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.sampled(2)
def test_where_every_mode_observes_the_verdict_is_given_and_says_that_it_is_not_kept(harness, call):
    harness.mode = "observe"
    handled = deliver(harness, failing(harness, call), harness.world.referenced)
    assert isinstance(handled, dict), handled
    assert handled["outcome"] == "unchanged"
    assert handled["note"] == "not kept: the store failed"


def test_the_mode_of_the_environment_wins_over_that_of_the_policy(harness):
    harness.mode = "enforce"
    context = failing(harness, "claim", mode=Mode.OBSERVE)
    handled = deliver(harness, context, harness.world.referenced)
    assert handled["note"] == "not kept: the store failed"
    harness.mode = "observe"
    context = failing(harness, "claim", mode=Mode.ENFORCE)
    assert isinstance(deliver(harness, context, harness.world.referenced), StoreError)


def test_a_plan_that_was_half_carried_out_is_not_answered_with_allow(harness):
    """Its references are gone already, so a fresh judgement would find the group free."""
    group_id = harness.world.referenced
    broken = failing(harness, "settle")
    assert isinstance(deliver(harness, broken, group_id), StoreError)
    assert isinstance(deliver(harness, failing(harness, "claim"), group_id), StoreError)
    handled = deliver(harness, harness.context(), group_id)
    assert not isinstance(handled, dict) or handled["outcome"] == "remediated"


def test_a_decided_event_does_not_get_a_second_decision(harness):
    first = deliver(harness, harness.context(), harness.world.free)
    assert first["verdict"] == "allow"
    assert isinstance(deliver(harness, failing(harness, "claim"), harness.world.free), StoreError)
    assert deliver(harness, harness.context(), harness.world.free) == first


def test_of_a_batch_every_event_gets_the_stores_error(harness):
    ids = [harness.world.free, harness.world.referenced]
    asked = []
    for group_id in ids:
        target = Address(harness.scope, group_id)
        asked.append((DeleteRequest((target,)), Event(group_id, {"target": str(target)}, "/p")))
    handled = handle.deletes(asked, failing(harness, "claim"))
    assert [type(one) for one in handled] == [StoreError, StoreError]


def test_a_launch_is_not_decided_either(harness):
    request = LaunchRequest(harness.scope, (harness.world.free,), count=1)
    event = Event("l-1", {"count": 1}, "/portal")
    (handled,) = handle.launches([(request, event)], failing(harness, "claim"))
    assert isinstance(handled, StoreError)
