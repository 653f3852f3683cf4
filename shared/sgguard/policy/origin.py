"""Where each value of a policy comes from: a default, the file, or one of its scopes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

import msgspec

from sgguard.policy.model import Policy

_TABLES = ("delete", "launch", "caps", "approval")


class Origin(msgspec.Struct, frozen=True):
    """One value of the policy: its path (``delete.remedies``), as JSON has it, and its source."""

    path: str
    value: Any
    source: str


def origins(policy: Policy, document: Mapping[str, Any], scope: int | None) -> Iterator[Origin]:
    """Yield every value of a policy with its source.

    ``policy`` is the effective one, ``document`` the file it comes from and ``scope`` the number
    of the scope that was applied, None for none.
    """
    special = document["scope"][scope] if scope is not None else {}
    name = f"scope {scope}"
    for key in ("mode", "halt"):
        source = name if key in special else "file" if key in document else "default"
        yield Origin(key, plain(getattr(policy, key)), source)
    for table in _TABLES:
        given, changed = document.get(table, {}), special.get(table, {})
        part = getattr(policy, table)
        for field in part.__struct_fields__:
            value = plain(getattr(part, field))
            if field == "mode" and value is None:
                continue  # the guard has the policy's mode
            source = name if field in changed else "file" if field in given else "default"
            yield Origin(f"{table}.{field}", value, source)
    for provider, ceilings in policy.limits.items():
        for limit, ceiling in ceilings.items():
            yield Origin(f"limits.{provider}.{limit}", ceiling, "file")


def plain(value: Any) -> Any:
    """Return a value of the policy as JSON has it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    return dict(value) if isinstance(value, Mapping) else value
