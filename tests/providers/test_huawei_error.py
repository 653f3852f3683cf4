import json

import httpx
import pytest

from sgguard import errors
from sgguard.providers.huawei.error import checker, error_of
from tests.reference import FIXTURES

NEUTRON_IN_USE = json.dumps(
    {"NeutronError": {"message": "Security Group 46 in use.", "type": "SecurityGroupInUse"}}
)

REFUSALS = [
    ("v3-not-found", 404, {"error_code": "VPC.9904", "error_msg": "m"}, errors.NotFoundError),
    ("v3-bad-rule", 400, {"error_code": "VPC.9902", "error_msg": "m"}, errors.InvalidRequestError),
    ("v3-quota", 409, {"error_code": "VPC.9905", "error_msg": "m"}, errors.LimitError),
    ("api-absent", 404, {"error_code": "APIGW.0101", "error_msg": "m"}, errors.ApiAbsentError),
    ("api-absent-2", 404, {"error_code": "APIG.0101", "error_msg": "m"}, errors.ApiAbsentError),
    ("signature", 401, {"error_code": "APIGW.0301", "error_msg": "m"}, errors.UnauthenticatedError),
    ("skew", 401, {"error_code": "APIGW.0303", "error_msg": "m"}, errors.UnauthenticatedError),
    ("v1-not-found", 404, {"code": "VPC.0603", "message": "m"}, errors.NotFoundError),
    ("v1-quota", 409, {"code": "VPC.0604", "message": "m"}, errors.LimitError),
    ("v1-policy", 403, {"code": "VPC.2201", "message": "m"}, errors.ForbiddenError),
    ("v1-internal", 500, {"code": "VPC.0602", "message": "m"}, errors.UnavailableError),
    ("wrapped-409", 409, {"code": "VPC.0602", "message": NEUTRON_IN_USE}, errors.InUseError),
    ("wrapped-500", 500, {"code": "VPC.0602", "message": NEUTRON_IN_USE}, errors.InUseError),
    ("wrapped-broken", 500, {"code": "VPC.0602", "message": "{oh"}, errors.UnavailableError),
    (
        "neutron-raw",
        403,
        {"NeutronError": {"type": "PolicyNotAuthorized", "message": "m", "detail": ""}},
        errors.ForbiddenError,
    ),
    (
        "neutron-default",
        409,
        {"NeutronError": {"type": "SecurityGroupCannotRemoveDefault", "message": "m"}},
        errors.CloudError,
    ),
    ("nova", 404, {"itemNotFound": {"code": 404, "message": "m"}}, errors.NotFoundError),
    ("nova-400", 400, {"badRequest": {"code": 400, "message": "m"}}, errors.InvalidRequestError),
    ("ecs-odd", 400, {"error": {"code": "Ecs.9999", "message": "m"}}, errors.CloudError),
    ("nova-500", 500, {"computeFault": {"code": 500, "message": "m"}}, errors.UnavailableError),
    ("ecs", 404, {"error": {"code": "Ecs.0114", "message": "m"}}, errors.NotFoundError),
    ("ecs-400", 400, {"error": {"code": "Ecs.0014", "message": "m"}}, errors.InvalidRequestError),
    (
        "keystone",
        401,
        {"error": {"code": 401, "title": "Unauthorized", "message": "m"}},
        errors.UnauthenticatedError,
    ),
    ("sdk-style", 400, {"errorCode": "X.1", "errorMsg": "m"}, errors.InvalidRequestError),
    ("throttled", 429, {"error_code": "APIG.0308", "error_msg": "m"}, errors.ThrottledError),
    ("bare-404", 404, {}, errors.UnknownShapeError),
    ("unknown-404", 404, {"error_code": "X.1", "error_msg": "m"}, errors.UnknownShapeError),
    ("bare-502", 502, [], errors.UnavailableError),
    ("bare-403", 403, None, errors.ForbiddenError),
    ("redirect", 302, {}, errors.UnknownShapeError),
    (
        "partial-failure",
        200,
        {"fail": [{"id": "p", "error_code": "VPC.0607", "error_msg": "must keep one"}]},
        errors.LimitError,
    ),
    (
        "partial-limit",
        200,
        {"fail": [{"id": "p", "error_code": "VPC.0609", "error_msg": "more than 20"}]},
        errors.LimitError,
    ),
]


@pytest.mark.parametrize(
    ("status", "body", "kind"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_every_documented_refusal_is_the_error_it_means(status, body, kind):
    error = error_of(httpx.Response(status, json=body), "huawei", "GET /x")
    assert type(error) is kind
    assert error.status == status


IN_THE_WAY = [
    ("DELETE /v3/{project_id}/vpc/security-groups/{id}", 409, errors.InUseError),
    ("POST /v3/{project_id}/vpc/security-group-rules", 409, errors.ConflictError),
    ("PUT /v3/{project_id}/ports/{id}/insert-security-groups", 409, errors.ConflictError),
    ("POST /v3/{project_id}/vpc/security-group-rules", 400, errors.InvalidRequestError),
    ("DELETE /v3/{project_id}/vpc/security-groups/{id}", 400, errors.InvalidRequestError),
]


@pytest.mark.parametrize(
    ("action", "status", "kind"), IN_THE_WAY, ids=["group", "rule", "port", "bad-rule", "bad-group"]
)
def test_what_the_code_of_many_meanings_means_depends_on_the_action_and_the_status(
    action, status, kind
):
    body = {"error_code": "VPC.9902", "error_msg": "Security group xxx is in use."}
    assert type(error_of(httpx.Response(status, json=body), "huawei", action)) is kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SecurityGroupRuleExists", errors.ConflictError),
        ("SecurityGroupDefaultAlreadyExists", errors.ConflictError),
        ("OverQuota", errors.LimitError),
        ("SecurityGroupRuleNotFound", errors.NotFoundError),
        ("AddressGroupNotFound", errors.NotFoundError),
    ],
)
@pytest.mark.parametrize("is_wrapped", [False, True])
def test_a_refused_change_of_v2_is_the_error_it_means(name, kind, is_wrapped):
    body = {"NeutronError": {"type": name, "message": "m", "detail": ""}}
    if is_wrapped:
        body = {"code": "VPC.0602", "message": json.dumps(body)}
    error = error_of(httpx.Response(409, json=body), "huawei", "POST /v2.0/security-group-rules")
    assert type(error) is kind


def test_html_with_an_error_status_is_not_read_as_a_missing_group():
    error = error_of(httpx.Response(404, text="<html>no</html>"), "huawei", "GET /x")
    assert type(error) is errors.UnknownShapeError
    assert "html" not in str(error)


@pytest.mark.parametrize("body", [{"ports": []}, {"fail": []}, {"fail": None}, [], "fail", {}])
def test_a_success_without_failures_raises_nothing(body):
    checker("huawei", "GET /x")(httpx.Response(200, json=body))


@pytest.mark.parametrize(
    "error",
    [
        {"error_code": "VPC.0002", "error_msg": "text"},
        {"code": "VPC.0002", "message": "text"},
        {"NeutronError": {"type": "Odd", "message": "text", "detail": ""}},
    ],
    ids=["v3", "v1", "Neutron"],
)
def test_an_error_beside_an_empty_list_is_an_error_whatever_the_status_says(error):
    body = {"ports": [], "page_info": {"current_count": 0}, **error}
    with pytest.raises(errors.CloudError) as caught:
        checker("huawei", "GET /x")(httpx.Response(200, json=body))
    assert caught.value.code in ("VPC.0002", "Odd")


def test_text_that_is_not_json_is_the_parsers_business():
    checker("huawei", "GET /x")(httpx.Response(200, text='<html>"fail"</html>'))


def test_an_inner_error_is_named_before_the_wrapper():
    body = {"code": "VPC.0602", "message": NEUTRON_IN_USE}
    error = error_of(httpx.Response(409, json=body), "huawei", "DELETE /x")
    assert error.code == "SecurityGroupInUse"
    assert error.detail == "VPC.0602: Security Group 46 in use."


@pytest.mark.parametrize(
    ("sentence", "wait_s"),
    [
        ("policy user over ratelimit,limit:100,time:1 minute", 60.0),
        ("policy api over ratelimit,limit:200,time:1 second", 1.0),
        ("policy ip over ratelimit,limit:1, time:2 hours", 7200.0),
        ("policy domain over ratelimit,limit:200,time:5 minute", 300.0),
        ("policy user over ratelimit,limit:10, time:1 day", 86_400.0),
        ("policy user over ratelimit", None),
    ],
)
def test_the_gateways_window_is_the_time_to_wait(sentence, wait_s):
    body = {"error_code": "APIGW.0308", "error_msg": sentence, "request_id": "r-1"}
    error = error_of(httpx.Response(429, json=body), "huawei", "GET /x")
    assert (error.retry_after_s, error.request_id) == (wait_s, "r-1")


def test_a_header_that_says_how_long_to_wait_comes_first():
    body = {"error_code": "APIGW.0308", "error_msg": "limit:1,time:1 minute"}
    answer = httpx.Response(429, json=body, headers={"retry-after": "7", "x-request-id": "h"})
    error = error_of(answer, "huawei", "GET /x")
    assert (error.retry_after_s, error.request_id) == (7.0, "h")


def test_a_number_in_another_errors_sentence_is_no_time_to_wait():
    body = {"error_code": "VPC.0601", "error_msg": "limit:1,time:1 minute"}
    assert error_of(httpx.Response(400, json=body), "huawei", "GET /x").retry_after_s is None


def test_the_documented_error_bodies_are_understood():
    path = FIXTURES / "errors_from_docs.json"
    if not path.exists():
        pytest.skip(f"the documented errors are not at {path}")
    cases = json.loads(path.read_text())["huawei"]
    assert len(cases) == 1
    for case in cases:
        error = error_of(httpx.Response(case["http"], json=case["body"]), "huawei", "GET /x")
        assert type(error) is errors.ThrottledError
        assert (error.code, error.retry_after_s) == ("APIGW.0308", 300.0)
