"""Many instances in few calls of Tencent's API 2.0, and how their end is seen."""

from __future__ import annotations

from collections import Counter

import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.model.change import Change, Holder
from tests.worlds.tencent_dfw import WORLD

COUNT = 120
KEPT, GONE, NEW = WORLD.default, WORLD.bound, WORLD.free
READ, LIST = "DescribeSecurityGroups", "DescribeInstancesOfSecurityGroup"


def ins(number: int) -> str:
    return f"ins-crowd{number:03d}"


@pytest.fixture
def emulator():
    """Instances that all carry the same group."""
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0]["instances"] += [{"id": ins(n), "groups": [GONE]} for n in range(COUNT)]
    return Emulator.load(scenario)


def move(number: int, before=(GONE,), after=(NEW,)) -> Change:
    holder = Holder("instance", ins(number), ins(number))
    return Change("set-groups", GONE, holder=holder, before=before, after=after)


def moved(emulator, *changes) -> Counter[str]:
    """Make changes; return the calls that it took."""
    assert WORLD.connect(emulator).set_groups_batch(changes) == [None] * len(changes)
    cloud = emulator.state.clouds[0]
    for change in changes:
        assert cloud.interfaces_of(change.holder.holder_id)[0].groups == list(change.after)
    return Counter(one.action for one in emulator.requests)


def test_the_lists_of_two_groups_tell_the_end_of_all_moves(emulator):
    calls = moved(emulator, *map(move, range(COUNT)))
    assert calls[READ] == COUNT  # before each change; none after it
    assert calls[LIST] <= 5  # two pages of the new group, one of the old one, and their ends
    assert calls["ModifySecurityGroupsOfInstance"] == COUNT // 20


def test_where_the_lists_cannot_be_read_each_instance_tells_its_own_end(emulator):
    emulator.faults.append(Fault("garbage", action=LIST, count=1000))
    assert moved(emulator, *map(move, range(10)))[READ] == 20


def test_a_few_instances_are_read_by_themselves(emulator):
    calls = moved(emulator, move(0), move(1))
    assert (calls[READ], calls[LIST]) == (4, 0)


def test_another_order_of_the_same_groups_is_in_no_list(emulator):
    cloud = emulator.state.clouds[0]
    for number in range(10):
        cloud.interfaces_of(ins(number))[0].groups = [KEPT, NEW]
    changes = [move(n, before=(KEPT, NEW), after=(NEW, KEPT)) for n in range(10)]
    calls = moved(emulator, *changes)
    assert (calls[READ], calls[LIST]) == (20, 0)


def known(*numbers: int, groups: tuple[str, ...] = (GONE,)) -> dict[Holder, tuple[str, ...]]:
    return {Holder("instance", ins(n), ins(n)): groups for n in numbers}


def still(emulator, carried, told=None) -> set[str]:
    found = WORLD.connect(emulator).still_carrying(carried, told or {})
    return {one.holder_id for one in found}


def test_the_list_of_a_group_tells_which_of_many_instances_still_carry_it(emulator):
    cloud = emulator.state.clouds[0]
    cloud.interfaces_of(ins(3))[0].groups = [NEW]
    assert still(emulator, known(*range(COUNT))) == {ins(n) for n in range(COUNT) if n != 3}
    assert {one.action for one in emulator.requests} == {LIST}


def test_a_list_that_was_just_read_is_not_read_again(emulator):
    told = {GONE: frozenset(map(ins, range(1, COUNT)))}
    assert still(emulator, known(*range(COUNT)), told) == {ins(n) for n in range(1, COUNT)}
    assert not emulator.requests


def test_each_of_the_groups_of_an_instance_must_list_it(emulator):
    carried = known(*range(COUNT), groups=(GONE, NEW))
    assert still(emulator, carried, {GONE: frozenset(map(ins, range(COUNT)))}) == set()


@pytest.mark.parametrize("gone", ["sg-gone0000", "fault"])
def test_where_a_list_cannot_be_read_no_instance_is_known_to_carry_the_same(emulator, gone):
    if gone == "fault":
        emulator.faults.append(Fault("garbage", action=LIST, count=1000))
        gone = GONE
    assert still(emulator, known(*range(COUNT), groups=(gone,))) == set()


def test_a_few_instances_are_not_looked_for_in_lists(emulator):
    assert still(emulator, known(0, 1, 2)) == set()
    assert not emulator.requests
