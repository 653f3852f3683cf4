"""What the clouds' own events start, from the bytes of a delivery to the effect in the cloud."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from sgguard import schemas
from sgguard.emulator.faults import Fault
from sgguard.engine import cloud_event
from sgguard.errors import SettingsError
from sgguard.events import request
from sgguard.model.occurrence import Happened
from tests.chinese import kept_in, require_chinese
from tests.events.samples import About, made, read, tencent_cloudaudit
from tests.remedy.harness import Harness
from tests.worlds import world_of

SOURCES = {
    "tencent": "tencent_cloudaudit",
    "alibaba": "alibaba_actiontrail",
    "huawei": "huawei_cts",
    "openstack": "openstack_oslo",
}
REGION = {"openstack": "OS_REGION_NAME", "huawei": "HUAWEICLOUD_SDK_REGION"}
REFUSING = ("tencent", "alibaba", "huawei")
HANDLE = cloud_event.handler(cloud_event.EVERYTHING)


@pytest.fixture
def cloud(request: pytest.FixtureRequest, tmp_path) -> Harness:
    world = world_of(request.param)
    named = {REGION[world.provider]: world.region} if world.provider in REGION else {}
    return Harness(replace(world, env={**world.env, **named}), tmp_path)


every_cloud = pytest.mark.parametrize("cloud", SOURCES, indirect=True)
every_refusing_cloud = pytest.mark.parametrize("cloud", REFUSING, indirect=True)


def about(cloud: Harness, group: str = "", **more: Any) -> About:
    world = cloud.world
    given = {"at_s": int(time.time()) - 60, **more}
    return About(group or world.referenced, world.server, world.region, **given)


def event(cloud: Harness, happened: Happened, group: str = "", **more: Any) -> Any:
    return made(SOURCES[cloud.world.provider], happened, about(cloud, group, **more))


def deliver(cloud: Harness, document: Any) -> list[Any]:
    asked = [(request.occurrence(one.data), one) for one in read(document).items]
    return HANDLE(asked, cloud.context())


def answer(cloud: Harness, document: Any) -> dict[str, Any]:
    (found,) = deliver(cloud, document)
    if isinstance(found, Exception):
        raise found
    assert schemas.problems("cloud_event_answer", found) == ()
    for one in found["decisions"]:
        require_chinese(one)
    # Why nothing is done, what could not be judged, and what a delete broke, are sentences.
    told = [*kept_in(require_chinese({**found, "decisions": []}))]
    broken = found["aftermath"]
    assert not broken or len(broken["unknown"]) == len(broken["unknown_sentences"])
    assert bool(told) == bool(found["aftermath"] or found["reason"] or found["problems"])
    return found


def groups_of(cloud: Harness) -> set[str]:
    return {one["id"] for each in cloud.emulator.state.dump()["clouds"] for one in each["groups"]}


# -- refused deletes -------------------------------------------------------------------------------


@every_refusing_cloud
@pytest.mark.sampled(2)
def test_a_refused_delete_is_explained_with_who_holds_the_group(cloud):
    cloud.mode = "observe"
    found = answer(cloud, event(cloud, Happened.DELETE_REFUSED))
    (decision,) = found["decisions"]
    assert found["status"] == "judged"
    assert found["requested_by"] == "alice"
    assert decision["verdict"] == "remediate"
    holders = {one["group_id"] for one in decision["facts"]["references"]}
    assert holders == {cloud.world.referrer_in, cloud.world.referrer_out}
    assert [step["action"] for step in decision["plan"]][-1] == "delete"
    assert decision["outcome"] == "unchanged"
    assert cloud.world.referenced in groups_of(cloud)


@every_refusing_cloud
@pytest.mark.sampled(4)
def test_a_refused_delete_waits_for_an_approver_who_is_not_the_requester(cloud):
    cloud.mode = "approve"
    (decision,) = answer(cloud, event(cloud, Happened.DELETE_REFUSED))["decisions"]
    assert decision["outcome"] == "pending"
    assert cloud.context().store.approvals("pending")[0].requester == "alice"


@every_refusing_cloud
@pytest.mark.sampled(2)
def test_a_refused_delete_is_carried_out_where_the_mode_says_so_once(cloud):
    first = answer(cloud, event(cloud, Happened.DELETE_REFUSED))
    again = answer(cloud, event(cloud, Happened.DELETE_REFUSED, at_s=int(time.time()) - 5))
    assert first["decisions"][0]["outcome"] == "remediated"
    assert first["decisions"] == again["decisions"]
    assert cloud.world.referenced not in groups_of(cloud)


@every_refusing_cloud
@pytest.mark.sampled(2)
def test_a_delete_refused_for_another_reason_is_never_carried_out(cloud):
    # Whoever lacks the permission must not have the group deleted by the guard's.
    code = {"tencent": "UnauthorizedOperation", "alibaba": "Forbidden.RAM", "huawei": "VPC.2201"}
    refused = event(cloud, Happened.DELETE_REFUSED, code=code[cloud.world.provider])
    found = answer(cloud, refused)
    assert found["decisions"][0]["mode"] == "observe"
    assert "does not say that it is held" in found["reason"]
    assert cloud.world.referenced in groups_of(cloud)


@every_refusing_cloud
@pytest.mark.parametrize("ahead_s", [-2 * 24 * 3600, 3600], ids=["late", "future"])
@pytest.mark.sampled(6)
def test_an_event_of_another_day_is_judged_and_changes_nothing(cloud, ahead_s):
    found = answer(cloud, event(cloud, Happened.DELETE_REFUSED, at_s=int(time.time()) + ahead_s))
    assert found["decisions"][0]["verdict"] == "remediate"
    assert found["decisions"][0]["mode"] == "observe"
    assert cloud.world.referenced in groups_of(cloud)


@every_refusing_cloud
@pytest.mark.sampled(4)
def test_a_delete_of_the_guard_that_is_refused_is_not_answered_with_another(cloud):
    # The refusal of the guard's own call comes back as an event: without an end to it, for ever.
    code = {"tencent": "ResourceInUse", "alibaba": "DependencyViolation", "huawei": "VPC.9902"}
    action = (
        "DELETE*security-groups*" if cloud.world.provider == "huawei" else "DeleteSecurityGroup"
    )
    cloud.emulator.faults.append(
        Fault("error", action=action, count=9, code=code[cloud.world.provider])
    )
    first = cloud.delete(cloud.world.referenced)
    assert first["outcome"] == "undone"
    found = answer(cloud, event(cloud, Happened.DELETE_REFUSED))
    assert found["decisions"][0]["mode"] == "observe"
    assert first["decision_id"] in found["reason"]
    assert cloud.world.referenced in groups_of(cloud)


@every_refusing_cloud
@pytest.mark.sampled(2)
def test_a_time_in_the_future_does_not_make_a_request_of_today_late(cloud):
    answer(cloud, event(cloud, Happened.DELETE_REFUSED, at_s=int(time.time()) + 3600))
    assert cloud.delete(cloud.world.referenced, at_s=time.time())["outcome"] == "remediated"


# -- deletes that succeeded ------------------------------------------------------------------------


@pytest.mark.parametrize("cloud", ["openstack"], indirect=True)
def test_rules_that_vanished_in_silence_are_told_from_an_earlier_decision(cloud):
    cloud.mode = "observe"
    before = cloud.delete(cloud.world.referenced)
    (state,) = cloud.emulator.state.clouds
    gone = cloud.world.referenced
    state.groups = [one for one in state.groups if one.id != gone]
    for one in state.groups:
        one.rules = [rule for rule in one.rules if rule.peer_group != gone]
    found = answer(cloud, event(cloud, Happened.DELETED))["aftermath"]
    vanished = {one["group_id"] for one in found["vanished"]}
    assert vanished == {cloud.world.referrer_in, cloud.world.referrer_out}
    assert found["compared_with"] == before["decision_id"]
    assert found["restore"] == ""
    assert found["dangling"] == []


@pytest.mark.parametrize("cloud", ["tencent", "alibaba"], indirect=True)
@pytest.mark.sampled(2)
def test_rules_that_name_a_deleted_group_are_told_as_dangling(cloud):
    cloud.mode = "observe"
    cloud.delete(cloud.world.referenced)
    (state,) = cloud.emulator.state.clouds
    state.groups = [one for one in state.groups if one.id != cloud.world.referenced]
    found = answer(cloud, event(cloud, Happened.DELETED))["aftermath"]
    dangling = {one["group_id"] for one in found["dangling"]}
    assert dangling == {cloud.world.referrer_in, cloud.world.referrer_out}
    assert found["vanished"] == []


@every_cloud
@pytest.mark.sampled(4)
def test_a_delete_of_our_own_offers_its_restore_and_counts_nothing_as_broken(cloud):
    done = cloud.delete(cloud.world.referenced)
    found = answer(cloud, event(cloud, Happened.DELETED))["aftermath"]
    assert found["restore"] == f"sgguard restore {done['decision_id']}"
    assert found["deleted_by"] == done["decision_id"]
    assert found["vanished"] == found["dangling"] == []


@every_cloud
@pytest.mark.sampled(3)
def test_a_holder_left_without_any_group_is_told(cloud):
    cloud.mode = "observe"
    cloud.delete(cloud.world.bound)
    (state,) = cloud.emulator.state.clouds
    gone = cloud.world.bound
    state.groups = [one for one in state.groups if one.id != gone]
    carried = [one for one in state.interfaces if gone in one.groups]
    for one in carried:
        one.groups = [group_id for group_id in one.groups if group_id != gone]
    found = answer(cloud, event(cloud, Happened.DELETED, gone))["aftermath"]
    expected = {one.instance for one in carried if not one.groups}
    assert expected
    assert {one["instance_id"] or one["holder_id"] for one in found["without_group"]} == expected


@every_cloud
def test_a_group_that_is_still_there_broke_nothing(cloud):
    found = answer(cloud, event(cloud, Happened.DELETED))["aftermath"]
    assert found["still_there"]
    assert "still there" in found["summary"]


@every_cloud
@pytest.mark.sampled(3)
def test_a_delete_nobody_asked_about_is_said_to_be_unknown(cloud):
    found = answer(cloud, event(cloud, Happened.DELETED, cloud.world.missing))["aftermath"]
    assert found["compared_with"] == ""
    assert "not wholly known" in found["summary"]


# -- launches and bindings -------------------------------------------------------------------------


@every_cloud
@pytest.mark.sampled(6)
def test_what_a_launched_instance_carries_is_judged_and_remedied_by_policy(cloud):
    cloud.more = f'[launch]\nforbidden = ["{cloud.world.bound}"]\nremedies = ["unbind"]\n'
    found = answer(cloud, event(cloud, Happened.BOUND, cloud.world.bound))
    (decision,) = found["decisions"]
    assert decision["guard"] == "launch"
    assert decision["target"] == [f"{cloud.scope}:{cloud.world.server}"]
    assert "group-forbidden" in {one["code"] for one in decision["reasons"]}


@pytest.mark.parametrize("cloud", ["tencent"], indirect=True)
@pytest.mark.parametrize(
    ("group", "status"), [("sg-carried0", "judged"), ("sg-unused00", "ignored")]
)
@pytest.mark.sampled(2)
def test_the_instance_of_an_interface_is_found_by_the_groups_it_carries(cloud, group, status):
    asked = {"NetworkInterfaceIds": ["eni-3056glfn"], "SecurityGroupIds": [group]}
    name = "AssociateNetworkInterfaceSecurityGroups"
    found = answer(cloud, tencent_cloudaudit.event(about(cloud), name, asked))
    assert found["status"] == status
    targets = [one["target"] for one in found["decisions"]]
    assert targets == ([[f"{cloud.scope}:ins-2zvpghhc"]] if status == "judged" else [])


@every_cloud
def test_a_change_of_rules_needs_nothing(cloud):
    found = answer(cloud, event(cloud, Happened.CHANGED))
    assert found["status"] == "refreshed"
    assert len(cloud.emulator.requests) == 0


# -- where, and how often --------------------------------------------------------------------------


@pytest.mark.parametrize("cloud", ["tencent", "alibaba"], indirect=True)
def test_an_event_of_another_account_is_not_judged_with_these_credentials(cloud):
    cloud.world.env["SGGUARD_ACCOUNT_" + cloud.world.provider.upper()] = "42"
    found = answer(cloud, event(cloud, Happened.DELETE_REFUSED))
    assert found["status"] == "ignored"
    assert "another account" in found["reason"]
    assert len(cloud.emulator.requests) == 0


@pytest.mark.parametrize("cloud", REGION, indirect=True)
def test_an_event_without_a_region_waits_until_one_is_set(cloud):
    del cloud.world.env[REGION[cloud.world.provider]]
    (found,) = deliver(cloud, event(cloud, Happened.DELETED))
    assert isinstance(found, SettingsError)
    assert REGION[cloud.world.provider] in str(found)


@every_refusing_cloud
@pytest.mark.sampled(4)
def test_two_traces_of_one_operation_in_one_batch_have_one_effect(cloud):
    one = event(cloud, Happened.DELETE_REFUSED)
    other = event(cloud, Happened.DELETE_REFUSED, at_s=int(time.time()) - 5)
    first, second = deliver(cloud, [one, other])
    assert first["decisions"] == second["decisions"]
    assert len(cloud.context().store.open_runs()) == 0


@every_refusing_cloud
def test_a_function_for_launches_says_that_a_delete_is_not_for_it(cloud):
    handle = cloud_event.handler(cloud_event.OF_LAUNCHES)
    (item,) = read(event(cloud, Happened.DELETE_REFUSED)).items
    (found,) = handle([(request.occurrence(item.data), item)], cloud.context())
    assert found["status"] == "ignored"
    assert "not for events of this kind" in found["reason"]
    assert len(cloud.emulator.requests) == 0


@every_refusing_cloud
@pytest.mark.sampled(4)
def test_a_saved_event_is_judged_without_a_trace_in_store_and_cloud(cloud):
    (item,) = read(event(cloud, Happened.DELETE_REFUSED)).items
    context = cloud.context()
    (found,) = cloud_event.judge([(request.occurrence(item.data), item)], context, context.store)
    assert found["decisions"][0]["verdict"] == "remediate"
    assert found["decisions"][0]["outcome"] == "unchanged"
    assert answer(cloud, event(cloud, Happened.DELETE_REFUSED))["decisions"][0]["mode"] == "enforce"
