"""Calls to Tencent Cloud's API 3.0: envelope, error codes and documented rates.

A response is ``{"Response": {...}}`` with HTTP 200 also for errors, which are
``{"Response": {"Error": {"Code", "Message"}, "RequestId"}}``; the body is read whatever content
type it has, because a charset there makes the vendor's own SDK miss errors. What the codes mean:
:mod:`sgguard.providers.tencent.codes`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Literal

import httpx
import msgspec

from sgguard import hiding
from sgguard.errors import (
    CloudError,
    GarbledError,
    InvalidRequestError,
    ThrottledError,
    UnavailableError,
    UnknownShapeError,
)
from sgguard.providers.tencent.codes import kind_of
from sgguard.wire.client import Wire, parse_json
from sgguard.wire.shape import Json, Shape
from sgguard.wire.tc3 import Tc3Auth

Service = Literal["vpc", "cvm"]
SERVICES: tuple[Service, ...] = ("vpc", "cvm")
VERSION = "2017-03-12"
EVERYWHERE = "DescribeSecurityGroups"
"""Offered in every region: where it is not, there is no such region."""

THROTTLED_WAIT_S = 1.0
"""Rates are counted per second, so a call a second later is permitted again."""


@hiding("wire", "auths")
class TencentApi(msgspec.Struct, frozen=True):
    """API 3.0 of one region, signed with one access key.

    ``urls`` and ``auths`` are by service.
    """

    wire: Wire
    region: str
    urls: Mapping[Service, str]
    auths: Mapping[Service, Tc3Auth]

    def read(self, service: Service, action: str, params: Mapping[str, object]) -> Json:
        """Send a read and return the inner ``Response``.

        Raises:
            CloudError: the call was refused, or got no response.
        """
        return self._call(self.wire.read, service, action, params)

    def write(self, service: Service, action: str, params: Mapping[str, object]) -> Json:
        """Send one change exactly once.

        Raises:
            CloudError: the call was refused, or got no response.
        """
        return self._call(self.wire.write, service, action, params)

    def shape(self, action: str) -> Shape:
        """Return the reader of this action's responses."""
        return Shape(self.wire.provider, action)

    def _call(
        self,
        send: Callable[..., httpx.Response],
        service: Service,
        action: str,
        params: Mapping[str, object],
    ) -> Json:
        responses: list[Json] = []

        def check(response: httpx.Response) -> None:
            responses.append(parse_response(response, self.shape(action), self.region))

        send(
            "POST",
            f"{self.urls[service]}/",
            action=action,
            check=check,
            auth=self.auths[service],
            headers={
                "Content-Type": "application/json",
                "X-TC-Action": action,
                "X-TC-Version": VERSION,
                "X-TC-Region": self.region,
                "X-TC-Language": "en-US",
            },
            content=json.dumps(params, separators=(",", ":")).encode("ascii"),
        )
        return responses[-1]


def parse_response(response: httpx.Response, shape: Shape, region: str) -> Json:
    """Return the inner ``Response`` of a successful response.

    Raises:
        CloudError: the response is an error, or no response of this API at all.
    """
    try:
        body = parse_json(response, provider=shape.provider, action=shape.action)
        inner = shape.table(shape.table(body, "answer").get("Response"), "Response")
    except UnknownShapeError:
        raise _without_envelope(response, shape) from None
    if "Error" in inner:
        error = shape.table(inner["Error"], "Response.Error")
        raise error_of(
            shape,
            code=shape.text(error, "Code", "Response.Error"),
            detail=shape.shown(error, "Message"),
            status=response.status_code,
            request_id=shape.shown(inner, "RequestId"),
            region=region,
        )
    if response.status_code != httpx.codes.OK:
        raise _without_envelope(response, shape)
    return inner


def error_of(
    shape: Shape, *, code: str, detail: str, status: int, request_id: str, region: str
) -> CloudError:
    """Return the error an error code stands for; ``detail`` is the vendor's text."""
    kind = kind_of(code, is_read=shape.action.startswith("Describe"))
    if code == "UnsupportedRegion":
        if shape.action == EVERYWHERE:
            kind = InvalidRequestError
        detail = f"the region {region!r} does not exist for this API; {detail}"
    return kind(
        shape.provider,
        shape.action,
        code=code,
        detail=detail,
        status=status,
        request_id=request_id,
        retry_after_s=THROTTLED_WAIT_S if kind is ThrottledError else None,
    )


def _without_envelope(response: httpx.Response, shape: Shape) -> CloudError:
    """Return the error for the response of a proxy or a broken gateway in place of the API."""
    status = response.status_code
    kind: type[CloudError] = UnknownShapeError
    if status == httpx.codes.OK:
        kind = GarbledError
    elif status == httpx.codes.TOO_MANY_REQUESTS:
        kind = ThrottledError
    elif status >= httpx.codes.INTERNAL_SERVER_ERROR:
        kind = UnavailableError
    return kind(
        shape.provider,
        shape.action,
        status=status,
        detail=f"no API 3.0 answer in the body ({len(response.content)} bytes)",
    )


# Only actions that are called here stand in the table; ModifySecurityGroupPolicies, which replaces
# all rules of a group at once, never is.
RATES: Mapping[str, float] = {
    "AssociateSecurityGroups": 10,
    "ModifyInstancesAttribute": 10,
    "DescribeInstances": 40,
    "DescribeSecurityGroupReferences": 20,
    "DescribeSecurityGroupLimits": 20,
    "CreateSecurityGroup": 100,
    "DeleteSecurityGroup": 100,
    "DescribeSecurityGroupAssociationStatistics": 100,
    "DescribeSecurityGroupPolicies": 100,
    "CreateSecurityGroupPolicies": 100,
    "ReplaceSecurityGroupPolicies": 20,
    "DisassociateNetworkInterfaceSecurityGroups": 20,
    # The pages of these name no rate: theirs is taken from similar actions.
    "DescribeNetworkInterfaces": 100,
    "DescribeSecurityGroups": 100,
    "DeleteSecurityGroupPolicies": 100,
    "DisassociateSecurityGroups": 10,
    "AssociateNetworkInterfaceSecurityGroups": 20,
    "ModifyNetworkInterfaceAttribute": 20,
}
"""Calls per second, by action, counted by API, region and sub-account
(https://cloud.tencent.com/document/api/1709/106767).

Sources: the sentence at the top of each action's page (read 2026-11-22).
"""
