"""What the world shows of changes whose outcome is not known: each with both of its sides.

Many are observed with few reads: the rules of a group once for all its lines, and holders with one
list. Each line has an answer of its own, so that one that cannot be read leaves the others theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from sgguard.errors import NotFoundError, SgguardError, UnknownShapeError
from sgguard.model.change import Change, content
from sgguard.model.failure import explained
from sgguard.model.resource import Rule, Unseen
from sgguard.model.sentence import Sentence, Text, listed, said
from sgguard.model.subject import group_of, holder_of, rule_of
from sgguard.providers.base import Cloud
from sgguard.remedy.world import State, read_holders, rules_of, same_groups
from sgguard.render.language.sentence import in_english
from sgguard.wire.parallel import parallel

Observed = tuple[State, Text]
"""The state of a change, and a sentence on what is there where that matters.

Of a group that was created, and is as wanted, the second part is its id.
"""

_STATES: Mapping[State, Sentence] = {
    State.BEFORE: said("seen.before"),
    State.AFTER: said("seen.after"),
    State.DIVERGED: said("seen.diverged"),
    State.GONE: said("seen.gone"),
}


def observe(cloud: Cloud, change: Change) -> Observed:
    """Compare the world with a change: its state, and the details where they matter.

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


def seen_as(state: State, how: Text) -> Text:
    """Return what was observed: the details where there are some, else the state."""
    return how or _STATES[state]


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
    gone: Observed = (State.GONE, said("seen.group-gone", group=group_id))
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
    name = said("holder.named", kind=holder.kind, holder=holder.holder_id)
    if group_ids is None:
        return State.GONE, said("left.holder-gone", holder=name)
    if same_groups(cloud, group_ids, change.after):
        return State.AFTER, ""
    if same_groups(cloud, group_ids, change.before):
        return State.BEFORE, ""
    return State.DIVERGED, said(
        "seen.holder-has",
        holder=name,
        groups=_listed(group_ids),
        before=_listed(change.before),
        after=_listed(change.after),
    )


def _listed(group_ids: Sequence[str]) -> Sentence:
    return listed(group_ids) if group_ids else said("seen.no-group")


def _observe_group(cloud: Cloud, group_id: str) -> Observed:
    seen = cloud.read_groups([group_id])
    if seen.unseen or group_id not in seen.value:
        raise unread(cloud, group_id, seen.unseen, f"group {group_id}")
    return (State.AFTER if seen.value[group_id] is None else State.BEFORE), ""


def unread(cloud: Cloud, group_id: str, gaps: Sequence[Unseen], what: str) -> UnknownShapeError:
    """Return the error that says that a cloud does not tell whether a group exists."""
    why = gaps[0].why if gaps else said("why.group-not-mentioned")
    error = UnknownShapeError(cloud.capabilities.provider, what, detail=in_english(why))
    return explained(error, said("why.group-unread", text=str(error), group=group_id, why=why))


def _observe_creation(cloud: Cloud, change: Change) -> Observed:
    """Find a group whose creation was not confirmed, so that its id is not known."""
    # 1. It is the one group of its name that was not there before (``before`` lists those).
    wanted = group_of(change)
    name = wanted.name or ""
    new = [one for one in cloud.find_groups(name) if one not in change.before]
    if not new:
        return State.BEFORE, ""
    if len(new) > 1:
        several = said("seen.several-made", n=len(new), name=name, groups=listed(new))
        return State.DIVERGED, several
    # 2. One that is not finished still has the cloud's own rules, or lacks settings of the group
    #    it replaces: rules added to it would let more traffic through than before.
    made = cloud.define_group(replace(wanted, group_id=new[0]))
    if made.rules or set(wanted.native) - set(made.native):
        how = said("seen.half-made", group=new[0])
        return (State.BEFORE if cloud.capabilities.resumes_creation else State.DIVERGED), how
    return State.AFTER, new[0]
