"""An interface of an instance that refuses a change of its groups says so, on every cloud."""

from __future__ import annotations

import pytest

from tests.worlds import world_of

OWNERS = {
    "tencent": ("managed_by", "eks"),
    "alibaba": ("managed_by", "gateway"),
    "huawei": ("owner", "network:router_interface"),
}


@pytest.mark.parametrize("provider", OWNERS)
def test_an_interface_that_a_product_owns_is_marked_on_its_instance(provider):
    world = world_of(provider)
    emulator = world.emulator()
    (cloud,) = emulator.state.clouds
    before = {
        one.interface_id: one.change_refusal
        for server in cloud.instances
        for one in world.connect(emulator).read_instance(server.id).value.interfaces
    }
    assert before
    assert set(before.values()) == {""}
    for interface in cloud.interfaces:
        setattr(interface, *OWNERS[provider])
    marked = [
        one.change_refusal
        for server in cloud.instances
        for one in world.connect(emulator).read_instance(server.id).value.interfaces
    ]
    assert marked
    assert all(marked)
