"""``sgguard doctor``: what it finds, in which words, and that it changes nothing."""

from __future__ import annotations

import copy
import errno
import json
import os

import httpx
import pytest
from msgspec.structs import replace

from sgguard import providers
from sgguard.cli import cli, failure
from sgguard.emulator import scenario
from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.emulator.server import serve
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine.context import Context
from sgguard.errors import AddressError, InputError, SettingsError
from sgguard.operations import doctor
from sgguard.operations.doctor import CloudRegion
from sgguard.providers import Grant
from sgguard.wire.retry import Retry
from tests.worlds import World, lanes, openstack, world_of

NOW = 1_795_000_000.0


@pytest.fixture(params=providers.names())
def world(request) -> World:
    return world_of(request.param)


def emulator_of(world, *, account=None, **cloud) -> Emulator:
    scenario = world.scenario_copy()
    scenario["clouds"][0].setdefault("quirks", {}).update(cloud.pop("quirks", {}))
    scenario["clouds"][0].update(cloud)
    scenario["clouds"][0]["accounts"][0].update(account or {})
    return Emulator.load(scenario, now=lambda: NOW)


def examine(world, emulator=None, *, env=None, region=None, ahead_s=0.0, transport=None):
    emulator = emulator or emulator_of(world)
    context = Context.from_env(
        world.env if env is None else env,
        transport=transport or EmulatorTransport(emulator),
        now=lambda: NOW + ahead_s,
    )
    context = replace(context, retry=Retry(sleep=lambda _: None), lanes=lanes())
    return doctor.examine(CloudRegion(world.provider, region or world.region), context)


def codes(checkup, *weights):
    return [f.code for f in checkup.findings if f.weight in (weights or ("setup", "problem"))]


def finding(checkup, code):
    [found] = [f for f in checkup.findings if f.code == code]
    return found


class Answering(httpx.BaseTransport):
    """Passes requests on and changes answers, or refuses to connect to some hosts."""

    def __init__(self, emulator, *, change=lambda response: response, closed=()):
        self.inner, self.change, self.closed = EmulatorTransport(emulator), change, closed
        self.hosts = []

    def handle_request(self, request):
        self.hosts.append(request.url.host)
        if any(request.url.host.startswith(name) for name in self.closed):
            refused = ConnectionRefusedError(errno.ECONNREFUSED, "as the system says it")
            raise httpx.ConnectError("not shown", request=request) from refused
        return self.change(self.inner.handle_request(request))


# --- all is well ----------------------------------------------------------------------------


@pytest.mark.sampled(3)
def test_where_everything_is_right_a_verdict_can_be_trusted(world):
    checkup = examine(world)
    assert codes(checkup) == []
    assert checkup.is_trusted
    assert checkup.is_reachable
    assert str(checkup.clock) == "right"
    assert {p.state for p in checkup.needed("read")} == {Grant.GRANTED}
    assert checkup.visibility == world.connect(world.emulator()).visibility
    assert checkup.limits == world.connect(world.emulator()).read_limits().value


@pytest.mark.sampled(3)
def test_the_doctor_changes_nothing(world):
    emulator = emulator_of(world)
    before = copy.deepcopy(emulator.state.dump())
    examine(world, emulator)
    assert emulator.state.dump() == before
    for request in emulator.requests:
        is_read = request.method == "GET" or request.action.startswith("Describe")
        is_token = request.action == "POST /v3/auth/tokens"
        is_dry = '"dry_run": true' in request.body
        is_knock = not request.body and not request.query
        assert is_read or is_token or is_dry or is_knock, request


def test_a_region_that_reads_limits_live_needs_no_note():
    assert codes(examine(world_of("tencent")), "note") == []


# --- the clock ------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [1, -1], ids=["ahead", "behind"])
@pytest.mark.sampled(4)
def test_a_clock_off_by_twice_the_tolerance_is_named_with_its_seconds(world, sign):
    tolerance_s = int(examine(world).clock.tolerance_s)
    checkup = examine(world, ahead_s=sign * 2 * tolerance_s)
    flaw = finding(checkup, "clock-off")
    assert f"{2 * tolerance_s} s {'ahead' if sign > 0 else 'behind'}" in flaw.message
    assert f"at most {tolerance_s} s" in flaw.message
    assert "clock" in flaw.remedy
    assert codes(checkup) == ["clock-off"]
    assert not checkup.clock.is_accepted


@pytest.mark.parametrize("provider", ["tencent", "tencent-dfw"])
def test_ten_minutes_are_too_many_for_tencent(provider):
    checkup = examine(world_of(provider), ahead_s=-600)
    assert "600 s behind" in finding(checkup, "clock-off").message


@pytest.mark.parametrize("provider", ["alibaba", "huawei", "openstack"])
def test_ten_minutes_are_a_note_where_fifteen_are_accepted(provider):
    checkup = examine(world_of(provider), ahead_s=600)
    assert "600 s ahead" in finding(checkup, "clock-drifts").message
    assert checkup.is_trusted


@pytest.mark.sampled(3)
def test_a_few_seconds_are_nothing(world):
    checkup = examine(world, ahead_s=3)
    assert str(checkup.clock) == "3 s ahead"
    assert not {"clock-off", "clock-drifts"} & set(codes(checkup, "note", "problem"))


def without_date(response):
    del response.headers["date"]
    return response


@pytest.mark.parametrize("provider", ["tencent", "tencent-dfw", "alibaba", "huawei"])
def test_a_signature_refused_for_its_time_is_the_clock_even_where_no_date_is_told(provider):
    world = world_of(provider)
    transport = Answering(emulator_of(world), change=without_date)
    checkup = examine(world, transport=transport, ahead_s=3600)
    assert checkup.clock is None
    assert codes(checkup) == ["clock-off"]
    assert "does not report the difference" in finding(checkup, "clock-off").message


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Foo 2026 99:99:99 GMT"])
@pytest.mark.sampled(6)
def test_a_date_that_is_none_is_no_clock(world, date):
    def change(response):
        response.headers["date"] = date
        return response

    checkup = examine(world, transport=Answering(emulator_of(world), change=change))
    assert checkup.clock is None
    assert checkup.is_trusted


# --- credentials and permissions ------------------------------------------------------------


def test_a_wrong_secret_is_asked_about_once_and_never_shown(world):
    emulator = emulator_of(world)
    checkup = examine(world, emulator, env=world.wrong_secret_env)
    assert codes(checkup) == ["credentials-refused"]
    assert "check " in finding(checkup, "credentials-refused").remedy
    assert {p.state for p in checkup.needed("read")} == {Grant.NOT_TOLD}
    refused = [r for r in emulator.requests if r.body or r.query]
    assert len(refused) <= 1


def readings():
    for name in providers.names():
        world = world_of(name)
        probe = providers.probing(name).probe(world.connect(world.emulator()))
        for question in probe.checks:
            if question.need == "read" and question.action != "roles of the token":
                yield pytest.param(name, question.action, id=f"{name} {question.action}")


@pytest.mark.parametrize(("provider", "action"), list(readings()))
@pytest.mark.sampled(16)
def test_each_missing_read_permission_is_named_with_what_to_grant(provider, action):
    world = world_of(provider)
    denied = action.replace("[", "[[]")
    emulator = emulator_of(world, account={"denied": [denied]})
    # Neutron hides a policy as it hides everything; that there is none is no sign of that.
    emulator.state.clouds[0].quirks["denied_refused"] = "rbac-policies" in action
    checkup = examine(world, emulator)
    flaw = finding(checkup, "permission-missing")
    assert action in flaw.message
    assert flaw.remedy.startswith("grant ")
    assert not checkup.is_trusted
    states = {p.action: p.state for p in checkup.needed("read")}
    assert states.pop(action) is Grant.MISSING
    assert set(states.values()) == {Grant.GRANTED}


@pytest.mark.sampled(3)
def test_all_reads_missing_are_a_line_each(world):
    checkup = examine(world, emulator_of(world, account={"denied": ["Describe*", "GET *"]}))
    missing = [p for p in checkup.needed("read") if p.state is Grant.MISSING]
    assert codes(checkup) == ["permission-missing"] * len(missing)
    assert len(missing) >= 5


@pytest.mark.sampled(3)
def test_permissions_that_cannot_be_tried_are_not_reported(world):
    states = {p.action: p.state for p in examine(world).needed("change")}
    told = {action for action, state in states.items() if state is not Grant.NOT_TOLD}
    parts = ("security-group", "ports/", "interfaces/", "DescribeSecurityGroupPolicys")
    assert all(any(part in action for part in parts) for action in told)
    assert (world.provider in {"huawei", "openstack", "tencent-dfw"}) is bool(told)


def test_a_reader_on_huawei_lacks_what_dry_runs_tell_and_verdicts_are_trusted_all_the_same():
    world = world_of("huawei")
    checkup = examine(world, emulator_of(world, account={"role": "reader"}))
    states = [p.state for p in checkup.needed("change")]
    assert states.count(Grant.MISSING) == 5
    assert codes(checkup, "note").count("permission-missing") == 5
    assert checkup.is_trusted


def test_a_token_without_a_known_role_reads_incomplete_lists():
    checkup = examine(openstack.WORLD, emulator_of(openstack.WORLD, account={"role": "guest"}))
    [flaw] = [f for f in checkup.findings if f.weight == "problem"]
    assert (flaw.code, "the role reader" in flaw.remedy) == ("permission-missing", True)


def test_access_rules_that_do_not_list_a_call_are_a_missing_permission():
    emulator = emulator_of(openstack.WORLD, quirks={"access_rules": ["GET /v2.0/security*"]})
    checkup = examine(openstack.WORLD, emulator, env=openstack.CREDENTIAL_ENV)
    missing = [p.action for p in checkup.needed("read") if p.state is Grant.MISSING]
    assert "GET /v2.0/ports" in missing
    assert "GET /v2.0/security-group-rules" not in missing
    assert any("access rules" in f.remedy for f in checkup.findings)


# --- the network ----------------------------------------------------------------------------


def test_an_unreachable_cloud_is_named_with_its_host_and_nothing_more_is_asked(world):
    transport = Answering(emulator_of(world), closed=("",))
    checkup = examine(world, transport=transport)
    assert checkup.is_reachable is False
    assert set(codes(checkup)) == {"unreachable"}
    assert "Connection refused" in finding_of_first(checkup).message
    assert set(transport.hosts) & {finding_of_first(checkup).message.split()[3].rstrip(":")}
    variable = f"SGGUARD_ENDPOINT_{world.provider.upper().replace('-', '_')}"
    assert variable in finding_of_first(checkup).remedy
    assert {p.state for p in checkup.permissions} == {Grant.NOT_TOLD}


def finding_of_first(checkup):
    return checkup.findings[0]


@pytest.mark.parametrize(
    ("provider", "closed", "lost"),
    [
        ("tencent", "cvm.", "DescribeInstances"),
        ("huawei", "ecs.", "GET /v1/{project_id}/cloudservers/{id}"),
    ],
)
def test_one_closed_door_of_two_is_no_trust(provider, closed, lost):
    world = world_of(provider)
    checkup = examine(world, transport=Answering(emulator_of(world), closed=(closed,)))
    assert codes(checkup) == ["unreachable"]
    assert closed in finding(checkup, "unreachable").message
    states = {p.action: p.state for p in checkup.needed("read")}
    assert states[lost] is Grant.NOT_TOLD
    assert Grant.GRANTED in states.values()


@pytest.mark.sampled(3)
def test_a_dropped_connection_is_tried_once_more(world):
    emulator = emulator_of(world)
    emulator.faults.append(Fault("drop", count=1))
    assert examine(world, emulator).is_trusted


@pytest.mark.sampled(3)
def test_being_throttled_is_said_and_is_no_trust(world):
    emulator = emulator_of(world)
    emulator.faults.append(Fault("throttle", count=10_000, skip=0))
    checkup = examine(world, emulator)
    assert "throttled" in codes(checkup)
    assert "a minute" in finding(checkup, "throttled").remedy


@pytest.mark.sampled(3)
def test_a_cloud_in_trouble_is_said_and_is_no_trust(world):
    emulator = emulator_of(world)
    emulator.faults.append(Fault("error", count=10_000))
    checkup = examine(world, emulator)
    assert "unavailable" in codes(checkup)
    assert not checkup.is_trusted


@pytest.mark.parametrize(
    "body", ["<html>log in here first</html>", "{}", "[]", ""], ids=["page", "{}", "[]", "empty"]
)
@pytest.mark.sampled(6)
def test_a_login_page_in_the_clouds_place_is_no_trust(world, body):
    emulator = emulator_of(world)
    emulator.faults.append(Fault("garbage", count=10_000, body=body))
    checkup = examine(world, emulator)
    assert not checkup.is_trusted
    assert Grant.GRANTED not in {p.state for p in checkup.permissions if p.need == "change"}


def test_used_up_time_is_no_trust_and_says_how_to_give_more(world):
    ticks = iter([0.0, *([0.0] * 6), *([99.0] * 1000)])
    context = Context.from_env(
        world.env,
        transport=EmulatorTransport(emulator_of(world)),
        now=lambda: NOW,
        clock=lambda: next(ticks),
    )
    checkup = doctor.examine(
        CloudRegion(world.provider, world.region), replace(context, lanes=lanes())
    )
    assert not checkup.is_trusted
    said = " ".join(f.message + f.remedy for f in checkup.findings)
    assert "SGGUARD_DEADLINE_S" in said or "used up" in said


# --- regions, views, limits, APIs that are not there -----------------------------------------


@pytest.mark.parametrize("provider", ["tencent", "tencent-dfw", "alibaba", "openstack"])
def test_a_region_that_does_not_exist_is_said_in_one_line(provider):
    world = world_of(provider)
    checkup = examine(world, region="at-lantis-1")
    [code] = codes(checkup)
    assert code in {"no-such-region", "settings-refused"}
    assert "at-lantis-1" in finding(checkup, code).message
    assert "--region" in finding(checkup, code).remedy


def test_a_project_of_another_region_is_said_once():
    world = world_of("huawei")
    checkup = examine(world, env=world.env | {"HUAWEICLOUD_SDK_PROJECT_ID": "0" * 32})
    assert codes(checkup) == ["no-such-region"]
    assert "project" in finding(checkup, "no-such-region").remedy


def test_a_region_no_host_can_have_is_not_set_up():
    checkup = examine(world_of("huawei"), region="cn_north 4")
    assert codes(checkup, "setup") == ["not-set-up"]


def test_credentials_of_one_project_say_so_and_are_trusted():
    for env in (openstack.PASSWORD_ENV, openstack.READER_ENV):
        checkup = examine(openstack.WORLD, env=env)
        assert checkup.visibility == "project"
        assert "one project" in finding(checkup, "project-only").message
        assert checkup.is_trusted
    admin = examine(openstack.WORLD, env=openstack.ADMIN_ENV)
    assert admin.visibility == "cloud"
    assert "project-only" not in codes(admin, "note")


@pytest.mark.parametrize("guard", ["delete", "launch"])
@pytest.mark.sampled(2)
def test_a_policy_that_requires_to_see_more_takes_the_trust(tmp_path, guard):
    policy = tmp_path / "policy.toml"
    policy.write_text(f'[{guard}]\nrequire_visibility = "cloud"\n')
    env = {"SGGUARD_POLICY": str(policy)}
    narrow = examine(openstack.WORLD, env=openstack.PASSWORD_ENV | env)
    assert codes(narrow) == ["view-too-narrow"]
    assert "requires cloud" in finding(narrow, "view-too-narrow").message
    assert examine(openstack.WORLD, env=openstack.ADMIN_ENV | env).is_trusted


@pytest.mark.parametrize("provider", ["alibaba", "tencent-dfw"])
def test_limits_that_are_only_documented_are_a_note(provider):
    checkup = examine(world_of(provider))
    flaw = finding(checkup, "limits-documented")
    assert f"[limits.{provider}]" in flaw.remedy
    assert checkup.is_trusted


def test_an_international_tencent_without_quotas_is_a_note():
    world = world_of("tencent")
    checkup = examine(world, emulator_of(world, quirks={"limits_absent": True}))
    assert "documented limits are used" in finding(checkup, "api-absent").remedy
    assert {limit.source for limit in checkup.limits} == {"documented"}
    assert checkup.is_trusted


def test_a_huawei_region_without_vpc_v3_cannot_tell_supplementary_interfaces():
    world = world_of("huawei")
    checkup = examine(world, emulator_of(world, quirks={"v3_absent": True}))
    assert codes(checkup) == ["api-absent"]
    assert "supplementary interfaces" in finding_of_first(checkup).message
    assert "blocked" in finding_of_first(checkup).remedy
    states = {p.brings: p.state for p in checkup.needed("read")}
    assert states["who references a group"] is Grant.GRANTED
    assert states["limits"] is Grant.ABSENT


def test_open_telekom_cloud_is_asked_for_everything_and_may_lack_v3_ports():
    world = world_of("huawei")
    emulator = emulator_of(world, quirks={"otc": True})
    account = emulator.state.clouds[0].accounts[0]
    account.project_names = dict.fromkeys(account.projects, "eu-de")
    checkup = examine(world, emulator, region="eu-de")
    assert codes(checkup) == []
    states = {p.brings: p.state for p in checkup.permissions}
    assert states["what carries a group"] is Grant.GRANTED
    assert states["supplementary interfaces"] is Grant.GRANTED


def test_an_openstack_without_policies_and_quota_details_is_trusted():
    quirks = {"rbac_absent": True, "quota_details_absent": True}
    checkup = examine(openstack.WORLD, emulator_of(openstack.WORLD, quirks=quirks))
    assert codes(checkup) == []
    assert codes(checkup, "note").count("api-absent") == 2


def test_a_cloud_without_a_probe_is_not_offered(world, monkeypatch):
    monkeypatch.setattr(providers, "probing", lambda _: None)
    emulator = emulator_of(world)
    checkup = examine(world, emulator)
    assert codes(checkup) == ["not-offered"]
    assert not emulator.requests


# --- which clouds, which regions ------------------------------------------------------------


def test_every_cloud_whose_credentials_are_set_is_examined(world):
    env = dict(world.env)
    if world.provider == "tencent-dfw":
        assert doctor.cloud_regions(env) == (CloudRegion("tencent", ""),)
        env["SGGUARD_ENDPOINT_TENCENT_DFW"] = "http://127.0.0.1:1"
        assert [p.provider for p in doctor.cloud_regions(env)] == ["tencent", "tencent-dfw"]
    else:
        assert doctor.cloud_regions(env) == (CloudRegion(world.provider, ""),)


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("tencent", "TENCENTCLOUD_REGION"),
        ("tencent-dfw", "TENCENTCLOUD_REGION"),
        ("alibaba", "ALIBABA_CLOUD_REGION_ID"),
        ("huawei", "HUAWEICLOUD_SDK_REGION"),
        ("huawei", "HW_REGION_NAME"),
        ("huawei", "OS_REGION_NAME"),
        ("openstack", "OS_REGION_NAME"),
    ],
)
def test_the_region_is_the_one_the_clouds_own_tools_would_take(provider, variable):
    world = world_of(provider)
    [place] = doctor.cloud_regions(world.env | {variable: " eu-r-1 "}, [provider])
    assert place == CloudRegion(provider, "eu-r-1")


def test_no_cloud_at_all_says_how_each_is_set_up():
    with pytest.raises(SettingsError) as caught:
        doctor.cloud_regions({})
    for name in providers.names():
        assert f"{name}: set " in str(caught.value)


ENV = {"TENCENTCLOUD_SECRET_ID": "x", "ALIBABA_CLOUD_ACCESS_KEY_ID": "y"}


@pytest.mark.parametrize(
    ("named", "regions", "expected"),
    [
        ((), (), [("alibaba", ""), ("tencent", "")]),
        (("tencent",), (), [("tencent", "")]),
        (("tencent",), ("a", "b", "a"), [("tencent", "a"), ("tencent", "b")]),
        (("huawei", "tencent"), ("a", "b"), [("huawei", "a"), ("tencent", "b")]),
        (("tencent", "tencent"), ("a", "b"), [("tencent", "a"), ("tencent", "b")]),
        (("tencent", "tencent"), (), [("tencent", "")]),
    ],
)
def test_regions_go_with_the_cloud_at_their_position(named, regions, expected):
    assert doctor.cloud_regions(ENV, named, regions) == tuple(
        CloudRegion(*pair) for pair in expected
    )


@pytest.mark.parametrize(
    ("named", "regions", "error", "said"),
    [
        ((), ("a",), InputError, "in pairs"),
        ((), ("a", "b"), InputError, "in pairs"),
        (("tencent", "huawei"), ("a",), InputError, "in pairs"),
        (("mars",), (), AddressError, "unknown provider 'mars'"),
        (("mars",), ("a",), AddressError, "unknown provider 'mars'"),
        (("tencent",), (" ",), InputError, "is neither"),
        (("",), (), InputError, "is neither"),
    ],
)
def test_regions_of_no_cloud_are_refused(named, regions, error, said):
    with pytest.raises(error, match=said):
        doctor.cloud_regions(ENV, named, regions)


def test_a_missing_region_is_reported_with_the_setting_to_use(world):
    checkup = doctor.examine(CloudRegion(world.provider, ""), Context.from_env(world.env))
    [flaw] = checkup.findings
    setup = providers.probing(world.provider).SETUP
    assert (flaw.code, flaw.weight) == ("no-region", "setup")
    assert f"--provider {world.provider} --region REGION, or set {setup.region_variable}" in (
        flaw.remedy
    )


def test_half_the_credentials_are_not_set_up(world):
    first = next(iter(world.env))
    env = {name: value for name, value in world.env.items() if name == first}
    checkup = examine(world, env=env)
    assert codes(checkup, "setup") == ["not-set-up"]
    assert "set " in finding(checkup, "not-set-up").message
    assert not checkup.is_set_up


# --- how it is said -------------------------------------------------------------------------


def every_state():
    for name in providers.names():
        world = world_of(name)
        yield examine(world)
        yield examine(world, ahead_s=40_000)
        yield examine(world, ahead_s=-9_000)
        yield examine(world, env=world.wrong_secret_env)
        yield examine(world, transport=Answering(emulator_of(world), closed=("",)))
        yield examine(world, emulator_of(world, account={"denied": ["*References", "GET /v3*"]}))
        yield doctor.examine(CloudRegion(name, ""), Context.from_env(world.env))
        yield replace(examine(world), region="a-region-with-a-very-long-name-1")


@pytest.fixture(scope="module")
def checkups():
    return tuple(every_state())


def test_the_table_fits_a_hundred_columns(checkups):
    lines = doctor.to_text(checkups).split("\n\n")[0].splitlines()
    assert lines[0].startswith("cloud")
    assert lines[0].endswith("limits")
    assert len(lines) == len(checkups) + 1
    assert max(map(len, lines)) <= 100
    starts = {line.index(word) for line, word in [(lines[0], "trust")]}
    assert all(line[next(iter(starts))] in "yN" for line in lines[1:])


def test_each_problem_is_one_line_that_ends_with_what_to_do(checkups):
    text = doctor.to_text(checkups)
    said = [line for line in text.splitlines() if line.startswith(("problem: ", "note: "))]
    for checkup in checkups:
        for one in checkup.findings:
            assert one.remedy
            assert any(one.message in line and line.endswith(f"→ {one.remedy}") for line in said)
    assert "\n  " not in text


@pytest.mark.parametrize("width", [1, 20, 40, 60, 80, 99, 120])
@pytest.mark.sampled(4)
def test_a_narrow_terminal_gets_lines_that_fit(checkups, width):
    longest = max(len(word) for word in doctor.to_text(checkups).split())
    for line in doctor.to_text(checkups, width).splitlines():
        assert len(line) <= max(width, 20, longest + 12, 30)


def test_the_conclusion_names_who_is_not_trusted(checkups):
    good, bad = checkups[0], checkups[1]
    assert doctor.to_text([good]).endswith("Verdicts from here can be trusted.")
    assert doctor.to_text([good, bad]).endswith(
        f"Verdicts from here about {bad.provider} {bad.region} cannot be trusted."
    )


def test_the_document_has_every_permission_limit_and_finding(checkups):
    document = json.loads(json.dumps(doctor.to_json(checkups)))
    assert document["trusted"] is False
    assert doctor.to_json(checkups[:1])["trusted"] is True
    for checkup, cloud in zip(checkups, document["clouds"], strict=True):
        assert cloud["provider"] == checkup.provider
        assert len(cloud["permissions"]) == len(checkup.permissions)
        assert [limit["source"] for limit in cloud["limits"]] == [
            limit.source for limit in checkup.limits
        ]
        assert [f["code"] for f in cloud["findings"]] == [f.code for f in checkup.findings]
        assert cloud["clock"] is None or set(cloud["clock"]) == {
            "ahead_s",
            "tolerance_s",
            "accepted",
        }


def test_no_secret_is_ever_shown(checkups):
    said = doctor.to_text(checkups) + json.dumps(doctor.to_json(checkups)) + repr(checkups)
    for name in providers.names():
        world = world_of(name)
        for variable, value in {**world.env, **world.wrong_secret_env}.items():
            if any(word in variable for word in ("SECRET_KEY", "_SECRET", "PASSWORD", "_SK")):
                is_id = variable.endswith("_ID")
                assert is_id or value not in said
            if variable.endswith(("_TOKEN",)):
                assert value not in said


def test_a_secret_in_a_clouds_own_words_is_not_repeated(world):
    secret = "quoted-string-to-sign-with-session-token"

    def change(response):
        body = response.content.replace(b"signature", secret.encode())
        headers = {k: v for k, v in response.headers.items() if k != "content-length"}
        return httpx.Response(response.status_code, headers=headers, content=body)

    transport = Answering(emulator_of(world), change=change)
    checkup = examine(world, transport=transport, env=world.wrong_secret_env)
    assert secret not in repr(checkup)


@pytest.mark.sampled(3)
def test_an_examination_takes_a_few_round_trips(world):
    emulator = emulator_of(world)
    assert examine(world, emulator).is_trusted
    assert len(emulator.requests) < 40


# --- the command ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo_server():
    demo = scenario.load("demo")
    with serve(Emulator.load({"clouds": demo.clouds})) as server:
        yield server, demo.client_env(server.url)


@pytest.fixture
def clouds(demo_server, monkeypatch):
    server, env = demo_server
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    yield server.emulator
    for cloud in server.emulator.state.clouds:
        for account in cloud.accounts:
            account.denied = []


@pytest.fixture
def sgguard(capsys):
    def run(*args):
        code = failure.run(cli, ("doctor", *args))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_command_examines_every_cloud_that_is_set_up(clouds, sgguard):
    before = clouds.state.dump()
    code, out, err = sgguard()
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()[1:6]] == list(providers.names())
    assert out.endswith("Verdicts from here can be trusted.\n")
    assert clouds.state.dump() == before


def test_the_document_comes_alone(clouds, sgguard):
    code, out, err = sgguard("--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["trusted"] is True


def test_a_missing_permission_ends_with_1(clouds, sgguard):
    clouds.state.cloud("alibaba").accounts[0].denied = ["DescribeNetworkInterfaces"]
    code, out, err = sgguard("--provider", "alibaba")
    assert (code, err) == (1, "")
    [problem] = [line for line in out.splitlines() if line.startswith("problem: ")]
    assert problem.endswith("→ grant ecs:DescribeNetworkInterfaces in RAM")
    assert sgguard("--provider", "tencent")[0] == 0
    assert sgguard("--provider", "alibaba", "--json")[0] == 1


def test_a_missing_region_ends_with_2_and_the_rest_is_examined(clouds, sgguard, monkeypatch):
    monkeypatch.delenv("ALIBABA_CLOUD_REGION_ID")
    code, out, err = sgguard()
    assert (code, err) == (2, "")
    assert "or set ALIBABA_CLOUD_REGION_ID" in out
    assert "huawei       cn-north-4    yes" in out
    assert sgguard("--provider", "alibaba", "--region", "cn-hangzhou")[0] == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "no cloud is set up: alibaba: set ALIBABA_CLOUD_ACCESS_KEY_ID"),
        (("--provider", "mars"), "unknown provider 'mars': expected one of alibaba"),
        (("--region", "a"), "no cloud is set up"),
        (("--provider", "tencent", "--provider", "huawei", "--region", "a"), "in pairs"),
        (("--policy", "/no/such.toml"), "/no/such.toml: cannot be read"),
        (("tencent",), "unexpected extra argument"),
        (("--provider",), "requires an argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_examined_is_one_line(sgguard, args, said):
    code, out, err = sgguard(*args)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_the_help_teaches(sgguard):
    code, out, _ = sgguard("--help")
    assert code == 0
    for word in ("trust ", "clock ", "sees ", "Exit codes:", "Examples:", "TENCENTCLOUD_REGION"):
        assert word in out
    assert "sgguard doctor --provider tencent" in out
    assert max(map(len, out.splitlines())) <= 100


def test_five_clouds_that_are_well_fit_a_common_terminal(clouds):
    places = doctor.cloud_regions(os.environ)
    checkups = [doctor.examine(place, Context.from_env(os.environ)) for place in places]
    head, *rows = doctor.to_text(checkups, 80).splitlines()[:6]
    assert head.startswith("cloud  ")
    assert len(rows) == len(checkups) == 5
    assert max(map(len, (head, *rows))) <= 80
