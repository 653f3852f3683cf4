"""Which rules of other groups name a group: one query, in the transaction of the delete."""

from __future__ import annotations

from typing import Any

from neutron.db.models.securitygroup import SecurityGroup, SecurityGroupRule

from sgguard_neutron.refusal import RULES_MAX, NamingRule


def naming_rules(session: Any, group_id: str) -> list[NamingRule]:
    """Return the rules of other groups, of any project, whose remote group is this one.

    At most one more than :data:`~sgguard_neutron.refusal.RULES_MAX`. The models are asked for
    their columns, not for themselves: so no filter by project is added, and no further query loads
    what belongs to a rule.

    The rows are locked. In InnoDB a locking read sees what others have committed since the
    transaction began, and keeps new rows out of the part of the index that it read: a rule that
    another transaction is about to add waits until the group is gone, and is refused then. SQLite
    has one writer at a time and ignores the lock.
    """
    query = (
        session.query(
            SecurityGroupRule.id,
            SecurityGroupRule.project_id,
            SecurityGroup.id,
            SecurityGroup.project_id,
            SecurityGroup.name,
        )
        .join(SecurityGroup, SecurityGroup.id == SecurityGroupRule.security_group_id)
        .filter(
            SecurityGroupRule.remote_group_id == group_id,
            SecurityGroupRule.security_group_id != group_id,
        )
        .limit(RULES_MAX + 1)
        .with_for_update()
    )
    return [NamingRule(*row) for row in query]
