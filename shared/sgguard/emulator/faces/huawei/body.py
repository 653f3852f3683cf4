"""What the body of a change of VPC v3 says, and what the API refuses to read."""

from __future__ import annotations

import json
from typing import Any

import httpx

from sgguard.emulator.faces.huawei.error import refused

Said = dict[str, Any]


def said(request: httpx.Request, key: str, known: frozenset[str]) -> Said:
    """Return the object a change is about; keys without a value are left out.

    Raises:
        RefusedError: it is missing, or has a key that the API does not know.
    """
    try:
        whole = json.loads(request.content)
    except ValueError:
        whole = None
    found = whole.get(key) if isinstance(whole, dict) else None
    if not isinstance(found, dict):
        raise refused("SYS.0400", f"{key} is required.")
    if unknown := sorted(set(found) - known):
        raise refused("SYS.0400", f"'{unknown[0]}' isn't supported attribute.")
    return {name: value for name, value in found.items() if value is not None}


def group_ids(row: Said) -> list[str]:
    """Return the groups a change of an interface names.

    Raises:
        RefusedError: there is none, one twice, or something else than a list of texts.
    """
    ids = row.get("security_groups")
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        raise refused("SYS.0400", "security_groups must be a list of ids and not be empty.")
    if len(set(ids)) != len(ids):
        raise refused("SYS.0400", "Invalid input for security_groups. Duplicate items in the list")
    return ids
