"""Injected faults: latency, throttling, errors, garbage, lost responses for the next N calls."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

KINDS = ("latency", "throttle", "error", "garbage", "drop")
"""What ``core.Emulator`` does with a call: a new kind needs its branch there as well."""

LATENCY_MAX_MS = 600_000

_STATUSES = range(200, 600)


class DroppedConnectionError(Exception):
    """The connection is closed without a response."""


@dataclass(slots=True)
class Fault:
    """One kind of fault for the next ``count`` calls whose cloud and action match.

    ``provider`` and ``action`` are fnmatch patterns. ``code`` is the cloud's own error code for
    ``error``. ``latency_ms`` delays, with every kind. ``body``, ``status`` and ``content_type``
    describe ``garbage``. With ``is_after`` the call takes effect first and only its response is
    lost or replaced. ``skip`` matching calls pass before the first fault.
    """

    kind: str
    provider: str = "*"
    action: str = "*"
    count: int = 1
    skip: int = 0
    code: str = ""
    latency_ms: float = 0.0
    body: str = "<html>not what you asked for</html>"
    status: int = 200
    content_type: str = "text/html"
    is_after: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {self.kind!r}")
        if self.count < 1:
            raise ValueError(f"count: expected at least 1, got {self.count}")
        if self.skip < 0:
            raise ValueError(f"skip: expected at least 0, got {self.skip}")
        if not 0 <= self.latency_ms <= LATENCY_MAX_MS:  # written so that NaN is refused as well
            raise ValueError(f"latency_ms: expected 0 to {LATENCY_MAX_MS}, got {self.latency_ms}")
        if self.status not in _STATUSES:
            raise ValueError(f"status: expected 200 to 599, got {self.status}")
        if not (self.content_type.isascii() and self.content_type.isprintable()):
            raise ValueError("content_type: expected printable ASCII characters")

    def applies_to(self, provider: str, action: str) -> bool:
        """Return whether the fault applies to this call; a call that matches is counted."""
        if self.count <= 0:
            return False
        if not (fnmatchcase(provider, self.provider) and fnmatchcase(action, self.action)):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.count -= 1
        return True
