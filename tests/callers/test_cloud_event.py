"""Callers that deliver the clouds' own events: buses, whose words are as good as their rights."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sgguard.callers.veil import HIDDEN
from sgguard.model.occurrence import Happened
from tests.callers.test_forgery import row
from tests.callers.test_permit import address, ask
from tests.events.samples import About, made


def event(world, happened: Happened = Happened.DELETE_REFUSED, **more: Any) -> Any:
    given = {"at_s": int(time.time()) - 60, **more}
    about = About(world.referenced, world.server, world.region, **given)
    return made("tencent_cloudaudit", happened, about)


def bus(**more: Any) -> dict[str, Any]:
    given = {"functions": ["cloud_event"], "targets": ["*:*:*:*"], "speaks_for": ["*"], **more}
    return row("bearer", "bus", **given)


@pytest.fixture
def start(guarded):
    return lambda caller: guarded.start(caller, function="cloud_event")


def test_a_bus_that_may_speak_for_everybody_has_its_events_judged(guarded, world, start):
    answer = ask(guarded, start(bus()), event(world))
    assert answer.status_code == 200
    assert answer.json["decisions"][0]["guard"] == "delete"


@pytest.mark.parametrize(
    ("rights", "key"),
    [({"targets": ["tencent::*:sg-other000"]}, "targets"), ({"speaks_for": []}, "speaks_for")],
)
def test_an_event_beyond_the_rights_of_its_bus_is_forbidden(guarded, world, start, rights, key):
    function = start(bus(**rights))
    before = guarded.asked_the_cloud()
    answer = ask(guarded, function, event(world))
    assert answer.status_code == 403
    assert answer.json["problems"][0]["expected"] == key
    assert guarded.asked_the_cloud() == before


def test_what_starts_nothing_is_answered_whatever_the_targets(guarded, world, start):
    function = start(bus(targets=[], speaks_for=[]))
    assert ask(guarded, function, event(world, Happened.CHANGED)).json["status"] == "refreshed"


@pytest.mark.parametrize(("functions", "status"), [(["cloud_event"], 403), (None, 200)])
def test_a_timer_starts_reminders_for_a_caller_that_may_ask_for_them(
    guarded, start, functions, status
):
    caller = bus(functions=functions or ["cloud_event", "approval"])
    tick = made("timer", Happened.DUE, About("", "", "", at_s=int(time.time())))
    assert ask(guarded, start(caller), tick).status_code == status


def test_groups_outside_the_targets_of_a_bus_are_not_named_in_its_answer(guarded, world, start):
    own = [address(world, world.referenced), address(world, world.server)]
    answer = ask(guarded, start(bus(targets=own)), event(world))
    text = answer.get_data(as_text=True)
    assert world.referenced in text
    assert world.referrer_in not in text
    assert HIDDEN in text
    assert answer.json["decisions"][0]["facts"]["hidden_groups"] > 0
