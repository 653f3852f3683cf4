"""Alibaba Cloud ECS 2014-05-26 on the wire, and AssumeRole of its STS.

Both signatures are checked, with nonce, clock (15 minutes) and session token. Calls with the older
one get XML unless ``Format`` is JSON. A scenario's groups of another account are foreign: their
rules can name the caller's groups, and they cannot be read. No rule names its own group (the cloud
refuses it), and advanced groups have no rules that name groups.

What an account's policy denies is refused, but lists of groups, instances and interfaces are
answered with 200 and no entry, as they were everywhere until 2025-12-20 and may still be. The other
two queries are about one group, which is a resource that must be authorised (``denied_queries``:
``empty`` for every query, ``forbidden`` for none, or a list of the actions that get 403).
``DryRun`` tells the truth either way.

Quirks: ``references_shape`` (``real``, ``documented``: the bare, misnamed arrays of the document's
JSON sample, ``hybrid``: nested, with the misnamed inner list), ``references_silent`` (groups
without referrers are left out), ``format`` (``xml`` whatever format is requested), ``page_max`` (a
maximum below the documented page sizes), ``endless_pages`` (page tokens never end: they lead to the
first page again or, with ``empty``, to further empty pages), ``empty_pages`` (an empty
page before every further one), ``paging`` (``numbers``: a server without page tokens, ``tokens``:
one that has retired page numbers), ``omits_empty_token`` (the last page has no ``NextToken`` at
all), ``token_total`` (a total beside page tokens, where it has no meaning), ``group_rule_count``
(``absent`` or always ``zero``), ``hidden_groups``, ``hidden_instances`` and ``hidden_interfaces``
(ids that a policy by tag leaves out of lists), ``address_count`` (a group's own count of private
addresses: ``absent``, or the number told instead), ``rule_ids`` (``absent``: a server without rule
ids), ``binding_delay_s`` (seconds until a change of groups is listed), ``new_group_rules`` (a new
group has a rule), ``omits_inner_access`` (whether members of a group reach each other is not
reported), ``missing_rule`` (the code that revoking a rule that is not there gets, instead of a
success), ``absent_actions`` (actions that the server does not offer), ``dry_run`` (``absent``: it
is ignored), ``locks`` (reasons by the id of a locked instance), ``interface_states`` (states by
the id of an interface).
"""

from __future__ import annotations

from typing import Any, ClassVar

import httpx

from sgguard.emulator.faces.alibaba import binding, sts
from sgguard.emulator.faces.alibaba.actions import ACTIONS
from sgguard.emulator.faces.alibaba.auth import authenticate, forbidden, is_acs3, is_denied
from sgguard.emulator.faces.alibaba.call import Call, replayed
from sgguard.emulator.faces.alibaba.claims import CLAIMS, VERSION
from sgguard.emulator.faces.alibaba.denied import LISTS, QUERIES, nothing
from sgguard.emulator.faces.alibaba.response import RefusedError, failure, status_of, success
from sgguard.emulator.faces.base import Certainty, FaultKind, call_in, not_emulated
from sgguard.emulator.state import Cloud
from sgguard.wire import acs3
from sgguard.wire.rpc_v1 import params_of

RETRY_AFTER_MS = 100

DRY_RUNS = frozenset({"DescribeInstances", "DescribeSecurityGroups"})
"""Actions that know ``DryRun``."""


class AlibabaFace:
    """The face of the provider ``alibaba``."""

    claims: ClassVar = CLAIMS

    def knows(self, request: httpx.Request, cloud: Cloud) -> Certainty:  # noqa: ARG002 - protocol
        """Return nothing: the signs of this cloud's calls are all in its claims."""
        return Certainty.NONE

    def action(self, request: httpx.Request) -> str:
        """Return the action's name, empty when the request has none."""
        named = request.headers.get("x-acs-action", "")
        return named or dict(params_of(request)).get("Action", "")

    def respond(self, request: httpx.Request, cloud: Cloud, now: float) -> httpx.Response:
        """Authenticate the caller, act, respond in the requested format."""
        is_json = cloud.quirks.get("format") != "xml" and _wants_json(request)
        action = self.action(request)
        try:
            return success(action, _act(request, cloud, action, now), is_json=is_json)
        except RefusedError as error:
            return failure(error, is_json=is_json)

    def fault(self, kind: FaultKind, request: httpx.Request, code: str) -> httpx.Response:
        """Return a throttle, with the milliseconds to wait, or an error."""
        code = code or ("Throttling.User" if kind == "throttle" else "InternalError")
        message = "The request processing has failed due to some unknown error."
        if kind == "throttle":
            message = "Request was denied due to request throttling."
        error = RefusedError(code, message, status_of(code))
        response = failure(error, is_json=_wants_json(request))
        if kind == "throttle":
            response.headers["x-acs-retry-after"] = str(RETRY_AFTER_MS)
        return response

    def refuse(self, request: httpx.Request, message: str) -> httpx.Response:
        """Return the error for an action that does not exist, with the message."""
        return failure(_no_such_api(message), is_json=_wants_json(request))


def _no_such_api(message: str) -> RefusedError:
    return RefusedError("InvalidAction.NotFound", message, 404)


def _require_emulated(request: httpx.Request) -> None:
    """Refuse what is no RPC call, and calls with a signature that is not checked here.

    Raises:
        RefusedError: InvalidAction.NotFound.
    """
    scheme = request.headers.get("authorization", "").partition(" ")[0]
    if scheme and scheme != acs3.ALGORITHM:
        raise _no_such_api(not_emulated(f"the signature {scheme} ({call_in(request)})"))
    if request.url.path.strip("/"):
        raise _no_such_api(not_emulated(call_in(request)))
    if request.method not in ("GET", "POST"):
        text = not_emulated(f"{request.method} requests; RPC calls are GET and POST")
        raise RefusedError("UnsupportedHTTPMethod", text)


def _act(request: httpx.Request, cloud: Cloud, action: str, now: float) -> dict[str, Any]:
    _require_emulated(request)
    account = authenticate(request, cloud, now)
    version = request.headers.get("x-acs-version") or dict(params_of(request)).get("Version", "")
    if (action, version) == (sts.ACTION, sts.VERSION):
        return sts.assume_role(cloud, account, dict(params_of(request)), now)
    if action not in ACTIONS or version != VERSION:
        what = f"{action or 'a call without an action'} of version {version or '(none)'}"
        raise _no_such_api(not_emulated(what))
    if action in cloud.quirks.get("absent_actions", ()):
        raise _no_such_api("Specified api is not found, please check your url.")
    params = _with_region(dict(params_of(request)), cloud, action)
    call = Call(cloud, account, params, now)
    is_dry = _is_dry(call, action)
    if is_denied(account, action) and (is_dry or not _answers_nothing(cloud, action)):
        raise forbidden()
    if call.required("RegionId") not in cloud.regions:
        raise RefusedError(
            "InvalidRegionId.NotFound", "The specified RegionId does not exist.", 404
        )
    if is_dry:
        raise RefusedError("DryRunOperation", "Request validation has been passed with DryRun.")
    if is_denied(account, action):
        return nothing(action)
    return replayed(call, action, ACTIONS[action])


def _is_dry(call: Call, action: str) -> bool:
    is_known = action in DRY_RUNS and call.cloud.quirks.get("dry_run") != "absent"
    return is_known and call.params.get("DryRun", "").lower() == "true"


def _answers_nothing(cloud: Cloud, action: str) -> bool:
    """Return whether a denied action is answered with an empty list."""
    mode = cloud.quirks.get("denied_queries", ())
    if mode in ("empty", "forbidden"):
        return mode == "empty" and action in QUERIES
    return action in LISTS and action not in mode


def _with_region(params: dict[str, str], cloud: Cloud, action: str) -> dict[str, str]:
    """Return the parameters with the region of the instance, where a call may leave it out."""
    instance = cloud.instance(params.get("InstanceId", ""))
    if action not in binding.REGION_OPTIONAL or instance is None or "RegionId" in params:
        return params
    return params | {"RegionId": instance.region}


def _wants_json(request: httpx.Request) -> bool:
    return is_acs3(request) or dict(params_of(request)).get("Format", "XML").upper() == "JSON"


FACE = AlibabaFace()
