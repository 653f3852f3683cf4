"""The last look before a delete comes after its line is written, and nothing but the call after it.

OpenStack removes the rules that name a deleted group, in silence.
"""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest
from msgspec.structs import replace

from sgguard import providers
from sgguard.emulator import edit
from sgguard.emulator.faults import Fault
from sgguard.emulator.resource import Rule
from sgguard.errors import SgguardError
from sgguard.store import open_store
from tests.engine.interleaved import Between, DiedError, Watching, a_delete, context_of, deliver
from tests.remedy.harness import Harness
from tests.remedy.test_unchanged import add_rule, cloud_of
from tests.stores import Clock
from tests.worlds import world_of

RULE = Rule("ingress", id="9f0c1a52-0000-4000-8000-00000000aa01", ports="8443")


@pytest.fixture(params=providers.names())
def harness(request, tmp_path) -> Harness:
    return Harness(world_of(request.param), tmp_path)


@pytest.fixture
def openstack(tmp_path) -> Harness:
    return Harness(world_of("openstack"), tmp_path)


def name_it(harness: Harness, group_id: str) -> None:
    """Let another group name this one, which no plan knows of."""
    rule = dataclasses.replace(RULE, peer_group=group_id)
    edit.add_rule(cloud_of(harness), harness.world.free, rule)


def names_it(harness: Harness, group_id: str) -> bool:
    rules = cloud_of(harness).group(harness.world.free).rules
    return any(rule.peer_group == group_id for rule in rules)


def at_the_delete(harness: Harness, happens, *, is_after: bool = True):
    """A context where something happens when the delete of the group is intended."""
    context = context_of(harness)

    class Store:
        def __getattr__(self, name):
            return getattr(context.store, name)

        def intend(self, claim, lines, lease_s):
            is_delete = any('"delete-group"' in one.change_json for one in lines)
            if is_delete and not is_after:
                happens()
            context.store.intend(claim, lines, lease_s)
            if is_delete and is_after:
                happens()

    return replace(context, store=Store())


@pytest.mark.parametrize("is_after", [False, True], ids=["before it is intended", "after"])
@pytest.mark.sampled(8)
def test_a_rule_that_names_the_group_at_the_last_moment_is_not_lost(harness, is_after):
    target = harness.world.referenced
    context = at_the_delete(harness, lambda: name_it(harness, target), is_after=is_after)
    document = deliver(context, a_delete(harness, target))
    assert document["outcome"] == "undone", document["note"]
    assert names_it(harness, target)
    assert cloud_of(harness).group(target) is not None
    lines = [one for one in document["journal"] if one["change"]["kind"] == "delete-group"]
    assert [one["state"] for one in lines] == ["not-done"]
    assert lines[0]["note"].startswith("not sent: ")


def test_between_the_look_and_the_delete_nothing_else_is_asked_or_written(openstack):
    asked: list[str] = []
    context = context_of(openstack)
    context = context_of(openstack, transport=Watching(openstack, asked.append))
    between = Between(context.store, (), int)

    class Noted:
        def __getattr__(self, name):
            method = getattr(between, name)
            if name not in ("intend", "settle"):
                return method

            def call(*args, **given):
                asked.append(name)
                return method(*args, **given)

            return call

    done = deliver(replace(context, store=Noted()), a_delete(openstack, openstack.world.referenced))
    assert done["outcome"] == "remediated"
    sent = next(n for n, one in enumerate(asked) if one.startswith("DELETE /v2.0/security-groups/"))
    last = max(n for n, one in enumerate(asked[:sent]) if one == "intend")
    looked = asked[last + 1 : sent]
    assert looked
    assert all(one.startswith("GET ") for one in looked), looked


def test_it_costs_no_transaction(openstack):
    context = context_of(openstack)
    between = Between(context.store, (), int)
    done = deliver(replace(context, store=between), a_delete(openstack, openstack.world.referenced))
    waves = Counter(between.calls)
    lines = len(done["journal"])
    assert waves["intend"] == waves["settle"] <= lines


@pytest.mark.sampled(8)
def test_a_death_between_the_line_and_the_look_is_settled_by_the_world(harness):
    target = harness.world.referenced

    def die() -> None:
        raise DiedError

    context = at_the_delete(harness, die)
    with pytest.raises(DiedError):
        deliver(context, a_delete(harness, target))
    [run] = context.store.open_runs()
    name_it(harness, target)
    later = Clock(context.store.now_s() + 3600.0)
    store = open_store(harness.env["SGGUARD_STORE"], later)
    document = deliver(context_of(harness, store=store), a_delete(harness, target))
    assert document["outcome"] == "undone", document["note"]
    assert names_it(harness, target)
    states = [one["state"] for one in document["journal"] if "delete" in one["change"]["kind"]]
    assert states == ["not-done", "not-done"]
    assert store.run(run.decision_id).state == "undone"


def test_where_it_cannot_look_nothing_was_sent_and_the_next_delivery_goes_on(openstack):
    target = openstack.world.referenced
    fault = Fault("error", action="GET /v2.0/security-groups", count=100, status=503)

    def fails() -> None:
        openstack.emulator.faults.append(fault)

    context = at_the_delete(openstack, fails)
    assert isinstance(deliver(context, a_delete(openstack, target)), SgguardError)
    [run] = context.store.open_runs()
    [line] = [one for one in context.store.entries(run.decision_id) if "delete" in one.change_json]
    assert (line.state, line.note[:10]) == ("not-done", "not sent: ")
    openstack.emulator.faults.clear()
    assert deliver(context_of(openstack), a_delete(openstack, target))["outcome"] == "remediated"


@pytest.mark.sampled(4)
def test_a_group_that_changed_is_looked_at_before_each_try(harness):
    """A delete that is refused for now is sent again only where the group is as it was."""
    target = harness.world.referenced
    action = {
        "openstack": "DELETE /v2.0/security-groups/{id}",
        "huawei": "DELETE /v3/{project_id}/vpc/security-groups/{id}",
    }.get(harness.world.provider, "DeleteSecurityGroup")
    context, tried = context_of(harness), []

    def before(name: str) -> None:
        if name == action and not tried:
            tried.append(name)
            harness.emulator.faults.append(Fault("throttle", action=action, count=1))
            add_rule(harness, target)

    context = context_of(harness, transport=Watching(harness, before))
    context = replace(context, retry=replace(context.retry, attempts=1))
    document = deliver(context, a_delete(harness, target))
    assert document["outcome"] == "undone", document["note"]
    assert "was added to" in document["note"]
    assert cloud_of(harness).group(target) is not None
