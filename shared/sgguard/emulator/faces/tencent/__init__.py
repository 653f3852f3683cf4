"""Tencent Cloud's API 3.0 (VPC and CVM, 2017-03-12) on the wire.

Errors come with HTTP 200. TC3-HMAC-SHA256 is checked as the vendor's SDK computes it, with a
clock skew of at most five minutes. Quirks of the cloud (``quirks`` in a scenario):

- ``content_type``: of every answer, such as ``application/json; charset=utf-8``
- ``limits_absent``: DescribeSecurityGroupLimits does not exist (international site)
- ``limits_sample``: it gives the 2000 groups per instance of its page's sample
- ``missing_group``: ``"omitted"``: an unknown id is left out instead of failing the call
- ``references_include_self``: a group's own rules make it a referrer of itself
- ``references_omit``, ``statistics_omit``: ids the answer does not mention
- ``references_hide``: referring groups that are counted but not named
- ``references_reversed``: the groups that a group's rules name, instead of those that name it
- ``page_max``: rows a page has at most, whatever ``Limit`` asks for
- ``ids_max``: groups one call about references or statistics may name (50)
- ``limits_omit``: keys that DescribeSecurityGroupLimits leaves out
- ``statistics_brief``: without ``InstanceStatistics``, as in the page's sample
- ``lists_hide``: instances and interfaces that are counted but not listed
- ``unset_fields``: unset fields of a rule are ``"empty"`` (default), ``"null"`` or ``"absent"``
- ``binding_s``: seconds an instance has an operation in progress after a binding
- ``binding_fails``: the code with which every binding comes to nothing after that time
- ``default_rules``: rules (as in a scenario) that a new group is given
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import httpx

from sgguard.emulator.faces.base import FaultKind, Match
from sgguard.emulator.faces.tencent import cvm, vpc
from sgguard.emulator.faces.tencent.call import TencentError, call_of
from sgguard.emulator.state import Cloud
from sgguard.wire import tc3

_SERVICES = {"vpc": vpc.ACTIONS, "cvm": cvm.ACTIONS}


@dataclass(frozen=True, slots=True)
class TencentFace:
    """Answers requests to API 3.0 from the state."""

    def claims(self, request: httpx.Request, cloud: Cloud) -> Match:  # noqa: ARG002 - one owner
        """Claim what carries an action header or a TC3 signature."""
        is_mine = "x-tc-action" in request.headers or request.headers.get(
            "authorization", ""
        ).startswith(tc3.ALGORITHM)
        return Match.MINE if is_mine else Match.NO

    def action(self, request: httpx.Request) -> str:
        """Return the action's name."""
        return str(request.headers.get("x-tc-action", ""))

    def answer(self, request: httpx.Request, cloud: Cloud, now: float) -> httpx.Response:
        """Check the caller, act, answer."""
        content_type = str(cloud.quirks.get("content_type", "application/json"))
        try:
            service, call = call_of(request, cloud, now, _known)
            act, _ = _SERVICES[service][self.action(request)]
            body = act(call)
        except TencentError as error:
            return _error(error.code, error.message, content_type)
        return _response(body, content_type)

    def fault(self, kind: FaultKind, request: httpx.Request, code: str) -> httpx.Response:
        """Return a throttle or another error."""
        code = code or ("RequestLimitExceeded" if kind == "throttle" else "InternalError")
        return _error(code, f"{self.action(request)}: on order", "application/json")


def _known(service: str, action: str) -> frozenset[str]:
    if service not in _SERVICES:
        raise TencentError("NoSuchProduct", f"`{service}` does not exist.")
    if action not in _SERVICES[service]:
        raise TencentError("InvalidAction", f"The action `{action}` is not found.")
    return _SERVICES[service][action][1]


def _error(code: str, message: str, content_type: str) -> httpx.Response:
    return _response({"Error": {"Code": code, "Message": message}}, content_type)


def _response(body: dict[str, object], content_type: str) -> httpx.Response:
    answer = {"Response": {"RequestId": str(uuid4()), **body}}
    return httpx.Response(200, headers={"content-type": content_type}, json=answer)


FACE = TencentFace()
