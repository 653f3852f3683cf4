"""How often OpenStack's APIs may be called, per second: nobody documents a rate.

Clouds that limit calls do so in a proxy of their own, and say it with a 429.
"""

from __future__ import annotations

from collections.abc import Mapping

RATES: Mapping[str, float] = {"*": 100.0}
"""Calls per second, by action; generous, it only keeps a batch polite."""
