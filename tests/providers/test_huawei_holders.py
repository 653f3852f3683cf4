"""The groups of ports and supplementary interfaces on Huawei Cloud: order, place and last one."""

import itertools
import json

import httpx
import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import (
    CloudError,
    ConflictError,
    ForbiddenError,
    LimitError,
    NotFoundError,
    UnknownShapeError,
    UnreachableError,
)
from sgguard.model.change import Holder, holder_of
from sgguard.providers.access import Access
from sgguard.providers.huawei import connect
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.retry import Retry
from tests.worlds import huawei as world
from tests.worlds.huawei import PROJECT, WORLD

A, B, C, D = world.BOUND, world.FREE, world.REFERENCED, world.DEFAULT
INSERT = "PUT /v3/{project_id}/ports/{id}/insert-security-groups"
REMOVE = "PUT /v3/{project_id}/ports/{id}/remove-security-groups"
WHOLE = "PUT /v2.0/ports/{id}"
SUB = "PUT /v3/{project_id}/vpc/sub-network-interfaces/{id}"
PORT = Holder("port", world.PORT, world.SERVER)
SUBORDINATE = Holder("interface", world.SUPPLEMENTARY, world.OTHER_SERVER)
NO_PORT = "ffffffff-0000-4000-8000-00000000000f"


def emulator_of(carried=(A,), *, otc=False, **quirks):
    scenario = WORLD.scenario_copy()
    cloud = scenario["clouds"][0]
    cloud["quirks"] |= quirks
    if otc:
        cloud["quirks"]["otc"] = True
        cloud["regions"] = ["eu-de"]
        cloud["accounts"][0]["project_names"] = {PROJECT: "eu-de"}
    next(i for i in cloud["interfaces"] if i["id"] == world.PORT)["groups"] = list(carried)
    return Emulator.load(scenario)


def carried_by(emulator, port_id=world.PORT):
    return tuple(emulator.state.clouds[0].interface(port_id).groups)


def writes(emulator):
    return [(r.action, json.loads(r.body)) for r in emulator.requests if r.method != "GET"]


def over(transport):
    wire = Wire(
        "huawei", Deadline.after(30), transport=transport, retry=Retry(sleep=lambda _: None)
    )
    return connect(Access(wire, WORLD.region, env=WORLD.env))


PLACES = [
    ((A,), (A, B), INSERT, {"security_groups": [B]}),
    ((A,), (B, A), INSERT, {"security_groups": [B], "index": 0}),
    ((A, C), (A, B, C), INSERT, {"security_groups": [B], "index": 1}),
    ((A,), (A, B, C), INSERT, {"security_groups": [B, C]}),
    ((A, B), (C, D, A, B), INSERT, {"security_groups": [C, D], "index": 0}),
    ((A, B, C), (A, C), REMOVE, {"security_groups": [B]}),
    ((A, B, C), (B,), REMOVE, {"security_groups": [A, C]}),
    ((A,), (B,), WHOLE, {"security_groups": [B]}),
    ((A, B), (B, A), WHOLE, {"security_groups": [B, A]}),
    ((A, B, C), (C, A), WHOLE, {"security_groups": [C, A]}),
    ((A, B), (C, A, D, B), WHOLE, {"security_groups": [C, A, D, B]}),
    ((A, B), (A, C, D), WHOLE, {"security_groups": [A, C, D]}),
]


@pytest.mark.parametrize(
    ("before", "after", "action", "row"), PLACES, ids=[f"{n}" for n in range(len(PLACES))]
)
@pytest.mark.sampled(4)
def test_groups_change_with_the_one_call_that_touches_least(before, after, action, row):
    emulator = emulator_of(before)
    WORLD.connect(emulator).set_groups(PORT, before, after, token="t")
    assert writes(emulator) == [(action, {"port": row})]
    assert carried_by(emulator) == after


def test_every_list_of_groups_becomes_every_other_in_its_order_and_back():
    lists = [
        list_
        for size in (1, 2, 3)
        for list_ in itertools.permutations((A, B, C, D), size)
        if size < 3 or D not in list_
    ]
    emulator = emulator_of()
    port = emulator.state.clouds[0].interface(world.PORT)
    provider = WORLD.connect(emulator)
    for before, after in itertools.permutations(lists, 2):
        port.groups[:] = before
        provider.set_groups(PORT, before, after, token="t")
        assert provider.read_holder(PORT) == after
        provider.set_groups(PORT, after, before, token="t")
        assert carried_by(emulator) == before


def test_the_same_groups_again_are_no_call():
    emulator = emulator_of((A, B))
    WORLD.connect(emulator).set_groups(PORT, (A, B), (A, B), token="t")
    assert writes(emulator) == []


@pytest.mark.parametrize("carried", [(B,), (A, B), (B, A), (A,)])
def test_a_holder_that_does_not_carry_what_is_expected_in_that_order_is_left_alone(carried):
    emulator = emulator_of(carried)
    before = (A, C) if carried == (A,) else carried[::-1] if carried == (B, A) else (A,)
    with pytest.raises(ConflictError) as caught:
        WORLD.connect(emulator).set_groups(PORT, before, (C,), token="t")
    assert caught.value.is_outcome_known
    assert (carried_by(emulator), writes(emulator)) == (carried, [])


@pytest.mark.parametrize("holder", [PORT, SUBORDINATE], ids=["port", "sub"])
def test_a_holder_is_never_left_without_a_group(holder):
    emulator = emulator_of()
    provider = WORLD.connect(emulator)
    with pytest.raises(LimitError) as caught:
        provider.set_groups(holder, provider.read_holder(holder), (), token="t")
    assert caught.value.is_outcome_known
    assert writes(emulator) == []


def test_the_cloud_itself_refuses_to_take_the_last_group():
    emulator = emulator_of()
    api = WORLD.connect(emulator).api
    path = "/v3/{project_id}/ports/{id}/remove-security-groups"
    with pytest.raises(LimitError) as caught:
        api.change("PUT", path, {"port": {"security_groups": [A]}}, fields={"id": world.PORT})
    assert caught.value.code == "VPC.0607"
    assert carried_by(emulator) == (A,)


@pytest.mark.parametrize(
    "limits", [{"groups-per-interface": 1}, {"interfaces-per-group": 0}], ids=["groups", "holders"]
)
@pytest.mark.parametrize("quirks", [{}, {"v3_absent": True}, {"v3_absent": True, "wrapped": True}])
@pytest.mark.sampled(3)
def test_one_too_many_is_a_limit(limits, quirks):
    emulator = emulator_of(**quirks)
    emulator.state.clouds[0].limits |= limits
    with pytest.raises(LimitError):
        WORLD.connect(emulator).set_groups(PORT, (A,), (A, B), token="t")
    assert carried_by(emulator) == (A,)


def test_v2_refuses_an_empty_list_that_neutron_itself_would_take():
    emulator = emulator_of()
    api = WORLD.connect(emulator).api
    with pytest.raises(CloudError) as caught:
        api.change(
            "PUT", "/v2.0/ports/{id}", {"port": {"security_groups": []}}, fields={"id": world.PORT}
        )
    assert caught.value.status == 400
    assert carried_by(emulator) == (A,)


@pytest.mark.parametrize("after", [(A, WORLD.missing), (WORLD.missing,)], ids=["insert", "whole"])
def test_a_group_that_does_not_exist_is_not_found(after):
    emulator = emulator_of()
    with pytest.raises(NotFoundError):
        WORLD.connect(emulator).set_groups(PORT, (A,), after, token="t")
    assert carried_by(emulator) == (A,)


@pytest.mark.parametrize(
    "holder",
    [
        Holder("port", NO_PORT),
        Holder("interface", NO_PORT),
        Holder("port", "../../v2.0/security-groups"),
        Holder("port", world.SUPPLEMENTARY),
    ],
    ids=["port", "interface", "path", "sub-as-port"],
)
def test_a_holder_that_is_not_there_is_none_and_cannot_be_changed(holder):
    emulator = emulator_of()
    provider = WORLD.connect(emulator)
    assert provider.read_holder(holder) is None
    with pytest.raises(NotFoundError):
        provider.set_groups(holder, (A,), (B,), token="t")
    assert writes(emulator) == []


@pytest.mark.parametrize("kind", ["database", "redis", "load-balancer", "instance"])
@pytest.mark.parametrize("holder_id", ["rds-instance-1", NO_PORT])
def test_a_product_is_never_said_to_be_gone_because_it_is_no_port(kind, holder_id):
    with pytest.raises(CloudError) as caught:
        WORLD.connect(emulator_of()).read_holder(Holder(kind, holder_id))
    assert (caught.value.code, caught.value.is_outcome_known) == ("NoPort", True)
    assert type(caught.value) is CloudError


def test_what_carries_a_group_can_be_read_as_its_holder_and_names_its_other_groups():
    emulator = emulator_of((C, A, B))
    provider = WORLD.connect(emulator)
    bindings = provider.list_bindings([A, world.ON_SUPPLEMENTARY]).value
    others = {b.holder_id: b.other_group_ids for b in bindings[A]}
    assert others == {world.PORT: (C, B), world.SECOND_PORT: (D,)}
    (sub,) = bindings[world.ON_SUPPLEMENTARY]
    assert sub.other_group_ids == ()
    read = {b.holder_id: provider.read_holder(holder_of(b)) for b in (*bindings[A], sub)}
    assert read == {
        world.PORT: (C, A, B),
        world.SECOND_PORT: (D, A),
        world.SUPPLEMENTARY: (world.ON_SUPPLEMENTARY,),
    }


def test_a_port_of_a_server_is_found_when_it_is_called_an_interface():
    emulator = emulator_of()
    provider = WORLD.connect(emulator)
    provider.set_groups(Holder("interface", world.PORT), (A,), (A, B), token="t")
    assert carried_by(emulator) == (A, B)


@pytest.mark.parametrize("after", [(B,), (world.ON_SUPPLEMENTARY, B), (B, world.ON_SUPPLEMENTARY)])
def test_a_supplementary_interface_gets_its_whole_list(after):
    emulator = emulator_of()
    provider = WORLD.connect(emulator)
    before = (world.ON_SUPPLEMENTARY,)
    provider.set_groups(SUBORDINATE, before, after, token="t")
    assert writes(emulator) == [(SUB, {"sub_network_interface": {"security_groups": [*after]}})]
    assert provider.read_holder(SUBORDINATE) == carried_by(emulator, world.SUPPLEMENTARY) == after
    provider.set_groups(SUBORDINATE, after, before, token="t")
    assert carried_by(emulator, world.SUPPLEMENTARY) == before


@pytest.mark.parametrize(
    ("quirks", "region"), [({"v3_absent": True}, "cn-north-4"), ({"otc": True}, "eu-de")]
)
@pytest.mark.parametrize("after", [(A, C), (A, B, C), (B,), (C, A), (B, A)])
@pytest.mark.sampled(4)
def test_without_v3_ports_the_whole_list_is_sent_and_read_in_its_order(quirks, region, after):
    emulator = emulator_of((A, B), **quirks)
    provider = WORLD.connect(emulator, region=region)
    provider.set_groups(PORT, (A, B), after, token="t")
    made = [one for one, status in done(emulator) if status == 200]
    assert made == [WHOLE]
    assert carried_by(emulator) == provider.read_holder(PORT) == after
    newer = [r.status for r in emulator.requests if "/v3/" in r.path]
    assert newer
    assert set(newer) == {404}


def done(emulator):
    return [(r.action, r.status) for r in emulator.requests if r.method != "GET"]


def test_a_concurrent_change_is_detected_and_not_reported_as_done():
    emulator = emulator_of()
    inner = EmulatorTransport(emulator)

    def edited(request):
        if request.method == "PUT":
            emulator.state.clouds[0].interface(world.PORT).groups.append(D)
        return inner.handle_request(request)

    provider = over(httpx.MockTransport(edited))
    with pytest.raises(UnknownShapeError) as caught:
        provider.set_groups(PORT, (A,), (A, B), token="t")
    assert not caught.value.is_outcome_known
    assert carried_by(emulator) == (A, D, B)  # what the other one did is not undone


def test_a_lost_answer_leaves_the_outcome_open_and_is_sent_once():
    emulator = emulator_of()
    emulator.faults.append(Fault("drop", action="PUT *", is_after=True))
    provider = WORLD.connect(emulator)
    with pytest.raises(UnreachableError) as caught:
        provider.set_groups(PORT, (A,), (A, B), token="t")
    assert not caught.value.is_outcome_known
    assert provider.read_holder(PORT) == (A, B)
    assert len(writes(emulator)) == 1


@pytest.mark.parametrize("after", [(A, B), (B,)])
def test_a_reader_changes_no_holder(after):
    emulator = emulator_of()
    emulator.state.clouds[0].accounts[0].role = "reader"
    with pytest.raises(ForbiddenError):
        WORLD.connect(emulator).set_groups(PORT, (A,), after, token="t")
    assert carried_by(emulator) == (A,)


@pytest.mark.parametrize(
    "row",
    [
        {"id": NO_PORT, "security_groups": [A]},
        {"security_groups": [A]},
        {"id": world.PORT},
        {"id": world.PORT, "security_groups": None},
        None,
    ],
    ids=["other", "no-id", "no-groups", "null", "nothing"],
)
def test_an_answer_about_anything_else_than_the_port_is_not_believed(row):
    provider = over(httpx.MockTransport(lambda _: httpx.Response(200, json={"port": row})))
    with pytest.raises(UnknownShapeError):
        provider.read_holder(PORT)
