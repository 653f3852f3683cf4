"""Who references a group on Tencent Cloud (API 3.0): the list beside the count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sgguard.errors import ForbiddenError, UnknownShapeError
from sgguard.model.codes import UnseenCode
from sgguard.model.resource import Binding, Group, Instance, Reference, Seen, Unseen
from sgguard.providers._shared import not_answered
from sgguard.providers._tencent import Reading, references
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.tencent import reads
from sgguard.providers.tencent.api import TencentApi
from sgguard.providers.tencent.response import Nic, Statistics
from sgguard.wire.parallel import parallel


def list_references(
    api: TencentApi, group_ids: Sequence[str]
) -> Seen[dict[str, tuple[Reference, ...]]]:
    """Return, by id, every rule of another group that names it; one wave where nobody does."""
    named, counted = parallel(
        [
            partial(_read, "references", partial(reads.referrers, api, group_ids)),
            partial(_read, "statistics", partial(reads.statistics, api, group_ids)),
        ]
    )
    counts = {group_id: one.groups for group_id, one in counted.value.items()}
    reading = Reading(partial(_groups, api), partial(reads.rules, api))
    found = references(named.value, counts, reading)
    unseen = [*named.unseen, *_uncounted(group_ids, counted), *found.unseen]
    if not named.unseen:
        unseen += not_answered("references", group_ids, named.value)
    return Seen(found.value, tuple(unseen))


def _read(what: str, read: Callable[[], Any]) -> Seen[Any]:
    nothing: Any = {}
    return seen_or_unseen(what, lambda: Seen(read()), nothing)


def _uncounted(group_ids: Sequence[str], counted: Seen[Any]) -> list[Unseen]:
    """Return what keeps the list from being compared with the count."""
    # A missing permission is told with the bindings, which need the same call.
    gaps = [gap for gap in counted.unseen if gap.code != UnseenCode.NO_PERMISSION]
    if not counted.unseen:
        gaps += not_answered("the count of references", group_ids, counted.value)
    return gaps


def _groups(api: TencentApi, group_ids: Sequence[str]) -> Mapping[str, Group]:
    try:
        groups = reads.groups(api, group_ids).value
    except (ForbiddenError, UnknownShapeError):
        return {}  # a name is comfort, not evidence
    return {group_id: one for group_id, one in groups.items() if one is not None}


# Putting together what Tencent's calls say about who carries a group, by name and by count.

_KINDS = {
    "CVM": "instance",
    "ENI": "interface",
    "CLB": "load-balancer",
    "CDB": "database",
}


def bindings_of(
    group_id: str,
    counted: Statistics | None,
    instances: Sequence[Instance],
    nics: Sequence[Nic],
) -> tuple[Binding, ...]:
    """Return what carries a group: by name where a list shows it, counted where only counted.

    Statistics that count more than the lists show are believed; so are lists that show more
    than the statistics count.
    """
    listed = {one.instance_id for one in instances}
    named = [_instance(group_id, one) for one in instances]
    # The primary interface of a listed instance is that instance once more.
    named += [
        _interface(group_id, nic)
        for nic in nics
        if not (nic.interface.is_primary and nic.instance_id in listed)
    ]
    if counted is None:
        return tuple(named)
    rest: Counter[str] = Counter()
    for product, count in counted.products.items():
        rest[_kind(product)] += count  # two products may share a name of ours: neither is lost
    rest.subtract(Counter(binding.kind for binding in named))
    unnamed = [Binding(kind, count=count) for kind, count in rest.items() if count > 0]
    untold = counted.total - len(named) - sum(binding.count for binding in unnamed)
    if untold > 0:
        unnamed.append(Binding("other", count=untold))
    return (*named, *unnamed)


def _instance(group_id: str, one: Instance) -> Binding:
    return Binding(
        "instance",
        one.instance_id,
        one.name,
        instance_id=one.instance_id,
        project=one.project,
        other_group_ids=_others(group_id, one.group_ids),
    )


def _interface(group_id: str, nic: Nic) -> Binding:
    others = _others(group_id, nic.interface.group_ids)
    if nic.interface.is_primary and nic.instance_id:
        # Counted as an instance, which could not be listed itself.
        return Binding(
            "instance", nic.instance_id, instance_id=nic.instance_id, other_group_ids=others
        )
    return Binding(
        "interface",
        nic.interface.interface_id,
        nic.name,
        instance_id=nic.instance_id,
        other_group_ids=others,
    )


def _others(group_id: str, carried: Sequence[str]) -> tuple[str, ...]:
    return tuple(other for other in carried if other != group_id)


def _kind(product: str) -> str:
    return _KINDS.get(product, product.lower())
