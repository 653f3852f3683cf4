"""What several clouds share: references, gaps, definitions, read-back and rolling back a creation.

References are assembled from the rules of the referring groups. Gaps are what a response does not
report, or what credentials of one project cannot see of a shared group.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from sgguard.errors import (
    CloudError,
    ConflictError,
    DeadlineError,
    UnavailableError,
    UnknownShapeError,
)
from sgguard.model.codes import UnseenCode
from sgguard.model.failure import explained
from sgguard.model.resource import Group, Reference, Rule, Seen, Unseen
from sgguard.model.sentence import Sentence, Text, as_told, listed, said
from sgguard.providers.base import Provider

T = TypeVar("T")


Ruled = Mapping[str, Sequence[Rule]]
"""The rules of one group that name groups, by the id that they name."""


class Evidence(msgspec.Struct, frozen=True):
    """What is known of the groups that reference others: the groups and their rules, by id."""

    groups: Mapping[str, Group]
    rules: Mapping[str, Ruled]

    def of(self, group_id: str, referrer: str) -> list[Reference]:
        """Return one reference per rule that names the group, one without a rule if none does."""
        known = self.groups.get(referrer)
        bare = Reference(
            referrer,
            group_name=known.name if known else None,
            project=known.project if known else "",
            tags=known.tags if known else None,
        )
        rules = self.rules.get(referrer, {}).get(group_id, ())
        return [replace(bare, rule=rule) for rule in rules] or [bare]


def ruled(rules: Iterable[Rule]) -> Ruled:
    """Return rules by the group that is their peer: it is asked for many groups."""
    found: dict[str, list[Rule]] = {}
    for rule in rules:
        found.setdefault(rule.peer_group, []).append(rule)
    return found


Sign = tuple[str, Sentence]
"""The id of a group, and what shows that other projects have to do with it."""


def unseen_beyond(signs: Iterable[Sign], remedy: Text) -> tuple[Unseen, ...]:
    """Return, for each group with a sign, what credentials of one project cannot know about it.

    ``remedy`` is what an operator of this cloud can do about it.
    """
    reasons: dict[str, dict[Sentence, None]] = {}
    for group_id, reason in signs:
        reasons.setdefault(group_id, {})[reason] = None
    return tuple(
        Unseen(
            code=UnseenCode.OTHER_PROJECT,
            what=said("part.beyond-project"),
            why=said("why.one-project", signs=listed(found)),
            remedy=remedy,
            group_id=group_id,
        )
        for group_id, found in reasons.items()
    )


def is_foreign(project: str, own_project: str) -> bool:
    """Return whether something is known to belong to another project than our own."""
    # The cloud's own ports (gateways, floating addresses) belong to no project at all.
    return project not in ("", own_project)


def about_group(group_id: str, seen: Seen[T]) -> Seen[T]:
    """Return the same value, its gaps marked as those of one group and of no other asked about."""
    return replace(seen, unseen=tuple(replace(gap, group_id=group_id) for gap in seen.unseen))


def unreported(what: Text, group_ids: Sequence[str], reported: Collection[str]) -> Iterator[Unseen]:
    """Yield a gap for every group the response does not mention: that does not mean "none"."""
    for group_id in dict.fromkeys(group_ids):
        if group_id not in reported:
            yield Unseen(
                code=UnseenCode.NOT_TOLD,
                what=what,
                why=said("why.lacks", thing=group_id),
                remedy=said("remedy.check-exists"),
                group_id=group_id,
            )


def unproved(
    what: Text, why: Sentence, remedy: Text, group_ids: Iterable[str] = ("",)
) -> tuple[Unseen, ...]:
    """Return a gap for each group whose list came back empty and nothing proves that it is empty.

    Several clouds answer 200 with an empty or shortened list where a permission is missing.
    ``what`` is the list, ``why`` says which proof is missing, ``remedy`` what to grant.
    """
    return tuple(
        Unseen(code=UnseenCode.NO_PERMISSION, what=what, why=why, remedy=remedy, group_id=group_id)
        for group_id in dict.fromkeys(group_ids)
    )


def with_rules(provider: Provider, group: Group) -> Group:
    """Return the group with all its rules: the definition where nothing else is missing.

    Raises:
        UnknownShapeError: not all rules were seen.
        NotFoundError: there is no such group (any more).
        CloudError, DeadlineError: the rules could not be read.
    """
    seen = provider.list_rules(group.group_id)
    if seen.unseen:
        why = seen.unseen[0].why
        error = UnknownShapeError(
            provider.capabilities.provider, f"rules of {group.group_id}", detail=as_told(why)
        )
        told = said("why.rules-unread", text=str(error), group=group.group_id, why=why)
        raise explained(error, told)
    return replace(group, rules=seen.value)


def roll_back_creation(
    delete: Callable[[], object],
    group_id: str,
    error: CloudError | DeadlineError,
    action: str,
    provider: str,
) -> None:
    """Delete a group that was created and could not be finished.

    No rule names it yet and no holder carries it, so nothing else is affected. ``error`` is what
    kept it from being finished, ``action`` the call that the error is reported for.

    Raises:
        UnavailableError: it could not be deleted either, so the outcome is unknown.
    """
    try:
        delete()
    except (CloudError, DeadlineError) as failure:
        raise UnavailableError(
            provider,
            action,
            code="Unfinished",
            detail=f"group {group_id} was created, could not be finished ({error}) nor deleted",
        ) from failure


def read_back(ask: Callable[[], T], what: str) -> T:
    """Return what ``ask`` reads after the cloud accepted a change; ``what`` names the change.

    A failed read says nothing about the change itself. So its error, whatever its class says of
    outcomes, is raised as one with an unknown outcome.

    Raises:
        ConflictError: ``ask`` found that another state was there, and nothing was changed.
        CloudError: the read failed; the change may have been made.
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
