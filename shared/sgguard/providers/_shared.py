"""Who references a group, put together from the rules of the groups that do; for any cloud."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from sgguard.errors import CloudError, ConflictError, UnavailableError, UnknownShapeError
from sgguard.model.codes import UnseenCode
from sgguard.model.resource import Group, Reference, Rule, Unseen
from sgguard.providers.base import Provider


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
                code=UnseenCode.NOT_TOLD,
                what=what,
                why=f"the answer does not mention {group_id}",
                remedy="check that the group exists in this region, and ask again",
                group_id=group_id,
            )


# What builds a group again, for clouds that tell everything but its rules when it is read.


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
            provider.capabilities.provider, f"rules of {group.group_id}", detail=seen.unseen[0].why
        )
    return replace(group, rules=seen.value)


T = TypeVar("T")


# Looking what came of a change that the cloud took: what goes wrong then says nothing about it.


def look(ask: Callable[[], T], what: str) -> T:
    """Ask what came of ``what``, which the cloud took.

    A look that is refused leaves open whether the change was made, whatever its own error says:
    it is raised as one whose outcome is not known.

    Raises:
        ConflictError: ``ask`` itself says that something else was there, and nothing was changed.
        CloudError: it could not be looked at; none of them says that it was not made.
        DeadlineError: the time is used up.
    """
    try:
        return ask()
    except ConflictError:
        raise
    except CloudError as error:
        if not error.is_outcome_known:
            raise
        raise UnavailableError(
            error.provider,
            error.action,
            code=error.code,
            detail=f"the cloud accepted {what}, which could not be read back: {error.detail}",
            status=error.status,
            request_id=error.request_id,
            retry_after_s=error.retry_after_s,
        ) from error
