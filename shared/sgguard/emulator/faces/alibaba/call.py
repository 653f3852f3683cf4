"""One call to the emulated Alibaba Cloud ECS: parameters, visibility, replays and pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sgguard.emulator.faces.alibaba.response import RefusedError
from sgguard.emulator.state import Account, Cloud, Group, Instance, Interface

T = TypeVar("T")

TOKEN_MAX = 64

_IDS_MAX = 100
_WITH_CLIENT_TOKEN = ("Authorize", "Revoke", "Create", "ModifySecurityGroupPolicy")
_CHANGING_PARAMS = frozenset(
    {"Signature", "SignatureNonce", "Timestamp", "SecurityToken", "AccessKeyId"}
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one account, its parameters by name; ``now`` is in epoch seconds."""

    cloud: Cloud
    account: Account
    params: Mapping[str, str]
    now: float = 0.0

    def required(self, name: str) -> str:
        """Return a parameter.

        Raises:
            RefusedError: MissingParameter.
        """
        if value := self.params.get(name, ""):
            return value
        raise RefusedError(
            "MissingParameter",
            f'The input parameter "{name}" that is mandatory for processing this request '
            "is not supplied.",
        )

    def group(self, group_id: str) -> Group:
        """Return a group of this account and region.

        Raises:
            RefusedError: InvalidSecurityGroupId.NotFound.
        """
        group = self.cloud.group(group_id)
        if group is None or not self.sees(group):
            raise RefusedError(
                "InvalidSecurityGroupId.NotFound",
                "The specified SecurityGroupId does not exist.",
                404,
            )
        return group

    def kept(self, key: Hashable, find: Callable[[], list[T]]) -> list[T]:
        """Return what was found in the present state (``Cloud.kept``), where that is all it takes.

        With the quirk ``binding_delay_s`` what is listed depends on the time.
        """
        if self.cloud.quirks.get("binding_delay_s"):
            return find()
        return self.cloud.kept((self.account.id, self.params.get("RegionId"), key), find)

    def sees(self, resource: Group | Instance | Interface) -> bool:
        """Return whether something belongs to this account and region."""
        return (resource.account, resource.region) == (self.account.id, self.params.get("RegionId"))


def require_unmanaged(group: Group) -> None:
    """Refuse to change a group that a cloud product manages.

    Raises:
        RefusedError: InvalidOperation.ResourceManagedByCloudProduct.
    """
    if group.managed_by:
        raise RefusedError(
            "InvalidOperation.ResourceManagedByCloudProduct",
            "The resource is managed by a cloud product.",
            403,
        )


def replayed(call: Call, action: str, act: Callable[[Call], dict[str, Any]]) -> dict[str, Any]:
    """Act once per ``ClientToken``: a repeated call gets the first response again.

    1. A call without a token, or of an action without tokens, just acts.
    2. A token is the account's own. It is kept with the action and the parameters of its first
       call, without those that differ in every attempt, such as the signature.
    3. The same token with the same call returns the kept response and changes nothing; with another
       call it is refused.
    4. Only a success is kept: after an error the same token may be used again.

    Source: "How to ensure idempotence", alibabacloud.com/help/en/ecs, read 2026-11.

    Raises:
        RefusedError: the token is too long, or was used for another call.
    """
    token = call.params.get("ClientToken", "")
    if not token or not action.startswith(_WITH_CLIENT_TOKEN):
        return act(call)
    if len(token) > TOKEN_MAX or not token.isascii():
        raise RefusedError("InvalidParameter", "The specified ClientToken is not valid.")
    name = f"alibaba token {call.account.id} {token}"
    request = (action, {k: v for k, v in call.params.items() if k not in _CHANGING_PARAMS})
    if name in call.cloud.tokens:
        first, fields = call.cloud.tokens[name]
        if first != request:
            message = "The request uses the same client token as a previous, but non-identical one."
            raise RefusedError("IdempotentParameterMismatch", message)
        return dict(fields)
    fields = act(call)
    call.cloud.tokens[name] = (request, dict(fields))
    return fields


def numbered(call: Call, name: str, member: str = "") -> tuple[str, ...]:
    """Return the values of ``name.1``, ``name.2``, …, or of one member of each, in that order."""
    found: dict[int, str] = {}
    for key, value in call.params.items():
        number = key.removeprefix(f"{name}.").removesuffix(member)
        if key == f"{name}.{number}{member}" and number.isdigit():
            found[int(number)] = value
    return tuple(found[number] for number in sorted(found))


def id_list(call: Call, name: str) -> list[str] | None:
    """Return a parameter that is a JSON array of at most a hundred ids."""
    if name not in call.params:
        return None
    try:
        ids = json.loads(call.params[name])
    except ValueError:
        ids = None
    if not isinstance(ids, list) or len(ids) > _IDS_MAX:
        raise RefusedError(
            f"Invalid{name.removesuffix('s')}.Malformed",
            f"The specified parameter {name} is not a JSON array of at most 100 ids.",
        )
    return [str(one) for one in ids]


def page(
    call: Call, rows: Sequence[Any], container: str, item: str, *, sizes: tuple[int, int, int]
) -> dict[str, Any]:
    """Return one page: by token if the caller sends one, else by number and with a total."""
    knows_tokens = call.cloud.quirks.get("paging") != "numbers"
    if knows_tokens and ("NextToken" in call.params or "MaxResults" in call.params):
        return page_by_token(call, rows, container, item, sizes=sizes)
    if call.cloud.quirks.get("paging") == "tokens" and {"PageNumber", "PageSize"} & set(
        call.params
    ):
        raise RefusedError(
            "NotSupported.PageNumberAndPageSize",
            "The parameters PageNumber and PageSize are currently not supported, please use "
            "NextToken and MaxResults instead.",
        )
    number = _positive(call, "PageNumber", 1)
    size = min(_positive(call, "PageSize", sizes[1]), sizes[2])
    start = (number - 1) * size
    return {
        container: {item: list(rows[start : start + size])},
        "TotalCount": len(rows),
        "PageNumber": number,
        "PageSize": size,
    }


def page_by_token(
    call: Call, rows: Sequence[Any], container: str, item: str, *, sizes: tuple[int, int, int]
) -> dict[str, Any]:
    """Return the page of a token; the requested size is clamped, never refused.

    A token holds the position of its page, and whether that page is one of the empty pages in
    between (quirk ``empty_pages``).
    """
    smallest, default, largest = sizes
    quirks = call.cloud.quirks
    size = min(max(_positive(call, "MaxResults", default), smallest), largest)
    size = min(size, quirks.get("page_max", size))
    start, is_empty = _position(call.params.get("NextToken", ""))
    end = start if is_empty else start + size
    token = (
        "" if end >= len(rows) else _token(end, is_empty=not is_empty and _has_empty_pages(call))
    )
    if quirks.get("endless_pages"):
        end, token = (
            (start, _token(start + 1)) if _is_endless_and_empty(call) else (start + size, _token(0))
        )
    members: dict[str, Any] = {container: {item: list(rows[start:end])}}
    if token or not quirks.get("omits_empty_token"):
        members["NextToken"] = token
    if "token_total" in quirks:
        members["TotalCount"] = quirks["token_total"]
    return members


def _has_empty_pages(call: Call) -> bool:
    return bool(call.cloud.quirks.get("empty_pages"))


def _is_endless_and_empty(call: Call) -> bool:
    return bool(call.cloud.quirks["endless_pages"] == "empty")


def _positive(call: Call, name: str, default: int) -> int:
    text = call.params.get(name) or str(default)
    if not text.isdigit() or int(text) < 1:
        raise RefusedError("InvalidParameter", f"The specified parameter {name} is not valid.")
    return int(text)


def _token(offset: int, *, is_empty: bool = False) -> str:
    kind = "pause" if is_empty else "offset"
    return base64.urlsafe_b64encode(f"{kind} {offset}".encode()).decode()


def _position(token: str) -> tuple[int, bool]:
    """Return the position of a page, and whether it is one of the empty pages in between."""
    if not token:
        return 0, False
    try:
        kind, _, offset = base64.urlsafe_b64decode(token).decode().partition(" ")
        return int(offset), kind == "pause"
    except ValueError:
        raise RefusedError("InvalidNextToken", "The specified NextToken is not valid.") from None
