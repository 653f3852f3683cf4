import httpx
import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.faces import all_faces
from sgguard.emulator.faces.base import Certainty, certainty_of
from sgguard.emulator.transport import EmulatorTransport
from sgguard.wire import sdk_hmac
from sgguard.wire.sdk_hmac import SdkHmacAuth
from tests.worlds import huawei as world
from tests.worlds import openstack
from tests.worlds.huawei import ENV, PROJECT, WORLD

NOW = 1795311000.0
VPC = f"http://127.0.0.1/v3/{PROJECT}"


def auth(**changes):
    given = {
        "access": ENV["HUAWEICLOUD_SDK_AK"],
        "secret": ENV["HUAWEICLOUD_SDK_SK"],
        "token": ENV["HUAWEICLOUD_SDK_SECURITY_TOKEN"],
        "project": PROJECT,
        "now": lambda: NOW,
    }
    return SdkHmacAuth(**(given | changes))


def client(**quirks):
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0]["quirks"] |= quirks
    emulator = Emulator.load(scenario, now=lambda: NOW)
    return httpx.Client(transport=EmulatorTransport(emulator), auth=auth())


def code_of(response):
    return response.status_code, response.json()["error_code"]


# -- who asks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"secret": "wrong"}, "APIGW.0301"),
        ({"access": "NOBODY"}, "APIGW.0301"),
        ({"token": ""}, "APIGW.0301"),
        ({"token": "another"}, "APIGW.0301"),
        ({"now": lambda: NOW - 901}, "APIGW.0303"),
        ({"now": lambda: NOW + 901}, "APIGW.0303"),
    ],
    ids=["secret", "key", "no-token", "other-token", "late", "early"],
)
def test_a_signature_that_is_not_right_is_refused(changes, code):
    answer = client().get(f"{VPC}/vpc/security-groups", auth=auth(**changes))
    assert code_of(answer) == (401, code)


@pytest.mark.parametrize("skew_s", [-899, 0, 899])
def test_a_clock_within_fifteen_minutes_is_accepted(skew_s):
    answer = client().get(f"{VPC}/vpc/security-groups", auth=auth(now=lambda: NOW + skew_s))
    assert answer.status_code == 200


def signed(method, url, **more):
    request = httpx.Request(method, url, **more)
    return next(auth().auth_flow(request))


@pytest.mark.parametrize("header", ["x-project-id", "x-security-token", "host", "x-sdk-date"])
def test_a_signed_header_that_was_changed_or_lost_is_refused(header):
    for value in (None, "20261122T013001Z" if header == "x-sdk-date" else "changed"):
        request = signed("GET", f"{VPC}/vpc/security-groups")
        if value is None:
            del request.headers[header]
        else:
            request.headers[header] = value
        assert client().send(request, auth=None).status_code == 401


def test_a_body_or_query_that_was_changed_is_refused():
    url = f"http://127.0.0.1/v2.1/{PROJECT}/servers/{world.SERVER}/action"
    request = signed("POST", url, content=b'{"addSecurityGroup":{"name":"x"}}')
    changed = httpx.Request("POST", url, headers=request.headers, content=b"{}" + b" " * 31)
    assert code_of(client().send(changed, auth=None)) == (401, "APIGW.0301")
    request = signed("GET", f"{VPC}/ports?security_groups=a")
    changed = httpx.Request("GET", f"{VPC}/ports", headers=request.headers)
    assert code_of(client().send(changed, auth=None)) == (401, "APIGW.0301")


def test_a_body_digest_that_is_not_the_bodys_is_refused():
    request = httpx.Request("POST", f"{VPC}/x", content=b"{}")
    request.headers["x-sdk-content-sha256"] = "0" * 64
    assert code_of(client().send(next(auth().auth_flow(request)), auth=None)) == (
        401,
        "APIGW.0301",
    )


@pytest.mark.parametrize("left_out", ["host", "x-sdk-date"])
def test_host_and_date_must_be_signed(left_out):
    request = signed("GET", f"{VPC}/vpc/security-groups")
    names = [n for n in ("host", "x-project-id", "x-sdk-date", "x-security-token") if n != left_out]
    signature = sdk_hmac.signature_of(request, names, ENV["HUAWEICLOUD_SDK_SK"])
    request.headers["authorization"] = (
        f"SDK-HMAC-SHA256 Access={ENV['HUAWEICLOUD_SDK_AK']}, "
        f"SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    assert code_of(client().send(request, auth=None)) == (401, "APIGW.0301")


def test_without_a_signature_or_token_the_services_answer_401():
    answer = client().get(f"{VPC}/vpc/security-groups", auth=None)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == 401


def test_a_project_in_the_address_that_is_not_the_callers_is_refused():
    answer = client().get(f"http://127.0.0.1/v3/{world.OTHER_PROJECT}/vpc/security-groups")
    assert code_of(answer) == (400, "VPC.0007")


def test_a_key_of_two_projects_sees_the_one_it_names():
    scenario = WORLD.scenario_copy()
    cloud = scenario["clouds"][0]
    cloud["accounts"][0]["projects"].append(world.OTHER_PROJECT)
    cloud["accounts"][0]["project_names"][world.OTHER_PROJECT] = "eu-de"
    theirs = {"id": "g-2", "name": "other", "project": world.OTHER_PROJECT, "region": "eu-de"}
    cloud["groups"].append(theirs)
    emulator = Emulator.load(scenario, now=lambda: NOW)
    http = httpx.Client(transport=EmulatorTransport(emulator))
    url = "http://127.0.0.1/v2.0/security-groups"
    for project, names in ((world.OTHER_PROJECT, {"other"}), (PROJECT, set())):
        rows = http.get(url, auth=auth(project=project)).json()["security_groups"]
        assert {row["name"] for row in rows} & {"other"} == names


def test_no_refusal_repeats_a_secret():
    answer = client().get(f"{VPC}/vpc/security-groups", auth=auth(secret="wrong"))
    assert not [v for k, v in ENV.items() if k.endswith(("_SK", "_TOKEN")) and v in answer.text]


# -- which cloud is meant ----------------------------------------------------------------------

FACE = all_faces()["huawei"]


@pytest.mark.parametrize(
    ("request_", "claim"),
    [
        (signed("GET", f"{VPC}/ports"), Certainty.SIGNED),
        (
            httpx.Request("GET", "https://vpc.cn-north-4.myhuaweicloud.com/v2.0/ports"),
            Certainty.HOST,
        ),
        (httpx.Request("GET", "https://ecs.eu-de.otc.t-systems.com/x"), Certainty.HOST),
        (httpx.Request("GET", "https://vpc.eu-ch2.sc.otc.t-systems.com/x"), Certainty.HOST),
        (httpx.Request("GET", "http://127.0.0.1/v2.0/ports"), Certainty.SHARED),
        (httpx.Request("GET", "http://127.0.0.1/v3/auth/tokens"), Certainty.SHARED),
        (httpx.Request("GET", "http://127.0.0.1/v2.1/p/servers/s"), Certainty.SHARED),
        (httpx.Request("GET", "http://127.0.0.1/v2/index.php"), Certainty.NONE),
        (httpx.Request("GET", "http://127.0.0.1/"), Certainty.NONE),
        (httpx.Request("GET", "http://myhuaweicloud.com.evil.example/"), Certainty.NONE),
    ],
)
def test_what_is_claimed_is_what_belongs_here(request_, claim):
    cloud = Emulator.load(WORLD.scenario).state.clouds[0]
    assert certainty_of(FACE, request_, cloud) is claim


def test_tokens_of_two_clouds_on_one_port_do_not_mix():
    clouds = [*WORLD.scenario_copy()["clouds"], *openstack.SCENARIO["clouds"]]
    emulator = Emulator.load({"clouds": clouds})
    huawei = WORLD.connect(emulator, env=world.PASSWORD_ENV)
    other = openstack.WORLD.connect(emulator)
    assert huawei.read_groups([world.FREE]).value[world.FREE].name == "sg-not-attached"
    assert other.read_groups([openstack.FREE]).value[openstack.FREE].name == "free"
    assert {r.provider for r in emulator.requests} == {"huawei", "openstack"}


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", f"/v3/{PROJECT}/ports", "GET /v3/{project_id}/ports"),
        (
            "DELETE",
            f"/v3/{PROJECT}/vpc/security-groups/{world.FREE}",
            "DELETE /v3/{project_id}/vpc/security-groups/{id}",
        ),
        ("GET", f"/v2.0/security-groups/{world.FREE}", "GET /v2.0/security-groups/{id}"),
        (
            "GET",
            f"/v2.1/{PROJECT}/servers/{world.SERVER}/os-security-groups",
            "GET /v2.1/{project_id}/servers/{id}/os-security-groups",
        ),
        (
            "GET",
            f"/v1/{PROJECT}/cloudservers/{world.SERVER}",
            "GET /v1/{project_id}/cloudservers/{id}",
        ),
        ("GET", "/v3/projects", "GET /v3/projects"),
        ("POST", "/v3/auth/tokens", "POST /v3/auth/tokens"),
    ],
)
def test_actions_are_named_by_method_and_path(method, path, action):
    assert FACE.action(httpx.Request(method, f"http://h{path}")) == action


# -- what is answered --------------------------------------------------------------------------


def test_v3_pages_name_the_next_marker_except_on_the_last():
    http = client(page_max=4)
    first = http.get(f"{VPC}/vpc/security-groups").json()
    marker = first["page_info"]["next_marker"]
    assert marker == first["security_groups"][-1]["id"]
    second = http.get(f"{VPC}/vpc/security-groups", params={"marker": marker}).json()
    third = http.get(
        f"{VPC}/vpc/security-groups", params={"marker": second["page_info"]["next_marker"]}
    ).json()
    assert [len(page["security_groups"]) for page in (first, second, third)] == [4, 4, 2]
    assert "next_marker" not in third["page_info"]


@pytest.mark.parametrize("params", [{"marker": "gone"}, {"limit": "2001"}, {"limit": "x"}])
def test_a_marker_that_is_gone_or_a_limit_out_of_range_is_refused(params):
    assert code_of(client().get(f"{VPC}/ports", params=params)) == (400, "VPC.0601")


def test_repeated_filters_mean_or():
    rules = client().get(
        f"{VPC}/vpc/security-group-rules",
        params=[("remote_group_id", world.REFERENCED), ("remote_group_id", world.ON_DATABASE)],
    )
    assert len(rules.json()["security_group_rules"]) == 3


def test_a_group_is_shown_with_its_rules():
    group = client().get(f"{VPC}/vpc/security-groups/{world.REFERRER_IN}").json()["security_group"]
    ports = {rule["multiport"] for rule in group["security_group_rules"]}
    assert ports == {"5432", "22,3389,80"}
    missing = client().get(f"{VPC}/vpc/security-groups/{WORLD.missing}")
    assert code_of(missing) == (404, "VPC.9904")


@pytest.mark.parametrize("path", ["vpc/security-groups", "vpc/security-group-rules", "ports"])
def test_a_region_without_v3_answers_as_the_gateway_does(path):
    assert code_of(client(v3_absent=True).get(f"{VPC}/{path}")) == (404, "APIGW.0101")


@pytest.mark.parametrize(
    ("path", "is_there"),
    [
        ("vpc/security-groups", True),
        ("vpc/security-group-rules", True),
        ("ports", False),
        ("vpc/sub-network-interfaces", True),
        ("vpc/quotas", False),
    ],
)
def test_open_telekom_cloud_publishes_a_part_of_v3(path, is_there):
    assert client(otc=True).get(f"{VPC}/{path}").is_success is is_there


def test_v1_tells_how_many_groups_and_rules_there_are():
    http, path = client(), f"http://127.0.0.1/v1/{PROJECT}/quotas"
    rows = http.get(path).json()["quotas"]["resources"]
    assert {r["type"]: (r["used"], r["quota"]) for r in rows} == {
        "securityGroup": (10, -1),
        "securityGroupRule": (7, -1),
    }
    (one,) = http.get(path, params={"type": "securityGroup"}).json()["quotas"]["resources"]
    assert one["type"] == "securityGroup"
    assert code_of(http.get(path, params={"type": "groups"})) == (400, "VPC.1207")
    assert code_of(client(v1_absent=True).get(path)) == (404, "APIGW.0101")


@pytest.mark.parametrize(
    ("params", "granted", "names"),
    [
        ({}, None, {"sg-test"}),
        ({"enterprise_project_id": "all_granted_eps"}, None, {"sg-test", "sg-not-attached"}),
        ({"enterprise_project_id": "all_granted_eps"}, ["0"], {"sg-test"}),
        ({"enterprise_project_id": "eps-1"}, None, {"sg-not-attached"}),
    ],
    ids=["default", "all", "all granted", "one"],
)
def test_groups_of_other_enterprise_projects_are_listed_only_when_asked_for(params, granted, names):
    quirks = {"enterprise_projects": {world.FREE: "eps-1"}}
    quirks |= {"granted_eps": granted} if granted else {}
    asked = params | {"name": ["sg-test", "sg-not-attached"]}
    rows = client(**quirks).get(f"{VPC}/vpc/security-groups", params=asked).json()
    assert {row["name"] for row in rows["security_groups"]} == names


@pytest.mark.parametrize(("shows", "count"), [(False, 0), (True, 1)])
def test_rules_of_a_hidden_group_are_hidden_too_unless_the_quirk_shows_them(shows, count):
    http = client(
        enterprise_projects={world.REFERRER_IN: "eps-1"}, granted_eps=["0"], eps_shows_rules=shows
    )
    params = {"remote_group_id": world.REFERENCED, "direction": "ingress"}
    rows = http.get(f"{VPC}/vpc/security-group-rules", params=params).json()
    assert len(rows["security_group_rules"]) == count


def test_quotas_without_a_ceiling_are_minus_one():
    quota = client().get(f"{VPC}/vpc/quotas").json()["quota"]
    assert (quota["eni_contain_secgroup"], quota["secgroup_referred_by_nic"]) == (5, -1)


@pytest.mark.parametrize(
    ("group_id", "expected"),
    [
        (world.BOUND, (409, "VPC.9902")),
        (world.ON_DATABASE, (409, "VPC.9902")),
        (world.ON_SUPPLEMENTARY, (409, "VPC.9902")),
        (world.REFERENCED, (409, "VPC.9902")),
        (WORLD.missing, (404, "VPC.9904")),
    ],
)
def test_a_delete_is_refused_with_the_documented_code(group_id, expected):
    assert code_of(client().delete(f"{VPC}/vpc/security-groups/{group_id}")) == expected


def test_neutron_errors_come_wrapped_where_the_deployment_wraps_them():
    url = f"http://127.0.0.1/v2.0/security-groups/{world.BOUND}"
    plain = client().delete(url)
    wrapped = client(wrapped=True).delete(url)
    assert (plain.status_code, wrapped.status_code) == (409, 409)
    assert plain.json()["NeutronError"]["type"] == "SecurityGroupInUse"
    assert wrapped.json()["code"] == "VPC.0602"
    assert '"SecurityGroupInUse"' in wrapped.json()["message"]


@pytest.mark.parametrize("version", ["v2", "v2.1"])
def test_both_documented_addresses_list_the_groups_of_a_server(version):
    url = f"http://127.0.0.1/{version}/{PROJECT}/servers/{world.SERVER}/os-security-groups"
    groups = client().get(url).json()["security_groups"]
    assert [(g["id"], g["name"], g["tenant_id"]) for g in groups] == [
        (world.BOUND, "sg-test", PROJECT)
    ]
    assert set(groups[0]) == {"id", "name", "description", "tenant_id", "rules"}


def test_a_server_that_does_not_exist_is_not_found_in_each_apis_words():
    nova = client().get(
        f"http://127.0.0.1/v2.1/{PROJECT}/servers/{WORLD.missing}/os-security-groups"
    )
    ecs = client().get(f"http://127.0.0.1/v1/{PROJECT}/cloudservers/{WORLD.missing}")
    assert (nova.status_code, list(nova.json())) == (404, ["itemNotFound"])
    assert (ecs.status_code, ecs.json()["error"]["code"]) == (404, "Ecs.0114")


@pytest.mark.parametrize(
    ("url", "reads"),
    [
        (f"{VPC}/ports/{world.PORT}", lambda body: body["error_code"] == "VPC.2201"),
        (f"{VPC}/vpc/quotas", lambda body: body["error_code"] == "VPC.2201"),
        (
            f"http://h/v2.0/ports/{world.PORT}",
            lambda body: body["NeutronError"]["type"] == "PolicyNotAuthorized",
        ),
        (
            f"http://h/v2.1/{PROJECT}/servers/{world.SERVER}/os-security-groups",
            lambda body: "forbidden" in body,
        ),
        (
            f"http://h/v1/{PROJECT}/cloudservers/{world.SERVER}",
            lambda body: body["error"]["code"].startswith("Ecs."),
        ),
    ],
)
def test_a_missing_permission_is_told_in_each_apis_own_shape(url, reads):
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0]["accounts"][0]["denied"] = ["GET *"]
    emulator = Emulator.load(scenario, now=lambda: NOW)
    answer = httpx.Client(transport=EmulatorTransport(emulator), auth=auth()).get(url)
    assert answer.status_code == 403
    assert reads(answer.json())


@pytest.mark.parametrize(
    ("code", "status"), [("", 500), ("VPC.9902", 409), ("APIGW.0101", 404), ("VPC.2201", 403)]
)
def test_a_fault_takes_the_status_its_code_has(code, status):
    request = httpx.Request("GET", f"{VPC}/ports")
    assert FACE.fault("error", request, code).status_code == status


def test_a_throttle_tells_its_window_in_the_sentence():
    answer = FACE.fault("throttle", httpx.Request("GET", f"{VPC}/ports"), "")
    assert code_of(answer) == (429, "APIGW.0308")
    assert "limit:200,time:1 second" in answer.json()["error_msg"]


def test_servers_are_listed_by_number_of_page():
    url = f"http://127.0.0.1/v1/{PROJECT}/cloudservers/detail"
    page = client().get(url, params={"limit": "1", "offset": "2"}).json()
    assert (page["count"], [s["id"] for s in page["servers"]]) == (2, [world.OTHER_SERVER])


def test_projects_are_listed_by_the_name_of_their_region():
    url = "http://127.0.0.1/v3/projects"
    found = client().get(url, params={"name": WORLD.region}).json()["projects"]
    assert [project["id"] for project in found] == [PROJECT]
    assert client().get(url, params={"name": "eu-nl"}).json()["projects"] == []
