"""Signs that a group reaches beyond what these credentials see.

They see one project, and in it the enterprise projects they were granted. Documents name no call
that tells whether anything is left out. What can be seen: a row of another project among the
answers, or a rule whose own group cannot be read although the rule can.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sgguard.model.codes import UnseenCode
from sgguard.model.resource import Group, Unseen
from sgguard.providers.huawei.response import Port, SubInterface
from sgguard.wire.openstack.neutron import RuleRow

Sign = tuple[str, str]
"""The id of a group, and what says that there is more to it than can be seen."""


def group_signs(groups: Iterable[Group], home: str) -> Iterator[Sign]:
    """Yield a sign for every group that belongs to another project."""
    for group in groups:
        if _is_foreign(group.project, home):
            yield group.group_id, f"it belongs to project {group.project}"


def rule_signs(
    rows: Iterable[RuleRow], holders: Mapping[str, Group | None], home: str
) -> Iterator[Sign]:
    """Yield a sign for every peer of a foreign rule, or of a rule in a group that is hidden.

    ``holders`` are the groups that hold the rules; None for one that cannot be read.
    """
    for row in rows:
        holder = holders.get(row.group_id)
        project = next((p for p in (row.project, holder and holder.project) if p and p != home), "")
        if project:
            yield row.rule.peer_group, f"a rule of project {project} names it"
        elif row.group_id in holders and holder is None:
            yield row.rule.peer_group, f"{row.group_id} names it and cannot be read itself"


def holder_signs(
    holders: Iterable[Port | SubInterface], group_ids: Sequence[str], home: str
) -> Iterator[Sign]:
    """Yield a sign for every one of the groups that an interface of another project carries."""
    for holder in holders:
        one = holder.row if isinstance(holder, Port) else holder
        if _is_foreign(one.project, home):
            for group_id in one.group_ids:
                if group_id in group_ids:
                    yield group_id, f"an interface of project {one.project} carries it"


def unseen_beyond(signs: Iterable[Sign]) -> tuple[Unseen, ...]:
    """Return, for each group with a sign, what these credentials cannot know about it."""
    whys: dict[str, dict[str, None]] = {}
    for group_id, why in signs:
        whys.setdefault(group_id, {})[why] = None
    return tuple(
        Unseen(
            code=UnseenCode.OTHER_PROJECT,
            what="what other projects do with the group",
            why=f"these credentials see one project, and {', '.join(found)}",
            remedy="grant them every enterprise project, or look there too",
            group_id=group_id,
        )
        for group_id, found in whys.items()
    )


def _is_foreign(project: str, home: str) -> bool:
    return project not in ("", home)
