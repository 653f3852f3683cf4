"""An event of many instances is remedied in few calls, each instance by its own decision."""

from __future__ import annotations

import pytest

from sgguard.engine import handle
from sgguard.errors import CloudError
from sgguard.model.address import Scope
from sgguard.model.change import Change, Holder
from sgguard.model.event import Event
from sgguard.model.request import LaunchRequest
from sgguard.model.sending import UnsentError
from sgguard.remedy import together
from sgguard.wire.parallel import parallel
from tests.bind.harness import BASE, GROUP, Fleet, ids
from tests.worlds.tencent import WORLD

SIZE = 24
LAUNCH = f'[launch]\nbaseline = ["{GROUP}"]\nremedies = ["bind"]\n'
SCOPE = Scope("tencent", "", WORLD.region)


def launched(fleet: Fleet, some: list[str]) -> list[dict]:
    """Tell of a scaling group's instances in one delivery."""
    asked = [
        (LaunchRequest(SCOPE, instance_id=one), Event(f"l-{one}", {"instance": one}, "/scaling"))
        for one in some
    ]
    found = handle.launches(asked, fleet.context())
    assert not [one for one in found if isinstance(one, Exception)]
    return found


def test_the_instances_of_a_scaling_group_are_remedied_in_the_same_calls(tmp_path):
    fleet = Fleet(tmp_path, SIZE, more=LAUNCH)
    found = launched(fleet, ids(SIZE))
    assert {one["outcome"] for one in found} == {"remediated"}
    assert len({one["decision_id"] for one in found}) == SIZE
    assert fleet.holders_of() == set(ids(SIZE))
    assert fleet.calls() < SIZE / 3
    # Each decision has the one change that it is about.
    for one, document in zip(ids(SIZE), found, strict=True):
        [entry] = fleet.store.entries(document["decision_id"])
        assert one in entry.change_json
        assert entry.state == "done"


def test_one_instance_that_is_refused_fails_alone(tmp_path):
    fleet = Fleet(tmp_path, 8, more=LAUNCH)
    bad = ids(8)[3]
    told = {bad: "UnsupportedOperation.InstanceStateIsolating"}
    fleet.cloud.quirks |= {"binding_refused_with": told, "names_nobody": True}
    found = dict(zip(ids(8), launched(fleet, ids(8)), strict=True))
    assert found.pop(bad)["outcome"] != "remediated"
    assert {one["outcome"] for one in found.values()} == {"remediated"}
    assert fleet.holders_of() == set(ids(8)) - {bad}
    assert fleet.carried(bad) == [BASE]


class Cloud:
    """Takes changes of many holders; ``error`` is raised by every call."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[list[str]] = []
        self.error = error

    def set_groups_batch(self, changes, may_send):
        assert may_send()
        self.calls.append([one.holder.holder_id for one in changes])
        if self.error is not None:
            raise self.error
        return [None if one.after else CloudError("tencent", "Set") for one in changes]

    def read_holders_batch(self, wanted):
        raise NotImplementedError


def change(name: str, *after: str) -> Change:
    return Change("set-groups", "sg-1", holder=Holder("instance", name, name), after=after)


def made(cloud: Cloud, *wishes, may_send=lambda: True):
    """What becomes of each wish, all made at once by members of one scope."""

    def one(changes):
        with together.member("here"):
            return together.make(cloud, changes, may_send)

    with together.meeting():
        return parallel([lambda each=each: one(each) for each in wishes])


def test_each_gets_what_became_of_its_own(monkeypatch):
    monkeypatch.setattr(together, "PATIENCE_S", 30.0)
    cloud = Cloud()
    found = made(cloud, [change("a", "sg-1")], [change("b")], [change("c", "sg-1"), change("d")])
    assert [[isinstance(one, CloudError) for one in each] for each in found] == [
        [False],
        [True],
        [False, True],
    ]
    assert sorted(one for call in cloud.calls for one in call) == ["a", "b", "c", "d"]


def test_nobody_waits_for_whom_there_is_not():
    cloud = Cloud()
    assert made(cloud, [change("a", "sg-1")]) == [[""]]
    assert together.make(cloud, [change("a", "sg-1")], lambda: True) is None


def test_what_may_not_be_sent_any_more_is_not():
    cloud = Cloud()
    [[unsent]] = made(cloud, [change("a", "sg-1")], may_send=lambda: False)
    assert isinstance(unsent, UnsentError)
    assert unsent.is_late
    assert cloud.calls in ([], [[]])


@pytest.mark.parametrize("error", [CloudError("tencent", "Set"), ZeroDivisionError()])
def test_a_call_that_fails_is_told_to_all_of_it(error):
    cloud = Cloud(error)
    try:
        found = made(cloud, [change("a", "sg-1")], [change("b", "sg-1")])
    except (ZeroDivisionError, RuntimeError):
        assert isinstance(error, ZeroDivisionError)
    else:
        assert found == [[error], [error]]
