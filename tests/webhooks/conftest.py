"""Functions with callers, for callbacks and dead letters over HTTP."""

from __future__ import annotations

from tests.callers.conftest import cloud, framework, guarded, world

__all__ = ["cloud", "framework", "guarded", "world"]
