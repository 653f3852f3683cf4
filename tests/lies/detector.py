"""Holding an answer against the truth: every problem is one sentence, no problem is empty."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from sgguard.decision import Decision, Verdict
from sgguard.errors import SgguardError
from sgguard.model import Visibility
from tests.lies import truth
from tests.lies.ask import ask, ask_for_each
from tests.lies.case import Case
from tests.lies.deed import failure_of_plan, wrong_consequence


@dataclass
class Tally:
    """What came out over many clouds: a detector that only ever sees one answer proves nothing."""

    counts: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items()))


def problem_with_delete(case: Case, tally: Tally | None = None) -> str:
    """What is wrong with the answer about this case, empty when nothing is."""
    tally = tally or Tally()
    found = ask(case, case.wire())
    if isinstance(found, SgguardError):
        tally.counts["error"] += 1
        is_expected = case.is_hiding or case.trouble
        return "" if is_expected else f"an honest cloud could not be asked: {found!r}"
    return problem_with_decision(case, found, tally)


def problem_with_batch(case: Case, tally: Tally | None = None) -> str:
    """What is wrong with one of the answers when each group is asked about in one batch."""
    tally = tally or Tally()
    problems = []
    for group_id, found in ask_for_each(case, case.wire()):
        alone = replace(case, asked=(group_id,))
        if isinstance(found, Decision):
            problems.append(problem_with_decision(alone, found, tally))
            continue
        tally.counts["error"] += 1
        if not isinstance(found, SgguardError):
            problems.append(f"a bug instead of an answer: {found!r}")
        elif not (case.is_hiding or case.trouble):
            problems.append(f"an honest cloud could not be asked: {found!r}")
    return next(filter(None, problems), "")


def problem_with_decision(case: Case, found: Decision, tally: Tally) -> str:
    """What is wrong with a decision about a delete, empty when nothing is."""
    verdict = found.judgement.verdict
    tally.counts[verdict.value] += 1
    if verdict is Verdict.BLOCK:
        problem = _unfounded_block(case, found, tally)
    else:
        problem = _unfounded_allow(case, found, tally)
    return problem or wrong_forecast(case, found, tally)


def _unfounded_block(case: Case, found: Decision, tally: Tally) -> str:
    if case.is_hiding or case.trouble or not truth.is_free(case, case.asked):
        return ""
    if truth.is_beyond_every_reader(case) or any(
        truth.shows_sharing(case, one) and not case.is_admin for one in case.asked
    ):
        tally.counts["free, but too full or shared to tell"] += 1
        return ""
    codes = [reason.code for reason in found.judgement.reasons if reason.effect == "block"]
    return f"a free group was blocked: {codes}"


def _unfounded_allow(case: Case, found: Decision, tally: Tally) -> str:
    verdict = found.judgement.verdict
    if obstacles := [text for one in case.asked if (text := truth.obstacle(case, one))]:
        return f"{verdict}, but {obstacles[0]}"
    held = truth.holders(case, case.asked)
    beyond = [one for one in held if truth.is_beyond(case, one)]
    if beyond:
        if found.facts.visibility is not Visibility.PROJECT:
            return f"{verdict} with visibility {found.facts.visibility}, but {beyond[0]}"
        tally.counts["allowed within the project, held beyond it"] += 1
    seen = [one for one in held if one not in beyond]
    revoked = {step.details.get("rule_id") for step in found.judgement.plan}
    if verdict is Verdict.REMEDIATE:
        seen = [one for one in seen if not one.kind.startswith("a rule") or not revoked]
    if seen:
        return f"{verdict}, but {seen[0]}"
    return "" if beyond else failure_of_plan(case, found)


def wrong_forecast(case: Case, found: Decision, tally: Tally) -> str:
    """What the decision says a plain delete would do, and does not."""
    for one in found.judgement.consequences:
        tally.counts[one.kind] += 1
    held = [holder for one in case.asked for holder in truth.holders(case, [one])]
    if any(truth.is_beyond(case, holder) for holder in held):
        return ""
    return wrong_consequence(case, found)
