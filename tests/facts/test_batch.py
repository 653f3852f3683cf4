"""Many deletes read together, on every cloud, and what one of them may not do to the others."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from sgguard import providers
from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import decide as pipeline
from sgguard.engine.context import Context
from sgguard.errors import (
    CloudError,
    DeadlineError,
    EventError,
    ThrottledError,
    UnauthenticatedError,
)
from sgguard.facts.batch import SPLITS_MAX, gather_deletes
from sgguard.facts.gather import SLICE
from sgguard.model.address import Address, Scope
from sgguard.model.capabilities import Capabilities
from sgguard.model.codes import Verdict
from sgguard.model.decision import Decision
from sgguard.model.facts import DeleteFacts
from sgguard.model.request import DeleteRequest
from sgguard.model.resource import Binding, Group, Seen, Unseen, Visibility
from sgguard.wire.retry import Retry
from tests.worlds import World, lanes, world_of

SCOPE = Scope("cloud", "", "north")
CAPABILITIES = Capabilities("cloud", "refused", "InUse", "instance", "sg-1")


@pytest.fixture(params=providers.names())
def world(request) -> World:
    return world_of(request.param)


def context_for(world: World, emulator: Emulator, **more: Any) -> Context:
    context = Context.from_env(world.env, transport=EmulatorTransport(emulator), **more)
    return replace(context, retry=Retry(sleep=lambda _: None), lanes=lanes())


def asked(world: World, *sets: Any) -> list[tuple[DeleteRequest, str]]:
    scope = Scope(world.provider, "", world.region)
    return [
        (
            DeleteRequest(
                tuple(Address(scope, one) for one in ([ids] if isinstance(ids, str) else ids))
            ),
            f"e{number}",
        )
        for number, ids in enumerate(sets)
    ]


def decide(world: World, emulator: Emulator, *sets: Any) -> list[Decision | Exception]:
    return pipeline.decide_deletes(asked(world, *sets), context_for(world, emulator))


def judged(outcome: Decision | Exception) -> tuple[Verdict, set[str]]:
    assert isinstance(outcome, Decision), outcome
    return outcome.judgement.verdict, {reason.code for reason in outcome.judgement.reasons}


def crowded(world: World, crowd: int) -> tuple[Emulator, list[str]]:
    """The world with so many more free groups."""
    emulator = world.emulator()
    cloud = emulator.state.clouds[0]
    template = cloud.group(world.free)
    ids = [f"{world.free[:-4]}{number:04x}" for number in range(crowd)]
    for group_id in ids:
        group = copy.deepcopy(template)
        group.id = group_id
        group.name = f"{template.name} {group_id}"
        for rule in group.rules:
            rule.id = ""
        cloud.groups.append(group)
    return emulator, ids


# -- every cloud ---------------------------------------------------------------------------------


@pytest.mark.sampled(5)
def test_a_batch_asks_no_more_than_one_set_of_the_same_groups_would(world):
    emulator, ids = crowded(world, 100)
    decide(world, emulator, world.free)  # a token, where one is needed
    emulator.requests.clear()
    decide(world, emulator, ids)
    as_a_set = len(emulator.requests)
    emulator.requests.clear()
    outcomes = decide(world, emulator, *ids)
    assert len(emulator.requests) == as_a_set
    assert [judged(one) for one in outcomes] == [(Verdict.ALLOW, {"free"})] * 100
    assert [one.event_id for one in outcomes] == [f"e{n}" for n in range(100)]
    assert len({one.decision_id for one in outcomes}) == 100


@pytest.mark.sampled(4)
def test_every_event_of_a_batch_gets_the_verdict_it_would_get_alone(world):
    emulator = world.emulator()
    group_ids = [
        world.free,
        world.referenced,
        world.bound,
        world.missing,
        world.free,
        world.default,
    ]
    group_ids += [world.malformed, world.self_referencing]
    sets: list[Any] = [one for one in group_ids if one]
    sets.append([world.referenced, world.referrer_in, world.referrer_out])
    sets.append([world.referenced, world.referrer_in])
    together = decide(world, emulator, *sets)
    for what, outcome in zip(sets, together, strict=True):
        (alone,) = decide(world, emulator, what)
        assert judged(outcome) == judged(alone)
        for mine, its in zip(outcome.facts.groups, alone.facts.groups, strict=True):
            assert (mine.references, mine.bindings) == (its.references, its.bindings)


def test_a_set_stays_a_set_beside_a_single_of_the_same_group():
    world = world_of("tencent")
    alone, whole = decide(
        world,
        world.emulator(),
        world.referenced,
        [world.referenced, world.referrer_in, world.referrer_out],
    )
    assert judged(alone)[0] is Verdict.BLOCK
    assert judged(whole)[0] is Verdict.ALLOW


@pytest.mark.sampled(6)
def test_one_page_of_garbage_in_a_batch_costs_no_other_event_its_verdict(world):
    emulator, ids = crowded(world, 12)
    decide(world, emulator, world.free)
    emulator.faults.append(Fault("garbage", action=world.denied_references))
    outcomes = decide(world, emulator, *ids)
    assert [judged(one) for one in outcomes] == [(Verdict.ALLOW, {"free"})] * 12


@pytest.mark.sampled(4)
def test_a_cloud_that_throttles_without_end_is_every_events_error_and_asked_once(world):
    emulator, ids = crowded(world, 8)
    decide(world, emulator, world.free)
    emulator.faults.append(Fault("throttle", count=10_000))
    emulator.requests.clear()
    (alone,) = decide(world, emulator, ids)
    once = len(emulator.requests)
    emulator.requests.clear()
    outcomes = decide(world, emulator, *ids)
    assert all(isinstance(one, ThrottledError) for one in (alone, *outcomes))
    assert len(emulator.requests) <= 2 * once


def test_events_of_other_scopes_do_not_hear_of_one_that_cannot_be_asked():
    tencent, alibaba = world_of("tencent"), world_of("alibaba")
    emulator = Emulator.load({"clouds": [*tencent.scenario["clouds"], *alibaba.scenario["clouds"]]})
    emulator.faults.append(Fault("drop", provider="alibaba", count=10_000))
    context = Context.from_env(
        {**tencent.env, **alibaba.env}, transport=EmulatorTransport(emulator)
    )
    context = replace(context, retry=Retry(sleep=lambda _: None), lanes=lanes())
    nowhere = (DeleteRequest((Address(Scope("nimbus", "", "n"), "sg-1"),)), "x")
    foreign = (DeleteRequest((Address(Scope("tencent", "red", "n"), "sg-1"),)), "y")
    outcomes = pipeline.decide_deletes(
        [
            *asked(alibaba, alibaba.free),
            nowhere,
            *asked(tencent, tencent.free),
            foreign,
            *asked(alibaba, alibaba.free),
        ],
        context,
    )
    kinds = [type(one).__name__ for one in outcomes]
    assert kinds == [
        "UnreachableError",
        "AddressError",
        "Decision",
        "EventError",
        "UnreachableError",
    ]
    assert isinstance(outcomes[3], EventError)


def test_an_empty_batch_asks_nothing(world):
    emulator = world.emulator()
    assert decide(world, emulator) == []
    assert not emulator.requests


# -- troublemakers -------------------------------------------------------------------------------


@dataclass
class Cloud:
    """A provider in which some groups spoil every answer they are in."""

    raises: dict[str, Exception] = field(default_factory=dict)
    hides: dict[str, str] = field(default_factory=dict)
    reads: list[tuple[str, ...]] = field(default_factory=list)
    visibility: Visibility = Visibility.ACCOUNT
    capabilities: Capabilities = CAPABILITIES

    def is_group_id(self, text: str) -> bool:
        return text.startswith("sg-")

    def read_groups(self, group_ids: Sequence[str]) -> Seen[dict[str, Group | None]]:
        self.reads.append(tuple(group_ids))
        for group_id in group_ids:
            if group_id in self.raises:
                raise self.raises[group_id]
        return Seen({one: Group(one) for one in group_ids})

    def list_references(self, group_ids: Sequence[str]) -> Any:
        return Seen(dict.fromkeys(group_ids, ()))

    def list_bindings(self, group_ids: Sequence[str]) -> Any:
        held = {one: (Binding("instance", f"i-{one}"),) for one in group_ids}
        unseen = [
            Unseen(self.hides[one], "bindings", "odd") for one in group_ids if one in self.hides
        ]
        return Seen({} if unseen else held, tuple(unseen[:1]))


def requests(count: int) -> list[DeleteRequest]:
    return [DeleteRequest((Address(SCOPE, f"sg-{n}"),)) for n in range(count)]


def whole(outcome: Any) -> bool:
    return isinstance(outcome, DeleteFacts) and not outcome.groups[0].unseen


REFUSED = CloudError("cloud", "Read", code="InvalidParameter.Odd")


@pytest.mark.parametrize("bad", [{0}, {57}, {99}, {3, 4}, {10, 90}], ids=str)
@pytest.mark.parametrize("error", [REFUSED, KeyError("a bug")], ids=["refused", "bug"])
def test_a_group_that_spoils_the_shared_read_spoils_its_own_event_only(bad, error):
    cloud = Cloud(raises={f"sg-{n}": error for n in bad})
    outcomes = gather_deletes(cloud, requests(100))
    assert {n for n, one in enumerate(outcomes) if not whole(one)} == bad
    assert all(outcomes[n] is error for n in bad)
    assert len(cloud.reads) <= 1 + 2 * SPLITS_MAX


@pytest.mark.parametrize("code", ["unknown-shape", "record-ceiling"])
def test_a_gap_without_a_group_is_attributed_to_one(code):
    cloud = Cloud(hides={"sg-42": code})
    outcomes = gather_deletes(cloud, requests(100))
    assert [n for n, one in enumerate(outcomes) if not whole(one)] == [42]
    assert outcomes[42].groups[0].unseen[0].code == code


def test_a_gap_that_is_everybodys_stays_everybodys_after_a_bounded_search():
    cloud = Cloud(hides={f"sg-{n}": "unknown-shape" for n in range(100)})
    outcomes = gather_deletes(cloud, requests(100))
    assert not [one for one in outcomes if whole(one)]
    assert len(cloud.reads) <= 1 + 2 * SPLITS_MAX


def test_a_missing_permission_is_not_searched_for():
    cloud = Cloud(hides={f"sg-{n}": "no-permission" for n in range(100)})
    assert not [one for one in gather_deletes(cloud, requests(100)) if whole(one)]
    assert len(cloud.reads) == 1


@pytest.mark.parametrize(
    "error",
    [
        ThrottledError("cloud", "Read"),
        DeadlineError("late"),
        UnauthenticatedError("cloud", "Read"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_everybodys_trouble_is_asked_once(error):
    cloud = Cloud(raises={"sg-7": error})
    assert gather_deletes(cloud, requests(20)) == [error] * 20
    assert len(cloud.reads) == 1


def test_time_that_runs_out_during_the_search_leaves_the_first_answer_with_its_gaps():
    class Late(Cloud):
        def read_groups(self, group_ids):
            found = super().read_groups(group_ids)
            if len(group_ids) < 100:
                raise DeadlineError("late")
            return found

    outcomes = gather_deletes(Late(hides={"sg-1": "unknown-shape"}), requests(100))
    assert [one.groups[0].unseen[0].code for one in outcomes] == ["unknown-shape"] * 100


def test_the_same_group_in_many_events_is_asked_about_once():
    cloud = Cloud()
    assert len(gather_deletes(cloud, requests(3) * 4)) == 12
    assert cloud.reads == [("sg-0", "sg-1", "sg-2")]


def test_of_a_batch_only_what_nothing_was_read_of_in_time_is_asked_again():
    late = DeadlineError("the time of this event is used up")
    cloud = Cloud(raises={f"sg-{SLICE}": late})
    asked_for = requests(SLICE + 2)
    both = DeleteRequest((*asked_for[0].targets, *asked_for[SLICE].targets))
    found = gather_deletes(cloud, [*asked_for, both])
    assert all(map(whole, found[:SLICE]))
    assert [type(one) for one in found[SLICE:]] == [DeadlineError, DeadlineError, DeleteFacts]
    first, second = found[-1].groups
    assert (first.unseen, [one.code for one in second.unseen]) == ((), ["out-of-time"])
