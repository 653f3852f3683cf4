"""Spans: what the code calls around a piece of work; nothing until tracing is set up.

Attributes are given as plain values. Texts are cut and lose every known secret; what nobody may
see (bodies, headers, queries, a cloud's words) is never given.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, Protocol

from sgguard.telemetry.redaction import redacted

Value = str | int | float | bool
Attributes = Mapping[str, Value]
SpanKind = Literal["server", "client", "internal"]

_TEXT_MAX = 256


class Span(Protocol):
    """One piece of work under way."""

    def set(self, **attributes: Value) -> None:
        """Add attributes, with ``__`` in a name for each dot."""
        ...

    def fail(self, error: str) -> None:
        """Mark it as failed, with the class of the error and never its text."""
        ...


class Tracer(Protocol):
    """What makes spans."""

    def span(
        self, name: str, kind: SpanKind, attributes: Attributes, parent: Mapping[str, str]
    ) -> AbstractContextManager[Span]:
        """Begin a span; ``parent`` may hold ``traceparent``."""
        ...

    def event(self, name: str, attributes: Attributes) -> None:
        """Add an event to the span under way."""
        ...

    def trace_id(self) -> str:
        """Return the id of the trace under way, empty where there is none."""
        ...


class _NoSpan:
    def set(self, **attributes: Value) -> None:
        """Keep nothing."""

    def fail(self, error: str) -> None:
        """Keep nothing."""


_NO_SPAN = _NoSpan()
_tracer: Tracer | None = None


def send_to(tracer: Tracer | None) -> None:
    """Make spans with this tracer from now on; None: make none."""
    global _tracer  # noqa: PLW0603 - the one switch, which hot code only reads
    _tracer = tracer


def is_on() -> bool:
    """Return whether spans are made."""
    return _tracer is not None


def span(
    name: str,
    kind: SpanKind,
    attributes: Attributes,
    parent: Mapping[str, str] | None = None,
) -> AbstractContextManager[Span]:
    """Return a context that is one span."""
    if _tracer is None:
        return nullcontext(_NO_SPAN)
    return _tracer.span(name, kind, clean(attributes), parent or {})


def event(name: str, attributes: Attributes) -> None:
    """Add an event to the span under way."""
    if _tracer is not None:
        _tracer.event(name, clean(attributes))


def trace_id() -> str:
    """Return the id of the trace under way, empty where there is none."""
    return "" if _tracer is None else _tracer.trace_id()


def clean(attributes: Attributes) -> dict[str, Value]:
    """Return the attributes that say something, cut, and without a known secret."""
    return {
        name: redacted(value)[:_TEXT_MAX] if isinstance(value, str) else value
        for name, value in attributes.items()
        if value != ""
    }
