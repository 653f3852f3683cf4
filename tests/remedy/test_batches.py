"""Changes that go together: each line keeps its own state, whatever becomes of the call."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import httpx
import pytest

from sgguard import providers
from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from tests.bench.remedy import Crowd, is_writing
from tests.remedy.harness import comparable
from tests.worlds import world_of

REFERENCES, REFERRERS, HOLDERS = 6, 2, 6
RULE_CALLS = {
    "alibaba": "*SecurityGroup",
    "huawei": "*rules*",
    "openstack": "*rules*",
    "tencent": "*Policies",
    "tencent-dfw": "*Policy",
}
HOLDER_CALLS = {
    "alibaba": "ModifyInstanceAttribute",
    "huawei": "PUT *",
    "openstack": "PUT *",
    "tencent": "*ssociateSecurityGroups",
    "tencent-dfw": "ModifySecurityGroupsOfInstance",
}


QUICK = "tencent"
MARKS = {one: () if one == QUICK else pytest.mark.slow for one in providers.names()}


@pytest.fixture(params=[pytest.param(one, marks=mark) for one, mark in MARKS.items()])
def crowd(request, tmp_path) -> Crowd:
    world = world_of(request.param)
    return Crowd(world, ("rewrite", "move"), tmp_path, REFERENCES, REFERRERS, HOLDERS)


def written(crowd: Crowd) -> Counter[str]:
    return Counter({name: n for name, n in crowd.calls().items() if is_writing(name)})


def smooth(crowd: Crowd, folder) -> Counter[str]:
    """What the same plan sends where nothing goes wrong."""
    folder.mkdir()
    other = replace(crowd, folder=folder)
    assert other.remedy()["outcome"] == "remediated"
    return written(other)


def is_moved(crowd: Crowd) -> bool:
    cloud = crowd.emulator.state.clouds[0]
    return (
        cloud.group(crowd.target) is None
        and len(cloud.interfaces_with(crowd.world.free)) == HOLDERS
        and len(cloud.references(crowd.world.free)) == REFERENCES
        and not cloud.references(crowd.target)
    )


def shown(crowd: Crowd) -> object:
    return comparable(crowd.emulator.state.dump(), {})


@pytest.mark.parametrize("which", [RULE_CALLS, HOLDER_CALLS], ids=["rules", "holders"])
@pytest.mark.parametrize("is_after", [True, False], ids=["made", "not made"])
@pytest.mark.sampled(6)
def test_a_batch_whose_answer_is_lost_is_settled_line_by_line(crowd, tmp_path, which, is_after):
    sent = smooth(crowd, tmp_path / "smooth")
    action = which[crowd.world.provider]
    writing = {"alibaba": "Authorize*", "huawei": "POST *rules*", "openstack": "POST *rules*"}
    if which is RULE_CALLS:
        names = {"tencent": "Replace*", "tencent-dfw": "Create*Policy"}
        action = (writing | names)[crowd.world.provider]
    crowd.emulator.faults.append(Fault("drop", action=action, is_after=is_after))
    handled = crowd.remedy()
    assert handled["outcome"] == "remediated", handled["note"]
    assert is_moved(crowd)
    last = {line["step"]: line["state"] for line in handled["journal"]}
    assert set(last.values()) == {"done"}
    if is_after:  # nothing is sent twice
        assert written(crowd) == sent


class Refusing(Emulator):
    """A cloud that refuses every change that mentions all of some words: the last of a batch."""

    def __init__(self, crowd: Crowd, *words: str) -> None:
        super().__init__(crowd.emulator.state)
        self.words = words
        self.one_by_one = threading.Lock()  # the fault is for this call, and no other thread's

    def handle(self, request: httpx.Request) -> httpx.Response:
        with self.one_by_one:
            if all(word in text_of(request) for word in self.words):
                self.faults.append(Fault("error", count=1, code="Odd"))
            return super().handle(request)


def text_of(request: httpx.Request) -> str:
    head = f"{request.method} {request.url.path} {request.url.query!r} {request.headers}"
    return f"{head} {request.content!r}"


def third(crowd: Crowd, which: str) -> tuple[str, ...]:
    """What only the change of one rule, or of one holder, says."""
    if which == "rules":
        return f"{crowd.world.free[-12:-6]}c00002", "8003", crowd.world.free
    interface = crowd.emulator.state.clouds[0].interfaces_with(crowd.target)[3]
    by_instance = ("alibaba", "tencent", "tencent-dfw")
    holder = interface.instance if crowd.world.provider in by_instance else interface.id
    return holder, crowd.world.free


@pytest.mark.parametrize("which", ["rules", "holders"])
@pytest.mark.sampled(2)
def test_a_batch_of_which_one_is_refused_is_undone_to_the_last_rule(crowd, which):
    before = shown(crowd)
    crowd.emulator = Refusing(crowd, *third(crowd, which))
    handled = crowd.remedy()
    assert handled["outcome"] == "undone", handled["note"]
    assert shown(crowd) == before
    last = {line["step"]: line["state"] for line in handled["journal"]}
    assert set(last.values()) == {"undone", "not-done"}


ADDING = {
    "alibaba": "AuthorizeSecurityGroup",
    "huawei": "batch-create",
    "openstack": "security_group_rules",
    "tencent": "ReplaceSecurityGroupPolicies",
    "tencent-dfw": "CreateSecurityGroupPolicy",
}


class Meddling(Emulator):
    """Another user removes a rule right before the first new rules arrive."""

    def __init__(self, crowd: Crowd) -> None:
        super().__init__(crowd.emulator.state)
        self.owner, self.rule = crowd.emulator.state.clouds[0].references(crowd.target)[1]
        self.when = ADDING[crowd.world.provider]

    def handle(self, request: httpx.Request) -> httpx.Response:
        if self.rule in self.owner.rules and self.when in text_of(request):
            self.owner.rules.remove(self.rule)
            self.owner.version += 1
        return super().handle(request)


def test_where_another_user_removed_the_old_rule_the_new_one_does_not_stay(crowd):
    owner, rule = crowd.emulator.state.clouds[0].references(crowd.target)[1]
    owner.rules.remove(rule)
    without = shown(crowd)
    owner.rules.insert(2, rule)
    crowd.emulator = Meddling(crowd)
    handled = crowd.remedy()
    assert rule not in owner.rules
    assert handled["outcome"] == "undone", handled["note"]
    assert shown(crowd) == without


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "InvalidAction"])
@pytest.mark.sampled(2)
def test_without_the_call_that_replaces_each_rule_is_rewritten_by_itself(tmp_path, code):
    crowd = Crowd(world_of("tencent"), ("rewrite", "move"), tmp_path, REFERENCES, REFERRERS, 1)
    fault = Fault("error", action="ReplaceSecurityGroupPolicies", count=99, code=code)
    crowd.emulator.faults.append(fault)
    handled = crowd.remedy()
    assert handled["outcome"] == "remediated", handled["note"]
    cloud = crowd.emulator.state.clouds[0]
    rules = [cloud.group(crowd.world.free[:-6] + f"c{n:05d}").rules for n in (1, 2)]
    assert [[one.ports for one in some] for some in rules] == [["22", "8001", "8002", "8003"]] * 2
    sent = written(crowd)
    assert sent["CreateSecurityGroupPolicies"] == sent["DeleteSecurityGroupPolicies"] == REFERENCES


@pytest.mark.parametrize("provider", ["tencent", "tencent-dfw"])
@pytest.mark.sampled(2)
def test_rewritten_rules_keep_their_places_among_the_others(provider, tmp_path):
    crowd = Crowd(world_of(provider), ("rewrite", "move"), tmp_path, 8, 2, 1)
    cloud = crowd.emulator.state.clouds[0]
    for number in (1, 2):
        group = cloud.group(crowd.world.free[:-6] + f"c{number:05d}")
        group.rules.insert(3, replace(group.rules[0], id="", ports="443"))
    assert crowd.remedy()["outcome"] == "remediated"
    for number in (1, 2):
        group = cloud.group(crowd.world.free[:-6] + f"c{number:05d}")
        ports = [one.ports for one in group.rules]
        assert ports == ["22", "8001", "8002", "443", "8003", "8004"]
        assert {one.peer_group for one in group.rules} == {"", crowd.world.free}
