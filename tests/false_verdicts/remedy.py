"""Apply every change of a remedy to a copy of the cloud, and compare the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sgguard.emulator.state import Interface, Rule
from sgguard.errors import CloudError, DeadlineError
from sgguard.remedy.plan import Plan, Planned
from sgguard.remedy.world import apply
from tests.false_verdicts import truth
from tests.false_verdicts.apply import changing
from tests.false_verdicts.case import Case


def failure_of_remedy(case: Case, plan: Plan, tally: Counter[str]) -> str:
    """Make the changes through the real provider: all must work, and nothing else may change.

    What the cloud refuses (a full quota, a group of a product) must have been taken back whole.
    Only the deletes themselves are never refused: everything that may hold a group was read.
    """
    after = case.fork()
    provider = changing(after)
    if len(plan.planned) > case.policy.caps.changes:
        return f"the plan has more changes than the cap: {len(plan.planned)}"
    for number, planned in enumerate(plan.planned):
        try:
            apply(provider, planned.change, f"search-{number}-0")
        except (CloudError, DeadlineError, LookupError) as error:
            if planned.change.kind == "delete-group" or not getattr(error, "is_outcome_known", 0):
                return f"the remedy fails at {planned.step.summary!r}: {error!r}"
            tally[f"remedy refused with {type(error).__name__}, and taken back"] += 1
            return _failure_of_undo(case, after, plan.planned[:number])
        if bare := interface_without_group(case, after):
            return f"the remedy leaves {bare} without a group after {planned.step.summary!r}"
    tally["remedy carried out"] += 1
    if left := [one for one in case.targets if after.cloud.group(one)]:
        return f"the remedy leaves {left[0]} behind"
    return wrong_rules(case, after) or wrong_interfaces(case, after)


def _failure_of_undo(case: Case, after: Case, done: Sequence[Planned]) -> str:
    """Undo what was done, last first: the state is as before."""
    provider = changing(after)
    for number, planned in reversed(list(enumerate(done))):
        inverse = planned.change.inverse()
        assert inverse is not None
        try:
            apply(provider, inverse, f"search-{number}-1")
        except (CloudError, DeadlineError, LookupError) as error:
            return f"{planned.step.summary!r} cannot be taken back: {error!r}"
    return wrong_after_undo(case, after)


def wrong_after_undo(case: Case, after: Case) -> str:
    """What is not as before the remedy, after all of it was taken back."""
    for before in case.cloud.groups:
        group = after.cloud.group(before.id)
        if group is None or Counter(map(_summary, group.rules)) != Counter(
            map(_summary, before.rules)
        ):
            return f"the rules of {before.id} are not what they were before the remedy"
    for held, now in _pairs(case, after):
        if sorted(now.groups) != sorted(held.groups):
            return f"{now.id} carries {now.groups} and not {held.groups} as before the remedy"
    return ""


def interface_without_group(case: Case, after: Case) -> str:
    """An interface of an instance that had groups and has none."""
    for before, now in _pairs(case, after):
        if before.instance and before.groups and not now.groups:
            return now.id
    return ""


def _pairs(case: Case, after: Case) -> Iterable[tuple[Interface, Interface]]:
    return zip(case.cloud.interfaces, after.cloud.interfaces, strict=True)


def wrong_rules(case: Case, after: Case) -> str:
    """Rules that name no deleted group stay; the others are removed or name the replacement."""
    for before in case.cloud.groups:
        if before.id in case.targets:
            continue
        group = after.cloud.group(before.id)
        if group is None:
            return f"the remedy deletes {before.id}, too"
        going = [rule for rule in before.rules if rule.peer_group in case.targets]
        stayed = Counter(_summary(rule) for rule in before.rules if rule not in going)
        now = Counter(_summary(rule) for rule in group.rules)
        if stayed - now:
            return f"the remedy takes rules of {before.id} along"
        if going and truth.is_protected(case, before):
            return f"the remedy changes rules of {before.id}, which is protected"
        to_group = case.policy.delete.replacement_group
        rewritten = Counter(_summary(replace(rule, peer_group=to_group)) for rule in going)
        if now - stayed - rewritten:
            return f"the remedy gives {before.id} rules that are not in the plan"
    return ""


def _summary(rule: Rule) -> tuple[object, ...]:
    """The traffic a rule permits, whatever its id."""
    return (
        rule.direction,
        rule.protocol,
        rule.ports,
        rule.cidr,
        rule.peer_group,
        rule.template,
        rule.action,
        rule.enabled,
        rule.description,
    )


def wrong_interfaces(case: Case, after: Case) -> str:
    """A holder of a deleted group keeps its other groups, and may have the fallback."""
    for before, now in _pairs(case, after):
        kept = [one for one in before.groups if one not in case.targets]
        if len(kept) == len(before.groups) and now.groups != before.groups:
            return f"the remedy changes {now.id}, which carried none of the groups"
        further = set(now.groups) - set(kept)
        if set(kept) - set(now.groups) or further - {case.policy.delete.fallback_group}:
            return f"the remedy leaves {now.id} with {now.groups} instead of {kept}"
    return ""
