"""The ceilings of Huawei Cloud: live quotas of VPC v3, and advice where there is none.

Sources: https://support.huaweicloud.com/intl/en-us/api-vpc/ShowQuota.html for the quotas, the
security group overviews of the VPC and ECS user guides for the advice (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Sequence

from sgguard.model import Limit
from sgguard.wire.shape import Json, Shape

_NOT_ONLINE = -1
"""What a quota says that this deployment does not have yet: nothing about "unlimited"."""

ADVICE = (
    Limit(
        "groups-per-interface",
        5,
        is_enforced=False,
        note="advice of the vendor; the cloud binds more",
    ),
    Limit("rules-per-group", 50, is_enforced=False, note="advice of the vendor"),
    Limit("instances-per-group", 6000, is_enforced=False, note="advice of the vendor"),
    Limit(
        "composite-rules-per-group",
        128,
        is_enforced=False,
        note="per direction; rules beyond it are accepted and silently do not take effect",
    ),
)
"""What the product documents as advice; a live quota replaces what it covers."""

_HUAWEI_ONLY = {"instances-per-group", "composite-rules-per-group"}
_QUOTAS = {
    "eni_contain_secgroup": "groups-per-interface",
    "secgroup_contain_rules": "rules-per-group",
    "secgroup_referred_by_nic": "interfaces-per-group",
    "security_group": "groups-per-project",
    "security_group_rule": "rules-per-project",
}
_COMPOSITE = tuple(
    f"security_group_contain_{direction}_{family}_composite_rules"
    for direction in ("ingress", "egress")
    for family in ("ipv4", "ipv6")
)


def parse_limits(body: object, shape: Shape) -> tuple[Limit, ...]:
    """Read ``GET /v3/{project_id}/vpc/quotas``; -1 there says "not online", not "unlimited".

    Raises:
        UnknownShapeError: no ``quota`` object, or a value that is no number.
    """
    quota = shape.table(shape.table(body, "answer").get("quota"), "quota")
    live = [
        Limit(name, ceiling, source="live", note=f"quota {key}")
        for key, name in _QUOTAS.items()
        if (ceiling := _online(quota, key, shape)) is not None
    ]
    composite = [c for key in _COMPOSITE if (c := _online(quota, key, shape)) is not None]
    if composite:
        note = next(limit.note for limit in ADVICE if limit.name == "composite-rules-per-group")
        live.append(
            Limit(
                "composite-rules-per-group",
                min(composite),
                source="live",
                is_enforced=False,
                note=note,
            )
        )
    return tuple(live)


def with_advice(live: Sequence[Limit], *, is_otc: bool = False) -> tuple[Limit, ...]:
    """Return the live ceilings, and the documented advice where there is none."""
    covered = {limit.name for limit in live} | (_HUAWEI_ONLY if is_otc else set())
    if "interfaces-per-group" in covered:
        covered.add("instances-per-group")  # the same advice, in the quota's own unit
    return (*live, *(limit for limit in ADVICE if limit.name not in covered))


def _online(quota: Json, key: str, shape: Shape) -> int | None:
    value = shape.whole_or_none(quota, key, "quota")
    return None if value is None or value <= _NOT_ONLINE else value
