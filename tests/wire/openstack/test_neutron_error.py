"""Every error body of OpenStack and its copies becomes one class with one code."""

from __future__ import annotations

import json

import httpx
import pytest

from sgguard.errors import (
    CloudError,
    ConflictError,
    ForbiddenError,
    InUseError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
    UnknownShapeError,
)
from sgguard.wire.openstack.neutron.error import Refusal, error_of, is_refusal, read_refusal


def neutron(kind, message="text"):
    return {"NeutronError": {"type": kind, "message": message, "detail": ""}}


CASES = {
    "group in use": (409, neutron("SecurityGroupInUse"), InUseError, "SecurityGroupInUse"),
    "in use, wrapped in a text": (
        409,
        {"code": "VPC.0602", "message": json.dumps(neutron("SecurityGroupInUse"))},
        InUseError,
        "SecurityGroupInUse",
    ),
    "default group": (
        409,
        neutron("SecurityGroupCannotRemoveDefault"),
        CloudError,
        "SecurityGroupCannotRemoveDefault",
    ),
    "same rule again": (
        409,
        neutron("SecurityGroupRuleExists"),
        ConflictError,
        "SecurityGroupRuleExists",
    ),
    "quota": (409, neutron("OverQuota"), LimitError, "OverQuota"),
    "revision": (
        412,
        neutron("RevisionNumberConstraintFailed"),
        ConflictError,
        "RevisionNumberConstraintFailed",
    ),
    "policy": (403, neutron("PolicyNotAuthorized"), ForbiddenError, "PolicyNotAuthorized"),
    "group not found": (404, neutron("SecurityGroupNotFound"), NotFoundError, None),
    "address not found": (404, neutron("HTTPNotFound"), UnknownShapeError, "HTTPNotFound"),
    "proxy's own 404": (404, "<html>", UnknownShapeError, ""),
    "unpublished API": (
        404,
        {"error_code": "APIGW.0101", "error_msg": "does not exist", "request_id": "r"},
        UnknownShapeError,
        "APIGW.0101",
    ),
    "unknown filter": (400, neutron("HTTPBadRequest"), InvalidRequestError, "HTTPBadRequest"),
    "text in place of the error": (500, {"NeutronError": "oh"}, UnavailableError, "NeutronError"),
    "server not found": (
        404,
        {"itemNotFound": {"code": 404, "message": "Instance x could not be found."}},
        NotFoundError,
        "itemNotFound",
    ),
    "name not unique": (
        409,
        {"conflictingRequest": {"code": 409, "message": "Multiple"}},
        CloudError,
        "conflictingRequest",
    ),
    "wrong project in the address": (
        400,
        {"badRequest": {"code": 400, "message": "Malformed request URL"}},
        InvalidRequestError,
        "badRequest",
    ),
    "nova forbids": (
        403,
        {"forbidden": {"code": 403, "message": "Policy"}},
        ForbiddenError,
        "forbidden",
    ),
    "keystone": (
        401,
        {"error": {"code": 401, "message": "m", "title": "Unauthorized"}},
        UnauthenticatedError,
        "Unauthorized",
    ),
    "error with a text as code": (
        400,
        {"error": {"code": "Ecs.0114", "message": "m"}},
        InvalidRequestError,
        "Ecs.0114",
    ),
    "throttled": (
        429,
        {"error_code": "APIGW.0308", "error_msg": "m", "request_id": "r"},
        ThrottledError,
        "APIGW.0308",
    ),
    "such a default exists": (
        409,
        neutron("SecurityGroupDefaultAlreadyExists", "Default security group already exists."),
        ConflictError,
        "SecurityGroupDefaultAlreadyExists",
    ),
    "over the quota of rules": (
        409,
        neutron("OverQuota", "Quota exceeded for resources: ['security_group_rule']."),
        LimitError,
        "OverQuota",
    ),
    "address group gone": (
        404,
        neutron("AddressGroupNotFound", "Address group a could not be found."),
        NotFoundError,
        "AddressGroupNotFound",
    ),
    "bad gateway page": (502, "<html>", UnavailableError, ""),
    "unavailable": (503, "", UnavailableError, ""),
    "redirect": (302, "", UnknownShapeError, ""),
    "teapot": (418, [], UnknownShapeError, ""),
    "two keys": (400, {"a": {"message": "x"}, "b": 1}, UnknownShapeError, ""),
}


def response(status, body, **headers):
    content = body if isinstance(body, str) else json.dumps(body)
    return httpx.Response(status, content=content.encode(), headers=headers)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_error_body_becomes_the_error_it_stands_for(case):
    status, body, kind, code = CASES[case]
    error = error_of("openstack", "a call", response(status, body))
    assert type(error) is kind
    assert code is None or error.code == code
    assert error.status == status


def test_the_inner_error_counts_and_the_wrapper_is_kept():
    body = {"code": "VPC.0602", "message": json.dumps(neutron("SecurityGroupInUse", "in use."))}
    assert read_refusal(response(500, body)) == Refusal("SecurityGroupInUse", "in use.", "VPC.0602")


@pytest.mark.parametrize("message", ["{not json", "{}", '{"NeutronError": {}}', "plain"])
def test_a_wrapper_without_an_inner_error_speaks_for_itself(message):
    body = {"code": "VPC.0602", "message": message}
    assert read_refusal(response(500, body)) == Refusal("VPC.0602", message)


def test_request_id_and_wait_are_kept():
    headers = {"x-openstack-request-id": "req-1", "retry-after": "7"}
    error = error_of("openstack", "a call", response(429, "", **headers))
    assert (error.request_id, error.retry_after_s) == ("req-1", 7.0)


@pytest.mark.parametrize("value", ["soon", "Wed, 21 Oct 2026 07:28:00 GMT", "-1", "nan", "inf"])
def test_a_wait_that_is_no_number_of_seconds_is_left_out(value):
    error = error_of("openstack", "a call", response(429, "", **{"retry-after": value}))
    assert error.retry_after_s is None


def test_a_body_of_unknown_shape_is_not_quoted():
    error = error_of("openstack", "a call", response(500, "password=hunter2"))
    assert "hunter2" not in str(error)


BESIDE = {
    "Neutron's": neutron("Odd"),
    "VPC v3's": {"error_code": "VPC.0002", "error_msg": "text"},
    "another spelling": {"errorCode": "VPC.0002", "errorMsg": "text"},
    "VPC v1's": {"code": "VPC.0002", "message": "text"},
    "Keystone's": {"error": {"code": 401, "title": "Unauthorized", "message": "text"}},
}


@pytest.mark.parametrize("error", BESIDE.values(), ids=BESIDE)
def test_an_error_beside_an_empty_list_is_an_error_whatever_the_status_says(error):
    assert is_refusal(httpx.Response(200, json={"security_group_rules": [], **error}))


@pytest.mark.parametrize(
    "body",
    [
        {"ports": []},
        {"security_group_rules": [{"description": '"NeutronError" "error" "message"'}]},
        {"server": {"fault": {"code": 500, "message": "no host"}}},
        {"security_groups": [{"name": "error_code", "error_code": "of a group"}]},
        [],
        "error",
    ],
    ids=repr,
)
def test_a_good_answer_that_speaks_of_errors_is_a_good_answer(body):
    assert not is_refusal(httpx.Response(200, json=body))


def test_text_with_a_good_status_is_left_to_who_reads_it():
    assert not is_refusal(httpx.Response(200, text='<html>"error"</html>'))
