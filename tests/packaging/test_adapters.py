"""What comes with an event: credentials, the time that is left, and a gateway's request."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sgguard.chat.base import PARTS, variable_of
from sgguard.errors import EventError
from sgguard.runtimes import app, credentials, event, http
from sgguard.runtimes.base import HttpEvent, http_of
from sgguard.runtimes.credentials import Given
from sgguard.runtimes.names import named, variables
from sgguard.runtimes.platforms import (
    alibaba_fc,
    container,
    huawei_functiongraph,
    tencent_scf,
)
from sgguard.web import endpoint

FIXTURES = Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "events"
ROLE = Given("id-of-role", "secret-of-role", "token-of-role")
OWN = "a-policy-of-our-own"


# -- credentials -------------------------------------------------------------------------------


@pytest.mark.parametrize("cloud", ["tencent", "alibaba", "huawei"])
def test_the_credentials_of_an_invocation_replace_those_of_the_start(cloud):
    names = credentials.NAMES[cloud].of_runtime
    start = dict.fromkeys(names, "of the start") if cloud != "huawei" else {}
    found = credentials.environment({**start, "PATH": "/bin"}, cloud, ROLE)
    assert found == {
        "PATH": "/bin",
        **dict(zip(names, (ROLE.key_id, ROLE.secret, ROLE.token), strict=True)),
    }


def test_a_token_of_the_start_is_not_used_with_a_key_of_the_invocation():
    start = dict.fromkeys(credentials.NAMES["alibaba"].of_runtime, "of the start")
    found = credentials.environment(start, "alibaba", Given("id", "secret"))
    assert "ALIBABA_CLOUD_SECURITY_TOKEN" not in found


@pytest.mark.parametrize(
    "given", [None, Given(), Given("id"), Given("", "secret"), Given(token="t")]
)
def test_half_of_a_role_is_none_and_changes_nothing(given):
    start = dict.fromkeys(credentials.NAMES["alibaba"].of_runtime, "of the start")
    assert credentials.environment(start, "alibaba", given) == start


@pytest.mark.parametrize(
    ("cloud", "by_hand"),
    [
        ("tencent", {"TENCENTCLOUD_SECRET_ID": "own", "TENCENTCLOUD_SECRET_KEY": "own"}),
        ("huawei", {"HUAWEICLOUD_SDK_AK": "own", "HUAWEICLOUD_SDK_SK": "own"}),
        ("huawei", {"OS_USERNAME": "own", "OS_PASSWORD": "own"}),
    ],
)
def test_credentials_that_an_operator_set_win_and_are_not_mixed_with_the_roles(cloud, by_hand):
    role = {"TENCENTCLOUD_SESSIONTOKEN": "t", "TENCENTCLOUD_SECRETID": "i"}
    start = by_hand | (role if cloud == "tencent" else {})
    assert credentials.environment(start, cloud, ROLE) == by_hand


def test_a_secret_is_in_no_repr():
    assert "secret-of-role" not in repr(ROLE)
    assert "token-of-role" not in repr(ROLE)
    assert "planted" not in repr(HttpEvent("POST", "/", headers={"a": "planted"}, body=b"planted"))


# -- contexts ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "context",
    [
        None,
        {},
        {"environment": None},
        {"environment": "no json"},
        {"environment": "[1]"},
        {"environment": "{}"},
        SimpleNamespace(),
        SimpleNamespace(environment="{}"),
    ],
)
@pytest.mark.parametrize("platform", [tencent_scf, alibaba_fc, huawei_functiongraph, container])
def test_a_context_without_a_role_gives_no_credentials_and_no_limit(platform, context):
    given = platform.given(context)
    assert given is None or not given.is_whole
    assert platform.remaining_s(context) is None
    assert platform.setting(context, "SGGUARD_POLICY") == ""


def test_each_context_gives_its_role_and_its_time():
    environment = {
        "TENCENTCLOUD_SECRETID": ROLE.key_id,
        "TENCENTCLOUD_SECRETKEY": ROLE.secret,
        "TENCENTCLOUD_SESSIONTOKEN": ROLE.token,
    }
    scf = {"environment": json.dumps(environment), "time_limit_in_ms": 3000}
    held = SimpleNamespace(
        access_key_id=ROLE.key_id, access_key_secret=ROLE.secret, security_token=ROLE.token
    )
    fc = SimpleNamespace(credentials=held, function=SimpleNamespace(timeout=3))
    graph = SimpleNamespace(
        getSecurityAccessKey=lambda: ROLE.key_id,
        getSecuritySecretKey=lambda: ROLE.secret,
        getSecurityToken=lambda: ROLE.token,
        getRemainingTimeInMilliSeconds=lambda: 3000,
        getUserData={"SGGUARD_MODE": "observe"}.get,
    )
    pairs = [(tencent_scf, scf), (alibaba_fc, fc), (huawei_functiongraph, graph)]
    assert [one.given(context) for one, context in pairs] == [ROLE] * 3
    assert [one.remaining_s(context) for one, context in pairs] == [3.0] * 3
    assert huawei_functiongraph.setting(graph, "SGGUARD_MODE") == "observe"
    assert huawei_functiongraph.setting(graph, "SGGUARD_PACE") == ""


def test_every_setting_can_be_read_from_a_context_by_its_name():
    names = variables()
    assert {"SGGUARD_POLICY", "SGGUARD_ENDPOINT_HUAWEI", "SGGUARD_ENDPOINT_HUAWEI_VPC"} <= {*names}
    assert not [name for name in names if "<" in name]
    assert len(names) == len(set(names))


POLICY = """
[[channel]]
name = "on-call"
kind = "slack"
[[caller]]
proof = { hmac = [{ env = "PORTAL_KEY" }, { file = "/run/key" }] }
[callbacks]
keys = [{ env = "SIGNED_WITH" }]
"""


def test_variables_that_a_policy_or_an_account_names_are_read_from_a_context_too(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    accounts = {"accounts": [{"name": "shop", "external_id": {"env": "SHOP_WORD"}}]}
    found = named({"SGGUARD_POLICY": str(path), "SGGUARD_ACCOUNTS": json.dumps(accounts)})
    assert {"PORTAL_KEY", "SIGNED_WITH", "SHOP_WORD", "SGGUARD_CHAT_ON_CALL_TOKEN"} <= {*found}
    assert {variable_of("on-call", part) for part in PARTS} <= {*found}
    assert "/run/key" not in found


@pytest.mark.parametrize("text", ["no toml [", "a = 1", "{", "[]", ""])
def test_a_policy_or_a_table_that_cannot_be_read_names_no_variables(tmp_path, text):
    path = tmp_path / "policy.toml"
    path.write_text(text)
    given = {"SGGUARD_POLICY": str(path), "SGGUARD_ACCOUNTS": text}
    assert named(given) == named({"SGGUARD_POLICY": str(tmp_path / "none.json")}) == ()


# -- a gateway's request -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "method", "path", "body"),
    [
        ("huawei/fg_apig_base64_event_trigger.json", "GET", "/", b'{"name": "OpenTelekomCloud"}'),
        ("alibaba/fc_event_template_http.json", "POST", "/2023-03-30/functions/", b"haha"),
    ],
)
def test_a_documented_request_of_a_gateway_is_one(file, method, path, body):
    if not (FIXTURES / file).exists():
        pytest.skip(f"there is no {FIXTURES / file}")
    found = http_of(json.loads((FIXTURES / file).read_text()))
    assert (found.method, found.body) == (method, body)
    assert found.path.startswith(path)


@pytest.mark.parametrize(
    "file",
    [
        "huawei/fg_cts_trigger_refused_delete_wrapped.json",
        "huawei/fg_smn_event_trigger.json",
        "huawei/fg_timer_event_trigger.json",
        "tencent/eventbridge_cloudaudit_composed.json",
        "composed/tencent_deletesecuritygroup_refused.json",
        "alibaba/eventbridge_actiontrail_runinstances_console_composed.json",
    ],
)
def test_a_documented_event_of_a_bus_is_no_request(file):
    if not (FIXTURES / file).exists():
        pytest.skip(f"there is no {FIXTURES / file}")
    assert http_of(json.loads((FIXTURES / file).read_text())) is None


@pytest.mark.parametrize(
    "one",
    [{"httpMethod": None, "path": 1}, {"requestContext": 1}, {"httpMethod": "", "headers": 0}],
)
def test_whatever_looks_like_a_gateways_request_is_one(one):
    found = http_of(one)
    assert found is not None
    assert (found.headers, found.body, found.path) == ({}, b"", "/")


@pytest.mark.parametrize(
    "one",
    [None, 1, "x", [], ["httpMethod"], {"target": "x"}, {"httpMethod": "POST", "eventName": "X"}],
)
def test_whatever_does_not_is_none(one):
    assert http_of(one) is None


def test_a_body_that_is_not_its_base64_is_an_error_that_repeats_nothing():
    with pytest.raises(EventError) as refused:
        http_of({"httpMethod": "POST", "body": "!planted!", "isBase64Encoded": True})
    assert "planted" not in str(refused.value)


def test_a_header_cannot_stand_for_another_one_or_for_what_the_runtime_sets():
    given = {
        "x_fc_access_key_id": "planted",
        "X-Fc-Access-Key-Secret": "planted",
        "Content-Length": "9999",
        "sgguard.env": "planted",
        "X-Team": "web",
    }
    environ = event._wrapped(HttpEvent("POST", "/", headers=given, body=b"{}"), alibaba_fc, {})
    assert environ[endpoint.ENV] == {}
    assert environ["CONTENT_LENGTH"] == "2"
    assert environ["HTTP_X_TEAM"] == "web"
    assert "planted" not in [value for name, value in environ.items() if name != "HTTP_SGGUARD.ENV"]


# -- servers -----------------------------------------------------------------------------------


def seen(platform, monkeypatch, **headers: str) -> dict:
    """The WSGI environ as the application behind a platform's server has it."""
    for name in credentials.NAMES["tencent"].of_runtime:
        monkeypatch.delenv(name, raising=False)
    found = {}

    def application(environ, start_response):
        found.update(environ)
        start_response("200 OK", [])
        return [b""]

    environ = {f"HTTP_{name.upper().replace('-', '_')}": v for name, v in headers.items()}
    app.ask(http.Server(application, platform), environ)
    return found


@pytest.mark.parametrize("platform", [tencent_scf, alibaba_fc, huawei_functiongraph, container])
def test_no_application_sees_a_header_with_credentials(platform, monkeypatch):
    given = dict.fromkeys(http.SECRET_HEADERS, "planted-secret")
    environ = seen(platform, monkeypatch, **given)
    env = environ.pop(endpoint.ENV)
    assert "planted-secret" not in environ.values()
    own = set(credentials.NAMES[platform.CLOUD].of_runtime) if platform.CLOUD else set()
    assert {name for name, value in env.items() if value == "planted-secret"} == own


@pytest.mark.parametrize(
    ("platform", "header", "value", "usable"),
    [
        (tencent_scf, "X-Scf-Timeout", "3000", "2.0"),
        (alibaba_fc, "x-fc-function-timeout", "3", "2.0"),
        (alibaba_fc, "x-fc-function-timeout", "600", "10.0"),
        (alibaba_fc, "x-fc-function-timeout", "0", None),
        (alibaba_fc, "x-fc-function-timeout", "-3", None),
        (alibaba_fc, "x-fc-function-timeout", "9" * 5000, None),
        (alibaba_fc, "x-fc-function-timeout", "\u0663", None),
        (alibaba_fc, "X-Scf-Timeout", "3000", None),
        (container, "x-fc-function-timeout", "3", None),
    ],
)
def test_the_deadline_of_a_request_ends_before_its_platform_ends_it(
    monkeypatch, platform, header, value, usable
):
    monkeypatch.delenv("SGGUARD_DEADLINE_S", raising=False)
    env = seen(platform, monkeypatch, **{header: value})[endpoint.ENV]
    assert env.get("SGGUARD_DEADLINE_S") == usable


def test_every_header_that_a_platform_reads_is_taken_out_of_requests():
    for platform in (tencent_scf, alibaba_fc, huawei_functiongraph, container):
        assert set(platform.CREDENTIALS) <= set(http.SECRET_HEADERS)


@pytest.mark.parametrize(
    ("left_s", "own", "usable"),
    [(3.0, "", 2.0), (1.0, "", 0.5), (900.0, "", 10.0), (900.0, "60", 60.0), (20.0, "5", 5.0)],
)
def test_the_deadline_of_an_event_ends_before_its_platform_ends_it(
    monkeypatch, left_s, own, usable
):
    monkeypatch.setenv("SGGUARD_DEADLINE_S", own)
    platform = SimpleNamespace(
        CLOUD="",
        CREDENTIALS={},
        IS_SET_UP_BY_CONTEXT=True,
        given=lambda _: None,
        remaining_s=lambda _: left_s,
        setting=lambda *_: "",
    )
    env = event.Handler("delete_request", platform)._environment(None)
    assert float(env["SGGUARD_DEADLINE_S"]) == usable


# -- hostile events ----------------------------------------------------------------------------


@pytest.fixture
def handler(monkeypatch, tmp_path):
    """The handler of ``delete_request`` in this process, as its platform calls it."""
    policy = tmp_path / "policy.toml"
    policy.write_text(
        '[[caller]]\nname = "fc"\nproof = { platform = "function-compute" }\n'
        'functions = ["delete_request"]\ntargets = ["*:*:*:*"]\n'
    )
    monkeypatch.setenv("SGGUARD_POLICY", str(policy))
    monkeypatch.setenv("HOST", "127.0.0.1")
    monkeypatch.setenv("FUNCTION_TARGET", "")
    monkeypatch.setattr(sys, "path", list(sys.path))
    return event.Handler("delete_request", alibaba_fc)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"[1]",
        b'{"target": 1e999}',
        b'{"target": NaN}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"target": "x", "target": "y"}',
        b'{"specversion": "9", "data": {}}',
        b'[{"specversion": "1.0"}]',
        b'{"requestContext": {"http": []}, "headers": [], "body": 1, "isBase64Encoded": 1}',
        b'{"httpMethod": "POST", "body": "planted", "isBase64Encoded": true}',
        b'{"httpMethod": "\\u0000", "path": "planted", "headers": {"\\u0000": "planted"}}',
    ],
    ids=range(15),
)
@pytest.mark.sampled(6)
def test_a_hostile_event_is_answered_once_without_a_verdict_and_not_repeated(handler, content):
    answer = json.dumps(handler(content, SimpleNamespace()))
    assert "verdict" not in answer
    assert "planted" not in answer
