"""The bindings of a group on Tencent Cloud (API 3.0): the lists of holders beside the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sgguard.model.resource import Binding, Instance
from sgguard.providers.tencent.response import Nic, Statistics, is_cvm, is_operating

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
    """Return the bindings of a group: by id where listed, as a number where only counted.

    The larger of both holds: a count above the listed holders adds counted bindings, and listed
    holders above the count all stay.
    """
    # 1. Listed holders.
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
    # 2. Per kind, what the statistics count beyond them.
    rest: Counter[str] = Counter()
    for product, count in counted.products.items():
        rest[_kind(product)] += count  # two products may be of the same kind
    rest.subtract(Counter(binding.kind for binding in named))
    unnamed = [Binding(kind, count=count) for kind, count in rest.items() if count > 0]
    # 3. What the total has beyond all products. A listed holder explains none of it: the holders
    #    that are counted are among the products.
    uncounted = counted.total - sum(counted.products.values())
    if uncounted > 0:
        unnamed.append(Binding("other", count=uncounted))
    return (*named, *unnamed)


def _instance(group_id: str, one: Instance) -> Binding:
    return Binding(
        "instance",
        one.instance_id,
        one.name,
        instance_id=one.instance_id,
        project=one.project,
        other_group_ids=_others(group_id, one.group_ids),
        # An operation that is in progress passes; the state of an instance stays.
        change_refusal="" if is_operating(one.binding_refusal) else one.binding_refusal,
    )


def _interface(group_id: str, nic: Nic) -> Binding:
    others = _others(group_id, nic.interface.group_ids)
    if nic.interface.is_primary and is_cvm(nic.instance_id):
        # Counted as an instance, which could not be listed itself.
        return Binding(
            "instance",
            nic.instance_id,
            instance_id=nic.instance_id,
            owner=nic.owner,
            other_group_ids=others,
            change_refusal=nic.change_refusal,
        )
    return Binding(
        "interface",
        nic.interface.interface_id,
        nic.name,
        instance_id=nic.instance_id,
        owner=nic.owner,
        other_group_ids=others,
        change_refusal=nic.change_refusal,
    )


def _others(group_id: str, group_ids: Sequence[str]) -> tuple[str, ...]:
    return tuple(other for other in group_ids if other != group_id)


def _kind(product: str) -> str:
    return _KINDS.get(product, product.lower())
