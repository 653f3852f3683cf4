"""The limits of Huawei Cloud: live quotas of the project, else documented advice.

VPC v3 has ceilings of many kinds without their use; -1 means that the quota is not online. VPC v1,
which Open Telekom Cloud has too, has the ceilings of groups and rules with their use; -1 means that
there is no limit.
Sources: https://support.huaweicloud.com/intl/en-us/api-vpc/ShowQuota.html and
https://support.huaweicloud.com/intl/en-us/api-vpc/vpc_quota_0001.html for the quotas, the
security group overviews of the VPC and ECS user guides for the advice (read 2026-11).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from sgguard.model.resource import Limit, Seen
from sgguard.model.sentence import said
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.huawei import listing
from sgguard.providers.huawei.api import Api, unless_absent
from sgguard.providers.huawei.response import one_spelling
from sgguard.wire.parallel import parallel
from sgguard.wire.shape import Json, Shape

_NOT_ONLINE = -1
"""The value of a v3 quota that this deployment does not have yet; it does not mean "unlimited"."""

_UNLIMITED = -1
"""The value of a v1 quota without a limit."""

_COMPOSITE_NAME = "composite-rules-per-group"

ADVICE = (
    Limit(
        "groups-per-interface",
        5,
        is_enforced=False,
        note=said("limit.advised-more"),
    ),
    Limit("rules-per-group", 50, is_enforced=False, note=said("limit.advised")),
    Limit("instances-per-group", 6000, is_enforced=False, note=said("limit.advised")),
    Limit(
        _COMPOSITE_NAME,
        128,
        is_enforced=False,
        note=said("limit.silent"),
    ),
)
"""What the product documents as advice; a live quota replaces what it covers."""

_QUOTAS = {
    "eni_contain_secgroup": "groups-per-interface",
    "secgroup_contain_rules": "rules-per-group",
    "secgroup_referred_by_nic": "interfaces-per-group",
    "security_group": "groups-per-project",
    "security_group_rule": "rules-per-project",
}
_V1_QUOTAS = {"securityGroup": "groups-per-project", "securityGroupRule": "rules-per-project"}
_COMPOSITE = tuple(
    f"security_group_contain_{direction}_{family}_composite_rules"
    for direction in ("ingress", "egress")
    for family in ("ipv4", "ipv6")
)


def parse_limits(body: object, shape: Shape) -> tuple[Limit, ...]:
    """Read ``GET /v3/{project_id}/vpc/quotas``; -1 means "not online", not "unlimited".

    Raises:
        UnknownShapeError: no ``quota`` object, or a value that is no number.
    """
    quota = shape.table(shape.table(body, "answer").get("quota"), "quota")
    live = [
        Limit(name, ceiling, source="live", note=said("limit.quota", key=key))
        for key, name in _QUOTAS.items()
        if (ceiling := _online(quota, key, shape)) is not None
    ]
    composite = [c for key in _COMPOSITE if (c := _online(quota, key, shape)) is not None]
    if composite:
        note = next(limit.note for limit in ADVICE if limit.name == _COMPOSITE_NAME)
        live.append(
            Limit(
                _COMPOSITE_NAME,
                min(composite),
                source="live",
                is_enforced=False,
                note=note,
            )
        )
    return tuple(live)


def parse_usage(body: object, shape: Shape) -> tuple[Limit, ...]:
    """Read ``GET /v1/{project_id}/quotas``; -1 means "no limit".

    Raises:
        UnknownShapeError: no list of resources, or a value that is no number.
    """
    quotas = shape.table(shape.table(body, "answer").get("quotas"), "quotas")
    found = []
    for row in shape.tables(quotas.get("resources"), "quotas.resources"):
        kind = shape.shown(row, "type")
        if name := _V1_QUOTAS.get(kind):
            ceiling = shape.integer(row, "quota", "quotas.resources")
            used = shape.integer(row, "used", "quotas.resources")
            limit = None if ceiling <= _UNLIMITED else ceiling
            found.append(
                Limit(name, limit, used, source="live", note=said("limit.quota", key=kind))
            )
    return tuple(found)


def with_usage(live: Sequence[Limit], usage_limits: Sequence[Limit]) -> tuple[Limit, ...]:
    """Return v3's ceilings with v1's usage; where both have a ceiling, the lower one holds."""
    usage = {limit.name: limit for limit in usage_limits}
    known = {limit.name for limit in live}
    merged = [
        replace(limit, used=usage[limit.name].used, ceiling=_lower(limit, usage[limit.name]))
        if limit.name in usage
        else limit
        for limit in live
    ]
    return (*merged, *(limit for limit in usage_limits if limit.name not in known))


def _lower(one: Limit, other: Limit) -> int | None:
    return min((c for c in (one.ceiling, other.ceiling) if c is not None), default=None)


def with_rule_use(limits: Sequence[Limit], rows: Iterable[Json], shape: Shape) -> tuple[Limit, ...]:
    """Return the limits with how many rules, and composite ones, the fullest of the groups has.

    Rows are those of ``GET /v3/{project_id}/vpc/security-group-rules``. A rule is composite when
    its other end is a group or an address group, or its ports are not contiguous. Those are
    counted by direction and address family, as the quota counts them.
    """
    rules: Counter[str] = Counter()
    composite: Counter[str] = Counter()
    for row in rows:
        group_id = one_spelling(shape.shown(row, "security_group_id"))
        direction = shape.shown(row, "direction").lower()
        family = shape.shown(row, "ethertype").lower()
        rules[group_id] += 1
        composite[f"{group_id} {direction} {family}".rstrip()] += _is_composite(row, shape)
    counted = {"rules-per-group": rules, _COMPOSITE_NAME: composite}
    return tuple(
        _filled(limit, counted[limit.name]) if counted.get(limit.name) else limit
        for limit in limits
    )


def _filled(limit: Limit, counts: Counter[str]) -> Limit:
    where, used = max(counts.items(), key=lambda item: (item[1], item[0]))
    return replace(limit, used=used, note=said("limit.counted-at", where=where, note=limit.note))


def _is_composite(row: Json, shape: Shape) -> bool:
    has_group = any(shape.shown(row, f"remote_{kind}_id") for kind in ("group", "address_group"))
    return has_group or "," in shape.shown(row, "multiport")


def with_advice(live: Sequence[Limit]) -> tuple[Limit, ...]:
    """Return the live ceilings, and the documented advice where there is none."""
    covered = {limit.name for limit in live}
    if "interfaces-per-group" in covered:
        covered.add("instances-per-group")  # the same advice, in the quota's own unit
    return (*live, *(limit for limit in ADVICE if limit.name not in covered))


def _online(quota: Json, key: str, shape: Shape) -> int | None:
    value = shape.integer_or_none(quota, key, "quota")
    return None if value is None or value <= _NOT_ONLINE else value


_QUOTAS_PATH = "/v3/{project_id}/vpc/quotas"
_USAGE_PATH = "/v1/{project_id}/quotas"


def read_limits(api: Api, group_ids: Sequence[str]) -> Seen[tuple[Limit, ...]]:
    """Return live ceilings with what is used of them, and advice where there is none.

    For the groups named, the ceilings per group come with the use of the fullest of them.
    """
    reads: list[tuple[str, Callable[[], Seen[Any]], Any]] = [
        ("limits", partial(_read_quotas, api, _QUOTAS_PATH, parse_limits), ()),
        ("limits", partial(_read_quotas, api, _USAGE_PATH, parse_usage), ()),
        ("rules", partial(_rules, api, group_ids), []),
    ]
    ceilings, usage, rules = parallel([partial(seen_or_unseen, *read) for read in reads])
    limits = with_advice(with_usage(ceilings.value, usage.value))
    # Where rules may not be read their number stays unknown: no verdict depends on it.
    limits = with_rule_use(limits, rules.value, api.shape(listing.RULES.path))
    return Seen(limits, (*ceilings.unseen, *usage.unseen))


def read_use(api: Api) -> dict[str, int]:
    """Return how much of the project's quotas of groups and rules is used, by the names of VPC v1.

    The project's, not the caller's: what a permission by enterprise project hides counts as well.
    Empty where the region does not publish the call.

    Raises:
        UnknownShapeError: no list of resources, or a number that is none.
    """
    nothing: dict[str, int] = {}
    shape = api.shape(_USAGE_PATH)

    def read() -> dict[str, int]:
        quotas = shape.table(api.vpc(_USAGE_PATH).get("quotas"), "quotas")
        rows = shape.tables(quotas.get("resources"), "quotas.resources")
        wanted = [row for row in rows if shape.shown(row, "type") in _V1_QUOTAS]
        used = {row["type"]: shape.integer(row, "used", "quotas.resources") for row in wanted}
        # A negative number is what this API has for "not known".
        return {kind: count for kind, count in used.items() if count >= 0}

    return unless_absent(read, lambda: nothing)


def _read_quotas(
    api: Api, path: str, parse: Callable[[object, Shape], tuple[Limit, ...]]
) -> Seen[tuple[Limit, ...]]:
    """Read one quota API; empty where the region does not publish it."""
    nothing: tuple[Limit, ...] = ()
    return Seen(unless_absent(lambda: parse(api.vpc(path), api.shape(path)), lambda: nothing))


def _rules(api: Api, group_ids: Sequence[str]) -> Seen[list[Json]]:
    """Return the rules of the groups as VPC v3 has them: v2.0 knows no composite ones."""
    nothing: list[Json] = []
    return Seen(unless_absent(lambda: listing.rule_rows(api, group_ids), lambda: nothing))
