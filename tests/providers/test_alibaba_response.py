"""Error responses of the ECS API: JSON or XML, with or without a matching status."""

from __future__ import annotations

import json

import httpx
import pytest

from sgguard.errors import (
    CloudError,
    ConflictError,
    ForbiddenError,
    GarbledError,
    InUseError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
    UnknownShapeError,
    UnreachableError,
)
from sgguard.providers.alibaba.api import parse_response
from tests.reference import FIXTURES

ERRORS = FIXTURES / "errors_from_docs.json"


CODES = {
    "Throttling": (400, ThrottledError),
    "Throttling.User": (400, ThrottledError),
    "Throttling.Api": (400, ThrottledError),
    "Rejected.Throttling": (400, ThrottledError),
    "ServiceUnavailable": (503, UnavailableError),
    "InternalError": (500, UnavailableError),
    "OperationConflict": (409, UnavailableError),
    "RequestTimeout": (504, UnavailableError),
    "SignatureNonceUsed": (400, UnreachableError),
    "IllegalTimestamp": (400, UnauthenticatedError),
    "InvalidTimeStamp.Expired": (400, UnauthenticatedError),
    "InvalidAccessKeyId.NotFound": (404, UnauthenticatedError),
    "InvalidAccessKeyId.Inactive": (400, UnauthenticatedError),
    "SignatureDoesNotMatch": (400, UnauthenticatedError),
    "InvalidSecurityToken.Expired": (400, UnauthenticatedError),
    "Forbidden.RAM": (403, ForbiddenError),
    "NoPermission": (403, ForbiddenError),
    "InvalidSecurityGroupId.NotFound": (404, NotFoundError),
    "InvalidRegionId.NotFound": (404, InvalidRequestError),
    "DependencyViolation": (403, InUseError),
    "DependencyViolation.SecurityGroup": (403, InUseError),
    "InvalidOperation.DeletionProtection": (400, InUseError),
    "InvalidOperation.ResourceManagedByCloudProduct": (403, InUseError),
    "InstanceSecurityGroupLimitExceeded": (403, LimitError),
    "SecurityGroupInstanceLimitExceed": (403, LimitError),
    "JoinedGroupLimitExceed": (400, LimitError),
    "InvalidSecurityGroupId.Malformed": (400, InvalidRequestError),
    "IncorrectInstanceStatus": (403, ConflictError),
    "IncorrectVpcStatus": (400, ConflictError),
    "InvalidOperation.InvalidEcsState": (400, ConflictError),
    "InvalidOperation.InvalidEniState": (400, ConflictError),
    "InvalidStatus.EniOrInstanceIsBeingCreated": (400, ConflictError),
    "Forbidden.InstanceIsBeingCreated": (403, ConflictError),
    "InstanceNotInSecurityGroup": (403, ConflictError),
    "InvalidSecurityGroupAssociation.NotFound": (400, ConflictError),
    "InvalidInstanceId.AlreadyExists": (403, ConflictError),
    "InstanceLastSecurityGroup": (403, ConflictError),
    "InvalidOperation.AtLeastInOneGroup": (403, ConflictError),
    "IdempotentParameterMismatch": (400, ConflictError),
    "IdempotentProcessing": (403, UnavailableError),
    "InvalidOperation.SecurityGroupNotAuthorized": (401, ForbiddenError),
    "AuthorizationLimitExceed": (403, LimitError),
    "AuthorizedGroupRule.LimitExceed": (400, LimitError),
    "AclLimitExceed": (403, LimitError),
    "QuotaExceed.SecurityGroup": (403, LimitError),
    "InvalidOperation.NetworkInterfaceCountExceeded": (403, LimitError),
    "InvalidGroupParameter.OperationDenied": (400, LimitError),
    "InvalidGroupAuthParameter.OperationDenied": (400, LimitError),
    "InvalidSourceGroupId.NotFound": (404, NotFoundError),
    "InvalidGroupAuthItem.NotFound": (403, NotFoundError),
    "InvalidEniId.NotFound": (404, NotFoundError),
    "InvalidOperation.MultiGroupType": (400, CloudError),
    "EnterpriseGroupLimited.MutliGroupType": (403, CloudError),
    "OperationDenied": (403, CloudError),
    "SomethingNew": (400, CloudError),
    "SomethingNew.Broken": (500, UnavailableError),
}


def as_json(code, message="why"):
    fields = {"RequestId": "473469C7", "HostId": "ecs.aliyuncs.com", "Code": code}
    return json.dumps(fields | {"Message": message}).encode()


def as_xml(code, message="why"):
    return (
        "<?xml version='1.0' encoding='UTF-8'?><Error><RequestId>473469C7</RequestId>"
        f"<HostId>ecs.aliyuncs.com</HostId><Code>{code}</Code><Message>{message}</Message></Error>"
    ).encode()


def error_of(status, body, **headers):
    response = httpx.Response(status, content=body, headers=headers)
    with pytest.raises(CloudError) as caught:
        parse_response(response, "DeleteSecurityGroup")
    return caught.value


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("body", [as_json, as_xml])
def test_a_code_means_the_same_in_both_formats_and_with_status_200(code, body):
    status, kind = CODES[code]
    error = error_of(status, body(code))
    assert type(error) is kind
    assert (error.code, error.status, error.request_id) == (code, status, "473469C7")
    if code != "SomethingNew.Broken":  # only its status tells what it means
        assert type(error_of(200, body(code))) is kind


def test_the_documented_error_samples_are_understood():
    if not ERRORS.exists():
        pytest.skip("the fixtures are not here")
    samples = json.loads(ERRORS.read_text())["alibaba"]
    kinds = {
        sample["code"]: type(
            error_of(sample["http"] or 400, as_json(sample["code"], sample["message"]))
        )
        for sample in samples
    }
    assert len(samples) == 4
    assert kinds == {
        "DependencyViolation": InUseError,
        "InvalidOperation.DeletionProtection": InUseError,
        "Throttling.User": ThrottledError,
    }


def test_the_two_meanings_of_a_dependency_violation_are_one_error():
    carried = error_of(403, as_json("DependencyViolation", "There is still instance(s) in it."))
    referenced = error_of(403, as_json("DependencyViolation", "It has been authorized."))
    assert type(carried) is type(referenced) is InUseError
    assert carried.code == referenced.code
    assert carried.detail != referenced.detail


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("1500", 1.5), ("100", 0.1), ("0", None), ("-5", None), ("soon", None), ("", None)],
)
def test_the_wait_the_cloud_asks_for_is_in_milliseconds(header, seconds):
    error = error_of(400, as_json("Throttling"), **{"x-acs-retry-after": header})
    assert error.retry_after_s == seconds


def test_an_unknown_code_that_asks_to_wait_is_throttling():
    error = error_of(400, as_json("BusyNow"), **{"x-acs-retry-after": "200"})
    assert isinstance(error, ThrottledError)


def test_a_refused_signature_does_not_repeat_the_signed_text():
    message = "server string to sign is:POST&%2F&SecurityToken%3DCAIS%252Ftok"
    error = error_of(400, as_json("SignatureDoesNotMatch", message))
    assert "CAIS" not in str(error) + repr(vars(error))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (502, b"<html>bad gateway</html>", UnavailableError),
        (503, b"", UnavailableError),
        (429, b"slow down", ThrottledError),
        (403, b"<html>proxy</html>", UnknownShapeError),
        (400, b"{}", UnknownShapeError),
        (200, b"", GarbledError),
        (200, b"null", GarbledError),
        (200, b"[]", GarbledError),
        (200, b"<html>login</html>", GarbledError),
        (200, b"[" * 100_000, GarbledError),
        (204, b"{}", UnknownShapeError),
        (302, b"{}", UnknownShapeError),
    ],
)
def test_an_answer_that_is_neither_is_never_a_good_one(status, body, kind):
    assert type(error_of(status, body)) is kind


def test_an_empty_code_is_no_error():
    response = httpx.Response(200, json={"RequestId": "x", "Code": ""})
    assert parse_response(response, "DeleteSecurityGroup").fields["RequestId"] == "x"
