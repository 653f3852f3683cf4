"""What is said of each holder before the first write, and what no mode ever does."""

from __future__ import annotations

import pytest

from sgguard import schemas
from sgguard.approvals import resolve
from sgguard.emulator.faults import Fault
from sgguard.emulator.state import Group
from sgguard.errors import EventError, SgguardError
from sgguard.model.request import HolderFilter
from tests.bind.harness import BASE, GROUP, Fleet, by_status, ids, rows

WRITES = ("AssociateSecurityGroups", "DisassociateSecurityGroups", "ModifyInstancesAttribute")


def writes(fleet: Fleet) -> int:
    return sum(fleet.calls(one) for one in WRITES)


def test_each_holder_has_its_own_row_and_only_the_good_ones_are_bound(tmp_path):
    fleet = Fleet(tmp_path, 4)
    good, full, isolated, already = ids(4)
    names = [f"sg-{n:08d}" for n in range(4)]
    fleet.cloud.groups += [
        Group(one, name=one, region=fleet.cloud.regions[0], account="100000000001", project="0")
        for one in names
    ]
    fleet.cloud.interfaces_of(full)[0].groups += names
    fleet.cloud.interfaces_of(already)[0].groups.append(GROUP)
    fleet.instance(isolated).state = "SHUTDOWN"
    asked = [good, full, isolated, already, "ins-gone0000", "web", "ins-1122", good]
    done = fleet.bind(asked)
    assert schemas.problems("decision", done) == ()
    assert {one: (row["status"], row["code"]) for one, row in rows(done).items()} == {
        good: ("done", "done"),
        full: ("refused", "groups-per-holder-exceeded"),
        isolated: ("refused", "holder-refuses"),
        already: ("nothing", "reached"),
        "ins-gone0000": ("refused", "holder-not-found"),
        "web": ("refused", "holder-malformed"),
        "ins-1122": ("refused", "holder-malformed"),
    }
    assert "6 groups" in rows(done)[full]["message"]
    assert "InstanceStateIsolating" in rows(done)[isolated]["message"]
    assert fleet.holders_of() == {good, already}
    assert fleet.carried(good) == [BASE, GROUP]
    assert [one["holder"] for one in done["bind"]["rows"]] == list(dict.fromkeys(asked))
    assert fleet.calls() == 1


def test_of_a_group_that_is_gone_nothing_more_is_needed(tmp_path):
    fleet = Fleet(tmp_path, 2)
    done = fleet.bind(ids(2), group_id="sg-gone0000")
    assert [one["code"] for one in done["reasons"] if one["effect"] == "block"] == [
        "group-not-found"
    ]
    assert fleet.calls() == 0


def test_a_forecast_refuses_the_holders_that_no_longer_fit(tmp_path):
    fleet = Fleet(tmp_path, 5, more="[limits.tencent]\ninstances-per-group = 3\n")
    fleet.cloud.interfaces_of(ids(5)[0])[0].groups.append(GROUP)
    done = fleet.bind(ids(5)[1:])
    assert by_status(done, "done") == set(ids(5)[1:3])
    assert rows(done)[ids(5)[4]]["code"] == "holders-per-group-exceeded"
    assert "5 holders" in rows(done)[ids(5)[4]]["message"]
    (limit,) = [one for one in done["facts"]["limits"] if one["name"] == "instances-per-group"]
    assert (limit["used"], limit["after"]) == (1, 5)


@pytest.mark.parametrize(
    ("more", "group", "code"),
    [
        ('[launch]\nforbidden = ["unused"]\n', GROUP, "group-forbidden"),
        ("[caps]\nholders = 2\n", GROUP, "cap-exceeded"),
        ("", "sg-nowhere0", "group-not-found"),
        ("", "sg-ide32", "group-malformed"),
    ],
)
@pytest.mark.sampled(3)
def test_what_is_wrong_with_the_group_blocks_all_of_it(tmp_path, more, group, code):
    fleet = Fleet(tmp_path, 3, more=more)
    done = fleet.bind(ids(3), group)
    assert (done["verdict"], done["outcome"]) == ("block", "unchanged")
    assert code in [one["code"] for one in done["reasons"]]
    assert writes(fleet) == 0


def test_a_missing_baseline_refuses_a_holder_and_the_baseline_itself_may_be_bound(tmp_path):
    fleet = Fleet(tmp_path, 2, more='[launch]\nbaseline = ["databases"]\n')
    assert rows(fleet.bind(ids(1)))[ids(1)[0]]["code"] == "baseline-missing"
    assert by_status(fleet.bind(ids(1), "sg-5ua9adfv", event_id="b-2"), "done") == set(ids(1))
    assert by_status(fleet.bind(ids(1), event_id="b-3"), "done") == set(ids(1))
    taken = fleet.bind(ids(1), "sg-5ua9adfv", event_id="b-4", action="unbind")
    assert rows(taken)[ids(1)[0]]["code"] == "baseline-missing"


def test_an_instance_is_never_left_without_a_group(tmp_path):
    fleet = Fleet(tmp_path, 3)
    both, only, without = ids(3)
    fleet.cloud.interfaces_of(both)[0].groups.append(GROUP)
    fleet.cloud.interfaces_of(only)[0].groups[:] = [GROUP]
    done = fleet.bind(ids(3), action="unbind")
    assert {one: row["code"] for one, row in rows(done).items()} == {
        both: "done",
        only: "last-group",
        without: "reached",
    }
    assert fleet.carried(only) == [GROUP]
    assert fleet.carried(both) == [BASE]


def test_observing_writes_nothing_and_lists_everybody(tmp_path):
    fleet = Fleet(tmp_path, 3, mode="observe")
    done = fleet.bind([*ids(3), "ins-gone0000"])
    assert (done["verdict"], done["outcome"], writes(fleet)) == ("remediate", "unchanged", 0)
    assert by_status(done, "planned") == set(ids(3))


def test_an_approval_shows_the_counts_and_carries_out_what_it_showed(tmp_path):
    fleet = Fleet(tmp_path, 120, mode="approve")
    asked = fleet.bind([*ids(120), "ins-gone0000"])
    (request,) = fleet.store.approvals("pending")
    assert "120 of 121 holders" in request.summary
    assert (asked["outcome"], writes(fleet)) == ("pending", 0)
    done = resolve.approve(request.approval_id, "olga", fleet.context())
    assert by_status(done, "done") == fleet.holders_of() == set(ids(120))
    assert done["approval"]["resolved_by"] == "olga"
    with pytest.raises(EventError):
        resolve.approve(request.approval_id, "olga", fleet.context())


def test_an_approval_of_a_plan_that_is_another_one_now_asks_anew(tmp_path):
    fleet = Fleet(tmp_path, 3, mode="approve")
    fleet.bind(ids(3))
    (request,) = fleet.store.approvals("pending")
    fleet.cloud.interfaces_of(ids(3)[0])[0].groups.append(GROUP)
    done = resolve.approve(request.approval_id, "olga", fleet.context())
    assert (done["outcome"], writes(fleet)) == ("pending", 0)
    (another,) = fleet.store.approvals("pending")
    assert "2 of 3 holders" in another.summary


def test_a_second_delivery_gets_the_same_answer_and_changes_nothing(tmp_path):
    fleet = Fleet(tmp_path, 3)
    first = fleet.bind(ids(3))
    calls = writes(fleet)
    assert fleet.bind(ids(3)) == first
    assert writes(fleet) == calls


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (HolderFilter(tag="team=web"), {0, 1}),
        (HolderFilter(tag="team"), {0, 1, 2}),
        (HolderFilter(tag="team=web", name="*-1"), {1}),
        (HolderFilter(group="sg-carried0"), {3}),
        (HolderFilter(network="vpc-other000"), {2}),
    ],
)
@pytest.mark.sampled(3)
def test_holders_are_found_by_tag_network_name_and_group(tmp_path, wanted, found):
    fleet = Fleet(tmp_path, 4)
    for n, team in enumerate(["web", "web", "data"]):
        fleet.instance(ids(4)[n]).tags["team"] = team
    fleet.instance(ids(4)[2]).network = "vpc-other000"
    fleet.cloud.interfaces_of(ids(4)[3])[0].groups.append("sg-carried0")
    done = fleet.bind([], wanted=wanted)
    ours = {ids(4)[n] for n in found}
    assert by_status(done, "done") & set(ids(4)) == ours == fleet.holders_of() & set(ids(4))


def test_a_call_that_fails_after_it_was_taken_is_told_for_each(tmp_path):
    fleet = Fleet(tmp_path, 3)
    fleet.cloud.quirks |= {"binding_fails": "FailedOperation.SecurityGroupActionFailed"}
    done = fleet.bind(ids(3))
    assert by_status(done, "refused") == set(ids(3))
    code = "FailedOperation.SecurityGroupActionFailed"
    assert {one["cloud_code"] for one in done["bind"]["rows"]} == {code}


def test_a_lost_answer_binds_nobody_twice(tmp_path):
    fleet = Fleet(tmp_path, 3)
    fleet.cloud.quirks["binding_s"] = 3
    fleet.emulator.faults.append(Fault("drop", action="AssociateSecurityGroups", is_after=True))
    done = fleet.bind(ids(3))
    assert by_status(done, "done") == fleet.holders_of() == set(ids(3))
    assert fleet.calls() == 1


def test_a_last_group_is_refused_before_anything_is_sent(tmp_path):
    fleet = Fleet(tmp_path, 1, mode="observe", groups=(GROUP,))
    assert rows(fleet.bind(ids(1), action="unbind"))[ids(1)[0]]["code"] == "last-group"


def test_interfaces_are_bound_by_their_own_call_and_primary_ones_by_their_instance(tmp_path):
    fleet = Fleet(tmp_path, 1)
    (side,) = [one for one in fleet.cloud.interfaces if one.id == "eni-3056glfn"]
    done = fleet.bind([*ids(1), side.id, "eni-missing0"])
    assert {one: row["code"] for one, row in rows(done).items()} == {
        ids(1)[0]: "done",
        side.id: "done",
        "eni-missing0": "holder-not-found",
    }
    assert GROUP in side.groups
    assert fleet.calls("AssociateNetworkInterfaceSecurityGroups") == fleet.calls() == 1
    back = fleet.bind([side.id], event_id="b-2", action="unbind")
    assert rows(back)[side.id]["code"] == "done"
    assert GROUP not in side.groups


def test_an_approved_bind_whose_worker_died_is_finished_by_the_next_approval(tmp_path):
    fleet = Fleet(tmp_path, 3, mode="approve")
    fleet.cloud.quirks["binding_s"] = 30
    fleet.bind(ids(3))
    (request,) = fleet.store.approvals("pending")
    with pytest.raises(SgguardError, match="time for this event"):
        resolve.approve(request.approval_id, "olga", fleet.context(deadline_s=6))
    assert fleet.calls() == 1
    done = resolve.approve(request.approval_id, "olga", fleet.context())
    assert by_status(done, "done") == set(ids(3)) == fleet.holders_of()
    assert fleet.calls() == 1


def test_a_group_that_rules_name_has_a_ceiling_of_its_own(tmp_path):
    fleet = Fleet(tmp_path, 5)
    fleet.cloud.limits["instances-per-referenced-group"] = 3
    done = fleet.bind(ids(5), "sg-5ua9adfv")
    assert by_status(done, "done") == set(ids(3))
    left = {rows(done)[one]["code"] for one in by_status(done, "refused")}
    assert left == {"holders-per-group-exceeded"}
    assert fleet.calls() == 1
