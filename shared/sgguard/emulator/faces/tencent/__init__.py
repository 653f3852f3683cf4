"""Tencent Cloud's API 3.0 (VPC and CVM, 2017-03-12, and STS' AssumeRole) on the wire.

Errors come with HTTP 200. TC3-HMAC-SHA256 and the older HmacSHA1 and HmacSHA256 are checked as the
vendor's SDK computes them, with a clock skew of at most five minutes. Quirks of the cloud
(``quirks`` in a scenario):

- ``content_type``: of every response, such as ``application/json; charset=utf-8``
- ``limits_absent``: DescribeSecurityGroupLimits does not exist (international site)
- ``limits_sample``: it has the 2000 groups per instance of its page's sample
- ``missing_group``: ``"omitted"``: an unknown id is left out instead of failing the call
- ``references_include_self``: a group's own rules make it a referrer of itself
- ``references_omit``, ``statistics_omit``: ids that the response leaves out
- ``references_hide``: referring groups that are counted but not named
- ``references_reversed``: the groups that a group's rules name, instead of those that name it
- ``page_max``: rows a page has at most, whatever ``Limit`` is
- ``ids_max``: groups one call about references or statistics may name (50)
- ``limits_omit``: keys that DescribeSecurityGroupLimits leaves out
- ``statistics_brief``: without ``InstanceStatistics``, as in the page's sample
- ``lists_hide``: groups, instances and interfaces that are counted but not listed, as with a
  policy of CAM by tag
- ``unset_fields``: unset fields of a rule are ``"empty"`` (default), ``"null"`` or ``"absent"``
- ``binding_s``: seconds an instance has an operation in progress after a binding
- ``binding_fails``: the code with which every binding fails after that time
- ``binding_refused_with``: by instance, the code with which each call that binds it is refused,
  or a list of codes for its next calls
- ``binds_at_most``: instances in one call that binds, 100 by default
- ``names_nobody``: no text of a refusal has the id of an instance in it
- ``default_rules``: rules (as in a scenario) that a new group has
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar
from uuid import uuid4

import httpx

from sgguard.emulator.faces.base import Certainty, FaultKind, not_emulated
from sgguard.emulator.faces.tencent import cvm, sts, vpc
from sgguard.emulator.faces.tencent.auth import action_of
from sgguard.emulator.faces.tencent.call import call_of
from sgguard.emulator.faces.tencent.claims import CLAIMS
from sgguard.emulator.faces.tencent.error import RefusedError
from sgguard.emulator.state import Cloud

_INSTANCE = re.compile(r"`(?:ins|eni)-[^`]*`")
_SERVICES = {"vpc": vpc.ACTIONS, "cvm": cvm.ACTIONS, "sts": sts.ACTIONS}


@dataclass(frozen=True, slots=True)
class TencentFace:
    """The face of the provider ``tencent``."""

    claims: ClassVar = CLAIMS

    def knows(self, request: httpx.Request, cloud: Cloud) -> Certainty:  # noqa: ARG002 - protocol
        """Return nothing: the signs of API 3.0 are all in its claims."""
        return Certainty.NONE

    def action(self, request: httpx.Request) -> str:
        """Return the action's name."""
        return action_of(request)

    def respond(self, request: httpx.Request, cloud: Cloud, now: float) -> httpx.Response:
        """Authenticate the caller, act, respond."""
        content_type = str(cloud.quirks.get("content_type", "application/json"))
        try:
            service, call = call_of(request, cloud, now, _known)
            act, _ = _SERVICES[service][self.action(request)]
            body = act(call)
        except RefusedError as error:
            message = error.message
            if cloud.quirks.get("names_nobody"):
                message = _INSTANCE.sub("an instance", message)
            return _error(error.code, message, content_type)
        return _response(body, content_type)

    def fault(self, kind: FaultKind, request: httpx.Request, code: str) -> httpx.Response:
        """Return a throttle or another error."""
        code = code or ("RequestLimitExceeded" if kind == "throttle" else "InternalError")
        return _error(code, f"{self.action(request)}: on order", "application/json")

    def refuse(self, request: httpx.Request, message: str) -> httpx.Response:  # noqa: ARG002
        """Return the error for an action that does not exist, with the message."""
        return _error("InvalidAction", message, "application/json")


def _known(service: str, action: str) -> tuple[str, frozenset[str]]:
    """Return the service and the parameter names of an action; without a service, its first."""
    names = [service] if service else [name for name, known in _SERVICES.items() if action in known]
    if names and names[0] not in _SERVICES:
        raise RefusedError("NoSuchProduct", not_emulated(f"{service}:{action}"))
    if not names or action not in _SERVICES[names[0]]:
        raise RefusedError("InvalidAction", not_emulated(f"{service or 'the action'} {action}"))
    return names[0], _SERVICES[names[0]][action][1]


def _error(code: str, message: str, content_type: str) -> httpx.Response:
    return _response({"Error": {"Code": code, "Message": message}}, content_type)


def _response(body: dict[str, object], content_type: str) -> httpx.Response:
    envelope = {"Response": {"RequestId": str(uuid4()), **body}}
    return httpx.Response(200, headers={"content-type": content_type}, json=envelope)


FACE = TencentFace()
