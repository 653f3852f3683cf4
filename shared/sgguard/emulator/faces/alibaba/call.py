"""One call to the emulated Alibaba Cloud ECS: its parameters, what it may see, its pages."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sgguard.emulator.faces.alibaba.answers import RefusedError
from sgguard.emulator.state import Account, Cloud, Group, Instance, Interface

_IDS_MAX = 100


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one account, its parameters by name."""

    cloud: Cloud
    account: Account
    params: Mapping[str, str]

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

    def sees(self, thing: Group | Instance | Interface) -> bool:
        """Say whether something belongs to this account and region."""
        return (thing.account, thing.region) == (self.account.id, self.params.get("RegionId"))


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
    """Return one page: by token where the caller pages so, else by number and with a total."""
    if "NextToken" in call.params or "MaxResults" in call.params:
        return page_by_token(call, rows, container, item, sizes=sizes)
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
    """Return the page a token stands for; the size asked for is clamped, never refused."""
    smallest, default, largest = sizes
    size = min(max(_positive(call, "MaxResults", default), smallest), largest)
    size = min(size, call.cloud.quirks.get("page_max", size))
    start = _offset(call.params.get("NextToken", ""))
    end = start + size
    if call.cloud.quirks.get("endless_pages"):
        end = 0
    return {
        container: {item: list(rows[start : start + size])},
        "NextToken": "" if end >= len(rows) else _token(end),
    }


def _positive(call: Call, name: str, default: int) -> int:
    text = call.params.get(name) or str(default)
    if not text.isdigit() or int(text) < 1:
        raise RefusedError("InvalidParameter", f"The specified parameter {name} is not valid.")
    return int(text)


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"offset {offset}".encode()).decode()


def _offset(token: str) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token).decode().removeprefix("offset "))
    except ValueError:
        raise RefusedError("InvalidNextToken", "The specified NextToken is not valid.") from None
