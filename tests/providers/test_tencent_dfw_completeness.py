"""Incomplete responses of Tencent's API 2.0: none is taken for a complete one."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import httpx
import pytest
from msgspec.structs import replace

from sgguard.emulator.faults import Fault
from sgguard.facts.gather import gather_delete
from sgguard.model.address import Address, Scope
from sgguard.model.request import DeleteRequest
from sgguard.render.language.sentence import in_english
from sgguard.render.language.sentence import whole_english as whole
from tests.providers.test_tencent_completeness import full, groups, rules
from tests.providers.test_tencent_dfw import answering, connected, good, loaded
from tests.worlds.tencent_dfw import WORLD

SCOPE = Scope("tencent-dfw", "", WORLD.region)
ASSOCIATES = "DescribeAssociateSecurityGroups"
GROUPS = "DescribeSecurityGroups"
INSTANCES = "DescribeInstancesOfSecurityGroup"
INTERFACES = "DescribeNetworkInterfacesOfSecurityGroup"


def facts_of(provider, group_id):
    (facts,) = gather_delete(provider, DeleteRequest((Address(SCOPE, group_id),))).groups
    return facts


# -- the sense of references ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "rules_by_id",
    [
        {"a": "", "b": "a"},
        {"a": "c", "b": "a", "c": ""},
        {"a": "c", "c": ""},
        {"a": "ac", "b": "a", "c": ""},
    ],
    ids=["named", "names and is named", "names only", "and itself"],
)
def test_an_answer_in_the_other_sense_never_reads_as_unreferenced(rules_by_id):
    world, quirks = groups(**rules_by_id), {"references_reversed": True}
    emulator = loaded(groups=world, instances=[], interfaces=[], quirks=quirks)
    facts = facts_of(connected(emulator), full("a"))
    assert "not-told" in {gap.code for gap in facts.unseen}
    assert full("c") not in {reference.group_id for reference in facts.references}


@pytest.mark.parametrize("quirks", [{"counts_as_text": True}, {}])
def test_a_free_group_is_free_however_counts_are_written(quirks):
    facts = facts_of(connected(loaded(quirks=quirks)), WORLD.free)
    assert facts.group is not None
    assert (facts.references, facts.bindings, facts.unseen) == ((), (), ())


@pytest.mark.parametrize("group_id", [WORLD.free, WORLD.referenced])
def test_a_list_of_references_that_nothing_counts_is_not_taken_for_a_complete_one(group_id):
    facts = facts_of(connected(loaded(quirks={"associates_untold": True})), group_id)
    (gap,) = facts.unseen
    assert (gap.code, in_english(gap.what), gap.group_id) == (
        "no-permission",
        "references",
        group_id,
    )
    assert "tencent" in in_english(gap.remedy)


def test_a_count_of_references_as_text_is_compared_as_well():
    emulator = loaded(quirks={"counts_as_text": True, "references_reversed": True})
    facts = facts_of(connected(emulator), WORLD.referenced)
    assert "not-told" in {gap.code for gap in facts.unseen}


@pytest.mark.parametrize("count", [-1, 1.5, "many", "", [], {}, True], ids=str)
def test_a_count_of_references_that_is_none_is_a_gap(count):
    row = {"sgId": WORLD.free, "sgName": "x", "beAssociateCount": count}
    seen = answering(GROUPS, good(data={"detail": [row]})).list_references([WORLD.free])
    assert [gap.code for gap in seen.unseen] == ["unknown-shape"]


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
    assert [rule.peer for rule in provider.list_rules(full("b")).value] == ["ipm-2uw6ujo6"]


# -- odd shapes ----------------------------------------------------------------------------------

NOT_A_LIST = {
    "null": None,
    "an object with digits": {"1": {"instanceId": "ins-915zrb0p"}},
    "a text": "ins-915zrb0p",
    "a list of texts": ["ins-915zrb0p"],
    "a row without an id": [{}],
    "a row with null": [{"instanceId": None}],
    "a number": 1,
}


@pytest.mark.parametrize("data", NOT_A_LIST.values(), ids=list(NOT_A_LIST))
@pytest.mark.parametrize("total", [0, 1, "1"])
def test_instances_of_another_shape_are_a_gap(data, total):
    seen = answering(INSTANCES, good(totalCount=total, data=data)).list_bindings([WORLD.free])
    assert seen.value == {}
    assert [gap.code for gap in seen.unseen] == ["unknown-shape"]


@pytest.mark.parametrize("total", [None, "", "many", -1, "-1", 0.5, True, []], ids=str)
def test_a_count_of_carriers_that_is_none_is_a_gap(total):
    rows = {"totalCount": total, "networkInterfaceSet": []}
    for provider in (
        answering(INSTANCES, good(totalCount=total, data=[])),
        answering(INTERFACES, good(data=rows)),
    ):
        seen = provider.list_bindings([WORLD.free])
        assert seen.value == {}
        assert [gap.code for gap in seen.unseen] == ["unknown-shape"]


EMPTY = {"null": None, "php": [], "nothing": {}, "no count": {"networkInterfaceSet": []}}


@pytest.mark.parametrize("data", EMPTY.values(), ids=list(EMPTY))
def test_interfaces_that_are_not_said_to_be_none_are_a_gap(data):
    seen = answering(INTERFACES, good(data=data)).list_bindings([WORLD.free])
    assert seen.value == {}
    assert [gap.code for gap in seen.unseen] == ["unknown-shape"]


def test_an_interface_that_is_listed_twice_is_one():
    rows = [{"networkInterfaceId": "eni-3056glfn"}] * 2
    provider = answering(INTERFACES, good(data={"totalCount": 1, "networkInterfaceSet": rows}))
    assert len(provider.list_bindings([WORLD.free]).value[WORLD.free]) == 1


def test_an_empty_answer_about_the_groups_of_an_instance_is_not_read_as_none():
    seen = answering(GROUPS, good(data=[])).read_instance(WORLD.server)
    assert seen.value is not None
    assert [in_english(gap.what) for gap in seen.unseen] == ["groups of the instance"]


@pytest.mark.parametrize(
    ("said", "is_default"), [(1, True), ("1", True), (0, False), ("0", False), (True, True)]
)
def test_the_default_group_says_so_as_number_text_or_truth(said, is_default):
    row = {"sgId": WORLD.free, "sgName": "x", "isDefault": said}
    group = answering(GROUPS, good(data={"detail": [row]})).read_groups([WORLD.free])
    assert group.value[WORLD.free].is_default is is_default


@pytest.mark.parametrize(
    "row",
    [{"isDefault": 2}, {"isDefault": "yes"}, {"isDefault": []}, {"sgName": []}],
    ids=str,
)
def test_a_group_of_another_shape_is_refused_as_unknown(row):
    provider = answering(GROUPS, good(data={"detail": [{"sgId": WORLD.free, **row}]}))
    seen = provider.read_groups([WORLD.free])
    assert seen.value == {}
    assert [(gap.code, gap.group_id) for gap in seen.unseen] == [("unknown-shape", WORLD.free)]


@pytest.mark.parametrize(
    ("read", "action"),
    [
        ("read_groups", GROUPS),
        ("list_references", GROUPS),
        ("list_bindings", INSTANCES),
        ("list_bindings", INTERFACES),
    ],
)
def test_what_cannot_be_read_of_one_group_is_no_gap_of_the_others(read, action):
    emulator = WORLD.emulator()
    emulator.faults.append(Fault("garbage", action=action, body=json.dumps(good()), skip=1))
    # What else an instance carries is asked of the same API, and is no gap where it is not told.
    provider = replace(connected(emulator, attempts=1), is_thorough=False)
    seen = getattr(provider, read)([WORLD.free, WORLD.bound])
    (gap,) = seen.unseen
    assert gap.group_id in (WORLD.free, WORLD.bound)
    assert {WORLD.free, WORLD.bound} - {gap.group_id} <= set(seen.value)


# -- lists and their pages -----------------------------------------------------------------------


class Told:
    """An emulator that answers the instances of a group with the pages of a table, by offset."""

    def __init__(self, pages):
        self.emulator = WORLD.emulator()
        self.pages = pages
        self.asked = []

    def handle(self, request):
        response = self.emulator.handle(request)
        sent = parse_qs(request.content.decode())
        if sent["Action"] != [INSTANCES]:
            return response
        self.asked.append(int(sent["offset"][0]))
        total, numbers = self.pages(self.asked[-1], len(self.asked))
        rows = [{"instanceId": f"ins-{number:08d}"} for number in numbers]
        return httpx.Response(200, content=json.dumps(good(totalCount=total, data=rows)).encode())


CONTRADICTIONS = {
    "counted, not listed": lambda _offset, _call: (3, []),
    "fewer than counted": lambda offset, _call: (3, range(2) if not offset else []),
    "the same page for ever": lambda _offset, _call: (300, range(100)),
    "the same page, not counted": lambda _offset, _call: (0, range(100)),
    "the count shrinks": lambda offset, _call: (101 - offset, range(offset, 101)[:100]),
    "the count grows": lambda offset, _call: (101 + offset, range(offset, 101 + offset)[:100]),
    "never an end": lambda offset, _call: (0, range(offset, offset + 100)),
}


@pytest.mark.parametrize("pages", CONTRADICTIONS.values(), ids=list(CONTRADICTIONS))
@pytest.mark.sampled(3)
def test_instances_that_do_not_add_up_twice_are_an_unknown_shape(pages):
    told = Told(pages)
    provider = connected(told)
    seen = provider.list_bindings([WORLD.free])
    assert seen.value == {}
    assert [gap.code for gap in seen.unseen] == ["unknown-shape"]
    assert told.asked.count(0) == 2
    assert len(told.asked) <= 100
    counted = provider.count_instances([WORLD.free])
    assert (counted.value, [gap.group_id for gap in counted.unseen]) == ({}, [WORLD.free])


def test_a_list_that_changes_while_it_is_read_is_read_once_more():
    told = Told(lambda offset, call: (150 - (call > 1), range(offset, 150 - (call > 1))[:100]))
    provider = connected(told)
    assert provider.count_instances([WORLD.free]).value == {WORLD.free: 149}
    assert told.asked == [0, 100, 0, 100]


def test_a_full_page_is_followed_by_the_next_even_where_the_count_is_that_of_the_page():
    told = Told(lambda offset, _call: (100, range(offset, 250)[:100]))
    assert connected(told).count_instances([WORLD.free]).value == {WORLD.free: 250}
    assert told.asked == [0, 100, 200, 250]


@pytest.mark.parametrize("page_max", [1, 30, 100])
@pytest.mark.parametrize("quirks", [{}, {"total_zero": True}], ids=["counted", "counted as 0"])
@pytest.mark.sampled(3)
def test_a_server_that_gives_fewer_rows_than_asked_for_is_read_to_its_end(page_max, quirks):
    number = 70 if page_max > 1 else 12
    instances = [{"id": f"ins-{n:08d}", "groups": [WORLD.free]} for n in range(number)]
    quirks = {"page_max": page_max, **quirks}
    emulator = loaded(instances=instances, interfaces=[], quirks=quirks)
    assert connected(emulator).count_instances([WORLD.free]).value == {WORLD.free: number}


# -- what is declared ----------------------------------------------------------------------------


def test_what_no_call_tells_is_listed_with_the_capabilities():
    spots = " ".join(map(whole, connected().capabilities.blind_spots))
    assert "load balancers" in spots
    assert "launch templates" in spots
