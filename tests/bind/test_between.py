"""What keeps a group off a holder where clouds differ: kinds, projects and networks."""

from __future__ import annotations

from sgguard.model.request import HolderFilter
from tests.bind.harness import rows
from tests.bind.test_every_provider import carriers, deliver
from tests.remedy.harness import Harness
from tests.worlds.alibaba import WORLD as ALIBABA
from tests.worlds.openstack import WORLD as OPENSTACK


def code(cloud: Harness, holder_id: str, **more) -> str:
    return rows(deliver(cloud, [holder_id], **more))[holder_id]["code"]


def test_a_stateless_group_is_kept_off_ports_with_stateful_ones(tmp_path):
    cloud = Harness(OPENSTACK, tmp_path)
    (state,) = cloud.emulator.state.clouds
    state.group(OPENSTACK.free).kind = "stateless"
    assert code(cloud, OPENSTACK.server) == "group-kinds-mixed"
    assert carriers(cloud, OPENSTACK.free) == set()


def test_every_port_of_a_server_gets_the_group_and_keeps_what_it_had(tmp_path):
    cloud = Harness(OPENSTACK, tmp_path)
    (state,) = cloud.emulator.state.clouds
    ports = state.interfaces_of(OPENSTACK.server)
    before = {one.id: set(one.groups) for one in ports}
    assert code(cloud, OPENSTACK.server) == "done"
    assert {one.id: set(one.groups) - {OPENSTACK.free} for one in ports} == before
    assert all(OPENSTACK.free in one.groups for one in ports)
    # a port by its own id
    port = ports[0].id
    done = deliver(cloud, [port], "b-2", action="unbind")
    assert rows(done)[port]["code"] == "done"
    assert OPENSTACK.free not in state.interface(port).groups


def test_a_group_of_another_network_is_kept_off(tmp_path):
    cloud = Harness(ALIBABA, tmp_path)
    (state,) = cloud.emulator.state.clouds
    state.group(ALIBABA.free).network = "vpc-elsewhere"
    assert code(cloud, ALIBABA.server) == "other-network"


def test_a_filter_that_a_cloud_cannot_answer_blocks_and_says_so(tmp_path):
    done = deliver(Harness(OPENSTACK, tmp_path), [], wanted=HolderFilter(tag="team=web"))
    assert (done["verdict"], done["outcome"]) == ("block", "unchanged")
    assert "a group that all of them carry" in done["reasons"][0]["message"]
