"""May these groups be carried by a planned or an existing instance? Pure.

Facts and policy come in, a judgement goes out, with the steps of ``remedy.py`` where the
policy permits them and nothing but the policy is in the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sgguard.guards.base import incomplete, missing_or_malformed, named, place, too_short_sighted
from sgguard.guards.launch.kind import mixed, untold
from sgguard.guards.launch.limit import (
    LaunchChange,
    Usage,
    change_of,
    exceeded,
    fullness,
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
from sgguard.model.sentence import Item, Sentence, listed, said, thing
from sgguard.policy import Policy, first_that_may, fits, for_groups, is_of_scope, matches
from sgguard.policy.governing import concerned, excused


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
    forecast = tuple(Forecast(one.target, one.limit) for one in sorted(compared, key=fullness))
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


def _subject(facts: LaunchFacts) -> Sentence:
    """Name what is launched or bound, at the start of a sentence."""
    if facts.instance_id:
        name = facts.instance.name if facts.instance else ""
        return said("subject.instance", instance=thing(facts.instance_id, name))
    return said("subject.launch", n=facts.count)


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
        yield from incomplete(one.unseen, str(one.address), named(one), tolerated)
    for one, unseen in (*uncounted(change, overrides), *untold(change)):
        yield from incomplete((unseen,), str(one.address), named(one), tolerated)


def _in_order(groups: Sequence[GroupFacts]) -> list[GroupFacts]:
    return sorted(groups, key=lambda one: one.address)


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
        theirs, ours = group.network, network
        sentence = said("launch.other-network", group=named(one), theirs=theirs, ours=ours)
        target = str(one.address)
        yield Reason(ReasonCode.GROUP_OTHER_NETWORK, sentence, "block", target, (group,))
    is_elsewhere = facts.capabilities.has_projects_apart and group.project != project
    if group.project and project and is_elsewhere and not group.is_shared:
        theirs, ours = group.project, project
        sentence = said("launch.other-project", group=named(one), theirs=theirs, ours=ours)
        target = str(one.address)
        yield Reason(ReasonCode.GROUP_OTHER_PROJECT, sentence, "block", target, (group,))


def _instance(change: LaunchChange) -> Iterator[Reason]:
    """The instance does not exist, or cannot be bound; a warning where nothing would be."""
    facts = change.facts
    if facts.instance_id and facts.instance is None:
        sentence = said("launch.no-instance", subject=_subject(facts), place=place(facts.scope))
        yield Reason(ReasonCode.INSTANCE_NOT_FOUND, sentence, "block", _target(facts))
    if facts.instance and facts.instance.binding_refusal:
        state = facts.instance.state
        sentence = said(
            "launch.unbindable",
            subject=_subject(facts),
            state=said("launch.state", state=state) if state else "",
            why=facts.instance.binding_refusal,
        )
        yield Reason(
            ReasonCode.INSTANCE_REFUSES_BINDING,
            sentence,
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
            sentence = said(
                "launch.interface-unchangeable",
                interface=one.interface_id,
                instance=facts.instance_id,
                why=one.change_refusal,
            )
            yield Reason(
                ReasonCode.INSTANCE_REFUSES_BINDING,
                sentence,
                "block" if is_changed else "info",
                _target(facts),
                (facts.instance,) if facts.instance else (),
            )


def _forbidden(facts: LaunchFacts, policy: Policy) -> Iterator[Reason]:
    for one in _in_order(facts.groups):
        patterns = policy.launch.forbidden
        hit = next((p for p in patterns if matches(p, one.address, one.group)), None)
        if hit is not None:
            yield _forbidding(one, said("launch.forbidden", group=named(one), pattern=hit))


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
            yield _forbidding(one, said("launch.forbidden.maybe", group=named(one), pattern=hit))


def _forbidding(one: GroupFacts, sentence: Sentence) -> Reason:
    evidence = (one.group,) if one.group else ()
    return Reason(ReasonCode.GROUP_FORBIDDEN, sentence, "block", str(one.address), evidence)


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
    subject, groups = _subject(facts), _in_order(facts.groups)
    doubtful = (one for one in groups if one.group and fits(entry, one.address, one.group) is None)
    nameless = [named(one) for one in doubtful]
    unknown: Item = said("launch.nameless", names=listed(nameless)) if nameless else ""
    sentence = said("launch.baseline.none", subject=subject, entry=entry, unknown=unknown)
    if groups:
        carried = listed(named(one) for one in groups)
        sentence = said(
            "launch.baseline", subject=subject, entry=entry, groups=carried, unknown=unknown
        )
    return Reason(ReasonCode.BASELINE_MISSING, sentence, "block", _target(facts))


def _default_applies(facts: LaunchFacts) -> Iterator[Reason]:
    if facts.is_default_applied:
        sentence = said("launch.default-taken", groups=listed(map(named, facts.groups)))
    elif not facts.instance_id and not facts.groups:
        sentence = said("launch.default-unknown")
    else:
        return
    yield Reason(ReasonCode.DEFAULT_GROUP_APPLIES, sentence, "info", _target(facts))


def _within(change: LaunchChange, compared: Sequence[Usage]) -> Reason:
    """Every limit holds; the numbers that were compared, the fullest first."""
    facts = change.facts
    held = sorted((one for one in compared if not one.is_exceeded), key=fullness)
    evidence = tuple(one.limit for one in held)
    sentence = said("launch.no-limit", subject=_subject(facts))
    if held:
        usages = listed(one.held for one in held)
        sentence = said("launch.within", subject=_subject(facts), usages=usages)
    return Reason(ReasonCode.WITHIN_LIMITS, sentence, "info", _target(facts), evidence)
