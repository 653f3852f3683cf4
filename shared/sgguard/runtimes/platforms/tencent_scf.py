"""Tencent Cloud SCF: event functions and web functions.

Event functions get a context with a JSON text ``environment``, which holds the role's credentials
as they are now; the process environment holds those of the instance's start. Web functions get
them with each request (https://cloud.tencent.com/document/product/583/56124, read 2026-11-28).
"""

from __future__ import annotations

import json
from typing import Any

from sgguard.runtimes.credentials import NAMES, Given

CLOUD = "tencent"
CREDENTIALS = {
    "x-scf-secret-id": "key_id",
    "x-scf-secret-key": "secret",
    "x-scf-session-token": "token",
}
TIMEOUT = ("x-scf-timeout", 0.001)
IS_SET_UP_BY_CONTEXT = False


def given(context: Any) -> Given | None:
    """Return the role's credentials, None where the context has none."""
    table = _environment(context)
    return Given(*(_text(table.get(name)) for name in NAMES[CLOUD].of_runtime)) if table else None


def remaining_s(context: Any) -> float | None:
    """Return the function's timeout: the context has no time that is left."""
    limit = _read(context, "time_limit_in_ms")
    return limit / 1000 if isinstance(limit, int | float) and limit > 0 else None


def setting(context: Any, name: str) -> str:  # noqa: ARG001 - every platform is asked the same
    """Return nothing: settings are in the process environment."""
    return ""


def _environment(context: Any) -> dict[str, Any]:
    try:
        found = json.loads(_read(context, "environment") or "{}")
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _read(context: Any, name: str) -> Any:
    return context.get(name) if isinstance(context, dict) else getattr(context, name, None)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
