"""What a port of Huawei Cloud is, and whether its groups can be changed."""

from __future__ import annotations

import json

import httpx
import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.state import Interface
from sgguard.errors import ConflictError
from sgguard.model.change import Holder
from sgguard.render.language.sentence import whole_english
from tests.worlds import huawei as world
from tests.worlds.huawei import PROJECT, WORLD

VIP = "91b7a0ea-5d1c-4f0e-9f2f-6c1e2d3f4a5b"


def emulator_with(**changes):
    emulator = Emulator.load(WORLD.scenario_copy())
    port = Interface(
        id=VIP,
        groups=[world.FREE, world.BOUND],
        region=WORLD.region,
        account="account-guard",
        project=PROJECT,
    )
    for name, value in changes.items():
        setattr(port, name, value)
    emulator.state.cloud("huawei").interfaces.append(port)
    return emulator


def binding_of(emulator, group_id=world.FREE):
    (binding,) = WORLD.connect(emulator).list_bindings([group_id]).value[group_id]
    return binding


def test_a_virtual_ip_is_the_customers_own_and_its_groups_can_be_changed():
    emulator = emulator_with(owner="neutron:VIP_PORT")
    binding = binding_of(emulator)
    assert (binding.kind, binding.holder_id, binding.change_refusal) == ("virtual-ip", VIP, "")
    holder = Holder("virtual-ip", VIP)
    provider = WORLD.connect(emulator)
    provider.set_groups(holder, (world.FREE, world.BOUND), (world.BOUND,), token="t")
    assert provider.read_holder(holder) == (world.BOUND,)


@pytest.mark.parametrize(
    ("owner", "kind"),
    [
        ("neutron:LOADBALANCERV2", "load-balancer"),
        ("neutron:LOADBALANCERV3", "load-balancer"),
        ("network:dhcp", "dhcp"),
        ("network:router_interface_distributed", "router"),
        ("network:nat_gateway", "nat-gateway"),
    ],
)
def test_a_port_of_the_clouds_own_refuses_a_change_of_its_groups(owner, kind):
    binding = binding_of(emulator_with(owner=owner))
    assert binding.kind == kind
    assert owner in whole_english(binding.change_refusal)


def test_a_port_of_a_product_refuses_a_change_although_a_server_is_behind_it():
    emulator = Emulator.load(WORLD.scenario_copy())
    binding = binding_of(emulator, world.ON_DATABASE)
    assert (binding.kind, "RDS" in whole_english(binding.change_refusal)) == ("database", True)


def test_ports_of_servers_and_unattached_ones_can_be_changed():
    emulator = emulator_with()
    assert binding_of(emulator).change_refusal == ""
    found = WORLD.connect(emulator).list_bindings([world.BOUND]).value[world.BOUND]
    assert {one.change_refusal for one in found} == {""}


def test_a_change_that_somebody_else_made_in_between_is_a_conflict_and_no_refusal():
    # The remedy observes the world after a conflict: what is as wanted is not undone.
    emulator = Emulator.load(WORLD.scenario_copy())
    provider = WORLD.connect(emulator)
    holder, before, after = Holder("port", world.PORT), (world.BOUND,), (world.BOUND, world.FREE)
    inner = provider.api.wire.transport
    handle = inner.handle_request

    def racing(request):
        if request.method == "PUT":
            emulator.state.cloud("huawei").interface(world.PORT).groups = [*after]
        return handle(request)

    inner.handle_request = racing
    with pytest.raises(ConflictError):
        provider.set_groups(holder, before, after, token="t")
    assert provider.read_holder(holder) == after


@pytest.mark.parametrize("value", [[world.FREE], [{"id": world.FREE.upper()}]])
@pytest.mark.parametrize("listed", ["ports", "sub_network_interfaces"])
@pytest.mark.sampled(3)
def test_a_group_in_the_field_of_an_extension_is_carried_and_not_ours_to_take_off(listed, value):
    emulator = Emulator.load(WORLD.scenario_copy())
    provider = WORLD.connect(emulator)
    inner = provider.api.wire.transport
    handle = inner.handle_request

    def extended(request):
        response = handle(request)
        body = json.loads(response.read())
        wanted = request.url.params.get("security_groups") in (None, world.FREE)
        if listed == "ports" and "ports" in body and wanted:
            port = {"id": VIP, "security_groups": [], "provider_security_groups": value}
            body["ports"] = [port]
            body["page_info"] = {"current_count": 1}
        for row in body.get(listed, []) if listed != "ports" else ():
            row["provider_security_groups"] = value
        return httpx.Response(response.status_code, json=body)

    inner.handle_request = extended
    seen = provider.list_bindings([world.FREE])
    (binding,) = seen.value[world.FREE]
    assert "extension's field" in whole_english(binding.change_refusal)
    assert seen.unseen == ()


def test_a_holder_shown_in_capitals_is_the_one_that_a_list_by_ids_tells_of():
    emulator = Emulator.load(WORLD.scenario_copy())
    provider = WORLD.connect(emulator)
    inner = provider.api.wire.transport
    handle = inner.handle_request

    def capitals(request):
        response = handle(request)
        body = json.loads(response.read())
        for row in body.get("ports", ()):
            row["id"] = row["id"].upper()
        return httpx.Response(response.status_code, json=body)

    inner.handle_request = capitals
    bindings = provider.list_bindings([WORLD.bound]).value[WORLD.bound]
    assert world.PORT in {one.holder_id for one in bindings}
    for holder in (Holder("port", world.PORT, ""), Holder("port", world.PORT.upper(), "")):
        (found,) = provider.read_holders_batch([holder])
        assert WORLD.bound in found
