"""The doctor's calls to each cloud: everything a verdict needs, and no change."""

from __future__ import annotations

import copy
import json
from contextlib import suppress

import pytest

from sgguard import providers
from sgguard.emulator.core import Emulator
from sgguard.errors import CloudError, ForbiddenError
from sgguard.facts import gather
from sgguard.model.address import Address, Scope
from sgguard.model.request import DeleteRequest, LaunchRequest
from tests.worlds import World, openstack, world_of

READS = ("Describe", "GET ")


@pytest.fixture(params=providers.names())
def world(request) -> World:
    return world_of(request.param)


def ask_everything(world, emulator, **options):
    probing = providers.probing(world.provider)
    probe = probing.probe(world.connect(emulator, **options))
    for question in probe.checks:
        if question.ask is not None:
            with suppress(CloudError):  # what is asked matters here, not the answer
                question.ask()
    return probe


def test_every_cloud_that_ships_can_be_examined(world):
    assert providers.probing(world.provider) is not None


def test_making_a_probe_sends_nothing(world):
    emulator = world.emulator()
    providers.probing(world.provider).probe(world.connect(emulator))
    assert not emulator.requests


@pytest.mark.sampled(6)
def test_every_call_of_a_verdict_is_one_of_the_questions(world):
    emulator = world.emulator()
    provider = world.connect(emulator)
    scope = Scope(world.provider, "", world.region)
    targets = tuple(Address(scope, one) for one in (world.referenced, world.bound))
    gather.gather_delete(provider, DeleteRequest(targets))
    gather.gather_explanation(provider, targets[0])
    gather.gather_launch(provider, LaunchRequest(scope, (world.free,)))
    gather.gather_launch(provider, LaunchRequest(scope, (), instance_id=world.server))
    needed = {request.action for request in emulator.requests}

    probe = providers.probing(world.provider).probe(provider)
    asked = {question.action for question in probe.checks if question.need == "read"}
    asked |= {f"{action}/{{id}}" for action in asked}  # a list and one of its rows: one permission
    # Whether something keeps referenced groups changes no verdict: unread, the worse is told.
    assert needed - asked <= {"POST /v3/auth/tokens", "GET /v2.0/extensions"}


@pytest.mark.sampled(3)
def test_no_question_changes_anything(world):
    emulator = world.emulator()
    before = copy.deepcopy(emulator.state.dump())
    ask_everything(world, emulator)

    assert emulator.state.dump() == before
    for request in emulator.requests:
        is_token = request.action == "POST /v3/auth/tokens"
        is_dry = request.body.startswith("{") and json.loads(request.body).get("dry_run") is True
        assert request.action.startswith(READS) or is_token or is_dry, request


def test_a_dry_run_is_only_sent_about_things_that_cannot_exist():
    world = world_of("huawei")
    emulator = world.emulator()
    ask_everything(world, emulator)
    dry = [request for request in emulator.requests if request.method in ("POST", "PUT")]
    assert len(dry) == 5
    real = json.dumps(world.scenario)
    for request in dry:
        ids = {*request.path.split("/")[-2:], *request.body.split('"')}
        assert not any(one in real for one in ids if one.count("-") == 4)


def test_a_dry_run_changes_nothing_even_for_a_port_and_a_group_that_exist():
    world = world_of("huawei")
    emulator = world.emulator()
    api = world.connect(emulator).api
    before = copy.deepcopy(emulator.state.dump())
    port = emulator.state.clouds[0].interfaces[0]
    for name in ("insert", "remove"):
        api.send(
            "PUT",
            api.region.vpc,
            f"/v3/{{project_id}}/ports/{port.id}/{name}-security-groups",
            content=json.dumps(
                {"dry_run": True, "port": {"security_groups": [world.free]}}
            ).encode(),
        )
    assert emulator.state.dump() == before
    assert [request.status for request in emulator.requests] == [202, 202]


@pytest.mark.sampled(3)
def test_lists_are_asked_for_one_small_page(world):
    emulator = world.emulator()
    cloud = emulator.state.clouds[0]
    for number in range(40):
        group = copy.deepcopy(cloud.group(world.free))
        group.id = f"{group.id[:-2]}{number:02x}"
        if cloud.group(group.id) is None:
            cloud.groups.append(group)
    calls = len(ask_everything(world, world.emulator()).checks)
    ask_everything(world, emulator)
    assert len(emulator.requests) <= calls + 1  # and a token


def test_every_question_says_what_it_brings_and_what_to_grant(world):
    probe = providers.probing(world.provider).probe(world.connect(world.emulator()))
    assert {question.need for question in probe.checks} == {"read", "change"}
    for question in probe.checks:
        assert question.brings
        assert question.grant
        assert question.ask is not None or question.why_untested


@pytest.mark.parametrize(
    ("role", "told"), [("reader", "missing"), ("member", "not-told"), ("admin", "not-told")]
)
def test_on_openstack_only_the_role_reader_tells_what_may_not_be_changed(role, told):
    scenario = openstack.WORLD.scenario_copy()
    scenario["clouds"][0]["accounts"][0]["role"] = role
    world = openstack.WORLD
    emulator = Emulator.load(scenario)
    probe = providers.probing("openstack").probe(world.connect(emulator))
    for question in probe.checks:
        if question.need == "change" and not question.action.startswith("GET "):
            if told == "missing":
                with pytest.raises(ForbiddenError, match="reader"):
                    question.ask()
            else:
                assert question.ask() == told


def test_the_variables_of_otc_and_openstack_are_told_apart():
    def read_of(env):
        return lambda *names: next((env[name] for name in names if env.get(name)), "")

    user = {"OS_USERNAME": "guard", "OS_PASSWORD": "x", "OS_REGION_NAME": "eu-de"}
    otc = user | {"OS_AUTH_URL": "https://iam.eu-de.otc.t-systems.com/v3"}
    private = user | {"OS_AUTH_URL": "https://keystone.example/v3"}
    huawei, cloud = (providers.probing(name).SETUP for name in ("huawei", "openstack"))
    for env, is_huawei in ((otc, True), (private, False), (user, True)):
        assert huawei.is_configured(read_of(env)) is is_huawei
        assert cloud.is_configured(read_of(env)) is (env is private)
    both = private | {"HUAWEICLOUD_SDK_AK": "x", "HUAWEICLOUD_SDK_SK": "y"}
    assert huawei.is_configured(read_of(both))
    assert huawei.region(read_of(both)) == ""
    assert huawei.region(read_of(both | {"HW_REGION_NAME": "cn-north-4"})) == "cn-north-4"
    assert huawei.region(read_of(otc)) == "eu-de"
