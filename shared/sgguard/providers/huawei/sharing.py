"""Signs that a group reaches beyond what these credentials see.

They see one project, and in it the enterprise projects they were granted. No documented call shows
whether anything is left out. What can be seen: a row of another project in a response, or a rule
whose own group cannot be read although the rule can.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sgguard.model.resource import Group
from sgguard.model.sentence import said
from sgguard.providers._shared import Sign, is_foreign
from sgguard.providers.huawei.response import Port, SubInterface
from sgguard.wire.openstack.neutron import RuleRow

SHARING_REMEDY = said("remedy.every-enterprise-project")


def group_signs(groups: Iterable[Group], home: str) -> Iterator[Sign]:
    """Yield a sign for every group that belongs to another project."""
    for group in groups:
        if is_foreign(group.project, home):
            yield group.group_id, said("sign.project", project=group.project)


def rule_signs(
    rows: Iterable[RuleRow], groups: Mapping[str, Group | None], home: str
) -> Iterator[Sign]:
    """Yield a sign for every peer of a foreign rule, or of a rule in a group that is hidden.

    ``groups`` are the groups that have the rules; None for one that cannot be read.
    """
    for row in rows:
        group = groups.get(row.group_id)
        project = next((p for p in (row.project, group and group.project) if p and p != home), "")
        if project:
            yield row.rule.peer_group, said("sign.rule", project=project)
        elif row.group_id in groups and group is None:
            yield row.rule.peer_group, said("sign.hidden-group", group=row.group_id)


def holder_signs(
    holders: Iterable[Port | SubInterface], group_ids: Sequence[str], home: str
) -> Iterator[Sign]:
    """Yield a sign for every one of the groups that an interface of another project carries."""
    for holder in holders:
        one = holder.row if isinstance(holder, Port) else holder
        if is_foreign(one.project, home):
            for group_id in one.group_ids:
                if group_id in group_ids:
                    yield group_id, said("sign.interface", project=one.project)
