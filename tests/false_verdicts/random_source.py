"""Seeded randomness: the same text gives the same choices on every machine."""

from __future__ import annotations

import random
import string
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")

_SMALL = string.digits + string.ascii_lowercase


class RandomSource(random.Random):
    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def some(self, items: Sequence[T], low: int, high: int) -> list[T]:
        """Between ``low`` and ``high`` different items, fewer where there are fewer."""
        count = self.randint(low, max(low, high))
        return self.sample(list(items), min(count, len(items)))

    def part(self, items: Sequence[T], probability: float) -> list[T]:
        return [item for item in items if self.chance(probability)]

    def word(self, length: int) -> str:
        return "".join(self.choices(_SMALL, k=length))

    def uuid(self) -> str:
        return str(UUID(int=self.getrandbits(128), version=4))
