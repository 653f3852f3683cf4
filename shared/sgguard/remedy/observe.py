"""What the world shows of changes whose outcome is not known: each with both of its sides.

Many are observed with few reads: the rules of a group once for all its lines, and holders with one
list. Each line has an answer of its own, so that one that cannot be read leaves the others theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from msgspec.structs import replace

from sgguard.errors import NotFoundError, SgguardError, UnknownShapeError
from sgguard.model.change import Change, content
from sgguard.model.resource import Rule
from sgguard.model.subject import group_of, holder_of, rule_of
from sgguard.providers.base import Cloud
from sgguard.remedy.world import State, read_holders, rules_of, same_groups
from sgguard.render.language.sentence import in_english
from sgguard.wire.parallel import parallel

Observed = tuple[State, str]
"""The state of a change, and in words what is there where that matters."""


def observe(cloud: Cloud, change: Change) -> Observed:
    """Compare the world with a change: its state, and the details in words where they matter.

    Of a group that was created the second part is its id.

    Raises:
        CloudError, DeadlineError: the cloud could not be asked, or not all of it was read.
    """
    (found,) = observe_all(cloud, [change])
    if isinstance(found, SgguardError):
        raise found
    return found


def observe_all(cloud: Cloud, changes: Sequence[Change]) -> list[Observed | SgguardError]:
    """Return of each change what :func:`observe` returns, or the error that it would raise."""
    # 1. What is read together: the rules of a group, and all holders.
    parts: dict[str, list[int]] = {}
    for number, change in enumerate(changes):
        parts.setdefault(_together(change) or f"alone {number}", []).append(number)
    # 2. Each part side by side, its changes compared with what was read.
    found = parallel(
        [partial(_observed, cloud, [changes[number] for number in part]) for part in parts.values()]
    )
    # 3. In the order of the changes.
    results: dict[int, Observed | SgguardError] = {}
    for part, some in zip(parts.values(), found, strict=True):
        results |= zip(part, some, strict=True)
    return [results[number] for number in range(len(changes))]


def _together(change: Change) -> str:
    if change.kind == "set-groups":
        return "holders"
    return f"rules of {change.group_id}" if change.kind in ("add-rule", "remove-rule") else ""


def _observed(cloud: Cloud, some: Sequence[Change]) -> list[Observed | SgguardError]:
    """Observe changes that are read together; where that fails for several, each by itself."""
    try:
        match some[0].kind:
            case "set-groups":
                held = read_holders(cloud, [holder_of(change) for change in some])
                return [
                    _compare_holder(cloud, change, has)
                    for change, has in zip(some, held, strict=True)
                ]
            case "delete-group":
                return [_observe_group(cloud, change.group_id) for change in some]
            case "create-group":
                return [_observe_creation(cloud, change) for change in some]
            case _:
                return [*_observe_rules(cloud, some)]
    except SgguardError as error:
        if len(some) == 1 or some[0].kind != "set-groups":
            return [error] * len(some)
    return [one for change in some for one in _observed(cloud, [change])]


def is_let_go(cloud: Cloud, change: Change) -> bool:
    """Return whether a holder carries the group of a change no more, or does not exist.

    Of a rule, whether its group does not exist: it names nothing then.

    Raises:
        CloudError, DeadlineError: the cloud could not be asked.
    """
    if change.kind == "set-groups":
        return change.group_id not in (cloud.read_holder(holder_of(change)) or ())
    return _observe_group(cloud, change.group_id)[0] is State.AFTER


def _observe_rules(cloud: Cloud, some: Sequence[Change]) -> list[Observed]:
    group_id = some[0].group_id
    gone = (State.GONE, f"group {group_id} is gone")
    try:
        rules = rules_of(cloud, group_id)
    except NotFoundError:
        return [gone] * len(some)
    # A list by filter is empty for a group that is gone as well.
    if not rules and _observe_group(cloud, group_id)[0] is State.AFTER:
        return [gone] * len(some)
    return [_compare_rule(change, rules) for change in some]


def _compare_rule(change: Change, rules: Sequence[Rule]) -> Observed:
    wanted = content(rule_of(change))
    is_there = any(content(rule) == wanted for rule in rules)
    is_made = is_there == (change.kind == "add-rule")
    return (State.AFTER if is_made else State.BEFORE), ""


def _compare_holder(cloud: Cloud, change: Change, group_ids: tuple[str, ...] | None) -> Observed:
    holder = holder_of(change)
    if group_ids is None:
        return State.GONE, f"{holder.kind} {holder.holder_id} is gone"
    if same_groups(cloud, group_ids, change.after):
        return State.AFTER, ""
    if same_groups(cloud, group_ids, change.before):
        return State.BEFORE, ""
    current = f"{holder.kind} {holder.holder_id} has {', '.join(group_ids) or 'no group'}"
    wanted = f"(before: {', '.join(change.before)}; after: {', '.join(change.after)})"
    return State.DIVERGED, f"{current} {wanted}"


def _observe_group(cloud: Cloud, group_id: str) -> Observed:
    seen = cloud.read_groups([group_id])
    if seen.unseen or group_id not in seen.value:
        why = in_english(seen.unseen[0].why) if seen.unseen else "the response does not mention it"
        raise UnknownShapeError(cloud.capabilities.provider, f"group {group_id}", detail=why)
    return (State.AFTER if seen.value[group_id] is None else State.BEFORE), ""


def _observe_creation(cloud: Cloud, change: Change) -> Observed:
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
