"""Making one change, and observing whether it is made.

How a change whose response was lost is settled: nothing is sent again before the world was read.
:mod:`~sgguard.remedy.observe` compares it with both sides of the change:

- BEFORE: it was not made; it may be sent again.
- AFTER: it is made, by this call or an earlier one of the same change.
- DIVERGED: neither; another user changed the same thing. It is not repeated and not undone.
- GONE: what the change is about does not exist any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial

from sgguard.errors import SgguardError, UnknownShapeError
from sgguard.model.change import Change, Holder
from sgguard.model.failure import explained
from sgguard.model.resource import Rule
from sgguard.model.sentence import said
from sgguard.model.subject import group_of, holder_of, rule_of
from sgguard.providers import BatchChanges, RuleBatches, late
from sgguard.providers.base import Cloud
from sgguard.remedy import together
from sgguard.render.language.sentence import in_english
from sgguard.wire.parallel import parallel


class State(Enum):
    """What the world looks like, compared with a change."""

    BEFORE = "as before the change"
    AFTER = "as after the change"
    DIVERGED = "neither as before nor as after the change"
    GONE = "the target of the change does not exist"


def apply(cloud: Cloud, change: Change, token: str) -> str:
    """Make the change: one writing call. Return the id of a group that it made, else nothing.

    Raises:
        CloudError, DeadlineError: see :class:`~sgguard.providers.base.Changes`.
    """
    match change.kind:
        case "add-rule":
            cloud.add_rule(change.group_id, rule_of(change), token=token)
        case "remove-rule":
            cloud.remove_rule(change.group_id, rule_of(change), token=token)
        case "set-groups":
            cloud.set_groups(holder_of(change), change.before, change.after, token=token)
        case "delete-group":
            cloud.delete_group(change.group_id, is_forced=change.is_forced)
        case "create-group":
            return cloud.create_group(group_of(change), token=token)
    return ""


def apply_all(
    cloud: Cloud, changes: Sequence[tuple[Change, str]], may_send: Callable[[], bool]
) -> list[str | SgguardError]:
    """Make changes side by side, each with its token: those that go together with few calls.

    ``may_send`` is asked right before each call. Return of each change what :func:`apply` returns,
    or its error; an :class:`~sgguard.model.sending.UnsentError` of one that was not sent.
    """
    # 1. Which changes go together: those of holders, and those of the rules of one group.
    parts: dict[str, list[int]] = {}
    for number, (change, _) in enumerate(changes):
        parts.setdefault(_together(cloud, change) or f"alone {number}", []).append(number)
    # 2. Each part by itself, side by side.
    ended = parallel(
        [
            partial(_applied, cloud, [changes[number] for number in part], may_send)
            for part in parts.values()
        ]
    )
    # 3. In the order of the changes.
    results: dict[int, str | SgguardError] = {}
    for part, some in zip(parts.values(), ended, strict=True):
        results |= zip(part, some, strict=True)
    return [results[number] for number in range(len(changes))]


def _together(cloud: Cloud, change: Change) -> str:
    """Return the name of the part that a change is made with; empty: it is made by itself."""
    if change.kind == "set-groups" and isinstance(cloud, BatchChanges):
        return "holders"
    if change.kind in ("add-rule", "remove-rule") and isinstance(cloud, RuleBatches):
        return f"rules of {change.group_id}"
    return ""


def _applied(
    cloud: Cloud, some: Sequence[tuple[Change, str]], may_send: Callable[[], bool]
) -> list[str | SgguardError]:
    change, token = some[0]
    if change.kind == "set-groups" and isinstance(cloud, BatchChanges):
        of_holders = [one for one, _ in some]
        if (made := together.make(cloud, of_holders, may_send)) is not None:
            return made
        if len(some) > 1:
            return [error or "" for error in cloud.set_groups_batch(of_holders, may_send)]
    if len(some) > 1 and isinstance(cloud, RuleBatches):
        return [error or "" for error in cloud.change_rules(change.group_id, some, may_send)]
    if not may_send():
        return [late()]
    try:
        return [apply(cloud, change, token)]
    except SgguardError as error:
        return [error]


def rules_of(cloud: Cloud, group_id: str) -> tuple[Rule, ...]:
    """Return all rules of a group.

    Raises:
        UnknownShapeError: not all of them could be read.
        CloudError, DeadlineError: the cloud could not be asked.
    """
    seen = cloud.list_rules(group_id)
    if seen.unseen:
        why = seen.unseen[0].why
        error = UnknownShapeError(
            cloud.capabilities.provider, f"rules of {group_id}", detail=in_english(why)
        )
        told = said("why.rules-unread", text=str(error), group=group_id, why=why)
        raise explained(error, told)
    return seen.value


def read_holders(cloud: Cloud, held: Sequence[Holder]) -> list[tuple[str, ...] | None]:
    """Return the groups of each holder; None for a holder that does not exist.

    Raises:
        CloudError, DeadlineError: one of them could not be read.
    """
    if len(held) > 1 and isinstance(cloud, BatchChanges):
        return cloud.read_holders_batch(held)
    return parallel([partial(cloud.read_holder, one) for one in held])


def same_groups(cloud: Cloud, one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two lists of groups are the same to this cloud."""
    if cloud.capabilities.orders_groups:
        return tuple(one) == tuple(other)
    return sorted(one) == sorted(other)
