"""What builds a group again, for clouds that tell everything but its rules when it is read."""

from __future__ import annotations

from dataclasses import replace

from sgguard.errors import UnknownShapeError
from sgguard.model.resource import Group
from sgguard.providers.base import Provider


def with_rules(provider: Provider, group: Group) -> Group:
    """Return the group with all its rules; it is as it was read otherwise.

    Raises:
        UnknownShapeError: not all rules were seen.
        NotFoundError: there is no such group (any more).
        CloudError, DeadlineError: the cloud could not be asked.
    """
    seen = provider.list_rules(group.group_id)
    if seen.unseen:
        raise UnknownShapeError(
            provider.traits.provider, f"rules of {group.group_id}", detail=seen.unseen[0].why
        )
    return replace(group, rules=seen.value)
