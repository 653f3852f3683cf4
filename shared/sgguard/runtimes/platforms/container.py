"""A container or a process that somebody else starts: Knative, Cloud Run, systemd, SCF's images.

Nothing but the process environment says what it works with: no request brings credentials.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sgguard.runtimes.credentials import Given

CLOUD = ""
CREDENTIALS: Mapping[str, str] = {}
TIMEOUT = ("", 0.0)
IS_SET_UP_BY_CONTEXT = False


def given(context: Any) -> Given | None:  # noqa: ARG001 - every platform is asked the same
    """Return nothing."""
    return None


def remaining_s(context: Any) -> float | None:  # noqa: ARG001 - as above
    """Return nothing: the platform tells no limit."""
    return None


def setting(context: Any, name: str) -> str:  # noqa: ARG001 - as above
    """Return nothing."""
    return ""
