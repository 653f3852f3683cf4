"""``sgguard doctor`` on Huawei Cloud: an empty list is no permission."""

from __future__ import annotations

import pytest

from sgguard.providers import Grant
from tests.operations.test_doctor import codes, emulator_of, examine
from tests.worlds import huawei as world
from tests.worlds.huawei import WORLD

LISTS = {
    "groups": "GET /v3/{project_id}/vpc/security-groups",
    "who references a group": "GET /v3/{project_id}/vpc/security-group-rules",
    "what carries a group": "GET /v3/{project_id}/ports",
    "supplementary interfaces": "GET /v3/{project_id}/vpc/sub-network-interfaces",
}


def states(checkup):
    return {one.brings: one.state for one in checkup.needed("read")}


def test_denied_lists_that_are_empty_are_permissions_that_are_missing():
    checkup = examine(WORLD, emulator_of(WORLD, account={"denied": list(LISTS.values())}))
    assert not checkup.is_trusted
    assert {name: states(checkup)[name] for name in LISTS} == dict.fromkeys(LISTS, Grant.MISSING)
    remedies = [one.remedy for one in checkup.findings if one.code == "permission-missing"]
    assert len(remedies) == len(LISTS)
    assert all("for the whole project, not by enterprise project" in one for one in remedies)


def test_who_is_authorised_by_enterprise_project_is_not_told_to_trust_verdicts():
    quirks = {"granted_eps": ["0"], "enterprise_projects": {world.REFERRER_IN: "eps-9"}}
    checkup = examine(WORLD, emulator_of(WORLD, quirks=quirks))
    assert not checkup.is_trusted
    assert {name: states(checkup)[name] for name in LISTS} == dict.fromkeys(LISTS, Grant.MISSING)
    hidden = {one.message.split(":")[0] for one in checkup.findings if "Hidden" in one.message}
    assert hidden == {"groups", "who references a group"}


@pytest.mark.parametrize("kept", ["interfaces", "attachments"])
def test_a_project_without_ports_or_supplementary_interfaces_is_trusted(kept):
    emulator = emulator_of(WORLD)
    cloud = emulator.state.clouds[0]
    for name in ("interfaces", "attachments"):
        if name != kept:
            getattr(cloud, name).clear()
    checkup = examine(WORLD, emulator)
    assert codes(checkup) == []
    assert set(states(checkup).values()) == {Grant.GRANTED}


def test_a_project_without_any_rule_is_trusted():
    emulator = emulator_of(WORLD)
    for group in emulator.state.clouds[0].groups:
        group.rules.clear()
    assert codes(examine(WORLD, emulator)) == []


def test_a_region_without_supplementary_interfaces_is_told_that_verdicts_are_blocked():
    checkup = examine(WORLD, emulator_of(WORLD, quirks={"subs_absent": True}))
    assert codes(checkup) == ["api-absent"]
    assert not checkup.is_trusted
