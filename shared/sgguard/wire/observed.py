"""What is counted and traced of a call to a cloud: one attempt, by itself."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from sgguard.errors import CloudError, SgguardError
from sgguard.telemetry import metrics, registry, traces

P = ParamSpec("P")
T = TypeVar("T")

_WORD = re.compile(r"(?<!^)(?=[A-Z])")
_PACED = "Paced"


def result_of(error: Exception) -> str:
    """Return how a call ended that raised this, as the label ``result`` has it."""
    if isinstance(error, CloudError) and error.code == _PACED:
        return "paced"
    return _WORD.sub("-", type(error).__name__.removesuffix("Error")).lower()


def observed(send: Callable[P, T]) -> Callable[P, T]:
    """Count and trace each call of a method ``send(wire, method, url, *, action, …)``."""

    @wraps(send)
    def observing(*args: P.args, **kwargs: P.kwargs) -> T:
        if not metrics.is_on() and not traces.is_on():
            return send(*args, **kwargs)
        wire = cast(Any, args[0])
        provider, action = str(wire.provider), str(kwargs["action"])
        about: dict[str, traces.Value] = {"sgguard.provider": provider, "sgguard.action": action}
        begun_s, result = time.perf_counter(), "ok"
        with traces.span(f"{provider} {action}", "client", about) as span:
            try:
                return send(*args, **kwargs)
            except SgguardError as error:
                result = result_of(error)
                raise
            finally:
                span.set(sgguard__result=result)
                metrics.count(registry.CLOUD_CALLS, provider=provider, result=result)
                took_s = time.perf_counter() - begun_s
                metrics.observe(registry.CLOUD_CALL_SECONDS, took_s, provider=provider)

    return observing
