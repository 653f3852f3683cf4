"""The parser of DescribeSecurityGroupLimits.

Source: https://cloud.tencent.com/document/api/215/41428, and ``SecurityGroupLimitSet`` of the
vendor's SDKs, which has newer members (read 2026-11-28).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sgguard.errors import UnknownShapeError
from sgguard.model.codes import UnseenCode
from sgguard.model.failure import failure_of
from sgguard.model.resource import Limit, Seen, Unseen
from sgguard.model.sentence import said
from sgguard.providers._tencent_limits import DOCUMENTED_LIMITS, LIMIT_NOTES
from sgguard.wire.shape import Json, Shape

# ReferedSecurityGroupLimit is the API's own spelling; it may be corrected one day.
_LIVE_LIMITS: Mapping[str, tuple[str, ...]] = {
    "groups-per-instance": ("InstanceSecurityGroupLimit",),
    "instances-per-group": ("SecurityGroupInstanceLimit",),
    "rules-per-group": ("SecurityGroupPolicyLimit",),
    "references-per-group": ("ReferedSecurityGroupLimit", "ReferredSecurityGroupLimit"),
    "groups-per-project": ("SecurityGroupLimit",),
}

_LAUNCH_LIMITS = ("groups-per-instance", "instances-per-group")
_PER_REFERENCED = "SecurityGroupReferedCvmAndEniLimit"


def limits(shape: Shape, body: Json) -> Seen[tuple[Limit, ...]]:
    """Read DescribeSecurityGroupLimits; a limit it leaves out is the documented one, with a note.

    Two of them decide launches: there a limit that is left out is a gap as well. The use is never
    reported: ``groups-per-project`` holds for each project, and the action does not take one.
    ``instances-per-referenced-group`` has no documented value: where it is left out, there is none.
    """
    row = shape.table(body.get("SecurityGroupLimitSet"), "SecurityGroupLimitSet")
    read = tuple(_limit(shape, row, name, keys) for name, keys in _LIVE_LIMITS.items())
    if (ceiling := _ceiling(shape, row, _PER_REFERENCED)) is not None:
        note = said("limit.of-referenced")
        read += (Limit("instances-per-referenced-group", ceiling, source="live", note=note),)
    return Seen(
        read,
        tuple(
            Unseen(
                code=UnseenCode.NOT_TOLD,
                what=said("part.limit", name=name),
                why=said("why.leaves-out", action=shape.action, key=_LIVE_LIMITS[name][0]),
                remedy=said("remedy.ask-tencent"),
            )
            for name in _LAUNCH_LIMITS
            if row.get(_LIVE_LIMITS[name][0]) is None
        ),
    )


def _limit(shape: Shape, row: Json, name: str, keys: Sequence[str]) -> Limit:
    key = next((key for key in keys if row.get(key) is not None), keys[0])
    documented = DOCUMENTED_LIMITS[name]
    try:
        ceiling = _ceiling(shape, row, key)
    except UnknownShapeError as error:
        if name in _LAUNCH_LIMITS:
            raise
        return Limit(name, documented, note=failure_of(error))  # it decides no launch
    if ceiling is None:
        return Limit(name, documented, note=said("limit.left-out", key=key))
    if name == "groups-per-instance" and ceiling > documented:
        # The page's own sample says 2000; binding a sixth group is refused all the same
        # (LimitExceeded.AssociateUSGLimitExceeded), so only a policy may raise this.
        return Limit(
            name,
            documented,
            note=said("limit.contradicted", told=ceiling),
        )
    return Limit(name, ceiling, source="live", note=LIMIT_NOTES.get(name, ""))


def _ceiling(shape: Shape, row: Json, key: str) -> int | None:
    ceiling = shape.integer_or_none(row, key, "SecurityGroupLimitSet")
    if ceiling is not None and ceiling <= 0:
        raise shape.wrong(f"SecurityGroupLimitSet.{key}: expected a number above zero")
    return ceiling
