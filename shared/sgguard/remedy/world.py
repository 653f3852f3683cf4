"""Making one change, and observing whether it is made.

How a change whose response was lost is settled: nothing is sent again before the world was read.
:func:`observe` compares it with both sides of the change:

- BEFORE: it was not made; it may be sent again.
- AFTER: it is made, by this call or an earlier one of the same change.
- DIVERGED: neither; another user changed the same thing. It is not repeated and not undone.
- GONE: what the change is about does not exist any more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum
from functools import partial

from sgguard.errors import NotFoundError, SgguardError, UnknownShapeError
from sgguard.model.change import Change, Holder, content
from sgguard.model.resource import Group, Rule
from sgguard.providers import BatchChanges
from sgguard.providers.base import Cloud
from sgguard.remedy import together
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
) -> list[str | SgguardError | None]:
    """Make changes of different things side by side, each with its token.

    ``may_send`` is asked right before each of them. Return of each what :func:`apply` returns, or
    its error; None of one that was not sent.
    """
    kinds = {change.kind for change, _ in changes}
    if kinds == {"set-groups"} and isinstance(cloud, BatchChanges):
        of_holders = [change for change, _ in changes]
        if (made := together.make(cloud, of_holders, may_send)) is not None:
            return made
        if len(changes) > 1:
            if not may_send():
                return [None] * len(changes)
            return [error or "" for error in cloud.set_groups_batch(of_holders)]
    return parallel(
        [partial(_applied, cloud, change, token, may_send) for change, token in changes]
    )


def _applied(
    cloud: Cloud, change: Change, token: str, may_send: Callable[[], bool]
) -> str | SgguardError | None:
    if not may_send():
        return None
    try:
        return apply(cloud, change, token)
    except SgguardError as error:
        return error


def observe(cloud: Cloud, change: Change) -> tuple[State, str]:
    """Compare the world with a change: its state, and the details in words where they matter.

    Of a group that was created the second part is its id.

    Raises:
        CloudError, DeadlineError: the cloud could not be asked, or not all of it was read.
    """
    match change.kind:
        case "set-groups":
            return _observe_holder(cloud, change)
        case "delete-group":
            return _observe_group(cloud, change.group_id)
        case "create-group":
            return _observe_creation(cloud, change)
        case _:
            return _observe_rule(cloud, change)


def is_let_go(cloud: Cloud, change: Change) -> bool:
    """Return whether a holder carries the group of a change no more, or does not exist.

    Of a rule, whether its group does not exist: it names nothing then.

    Raises:
        CloudError, DeadlineError: the cloud could not be asked.
    """
    if change.kind == "set-groups":
        return change.group_id not in (cloud.read_holder(holder_of(change)) or ())
    return _observe_group(cloud, change.group_id)[0] is State.AFTER


def rule_of(change: Change) -> Rule:
    """Return the rule a change is about."""
    if change.rule is None:
        raise ValueError(f"{change.kind} without a rule")
    return change.rule


def holder_of(change: Change) -> Holder:
    """Return the holder a change is about."""
    if change.holder is None:
        raise ValueError(f"{change.kind} without a holder")
    return change.holder


def group_of(change: Change) -> Group:
    """Return the group a change builds."""
    if change.group is None:
        raise ValueError(f"{change.kind} without a group")
    return change.group


def rules_of(cloud: Cloud, group_id: str) -> tuple[Rule, ...]:
    """Return all rules of a group.

    Raises:
        UnknownShapeError: not all of them could be read.
        CloudError, DeadlineError: the cloud could not be asked.
    """
    seen = cloud.list_rules(group_id)
    if seen.unseen:
        raise UnknownShapeError(
            cloud.capabilities.provider, f"rules of {group_id}", detail=seen.unseen[0].why
        )
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


def _observe_rule(cloud: Cloud, change: Change) -> tuple[State, str]:
    try:
        rules = rules_of(cloud, change.group_id)
    except NotFoundError:
        return State.GONE, f"group {change.group_id} is gone"
    # A list by filter is empty for a group that is gone as well.
    if not rules and _observe_group(cloud, change.group_id)[0] is State.AFTER:
        return State.GONE, f"group {change.group_id} is gone"
    wanted = content(rule_of(change))
    is_there = any(content(rule) == wanted for rule in rules)
    is_made = is_there == (change.kind == "add-rule")
    return (State.AFTER if is_made else State.BEFORE), ""


def _observe_holder(cloud: Cloud, change: Change) -> tuple[State, str]:
    holder = holder_of(change)
    group_ids = cloud.read_holder(holder)
    if group_ids is None:
        return State.GONE, f"{holder.kind} {holder.holder_id} is gone"
    if same_groups(cloud, group_ids, change.after):
        return State.AFTER, ""
    if same_groups(cloud, group_ids, change.before):
        return State.BEFORE, ""
    current = f"{holder.kind} {holder.holder_id} has {', '.join(group_ids) or 'no group'}"
    wanted = f"(before: {', '.join(change.before)}; after: {', '.join(change.after)})"
    return State.DIVERGED, f"{current} {wanted}"


def _observe_group(cloud: Cloud, group_id: str) -> tuple[State, str]:
    seen = cloud.read_groups([group_id])
    if seen.unseen or group_id not in seen.value:
        why = seen.unseen[0].why if seen.unseen else "the response does not mention it"
        raise UnknownShapeError(cloud.capabilities.provider, f"group {group_id}", detail=why)
    return (State.AFTER if seen.value[group_id] is None else State.BEFORE), ""


def _observe_creation(cloud: Cloud, change: Change) -> tuple[State, str]:
    """Find a group whose creation was not confirmed, so that its id is not known."""
    # 1. It is the one group of its name that was not there before (``before`` lists those).
    wanted = group_of(change)
    name = wanted.name or ""
    new = [one for one in cloud.find_groups(name) if one not in change.before]
    if not new:
        return State.BEFORE, ""
    if len(new) > 1:
        return State.DIVERGED, f"there are {len(new)} new groups named {name}: {', '.join(new)}"
    # 2. One that is not finished still has the cloud's own rules, or lacks settings of the group
    #    it replaces: rules added to it would let more traffic through than before.
    made = cloud.define_group(replace(wanted, group_id=new[0]))
    if made.rules or set(wanted.native) - set(made.native):
        how = f"group {new[0]} exists, but is not finished"
        return (State.BEFORE if cloud.capabilities.resumes_creation else State.DIVERGED), how
    return State.AFTER, new[0]
