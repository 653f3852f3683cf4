"""No list of Tencent Cloud is taken for a whole one unless something else agrees with it."""

from __future__ import annotations

import json

import httpx
import pytest

from sgguard.emulator.faults import Fault
from sgguard.facts.gather import gather_delete
from sgguard.model.address import Address, Scope
from sgguard.model.request import DeleteRequest
from sgguard.providers import Grant
from sgguard.render.language.sentence import in_english
from sgguard.render.language.sentence import whole_english as whole
from tests.operations.test_doctor import emulator_of, examine
from tests.providers.test_tencent import answering, connected, loaded
from tests.providers.test_tencent_completeness import (
    REFERENCES,
    STATISTICS,
    counted,
    facts_of,
    full,
    groups,
    rules,
)
from tests.worlds import tencent, tencent_dfw

WORLD = tencent.WORLD
SCOPE = Scope("tencent", "", WORLD.region)


def cloud_of(**changes):
    return loaded(instances=[], interfaces=[], **changes)


def facts_of_set(provider, *names):
    request = DeleteRequest(tuple(Address(SCOPE, full(name)) for name in names))
    found = gather_delete(provider, request).groups
    return dict(zip(names, found, strict=True))


def is_known_free(facts):
    return not (facts.references or facts.bindings or facts.unseen)


# -- a count is explained only by what is known --------------------------------------------------


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_groups_own_rules_explain_one_reference_however_many_they_are(number):
    """Two are counted: itself, and one that the list does not name."""
    world = groups(a="", b="a")
    world[0]["rules"] = rules(*[full("a")] * number)
    hidden = cloud_of(groups=world, quirks={"references_hide": [full("b")]})
    facts = facts_of(connected(hidden), full("a"))
    assert {(gap.code, in_english(gap.what)) for gap in facts.unseen} == {
        ("not-told", "references")
    }
    world[1]["rules"] = []
    assert is_known_free(facts_of(connected(cloud_of(groups=world)), full("a")))


def with_count(world, group_id, count, **quirks):
    """A cloud that counts this many references to the group, whatever there are."""
    emulator = cloud_of(groups=world, quirks=quirks)
    ids = [one["id"] for one in world]
    sets = [
        row
        for one in ids
        for row in counted(one, groups=count if one == group_id else 0)[
            "SecurityGroupAssociationStatisticsSet"
        ]
    ]
    body = json.dumps({"Response": {"SecurityGroupAssociationStatisticsSet": sets}})
    emulator.faults.append(
        Fault("garbage", action=STATISTICS, count=99, body=body, content_type="application/json")
    )
    return emulator


# The rules of the group itself, those of each named group, and the counts that they explain.
EXPLAINED = [
    (0, (), {0}),
    (1, (), {0, 1}),
    (3, (), {0, 1}),
    (0, (1,), {0, 1}),
    (0, (3,), {0, 1, 3}),
    (0, (3, 2), {0, 1, 2, 5}),
    (1, (3,), {0, 1, 2, 3, 4}),
    (2, (3,), {0, 1, 2, 3, 4}),
]


@pytest.mark.parametrize(("own", "named", "explained"), EXPLAINED)
@pytest.mark.sampled(6)
def test_a_count_is_explained_by_every_reading_or_exactly_by_the_named_rules(own, named, explained):
    world = groups(a="", b="", c="")
    world[0]["rules"] = rules(*[full("a")] * own)
    for one, number in zip(world[1:], named, strict=False):
        one["rules"] = rules(*[full("a")] * number)
    for count in range(9):
        facts = facts_of(connected(with_count(world, full("a"), count)), full("a"))
        assert (not facts.unseen) == (count in explained), count


def test_in_a_set_the_rules_of_one_member_explain_one_reference_of_another():
    """Three are counted, and three rules of b name a: or b, and two groups that are hidden."""
    world = groups(a="", b="")
    world[1]["rules"] = rules(*[full("a")] * 3)
    provider = connected(with_count(world, full("a"), 3))
    alone = facts_of(provider, full("a"))
    assert (len(alone.references), alone.unseen) == (3, ())
    together = facts_of_set(provider, "a", "b")
    assert {gap.code for gap in together["a"].unseen} == {"not-told"}
    assert together["b"].unseen == ()


def test_a_hidden_member_of_a_set_is_explained_by_no_other_member():
    world = groups(a="", b="a", c="a")
    emulator = cloud_of(groups=world, quirks={"references_hide": [full("c")]})
    together = facts_of_set(connected(emulator), "a", "b")
    assert {gap.code for gap in together["a"].unseen} == {"not-told"}


def test_what_a_total_counts_beyond_its_products_is_explained_by_no_listed_holder():
    """The total is one of a product without a counter; the statistics lag behind the instance."""
    provider = answering(STATISTICS, counted(WORLD.bound, total=1))
    kinds = [
        (b.kind, b.holder_id) for b in provider.list_bindings([WORLD.bound]).value[WORLD.bound]
    ]
    assert ("other", "") in kinds
    assert ("instance", WORLD.server) in kinds


# -- lists that leave something out ----------------------------------------------------------------


def test_a_group_that_the_list_leaves_out_is_not_gone():
    provider = connected(loaded(quirks={"lists_hide": [WORLD.free]}))
    seen = provider.read_groups([WORLD.free, WORLD.missing, WORLD.default])
    assert set(seen.value) == {WORLD.missing, WORLD.default}
    assert seen.value[WORLD.missing] is None
    (gap,) = seen.unseen
    assert (gap.code, gap.group_id) == ("no-permission", WORLD.free)
    assert "grant vpc:DescribeSecurityGroups" in in_english(gap.remedy)


def test_a_group_of_which_nothing_may_be_read_is_missing_as_the_list_says():
    emulator = loaded(quirks={"missing_group": "omitted"})
    emulator.state.clouds[0].accounts[0].denied = ["DescribeSecurityGroupPolicies"]
    assert connected(emulator).read_groups([WORLD.missing]).value == {WORLD.missing: None}


@pytest.mark.parametrize(
    "hidden", ["ins-915zrb0p", "eni-of-ins-915zrb0p", "eni-3056glfn", WORLD.referrer_in]
)
@pytest.mark.sampled(3)
def test_what_a_list_leaves_out_and_a_count_does_not_is_never_free(hidden):
    emulator = loaded(quirks={"lists_hide": [hidden]})
    for group_id in (WORLD.bound, WORLD.referenced):
        assert not is_known_free(facts_of(connected(emulator), group_id))


def test_a_referring_group_that_the_list_leaves_out_is_a_gap():
    emulator = loaded(quirks={"lists_hide": [WORLD.referrer_in, WORLD.referrer_out]})
    seen = connected(emulator).list_references([WORLD.referenced])
    assert seen.value == {}
    assert [gap.code for gap in seen.unseen] == ["not-told"]


def test_an_instance_without_its_own_interface_in_the_list_has_a_gap():
    emulator = loaded(quirks={"lists_hide": ["eni-of-ins-915zrb0p"]})
    seen = connected(emulator).read_instance(WORLD.server)
    (gap,) = seen.unseen
    assert (gap.code, in_english(gap.what)) == ("no-permission", "interfaces")
    assert connected().read_instance(WORLD.server).unseen == ()


def test_an_instance_of_the_classic_network_has_no_interface():
    emulator = loaded(interfaces=[])
    cloud = emulator.state.clouds[0]
    cloud.instance(WORLD.server).network = ""
    cloud.interfaces = [one for one in cloud.interfaces if one.instance != WORLD.server]
    assert connected(emulator).read_instance(WORLD.server).unseen == ()


def test_nothing_in_either_direction_is_needed_where_counts_and_lists_agree():
    """The proof costs no call: a free group takes the calls that it took before."""
    emulator = WORLD.emulator()
    assert is_known_free(facts_of(connected(emulator), WORLD.free))
    assert sorted(one.action for one in emulator.requests) == sorted(
        [
            *("DescribeSecurityGroups", REFERENCES, STATISTICS, STATISTICS),
            *("DescribeInstances", "DescribeNetworkInterfaces"),
        ]
    )


# -- what is declared ------------------------------------------------------------------------------


@pytest.mark.parametrize("world", [tencent.WORLD, tencent_dfw.WORLD], ids=["3.0", "2.0"])
def test_what_a_policy_of_cam_may_hide_is_a_blind_spot(world):
    spots = world.connect(world.emulator()).capabilities.blind_spots
    told = [*map(whole, spots)]
    assert any("CAM" in spot and "without an error" in spot for spot in told)
    checkup = examine(world)
    assert checkup.blind_spots == spots


NOBODY = {"instances": [], "interfaces": []}
CASES = {
    "groups": (tencent.WORLD, "DescribeSecurityGroups", {"groups": [], **NOBODY}),
    "instances": (tencent.WORLD, "DescribeInstances", NOBODY),
    "interfaces": (tencent.WORLD, "DescribeNetworkInterfaces", NOBODY),
    "groups of 2.0": (tencent_dfw.WORLD, "DescribeSecurityGroups", {"groups": [], **NOBODY}),
    "associates of 2.0": (
        tencent_dfw.WORLD,
        "DescribeAssociateSecurityGroups",
        {"groups": [{"id": "sg-alone000"}], "quirks": {"references_empty": "php"}, **NOBODY},
    ),
}


@pytest.mark.parametrize(("world", "action", "changes"), CASES.values(), ids=list(CASES))
def test_the_doctor_takes_no_empty_list_for_a_permission(world, action, changes):
    checkup = examine(world, emulator_of(world, **changes))
    (found,) = [one for one in checkup.permissions if one.action == action]
    assert found.state is Grant.NOT_TOLD
    assert "empty" in found.why


def test_a_holder_that_does_not_show_for_which_group_it_is_listed_is_asked_for_again():
    """The list lags: the instance is still shown with the groups it had before."""
    emulator = loaded()
    cloud = emulator.state.clouds[0]

    class Lagging:
        def handle(self, request):
            response = emulator.handle(request)
            if request.headers.get("x-tc-action") != "DescribeInstances":
                return response
            body = response.json()
            for row in body["Response"]["InstanceSet"]:
                row["SecurityGroupIds"] = ["sg-earlier0"]
            return httpx.Response(200, content=json.dumps(body))

    provider = connected(Lagging())
    bindings = provider.list_bindings([WORLD.bound, WORLD.free]).value
    assert WORLD.server in {one.holder_id for one in bindings[WORLD.bound]}
    assert bindings[WORLD.free] == ()
    assert cloud.interfaces_of(WORLD.server)[0].groups == [WORLD.bound, WORLD.default]
