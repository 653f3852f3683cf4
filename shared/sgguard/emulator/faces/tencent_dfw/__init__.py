"""Tencent's legacy API 2.0 for security groups on the wire.

Errors come with HTTP 200 and a ``code``. HmacSHA1 and HmacSHA256 are checked over query or form,
with a clock skew of at most five minutes; a nonce is accepted once (4500). Quirks of the cloud
(``quirks`` in a scenario):

- ``code_as_string``: ``"code": "5100"``, as in the sample of the error-code page
- ``code_desc``: responses have ``codeDesc``
- ``https_only``: plain HTTP is refused (4600)
- ``references_empty``: an unreferenced group has an empty ``"list"`` (default), is left out
  (``"omit"``), or the whole empty response is a list (``"php"``)
- ``references_omit``: ids that the response leaves out
- ``references_shape``: ``"string"``: a single referrer is a text; ``"single-quoted"``: the
  response is printed like the documents' own sample, which is not JSON
- ``references_reversed``: the groups that a group's rules name, instead of those that name it
- ``associates_untold``: groups have no count of their referrers
- ``counts_as_text``: counts are texts of digits
- ``page_max``: rows a page has at most, whatever ``limit`` is
- ``default_untold``: groups have no field for being the default one
- ``egress_absent``: an empty list of egress rules is left out
- ``total_zero``: ``totalCount`` is 0 beside listed instances, as in a sample
- ``version_told``: where rules have their version: ``"data"``, ``"rows"`` or ``"nowhere"``
- ``index_means``: ``"behind"``: a new rule comes after the one at ``index``, not before it
- ``interfaces_beside``: interfaces are beside ``code`` instead of in ``data``
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import httpx

from sgguard.emulator.faces.base import Certainty, FaultKind
from sgguard.emulator.faces.tencent_dfw.actions import ACTIONS
from sgguard.emulator.faces.tencent_dfw.call import RefusedError, call_of
from sgguard.emulator.faces.tencent_dfw.claims import CLAIMS
from sgguard.emulator.state import Cloud
from sgguard.wire.qcloud_v2 import params_of


@dataclass(frozen=True, slots=True)
class TencentDfwFace:
    """The face of the provider ``tencent-dfw``."""

    claims: ClassVar = CLAIMS

    def knows(self, request: httpx.Request, cloud: Cloud) -> Certainty:  # noqa: ARG002 - protocol
        """Return nothing: the signs of API 2.0 are all in its claims."""
        return Certainty.NONE

    def action(self, request: httpx.Request) -> str:
        """Return the action's name."""
        return params_of(request).get("Action", "")

    def respond(self, request: httpx.Request, cloud: Cloud, now: float) -> httpx.Response:
        """Authenticate the caller, act, respond."""
        try:
            action, call = call_of(request, cloud, now, ACTIONS)
            body = ACTIONS[action](call)
        except RefusedError as error:
            return _response(cloud.quirks, error.code, error.message, {})
        if cloud.quirks.get("references_shape") == "single-quoted" and "Associate" in action:
            text = f'{{"code": 0, "message": "", "data": {body["data"]!r}}}'
            return httpx.Response(
                200, headers={"content-type": "application/json"}, content=text.encode()
            )
        return _response(cloud.quirks, 0, "", body)

    def fault(self, kind: FaultKind, request: httpx.Request, code: str) -> httpx.Response:
        """Return a throttle (4400) or another error (6000)."""
        number = int(code) if code.isdigit() else 4400 if kind == "throttle" else 6000
        return _response({}, number, f"{self.action(request)}: on order", {})

    def refuse(self, request: httpx.Request, message: str) -> httpx.Response:  # noqa: ARG002
        """Return the error for an action that does not exist (4000), with the message."""
        return _response({}, 4000, message, {})


def _response(
    quirks: dict[str, Any], code: int, message: str, body: dict[str, Any]
) -> httpx.Response:
    envelope: dict[str, Any] = {
        "code": str(code) if quirks.get("code_as_string") else code,
        "message": message,
    }
    if quirks.get("code_desc"):
        envelope["codeDesc"] = "Success" if code == 0 else "Failed"
    return httpx.Response(200, json={**envelope, **body})


FACE = TencentDfwFace()
