"""Huawei Cloud FunctionGraph: event functions, and HTTP functions behind APIG.

The context of an event function answers getters: credentials of the agency (the platform renews
them; valid for 24 hours), the time that is left, and the variables that the operator set, which
are not in the process environment. HTTP functions get the credentials with each request where
"include keys" is on (functiongraph_01_0395, read 2026-11-28).
"""

from __future__ import annotations

from typing import Any

from sgguard.runtimes.credentials import Given

CLOUD = "huawei"
CREDENTIALS = {
    "x-cff-security-access-key": "key_id",
    "x-cff-security-secret-key": "secret",
    "x-cff-security-token": "token",
}
TIMEOUT = ("", 0.0)  # its unit is not documented
IS_SET_UP_BY_CONTEXT = True

_MS = 1000


def given(context: Any) -> Given | None:
    """Return the agency's credentials, None where the context has no such getters."""
    names = ("getSecurityAccessKey", "getSecuritySecretKey", "getSecurityToken")
    if not all(callable(getattr(context, name, None)) for name in names):
        return None
    return Given(*(getattr(context, name)() or "" for name in names))


def remaining_s(context: Any) -> float | None:
    """Return the time that is left of the function's timeout."""
    read = getattr(context, "getRemainingTimeInMilliSeconds", None)
    left = read() if callable(read) else None
    return left / _MS if isinstance(left, int | float) and left > 0 else None


def setting(context: Any, name: str) -> str:
    """Return a variable of the function as the operator set it."""
    read = getattr(context, "getUserData", None)
    found = read(name) if callable(read) else None
    return found if isinstance(found, str) else ""
