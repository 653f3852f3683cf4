import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.errors import UnknownShapeError
from sgguard.providers.huawei import response as huawei_vpc
from sgguard.providers.huawei.bindings import binding_of
from sgguard.providers.huawei.pages import read_pages
from sgguard.providers.huawei.server import parse_server
from sgguard.wire.openstack import nova
from sgguard.wire.shape import Shape
from tests.reference import SHARED

SHAPE = Shape("huawei", "GET /x")

RULE = {
    "id": "07d999c9-585f-4df3-905a-d85eadf9421a",
    "project_id": "p",
    "security_group_id": "6ca078f6-1f69-49dd-b71e-bc7440244298",
    "remote_group_id": None,
    "direction": "ingress",
    "protocol": "TCP",
    "ethertype": "IPv4",
    "remote_ip_prefix": "10.0.0.0/8",
    "multiport": "22,3389,80",
    "remote_address_group_id": None,
    "action": "allow",
    "priority": 1,
    "enabled": True,
}
PEER = "bc4ac1d1-dc77-4b7d-a97d-af86eb0dc450"


def recording(name):
    path = SHARED / "fixtures" / "huawei" / f"{name}.json"
    if not path.exists():
        pytest.skip(f"the recorded answers are not at {path.parent}")
    return json.loads(path.read_text())


GROUP_RECORDINGS = [
    ("vpc_security_group_delete", 0, ["default", "sg-test"]),
    ("vpc_security_group_query", 0, ["default", "sg-test"]),
    ("vpc_security_group_unattached", 0, ["default", "sg-test", "sg-not-attached"]),
    ("vpc_security_group_without_specific_tags", 0, ["sg-untag", "sg-tag"]),
]


@pytest.mark.parametrize(("name", "at", "names"), GROUP_RECORDINGS)
def test_recorded_groups_are_read_whole(name, at, names):
    body = recording(name)[at]["response"]
    rows = read_pages(lambda _: body, (), "security_groups", SHAPE)
    groups = [huawei_vpc.parse_group(row, SHAPE) for row in rows]
    assert [group.name for group in groups] == names
    assert [group.is_default for group in groups] == [name == "default" for name in names]


def test_recorded_tags_are_read():
    body = recording("vpc_security_group_without_specific_tags")[0]["response"]
    tagged = huawei_vpc.parse_group(body["security_groups"][1], SHAPE)
    assert tagged.tags == (("owner-team-email", "xxx.com"),)


RULE_RECORDINGS = [
    ("vpc_security_group_remove_rules", 0, 2, {"any", "3389,8080,22"}),
    ("vpc_security_group_rule_egress", 0, 2, {"any", "3389,8080,22"}),
    ("vpc_security_group_rule_ingress", 0, 2, {"any", "3389,8080"}),
    ("vpc_security_group_set_rules", 0, 2, {"any", "3389,8080,22"}),
    ("vpc_security_group_set_rules", 3, 1, None),
]


@pytest.mark.parametrize(("name", "at", "count", "ports"), RULE_RECORDINGS)
def test_recorded_rules_are_read_whole(name, at, count, ports):
    body = recording(name)[at]["response"]
    rows = read_pages(lambda _: body, (), "security_group_rules", SHAPE)
    rules = [huawei_vpc.parse_rule(row, SHAPE) for row in rows]
    assert len(rules) == count
    assert ports is None or {row.rule.ports for row in rules} == ports
    assert {row.rule.peer_group for row in rules} == {""}
    assert {row.rule.action for row in rules} == {"accept"}


PORT_RECORDINGS = [
    ("vpc_security_group_unattached", 1, [("router", False), ("port", True)]),
    ("vpc_port_disable_port_forwarding", 0, [("port", True)]),
]


@pytest.mark.parametrize(("name", "at", "expected"), PORT_RECORDINGS)
def test_recorded_ports_are_read_with_who_holds_them(name, at, expected):
    body = recording(name)[at]["response"]
    ports = [huawei_vpc.parse_port(row, SHAPE) for row in SHAPE.tables(body["ports"], "ports")]
    found = [(binding_of(port).kind, port.is_primary) for port in ports]
    assert found == expected
    assert all(port.row.group_ids for port in ports)


def test_recorded_ports_say_which_groups_are_attached():
    answers = recording("vpc_security_group_unattached")
    asked = {row["id"]: row["name"] for row in answers[0]["response"]["security_groups"]}
    ports = [huawei_vpc.parse_port(row, SHAPE) for row in answers[1]["response"]["ports"]]
    carried = {asked[group_id] for port in ports for group_id in port.row.group_ids}
    assert carried == {"default", "sg-test"}


SERVER_RECORDINGS = [
    "ecs_instance_add_security_groups",
    "ecs_instance_attribute",
    "ecs_instance_delete_security_groups",
    "ecs_instance_query",
    "ecs_instance_stop_active",
    "ecs_instance_terminate",
    "ecs_instance_vpc",
]


@pytest.mark.parametrize("name", SERVER_RECORDINGS)
def test_recorded_servers_are_read(name):
    rows = recording(name)[0]["response"]["servers"]
    servers = [parse_server(row, SHAPE) for row in rows]
    assert len(servers) == 1
    assert servers[0].status
    assert servers[0].vpc
    assert "REDACTED" not in repr(servers)


def test_every_recording_is_read_by_a_test():
    folder = SHARED / "fixtures" / "huawei"
    if not folder.exists():
        pytest.skip(f"the recorded answers are not at {folder}")
    read = {row[0] for row in (*GROUP_RECORDINGS, *RULE_RECORDINGS, *PORT_RECORDINGS)}
    assert {path.stem for path in folder.glob("*.json")} == read | set(SERVER_RECORDINGS)


def test_the_documented_sample_of_a_servers_groups_is_read_byte_for_byte():
    (path,) = (SHARED / "seeds").glob("003_*") if SHARED.exists() else ("",)
    if not path:
        pytest.skip("the reference documents are not there")
    text = path.read_bytes().decode()
    samples = [part.split("```")[0] for part in text.split("```\n") if part.startswith("{")]
    assert len(samples) == 1
    assert nova.parse_server_group_ids(json.loads(samples[0]), SHAPE) == (
        PEER,
        "b3e4b615-a40f-4e1c-92af-2e0d382141d5",
    )


def test_a_rule_is_read_with_its_ports_action_and_priority():
    row = huawei_vpc.parse_rule(RULE, SHAPE)
    assert row.group_id == RULE["security_group_id"]
    assert (row.rule.protocol, row.rule.ports, row.rule.peer) == ("tcp", "22,3389,80", "10.0.0.0/8")
    assert (row.rule.action, row.rule.priority, row.rule.is_enabled) == ("accept", 1, True)


@pytest.mark.parametrize(
    ("changes", "peer"),
    [
        ({"remote_ip_prefix": None}, "0.0.0.0/0"),
        ({"remote_ip_prefix": None, "ethertype": "IPv6"}, "::/0"),
        ({"remote_ip_prefix": None, "ethertype": "x"}, "any"),
        ({"remote_address_group_id": "ag-1"}, "address group ag-1"),
        ({"remote_group_id": PEER}, ""),
    ],
)
def test_the_other_end_of_a_rule_is_a_group_or_named(changes, peer):
    rule = huawei_vpc.parse_rule(RULE | changes, SHAPE).rule
    assert (rule.peer, rule.peer_group) == (peer, changes.get("remote_group_id", ""))


def test_a_rule_that_denies_or_is_switched_off_still_names_its_peer():
    raw = RULE | {"remote_group_id": PEER, "action": "deny", "enabled": False}
    rule = huawei_vpc.parse_rule(raw, SHAPE).rule
    assert (rule.peer_group, rule.action, rule.is_enabled) == (PEER, "drop", False)


@pytest.mark.parametrize(
    "broken",
    [
        {k: v for k, v in RULE.items() if k != "remote_group_id"},
        {k: v for k, v in RULE.items() if k != "security_group_id"},
        RULE | {"id": ""},
        RULE | {"direction": "sideways"},
        RULE | {"remote_group_id": []},
        None,
        [],
    ],
)
def test_a_rule_of_another_shape_is_refused(broken):
    with pytest.raises(UnknownShapeError):
        huawei_vpc.parse_rule(broken, SHAPE)


def test_a_port_of_a_product_is_named_after_the_product():
    port = huawei_vpc.parse_port(
        {"id": "p", "security_groups": ["g"], "instance_type": "RDS", "instance_id": "r-1"}, SHAPE
    )
    binding = binding_of(port)
    assert (binding.kind, binding.holder_id) == ("database", "r-1")


@pytest.mark.parametrize("groups", [None, "g", [1], {}])
def test_a_port_or_supplementary_interface_without_a_list_of_groups_is_refused(groups):
    row = {"id": "p", "security_groups": groups}
    with pytest.raises(UnknownShapeError):
        huawei_vpc.parse_port(row, SHAPE)
    with pytest.raises(UnknownShapeError):
        huawei_vpc.parse_sub_interface(row, SHAPE, "row")


def pages_of(ids, page_max):
    """A v3 server: markers are ids, the last page names none."""

    def fetch(params):
        marker = dict(params).get("marker")
        start = ids.index(marker) + 1 if marker else 0
        page = ids[start : start + page_max]
        info = {"current_count": len(page)}
        if start + page_max < len(ids):
            info["next_marker"] = page[-1]
        return {"rows": [{"id": i} for i in page], "page_info": info}

    return fetch


@given(st.integers(0, 40), st.integers(1, 12))
def test_the_size_of_a_page_never_changes_what_is_read(count, page_max):
    ids = [f"id-{n}" for n in range(count)]
    rows = read_pages(pages_of(ids, page_max), (), "rows", SHAPE)
    assert [row["id"] for row in rows] == ids


def test_filters_stay_on_every_page():
    asked = []
    fetch = pages_of(["a", "b", "c"], 1)

    def watched(params):
        asked.append(list(params))
        return fetch(params)

    read_pages(watched, (("id", "x"), ("id", "y")), "rows", SHAPE)
    assert len(asked) == 3
    assert all(params[:2] == [("id", "x"), ("id", "y")] for params in asked)


def test_a_page_that_is_not_full_is_not_taken_for_the_last():
    answers = iter(
        [
            {"rows": [{"id": "a"}], "page_info": {"next_marker": "a"}},
            {"rows": [], "page_info": {"next_marker": "b"}},
            {"rows": [{"id": "c"}], "page_info": {}},
        ]
    )
    rows = read_pages(lambda _: next(answers), (), "rows", SHAPE)
    assert [row["id"] for row in rows] == ["a", "c"]


def test_a_row_that_comes_on_two_pages_is_counted_once():
    answers = iter(
        [
            {"rows": [{"id": "a"}, {"id": "b"}], "page_info": {"next_marker": "b"}},
            {"rows": [{"id": "b"}, {"id": "c"}], "page_info": {}},
        ]
    )
    rows = read_pages(lambda _: next(answers), (), "rows", SHAPE)
    assert [row["id"] for row in rows] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "body",
    [
        {"rows": [{"id": "a"}]},
        {"rows": None, "page_info": {}},
        {"page_info": {}},
        {"rows": [{}], "page_info": {}},
        {"rows": [{"id": "a"}], "page_info": {"next_marker": 7}},
        {"rows": [{"id": "a"}], "page_info": {"current_count": 2}},
        {"rows": [], "page_info": {"current_count": 1}},
        {"rows": [{"id": "a"}], "page_info": {"current_count": "one"}},
        {"rows": [{"id": "a"}], "page_info": {"next_marker": "a"}},
        [],
    ],
    ids=[
        "no-paging",
        "null",
        "no-list",
        "no-id",
        "odd-marker",
        "fewer-rows-than-counted",
        "no-row-but-one-counted",
        "odd-count",
        "same-marker-forever",
        "list",
    ],
)
def test_a_list_that_cannot_be_read_to_its_end_is_an_error(body):
    with pytest.raises(UnknownShapeError):
        read_pages(lambda _: body, (), "rows", SHAPE)


@pytest.mark.parametrize("name", [{}, {"name": None}, {"name": []}], ids=str)
def test_a_group_without_a_name_may_be_the_default_one_and_is_an_unknown_shape(name):
    with pytest.raises(UnknownShapeError):
        huawei_vpc.parse_group({"id": "x", **name}, SHAPE)
