"""The time for one event or request: it ends before the platform ends the invocation.

A plan has to end, or be handed on, before the process is killed, whatever the operator set.
"""

from __future__ import annotations

VARIABLE = "SGGUARD_DEADLINE_S"

_DEFAULT_S = 10.0
_SPARE_S = 1.0
"""Seconds that stay to answer in; of very little time, half."""


def bounded(env: dict[str, str], left_s: float | None) -> dict[str, str]:
    """Return the environment with a deadline that fits; ``left_s`` is None where nobody knows."""
    if left_s is None:
        return env
    usable = max(left_s - _SPARE_S, left_s / 2)
    try:
        usable = min(usable, float(env.get(VARIABLE) or _DEFAULT_S))
    except ValueError:
        return env  # it is refused where settings are read
    return {**env, VARIABLE: repr(usable)}
