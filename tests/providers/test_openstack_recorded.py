"""The provider over recorded responses of a devstack, byte for byte."""

from __future__ import annotations

import json

import httpx
import pytest

from sgguard import providers
from sgguard.providers.access import Access
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from tests.reference import FIXTURES

FOLDER = FIXTURES / "openstack"
SERVERS = "test_server_filter_securitygroup_open_to_internet.json"
GROUPS = "test_securitygroup_query.json"

ENV = {
    "OS_AUTH_URL": "http://keystone:5000",
    "OS_USERNAME": "admin",
    "OS_PASSWORD": "not in the recording",
    "OS_PROJECT_NAME": "admin",
}
DURING_THE_RECORDING = 1606362189.0


class Recording(httpx.BaseTransport):
    """Answers by method, path and query; what was not recorded is Neutron's empty list."""

    def __init__(self, name):
        path = FOLDER / name
        if not path.exists():
            pytest.skip("the recorded answers are not here")
        self.answers = {}
        for row in json.loads(path.read_bytes()):
            url = httpx.URL(row["uri"])
            path = url.path.removesuffix(".json")
            self.answers[row["method"], path, url.query.decode()] = row["response"]
            for server in row["response"].get("servers", []):
                one = path.replace("/detail", f"/{server['id']}")
                self.answers[row["method"], one, ""] = {"server": server}

    def handle_request(self, request):
        path = request.url.path
        asked = (request.method, path, request.url.query.decode())
        body = self.answers.get(asked) or self.answers.get((request.method, path, ""))
        if body is None:
            body = {path.rsplit("/", 1)[-1].replace("-", "_"): []}
        # The recording kept no headers; the token was in one.
        return httpx.Response(200, headers={"x-subject-token": "redacted"}, json=body)


def connect(name):
    wire = Wire("openstack", Deadline.after(30), transport=Recording(name))
    access = Access(wire, "RegionOne", ENV, now=lambda: DURING_THE_RECORDING)
    return providers.connect("openstack", access)


@pytest.mark.parametrize(
    ("server", "name", "group"),
    [
        (
            "988a5931-6239-4c16-ac56-39716ed2ac97",
            "test2",
            "86deb502-8e09-418a-9c69-6ee87f67949f",
        ),
        (
            "140146fc-665a-472e-9c20-dbf16d215dc1",
            "test1",
            "9883814f-4d4a-437b-a377-40d14ca562e0",
        ),
    ],
)
def test_a_recorded_server_has_its_port_and_group(server, name, group):
    seen = connect(SERVERS).read_instance(server)
    assert seen.unseen == ()
    instance = seen.value
    assert (instance.name, instance.state, instance.group_ids) == (name, "ACTIVE", (group,))
    assert [interface.group_ids for interface in instance.interfaces] == [(group,)]
    assert instance.binding_refusal == ""


@pytest.mark.parametrize(
    ("group", "directions"),
    [
        (
            "86deb502-8e09-418a-9c69-6ee87f67949f",
            ["ingress", "ingress", "egress", "egress"],
        ),
        ("9883814f-4d4a-437b-a377-40d14ca562e0", ["ingress", "egress", "egress"]),
    ],
)
def test_a_recorded_group_has_its_rules(group, directions):
    seen = connect(SERVERS).list_rules(group)
    assert seen.unseen == ()
    assert [rule.direction for rule in seen.value] == directions


def test_the_recorded_groups_are_told_apart_from_one_that_is_not_there():
    missing = "00000000-1111-4222-8333-444444444444"
    default = "04ca5244-c228-4a6b-8de9-c0f54b2fc9ec"
    groups = connect(GROUPS).read_groups([default, missing]).value
    assert groups[missing] is None
    assert (groups[default].name, len(groups[default].rules)) == ("default", 4)
    assert groups[default].is_default


def test_the_recorded_administrator_sees_the_whole_cloud():
    assert connect(GROUPS).visibility == "cloud"
