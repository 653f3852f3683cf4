"""What is counted and traced here, as the settings say: nothing, unless they do.

Set up with the first request and not when the process starts: a cold start that needs none of it
imports none of it, and workers that are forked from one process each get their own.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

import msgspec

from sgguard import lazy
from sgguard.telemetry import logs, metrics, traces

if TYPE_CHECKING:
    from sgguard.telemetry import exposition, otel
    from sgguard.telemetry.exposition import Prometheus
    from sgguard.telemetry.otel import OpenTelemetry
else:
    exposition = lazy("sgguard.telemetry.exposition")
    otel = lazy("sgguard.telemetry.otel")

METRICS, OTEL = "SGGUARD_METRICS", "SGGUARD_OTEL"
MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
"""Where the library keeps the numbers of several processes; a variable of its own."""
_PROMETHEUS = ("prometheus_client",)
_OTEL = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")

VARIABLES = (
    (METRICS, "off", "on: the function answers GET /metrics for Prometheus (extra `metrics`)"),
    (
        OTEL,
        "off",
        "OpenTelemetry over OTLP (extra `otel`): flush sends before each answer, batch later",
    ),
)
"""Name, default and meaning of each setting; those of ``OTEL_*`` are OpenTelemetry's own."""

CHOICES: Mapping[str, tuple[str, ...]] = {METRICS: ("off", "on"), OTEL: ("off", "flush", "batch")}


class Telemetry(msgspec.Struct, frozen=True):
    """What is set up in this process."""

    prometheus: Prometheus | None = None
    otel: OpenTelemetry | None = None
    flushes: bool = False

    def flush(self) -> None:
        """Send what was recorded, where the platform may freeze the process after the answer."""
        if self.otel is not None and self.flushes:
            self.otel.flush()


def of(env: Mapping[str, str]) -> Telemetry:
    """Return what the settings ask for; made once per process."""
    asked = tuple(env.get(name, "").strip() or "off" for name in (METRICS, OTEL))
    if asked == ("off", "off"):
        return NOTHING
    # Requests come at once, and two sinks would share the numbers of one process.
    with _guard:
        return _made(*asked)


NOTHING = Telemetry()

_guard = threading.Lock()


@lru_cache(maxsize=4)
def _made(asked_metrics: str, asked_otel: str) -> Telemetry:
    """Set up; a library that fails costs the numbers and no answer."""
    prometheus = open_telemetry = None
    try:
        prometheus = exposition.Prometheus() if asked_metrics == "on" else None
        if asked_otel in ("flush", "batch"):
            open_telemetry = otel.OpenTelemetry(os.environ)
            if asked_otel == "batch":
                atexit.register(open_telemetry.flush)
    except Exception as error:  # noqa: BLE001 - as above
        logs.log(logging.ERROR, "no telemetry", error=type(error).__name__)
    metrics.send_to(*(one for one in (prometheus, open_telemetry) if one is not None))
    traces.send_to(open_telemetry)
    return Telemetry(prometheus, open_telemetry, asked_otel == "flush")


def missing(env: Mapping[str, str]) -> str:
    """Return why what the settings ask for cannot be set up; empty where it can."""
    for name, library, extra in ((METRICS, _PROMETHEUS, "metrics"), (OTEL, _OTEL, "otel")):
        value = env.get(name, "").strip()
        if value and value not in CHOICES[name]:
            return f"{name}={value!r}: expected one of {', '.join(CHOICES[name])}"
        if value not in ("", "off") and not all(_is_installed(one) for one in library):
            return f"{name}={value} needs the extra {extra}: pip install 'sgguard[{extra}]'"
    workers = env.get("WORKERS", "").strip()
    is_many = workers.isdecimal() and int(workers) > 1
    if is_many and env.get(METRICS, "").strip() == "on" and not env.get(MULTIPROCESS, "").strip():
        return (
            f"{METRICS}=on with WORKERS={workers} needs {MULTIPROCESS}, an empty directory for the "
            "numbers of all workers: else each answer has those of one of them"
        )
    return ""


def _is_installed(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except ModuleNotFoundError:
        return False
