"""Alibaba Cloud Function Compute 3: event functions, and the custom runtime.

A custom runtime is an HTTP server on port 9000. Events come as ``POST /invoke``, the start as
``POST /initialize``; how it went is told by the header ``x-fc-status``, for without it every
invocation counts as a success (https://help.aliyun.com/document_detail/425057.html, read
2026-11-28). Credentials of the role come with every request and every context.
"""

from __future__ import annotations

from typing import Any

from sgguard.runtimes.credentials import Given

CLOUD = "alibaba"
CREDENTIALS = {
    "x-fc-access-key-id": "key_id",
    "x-fc-access-key-secret": "secret",
    "x-fc-security-token": "token",
}
TIMEOUT = ("x-fc-function-timeout", 1.0)
IS_SET_UP_BY_CONTEXT = False


def given(context: Any) -> Given | None:
    """Return the role's credentials, None where the function has no role."""
    held = getattr(context, "credentials", None)
    names = ("access_key_id", "access_key_secret", "security_token")
    return None if held is None else Given(*(getattr(held, name, "") or "" for name in names))


def remaining_s(context: Any) -> float | None:
    """Return the function's timeout: the context has no time that is left."""
    limit = getattr(getattr(context, "function", None), "timeout", None)
    return float(limit) if isinstance(limit, int | float) and limit > 0 else None


def setting(context: Any, name: str) -> str:  # noqa: ARG001 - every platform is asked the same
    """Return nothing: settings are in the process environment."""
    return ""
