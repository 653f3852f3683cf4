"""Comparing a decision with the state: a problem is one sentence, no problem is empty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sgguard.errors import SgguardError
from sgguard.model.codes import Verdict
from sgguard.model.decision import Decision
from sgguard.model.resource import Visibility
from sgguard.remedy.prepare import Prepared
from tests.false_verdicts import truth
from tests.false_verdicts.apply import failure_of_plan, wrong_consequence
from tests.false_verdicts.case import Case
from tests.false_verdicts.decide import decide_each, settle
from tests.false_verdicts.remedy import failure_of_remedy


@dataclass
class Tally:
    """The verdicts of many clouds: a search that only ever sees one verdict proves nothing."""

    counts: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))


def problem_with_delete(case: Case, tally: Tally | None = None) -> str:
    """What is wrong with the decision on this case, empty when nothing is."""
    tally = tally or Tally()
    found = settle(case, case.wire())
    if isinstance(found, SgguardError):
        tally.counts["error"] += 1
        is_expected = case.is_hiding or case.fault_seed
        return "" if is_expected else f"a cloud without faults could not be read: {found!r}"
    return problem_with_decision(case, found.decision, tally, found.prepared)


def problem_with_batch(case: Case, tally: Tally | None = None) -> str:
    """What is wrong with one of the decisions when each group is one request of a batch."""
    tally = tally or Tally()
    problems = []
    for group_id, found in decide_each(case, case.wire()):
        alone = replace(case, targets=(group_id,))
        if isinstance(found, Decision):
            problems.append(problem_with_decision(alone, found, tally))
            continue
        tally.counts["error"] += 1
        if not isinstance(found, SgguardError):
            problems.append(f"a bug instead of a decision: {found!r}")
        elif not (case.is_hiding or case.fault_seed):
            problems.append(f"a cloud without faults could not be read: {found!r}")
    return next(filter(None, problems), "")


def problem_with_decision(
    case: Case, found: Decision, tally: Tally, prepared: Prepared | None = None
) -> str:
    """What is wrong with a decision about a delete, empty when nothing is.

    ``prepared`` is what a remedy would be made of.
    """
    problem = wrong_verdict(case, found, tally)
    if not problem and found.judgement.verdict is not Verdict.BLOCK:
        problem = _failure(case, found, tally, prepared)
    return problem or wrong_forecast(case, found, tally)


def wrong_verdict(case: Case, found: Decision, tally: Tally) -> str:
    """What the state says against the verdict, empty if nothing; no plan is tried."""
    verdict = found.judgement.verdict
    tally.counts[verdict.value] += 1
    if verdict is Verdict.BLOCK:
        return _unfounded_block(case, found, tally)
    return _unfounded_allow(case, found, tally)


def _unfounded_block(case: Case, found: Decision, tally: Tally) -> str:
    if case.is_hiding or case.fault_seed or not truth.is_free(case, case.targets):
        return ""
    if _lacks_visibility(case, found):
        tally.counts["free, but the policy requires more visibility"] += 1
        return ""
    if any(truth.forbids(case, one) for one in case.targets):
        tally.counts["free, but protected by the policy"] += 1
        return ""
    if truth.is_beyond_every_reader(case) or any(
        truth.shows_sharing(case, one) and not case.is_admin for one in case.targets
    ):
        tally.counts["free, but too full or shared to tell"] += 1
        return ""
    codes = [reason.code for reason in found.judgement.reasons if reason.effect == "block"]
    return f"a free group was blocked: {codes}"


def _lacks_visibility(case: Case, found: Decision) -> bool:
    order = [Visibility.PROJECT, Visibility.ACCOUNT, Visibility.CLOUD]
    required = case.policy.delete.require_visibility
    return required is not None and order.index(found.facts.visibility) < order.index(required)


def _unfounded_allow(case: Case, found: Decision, tally: Tally) -> str:
    verdict = found.judgement.verdict
    if problem := _obstacle(case, found):
        return f"{verdict}, but {problem}"
    held = truth.holders(case, case.targets)
    beyond = [one for one in held if truth.is_beyond(case, one)]
    seen = [one for one in held if one not in beyond]
    if seen and verdict is Verdict.ALLOW:
        return f"{verdict}, but {seen[0]}"
    if problem := next(filter(None, (truth.remedy_missing(case, one) for one in seen)), ""):
        return f"{verdict}, but {problem}"
    if beyond:
        tally.counts["allowed within the project, held beyond it"] += 1
        is_said = found.facts.visibility is Visibility.PROJECT
        return "" if is_said else f"{verdict} beyond {found.facts.visibility}, but {beyond[0]}"
    return ""


def is_held_beyond(case: Case, group_ids: Iterable[str]) -> bool:
    """Whether something that these credentials cannot see holds one of the groups."""
    return any(truth.is_beyond(case, one) for one in truth.holders(case, group_ids))


def _failure(case: Case, found: Decision, tally: Tally, prepared: Prepared | None) -> str:
    """How carrying out the plan fails; what is hidden is expected to get in its way."""
    if is_held_beyond(case, case.targets):
        return ""
    if prepared is None:
        return failure_of_plan(case, found)
    tally.counts.update(f"{step.action} planned" for step in found.judgement.plan)
    return failure_of_remedy(case, prepared.plan, tally.counts)


def _obstacle(case: Case, found: Decision) -> str:
    """Why the groups must stay, whoever holds them; empty if nothing speaks against their going."""
    if _lacks_visibility(case, found):
        return f"the policy requires {case.policy.delete.require_visibility}"
    each = (say(case, one) for say in (truth.obstacle, truth.forbids) for one in case.targets)
    return next(filter(None, each), "")


def wrong_forecast(case: Case, found: Decision, tally: Tally) -> str:
    """What the decision says a plain delete would do, and does not."""
    for one in found.judgement.consequences:
        tally.counts[one.kind] += 1
    held = [holder for one in case.targets for holder in truth.holders(case, [one])]
    if any(truth.is_beyond(case, holder) for holder in held):
        return ""
    return wrong_consequence(case, found)
