"""The interface of a cloud whose lists tell of many holders what a call tells of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from sgguard.model.change import Holder


@runtime_checkable
class HolderLists(Protocol):
    """A further method of a cloud that tells the groups of one holder a call.

    Its lists of the holders of a group tell of many, but not in which order each carries its
    groups, nor whether it carries more of them.
    """

    def still_carrying(
        self, known: Mapping[Holder, tuple[str, ...]], told: Mapping[str, frozenset[str]]
    ) -> frozenset[Holder]:
        """Return the holders that are listed now with each group that they were known to carry.

        ``told`` are ids of holders by a group, as they were listed a moment ago. None is returned
        where it takes fewer calls to read each.

        Raises:
            DeadlineError: the time is used up.
        """
        ...
