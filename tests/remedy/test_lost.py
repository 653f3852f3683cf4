"""What a restore cannot bring back is named: before the delete, before the restore and after it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sgguard.emulator.core import Emulator
from sgguard.model.address import Scope
from sgguard.model.capabilities import Capabilities
from sgguard.model.change import Change
from sgguard.model.decision import Step
from sgguard.model.resource import Group
from sgguard.remedy.lost import missing, untold, with_losses
from sgguard.remedy.plan import Plan, Planned
from sgguard.render.language.sentence import in_english, in_words
from tests.chinese import CHINESE
from tests.remedy.harness import Harness
from tests.worlds import world_of

SCOPE = Scope("openstack", "", "RegionOne")
SHARING = Capabilities("openstack", "cascades", "", "interface", "", sharing_native="shared with")
WHOLE = Group("sg-a", "web", tags=(), kind="")
DFW, TENCENT = world_of("tencent-dfw"), world_of("tencent")


@pytest.mark.parametrize(
    ("group", "lost"),
    [
        (WHOLE, ()),
        (replace(WHOLE, tags=None), ("its tags (not told)",)),
        (replace(WHOLE, name=None), ("its name (not told)",)),
        (replace(WHOLE, is_shared=True), ("whom it is shared with (not told)",)),
        (replace(WHOLE, is_shared=True, native=(("shared with", "p"),)), ()),
    ],
)
def test_what_was_not_told_cannot_be_restored(group, lost):
    assert tuple(map(in_english, untold(group, SHARING))) == lost


def test_only_a_cloud_whose_sharing_is_a_policy_has_to_be_told_whom():
    assert untold(replace(WHOLE, is_shared=True), replace(SHARING, sharing_native="")) == ()


def test_a_delete_names_what_a_restore_will_lack():
    step = Step("delete", f"{SCOPE}:sg-a", "delete sg-a (web)")
    plan = Plan(SCOPE, (Planned(step, Change("delete-group", "sg-a"), "sg-a"),))
    assert with_losses(plan, {"sg-a": WHOLE}, SHARING) == plan
    found = with_losses(plan, {"sg-a": replace(WHOLE, tags=None)}, SHARING)
    (planned,) = found.planned
    assert planned.step.summary == "delete sg-a (web); a restore lacks its tags (not told)"
    assert planned.step.details["not_restorable"] == "its tags (not told)"


def test_tags_that_an_api_does_not_tell_are_named_before_and_after(tmp_path):
    harness = Harness(DFW, tmp_path)
    deleted = harness.delete(DFW.referenced)
    assert deleted["plan"][-1]["summary"].endswith("a restore lacks its tags (not told)")
    restored = harness.restore(deleted["decision_id"])
    assert restored["plan"][0]["summary"].endswith("without its tags (not told)")
    assert restored["note"].endswith(f"lacks of {DFW.referenced}: its tags (not told)")


def creating(group: Group) -> Plan:
    change = Change("create-group", "sg-gone0000", group=group)
    return Plan(SCOPE, (Planned(Step("create", "", ""), change, "sg-gone0000"),))


def test_a_group_that_was_built_again_is_compared_with_the_one_it_replaces():
    cloud = TENCENT.connect(Emulator.load(TENCENT.scenario_copy()))
    there = cloud.read_groups([TENCENT.free]).value[TENCENT.free]
    made = {"sg-gone0000": TENCENT.free}
    assert missing(cloud, creating(there), made) == ()
    wanted = replace(there, name="shop", tags=(("team", "a"),), native=(("shared with", "p-1"),))
    (lacking,) = missing(cloud, creating(wanted), made)
    assert in_english(lacking) == (
        f"{TENCENT.free} lacks of sg-gone0000: name shop, tags team=a, shared with p-1"
    )
    assert in_words(lacking, CHINESE).endswith("名称“shop”、标签“team=a”、共享给“p-1”")
    (gone,) = missing(cloud, creating(there), {"sg-gone0000": "sg-nowhere0"})
    assert in_english(gone) == "sg-nowhere0 lacks of sg-gone0000: everything (it is not shown)"


def test_what_cannot_be_compared_is_named_too():
    emulator = Emulator.load(TENCENT.scenario_copy())
    emulator.state.clouds[0].accounts[0].denied = ["DescribeSecurityGroupPolicies"]
    cloud = TENCENT.connect(emulator)
    there = cloud.read_groups([TENCENT.free]).value[TENCENT.free]
    (unknown,) = missing(cloud, creating(there), {"sg-gone0000": TENCENT.free})
    assert "could not be compared" in in_english(unknown)
    assert "DescribeSecurityGroupPolicies 返回 UnauthorizedOperation" in in_words(unknown, CHINESE)
