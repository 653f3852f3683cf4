"""Reading the ceilings of one project from whichever of the quota APIs it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sgguard.model.resource import Limit, Seen
from sgguard.providers.base import seen_or_unseen
from sgguard.providers.huawei import listing as huawei_list
from sgguard.providers.huawei.api import Api, unless_absent
from sgguard.providers.huawei.quota import (
    parse_limits,
    parse_usage,
    with_advice,
    with_rule_use,
    with_usage,
)
from sgguard.wire.parallel import parallel
from sgguard.wire.shape import Json, Shape

_QUOTAS = "/v3/{project_id}/vpc/quotas"
_USAGE = "/v1/{project_id}/quotas"


def read_limits(api: Api, group_ids: Sequence[str]) -> Seen[tuple[Limit, ...]]:
    """Return live ceilings with what is used of them, and advice where there is none.

    For the groups named, the ceilings per group come with the use of the fullest of them.
    """
    reads: list[tuple[str, Callable[[], Seen[Any]], Any]] = [
        ("limits", partial(_told, api, _QUOTAS, parse_limits), ()),
        ("limits", partial(_told, api, _USAGE, parse_usage), ()),
        ("rules", partial(_rules, api, group_ids), []),
    ]
    ceilings, usage, rules = parallel([partial(seen_or_unseen, *read) for read in reads])
    limits = with_advice(with_usage(ceilings.value, usage.value), is_otc=api.region.is_otc)
    # Rules that may not be read leave their number untold: no verdict depends on it.
    limits = with_rule_use(limits, rules.value, api.shape(huawei_list.RULES))
    return Seen(limits, (*ceilings.unseen, *usage.unseen))


def _told(
    api: Api, path: str, parse: Callable[[object, Shape], tuple[Limit, ...]]
) -> Seen[tuple[Limit, ...]]:
    """Read one quota API; where it is not published, nobody tells."""
    nothing: tuple[Limit, ...] = ()
    return Seen(unless_absent(lambda: parse(api.vpc(path), api.shape(path)), lambda: nothing))


def _rules(api: Api, group_ids: Sequence[str]) -> Seen[list[Json]]:
    """Return the rules of the groups as VPC v3 has them: v2.0 knows no composite ones."""
    nothing: list[Json] = []
    return Seen(unless_absent(lambda: huawei_list.rule_rows(api, group_ids), lambda: nothing))
