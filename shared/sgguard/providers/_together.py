"""What a cloud can do besides whose calls take many holders at once.

The methods are named after those of :class:`~sgguard.providers.base.Changes` that take one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from sgguard.errors import SgguardError
from sgguard.model.change import Change, Holder


@runtime_checkable
class Together(Protocol):
    """What a cloud has besides whose calls take many holders at once."""

    def read_holders_together(self, wanted: Sequence[Holder]) -> list[tuple[str, ...] | None]:
        """Return of each, in order, what ``read_holder`` returns."""
        ...

    def set_groups_together(self, changes: Sequence[Change]) -> list[SgguardError | None]:
        """Make changes of kind ``set-groups``, of different holders, with as few calls as it takes.

        Return of each, in order, None or the error that ``set_groups`` would have raised, with the
        same meaning: what a call for many left in doubt is in doubt for each.
        """
        ...
