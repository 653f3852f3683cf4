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
    assert nova.parse_server_group_ids(json.loads(sample), SHAPE) == (
        "bc4ac1d1-dc77-4b7d-a97d-af86eb0dc450",
        "b3e4b615-a40f-4e1c-92af-2e0d382141d5",
    )


def test_recorded_answers_are_read():
    name = "fixtures/openstack/test_server_filter_securitygroup_open_to_internet.json"
    rows = json.loads(read_shared(name))
    bodies = [row["response"] for row in rows if row["uri"].endswith("/os-security-groups")]
    assert [len(nova.parse_server_group_ids(body, SHAPE)) for body in bodies] == [1, 1]


def test_a_group_listed_once_per_interface_counts_once():
    group = {"id": "a", "name": "web", "tenant_id": "t", "description": None, "rules": []}
    assert nova.parse_server_group_ids({"security_groups": [group, group]}, SHAPE) == ("a",)


def test_a_server_without_ports_is_in_no_group():
    assert nova.parse_server_group_ids({"security_groups": []}, SHAPE) == ()


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"security_groups": None},
        {"security_groups": {"id": "a"}},
        {"security_groups": [{"name": "no id", "rules": []}]},
        {"itemNotFound": {"code": 404, "message": "with status 200"}},
    ],
    ids=repr,
)
@pytest.mark.sampled(4)
def test_an_answer_of_another_shape_is_refused(body):
    with pytest.raises(UnknownShapeError):
        nova.parse_server_group_ids(body, SHAPE)


@pytest.mark.parametrize("body", [None, {}, {"server": None}, {"server": {"name": "x"}}], ids=repr)
def test_a_server_without_id_is_refused(body):
    with pytest.raises(UnknownShapeError):
        nova.parse_server(body, SHAPE)
