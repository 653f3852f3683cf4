"""Which ceiling counts where the cloud, its documents and the policy each name one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sgguard.model.resource import Limit
from sgguard.model.sentence import said

PER_REFERENCED = "instances-per-referenced-group"
PER_GROUP = ("instances-per-group", "interfaces-per-group", PER_REFERENCED)
"""The limits on how many holders a group may have."""

PER_HOLDER = ("groups-per-instance", "groups-per-interface")
"""The limits on how many groups a holder may have."""

_PRECEDENCE = {"live": 0, "documented": 1, "policy": 2}


def counts_holders(overrides: Mapping[str, int]) -> bool:
    """Return whether a policy's ceilings say themselves how many holders a group may have."""
    return any(name in overrides for name in PER_GROUP)


def effective(
    limits: Iterable[Limit],
    overrides: Mapping[str, int],
    name: str,
    kinds: Iterable[str | None] = (None,),
) -> Limit | None:
    """Return the ceiling that counts: the policy's, else the live one, else the documented one.

    ``kinds`` are those of the groups it is about; a ceiling for one of them comes before one for
    every kind, and of several kinds the strictest counts. An unknown kind may be any. Of two with
    the same source the enforced one counts before mere advice, then the lower one.
    None: no such limit is known.
    """
    if name in overrides:
        return Limit(name, overrides[name], source="policy", note=said("limit.of-policy"))
    known = [one for one in limits if one.name == name]
    special = {one.applies_to for one in known} - {""}
    asked = {each for kind in kinds for each in ({kind} if kind else special or {""})} or {""}
    best = [
        min(fitting, key=_rank)
        for kind in asked
        if (fitting := [one for one in known if one.applies_to in ("", kind)])
    ]
    return min(best, key=_strictness, default=None)


def _rank(limit: Limit) -> tuple[bool, int, bool, bool, int, str]:
    return not limit.applies_to, _PRECEDENCE[limit.source], *_strictness(limit)


def _strictness(limit: Limit) -> tuple[bool, bool, int, str]:
    return not limit.is_enforced, limit.ceiling is None, limit.ceiling or 0, repr(limit)
