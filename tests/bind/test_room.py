"""The room that a group has left is one bind's at a time: what still fits is counted once."""

from __future__ import annotations

import pytest

from sgguard.errors import BusyError
from tests.bind.harness import Fleet, by_status, ids
from tests.bind.test_crash import Died, Dying

FEW = "[limits.tencent]\ninstances-per-group = 3\n"


def died_before_its_call(fleet: Fleet, holders: list[str]) -> None:
    """Begin a bind whose worker dies before it has changed anything."""
    dying = Dying(fleet.emulator, fleet.store, 0, is_after=False, on="AssociateSecurityGroups")
    with pytest.raises(Died):
        fleet.bind(holders, context=fleet.context(transport=dying))


def test_a_bind_waits_for_one_of_the_same_group_on_other_holders(tmp_path):
    fleet = Fleet(tmp_path, 4, more=FEW)
    first, second = ids(4)[:2], ids(4)[2:]
    died_before_its_call(fleet, first)
    with pytest.raises(BusyError):
        fleet.bind(second, event_id="b-2")
    fleet.restart()
    assert by_status(fleet.bind(first), "done") == set(first)
    done = fleet.bind(second, event_id="b-2")
    assert (by_status(done, "done"), by_status(done, "refused")) == ({second[0]}, {second[1]})
    assert fleet.holders_of() == {*first, second[0]}


def test_a_group_is_taken_off_holders_while_it_is_put_on_others(tmp_path):
    fleet = Fleet(tmp_path, 3)
    carrier = ids(3)[2]
    fleet.cloud.interfaces_of(carrier)[0].groups.append("sg-unused00")
    died_before_its_call(fleet, ids(2))
    done = fleet.bind([carrier], event_id="b-2", action="unbind")
    assert by_status(done, "done") == {carrier}


def test_without_a_ceiling_of_the_policy_binds_of_a_group_go_on_side_by_side(tmp_path):
    fleet = Fleet(tmp_path, 4)
    first, second = ids(4)[:2], ids(4)[2:]
    died_before_its_call(fleet, first)
    assert by_status(fleet.bind(second, event_id="b-2"), "done") == set(second)
    fleet.restart()
    assert by_status(fleet.bind(first), "done") == set(first)
