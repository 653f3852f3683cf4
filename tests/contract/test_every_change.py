"""What every provider promises when it changes a cloud, over its own emulated cloud."""

from __future__ import annotations

import itertools
from contextlib import suppress

import pytest
from msgspec.structs import replace

from sgguard import providers
from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.errors import CloudError, ConflictError, InUseError, NotFoundError, SettingsError
from sgguard.model.change import Change, content, holder_of
from sgguard.model.resource import Group, Rule
from sgguard.providers import Cloud
from sgguard.remedy.observe import observe
from sgguard.remedy.plan import position_of
from sgguard.remedy.world import State, apply
from sgguard.render.language.sentence import whole_english
from tests.worlds import World, world_of

COUNT = itertools.count()


def token() -> str:
    """Another for each change, as a journal gives them."""
    return f"0123456789abcdef0123456789abcdef-{next(COUNT)}-0"


# Neither says who asks, nor changes anything: what is left of a log are the changes.
READING = ("GET", "Describe", "POST /v3/auth/tokens", "List")


@pytest.fixture(params=providers.names())
def world(request) -> World:
    return world_of(request.param)


def emulator_of(world: World) -> Emulator:
    """The world's cloud; of the old Tencent API without further interfaces.

    API 2.0 tells the groups of an instance only where no further interface carries any of them.
    """
    emulator = world.emulator()
    if world.provider == "tencent-dfw":
        (cloud,) = emulator.state.clouds
        cloud.interfaces = [one for one in cloud.interfaces if one.kind == "primary"]
    return emulator


@pytest.fixture
def emulator(world) -> Emulator:
    return emulator_of(world)


@pytest.fixture
def cloud(world, emulator) -> Cloud:
    return world.connect(emulator)


def writes(emulator: Emulator) -> list[str]:
    return [r.action for r in emulator.requests if not r.action.startswith(READING)]


def rules_of(cloud: Cloud, group_id: str):
    seen = cloud.list_rules(group_id)
    assert not seen.unseen
    return seen.value


def contents(cloud: Cloud, group_id: str):
    return [content(rule) for rule in rules_of(cloud, group_id)]


def referring(world: World, cloud: Cloud, group_id: str):
    return next(r for r in rules_of(cloud, group_id) if r.peer_group == world.referenced)


def naming(rule: Rule, group_id: str) -> Rule:
    """The rule with another peer, as a plan adds it: at the same place, without an id."""
    return replace(rule, peer_group=group_id, rule_id=position_of(rule))


def holders(world: World, cloud: Cloud):
    """One holder of the bound group for each kind whose groups this cloud tells and changes."""
    bindings = cloud.list_bindings([world.bound]).value[world.bound]
    found = {}
    for one in bindings:
        with suppress(SettingsError):
            cloud.read_holder(holder_of(one))
            found.setdefault(one.kind, holder_of(one))
    assert found
    return list(found.values())


@pytest.mark.parametrize("who", ["referrer_in", "referrer_out"])
@pytest.mark.sampled(4)
def test_a_rule_removed_and_restored_is_the_same_rule_at_the_same_position(
    world, cloud, emulator, who
):
    group_id = getattr(world, who)
    before = contents(cloud, group_id)
    rule = referring(world, cloud, group_id)

    cloud.remove_rule(group_id, rule, token=token())
    left = contents(cloud, group_id)
    assert sorted([*left, content(rule)], key=repr) == sorted(before, key=repr)
    assert len(writes(emulator)) == 1

    cloud.add_rule(group_id, rule, token=token())
    if position_of(rule):
        assert contents(cloud, group_id) == before
    assert sorted(contents(cloud, group_id), key=repr) == sorted(before, key=repr)
    assert len(writes(emulator)) == 2


@pytest.mark.sampled(6)
def test_every_rule_of_the_world_can_be_removed_and_restored(world, cloud):
    for group_id in (world.referrer_in, world.referrer_out, world.referenced, world.bound):
        before = sorted(contents(cloud, group_id), key=repr)
        for rule in reversed(rules_of(cloud, group_id)):
            cloud.remove_rule(group_id, rule, token=token())
            cloud.add_rule(group_id, rule, token=token())
        assert sorted(contents(cloud, group_id), key=repr) == before


@pytest.mark.parametrize("who", ["referrer_in", "referrer_out"])
@pytest.mark.sampled(4)
def test_a_reference_is_rewritten_without_touching_another_rule(world, cloud, who):
    group_id = getattr(world, who)
    old = referring(world, cloud, group_id)
    others = [content(r) for r in rules_of(cloud, group_id) if r.rule_id != old.rule_id]
    new = naming(old, world.free)

    cloud.add_rule(group_id, new, token=token())
    cloud.remove_rule(group_id, old, token=token())

    assert sorted(contents(cloud, group_id), key=repr) == sorted([*others, content(new)], key=repr)


def test_a_restored_rule_is_found_by_its_content(world, cloud):
    group_id = world.referrer_in
    rule = referring(world, cloud, group_id)
    cloud.remove_rule(group_id, rule, token=token())
    cloud.add_rule(group_id, rule, token=token())  # most clouds give it another id now
    cloud.remove_rule(group_id, rule, token=token())
    assert content(rule) not in contents(cloud, group_id)


def test_a_rule_that_is_not_there_is_not_found_and_no_other_is_taken(world, cloud, emulator):
    group_id = world.referrer_in
    rule = referring(world, cloud, group_id)
    cloud.remove_rule(group_id, rule, token=token())
    before = contents(cloud, group_id)
    with pytest.raises(NotFoundError):
        cloud.remove_rule(group_id, rule, token=token())
    assert contents(cloud, group_id) == before


def test_a_rule_of_the_same_id_and_other_content_is_left_alone(world, cloud):
    group_id = world.referrer_in
    rule = replace(referring(world, cloud, group_id), ports="4711", description="another one")
    before = contents(cloud, group_id)
    with pytest.raises((NotFoundError, ConflictError)):
        cloud.remove_rule(group_id, rule, token=token())
    assert contents(cloud, group_id) == before


def test_a_rule_is_not_added_to_a_group_that_is_gone(world, cloud):
    rule = referring(world, cloud, world.referrer_in)
    with pytest.raises(CloudError) as caught:
        cloud.add_rule(world.missing, rule, token=token())
    assert caught.value.is_outcome_known


@pytest.mark.sampled(3)
def test_a_holder_gets_a_group_and_loses_it_again(world, cloud):
    for holder in holders(world, cloud):
        before = cloud.read_holder(holder)
        assert before is not None
        assert world.bound in before
        both = (*before, world.free)
        cloud.set_groups(holder, before, both, token=token())
        assert set(cloud.read_holder(holder) or ()) == set(both)
        without = tuple(one for one in both if one != world.bound)
        cloud.set_groups(holder, both, without, token=token())
        assert set(cloud.read_holder(holder) or ()) == set(without)
        cloud.set_groups(holder, without, before, token=token())
        after = cloud.read_holder(holder)
        assert (
            after == before if cloud.capabilities.orders_groups else set(after or ()) == set(before)
        )


def test_a_holder_whose_groups_changed_meanwhile_is_left_alone(world, cloud, emulator):
    for holder in holders(world, cloud):
        before = cloud.read_holder(holder) or ()
        emulator.requests.clear()
        with pytest.raises(ConflictError):
            cloud.set_groups(holder, (*before, world.referenced), (world.free,), token=token())
        assert cloud.read_holder(holder) == before
        assert writes(emulator) == []


def test_an_unknown_holder_is_none(world, cloud):
    (holder, *_) = holders(world, cloud)
    unknown = holder.holder_id[:-1] + ("0" if holder.holder_id[-1] != "0" else "1")
    gone = replace(holder, holder_id=unknown, instance_id="")
    assert cloud.read_holder(gone) is None


def test_a_group_that_is_in_use_is_not_deleted(world, cloud):
    with pytest.raises(CloudError) as caught:
        cloud.delete_group(world.bound)
    assert caught.value.is_outcome_known
    assert isinstance(caught.value, InUseError) or not cloud.capabilities.refused_with
    assert cloud.read_groups([world.bound]).value[world.bound] is not None


def test_a_free_group_is_deleted(world, cloud):
    cloud.delete_group(world.free)
    assert cloud.read_groups([world.free]).value[world.free] is None


def test_a_group_is_created_like_another_and_without_rules(world, cloud):
    model = cloud.read_groups([world.free]).value[world.free]
    assert model is not None
    model = replace(model, name=f"{model.name}-2")  # some clouds take a name only once
    group_id = cloud.create_group(replace(model, rules=None), token=token())
    made = cloud.read_groups([group_id]).value[group_id]
    assert made is not None
    assert group_id != world.free
    assert cloud.find_groups(model.name) == (group_id,)
    assert cloud.find_groups(f"{model.name}-x") == ()

    def kept(group: Group):
        return (group.name, group.description, group.network, group.kind, group.project)

    assert kept(made) == kept(model)
    assert rules_of(cloud, group_id) == ()


@pytest.mark.parametrize("who", ["referrer_in", "referenced", "free"])
def test_what_builds_a_group_again_has_its_rules_and_costs_no_more_than_they(
    world, cloud, emulator, who
):
    group_id = getattr(world, who)
    group = cloud.read_groups([group_id]).value[group_id]
    emulator.requests.clear()
    rules = rules_of(cloud, group_id)
    asked = [one.action for one in emulator.requests]
    emulator.requests.clear()

    defined = cloud.define_group(group)

    assert defined == replace(group, rules=rules, native=defined.native)
    assert set(group.native) <= set(defined.native)
    more = [one.action for one in emulator.requests if one.action not in asked]
    # Neutron tells by another API whom a group is shared with.
    assert more == (["GET /v2.0/rbac-policies"] if world.provider == "openstack" else [])


def test_what_builds_a_group_again_is_never_half_of_it(world, cloud, emulator):
    group = cloud.read_groups([world.referrer_in]).value[world.referrer_in]
    emulator.requests.clear()
    whole = cloud.define_group(group)
    (action, *_) = [one.action for one in emulator.requests]
    for account in emulator.state.clouds[0].accounts:
        account.denied.append(action)
    try:
        defined = cloud.define_group(group)
    except NotFoundError:
        raise
    except CloudError:
        return
    # Another call with another permission has the rules, too.
    assert set(defined.rules or ()) == set(whole.rules or ())
    assert replace(defined, rules=()) == replace(whole, rules=())


def created(world: World, cloud: Cloud) -> Change:
    """A change that builds a group like the referrer, which is still there, under another name."""
    group = cloud.define_group(cloud.read_groups([world.referrer_in]).value[world.referrer_in])
    wanted = replace(group, name=f"{group.name}-2", rules=None)
    return Change("create-group", group.group_id, group=wanted)


def test_a_group_that_was_made_is_found_by_its_name(world, cloud):
    change = created(world, cloud)
    assert observe(cloud, change) == (State.BEFORE, "")
    group_id = apply(cloud, change, token())
    assert observe(cloud, change) == (State.AFTER, group_id)


@pytest.mark.sampled(3)
def test_a_group_that_was_made_and_not_finished_is_not_the_one_that_was_wanted(world, cloud):
    change = created(world, cloud)
    group_id = apply(cloud, change, token())
    cloud.add_rule(group_id, rules_of(cloud, world.referrer_out)[0], token=token())
    state, how = observe(cloud, change)
    assert state is (State.BEFORE if cloud.capabilities.resumes_creation else State.DIVERGED)
    assert group_id in whole_english(how)


def test_resuming_a_begun_creation_makes_no_second_group(world, cloud):
    if not cloud.capabilities.resumes_creation:
        pytest.skip(f"{world.provider} makes another one each time")
    change, same = created(world, cloud), token()
    group_id = apply(cloud, change, same)
    cloud.add_rule(group_id, rules_of(cloud, world.referrer_out)[0], token=token())
    assert apply(cloud, change, same) == group_id
    assert observe(cloud, change) == (State.AFTER, group_id)


def changes(world: World, cloud: Cloud) -> list[Change]:
    rule = referring(world, cloud, world.referrer_in)
    (holder, *_) = holders(world, cloud)
    before = cloud.read_holder(holder) or ()
    return [
        Change("remove-rule", world.referrer_in, rule=rule),
        Change("add-rule", world.referrer_in, rule=naming(rule, world.free)),
        Change("set-groups", world.free, holder=holder, before=before, after=(*before, world.free)),
        Change("delete-group", world.self_referencing or world.free),
    ]


KINDS = ("remove-rule", "add-rule", "set-groups", "delete-group")


def change_of(world: World, cloud: Cloud, kind: str) -> Change:
    return next(one for one in changes(world, cloud) if one.kind == kind)


def writing_action(world: World, kind: str) -> str:
    """The action by which this cloud makes such a change, seen on a cloud of its own."""
    emulator = emulator_of(world)
    cloud = world.connect(emulator)
    apply(cloud, change_of(world, cloud, kind), token())
    (action, *_) = writes(emulator)
    return action


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.sampled(6)
def test_a_change_is_seen_to_be_made_or_not(world, cloud, kind):
    change = change_of(world, cloud, kind)
    assert observe(cloud, change)[0] is State.BEFORE
    apply(cloud, change, token())
    assert observe(cloud, change)[0] is State.AFTER
    inverse = change.inverse()
    if inverse is not None:
        apply(cloud, inverse, token())
        assert observe(cloud, change)[0] is State.BEFORE


@pytest.mark.parametrize("fault", ["drop", "garbage"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.sampled(16)
def test_an_answer_that_is_lost_leaves_the_outcome_open_and_sends_nothing_twice(world, kind, fault):
    action = writing_action(world, kind)
    emulator = emulator_of(world)
    cloud = world.connect(emulator)
    change = change_of(world, cloud, kind)
    emulator.requests.clear()
    emulator.faults.append(Fault(fault, action=action, is_after=True))
    with pytest.raises(CloudError) as caught:
        apply(cloud, change, token())
    assert not caught.value.is_outcome_known
    assert writes(emulator) == [action]
    assert observe(cloud, change)[0] is State.AFTER


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.sampled(6)
def test_a_change_that_is_throttled_is_known_not_to_be_made(world, kind):
    action = writing_action(world, kind)
    emulator = emulator_of(world)
    cloud = world.connect(emulator)
    change = change_of(world, cloud, kind)
    emulator.faults.append(Fault("throttle", action=action))
    with pytest.raises(CloudError) as caught:
        apply(cloud, change, token())
    assert caught.value.is_outcome_known
    assert caught.value.is_retryable
    assert observe(cloud, change)[0] is State.BEFORE


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.sampled(12)
def test_a_change_that_is_forbidden_is_known_not_to_be_made(world, kind):
    action = writing_action(world, kind)
    emulator = emulator_of(world)
    cloud = world.connect(emulator)
    change = change_of(world, cloud, kind)
    for account in emulator.state.clouds[0].accounts:
        account.denied.append(action)
    with pytest.raises(CloudError) as caught:
        apply(cloud, change, token())
    assert caught.value.is_outcome_known
    assert not caught.value.is_retryable
    assert observe(cloud, change)[0] is State.BEFORE


@pytest.mark.sampled(3)
def test_looking_is_a_few_reads_whatever_the_change(world, cloud, emulator):
    for change in changes(world, cloud):
        emulator.requests.clear()
        observe(cloud, change)
        assert 1 <= len(emulator.requests) <= 3
        assert writes(emulator) == []
