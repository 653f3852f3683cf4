"""Groups of other projects that are shared with single projects only."""

from __future__ import annotations

from sgguard.emulator.core import Emulator
from sgguard.facts.gather import gather_launch
from sgguard.guards import launch
from sgguard.model.address import Scope
from sgguard.model.request import LaunchRequest
from sgguard.policy import Policy
from tests.worlds.openstack import WORLD


def judged(share_with: str | None, project: str) -> set[str]:
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0]["accounts"][0]["role"] = "admin"
    emulator = Emulator.load(scenario)
    (cloud,) = emulator.state.clouds
    group = cloud.group(WORLD.free)
    group.project = "f" * 32
    if share_with:
        group.shared_with.append(share_with)
    provider = WORLD.connect(emulator)
    request = LaunchRequest(Scope("openstack", "", WORLD.region), (WORLD.free,), project=project)
    facts = gather_launch(provider, request)
    judgement = launch.judge(facts, Policy())
    return {one.code for one in judgement.reasons if one.effect == "block"}


def test_a_group_that_is_shared_with_the_project_of_the_launch_is_not_elsewhere():
    codes = judged("a" * 32, "a" * 32)
    assert "group-other-project" not in codes


def test_a_group_that_is_shared_with_another_project_is_elsewhere():
    codes = judged("b" * 32, "a" * 32)
    assert "group-other-project" in codes


def test_a_group_that_is_not_shared_is_elsewhere():
    codes = judged(None, "a" * 32)
    assert "group-other-project" in codes
