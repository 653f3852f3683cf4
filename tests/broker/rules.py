"""Knative Eventing's rules of delivery, as its documents and its source say.

Source: knative/eventing, ``pkg/kncloudevents/retries.go`` (``SelectiveRetry``, backoff) and
``event_dispatcher.go`` (dead letters, replies), read 2026-11. Not covered: Knative's own dispatcher
and the handover of partitions between its replicas.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_AGAIN = frozenset({404, 408, 409, 429})
_WAITS = frozenset({429, 503})


@dataclass(frozen=True)
class DeliverySpec:
    """``spec.delivery`` of a Trigger: retries, backoff, and the longest wait that is obeyed."""

    retry: int = 12
    backoff_policy: str = "exponential"
    backoff_delay_s: float = 0.1
    retry_after_max_s: float = 2.0


def is_delivered(status: int) -> bool:
    return 200 <= status < 300


def is_repeated(status: int | None) -> bool:
    """Whether an event is sent again; None is an error of the transport."""
    return status is None or status in _AGAIN or status >= 500


def wait_s(
    spec: DeliverySpec, attempt: int, status: int | None, headers: Mapping[str, str]
) -> float:
    """Return how long to wait before an attempt (the first repetition is 1)."""
    is_linear = spec.backoff_policy == "linear"
    backoff = spec.backoff_delay_s * (attempt if is_linear else 2**attempt)
    told = headers.get("retry-after", "")
    if status not in _WAITS or not told.isdigit():
        return backoff
    return max(backoff, min(float(told), spec.retry_after_max_s))
