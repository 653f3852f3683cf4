"""Newer events win whenever they come, and only over what is about the same."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec.structs import replace

from sgguard.engine import handle
from sgguard.errors import BusyError
from sgguard.model.event import Event
from sgguard.model.request import LaunchRequest
from sgguard.store import open_store
from sgguard.store.audit import AHEAD_S
from tests.engine.interleaved import Between, a_delete, context_of, deliver
from tests.remedy.harness import Harness
from tests.stores import Clock
from tests.worlds import world_of

NOW_S = 1_800_000_000.0


@pytest.fixture
def harness(tmp_path) -> Harness:
    return Harness(world_of("tencent"), tmp_path, mode="observe")


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW_S)


def dated(harness: Harness, clock: Clock):
    """A context whose store has this clock."""
    store = open_store(harness.env["SGGUARD_STORE"], clock)
    return context_of(harness, store=store)


def delete(harness: Harness, clock: Clock, event_id: str, at_s: float, account: str = ""):
    env = {"SGGUARD_ACCOUNT_TENCENT": "prod"}
    store = open_store(harness.env["SGGUARD_STORE"], clock)
    asked = a_delete(
        harness, harness.world.referenced, event_id=event_id, at_s=at_s, account=account
    )
    return deliver(context_of(harness, env=env, store=store), asked)


def launch(harness: Harness, clock: Clock, event_id: str, at_s: float, **request):
    planned = LaunchRequest(harness.scope, **request)
    event = Event(event_id, {"x": event_id}, "/portal", at_s=at_s)
    (found,) = handle.launches([(planned, event)], dated(harness, clock))
    return found


def test_an_older_event_about_the_same_group_is_superseded(harness, clock):
    assert delete(harness, clock, "e-2", NOW_S - 5)["outcome"] == "unchanged"
    assert delete(harness, clock, "e-1", NOW_S - 9)["outcome"] == "superseded"
    assert delete(harness, clock, "e-3", NOW_S - 1)["outcome"] == "unchanged"


def test_a_group_is_the_same_whether_its_account_is_named_or_not(harness, clock):
    assert delete(harness, clock, "e-2", NOW_S - 5, account="prod")["outcome"] == "unchanged"
    assert delete(harness, clock, "e-1", NOW_S - 9)["outcome"] == "superseded"


def test_planned_launches_with_other_groups_have_nothing_to_do_with_each_other(harness, clock):
    newer = {"group_ids": (harness.world.free,)}
    older = {"group_ids": (harness.world.bound,)}
    assert launch(harness, clock, "l-2", NOW_S - 5, **newer)["outcome"] == "unchanged"
    assert launch(harness, clock, "l-1", NOW_S - 9, **older)["outcome"] == "unchanged"
    assert launch(harness, clock, "l-0", NOW_S - 9, **newer)["outcome"] == "superseded"


def test_planned_launches_without_groups_have_nothing_to_do_with_each_other(harness, clock):
    assert launch(harness, clock, "l-2", NOW_S - 5)["outcome"] == "unchanged"
    assert launch(harness, clock, "l-1", NOW_S - 9)["outcome"] == "unchanged"


def test_a_planned_launch_supersedes_no_delete_of_its_group(harness, clock):
    launch(harness, clock, "l-1", NOW_S - 1, group_ids=(harness.world.referenced,))
    assert delete(harness, clock, "e-1", NOW_S - 9)["outcome"] == "unchanged"


def test_events_of_a_batch_in_order_supersede_none_of_each_other(harness, clock):
    for number in range(10):
        asked = [
            a_delete(
                harness,
                harness.world.referenced,
                event_id=f"e-{number}-{n}",
                at_s=NOW_S - 1000 + 10 * number + n,
            )
            for n in range(8)
        ]
        found = handle.deletes(asked, dated(harness, clock))
        assert [one["outcome"] for one in found] == ["unchanged"] * 8


def test_of_a_batch_out_of_order_the_older_is_superseded(harness, clock):
    asked = [
        a_delete(harness, harness.world.referenced, event_id=f"e-{age}", at_s=NOW_S - age)
        for age in (5, 9)
    ]
    found = handle.deletes(asked, dated(harness, clock))
    assert [one["outcome"] for one in found] == ["unchanged", "superseded"]


def test_a_time_to_come_supersedes_nothing_that_happens_later(harness, clock):
    assert delete(harness, clock, "e-2099", 4_100_000_000.0)["outcome"] == "unchanged"
    clock.pass_(60)
    assert delete(harness, clock, "e-1", NOW_S + 30)["outcome"] == "unchanged"
    assert delete(harness, clock, "e-0", NOW_S - 30)["outcome"] == "superseded"


@pytest.mark.parametrize("step_s", [2, 30, 250])
@pytest.mark.sampled(4)
def test_a_clock_that_is_put_back_a_little_does_not_turn_the_order_around(harness, clock, step_s):
    assert delete(harness, clock, "e-1", NOW_S - 5)["outcome"] == "unchanged"
    clock.pass_(-step_s)
    assert delete(harness, clock, "e-2", NOW_S - 1)["outcome"] == "unchanged"
    assert delete(harness, clock, "e-0", NOW_S - 3)["outcome"] == "superseded"


def test_a_time_far_to_come_counts_as_now_and_supersedes_no_later_event(harness, clock):
    far_s = NOW_S + AHEAD_S
    assert delete(harness, clock, "e-1", far_s + 1)["outcome"] == "unchanged"
    clock.pass_(10)
    assert delete(harness, clock, "e-2", NOW_S + 5)["outcome"] == "unchanged"
    assert delete(harness, clock, "e-3", far_s)["outcome"] == "unchanged"
    assert delete(harness, clock, "e-4", NOW_S + 6)["outcome"] == "superseded"


def test_an_event_that_was_only_sent_away_supersedes_nothing(harness, clock):
    harness.mode = "enforce"
    store = open_store(harness.env["SGGUARD_STORE"], clock)
    other = store.claim("bus", "x", owner="w", decision_id="d", lease_s=60.0, payload_hash="h")
    store.lock(other, [f"tencent::{harness.world.region}:{harness.world.referenced}"], 60.0)
    assert isinstance(delete(harness, clock, "e-2", NOW_S - 5), BusyError)
    store.release(other)
    assert delete(harness, clock, "e-1", NOW_S - 9)["outcome"] == "remediated"


def test_an_event_that_is_overtaken_while_it_is_judged_changes_nothing(harness, clock):
    harness.mode = "enforce"
    observing = dataclasses.replace(harness, mode="observe")
    observing.emulator = harness.emulator
    context = dated(harness, clock)
    between = Between(context.store, ("lock",), lambda: delete(observing, clock, "e-2", NOW_S - 5))
    asked = a_delete(harness, harness.world.referenced, at_s=NOW_S - 9)
    found = deliver(replace(context, store=between), asked)
    assert found["outcome"] == "superseded"
    (cloud,) = harness.emulator.state.clouds
    assert cloud.group(harness.world.referenced) is not None
