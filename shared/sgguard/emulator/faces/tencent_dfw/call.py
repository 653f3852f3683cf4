"""One call to the emulated API 2.0 of Tencent Cloud: caller, region and parameters."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

import httpx

from sgguard.emulator.faces.base import not_emulated
from sgguard.emulator.state import Account, Cloud, Group
from sgguard.wire import qcloud_v2

_DIGITS = 19


class RefusedError(Exception):
    """An error as API 2.0 reports it, inside a response with HTTP 200."""

    def __init__(self, code: int, message: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an authenticated caller."""

    cloud: Cloud
    account: Account
    region: str
    params: Mapping[str, str]

    def groups(self) -> Mapping[str, Group]:
        """Return the caller's groups in the region, by id."""

        def find() -> dict[str, Group]:
            return {
                group.id: group
                for group in self.cloud.groups
                if group.region == self.region and group.account == self.account.id
            }

        return self.cloud.kept(("groups", self.scope), find)

    def group(self) -> Group:
        """Return the group that ``sgId`` names.

        Raises:
            RefusedError: 4000 without it, 7001 where it does not exist.
        """
        group_id = self.params.get("sgId", "")
        if not group_id:
            raise RefusedError(4000, "sgId is required")
        group = self.groups().get(group_id)
        if group is None:
            raise RefusedError(7001, "security group does not belong to the current user")
        return group

    @property
    def scope(self) -> tuple[str, str]:
        """The account and region whose resources the caller can change."""
        return self.account.id, self.region

    def texts(self, name: str) -> list[str]:
        """Return the texts of a list, in their order."""
        found = {
            number: value
            for key, value in self.params.items()
            if key.startswith(f"{name}.")
            for number in [number_of(key.removeprefix(f"{name}."))]
            if number is not None
        }
        return [found[number] for number in sorted(found)]

    def rows(self, name: str) -> list[dict[str, str]]:
        """Return the objects of a list, in their order; nested lists keep their numbered names."""
        found: dict[int, dict[str, str]] = {}
        for key, value in self.params.items():
            listed, _, path = key.partition(".")
            number, _, field = path.partition(".")
            position = number_of(number)
            if listed == name and field and position is not None:
                found.setdefault(position, {})[field] = value
        return [found[position] for position in sorted(found)]

    def number(self, name: str, otherwise: int) -> int:
        """Return a whole number.

        Raises:
            RefusedError: 4000 where it is not one.
        """
        number = number_of(self.params.get(name, str(otherwise)))
        if number is None:
            raise RefusedError(4000, f"{name} must be an integer")
        return number


def call_of(
    request: httpx.Request, cloud: Cloud, now: float, known: Container[str]
) -> tuple[str, Call]:
    """Return the requested action, which is one of ``known``, and the call.

    Raises:
        RefusedError: authentication or authorisation fails, or the action or region is unknown.
    """
    if cloud.quirks.get("https_only") and request.url.scheme != "https":
        raise RefusedError(4600, "protocol is not supported")
    if request.method not in ("GET", "POST"):
        text = not_emulated(f"{request.method} requests; API 2.0 has only GET and POST")
        raise RefusedError(4600, text)
    params = qcloud_v2.params_of(request)
    account = _authenticate(request, params, cloud, now)
    action = params.get("Action", "")
    action = action[:1].upper() + action[1:]
    if action not in known:
        raise RefusedError(4000, not_emulated(f"the action {action or '(none)'} of API 2.0"))
    if any(fnmatchcase(action, pattern) for pattern in account.denied):
        raise RefusedError(4102, f"not authorized to access the resource: {action}")
    if params.get("Region") not in cloud.regions:
        raise RefusedError(4000, "Region is not supported")
    return action, Call(cloud, account, params["Region"], params)


def _authenticate(
    request: httpx.Request, params: Mapping[str, str], cloud: Cloud, now: float
) -> Account:
    account = cloud.account_of_key(params.get("SecretId", ""))
    if account is None:
        raise RefusedError(4104, "SecretId does not exist")
    timestamp, nonce = number_of(params.get("Timestamp", "")), number_of(params.get("Nonce", ""))
    if timestamp is None or nonce is None:
        raise RefusedError(4000, "Timestamp and Nonce must be integers")
    method = params.get("SignatureMethod", "HmacSHA1")
    if method not in qcloud_v2.ALGORITHMS:
        raise RefusedError(4100, "SignatureMethod is not supported")
    # The vendor's SDKs sign the port when their endpoint has one; other clients do not.
    expected = {
        qcloud_v2.sign(account.secret, text, method)
        for host in (request.url.host, request.url.netloc.decode())
        for text in [qcloud_v2.string_to_sign(request.method, host, request.url.path, params)]
    }
    if params.get("Signature") not in expected:
        raise RefusedError(4100, "signature verification failed")
    if params.get("Token", "") != account.token:
        raise RefusedError(4105, "token error")
    replay = f"{account.key_id}/{timestamp}/{nonce}"
    if abs(now - timestamp) > qcloud_v2.MAX_SKEW_S or replay in cloud.nonces:
        raise RefusedError(4500, "replay attack: Nonce was used, or Timestamp is out of range")
    cloud.nonces.add(replay)
    return account


def number_of(text: str) -> int | None:
    """Return a whole number of at most 19 digits (a nonce of 63 bits), else None."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None
