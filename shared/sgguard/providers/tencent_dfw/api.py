"""Calls to Tencent's API 2.0 (``dfw.api.qcloud.com``): envelope, error codes and rates.

Every response has HTTP 200 and ``code`` (0: success; a number, sometimes a text of digits),
``message`` and, not always, ``codeDesc``. What the codes mean:
:mod:`sgguard.providers.tencent_dfw.codes`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import msgspec

from sgguard import hiding
from sgguard.errors import ThrottledError, UnavailableError, UnknownShapeError
from sgguard.providers.tencent_dfw.codes import meaning_of
from sgguard.wire.client import Wire, parse_json
from sgguard.wire.form import encoded
from sgguard.wire.qcloud_v2 import QcloudV2Auth, flatten
from sgguard.wire.shape import Json, Shape

PATH = "/v2/index.php"


@hiding("wire", "auth")
class DfwApi(msgspec.Struct, frozen=True):
    """The security-group module of API 2.0 in one region; ``url`` is without the path."""

    wire: Wire
    region: str
    url: str
    auth: QcloudV2Auth

    def read(self, action: str, **params: object) -> Json:
        """Send a read and return the whole response.

        Raises:
            CloudError: the call was refused, or got no response.
        """
        return self._call(self.wire.read, action, params)

    def write(self, action: str, **params: object) -> Json:
        """Send one change exactly once.

        Raises:
            CloudError: the call was refused, or got no response.
        """
        return self._call(self.wire.write, action, params)

    def shape(self, action: str) -> Shape:
        """Return the reader of this action's responses."""
        return Shape(self.wire.provider, action)

    def _call(
        self,
        send: Callable[..., httpx.Response],
        action: str,
        params: Mapping[str, object],
    ) -> Json:
        responses: list[Json] = []

        def check(response: httpx.Response) -> None:
            responses.append(parse_response(response, self.shape(action)))

        # POST, because a session token in a query would end up in the logs of every proxy.
        form = flatten({"Action": action, "Region": self.region, **params})
        send(
            "POST",
            f"{self.url}{PATH}",
            action=action,
            check=check,
            auth=self.auth,
            content=encoded(form).encode("ascii"),
        )
        return responses[-1]


def parse_response(response: httpx.Response, shape: Shape) -> Json:
    """Return a successful response.

    Raises:
        CloudError: the response is an error, or no response of this API at all.
    """
    status = response.status_code
    try:
        body = parse_json(response, provider=shape.provider, action=shape.action)
        envelope = shape.table(body, "answer")
        code = integer_of(shape, envelope, "code")
    except UnknownShapeError as error:
        # The response of a proxy in place of the API: only its status can be interpreted.
        if status == httpx.codes.TOO_MANY_REQUESTS:
            raise ThrottledError(shape.provider, shape.action, status=status) from error
        if status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise UnavailableError(shape.provider, shape.action, status=status) from error
        if status != httpx.codes.OK:
            raise shape.wrong(f"no answer of API 2.0, with HTTP {status}") from error
        raise
    if code:
        meaning = meaning_of(code)
        message = shape.shown(envelope, "message")
        raise meaning.kind(
            shape.provider,
            shape.action,
            code=str(code),
            detail="; ".join(filter(None, (meaning.words, message))),
            status=status,
            retry_after_s=1.0 if meaning.kind is ThrottledError else None,
        )
    if status != httpx.codes.OK:
        raise shape.wrong(f"code 0 with HTTP {status}")
    return envelope


def integer_of(shape: Shape, row: Json, key: str) -> int:
    """Return a whole number that may be written as a text of digits.

    Raises:
        UnknownShapeError: it is missing or no such number.
    """
    value: Any = row.get(key)
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value):
        return int(value)
    return shape.integer(row, key, "answer")


RATES: Mapping[str, float] = {
    "DescribeAssociateSecurityGroups": 20,
    "*": 100,
}
"""Calls per second, by action (fnmatch; the first that matches).

No page of the module names a rate, only the error for exceeding it (4400). These rates are taken
from the actions of API 3.0 that correspond.
"""
