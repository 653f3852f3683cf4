"""An empty list proves nothing by itself: what shows that it could have had a row."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from sgguard.emulator.faults import Fault
from sgguard.errors import ForbiddenError
from sgguard.model.change import Holder
from sgguard.model.codes import UnseenCode
from sgguard.providers import probing
from sgguard.render.language.sentence import in_english
from sgguard.render.language.sentence import whole_english as whole
from tests.remedy.harness import Harness
from tests.worlds.alibaba import ADVANCED, WORLD, actions, add_interfaces, switch

FREE, APP, BOUND, WEB = WORLD.free, WORLD.referrer_in, WORLD.bound, WORLD.referenced
GROUPS, RULES = "DescribeSecurityGroups", "DescribeSecurityGroupAttribute"
REFERENCES = "DescribeSecurityGroupReferences"
INSTANCES, INTERFACES = "DescribeInstances", "DescribeNetworkInterfaces"
QUERIES = [GROUPS, RULES, REFERENCES, INSTANCES, INTERFACES]
TARGETS = [BOUND, WEB, FREE, "sg-bp1sha00000000000008"]
NOTHING = {"NextToken": "", "TotalCount": 0}
EMPTY = {
    INSTANCES: NOTHING | {"Instances": {"Instance": []}},
    INTERFACES: NOTHING | {"NetworkInterfaceSets": {"NetworkInterfaceSet": []}},
}


@pytest.fixture
def emulator():
    return WORLD.emulator()


@pytest.fixture
def cloud(emulator):
    return emulator.state.clouds[0]


def deny(emulator, *denied, mode="empty"):
    emulator.state.clouds[0].accounts[0].denied = list(denied)
    return switch(emulator, denied_queries=mode)


def gaps(seen):
    return [(one.code, one.group_id) for one in seen.unseen]


def empty_account(emulator):
    cloud = emulator.state.clouds[0]
    cloud.instances.clear()
    cloud.interfaces.clear()
    return emulator


NO_PERMISSION = UnseenCode.NO_PERMISSION


# -- verdicts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["empty", "forbidden", ()], ids=["empty", "403", "as documented"])
@pytest.mark.parametrize(
    ("target", "denied"),
    # Nothing references the free group, so no rules are read for it.
    [(one, denied) for one in TARGETS for denied in QUERIES if (one, denied) != (FREE, RULES)],
)
@pytest.mark.sampled(40)
def test_no_delete_is_allowed_without_a_permission_that_it_needs(tmp_path, target, denied, mode):
    harness = Harness(WORLD, tmp_path, mode="observe")
    deny(harness.emulator, denied, mode=mode)
    document = harness.delete(target)
    assert document["verdict"] == "block"
    assert harness.emulator.state.clouds[0].group(target)


@pytest.mark.parametrize("action", [INSTANCES, INTERFACES])
@pytest.mark.sampled(2)
def test_a_carried_group_is_not_allowed_where_a_list_is_always_empty(tmp_path, action):
    harness = Harness(WORLD, tmp_path, mode="observe")
    cloud = harness.emulator.state.clouds[0]
    for one in cloud.interfaces:
        one.groups = [APP] if one.kind == "secondary" or action == INSTANCES else [WEB]
    add_interfaces(
        harness.emulator, FREE, 1, kind="primary" if action == INSTANCES else "secondary"
    )
    body = json.dumps(EMPTY[action])
    harness.emulator.faults.append(Fault("garbage", action=action, body=body, count=999))
    document = harness.delete(FREE)
    assert document["verdict"] == "block"
    reasons = {one["code"] for one in document["reasons"]}
    assert "facts-incomplete" in reasons


@pytest.mark.parametrize("denied", [INSTANCES, INTERFACES])
@pytest.mark.parametrize("mode", ["empty", "forbidden"])
@pytest.mark.sampled(6)
def test_no_launch_is_within_limits_that_were_counted_without_permission(tmp_path, denied, mode):
    harness = Harness(WORLD, tmp_path, mode="observe")
    deny(harness.emulator, denied, mode=mode)
    document = harness.launch(WORLD.server, FREE)
    assert document["verdict"] == "block"


@pytest.mark.parametrize("quirks", [{}, {"address_count": "absent"}, {"address_count": 0}])
@pytest.mark.parametrize("is_empty", [False, True], ids=["in use", "empty account"])
@pytest.mark.sampled(6)
def test_a_free_group_is_allowed_with_every_permission(tmp_path, quirks, is_empty):
    harness = Harness(WORLD, tmp_path, mode="observe")
    switch(harness.emulator, **quirks)
    if is_empty:
        empty_account(harness.emulator)
    assert harness.delete(FREE)["verdict"] == "allow"


# -- holders -------------------------------------------------------------------------------------


@pytest.mark.parametrize("denied", [INSTANCES, INTERFACES])
@pytest.mark.parametrize("mode", ["empty", "forbidden"])
def test_a_denied_list_of_holders_is_unseen_for_every_group(emulator, denied, mode):
    seen = WORLD.connect(deny(emulator, denied, mode=mode)).list_bindings([FREE, BOUND])
    assert set(gaps(seen)) == {(NO_PERMISSION, FREE), (NO_PERMISSION, BOUND)}
    assert all(denied in in_english(one.remedy) for one in seen.unseen)


@pytest.mark.parametrize("denied", [INSTANCES, INTERFACES])
def test_an_empty_list_is_unproved_where_the_server_knows_no_dry_run(emulator, denied):
    switch(deny(emulator, denied), dry_run="absent", address_count="absent")
    seen = WORLD.connect(emulator).list_bindings([FREE])
    assert gaps(seen) == [(NO_PERMISSION, FREE)]


@pytest.mark.parametrize("hidden", ["hidden_instances", "hidden_interfaces"])
def test_a_holder_that_a_policy_by_tag_hides_shows_in_the_groups_own_count(emulator, cloud, hidden):
    kind = "primary" if hidden == "hidden_instances" else "secondary"
    add_interfaces(emulator, FREE, 1, kind=kind)
    resources = cloud.instances if hidden == "hidden_instances" else cloud.interfaces
    switch(emulator, **{hidden: [resources[-1].id]})
    seen = WORLD.connect(emulator).list_bindings([FREE])
    assert seen.value == {FREE: ()}
    assert gaps(seen) == [(NO_PERMISSION, FREE)]
    assert "counts 1 private addresses" in whole(seen.unseen[0].why)


def test_a_count_above_what_is_listed_blocks_only_where_nothing_is_listed(emulator):
    """It is deprecated and may lag: it refutes an empty list, and never names a holder."""
    switch(emulator, address_count=7)
    seen = WORLD.connect(emulator).list_bindings([BOUND, FREE])
    assert gaps(seen) == [(NO_PERMISSION, FREE)]


def test_a_count_that_lags_behind_a_holder_is_waited_for(emulator, cloud):
    """It is not kept in step with changes; the lists are what a plan waits for."""
    switch(emulator, address_count=1)
    waits = []

    def catch_up(seconds):
        waits.append(seconds)
        if len(waits) == 2:
            cloud.quirks["address_count"] = 0

    provider = WORLD.connect(emulator)
    retry = replace(provider.ecs.wire.retry, sleep=catch_up, attempts=4)
    ecs = replace(provider.ecs, wire=replace(provider.ecs.wire, retry=retry))
    assert replace(provider, ecs=ecs).list_bindings([FREE]).unseen == ()
    assert waits == [0.1, 0.2]


def test_a_row_of_another_group_proves_both_lists(emulator):
    WORLD.connect(emulator).list_bindings([BOUND, FREE])
    assert actions(emulator) == [INSTANCES] * 2 + [INTERFACES] * 2 + [GROUPS]


def test_a_group_with_holders_in_both_lists_needs_no_further_call(emulator):
    WORLD.connect(emulator).list_bindings([BOUND])
    assert actions(emulator) == [INSTANCES, INTERFACES]


def test_a_free_group_costs_one_small_page_of_each_list_and_its_own_count(emulator):
    WORLD.connect(emulator).list_bindings([FREE])
    assert actions(emulator) == [INSTANCES] * 2 + [INTERFACES] * 2 + [GROUPS]
    small = [one for one in emulator.requests if "MaxResults=10&" in f"{one.query}&"]
    assert len(small) == 2


def test_a_group_that_no_list_knows_is_no_group_without_holders(emulator):
    seen = WORLD.connect(emulator).list_bindings([WORLD.missing])
    assert {(one.code, one.group_id) for one in seen.unseen} == {("not-told", WORLD.missing)}


# -- groups, rules, references -------------------------------------------------------------------


def test_a_group_is_gone_only_when_it_is_said_twice(emulator):
    provider = WORLD.connect(emulator)
    assert provider.read_groups([WORLD.missing, FREE]).value[WORLD.missing] is None
    assert actions(emulator) == [RULES, GROUPS]


@pytest.mark.parametrize("mode", ["empty", "forbidden"])
@pytest.mark.parametrize("denied", [[GROUPS, RULES], [RULES]])
def test_a_group_is_not_gone_because_nothing_may_be_seen(emulator, denied, mode):
    provider = WORLD.connect(deny(emulator, *denied, mode=mode))
    if GROUPS in denied and mode == "forbidden":
        with pytest.raises(ForbiddenError):
            provider.read_groups([FREE])
        return
    asked = FREE if GROUPS in denied else WORLD.missing
    seen = provider.read_groups([asked])
    assert seen.value == {}
    assert gaps(seen) == [(NO_PERMISSION, asked)]


def test_a_group_that_the_list_hides_is_not_gone(emulator):
    seen = WORLD.connect(switch(emulator, hidden_groups=[FREE])).read_groups([FREE, APP])
    assert set(seen.value) == {APP}
    assert gaps(seen) == [(NO_PERMISSION, FREE)]
    assert f"{RULES} describes it" in whole(seen.unseen[0].why)


def test_a_response_without_the_group_is_no_group_without_rules(emulator):
    with pytest.raises(ForbiddenError, match="does not describe"):
        WORLD.connect(deny(emulator, RULES)).list_rules(WEB)


def test_silence_about_references_needs_a_call_that_would_speak(emulator):
    seen = WORLD.connect(deny(emulator, REFERENCES)).list_references([FREE])
    assert gaps(seen) == [(NO_PERMISSION, FREE)]
    assert "does not refuse a group that cannot exist" in whole(seen.unseen[0].why)


def test_silence_about_a_free_group_is_believed_of_a_call_that_refuses_what_cannot_exist(emulator):
    seen = WORLD.connect(switch(emulator, references_silent=True)).list_references([FREE])
    assert (seen.value, seen.unseen) == ({FREE: ()}, ())
    assert actions(emulator).count(REFERENCES) == 2


def test_no_group_of_a_name_is_believed_where_no_group_at_all_is_listed(emulator, cloud):
    with pytest.raises(ForbiddenError, match=GROUPS):
        WORLD.connect(deny(emulator, GROUPS)).find_groups("web")
    cloud.accounts[0].denied, cloud.groups[:] = [], []
    assert WORLD.connect(emulator).find_groups("web") == ()


# -- instances -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["empty", "forbidden"])
def test_an_instance_is_not_gone_because_it_may_not_be_seen(emulator, mode):
    provider = WORLD.connect(deny(emulator, INSTANCES, mode=mode))
    holder = Holder("instance", WORLD.server)
    with pytest.raises(ForbiddenError):
        provider.read_holder(holder)
    if mode == "empty":
        seen = provider.read_instance(WORLD.server)
        assert seen.value is not None
        assert [one.code for one in seen.unseen] == [NO_PERMISSION]


def test_an_instance_that_only_its_interfaces_show_is_there(emulator):
    switch(emulator, hidden_instances=[WORLD.server])
    seen = WORLD.connect(emulator).read_instance(WORLD.server)
    assert seen.value is not None
    assert "its interfaces are listed" in whole(seen.unseen[0].why)


def test_an_instance_that_does_not_exist_is_none(emulator):
    assert WORLD.connect(emulator).read_instance(WORLD.missing_server).value is None
    assert WORLD.connect(empty_account(emulator)).read_instance("i-none").value is None


@pytest.mark.parametrize("denied", [[], [INTERFACES]])
def test_an_instance_whose_interfaces_are_not_all_listed_is_not_whole(emulator, denied):
    deny(emulator, *denied)
    if not denied:
        switch(emulator, hidden_interfaces=["eni-bp1second000000002"])
    seen = WORLD.connect(emulator).read_instance(WORLD.other_server)
    assert [one.code for one in seen.unseen] == [NO_PERMISSION]
    assert "eni-bp1second000000002" in whole(seen.unseen[0].why)


def test_an_interface_is_not_gone_because_it_may_not_be_seen(emulator):
    holder = Holder("interface", "eni-bp1second000000002")
    with pytest.raises(ForbiddenError):
        WORLD.connect(deny(emulator, INTERFACES)).read_holder(holder)
    assert WORLD.connect(deny(emulator)).read_holder(Holder("interface", "eni-none")) is None


# -- counts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("denied", [INSTANCES, INTERFACES])
@pytest.mark.parametrize("mode", ["empty", "forbidden"])
def test_a_count_without_permission_is_no_count(emulator, denied, mode):
    add_interfaces(emulator, FREE, 3)
    seen = WORLD.connect(deny(emulator, denied, mode=mode)).count_instances([FREE])
    assert seen.value == {}
    assert set(gaps(seen)) == {(NO_PERMISSION, FREE)}


@pytest.mark.parametrize("group_id", [FREE, ADVANCED])
def test_where_nothing_is_listed_the_groups_own_count_is_the_number(emulator, group_id):
    """A policy by tag hides the holders, or the count lags: no launch is counted too low."""
    counted = WORLD.connect(switch(emulator, address_count=7)).count_instances([group_id, BOUND])
    assert counted.unseen == ()
    assert counted.value == {group_id: 7, BOUND: 2}


def test_an_advanced_group_is_counted_by_interfaces_and_a_basic_one_by_instances(emulator):
    add_interfaces(emulator, FREE, 1)
    (instance,) = emulator.state.clouds[0].interfaces[-1:]
    instance.groups = [FREE, ADVANCED]
    add_interfaces(emulator, FREE, 3, kind="secondary", instance=instance.instance)
    for one in emulator.state.clouds[0].interfaces[-3:]:
        one.groups = [FREE, ADVANCED]
    counted = WORLD.connect(emulator).count_instances([FREE, ADVANCED])
    assert counted.unseen == ()
    assert counted.value == {FREE: 1, ADVANCED: 4}


# -- the doctor ----------------------------------------------------------------------------------


@pytest.mark.parametrize("denied", QUERIES)
@pytest.mark.parametrize("is_empty", [False, True], ids=["in use", "empty account"])
@pytest.mark.sampled(4)
def test_the_doctor_takes_no_empty_list_for_a_permission(emulator, denied, is_empty):
    if is_empty:
        empty_account(emulator)
    deny(emulator, denied)
    probe = probing("alibaba").probe(WORLD.connect(emulator))
    refused = []
    for check in probe.checks:
        try:
            if check.ask is not None:
                check.ask()
        except ForbiddenError as error:
            refused.append(error.action)
    assert refused == [denied]


def test_what_no_proof_covers_is_said():
    told = " ".join(map(whole, WORLD.connect(WORLD.emulator()).capabilities.blind_spots))
    assert "tag or resource group" in told
