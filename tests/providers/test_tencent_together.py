"""Many instances in one call of Tencent's API 3.0: each has a result of its own."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.errors import (
    CloudError,
    ConflictError,
    DeadlineError,
    ForbiddenError,
    InputError,
    LimitError,
    NotFoundError,
    ThrottledError,
    UnavailableError,
    UnreachableError,
)
from sgguard.model.change import Change, Holder
from tests.providers.test_tencent_changes import Clock, timed
from tests.worlds.tencent import WORLD

COUNT = 5
KEPT, GONE, NEW = WORLD.default, WORLD.bound, WORLD.free


def ins(number: int) -> str:
    return f"ins-crowd{number:03d}"


class Crowd:
    """A cloud of instances that all carry the same two groups, and a clock that both sides see."""

    def __init__(self, count: int = COUNT, deadline_s: float = 30.0, **quirks):
        scenario = WORLD.scenario_copy()
        (raw,) = scenario["clouds"]
        raw["instances"] += [{"id": ins(n), "groups": [KEPT, GONE]} for n in range(count)]
        raw["quirks"] = quirks
        self.clock = Clock()
        self.emulator = Emulator.load(scenario, now=self.clock, sleep=self.clock.sleep)
        self.cloud = self.emulator.state.clouds[0]
        self.provider = timed(self.emulator, self.clock, deadline_s)
        self.count = count

    def change(self, number: int, before=(KEPT, GONE), after=(KEPT,)) -> Change:
        holder = Holder("instance", ins(number), ins(number))
        return Change("set-groups", GONE, holder=holder, before=before, after=after)

    def unbind(self, *more: Change):
        return self.provider.set_groups_batch([*map(self.change, range(self.count)), *more])

    def carried(self) -> list[list[str]]:
        return [self.cloud.interfaces_of(ins(n))[0].groups for n in range(self.count)]

    def actions(self, *names: str) -> list[str]:
        return [one.action for one in self.emulator.requests if one.action in names]


def kinds(ended) -> list[type | None]:
    return [None if one is None else type(one) for one in ended]


def test_many_instances_take_one_call_to_change_and_one_to_read():
    crowd = Crowd(count=100)
    assert crowd.unbind() == [None] * 100
    assert crowd.carried() == [[KEPT]] * 100
    assert [one.action for one in crowd.emulator.requests] == [
        "DescribeInstances",
        "DisassociateSecurityGroups",
        "DescribeInstances",
    ]


def test_a_hundred_and_one_take_two_calls():
    crowd = Crowd(count=101)
    assert crowd.unbind() == [None] * 101
    assert len(crowd.actions("DisassociateSecurityGroups")) == 2
    assert crowd.carried() == [[KEPT]] * 101


def test_the_answers_are_in_the_order_of_the_changes_and_kinds_of_calls_are_kept_apart():
    crowd = Crowd(count=3)
    changes = [
        crowd.change(2, after=(KEPT, GONE, NEW)),
        crowd.change(0, before=(KEPT,)),  # it is not so
        crowd.change(1, after=(NEW, KEPT)),
    ]
    ended = crowd.provider.set_groups_batch(changes)
    assert kinds(ended) == [None, ConflictError, None]
    assert crowd.carried() == [[KEPT, GONE], [NEW, KEPT], [KEPT, GONE, NEW]]
    assert sorted(crowd.actions("AssociateSecurityGroups", "ModifyInstancesAttribute")) == [
        "AssociateSecurityGroups",
        "ModifyInstancesAttribute",
    ]


def test_an_interface_among_instances_is_changed_by_calls_of_its_own():
    crowd = Crowd(count=2)
    side = Holder("interface", "eni-3056glfn", WORLD.other_server)
    change = Change("set-groups", GONE, holder=side, before=(GONE,), after=(GONE, NEW))
    assert crowd.unbind(change) == [None] * 3
    assert crowd.cloud.interface("eni-3056glfn").groups == [GONE, NEW]


def test_what_carries_something_else_is_left_alone_and_the_others_are_changed():
    crowd = Crowd()
    crowd.cloud.interfaces_of(ins(3))[0].groups = [GONE, KEPT]  # the order differs
    assert kinds(crowd.unbind()) == [None, None, None, ConflictError, None]
    assert crowd.carried() == [[KEPT]] * 3 + [[GONE, KEPT], [KEPT]]


def test_an_instance_that_is_gone_does_not_keep_the_others_from_being_changed():
    crowd = Crowd()
    crowd.cloud.instances = [one for one in crowd.cloud.instances if one.id != ins(1)]
    assert kinds(crowd.unbind()) == [None, NotFoundError, None, None, None]


def test_nothing_is_left_without_a_group():
    crowd = Crowd(count=2)
    changes = [crowd.change(0, after=()), crowd.change(1)]
    assert kinds(crowd.provider.set_groups_batch(changes)) == [InputError, None]
    assert crowd.carried() == [[KEPT, GONE], [KEPT]]


def test_a_call_refused_for_one_of_them_is_made_for_each_of_the_others():
    crowd = Crowd()
    crowd.cloud.instance(ins(2)).state = "TERMINATING"
    ended = crowd.unbind()
    assert [one is None for one in ended] == [True, True, False, True, True]
    assert crowd.carried() == [[KEPT], [KEPT], [KEPT, GONE], [KEPT], [KEPT]]


def test_a_limit_that_holds_for_some_stops_only_those():
    crowd = Crowd()
    crowd.cloud.limits["interfaces-per-group"] = 2
    wanted = [crowd.change(n, after=(KEPT, GONE, NEW)) for n in range(COUNT)]
    ended = crowd.provider.set_groups_batch(wanted)
    assert sorted(map(str, kinds(ended))) == sorted(map(str, [None] * 2 + [LimitError] * 3))
    assert sum(NEW in groups for groups in crowd.carried()) == 2


@pytest.mark.parametrize(
    ("code", "kind"),
    [("UnauthorizedOperation", ForbiddenError), ("RequestLimitExceeded", ThrottledError)],
)
@pytest.mark.sampled(2)
def test_what_no_instance_is_the_reason_of_is_not_asked_for_each(code, kind):
    crowd = Crowd()
    crowd.emulator.faults.append(Fault("error", action="Disassociate*", code=code))
    assert kinds(crowd.unbind()) == [kind] * COUNT
    assert len(crowd.actions("DisassociateSecurityGroups")) == 1
    assert crowd.carried() == [[KEPT, GONE]] * COUNT


@pytest.mark.parametrize("is_after", [True, False], ids=["made", "not-made"])
def test_a_lost_answer_leaves_every_one_in_doubt_and_is_not_sent_again(is_after):
    crowd = Crowd()
    crowd.emulator.faults.append(Fault("drop", action="Disassociate*", is_after=is_after))
    ended = crowd.unbind()
    assert kinds(ended) == [UnreachableError] * COUNT
    assert not any(one.is_outcome_known for one in ended)
    assert len(crowd.actions("DisassociateSecurityGroups")) == 1


def test_a_refusal_after_an_effect_is_not_believed():
    """No document says that a refused call changed nothing: what was made is found by looking."""
    crowd = Crowd()
    fault = Fault("error", action="Disassociate*", code="UnsupportedOperation", is_after=True)
    crowd.emulator.faults.append(fault)
    assert crowd.unbind() == [None] * COUNT
    assert crowd.carried() == [[KEPT]] * COUNT
    assert len(crowd.actions("DisassociateSecurityGroups")) == 1


def test_an_end_that_cannot_be_looked_at_is_in_doubt():
    crowd = Crowd()
    fault = Fault(
        "error", action="DescribeInstances", code="UnauthorizedOperation", skip=1, count=9
    )
    crowd.emulator.faults.append(fault)
    ended = crowd.unbind()
    assert kinds(ended) == [UnavailableError] * COUNT
    assert not any(one.is_outcome_known for one in ended)


def test_instances_that_take_their_time_are_waited_for_together():
    crowd = Crowd(binding_s=3)
    begun_s = crowd.clock.now_s
    assert crowd.unbind() == [None] * COUNT
    assert crowd.clock.now_s - begun_s < 6
    assert len(crowd.actions("DescribeInstances")) < 8


def test_instances_that_take_too_long_are_in_doubt():
    crowd = Crowd(binding_s=60, deadline_s=5.0)
    assert kinds(crowd.unbind()) == [DeadlineError] * COUNT


def test_an_operation_that_failed_is_said_of_each():
    crowd = Crowd(binding_fails="FailedOperation.SecurityGroupActionFailed")
    ended = crowd.unbind()
    assert all(isinstance(one, CloudError) for one in ended)
    assert crowd.carried() == [[KEPT, GONE]] * COUNT


def test_what_is_as_wanted_already_is_not_sent():
    crowd = Crowd(count=2)
    same = [replace(crowd.change(n), after=(KEPT, GONE)) for n in range(2)]
    assert crowd.provider.set_groups_batch(same) == [None, None]
    assert crowd.actions("DisassociateSecurityGroups", "ModifyInstancesAttribute") == []


def test_the_groups_of_many_are_told_by_one_call():
    crowd = Crowd(count=100)
    crowd.cloud.interfaces_of(ins(7))[0].groups = [GONE]
    side = Holder("interface", "eni-3056glfn", WORLD.other_server)
    wanted = [side, *(Holder("instance", ins(n), ins(n)) for n in range(100))]
    told = crowd.provider.read_holders_batch(wanted)
    assert told == [(GONE,), *[(KEPT, GONE)] * 7, (GONE,), *[(KEPT, GONE)] * 92]
    assert crowd.actions("DescribeInstances") == ["DescribeInstances"]


def test_one_that_is_gone_is_told_as_gone_among_many():
    crowd = Crowd()
    crowd.cloud.instances = [one for one in crowd.cloud.instances if one.id != ins(1)]
    wanted = [Holder("instance", ins(n), ins(n)) for n in range(3)]
    told = crowd.provider.read_holders_batch(wanted)
    assert told == [(KEPT, GONE), None, (KEPT, GONE)]


def test_holders_whose_binding_is_under_way_are_told_once_it_is_over():
    crowd = Crowd(count=3, binding_s=2)
    crowd.emulator.faults.append(Fault("drop", action="Disassociate*", is_after=True))
    crowd.unbind()
    begun_s = crowd.clock.now_s
    wanted = [Holder("instance", ins(n), ins(n)) for n in range(3)]
    assert crowd.provider.read_holders_batch(wanted) == [(KEPT,)] * 3
    assert crowd.clock.now_s > begun_s


def test_who_was_not_asked_about_is_not_touched():
    crowd = Crowd(count=4)
    assert crowd.provider.set_groups_batch([crowd.change(n) for n in (0, 2)]) == [None, None]
    assert crowd.carried() == [[KEPT], [KEPT, GONE], [KEPT], [KEPT, GONE]]
