"""One call to the emulated API 3.0 of Tencent Cloud: caller, region and parameters.

The signature, the clock, the session token, the region and the permission are checked here, so that
an action contains nothing but its effect.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qsl

import httpx

from sgguard.emulator.state import Account, Cloud, Group, Instance, Interface
from sgguard.wire import tc3

VERSION = "2017-03-12"
PAGE_MAX = 100

_GROUP_ID = re.compile(r"sg-[0-9a-z]{8}")
_DIGITS = 18
_BODY_MAX = 10 * 1024 * 1024


class RefusedError(Exception):
    """An error as API 3.0 reports it, inside a response with HTTP 200."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message or code


class Placed(Protocol):
    """A resource with a region and an account."""

    region: str
    account: str


P = TypeVar("P", bound=Placed)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an authenticated caller; ``params`` are its parameters, as JSON values."""

    cloud: Cloud
    account: Account
    region: str
    params: Mapping[str, Any]
    now: float
    is_query: bool = False
    """Whether the parameters came in a query, where every value is a text."""

    def own(self, resources: Sequence[P]) -> list[P]:
        """Return the caller's own resources in the region of the call."""
        return [t for t in resources if t.region == self.region and t.account == self.account.id]

    def groups(self) -> dict[str, Group]:
        """Return the caller's groups by id."""
        return {group.id: group for group in self.own(self.cloud.groups)}

    def instances(self) -> dict[str, Instance]:
        """Return the caller's instances by id."""
        return {instance.id: instance for instance in self.own(self.cloud.instances)}

    def primary(self, instance_id: str) -> Interface | None:
        """Return the primary interface, which holds the groups of the instance itself."""
        interfaces = self.cloud.interfaces_of(instance_id)
        return next((i for i in interfaces if i.kind == "primary"), None)

    def is_hidden(self, resource_id: str) -> bool:
        """Return whether lists leave this out although it is counted (quirk ``lists_hide``)."""
        return resource_id in self.cloud.quirks.get("lists_hide", [])

    def texts(self, name: str, *, at_most: int, is_required: bool = True) -> list[str]:
        """Return a list of texts.

        Raises:
            RefusedError: it is missing, not a list of texts, or too long.
        """
        values = self.params.get(name)
        if values is None or values == []:
            if is_required:
                raise RefusedError("MissingParameter", f"`{name}` is required.")
            return []
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise RefusedError("InvalidParameter", f"`{name}` is not a list of String.")
        if len(values) > at_most:
            raise RefusedError("InvalidParameterValue.LimitExceeded", f"`{name}`: {at_most}")
        return values

    def page(self, *, kind: type) -> tuple[int, int]:
        """Return offset and limit, which must be of type ``kind`` (one action requires texts).

        Raises:
            RefusedError: of another type, or out of range.
        """
        values = []
        for name, otherwise in (("Offset", 0), ("Limit", 20)):
            value = self.params.get(name, kind(otherwise))
            number = number_of(value) if self.is_query or type(value) is kind else None
            if number is None:
                raise RefusedError("InvalidParameter", f"`{name}` is not {kind.__name__}.")
            values.append(number)
        if not 1 <= values[1] <= PAGE_MAX:
            raise RefusedError("InvalidParameterValue.Range", f"`Limit` is over {PAGE_MAX}.")
        return values[0], values[1]

    def page_of(self, found: Sequence[T], offset: int, limit: int) -> Sequence[T]:
        """Return the rows of one page (quirk ``page_max``: fewer than requested)."""
        limit = min(limit, self.cloud.quirks.get("page_max", limit))
        return found[offset : offset + limit]

    def filters(self, *known: str, values_max: int = PAGE_MAX) -> dict[str, list[str]]:
        """Return the filters by name.

        Raises:
            RefusedError: an unknown name, a wrong shape, or too many values.
        """
        found: dict[str, list[str]] = {}
        entries = self.params.get("Filters") or []
        if not isinstance(entries, list):
            raise RefusedError("InvalidParameter", "`Filters` is not a list of Filter.")
        for entry in entries:
            if not isinstance(entry, dict) or not isinstance(entry.get("Values"), list):
                raise RefusedError("InvalidParameter.FilterValuesNotList", "Values is no list.")
            if entry.get("Name") not in known:
                raise RefusedError("InvalidFilter", f"{entry.get('Name')} is not supported.")
            if len(entry["Values"]) > values_max:
                raise RefusedError("InvalidFilterValue.LimitExceeded", f"at most {values_max}")
            found[entry["Name"]] = [str(value) for value in entry["Values"]]
        return found


def number_of(value: object) -> int | None:
    """Return a whole number of at most 18 digits, from a number or its text, or None."""
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None


def is_group_id(text: str) -> bool:
    """Return whether the text has the format of a group id."""
    return _GROUP_ID.fullmatch(text) is not None


def require_group_ids(ids: Sequence[str], code: str) -> None:
    """Refuse malformed group ids.

    Raises:
        RefusedError: ``code``, naming the first malformed one.
    """
    for group_id in ids:
        if not is_group_id(group_id):
            raise RefusedError(code, f"The ID `{group_id}` is malformed.")


def require_known(known: Mapping[str, Group], ids: Sequence[str]) -> None:
    """Refuse ids of groups that do not exist, with VPC's code.

    Raises:
        RefusedError: ResourceNotFound, naming the first.
    """
    for group_id in ids:
        if group_id not in known:
            raise RefusedError("ResourceNotFound", f"The resource `{group_id}` does not exist.")


def call_of(
    request: httpx.Request, cloud: Cloud, now: float, known: Callable[[str, str], frozenset[str]]
) -> tuple[str, Call]:
    """Return the requested service and the call.

    ``known`` returns the parameter names of an action of a service.

    Raises:
        RefusedError: authentication or authorisation fails, or the action or region is unknown.
    """
    if len(request.content) > _BODY_MAX:
        raise RefusedError("RequestSizeLimitExceeded")
    authorization, account = _authenticate(request, cloud, now)
    action = request.headers.get("x-tc-action", "")
    if not action:
        raise RefusedError("MissingParameter", "`Action` is required.")
    if request.headers.get("x-tc-version") != VERSION:
        raise RefusedError("NoSuchVersion", "The requested version does not exist.")
    names = known(authorization.service, action)
    if any(fnmatchcase(action, pattern) for pattern in account.denied):
        raise RefusedError(
            "UnauthorizedOperation",
            f"you are not authorized to perform operation ({authorization.service}:{action})",
        )
    region = request.headers.get("x-tc-region", "")
    if not region:
        raise RefusedError("MissingParameter", "`Region` is required.")
    if region not in cloud.regions:
        raise RefusedError("UnsupportedRegion", "The region is not supported.")
    params = _params(request)
    for name in params:
        if name not in names:
            raise RefusedError("UnknownParameter", f"The parameter `{name}` is not recognized.")
    is_query = request.method == "GET"
    return authorization.service, Call(cloud, account, region, params, now, is_query)


def _authenticate(
    request: httpx.Request, cloud: Cloud, now: float
) -> tuple[tc3.Authorization, Account]:
    header = request.headers.get("authorization", "")
    authorization = tc3.parse_authorization(header)
    timestamp = number_of(request.headers.get("x-tc-timestamp", ""))
    if authorization is None or timestamp is None:
        raise RefusedError("AuthFailure.InvalidAuthorization", "Authorization is not valid.")
    account = cloud.account_of_key(authorization.key_id)
    if account is None:
        raise RefusedError("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
    if abs(now - timestamp) > tc3.MAX_SKEW_S:
        raise RefusedError("AuthFailure.SignatureExpire", "The signature expired.")
    if not {"content-type", "host"} <= set(authorization.signed_headers):
        raise RefusedError("AuthFailure.InvalidAuthorization", "content-type and host are signed.")
    try:
        expected = tc3.signature_of(
            request,
            secret=account.secret,
            timestamp=timestamp,
            service=authorization.service,
            signed_headers=authorization.signed_headers,
        )
    except KeyError:
        expected = ""
    if authorization.signature != expected or authorization.date != tc3.date_of(timestamp):
        raise RefusedError(
            "AuthFailure.SignatureFailure",
            "The provided credentials could not be validated. Please check your signature is "
            "correct.",
        )
    if request.headers.get("x-tc-token", "") != account.token:
        raise RefusedError("AuthFailure.TokenFailure", "The token is invalid.")
    return authorization, account


def _params(request: httpx.Request) -> Mapping[str, Any]:
    if request.method == "GET":
        return unflatten(parse_qsl(request.url.query.decode(), keep_blank_values=True))
    try:
        params = json.loads(request.content or b"{}")
    except ValueError:
        params = None
    if not isinstance(params, dict):
        raise RefusedError("InvalidRequest", "The request body is not JSON.")
    return params


def unflatten(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return ``name.0``, ``name.1.key`` as lists and objects; values stay texts.

    Raises:
        RefusedError: a name is both a value and a list or object.
    """
    tree: dict[str, Any] = {}
    for key, value in pairs:
        node = tree
        *path, last = key.split(".")
        for part in path:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise RefusedError("InvalidParameter", f"`{key}` is given twice.")
        node[last] = value
    return {key: _listed(value) for key, value in tree.items()}


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if all(number_of(key) is not None for key in node):
        return [_listed(node[key]) for key in sorted(node, key=int)]
    return {key: _listed(value) for key, value in node.items()}
