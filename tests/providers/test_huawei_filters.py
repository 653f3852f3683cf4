"""Rows of Huawei Cloud that answer a filter: ids in any spelling, and no row dropped in silence."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.emulator.core import Emulator
from sgguard.emulator.transport import EmulatorTransport
from sgguard.facts.gather import gather_delete
from sgguard.guards import delete
from sgguard.model.address import Address, Scope
from sgguard.model.request import DeleteRequest
from sgguard.policy import Policy
from sgguard.providers import huawei
from sgguard.providers.access import Access
from sgguard.providers.huawei.pages import read_pages, read_pages_until_empty
from sgguard.providers.huawei.response import (
    one_spelling,
    parse_port,
    parse_rule,
    parse_rule_v2,
)
from sgguard.render.language.sentence import whole_english
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.retry import Retry
from sgguard.wire.shape import Shape
from tests.worlds import huawei as world
from tests.worlds.huawei import WORLD

SHAPE = Shape("huawei", "GET /x")
ALL = [
    world.REFERENCED,
    world.REFERRER_IN,
    world.REFERRER_OUT,
    world.SELF_REFERENCING,
    world.BOUND,
    world.DEFAULT,
    world.ON_DATABASE,
    world.ON_SUPPLEMENTARY,
]


def emulator_of(**quirks):
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0]["quirks"] |= quirks
    return Emulator.load(scenario)


def verdict(provider, group_id):
    address = Address(Scope("huawei", "", WORLD.region), group_id)
    return delete.judge(gather_delete(provider, DeleteRequest((address,))), Policy()).verdict


def behind(emulator, change):
    inner = EmulatorTransport(emulator)

    def handle(request):
        response = inner.handle_request(request)
        response.read()
        return change(request, response) or response

    wire = Wire(
        "huawei",
        Deadline.after(30),
        transport=httpx.MockTransport(handle),
        retry=Retry(sleep=lambda _: None),
    )
    return huawei.connect(Access(wire, WORLD.region, env=world.ENV))


# -- letter case -------------------------------------------------------------------------------


@pytest.mark.parametrize("v3_absent", [False, True])
@pytest.mark.parametrize(
    "group_id", [world.REFERENCED, world.BOUND, world.ON_DATABASE, world.ON_SUPPLEMENTARY]
)
@pytest.mark.sampled(8)
def test_an_id_that_the_cloud_shows_in_upper_case_is_the_same_id(group_id, v3_absent):
    def change(request, response):
        if v3_absent and request.url.path.startswith("/v2.0/") and response.is_success:
            text = response.text
            for one in ALL:
                text = text.replace(one, one.upper())
            return httpx.Response(200, text=text)
        return None

    emulator = emulator_of(upper_ids=ALL, v3_absent=v3_absent)
    provider = behind(emulator, change)
    assert verdict(provider, group_id) == "block"
    named = {
        *(r.group_id for r in provider.list_references([group_id]).value[group_id]),
        *(b.holder_id for b in provider.list_bindings([group_id]).value[group_id]),
    }
    assert named or (v3_absent and group_id == world.ON_SUPPLEMENTARY)


def test_a_groups_own_rule_in_another_letter_case_is_no_reference():
    seen = WORLD.connect(emulator_of(upper_ids=[world.SELF_REFERENCING])).list_references(
        [world.SELF_REFERENCING]
    )
    assert seen.value == {world.SELF_REFERENCING: ()}
    assert seen.unseen == ()


def test_a_holder_in_another_letter_case_is_changed_like_any_other():
    emulator = emulator_of(upper_ids=ALL)
    provider = WORLD.connect(emulator)
    (binding,) = (
        one
        for one in provider.list_bindings([world.BOUND]).value[world.BOUND]
        if one.holder_id == world.PORT
    )
    assert binding.other_group_ids == ()
    assert WORLD.connect(emulator).read_groups([world.BOUND]).value[world.BOUND] is not None


@given(st.uuids(), st.randoms())
def test_every_spelling_of_an_id_is_one(uuid, rng):
    spelt = "".join(rng.choice([c.upper(), c.lower()]) for c in str(uuid))
    rule = {"id": "r", "security_group_id": spelt, "remote_group_id": spelt, "direction": "INGRESS"}
    for parse in (parse_rule, parse_rule_v2):
        row = parse({**rule, "direction": "ingress"}, SHAPE)
        assert row.group_id == row.rule.peer_group == str(uuid)
    assert parse_rule(rule, SHAPE).rule.direction == "ingress"
    port = parse_port({"id": "p", "security_groups": [spelt], "device_id": spelt}, SHAPE)
    assert (port.row.group_ids, port.row.device_id) == ((str(uuid),), str(uuid))


@given(st.text())
def test_what_is_no_uuid_is_left_as_it_is(text):
    assert one_spelling(text) == text or len(text) == 36


# -- rows that do not show why they answered ----------------------------------------------------


def rule_naming(emulator, group_id):
    cloud = emulator.state.cloud("huawei")
    return [r.id for g in cloud.groups for r in g.rules if r.peer_group == group_id]


def test_a_rule_that_answers_and_does_not_show_the_group_is_unseen_not_nothing():
    emulator = emulator_of()
    ids = rule_naming(emulator, world.REFERENCED)
    emulator.state.cloud("huawei").quirks["silent_rows"] = ids
    provider = WORLD.connect(emulator)
    seen = provider.list_references([world.REFERENCED])
    assert seen.value == {world.REFERENCED: ()}
    (gap,) = seen.unseen
    assert (gap.code, gap.group_id) == ("not-told", world.REFERENCED)
    assert ids[0] in whole_english(gap.why)
    assert verdict(WORLD.connect(emulator), world.REFERENCED) == "block"


def test_a_port_that_answers_and_does_not_show_the_group_is_unseen_not_nothing():
    emulator = emulator_of(silent_rows=[world.PORT])
    interfaces = emulator.state.cloud("huawei").interfaces
    interfaces[:] = [one for one in interfaces if one.id in (world.PORT, world.SUPPLEMENTARY)]
    seen = WORLD.connect(emulator).list_bindings([world.BOUND])
    assert [(u.code, world.PORT in whole_english(u.why)) for u in seen.unseen] == [
        ("not-told", True)
    ]
    assert verdict(WORLD.connect(emulator), world.BOUND) == "block"


@pytest.mark.parametrize("v3_absent", [False, True])
def test_where_a_filter_is_ignored_other_rows_are_left_out_and_nothing_is_unseen(v3_absent):
    emulator = emulator_of(
        ignored_filters=["security_groups", "remote_group_id"], v3_absent=v3_absent
    )
    provider = WORLD.connect(emulator)
    seen = provider.list_references([world.FREE])
    assert (seen.value, seen.unseen) == ({world.FREE: ()}, ())
    bindings = provider.list_bindings([world.FREE])
    assert bindings.value == {world.FREE: ()}
    assert {u.code for u in bindings.unseen} <= {"api-absent"}


def test_whether_a_filter_is_ignored_is_asked_as_the_question_was():
    """Ports that are down are another list: where all are, the ports that are up prove nothing."""
    emulator = emulator_of(ignored_filters=["security_groups"])
    cloud = emulator.state.cloud("huawei")
    cloud.attachments.clear()  # each of them has a port of its own
    cloud.quirks["admin_down_ports"] = [one.id for one in cloud.interfaces]
    bindings = WORLD.connect(emulator).list_bindings([world.FREE])
    assert (bindings.value, bindings.unseen) == ({world.FREE: ()}, ())


def test_whether_a_filter_is_ignored_is_asked_once_for_a_process_and_project():
    emulator = emulator_of(ignored_filters=["remote_group_id"])
    transport = EmulatorTransport(emulator)
    for _ in range(3):
        wire = Wire("huawei", Deadline.after(30), transport=transport)
        huawei.connect(Access(wire, WORLD.region, env=world.ENV)).list_references([world.FREE])
    asked = [r for r in emulator.requests if "00000000-0000-4000-8000" in r.query]
    assert [r.query for r in asked] == [
        "limit=1&remote_group_id=00000000-0000-4000-8000-000000000000"
    ]


def test_own_rules_that_answer_and_do_not_show_their_group_are_unseen():
    emulator = emulator_of()

    def change(request, response):
        if request.url.params.get("security_group_id") == world.REFERRER_IN:
            body = response.json()
            for row in body["security_group_rules"]:
                row["security_group_id"] = world.BOUND
            return httpx.Response(200, json=body)
        return None

    seen = behind(emulator, change).list_rules(world.REFERRER_IN)
    assert [u.code for u in seen.unseen] == ["not-told"]


def test_an_interface_that_answers_for_a_server_and_names_another_is_unseen():
    def change(request, response):
        if request.url.params.get("device_id") == world.SERVER and response.is_success:
            body = response.json()
            for row in body["ports"]:
                row["device_id"] = world.OTHER_SERVER
            return httpx.Response(200, json=body)
        return None

    seen = behind(emulator_of(), change).read_instance(world.SERVER)
    assert "not-told" in {u.code for u in seen.unseen}


# -- the ends of lists -------------------------------------------------------------------------


@pytest.mark.parametrize("page_max", [1, 2, 3, 100])
@pytest.mark.sampled(3)
def test_v3_pages_that_do_not_say_when_they_end_are_read_until_one_is_empty(page_max):
    emulator = emulator_of(no_page_info=True, page_max=page_max)
    provider = WORLD.connect(emulator)
    assert len(provider.list_references([world.REFERENCED]).value[world.REFERENCED]) == 2
    assert len(provider.list_bindings([world.BOUND]).value[world.BOUND]) == 2
    assert verdict(WORLD.connect(emulator), world.FREE) == "allow"


@pytest.mark.parametrize("page_max", [1, 2, 3])
@pytest.mark.sampled(4)
def test_v2_pages_without_a_next_link_are_read_until_one_is_empty(page_max):
    # Neutron computes the link from the rows that remain once hidden ones are taken out.
    def change(request, response):
        if request.url.path.startswith("/v2.0/") and request.method == "GET":
            body = response.json()
            for key in [key for key in body if key.endswith("_links")]:
                body[key] = [link for link in body[key] if link["rel"] != "next"]
            return httpx.Response(response.status_code, json=body)
        return None

    provider = behind(emulator_of(v3_absent=True, page_max=page_max), change)
    assert len(provider.list_references([world.REFERENCED]).value[world.REFERENCED]) == 2
    assert len(provider.list_bindings([world.BOUND]).value[world.BOUND]) == 2


# -- fields that decide nothing -----------------------------------------------------------------

ODD = [None, 7, 1.5, True, {}, [], {"a": 1}, ["x"]]


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.sampled(8)
def test_an_odd_value_in_a_field_that_is_only_shown_stops_nothing(odd):
    shown = {
        "security-groups": ("description",),
        "security-group-rules": (
            "description",
            "protocol",
            "multiport",
            "priority",
            "action",
            "enabled",
            "ethertype",
            "remote_ip_prefix",
            "remote_address_group_id",
        ),
        "ports": ("name", "network_id", "vpc_id", "status"),
        "quotas": ("min",),
        "cloudservers": ("name", "metadata", "security_groups", "tenant_id"),
    }

    def change(request, response):
        if response.is_error or request.method != "GET":
            return None
        body = response.json()
        for rows in [*body.values(), *[body.get("quotas", {}).get("resources")]]:
            for row in rows if isinstance(rows, list) else [rows]:
                for name, keys in shown.items():
                    if name in request.url.path and isinstance(row, dict):
                        row.update(dict.fromkeys(keys, odd))
        return httpx.Response(200, json=body)

    emulator = emulator_of()
    provider = behind(emulator, change)
    assert verdict(provider, world.FREE) == "allow"
    assert verdict(provider, world.BOUND) == verdict(provider, world.REFERENCED) == "block"
    assert provider.read_instance(world.SERVER).unseen == ()
    assert provider.read_limits([world.REFERENCED, world.BOUND]).unseen == ()


def test_a_server_detail_that_lists_its_vpc_in_place_of_groups_is_read():
    def change(request, response):
        if "/cloudservers/" in request.url.path:
            body = response.json()
            body["server"]["security_groups"] = [{"name": "vpc-1"}]
            return httpx.Response(200, json=body)
        return None

    seen = behind(emulator_of(), change).read_instance(world.SERVER)
    assert (seen.value.group_ids, seen.unseen) == ((world.BOUND,), ())


def test_of_a_quota_answer_only_the_needed_keys_must_be_numbers():
    def change(request, response):
        body = response.json() if response.is_success else {}
        if "quotas" in body:
            body["quotas"]["resources"].append({"type": "vpc", "used": "many", "quota": {}})
            body["quotas"]["resources"].append({"type": None})
            return httpx.Response(200, json=body)
        if "quota" in body:
            body["quota"] |= {"vpc_contain_eni": "many", "security_group": "100"}
            return httpx.Response(200, json=body)
        return None

    seen = behind(emulator_of(), change).read_limits()
    assert seen.unseen == ()
    assert {n.name: n.ceiling for n in seen.value}["groups-per-project"] == 100


@given(st.integers(0, 12), st.integers(1, 5), st.booleans(), st.booleans())
def test_every_row_is_read_once_however_a_list_says_where_it_ends(count, size, is_v3, has_links):
    ids = [f"row-{n:02}" for n in range(count)]

    def fetch(params):
        marker = dict(params).get("marker", "")
        start = ids.index(marker) + 1 if marker else 0
        page = [{"id": one} for one in ids[start : start + size]]
        body = {"ports": page}
        is_more = start + size < count
        if is_v3 and has_links:
            body["page_info"] = {"current_count": len(page)}
            body["page_info"] |= {"next_marker": page[-1]["id"]} if is_more else {}
        elif has_links and is_more:
            href = f"http://h/v2.0/ports?marker={page[-1]['id']}"
            body["ports_links"] = [{"rel": "next", "href": href}]
        elif has_links:
            body["ports_links"] = [{"rel": "previous", "href": "http://h/v2.0/ports"}]
        return body

    read = read_pages if is_v3 else read_pages_until_empty
    assert [row["id"] for row in read(fetch, (), "ports", SHAPE)] == ids
