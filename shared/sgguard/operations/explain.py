"""References and bindings of a group, of the groups that reference it, and so on, by level.

Each level is one wave of reads for all of its groups together. What was not followed, because
there are too many groups or no time is left, is marked as unseen; it never looks like a group
without references.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from sgguard.engine.context import Context, connect
from sgguard.errors import (
    CloudError,
    DeadlineError,
)
from sgguard.facts.gather import gather_delete, gather_explanation
from sgguard.model.address import Address
from sgguard.model.codes import UnseenCode
from sgguard.model.facts import DeleteFacts, GroupFacts
from sgguard.model.failure import failure_of
from sgguard.model.request import DeleteRequest
from sgguard.model.resource import Group, Reference, Unseen
from sgguard.model.sentence import Text, said
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.base import Provider

GROUPS_MAX = 200
"""Groups read beside the first one; those beyond are reported, but not followed."""


def gather(
    provider: Provider, address: Address, depth: int = 1, *, groups_max: int = GROUPS_MAX
) -> DeleteFacts:
    """Return the facts of the group, first, and of every group reached in ``depth`` levels.

    With depth 1 that is the group itself and its referrers; with 2 also their referrers, nearest
    first. Only the first group has its own rules.

    Raises:
        CloudError: the cloud could not be asked about the first group.
        DeadlineError: the time was used up before anything was known.
    """
    first = gather_explanation(provider, address)
    found = {one.address.group_id: one for one in first.groups}
    for _ in range(1, depth):
        fresh = _referrers(found.values(), known=found)
        if not fresh:
            break
        room = max(groups_max + 1 - len(found), 0)
        followed, why = _follow(provider, address, fresh[:room])
        found.update(followed)
        left = [one for one in fresh if one.group_id not in found]
        why = why or said("why.more-groups", most=groups_max)
        found.update((one.group_id, _not_followed(address, one, why)) for one in left)
        if left:
            break
    groups = _described(provider, tuple(found.values()), known=found, room=groups_max)
    return replace(first, groups=groups)


def _referrers(groups: Iterable[GroupFacts], known: Mapping[str, object]) -> list[Reference]:
    """Return one reference of each group of ours that names one of the groups and is not known."""
    named = {
        one.group_id: one
        for each in groups
        for one in each.references
        if not one.account and one.group_id not in known
    }
    return [named[group_id] for group_id in sorted(named)]


def _follow(
    provider: Provider, address: Address, referrers: Sequence[Reference]
) -> tuple[dict[str, GroupFacts], Text]:
    """Read the groups, or return why they could not be read; what is known already stays."""
    if not referrers:
        return {}, ""
    request = DeleteRequest(tuple(Address(address.scope, one.group_id) for one in referrers))
    try:
        facts = gather_delete(provider, request)
    except (CloudError, DeadlineError) as error:
        return {}, failure_of(error)
    return {one.address.group_id: one for one in facts.groups}, ""


def _not_followed(address: Address, referrer: Reference, why: Text) -> GroupFacts:
    group_id = referrer.group_id
    gap = Unseen(
        code=UnseenCode.NOT_TOLD,
        what=said("part.who-names-it"),
        why=said("why.not-followed", why=why),
        remedy=said("remedy.explain-it"),
        group_id=group_id,
    )
    group = Group(group_id, referrer.group_name, project=referrer.project, tags=referrer.tags)
    return GroupFacts(Address(address.scope, group_id), group, unseen=(gap,))


def _described(
    provider: Provider, groups: Sequence[GroupFacts], known: Mapping[str, GroupFacts], room: int
) -> tuple[GroupFacts, ...]:
    """Give references the names and tags of the groups that hold them: tags show their owner.

    Names and tags are extras: where they cannot be read, the references stay as they are.
    """
    named = {group_id: one.group for group_id, one in known.items() if one.group}
    unknown = [one.group_id for one in _referrers(groups, named) if one.tags is None][:room]
    if unknown:
        nothing: dict[str, Group | None] = {}
        try:
            seen = seen_or_unseen("groups", partial(provider.read_groups, unknown), nothing)
        except (CloudError, DeadlineError):
            return tuple(groups)
        named.update((group_id, one) for group_id, one in seen.value.items() if one)
    return tuple(
        replace(one, references=tuple(_with_tags(each, named) for each in one.references))
        for one in groups
    )


def _with_tags(reference: Reference, named: Mapping[str, Group]) -> Reference:
    group = None if reference.account else named.get(reference.group_id)
    if group is None:
        return reference
    name = group.name if reference.group_name is None else reference.group_name
    tags = group.tags if reference.tags is None else reference.tags
    return replace(reference, group_name=name, tags=tags)


def read(address: Address, context: Context, depth: int = 1) -> DeleteFacts:
    """Return everything known about one group: its rules, references and bindings.

    The group is the first one of the facts. With a ``depth`` of more than 1 the groups that
    reference it follow, then those that reference these, up to that many levels.

    Raises:
        InputError: the provider is unknown, or the account is not the configured one.
        SettingsError: credentials or an endpoint are missing or unusable.
        CloudError: the cloud could not be asked.
        DeadlineError: the time was used up.
    """
    return gather(connect(address.scope, context, is_thorough=True), address, depth)
