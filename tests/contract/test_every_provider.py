"""What every provider promises, over its own emulated cloud: joining means passing this."""

from __future__ import annotations

import copy
import json
import time
from contextlib import suppress
from dataclasses import replace
from importlib import import_module

import pytest

from sgguard import providers
from sgguard.emulator.faces import all_faces
from sgguard.emulator.faults import Fault
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import (
    CloudError,
    ForbiddenError,
    SgguardError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
    UnknownShapeError,
    UnreachableError,
)
from sgguard.model.resource import Direction
from sgguard.providers.access import Access
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.pacing import Lanes, Pace
from sgguard.wire.retry import Retry
from tests.worlds import Jumping, World, world_of

READS = ("read_groups", "list_references", "list_bindings", "count_instances")


@pytest.fixture(params=providers.names())
def world(request) -> World:
    return world_of(request.param)


def test_every_provider_has_an_emulator_face_and_a_world():
    for name in providers.names():
        assert name in all_faces(), f"{name} has no wire face in the emulator"
        assert world_of(name).provider == name


def test_a_rule_of_another_group_is_a_reference_in_both_directions(world):
    seen = world.connect(world.emulator()).list_references([world.referenced])

    edges = {(r.group_id, r.rule.direction) for r in seen.value[world.referenced] if r.rule}
    assert edges == {
        (world.referrer_in, Direction.INGRESS),
        (world.referrer_out, Direction.EGRESS),
    }
    assert seen.unseen == ()


@pytest.mark.sampled(3)
def test_the_rule_behind_a_reference_can_be_found_again_in_its_group(world):
    provider = world.connect(world.emulator())
    reference = next(
        r
        for r in provider.list_references([world.referenced]).value[world.referenced]
        if r.group_id == world.referrer_in
    )
    rules = {rule.rule_id: rule for rule in provider.list_rules(world.referrer_in).value}
    assert reference.rule is not None
    assert rules[reference.rule.rule_id].peer_group == world.referenced


def test_a_rule_of_the_group_itself_is_not_a_reference(world):
    if not world.self_referencing:
        pytest.skip(f"{world.provider} refuses a rule that names its own group")
    seen = world.connect(world.emulator()).list_references([world.self_referencing])
    assert seen.value[world.self_referencing] == ()


def test_primary_and_secondary_interfaces_are_bindings(world):
    seen = world.connect(world.emulator()).list_bindings([world.bound])
    carriers = {b.instance_id or b.holder_id for b in seen.value[world.bound]}
    assert {world.server, world.other_server} <= carriers
    assert seen.unseen == ()


def test_a_free_group_has_no_reference_no_binding_and_nothing_unseen(world):
    provider = world.connect(world.emulator())
    groups = provider.read_groups([world.free])
    references = provider.list_references([world.free])
    bindings = provider.list_bindings([world.free])

    assert groups.value[world.free] is not None
    assert (references.value[world.free], bindings.value[world.free]) == ((), ())
    assert (groups.unseen, references.unseen, bindings.unseen) == ((), (), ())


@pytest.mark.sampled(6)
def test_a_group_that_does_not_exist_is_none_beside_one_that_does(world):
    groups = world.connect(world.emulator()).read_groups([world.missing, world.free]).value
    assert groups[world.missing] is None
    assert groups[world.free] is not None
    assert groups[world.free].group_id == world.free


def test_the_default_group_is_known_as_such_and_no_other(world):
    if not world.default:
        pytest.skip(f"{world.provider} does not tell which group is the default one")
    groups = world.connect(world.emulator()).read_groups([world.default, world.free]).value
    assert groups[world.default].is_default
    assert not groups[world.free].is_default


@pytest.mark.sampled(6)
def test_many_groups_are_answered_together_each_with_its_own(world):
    ids = [world.referenced, world.bound, world.free]
    ids += [world.default] if world.default else []
    provider = world.connect(world.emulator())
    for read in READS:
        together = getattr(provider, read)(ids).value
        assert set(together) == set(ids)
        for group_id in ids:
            alone = getattr(provider, read)([group_id]).value
            assert together[group_id] == alone[group_id], f"{read} of {group_id}"


def test_asking_about_no_group_asks_nothing(world):
    emulator = world.emulator()
    provider = world.connect(emulator)
    for read in READS:
        assert getattr(provider, read)([]).value == {}


def test_a_malformed_id_is_known_without_asking(world):
    emulator = world.emulator()
    provider = world.connect(emulator)
    assert provider.is_group_id(world.free)
    assert provider.is_group_id(world.missing)
    assert not world.malformed or not provider.is_group_id(world.malformed)
    assert not emulator.requests


def test_an_instance_is_read_with_its_groups(world):
    instance = world.connect(world.emulator()).read_instance(world.server).value
    assert instance is not None
    assert instance.instance_id == world.server
    assert world.bound in instance.group_ids
    assert instance.binding_refusal == ""


def test_an_instance_that_does_not_exist_is_none(world):
    assert world.connect(world.emulator()).read_instance(world.missing_server).value is None


def test_every_limit_says_where_it_was_read(world):
    limits = world.connect(world.emulator()).read_limits().value
    assert limits
    for limit in limits:
        assert limit.source in {"live", "documented"}
        # Only one kind of group may have none of something at all.
        assert limit.ceiling is None or limit.ceiling > (-1 if limit.applies_to else 0)


@pytest.mark.sampled(3)
def test_reading_changes_nothing_in_the_cloud(world):
    emulator = world.emulator()
    before = copy.deepcopy(emulator.state.dump())
    provider = world.connect(emulator)
    for read in READS:
        getattr(provider, read)([world.referenced, world.bound])
    provider.list_rules(world.referenced)
    provider.read_instance(world.server)
    provider.read_limits()
    assert emulator.state.dump() == before


@pytest.mark.parametrize("read", READS)
@pytest.mark.sampled(24)
def test_every_page_of_a_long_list_is_read(world, read):
    emulator = world.emulator()
    cloud = emulator.state.clouds[0]
    template = next(i for i in cloud.interfaces if world.bound in i.groups)
    server = cloud.instance(template.instance)
    crowd = 230
    for number in range(crowd):
        clone = copy.deepcopy(server)
        clone.id = _renumber(server.id, number)
        interface = copy.deepcopy(template)
        interface.id, interface.instance = _renumber(template.id, number), clone.id
        cloud.instances.append(clone)
        cloud.interfaces.append(interface)
    value = getattr(world.connect(emulator), read)([world.bound]).value[world.bound]
    if read == "list_bindings":
        holders = {b.instance_id or b.holder_id for b in value}
        assert len(holders | {world.server}) >= crowd
    elif read == "count_instances":
        assert value >= crowd


def _renumber(text: str, number: int) -> str:
    return text[:-4] + f"{number:04x}"


def test_a_wrong_secret_is_refused_and_never_retried(world):
    emulator = world.emulator()
    provider = world.connect(emulator, env=world.wrong_secret_env)
    with pytest.raises(UnauthenticatedError):
        provider.read_groups([world.free])
    assert len({(r.action, r.query, r.body) for r in emulator.requests}) == len(emulator.requests)


def test_one_throttled_call_is_asked_again(world):
    emulator = world.emulator()
    world.connect(emulator).read_groups([world.free])  # a token, where one is needed, is cached
    emulator.faults.append(Fault("throttle", count=1))
    assert world.connect(emulator).read_groups([world.free]).value[world.free] is not None


@pytest.mark.parametrize("read", READS)
@pytest.mark.sampled(6)
def test_throttling_without_end_is_an_error_not_an_empty_answer(world, read):
    emulator = world.emulator()
    emulator.faults.append(Fault("throttle", count=10_000))
    with pytest.raises(ThrottledError):
        getattr(world.connect(emulator), read)([world.referenced])


@pytest.mark.parametrize("read", READS)
@pytest.mark.sampled(6)
def test_lost_connections_without_end_are_an_error_not_an_empty_answer(world, read):
    emulator = world.emulator()
    emulator.faults.append(Fault("drop", count=10_000))
    with pytest.raises(UnreachableError):
        getattr(world.connect(emulator), read)([world.referenced])


GARBAGE = {
    "html": ("<html>login</html>", "text/html"),
    "empty": ("", "application/json"),
    "empty object": ("{}", "application/json"),
    "null": ("null", "application/json"),
    "list": ("[]", "application/json"),
    "empty response": ('{"Response":{"RequestId":"x"}}', "application/json"),
    "number": ("7", "application/json"),
    "truncated": ('{"security_groups": [{"id": "', "application/json"),
    "errors beside empty lists": (
        json.dumps(
            {
                **{key: [] for key in ("security_groups", "security_group_rules", "ports")},
                **{key: [] for key in ("sub_network_interfaces", "rbac_policies")},
                "page_info": {"current_count": 0},
                "NeutronError": {"type": "Odd", "message": "inside a 200", "detail": ""},
                "error_code": "VPC.0002",
                "error_msg": "inside a 200",
                "Code": "ServiceUnavailable",
                "code": 6000,
                "message": "inside a 200",
                "Response": {
                    "RequestId": "x",
                    "Error": {"Code": "InternalError", "Message": "inside a 200"},
                    "ReferredSecurityGroupSet": [],
                    "SecurityGroupAssociationStatisticsSet": [],
                    "TotalCount": 0,
                },
            }
        ),
        "application/json",
    ),
    "nulls inside": (
        json.dumps(
            {
                **dict.fromkeys(("security_groups", "security_group_rules", "ports", "data")),
                "code": 0,
                "Response": {"RequestId": "x", "SecurityGroupSet": None, "TotalCount": None},
            }
        ),
        "application/json",
    ),
}


@pytest.mark.parametrize("garbage", GARBAGE, ids=str)
@pytest.mark.parametrize("read", READS)
@pytest.mark.sampled(6)
def test_two_hundred_with_garbage_is_never_an_empty_answer(world, read, garbage):
    body, content_type = GARBAGE[garbage]
    emulator = world.emulator()
    provider = world.connect(emulator, attempts=1)
    provider.read_groups([world.free])  # a token, where one is needed, is cached
    emulator.faults.append(Fault("garbage", count=10_000, body=body, content_type=content_type))
    try:
        seen = getattr(world.connect(emulator, attempts=1), read)([world.referenced, world.bound])
    except SgguardError:
        return
    asked = {world.referenced, world.bound}
    assert seen.unseen or not asked & set(seen.value), f"{read} believed {body!r}: {seen.value}"


@pytest.mark.sampled(3)
def test_a_missing_permission_on_references_is_reported_and_not_read_as_none(world):
    scenario = world.scenario_copy()
    scenario["clouds"][0]["accounts"][0]["denied"] = [world.denied_references]
    emulator = type(world.emulator()).load(scenario)
    try:
        seen = world.connect(emulator).list_references([world.referenced])
    except ForbiddenError:
        return
    assert "no-permission" in {u.code for u in seen.unseen}


def test_no_secret_is_in_a_repr_or_an_error(world):
    emulator = world.emulator()
    provider = world.connect(emulator)
    secrets = [
        value
        for name, value in world.env.items()
        if any(word in name for word in ("SECRET", "PASSWORD", "TOKEN", "_SK"))
        and "_ID" not in name
        and len(value) > 3
    ]
    assert secrets, "the world has credentials"
    texts = [repr(provider)]
    for kind in ("error", "drop", "throttle", "garbage"):
        emulator.faults.append(Fault(kind, count=3))
        try:
            provider.read_groups([world.free])
        except CloudError as error:
            texts += [str(error), repr(error), repr(vars(error)), repr(error.__cause__)]
        emulator.faults.clear()
    for secret in secrets:
        assert not [text for text in texts if secret in text]


def test_missing_credentials_are_one_clear_line(world):
    with pytest.raises(SgguardError) as caught:
        world.connect(world.emulator(), env={}).read_groups([world.free])
    assert "\n" not in str(caught.value)
    assert "set " in str(caught.value)


def test_the_state_of_the_emulator_can_be_dumped_and_loaded_again(world):
    emulator = world.emulator()
    dumped = json.loads(json.dumps(emulator.state.dump()))
    again = type(emulator).load(dumped)
    assert again.state.dump() == emulator.state.dump()


def test_errors_know_action_and_provider(world):
    emulator = world.emulator()
    emulator.faults.append(Fault("drop", count=10_000))
    with pytest.raises(CloudError) as caught:
        world.connect(emulator).read_groups([world.free])
    assert caught.value.provider == world.provider
    assert caught.value.action
    assert not isinstance(caught.value, UnknownShapeError)


PROXY_PAGES = {
    "html": ("<html><body>bad gateway</body></html>", "text/html"),
    "nothing": ("", "text/html"),
    "plain": ("upstream connect error or disconnect/reset before headers", "text/plain"),
    "json of another": ('{"message":"no healthy upstream"}', "application/json"),
    "xml": ('<?xml version="1.0"?><oops/>', "application/xml"),
}


@pytest.mark.parametrize("page", PROXY_PAGES, ids=str)
@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.sampled(48)
def test_a_proxys_own_page_with_a_5xx_is_asked_again_whatever_its_body(world, status, page):
    body, content_type = PROXY_PAGES[page]
    emulator = world.emulator()
    world.connect(emulator).read_groups([world.free])  # a token, where one is needed, is cached
    fault = Fault("garbage", status=status, body=body, content_type=content_type)
    emulator.faults.append(fault)
    assert world.connect(emulator).read_groups([world.free]).value[world.free] is not None

    for read in READS:
        emulator.faults[:] = [replace(fault, count=10_000)]
        with pytest.raises(UnavailableError) as caught:
            getattr(world.connect(emulator), read)([world.referenced])
        assert caught.value.is_retryable
        assert caught.value.status == status


def test_a_5xx_on_the_way_to_a_first_token_is_asked_again(world):
    emulator = world.emulator()
    emulator.faults.append(Fault("garbage", status=503, count=2))
    assert world.connect(emulator).read_groups([world.free]).value[world.free] is not None


@pytest.mark.parametrize("page", ["html", "nothing", "plain"])
def test_a_proxys_429_is_throttling_whatever_its_body(world, page):
    body, content_type = PROXY_PAGES[page]
    emulator = world.emulator()
    world.connect(emulator).read_groups([world.free])
    emulator.faults.append(
        Fault("garbage", status=429, body=body, content_type=content_type, count=10_000)
    )
    with pytest.raises(ThrottledError):
        world.connect(emulator).read_groups([world.free])


@pytest.mark.parametrize("status", [400, 403, 404, 405, 302])
def test_a_proxys_page_with_another_status_is_not_asked_again_and_is_no_answer(world, status):
    emulator = world.emulator()
    provider = world.connect(emulator)
    provider.read_groups([world.free])
    emulator.faults.append(Fault("garbage", status=status, count=10_000))
    emulator.requests.clear()
    with suppress(CloudError):
        seen = provider.read_groups([world.free])
        assert seen.unseen
        assert world.free not in seen.value
    asked = [(r.action, r.query, r.body) for r in emulator.requests]
    assert len(set(asked)) == len(asked), "the same question was asked twice"


@pytest.mark.parametrize("read", READS)
@pytest.mark.sampled(6)
def test_an_answer_that_is_no_answer_is_asked_for_once_more(world, read):
    emulator = world.emulator()
    provider = world.connect(emulator)
    whole = getattr(provider, read)([world.referenced])
    emulator.requests.clear()
    getattr(provider, read)([world.referenced])
    calls = len(emulator.requests)
    emulator.faults.append(Fault("garbage"))
    again = getattr(provider, read)([world.referenced])
    assert again == whole
    emulator.faults[:] = [Fault("garbage", count=10_000)]
    emulator.requests.clear()
    with suppress(SgguardError):
        getattr(provider, read)([world.referenced])
    assert len(emulator.requests) <= 2 * calls


@pytest.mark.sampled(5)
def test_reads_keep_within_the_clouds_documented_rates(world):
    module = import_module(f"sgguard.providers.{world.provider.replace('-', '_')}")
    rates = dict(module.RATES)
    assert rates
    waited = Jumping()
    emulator = world.emulator(now=lambda: time.time() + waited.jumped_s)
    emulator.state.clouds[0].rates = rates
    wire = Wire(
        world.provider,
        Deadline.after(1e6),
        transport=EmulatorTransport(emulator),
        retry=Retry(attempts=1),
        pace=Pace(lanes=Lanes(waited, waited.sleep)),
    )
    now = emulator.now
    provider = providers.connect(world.provider, Access(wire, world.region, env=world.env, now=now))
    for _ in range(60):
        for read in READS:
            getattr(provider, read)([world.referenced])
