"""Incomplete responses of Tencent Cloud: none is taken for a complete one."""

from __future__ import annotations

import copy
import json
from itertools import pairwise

import pytest
from msgspec.structs import replace

from sgguard.emulator.faces.tencent.usage import PRODUCT_TYPES
from sgguard.emulator.faults import Fault
from sgguard.errors import UnknownShapeError
from sgguard.facts.gather import gather_delete
from sgguard.model.address import Address, Scope
from sgguard.model.change import Change, Holder
from sgguard.model.request import DeleteRequest
from sgguard.model.resource import Group
from sgguard.providers.tencent.api import RATES
from sgguard.render.language.sentence import in_english
from sgguard.render.language.sentence import whole_english as whole
from tests.providers.test_tencent import answering, connected, failing, loaded
from tests.worlds.tencent import WORLD

SCOPE = Scope("tencent", "", WORLD.region)
STATISTICS = "DescribeSecurityGroupAssociationStatistics"
REFERENCES = "DescribeSecurityGroupReferences"
INTERFACES = "DescribeNetworkInterfaces"


def facts_of(provider, group_id):
    (facts,) = gather_delete(provider, DeleteRequest((Address(SCOPE, group_id),))).groups
    return facts


def change_everything(provider):
    """Send every call that changes something."""
    server = Holder("instance", WORLD.server, WORLD.server)
    side = Holder("interface", "eni-3056glfn", WORLD.other_server)
    first, second, third = WORLD.bound, WORLD.default, WORLD.free
    for holder, ways in (
        (server, ((first, second), (first, second, third), (second, third), (third, second))),
        (side, ((first,), (first, second), (second,), (first,))),
    ):
        for before, after in pairwise(ways):
            provider.set_groups(holder, before, after, token="t")
    for rule in provider.list_rules(WORLD.referrer_out).value:
        provider.remove_rule(WORLD.referrer_out, rule, token="t")
        provider.add_rule(WORLD.referrer_out, rule, token="t")
    provider.change_rules(WORLD.referrer_out, [*rewritten(provider)])
    provider.create_group(Group("sg-was00000", name="like it"), token="t")
    provider.delete_group(WORLD.referrer_in)


def rewritten(provider):
    """Each rule of the referrer with another in its place: a call that makes both for all."""
    for old in provider.list_rules(WORLD.referrer_out).value:
        new = replace(old, peer_group=WORLD.free)
        yield Change("add-rule", WORLD.referrer_out, new), "t"
        yield Change("remove-rule", WORLD.referrer_out, old), "t"


def rules(*peers, direction="ingress", action="accept"):
    return [{"direction": direction, "peer_group": peer, "action": action} for peer in peers]


def groups(**rules_by_id):
    """A cloud of groups ``sg-0000000a`` (written ``a``) whose rules name these groups."""
    return [
        {"id": full(name), "rules": rules(*(full(peer) for peer in peers))}
        for name, peers in rules_by_id.items()
    ]


def full(name):
    return f"sg-0000000{name}"


def counted(group_id, *, groups=0, total=0, products=(), **row):
    """Statistics of one group: 0 of everything that is not given."""
    told = {"SecurityGroupId": group_id, "SG": groups, "TotalCount": total}
    told |= dict.fromkeys(("CVM", "CDB", "ENI", "CLB"), 0)
    told["InstanceStatistics"] = [
        {"InstanceType": name, "InstanceCount": count} for name, count in products
    ]
    return {"SecurityGroupAssociationStatisticsSet": [{**told, **row}]}


# -- statistics ----------------------------------------------------------------------------------


@pytest.mark.parametrize("product", [*PRODUCT_TYPES, "A-PRODUCT-OF-NEXT-YEAR", "数据库"])
@pytest.mark.sampled(6)
def test_a_product_of_any_type_holds_the_group(product):
    provider = answering(STATISTICS, counted(WORLD.free, total=1, products=[(product, 1)]))
    (binding,) = facts_of(provider, WORLD.free).bindings
    assert (binding.holder_id, binding.count) == ("", 1)


def test_a_product_counts_even_where_the_total_forgets_it():
    provider = answering(STATISTICS, counted(WORLD.free, total=0, products=[("Redis", 2)]))
    (binding,) = facts_of(provider, WORLD.free).bindings
    assert (binding.kind, binding.count) == ("redis", 2)


def test_a_counter_of_old_counts_even_where_the_list_of_products_says_none():
    statistics = counted(WORLD.free, total=0, products=[("CDB", 0)], CDB=3)
    (binding,) = facts_of(answering(STATISTICS, statistics), WORLD.free).bindings
    assert (binding.kind, binding.count) == ("database", 3)


@pytest.mark.parametrize("products", [[("Redis", 2), ("REDIS", 0)], [("Redis", 0), ("redis", 2)]])
def test_two_spellings_of_a_product_do_not_hide_each_other(products):
    provider = answering(STATISTICS, counted(WORLD.free, total=0, products=products))
    assert sum(binding.count for binding in facts_of(provider, WORLD.free).bindings) == 2


def test_a_product_named_like_an_instance_does_not_hide_instances():
    statistics = counted(WORLD.free, products=[("instance", 0)], CVM=2)
    (binding,) = facts_of(answering(STATISTICS, statistics), WORLD.free).bindings
    assert (binding.kind, binding.count) == ("instance", 2)


UNCOUNTED = {
    "no row": {"SecurityGroupAssociationStatisticsSet": []},
    "a row of another group": counted(WORLD.bound),
}


@pytest.mark.parametrize("statistics", UNCOUNTED.values(), ids=list(UNCOUNTED))
def test_statistics_that_are_missing_are_not_zero(statistics):
    provider = answering(STATISTICS, statistics)
    facts = facts_of(provider, WORLD.free)
    assert {(gap.code, in_english(gap.what)) for gap in facts.unseen} == {
        ("not-told", "bindings"),
        ("not-told", "the count of references"),
    }
    assert provider.count_instances([WORLD.free]).value == {}


TWICE = counted(WORLD.free)["SecurityGroupAssociationStatisticsSet"] * 2
BROKEN = {
    "null": {"SecurityGroupAssociationStatisticsSet": None},
    "without a total": counted(WORLD.free, TotalCount=None),
    "without referring groups": counted(WORLD.free, SG=None),
    "without instances": counted(WORLD.free, CVM=None),
    "without load balancers": counted(WORLD.free, CLB=None),
    "a count as text": counted(WORLD.free, CVM="none"),
    "a count as fraction": counted(WORLD.free, CVM=0.5),
    "a count as truth": counted(WORLD.free, CVM=False),
    "a count below zero": counted(WORLD.free, SG=-1),
    "products as an object": counted(WORLD.free, InstanceStatistics={}),
    "a product without a name": counted(WORLD.free, products=[("", 0)]),
    "a product without a count": counted(WORLD.free, products=[("Redis", None)]),
    "the group twice": {"SecurityGroupAssociationStatisticsSet": TWICE},
}


@pytest.mark.parametrize("statistics", BROKEN.values(), ids=list(BROKEN))
@pytest.mark.sampled(6)
def test_statistics_of_another_shape_are_a_gap_of_bindings_and_references(statistics):
    provider = answering(STATISTICS, statistics)
    assert "unknown-shape" in {gap.code for gap in provider.list_bindings([WORLD.free]).unseen}
    assert "unknown-shape" in {gap.code for gap in provider.list_references([WORLD.free]).unseen}


def test_statistics_that_may_not_be_read_are_one_gap_of_a_delete():
    facts = facts_of(failing(STATISTICS, "UnauthorizedOperation"), WORLD.free)
    assert [gap.code for gap in facts.unseen] == ["no-permission"]


# -- the sense of references ---------------------------------------------------------------------


def reversed_cloud(**rules_by_id):
    quirks = {"references_reversed": True}
    world = groups(**rules_by_id)
    return connected(loaded(groups=world, instances=[], interfaces=[], quirks=quirks))


@pytest.mark.parametrize(
    ("rules_by_id", "code"),
    [
        ({"a": "", "b": "a"}, "not-told"),
        ({"a": "c", "b": "a", "c": ""}, "not-told"),
        ({"a": "bc", "b": "a", "c": "", "d": "a"}, "not-told"),
        ({"a": "c", "c": ""}, "not-told"),
        ({"a": "ac", "b": "a", "c": ""}, "not-told"),
    ],
    ids=["named", "names and is named", "mutual and named", "names only", "and itself"],
)
@pytest.mark.sampled(3)
def test_an_answer_in_the_other_sense_never_reads_as_unreferenced(rules_by_id, code):
    facts = facts_of(reversed_cloud(**rules_by_id), full("a"))
    assert code in {gap.code for gap in facts.unseen}
    assert full("c") not in {reference.group_id for reference in facts.references}


def test_an_answer_in_the_other_sense_is_told_from_a_rule_that_is_gone():
    backwards = facts_of(reversed_cloud(a="c", c=""), full("a"))
    assert "backwards" in whole(backwards.unseen[0].why)
    stale = {
        "ReferredSecurityGroupSet": [
            {"SecurityGroupId": WORLD.free, "ReferredSecurityGroupIds": [WORLD.referenced]}
        ]
    }
    facts = facts_of(answering(REFERENCES, stale), WORLD.free)
    assert [reference.group_id for reference in facts.references] == [WORLD.referenced]
    assert "none of its rules" in whole(facts.unseen[0].why)


def test_a_referring_group_that_is_counted_and_not_named_is_a_gap_beside_the_others():
    emulator = loaded(quirks={"references_hide": [WORLD.referrer_out]})
    facts = facts_of(connected(emulator), WORLD.referenced)
    assert {reference.group_id for reference in facts.references} == {WORLD.referrer_in}
    assert [gap.code for gap in facts.unseen] == ["not-told"]


def test_a_count_of_rules_instead_of_groups_is_explained_by_the_rules():
    world = groups(a="", b="")
    world[1]["rules"] = rules(full("a"), full("a"), full("a"))
    emulator = loaded(groups=world, instances=[], interfaces=[])
    emulator.faults.append(
        Fault(
            "garbage",
            action=STATISTICS,
            count=99,
            body=json.dumps({"Response": counted(full("a"), groups=3)}),
            content_type="application/json",
        )
    )
    seen = connected(emulator).list_references([full("a")])
    assert (len(seen.value[full("a")]), seen.unseen) == (3, ())


def test_rules_that_may_not_be_read_leave_the_reference_and_say_why():
    provider = failing("DescribeSecurityGroupPolicies", "UnauthorizedOperation")
    facts = facts_of(provider, WORLD.referenced)
    assert len(facts.references) == 2
    assert {gap.code for gap in facts.unseen} == {"no-permission"}


def test_rules_that_may_not_be_read_are_a_gap_of_the_group_they_refer_to_and_of_no_other():
    provider = failing("DescribeSecurityGroupPolicies", "UnauthorizedOperation")
    seen = provider.list_references([WORLD.referenced, WORLD.free])
    assert seen.value[WORLD.free] == ()
    assert {gap.group_id for gap in seen.unseen} == {WORLD.referenced}


NAMES = [[""], ["sg-"], ["SG-5UA9ADFV"], ["sg-5ua9adfv "], ["sg-a,sg-b"], ["'sg-5ua9adfv'"]]


@pytest.mark.parametrize("names", NAMES, ids=str)
def test_a_referring_group_that_is_no_id_is_an_unknown_shape(names):
    row = {"SecurityGroupId": WORLD.free, "ReferredSecurityGroupIds": names}
    provider = answering(REFERENCES, {"ReferredSecurityGroupSet": [row]})
    assert [gap.code for gap in facts_of(provider, WORLD.free).unseen] == ["unknown-shape"]


def test_two_rows_about_one_group_are_not_read_as_the_last_one():
    rows = [
        {"SecurityGroupId": WORLD.free, "ReferredSecurityGroupIds": names}
        for names in ([WORLD.referenced], [])
    ]
    provider = answering(REFERENCES, {"ReferredSecurityGroupSet": rows})
    assert [gap.code for gap in facts_of(provider, WORLD.free).unseen] == ["unknown-shape"]


# -- what is a reference -------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_rule_that_drops_is_a_reference_as_well(direction):
    world = groups(a="", b="")
    world[1]["rules"] = rules(full("a"), direction=direction, action="drop")
    facts = facts_of(connected(loaded(groups=world, instances=[], interfaces=[])), full("a"))
    assert [(r.rule.action, str(r.rule.direction)) for r in facts.references if r.rule] == [
        ("drop", direction)
    ]


def test_a_rule_with_an_address_template_is_no_reference_for_templates_hold_addresses_only():
    world = groups(a="", b="")
    world[1]["rules"] = [{"direction": "ingress", "template": "ipm-2uw6ujo6"}]
    provider = connected(loaded(groups=world, instances=[], interfaces=[]))
    facts = facts_of(provider, full("a"))
    assert (facts.references, facts.unseen) == ((), ())
    (rule,) = provider.list_rules(full("b")).value
    assert (rule.peer, rule.peer_group) == ("ipm-2uw6ujo6", "")


def test_a_rule_of_the_default_group_is_a_reference_like_any_other():
    world = groups(a="", b="a")
    world[1]["default"] = True
    facts = facts_of(connected(loaded(groups=world, instances=[], interfaces=[])), full("a"))
    assert [reference.group_id for reference in facts.references] == [full("b")]


def test_a_reference_from_another_project_is_believed_although_the_documents_exclude_it():
    world = groups(a="", b="a")
    world[1]["project"] = "1100"
    facts = facts_of(connected(loaded(groups=world, instances=[], interfaces=[])), full("a"))
    assert [(r.group_id, r.project) for r in facts.references] == [(full("b"), "1100")]


def test_groups_that_name_each_other_in_a_circle_are_told_as_they_are():
    world = groups(a="bc", b="c", c="a")
    provider = connected(loaded(groups=world, instances=[], interfaces=[]))
    asked = [full(name) for name in "abc"]
    seen = provider.list_references(asked)
    found = {key: [r.group_id for r in value] for key, value in seen.value.items()}
    assert found == {
        full("a"): [full("c")],
        full("b"): [full("a")],
        full("c"): [full("a"), full("b")],
    }
    assert seen.unseen == ()


# -- lists and their pages -----------------------------------------------------------------------


class Between:
    """An emulator whose state changes after the first call of an action has been answered."""

    def __init__(self, emulator, action, change):
        self.emulator, self.action, self.change = emulator, action, change

    def handle(self, request):
        response = self.emulator.handle(request)
        if request.headers.get("x-tc-action") == self.action and self.change is not None:
            change, self.change = self.change, None
            change(self.emulator.state.clouds[0])
        return response


def crowd(number=230, group_id=WORLD.free):
    return [
        {"id": f"eni-{n:08d}", "kind": "secondary", "groups": [group_id]} for n in range(number)
    ]


def held(seen, group_id=WORLD.free):
    return {binding.holder_id for binding in seen.value[group_id]}


def offsets_of(emulator, action=INTERFACES):
    return [json.loads(r.body)["Offset"] for r in emulator.requests if r.action == action]


@pytest.mark.parametrize("page_max", [1, 7, 50, 99])
@pytest.mark.sampled(3)
def test_a_server_that_gives_fewer_rows_than_asked_for_is_read_to_its_end(page_max):
    interfaces = crowd(min(120, 30 * page_max))
    emulator = loaded(interfaces=interfaces, quirks={"page_max": page_max})
    seen = connected(emulator).list_bindings([WORLD.free])
    assert held(seen) == {interface["id"] for interface in interfaces}
    assert seen.unseen == ()


def remove_first(cloud):
    cloud.interfaces.pop(0)


def add_first(cloud):
    first = copy.copy(cloud.interfaces[0])
    first.id = "eni-new00000"
    cloud.interfaces.insert(0, first)


@pytest.mark.parametrize("change", [remove_first, add_first])
@pytest.mark.sampled(2)
def test_a_list_that_changes_while_it_is_read_is_read_once_more(change):
    emulator = loaded(instances=[], interfaces=crowd())
    between = Between(emulator, INTERFACES, change)
    seen = connected(between).list_bindings([WORLD.free])
    # The statistics may have counted before the change: what is only counted has no id.
    present = {interface.id for interface in emulator.state.clouds[0].interfaces}
    assert held(seen) - {""} == present
    assert seen.unseen == ()
    assert sorted(offsets_of(emulator)) == [0, 0, 100, 100, 200, 200]


class Told:
    """An emulator that answers one action with the pages of a table, by offset."""

    def __init__(self, pages, action=INTERFACES, key="NetworkInterfaceSet"):
        self.emulator = WORLD.emulator()
        self.pages, self.action, self.key = pages, action, key
        self.asked = []

    def handle(self, request):
        response = self.emulator.handle(request)
        if request.headers.get("x-tc-action") != self.action:
            return response
        offset = int(json.loads(request.content)["Offset"])
        self.asked.append(offset)
        total, rows = self.pages(offset)
        answer = {"TotalCount": total, self.key: rows, "RequestId": "r"}
        return type(response)(200, json={"Response": answer})


def nics(*numbers):
    return [{"NetworkInterfaceId": f"eni-{n:08d}", "GroupSet": [WORLD.free]} for n in numbers]


CONTRADICTIONS = {
    "counted, not listed": lambda _: (7, []),
    "fewer than counted": lambda _: (7, nics(1, 2)),
    "listed, not counted": lambda _: (0, nics(1)),
    "more than counted": lambda _: (1, nics(1, 2)),
    "one twice": lambda _: (2, nics(1, 1)),
    "the same page for ever": lambda _: (300, nics(*range(100))),
    "the count grows": lambda offset: (101 + offset, nics(*range(offset, min(offset + 100, 101)))),
    "the count shrinks": lambda offset: (101 - offset // 100, nics(*range(offset, offset + 100))),
    "below zero": lambda _: (-1, []),
}


@pytest.mark.parametrize("pages", CONTRADICTIONS.values(), ids=list(CONTRADICTIONS))
@pytest.mark.sampled(4)
def test_a_list_that_does_not_add_up_twice_is_a_gap_of_its_group(pages):
    told = Told(pages)
    seen = connected(told).list_bindings([WORLD.free])
    assert [(gap.code, gap.group_id) for gap in seen.unseen] == [("not-told", WORLD.free)]
    assert told.asked.count(0) == 2
    assert len(told.asked) < 10


def test_what_a_contradictory_list_does_show_still_holds_the_group():
    told = Told(CONTRADICTIONS["listed, not counted"])
    facts = facts_of(connected(told), WORLD.free)
    assert [binding.holder_id for binding in facts.bindings] == ["eni-00000001"]


def test_a_list_far_too_long_is_a_gap_and_is_not_read_to_its_end():
    told = Told(lambda offset: (1_000_000, nics(*range(offset, offset + 100))))
    seen = connected(told).list_bindings([WORLD.free])
    assert [(gap.code, gap.group_id) for gap in seen.unseen] == [("record-ceiling", WORLD.free)]
    assert "100 of 1000000" in whole(seen.unseen[0].why)
    assert told.asked == [0]
    assert len(seen.value[WORLD.free]) == 100


def test_what_is_wrong_with_the_list_of_one_group_is_no_gap_of_the_others():
    emulator = loaded(interfaces=crowd(230))
    emulator.state.clouds[0].instances.clear()
    provider = connected(emulator)
    seen = provider.list_bindings([WORLD.free, WORLD.referenced])
    assert seen.value[WORLD.referenced] == ()
    assert len(seen.value[WORLD.free]) == 230

    class OfOneGroup(Told):
        def handle(self, request):
            asked = request.content.decode()
            is_about = WORLD.free in asked
            return super().handle(request) if is_about else self.emulator.handle(request)

    told = OfOneGroup(CONTRADICTIONS["fewer than counted"])
    seen = connected(told).list_bindings([WORLD.referenced, WORLD.free])
    assert seen.value[WORLD.referenced] == ()
    assert [(gap.code, gap.group_id) for gap in seen.unseen] == [("not-told", WORLD.free)]


def test_a_row_without_its_id_is_an_unknown_shape():
    told = Told(lambda _: (1, [{"GroupSet": [WORLD.free]}]))
    seen = connected(told, attempts=1).list_bindings([WORLD.free])
    assert [gap.code for gap in seen.unseen] == ["unknown-shape"]


def test_interfaces_of_an_instance_that_do_not_add_up_are_a_gap():
    seen = connected(Told(CONTRADICTIONS["fewer than counted"])).read_instance(WORLD.server)
    assert [gap.code for gap in seen.unseen] == ["not-told"]


def server(instance_id):
    return {"InstanceId": instance_id, "InstanceState": "RUNNING", "SecurityGroupIds": []}


@pytest.mark.parametrize(
    ("total", "rows"),
    [
        (1, []),
        (0, [server(WORLD.server)]),
        (2, [server(WORLD.server)]),
        (1, [server(WORLD.other_server)]),
        (2, [server(WORLD.server)] * 2),
    ],
    ids=["counted, not listed", "listed, not counted", "one of two", "another", "twice"],
)
def test_an_instance_that_is_not_told_whole_is_an_unknown_shape_and_not_missing(total, rows):
    provider = answering("DescribeInstances", {"TotalCount": total, "InstanceSet": rows})
    with pytest.raises(UnknownShapeError):
        provider.read_instance(WORLD.server)


def sg(group_id):
    return {"SecurityGroupId": group_id, "IsDefault": False, "ProjectId": "0"}


GROUPS = ("DescribeSecurityGroups", "SecurityGroupSet")


@pytest.mark.parametrize(
    "pages",
    [
        lambda _: (2, [sg(WORLD.free)]),
        lambda _: (2, [sg(WORLD.free), sg(WORLD.free)]),
        lambda _: (0, [sg(WORLD.free)]),
    ],
    ids=["fewer than counted", "one twice", "listed, not counted"],
)
def test_a_group_missing_from_an_answer_that_does_not_add_up_is_not_said_to_be_gone(pages):
    seen = connected(Told(pages, *GROUPS)).read_groups([WORLD.free, WORLD.referenced])
    assert set(seen.value) == {WORLD.free}
    assert seen.value[WORLD.free] is not None
    assert [(gap.code, gap.group_id) for gap in seen.unseen] == [("not-told", WORLD.referenced)]


def test_groups_are_read_to_their_end_from_a_server_with_small_pages():
    emulator = loaded(quirks={"page_max": 2})
    ids = [WORLD.free, WORLD.referenced, WORLD.bound, WORLD.default, WORLD.referrer_in]
    seen = connected(emulator).read_groups(ids)
    assert [group_id for group_id, group in seen.value.items() if group is None] == []
    assert seen.unseen == ()


@pytest.mark.parametrize("ids_max", [1, 3, 7])
@pytest.mark.sampled(4)
def test_too_many_ids_for_one_call_are_asked_for_in_smaller_ones(ids_max):
    world = groups(a="", **dict.fromkeys("bcdefgh", "a"))
    emulator = loaded(groups=world, instances=[], interfaces=[], quirks={"ids_max": ids_max})
    ids = [group["id"] for group in world]
    seen = connected(emulator).list_references(ids)
    assert set(seen.value) == set(ids)
    assert len(seen.value[full("a")]) == 7
    assert seen.unseen == ()
    assert connected(emulator).count_instances(ids).value == dict.fromkeys(ids, 0)


@pytest.mark.parametrize("read", ["read_groups", "list_references", "count_instances"])
@pytest.mark.sampled(2)
def test_one_unknown_id_among_many_costs_a_few_calls_and_hides_no_other(read):
    world = [{"id": f"sg-{number:08d}"} for number in range(64)]
    emulator = loaded(groups=world, instances=[], interfaces=[])
    ids = [group["id"] for group in world]
    seen = getattr(connected(emulator), read)([*ids[:20], WORLD.missing, *ids[20:]])
    assert {group_id for group_id, told in seen.value.items() if told is not None} == set(ids)
    assert not seen.value.get(WORLD.missing)
    assert len(emulator.requests) < 40


# -- limits --------------------------------------------------------------------------------------


KEYS = {
    "SecurityGroupLimit": "groups-per-project",
    "SecurityGroupPolicyLimit": "rules-per-group",
    "ReferedSecurityGroupLimit": "references-per-group",
    "SecurityGroupInstanceLimit": "instances-per-group",
    "InstanceSecurityGroupLimit": "groups-per-instance",
}


@pytest.mark.parametrize(("key", "name"), KEYS.items(), ids=list(KEYS))
def test_a_limit_the_cloud_leaves_out_is_the_documented_one_and_a_gap_where_a_launch_needs_it(
    key, name
):
    seen = connected(loaded(quirks={"limits_omit": [key]})).read_limits()
    (documented,) = [limit for limit in seen.value if limit.source == "documented"]
    assert documented.name == name
    assert key in whole(documented.note)
    is_needed = name in ("groups-per-instance", "instances-per-group")
    assert [gap.code for gap in seen.unseen] == ["not-told"] * is_needed


@pytest.mark.parametrize("key", ["ReferedSecurityGroupLimit", "ReferredSecurityGroupLimit"])
def test_the_limit_of_references_is_read_in_the_clouds_spelling_and_in_the_right_one(key):
    provider = answering("DescribeSecurityGroupLimits", {"SecurityGroupLimitSet": {key: 17}})
    limits = {limit.name: limit for limit in provider.read_limits().value}
    limit = limits["references-per-group"]
    assert (limit.ceiling, limit.source, limit.used) == (17, "live", None)


@pytest.mark.parametrize("value", [0, -1, "5x", 2.5, True, [], {}], ids=str)
def test_a_limit_that_is_no_number_above_zero_is_a_gap_beside_the_documented_ones(value):
    told = {"SecurityGroupLimitSet": {"SecurityGroupInstanceLimit": value}}
    seen = answering("DescribeSecurityGroupLimits", told).read_limits()
    assert [gap.code for gap in seen.unseen] == ["unknown-shape"]
    assert {limit.source for limit in seen.value} == {"documented"}


@pytest.mark.parametrize("code", ["InvalidAction", "ActionOffline", "UnsupportedOperation"])
def test_an_action_the_site_does_not_offer_gives_the_documented_limits_without_a_gap(code):
    seen = failing("DescribeSecurityGroupLimits", code).read_limits()
    assert {limit.source for limit in seen.value} == {"documented"}
    assert seen.unseen == ()


# -- what is declared ----------------------------------------------------------------------------


def test_every_action_that_is_called_has_a_rate_and_guesses_are_marked():
    emulator = WORLD.emulator()
    provider = connected(emulator)
    facts_of(provider, WORLD.referenced)
    provider.read_instance(WORLD.server)
    provider.read_limits()
    change_everything(provider)
    assert {r.action for r in emulator.requests} == set(RATES)
    assert (RATES[REFERENCES], RATES["AssociateSecurityGroups"]) == (20, 10)


def test_what_no_call_tells_is_listed_with_the_capabilities():
    spots = " ".join(map(whole, connected().capabilities.blind_spots))
    assert "Launch templates" in spots
    assert "scaling configurations" in spots


def test_the_answer_of_a_free_group_takes_one_wave_and_no_rules():
    emulator = WORLD.emulator()
    facts = facts_of(connected(emulator), WORLD.free)
    assert (facts.references, facts.bindings, facts.unseen) == ((), (), ())
    assert "DescribeSecurityGroupPolicies" not in {r.action for r in emulator.requests}


@pytest.mark.parametrize("name", ["\ud83d", "a\u202eb", "名\n称", "x" * 100_000], ids=repr)
def test_a_name_of_any_text_is_a_name(name):
    row = {**sg(WORLD.free), "SecurityGroupName": name}
    told = {"TotalCount": 1, "SecurityGroupSet": [row]}
    group = answering("DescribeSecurityGroups", told).read_groups([WORLD.free]).value[WORLD.free]
    assert group is not None
    assert group.name == name


def test_a_further_interface_fills_a_group_as_an_instance_does():
    emulator = WORLD.emulator()
    carrying = emulator.state.clouds[0].interfaces_with(WORLD.bound)
    assert {one.kind for one in carrying} >= {"primary", "secondary"}
    counted = connected(emulator).count_instances([WORLD.bound])
    assert counted.value == {WORLD.bound: len(carrying)}
