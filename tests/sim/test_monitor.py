"""The monitor sees what no engine may do: workers here break the rules on purpose."""

from __future__ import annotations

import pytest

from sgguard.engine.context import connect
from sgguard.model.address import Scope
from sgguard.model.change import Holder
from tests.sim import actors
from tests.sim.run import run
from tests.sim.story import Story, id_of
from tests.worlds import world_of

GROUPS = {
    "g0": [],
    "g1": [["ingress", "22", "g0"], ["ingress", "443", ""]],
    "g2": [],
}


def story(*tasks: dict, provider: str = "tencent", **more) -> Story:
    """A story of a policy that permits to revoke, and these tasks."""
    policies = {"p0": {"ports": [], "remedies": ["revoke"]}}
    holders = {"h0": ["g1", "g2"]}
    return Story(provider, "1", GROUPS, holders, policies, list(tasks), jitter=False, **more)


def deliver(name: str, *targets: str, at: float = 0.0, mishaps=()) -> dict:
    event = {"id": f"e-{name}", "targets": list(targets), "by": "alice"}
    return {
        "name": name,
        "kind": "deliver",
        "at": at,
        "events": [event],
        "mishaps": list(mishaps),
    }


@pytest.fixture
def rogue(monkeypatch):
    """A worker that asks no store: it changes the cloud as it likes."""

    def give(change) -> None:
        def act(world, task, spec) -> None:
            del spec
            scope = Scope(world.story.provider, "", world_of(world.story.provider).region)
            change(connect(scope, world.context(task)), world)

        monkeypatch.setitem(actors.ACTS, "rogue", act)

    return give


ROGUE = {"name": "rogue", "kind": "rogue", "at": 0.0, "mishaps": []}


def test_an_ordinary_delete_breaks_nothing():
    result = run(story(deliver("d1", "g0")))
    assert not result.violations, list(map(str, result.violations.values()))
    assert list(result.outcomes.values()) == ["remediated"]


def test_a_delete_that_is_in_no_journal_is_seen(rogue):
    rogue(lambda cloud, world: cloud.delete_group(id_of(world.story.provider, "g2")))
    found = run(story(ROGUE, provider="openstack", restores=False)).violations
    # The port that carries it keeps Neutron from deleting it: nothing was done.
    assert not found
    bare = story(ROGUE, provider="openstack")
    bare.holders = {}
    assert "I2-unintended" in run(bare).violations


def test_a_rule_that_is_revoked_without_a_journal_is_seen(rogue):
    def revoke(cloud, world) -> None:
        group_id = id_of(world.story.provider, "g1")
        cloud.remove_rule(group_id, cloud.list_rules(group_id).value[0], token="t")

    rogue(revoke)
    assert "I2-unintended" in run(story(ROGUE)).violations


def test_a_holder_that_loses_a_group_without_a_journal_is_seen(rogue):
    def unbind(cloud, world) -> None:
        provider = world.story.provider
        holder = Holder("instance", id_of(provider, "h0"), id_of(provider, "h0"))
        both = tuple(id_of(provider, one) for one in ("g1", "g2"))
        cloud.set_groups(holder, both, both[:1], token="t")

    rogue(unbind)
    assert "I2-unintended" in run(story(ROGUE)).violations


def test_a_record_that_says_remediated_about_a_group_that_is_there_is_seen(monkeypatch):
    def create(world, task, spec) -> None:
        del task, spec
        (cloud,) = world.emulator.state.clouds
        again = world.emulator.state.clouds[0].groups[-1]
        again.id = id_of(world.story.provider, "g0")
        world.monitor.picture = type(world.monitor.picture).of(cloud)

    monkeypatch.setitem(actors.ACTS, "create", create)
    late = {"name": "x", "kind": "create", "at": 50.0, "mishaps": []}
    assert "I5-truth" in run(story(deliver("d1", "g0"), late)).violations


def test_an_error_that_is_none_of_ours_is_seen(monkeypatch):
    monkeypatch.setitem(
        actors.ACTS,
        "deliver",
        lambda world, task, spec: actors._said(world, task, "e-d1", ZeroDivisionError("oops")),
    )
    assert "crash" in run(story(deliver("d1", "g0"))).violations


def test_a_record_that_moves_and_tells_nobody_is_seen(rogue):
    rogue(lambda cloud, world: written(world, "UPDATE sgguard_decisions SET outcome = 'undone'"))
    result = run(story(deliver("d1", "g0"), {**ROGUE, "at": 30.0}))
    assert {"I4-untold", "I4-record"} <= set(result.violations)


def test_an_answer_without_a_record_is_seen(rogue):
    rogue(lambda cloud, world: written(world, "DELETE FROM sgguard_decisions"))
    result = run(story(deliver("d1", "g2"), {**ROGUE, "at": 30.0}))
    assert "there is no record" in result.violations["I4-now"].text


def written(world, statement: str) -> None:
    """Write into the store past all of its steps."""
    world.store._database.transaction(lambda session: session.count(statement))
