"""Which groups of other projects are shared with the project of an instance."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from sgguard.errors import CloudError
from sgguard.model.resource import Group
from sgguard.providers.base import Provider, SharedGroups


def with_sharing(
    provider: Provider, project: str, groups: Mapping[str, Group | None]
) -> Mapping[str, Group | None]:
    """Return the groups, those marked as shared that policies share with this project.

    A cloud may tell in a group itself only that it is shared with every project. The policies are
    read where a group of another project is among them; where they cannot be read, no group is
    marked.
    """
    foreign = {
        key: one
        for key, one in groups.items()
        if one and one.project and one.project != project and not one.is_shared
    }
    if not (foreign and project and isinstance(provider, SharedGroups)):
        return groups
    try:
        targets = provider.shared_with(tuple(foreign))
    except CloudError:
        return groups
    shared = {
        key: replace(one, is_shared=True)
        for key, one in foreign.items()
        if not {project, "*"}.isdisjoint(targets.get(key, ()))
    }
    return {**groups, **shared}
