"""Every code that the documents of Huawei Cloud and Open Telekom Cloud list is classified once."""

from __future__ import annotations

import httpx
import pytest

from sgguard import errors
from sgguard.providers.huawei import codes
from sgguard.providers.huawei.error import error_of

GATEWAY = {  # devg-apisign/api-sign-errorcode.html, usermanual-apig/apig_03_0048.html
    **dict.fromkeys(["0101"], (404, errors.ApiAbsentError)),
    **dict.fromkeys(["0103", "0104", "0105", "0107"], (500, errors.UnavailableError)),
    "0106": (400, errors.InvalidRequestError),
    "0201": (400, errors.InvalidRequestError),
    "0202": (502, errors.UnavailableError),
    "0203": (504, errors.UnavailableError),
    "0204": (400, errors.InvalidRequestError),
    **dict.fromkeys(["0301", "0303", "0305", "0307"], (401, errors.UnauthenticatedError)),
    **dict.fromkeys(["0310", "0311", "0312", "0313"], (401, errors.UnauthenticatedError)),
    **dict.fromkeys(["0314", "0315"], (401, errors.UnauthenticatedError)),
    **dict.fromkeys(["0302", "0304", "0306", "0309"], (403, errors.ForbiddenError)),
    **dict.fromkeys(["0401", "0402", "0404", "0802"], (403, errors.ForbiddenError)),
    "0308": (429, errors.ThrottledError),
    "0501": (405, errors.LimitError),
    "0502": (405, errors.ForbiddenError),
    **dict.fromkeys(["0601", "0605", "0606", "0608", "0609"], (500, errors.UnavailableError)),
    **dict.fromkeys(["0610", "0611", "0612", "0613"], (502, errors.UnavailableError)),
    **dict.fromkeys(["0614", "0615", "0705"], (500, errors.UnavailableError)),
    **dict.fromkeys(["0602", "0607"], (400, errors.InvalidRequestError)),
    "1009": (400, errors.UnauthenticatedError),
}
VPC = {  # api-vpc/vpc_api_0003.html, and the appendix of Open Telekom Cloud's VPC API reference
    **dict.fromkeys(
        ["VPC.0002", "VPC.0007", "VPC.0601", "VPC.1207", "SYS.0400"],
        (400, errors.InvalidRequestError),
    ),
    "VPC.0003": (404, errors.InvalidRequestError),
    "VPC.0004": (400, errors.UnavailableError),
    **dict.fromkeys(["VPC.0005", "VPC.0008", "VPC.0009"], (401, errors.UnauthenticatedError)),
    **dict.fromkeys(["VPC.0010", "VPC.2201", "VPC.2701"], (403, errors.ForbiddenError)),
    "VPC.0603": (404, errors.NotFoundError),
    **dict.fromkeys(["VPC.0604", "VPC.9905"], (409, errors.LimitError)),
    **dict.fromkeys(["VPC.0607", "VPC.0609"], (400, errors.LimitError)),
    "VPC.0602": (500, errors.UnavailableError),
    "VPC.0612": (500, errors.UnavailableError),
    "VPC.9904": (404, errors.NotFoundError),
    "VPC.9907": (409, errors.InUseError),
    "SYS.0500": (500, errors.UnavailableError),
}
ECS = {  # the appendix of the ECS API reference
    "Ecs.0000": (400, errors.UnavailableError),
    "Ecs.0001": (400, errors.LimitError),
    "Ecs.0002": (400, errors.UnavailableError),
    "Ecs.0003": (403, errors.ForbiddenError),
    "Ecs.0004": (400, errors.UnauthenticatedError),
    "Ecs.0005": (400, errors.InvalidRequestError),
    "Ecs.0014": (400, errors.InvalidRequestError),
    "Ecs.0050": (400, errors.LimitError),
    "Ecs.0114": (404, errors.NotFoundError),
}
IAM = {  # iam_02_0006.html
    **dict.fromkeys(
        ["IAM.0001", "IAM.0007", "IAM.0009", "IAM.0011", "IAM.0072", "1100"],
        (400, errors.InvalidRequestError),
    ),
    **dict.fromkeys(["IAM.0002", "IAM.0005"], (401, errors.UnauthenticatedError)),
    **dict.fromkeys(["1101", "1103"], (400, errors.UnauthenticatedError)),
    "IAM.0003": (403, errors.ForbiddenError),
    "IAM.0004": (404, errors.NotFoundError),
    "IAM.0006": (500, errors.UnavailableError),
}
DOCUMENTED = {
    **{f"{name}.{code}": kind for name in ("APIGW", "APIG") for code, kind in GATEWAY.items()},
    **VPC,
    **ECS,
    **IAM,
}


@pytest.mark.parametrize(("code", "status", "kind"), [(c, *e) for c, e in DOCUMENTED.items()])
def test_every_documented_code_is_the_error_that_its_document_describes(code, status, kind):
    body = {"error_code": code, "error_msg": "m", "request_id": "r"}
    assert type(error_of(httpx.Response(status, json=body), "huawei", "GET /x")) is kind


def test_the_table_has_no_code_that_no_document_lists():
    others = {"itemNotFound", "forbidden", "conflictingRequest", "overLimit", "computeFault"}
    wrapping = {"VPC.0602", "VPC.0612"}
    known = (set(DOCUMENTED) - wrapping) | others | set(codes.NEUTRON) | {"Unauthorized"}
    assert set(codes.BY_CODE) == known


@pytest.mark.parametrize("code", ["VPC.0002", "SYS.0400", "APIGW.0201", "HTTPBadRequest"])
@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_wrong_parameter_beside_a_status_of_the_clouds_own_fault_may_pass(code, status):
    body = {"error_code": code, "error_msg": "m"}
    error = error_of(httpx.Response(status, json=body), "huawei", "GET /x")
    assert type(error) is errors.UnavailableError


def test_what_no_later_delivery_can_change_is_never_retried():
    lasting = (errors.ApiAbsentError, errors.InvalidRequestError, errors.ForbiddenError)
    for code, (status, kind) in DOCUMENTED.items():
        body = {"error_code": code, "error_msg": "m"}
        error = error_of(httpx.Response(status, json=body), "huawei", "GET /x")
        assert not (kind in lasting and error.is_retryable), code
