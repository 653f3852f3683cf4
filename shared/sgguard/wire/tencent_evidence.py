"""Putting together what Tencent's calls say about who references and who carries a group.

Pure, and the same for API 3.0 and API 2.0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sgguard.model import Binding, Group, Instance, Reference, Rule, Unseen
from sgguard.wire.tencent_answer import Nic, Statistics

_KINDS = {
    "CVM": "instance",
    "ENI": "interface",
    "CLB": "load-balancer",
    "CDB": "database",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the groups that reference another: by id, themselves and their rules."""

    groups: Mapping[str, Group]
    rules: Mapping[str, tuple[Rule, ...]]

    def of(self, group_id: str, referrer: str) -> list[Reference]:
        """Return one reference per rule that names the group, one without a rule if none does."""
        known = self.groups.get(referrer)
        bare = Reference(
            referrer,
            group_name=known.name if known else "",
            project=known.project if known else "",
        )
        rules = naming(group_id, self.rules.get(referrer, ()))
        return [replace(bare, rule=rule) for rule in rules] or [bare]


def naming(group_id: str, rules: Sequence[Rule]) -> list[Rule]:
    """Return the rules whose peer is the group."""
    return [rule for rule in rules if rule.peer_group == group_id]


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
    rest = Counter({_kind(product): count for product, count in counted.products.items()})
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


def not_answered(
    what: str, group_ids: Sequence[str], answered: Collection[str]
) -> Iterator[Unseen]:
    """Return a gap for every group the answer does not mention: that is not "none"."""
    for group_id in dict.fromkeys(group_ids):
        if group_id not in answered:
            yield Unseen(
                code="not-told",
                what=what,
                why=f"the answer does not mention {group_id}",
                remedy="check that the group exists in this region, and ask again",
                group_id=group_id,
            )


def nameless(group_id: str, count: int) -> Unseen:
    """Return the gap of a group that is said to be referenced, but not by whom."""
    return Unseen(
        code="not-told",
        what="references",
        why=f"the statistics count {count} referencing group(s), the list names none",
        remedy="look at the group's references in the console, or ask again",
        group_id=group_id,
    )
