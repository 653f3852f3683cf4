"""Which changes are made in parallel, and what remains when some of them fail."""

from __future__ import annotations

import pytest

from sgguard.model.address import Scope
from sgguard.model.change import Change, Holder
from sgguard.model.decision import Step
from sgguard.model.resource import Direction, Rule
from sgguard.remedy.plan import Plan, Planned
from sgguard.remedy.progress import Progress
from sgguard.remedy.wave import AT_ONCE, next_wave
from sgguard.store.rows import Entry

RULE = Rule("r-1", Direction.INGRESS)


def add(group_id):
    return Change("add-rule", group_id, rule=RULE)


def take(group_id):
    return Change("remove-rule", group_id, rule=RULE)


def carry(holder_id, instance_id="", group_id="g"):
    return Change("set-groups", group_id, holder=Holder("port", holder_id, instance_id))


def delete(group_id):
    return Change("delete-group", group_id)


def create(group_id):
    return Change("create-group", group_id)


def plan_of(*changes):
    step = Step("revoke", "t", "words")
    return Plan(Scope("tencent", "", "r"), tuple(Planned(step, one) for one in changes))


def waves(*changes, holders=AT_ONCE):
    """All waves of a plan in which everything succeeds."""
    plan, passed, found = plan_of(*changes), set(), []
    while wave := next_wave(plan, passed, holders):
        found.append(wave)
        passed.update(wave)
    return found


CASES = {
    "rules of other groups go together": ([take("a"), take("b"), add("c")], [(0, 1, 2)]),
    "rules of one group keep their order": ([add("a"), take("a"), take("a")], [(0,), (1,), (2,)]),
    "each group by itself": ([add("a"), take("a"), add("b"), take("b")], [(0, 2), (1, 3)]),
    "holders wait for rules": ([take("a"), take("a"), carry("p")], [(0,), (1,), (2,)]),
    "rules wait for holders": ([carry("p"), take("a"), take("b")], [(0,), (1, 2)]),
    "one holder keeps its order": ([carry("p"), carry("p"), carry("q")], [(0, 2), (1,)]),
    "one instance is one thing": (
        [carry("p", "i"), carry("q", "i"), carry("s", "j"), carry("i", "i")],
        [(0, 2), (1,), (3,)],
    ),
    "groups go alone": ([take("a"), delete("b"), delete("c")], [(0,), (1,), (2,)]),
    "groups are made alone": ([create("a"), create("b"), add("a")], [(0,), (1,), (2,)]),
    "nothing passes a group": ([delete("b"), take("a"), delete("a")], [(0,), (1,), (2,)]),
    "nothing": ([], []),
}


@pytest.mark.parametrize(("changes", "expected"), CASES.values(), ids=CASES)
def test_independent_changes_are_made_in_parallel(changes, expected):
    assert waves(*changes) == expected


def test_no_more_are_under_way_than_may_be():
    assert [len(one) for one in waves(*(take(f"g{n}") for n in range(20)))] == [8, 8, 4]
    many = [carry(f"p{n}") for n in range(150)]
    assert [len(one) for one in waves(*many, holders=100)] == [100, 50]
    assert [len(one) for one in waves(*(take(f"g{n}") for n in range(20)), holders=100)] == [
        8,
        8,
        4,
    ]


def test_a_change_already_made_is_not_repeated():
    plan = plan_of(take("a"), take("a"), take("b"), carry("p"))
    assert next_wave(plan, {0, 2}) == (1,)
    assert next_wave(plan, {0, 1, 2}) == (3,)


def test_the_reason_of_an_undo_is_known_whichever_change_was_refused():
    plan = plan_of(take("a"), take("b"), take("c"))
    entries = [
        Entry("d", 0, 0, "{}", state="not-done", note="asked too often"),
        Entry("d", 1, 1, "{}", state="not-done", note="refused"),
        Entry("d", 2, 2, "{}", state="done"),
        Entry("d", 3, 0, "{}", state="done"),
        Entry("d", 4, 2, "{}", is_undo=True, state="undone"),
    ]
    progress = Progress.of(plan, entries)
    assert progress.is_undoing
    assert progress.failure == "refused"
    assert progress.done == {0}
