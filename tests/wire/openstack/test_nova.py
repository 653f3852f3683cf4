"""Nova's view of groups: the reference document's sample, recordings, and what it leaves out."""

from __future__ import annotations

import json

import pytest

from sgguard.errors import UnknownShapeError
from sgguard.wire.openstack import nova
from sgguard.wire.shape import Shape
from tests.reference import SHARED

SHAPE = Shape("openstack", "GET /v2.1/servers/{id}/os-security-groups")


def read_shared(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not here")
    return path.read_text()


def test_the_reference_documents_sample_is_read():
    text = read_shared("seeds/003_bb84ce4ccbdbfd1f.txt")
    sample = text.split("## Example Response")[1].split("```")[1]
    first, second = nova.parse_server_groups(json.loads(sample), SHAPE)

    assert (first.group_id, first.name) == ("bc4ac1d1-dc77-4b7d-a97d-af86eb0dc450", "default")
    assert first.is_default
    assert [(r.protocol, r.ports) for r in first.rules] == [("any", "any")] * 2
    # A peer is a name here, and names are not unique: it must never be taken for an id.
    assert {r.peer_group for r in first.rules} == {""}
    assert "'default'" in first.rules[0].peer

    assert second.name == "test-sg"
    assert [r.ports for r in second.rules] == ["200-400", "201-400"]
    assert {r.peer for r in second.rules} == {"0.0.0.0/0"}


def test_recorded_answers_are_read():
    name = "fixtures/openstack/test_server_filter_securitygroup_open_to_internet.json"
    rows = json.loads(read_shared(name))
    bodies = [row["response"] for row in rows if row["uri"].endswith("/os-security-groups")]
    groups = [nova.parse_server_groups(body, SHAPE) for body in bodies]
    assert [[len(g.rules) for g in found] for found in groups] == [[2], [1]]


def test_a_group_listed_once_per_interface_counts_once():
    group = {"id": "a", "name": "web", "tenant_id": "t", "description": None, "rules": []}
    assert len(nova.parse_server_groups({"security_groups": [group, group]}, SHAPE)) == 1


def test_a_server_without_ports_is_in_no_group():
    assert nova.parse_server_groups({"security_groups": []}, SHAPE) == ()


@pytest.mark.parametrize(
    ("low", "high", "ports"),
    [(None, None, "any"), (-1, -1, "any"), (22, 22, "22"), (1, 65535, "1-65535")],
)
def test_ports_are_null_safe(low, high, ports):
    rule = {"id": "r", "from_port": low, "to_port": high, "ip_protocol": None}
    body = {"security_groups": [{"id": "a", "rules": [rule]}]}
    ((read,),) = [g.rules for g in nova.parse_server_groups(body, SHAPE)]
    assert (read.ports, read.protocol, read.peer) == (ports, "any", "any")


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"security_groups": None},
        {"security_groups": {"id": "a"}},
        {"security_groups": [{"name": "no id", "rules": []}]},
        {"security_groups": [{"id": "a"}]},
        {"security_groups": [{"id": "a", "rules": None}]},
        {"security_groups": [{"id": "a", "rules": [{"from_port": 1}]}]},
        {"security_groups": [{"id": "a", "rules": [{"id": "r", "from_port": "ssh"}]}]},
        {"security_groups": [{"id": "a", "rules": [{"id": "r", "group": ["web"]}]}]},
        {"itemNotFound": {"code": 404, "message": "with status 200"}},
    ],
    ids=repr,
)
def test_an_answer_of_another_shape_is_refused(body):
    with pytest.raises(UnknownShapeError):
        nova.parse_server_groups(body, SHAPE)


@pytest.mark.parametrize("body", [None, {}, {"server": None}, {"server": {"name": "x"}}], ids=repr)
def test_a_server_without_id_is_refused(body):
    with pytest.raises(UnknownShapeError):
        nova.parse_server(body, SHAPE)
