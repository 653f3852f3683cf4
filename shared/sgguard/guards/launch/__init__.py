"""May these groups be carried by a planned or an existing instance? Pure.

Facts and policy come in, a judgement goes out, with the steps of ``remedy.py`` where the
policy permits them and nothing but the policy is in the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sgguard.guards.base import incomplete, missing_or_malformed, too_short_sighted
from sgguard.guards.launch.kind import mixed, untold
from sgguard.guards.launch.limit import (
    LaunchChange,
    Usage,
    change_of,
    exceeded,
    near,
    uncounted,
    usages,
    without_effect,
)
from sgguard.guards.launch.remedy import Violations, remedies
from sgguard.model.codes import ReasonCode, Verdict
from sgguard.model.decision import Forecast, Judgement, Reason
from sgguard.model.facts import GroupFacts, LaunchFacts
from sgguard.model.resource import Group
from sgguard.policy import Policy, first_that_may, fits, for_groups, is_of_scope, matches
from sgguard.policy.governing import concerned, excused
from sgguard.render.wording import MESSAGE_MAX, count, label, listing, one_line


def judge(facts: LaunchFacts, policy: Policy, now: datetime | None = None) -> Judgement:
    """Judge a planned launch or a present instance; the same facts give the same judgement.

    Of several groups the strictest of their policies holds. ``now`` is the moment at which
    exemptions must hold; without it none does.
    """
    policy = for_groups(policy, concerned(facts))
    overrides = policy.limits.get(facts.scope.provider, {})
    change = change_of(facts)
    compared = usages(change, overrides)
    doubtful = [excused(one, policy, facts, now) for one in _maybe_forbidden(facts, policy)]
    refused = (
        *_unreadable(change, policy, overrides),
        *_groups(change),
        *mixed(change),
        *_instance(change),
        *_interfaces(change),
        *(exceeded(one) for one in compared if one.is_exceeded),
        *doubtful,
    )
    forbidden = [excused(one, policy, facts, now) for one in _forbidden(facts, policy)]
    missing = _missing_baselines(facts, policy)
    required = [excused(_baseline_missing(facts, one), policy, facts, now) for one in missing]
    violations = Violations(
        tuple(m for m, one in zip(missing, required, strict=True) if one.effect == "block"),
        tuple(one.target.rpartition(":")[2] for one in forbidden if one.effect == "block"),
    )
    warned = (
        excused(near(one), policy, facts, now)
        for one in compared
        if not one.is_exceeded and one.is_near(policy.launch.warn_at_percent)
    )
    noted = (*without_effect(facts, _target(facts)), *_default_applies(facts))
    reasons = (*refused, *forbidden, *required, *warned, *noted)
    forecast = tuple(
        Forecast(one.target, one.limit, one.subject) for one in sorted(compared, key=_fullness)
    )
    is_refused = any(one.effect == "block" for one in refused)
    is_broken = bool(violations.missing or violations.forbidden)
    plan = remedies(facts, policy, violations) if is_broken and not is_refused else ()
    if is_refused or (is_broken and not plan):
        return Judgement(Verdict.BLOCK, reasons, forecast=forecast)
    verdict = Verdict.REMEDIATE if is_broken else Verdict.ALLOW
    reasons = (*reasons, _within(change, compared))
    return Judgement(verdict, reasons, plan, forecast=forecast)


def _target(facts: LaunchFacts) -> str:
    return facts.instance_id or str(facts.scope)


def _subject(facts: LaunchFacts) -> str:
    """Name what is launched or bound, at the start of a sentence."""
    if facts.instance_id:
        name = facts.instance.name if facts.instance else ""
        return f"Instance {label(facts.instance_id, name)}"
    return f"The launch of {count(facts.count, 'instance')}"


def _unreadable(
    change: LaunchChange, policy: Policy, overrides: Mapping[str, int]
) -> Iterator[Reason]:
    facts, tolerated = change.facts, policy.launch.tolerate_unseen
    required = policy.launch.require_visibility
    yield from too_short_sighted(facts.visibility, required, _target(facts), "launch")
    yield from incomplete(facts.unseen, _target(facts), _subject(facts), tolerated)
    if facts.instance and change.added:
        unreported = facts.instance.unseen_to_bind
        yield from incomplete(unreported, _target(facts), _subject(facts), tolerated)
    for one in _in_order(facts.groups):
        yield from incomplete(one.unseen, str(one.address), _label(one), tolerated)
    for one, unseen in (*uncounted(change, overrides), *untold(change)):
        yield from incomplete((unseen,), str(one.address), _label(one), tolerated)


def _in_order(groups: Sequence[GroupFacts]) -> list[GroupFacts]:
    return sorted(groups, key=lambda one: one.address)


def _label(facts: GroupFacts) -> str:
    return label(facts.address.group_id, facts.group.name if facts.group else None)


def _groups(change: LaunchChange) -> Iterator[Reason]:
    """Return what is wrong with single groups; of those carried already only that they exist."""
    facts = change.facts
    for one in _in_order(facts.groups):
        unknown = missing_or_malformed(
            one, facts.capabilities.group_id_example, ReasonCode.GROUP_NOT_FOUND
        )
        if unknown:
            yield unknown
        elif one.group and one.address.group_id in change.added:
            yield from _elsewhere(facts, one, one.group)


def _elsewhere(facts: LaunchFacts, one: GroupFacts, group: Group) -> Iterator[Reason]:
    """The group belongs to another network or project, where both sides are known."""
    instance = facts.instance
    network = instance.network if instance else facts.network
    project = instance.project if instance else facts.project
    if group.network and network and group.network != network:
        code, names = ReasonCode.GROUP_OTHER_NETWORK, (group.network, network)
        yield _other(code, "network", one, group, names)
    is_elsewhere = facts.capabilities.has_projects_apart and group.project != project
    if group.project and project and is_elsewhere and not group.is_shared:
        code, names = ReasonCode.GROUP_OTHER_PROJECT, (group.project, project)
        yield _other(code, "project", one, group, names)


def _other(
    code: ReasonCode, kind: str, one: GroupFacts, group: Group, names: tuple[str, str]
) -> Reason:
    theirs, ours = (one_line(name, 40) for name in names)
    message = f"{_label(one)} belongs to {kind} {theirs}, but the instance to {kind} {ours}."
    target = str(one.address)
    return Reason(code, one_line(message, MESSAGE_MAX), "block", target, (group,))


def _instance(change: LaunchChange) -> Iterator[Reason]:
    """The instance does not exist, or cannot be bound; a warning where nothing would be."""
    facts = change.facts
    if facts.instance_id and facts.instance is None:
        message = f"{_subject(facts)} is not in {facts.scope.provider} {facts.scope.region}"
        message = f"{message}, or these credentials cannot see it."
        yield Reason(
            ReasonCode.INSTANCE_NOT_FOUND, one_line(message, MESSAGE_MAX), "block", _target(facts)
        )
    if facts.instance and facts.instance.binding_refusal:
        message = f"{_subject(facts)} cannot be bound now"
        state = f" ({one_line(facts.instance.state, 30)})" if facts.instance.state else ""
        message = one_line(f"{message}{state}: {facts.instance.binding_refusal}", MESSAGE_MAX)
        yield Reason(
            ReasonCode.INSTANCE_REFUSES_BINDING,
            message,
            "block" if change.added else "warn",
            _target(facts),
            (facts.instance,),
        )


def _interfaces(change: LaunchChange) -> Iterator[Reason]:
    """An interface refuses every change now: it blocks where it would get a group."""
    facts = change.facts
    per_interface = facts.capabilities.group_limit_per == "interface"
    for one in facts.instance.interfaces if facts.instance else ():
        if one.change_refusal:
            is_reached = per_interface or one.is_primary
            is_changed = is_reached and not set(change.added) <= set(one.group_ids)
            head = f"Interface {one_line(one.interface_id, 40)} of {facts.instance_id}"
            message = f"{head} cannot be changed now: {one.change_refusal}"
            yield Reason(
                ReasonCode.INSTANCE_REFUSES_BINDING,
                one_line(message, MESSAGE_MAX),
                "block" if is_changed else "info",
                _target(facts),
                (facts.instance,) if facts.instance else (),
            )


def _forbidden(facts: LaunchFacts, policy: Policy) -> Iterator[Reason]:
    for one in _in_order(facts.groups):
        patterns = policy.launch.forbidden
        hit = next((p for p in patterns if matches(p, one.address, one.group)), None)
        if hit is not None:
            message = f"{_label(one)} is forbidden by the policy (launch.forbidden: {hit})."
            yield _forbidding(one, message)


def _maybe_forbidden(facts: LaunchFacts, policy: Policy) -> Iterator[Reason]:
    """Yield a reason for each group whose name is not told and could be a forbidden one.

    It blocks, and no remedy follows from it: nothing is taken off an instance on a guess.
    """
    patterns = policy.launch.forbidden
    for one in _in_order(facts.groups):
        if one.group is None or any(matches(p, one.address, one.group) for p in patterns):
            continue
        hit = first_that_may(patterns, one.address, one.group)
        if hit is not None:
            head = f"{_label(one)} may be forbidden by the policy (launch.forbidden: {hit})"
            yield _forbidding(one, f"{head}: its name could not be read.")


def _forbidding(one: GroupFacts, message: str) -> Reason:
    evidence = (one.group,) if one.group else ()
    message = one_line(message, MESSAGE_MAX)
    return Reason(ReasonCode.GROUP_FORBIDDEN, message, "block", str(one.address), evidence)


def _missing_baselines(facts: LaunchFacts, policy: Policy) -> tuple[str, ...]:
    """Return the baseline entries for this scope that no present group is known to match."""
    present = [one for one in facts.groups if one.group is not None]
    return tuple(
        entry
        for entry in policy.launch.baseline
        if is_of_scope(entry, str(facts.scope))
        and not any(matches(entry, one.address, one.group) for one in present)
    )


def _baseline_missing(facts: LaunchFacts, entry: str) -> Reason:
    message = f"{_subject(facts)} lacks the baseline group {one_line(entry, 60)}"
    groups = _in_order(facts.groups)
    current = [_label(one) for one in groups]
    doubtful = (one for one in groups if one.group and fits(entry, one.address, one.group) is None)
    nameless = [_label(one) for one in doubtful]
    unknown = f"; the name of {listing(nameless, 60)} could not be read" if nameless else ""
    room = MESSAGE_MAX - len(message) - len(unknown) - 14
    given = f"; it has {listing(current, room)}" if current else "; it has none"
    message = one_line(f"{message}{given}{unknown}.", MESSAGE_MAX)
    return Reason(ReasonCode.BASELINE_MISSING, message, "block", _target(facts))


def _default_applies(facts: LaunchFacts) -> Iterator[Reason]:
    if facts.is_default_applied:
        names = listing((_label(one) for one in facts.groups), 80)
        message = f"No group was given: the cloud takes the project's default group, {names}."
        yield Reason(ReasonCode.DEFAULT_GROUP_APPLIES, message, "info", _target(facts))
    elif not facts.instance_id and not facts.groups:
        message = (
            "No group was given: the cloud picks one itself, usually the project's default "
            "group, and creates it if need be. Its limits were not checked."
        )
        yield Reason(ReasonCode.DEFAULT_GROUP_APPLIES, message, "info", _target(facts))


def _within(change: LaunchChange, compared: Sequence[Usage]) -> Reason:
    """Every limit holds; the numbers that were compared, the fullest first."""
    facts = change.facts
    subject = _subject(facts)
    held = sorted((one for one in compared if not one.is_exceeded), key=_fullness)
    evidence = tuple(one.limit for one in held)
    if not held:
        message = f"{subject}: no limit is known that it could break."
    else:
        head = f"{subject} is within the limits: "
        message = head + listing((one.subject for one in held), MESSAGE_MAX - len(head) - 1) + "."
    return Reason(
        ReasonCode.WITHIN_LIMITS, one_line(message, MESSAGE_MAX), "info", _target(facts), evidence
    )


def _fullness(usage: Usage) -> tuple[float, str]:
    after, ceiling = usage.limit.after or 0, usage.limit.ceiling or 1
    return -after / ceiling, usage.subject
