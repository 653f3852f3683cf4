"""OpenStack with the plugin that keeps referenced groups: what is read, and what is told."""

from __future__ import annotations

import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.facts.gather import gather_delete
from sgguard.guards import delete
from sgguard.model.address import Address, Scope
from sgguard.model.request import DeleteRequest
from sgguard.policy import Policy
from sgguard.render.language.sentence import in_english, message_of
from tests.worlds import openstack as w

EXTENSIONS = "GET /v2.0/extensions"
GUARD = "Neutron's plugin sgguard"


def emulator(**quirks):
    scenario = w.WORLD.scenario_copy()
    scenario["clouds"][0]["quirks"] = quirks
    return Emulator.load(scenario)


def gathered(cloud, *group_ids, env=w.PASSWORD_ENV):
    scope = Scope("openstack", "", w.WORLD.region)
    request = DeleteRequest(tuple(Address(scope, group_id) for group_id in group_ids))
    return gather_delete(w.WORLD.connect(cloud, env=env), request)


def judged(cloud, *group_ids, env=w.PASSWORD_ENV):
    return delete.judge(gathered(cloud, *group_ids, env=env), Policy())


def asked(cloud):
    return [request.action for request in cloud.requests].count(EXTENSIONS)


@pytest.mark.parametrize("env", [w.PASSWORD_ENV, w.READER_ENV, w.ADMIN_ENV])
def test_a_referenced_group_is_kept_where_the_plugin_is(env):
    found = judged(emulator(sgguard_plugin=True), w.WEB, env=env)
    (reason,) = found.reasons
    assert reason.code == "referenced"
    assert f"{GUARD} would refuse with SecurityGroupInUse" in message_of(reason)


def test_a_delete_of_a_referenced_group_is_told_as_what_then_happens():
    cloud = emulator(sgguard_plugin=True)
    (told,) = judged(cloud, w.WEB).consequences
    assert (told.kind, told.error_code) == ("will-be-refused", "SecurityGroupInUse")
    assert in_english(told.note) == f"rules of other groups name it; {GUARD} keeps it"
    assert told.vanishing == ()


def test_without_the_plugin_it_is_told_as_a_cascade():
    cloud = emulator()
    found = judged(cloud, w.WEB)
    assert [one.code for one in found.reasons] == ["referenced-will-cascade"]
    assert [one.kind for one in found.consequences] == ["will-cascade"]
    assert asked(cloud) == 1


def test_nobody_asks_for_the_plugin_where_nothing_is_referenced():
    cloud = emulator(sgguard_plugin=True)
    found = judged(cloud, w.FREE)
    assert [one.kind for one in found.consequences] == ["will-succeed"]
    assert asked(cloud) == 0


def test_groups_that_go_in_order_are_told_to_go_with_the_plugin_too():
    found = judged(emulator(sgguard_plugin=True), w.WEB, w.APP, w.OUT)
    kinds = {one.target.rpartition(":")[2]: one.kind for one in found.consequences}
    assert kinds[w.WEB] == "will-succeed"


@pytest.mark.parametrize("fault", ["error", "throttle", "drop", "garbage"])
@pytest.mark.sampled(3)
def test_a_list_of_extensions_that_cannot_be_read_tells_the_worse(fault):
    cloud = emulator(sgguard_plugin=True)
    cloud.faults.append(Fault(fault, action=EXTENSIONS, count=99))
    found = judged(cloud, w.WEB)
    assert [one.code for one in found.reasons] == ["referenced-will-cascade"]
    assert [one.kind for one in found.consequences] == ["will-cascade"]


def test_a_plan_still_checks_before_each_delete():
    # The capability that says so is the cloud's own, whatever stands in front of it.
    facts = gathered(emulator(sgguard_plugin=True), w.WEB)
    assert facts.capabilities.delete_guard == GUARD
    assert facts.capabilities.on_delete_referenced == "cascades"
    assert w.WORLD.connect(emulator(sgguard_plugin=True)).capabilities.delete_guard == ""
