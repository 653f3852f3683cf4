"""The functions as a client has them, and the documents they describe themselves with."""

from __future__ import annotations

from tests.commands import sgguard
from tests.functions.conftest import cloud, framework, world

__all__ = ["cloud", "framework", "sgguard", "world"]  # fixtures
