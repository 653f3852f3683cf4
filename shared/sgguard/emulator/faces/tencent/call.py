"""One call to the emulated API 3.0 of Tencent Cloud: caller, region and parameters.

Version, region and permission are checked here, signature, clock and session token in ``auth.py``,
so that an action contains nothing but its effect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Protocol, TypeVar

import httpx

from sgguard.emulator.faces.base import not_emulated
from sgguard.emulator.faces.tencent.auth import authenticate, number_of
from sgguard.emulator.faces.tencent.error import RefusedError
from sgguard.emulator.state import Account, Cloud, Group, Instance, Interface

__all__ = [
    "Call",
    "RefusedError",
    "call_of",
    "is_group_id",
    "number_of",
    "require_group_ids",
    "require_known",
]

VERSION = "2017-03-12"
VERSIONS = {"sts": "2018-08-13"}
"""The version of each service that has another one."""
PAGE_MAX = 100

_GROUP_ID = re.compile(r"sg-[0-9a-z]{8}")
_BODY_MAX = 10 * 1024 * 1024


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

    def kept(self, key: Hashable, find: Callable[[], T]) -> T:
        """Return what was found for this caller in the present state (``Cloud.kept``)."""
        return self.cloud.kept((self.account.id, self.region, key), find)

    def groups(self) -> Mapping[str, Group]:
        """Return the caller's groups by id."""
        return self.kept("groups", lambda: {one.id: one for one in self.own(self.cloud.groups)})

    def instances(self) -> Mapping[str, Instance]:
        """Return the caller's instances by id."""
        own, every = self.own, self.cloud.instances
        return self.kept("instances", lambda: {one.id: one for one in own(every)})

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
            is_tag = "tag:" in known and str(entry.get("Name")).startswith("tag:")
            if entry.get("Name") not in known and not is_tag:
                raise RefusedError("InvalidFilter", f"{entry.get('Name')} is not supported.")
            if len(entry["Values"]) > values_max:
                raise RefusedError("InvalidFilterValue.LimitExceeded", f"at most {values_max}")
            found[entry["Name"]] = [str(value) for value in entry["Values"]]
        return found


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
    request: httpx.Request,
    cloud: Cloud,
    now: float,
    known: Callable[[str, str], tuple[str, frozenset[str]]],
) -> tuple[str, Call]:
    """Return the requested service and the call.

    ``known`` returns the service of an action, which the older signature may not name, and the
    action's parameter names.

    Raises:
        RefusedError: authentication or authorisation fails, or the action or region is unknown.
    """
    if request.method not in ("GET", "POST"):
        text = not_emulated(f"{request.method} requests; API 3.0 has only GET and POST")
        raise RefusedError("UnsupportedProtocol", text)
    if len(request.content) > _BODY_MAX:
        raise RefusedError("RequestSizeLimitExceeded")
    signed = authenticate(request, cloud, now)
    if not signed.action:
        raise RefusedError("MissingParameter", "`Action` is required.")
    if signed.version != VERSIONS.get(signed.service, VERSION):
        what = f"version {signed.version or '(none)'} of {signed.service or 'API 3.0'}"
        raise RefusedError("NoSuchVersion", not_emulated(what))
    service, names = known(signed.service, signed.action)
    if any(fnmatchcase(signed.action, pattern) for pattern in signed.account.denied):
        raise RefusedError(
            "UnauthorizedOperation",
            f"you are not authorized to perform operation ({service}:{signed.action})",
        )
    if not signed.region:
        raise RefusedError("MissingParameter", "`Region` is required.")
    if signed.region not in cloud.regions:
        raise RefusedError("UnsupportedRegion", "The region is not supported.")
    for name in signed.params:
        if name not in names:
            raise RefusedError("UnknownParameter", f"The parameter `{name}` is not recognized.")
    call = Call(cloud, signed.account, signed.region, signed.params, now, signed.is_query)
    return service, call
