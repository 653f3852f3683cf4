"""Who references a group, put together from the rules of the groups that do; for any cloud."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sgguard.model.resource import Group, Reference, Rule, Unseen


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
            tags=known.tags if known else (),
        )
        rules = naming(group_id, self.rules.get(referrer, ()))
        return [replace(bare, rule=rule) for rule in rules] or [bare]


def naming(group_id: str, rules: Sequence[Rule]) -> list[Rule]:
    """Return the rules whose peer is the group."""
    return [rule for rule in rules if rule.peer_group == group_id]


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
