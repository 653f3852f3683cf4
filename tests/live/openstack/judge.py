"""One decision of sgguard on the real cloud, and what Neutron then really does.

1. The state is read from Neutron's database, and sgguard decides with one user's token.
2. Verdict and state are compared as the false-verdict search does.
3. Either the plan of a remedy is carried out, or each group is deleted, in the order of the
   consequences and with the same token. What Neutron answers, and which rules are gone, must be
   what the decision says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import httpx

from sgguard.engine.decide import Decided
from sgguard.errors import CloudError, DeadlineError, SgguardError
from sgguard.model.codes import Verdict
from sgguard.model.decision import Consequence, Decision
from sgguard.remedy.plan import Planned
from sgguard.remedy.world import apply
from tests.false_verdicts.case import Case
from tests.false_verdicts.decide import settle
from tests.false_verdicts.detector import Tally, is_held_beyond, wrong_verdict
from tests.false_verdicts.remedy import (
    interface_without_group,
    wrong_after_undo,
    wrong_interfaces,
    wrong_rules,
)
from tests.live.openstack.build import MEMBER
from tests.live.openstack.mirror import case_on
from tests.live.openstack.report import report
from tests.live.openstack.stack import Client, Stack

Rules = set[tuple[str, str]]
"""Rules by the id of their group and their own."""


@dataclass(frozen=True)
class Deleted:
    """What Neutron did with a delete: its answer, and which rules of other groups went along."""

    status: int
    code: str
    vanished: Rules

    @property
    def is_done(self) -> bool:
        return self.status == httpx.codes.NO_CONTENT

    def __str__(self) -> str:
        return f"{self.status} {self.code}; {len(self.vanished)} rules of other groups are gone"


def delete(stack: Stack, client: Client, group_id: str) -> Deleted:
    """Really delete a group, and look what became of the rules of the others."""
    before = _rules(stack)
    response = client.call("DELETE", f"security-groups/{group_id}")
    gone = {(group, rule) for group, rule in before - _rules(stack) if group != group_id}
    code = response.json()["NeutronError"]["type"] if response.content else ""
    return Deleted(response.status_code, code, gone)


def _rules(stack: Stack) -> Rules:
    rows = stack.rows("SELECT security_group_id, id FROM securitygrouprules")
    return {(row["security_group_id"], row["id"]) for row in rows}


def problem_with(stack: Stack, case: Case, who: str, tally: Tally, *, has_plan: bool) -> str:
    """What is wrong with the decision on a case, with what is needed to understand it.

    ``has_plan``: the plan of the decision is carried out, if it has one, and no plain delete made.
    """
    found = settle(case, stack.transport)
    if isinstance(found, SgguardError):
        return report(case, f"the real cloud could not be read: {found!r}")
    decision = found.decision
    problem = wrong_verdict(case, decision, tally)
    if not problem and has_plan and decision.judgement.plan and not who.endswith("-reader"):
        carry_out = _failure_of_remedy if found.prepared else _failure_of_plan
        problem = carry_out(stack, case, who, found, tally)
    elif not problem:
        problem = _wrong_consequence(stack, case, who, decision, tally)
    return report(case, problem, decision) if problem else ""


# -- plain deletes --------------------------------------------------------------------------------


def _wrong_consequence(stack: Stack, case: Case, who: str, decision: Decision, tally: Tally) -> str:
    """Delete one group after the other as the consequences list them, and compare."""
    is_allowed = decision.judgement.verdict is Verdict.ALLOW
    for one in decision.judgement.consequences:
        group_id = one.target.rpartition(":")[2]
        # What nobody told these credentials may get in the way of the delete.
        is_certain = not is_held_beyond(replace(case, targets=(group_id,)), [group_id])
        done = delete(stack, stack.client(who), group_id)
        tally.counts[one.kind] += 1
        tally.counts[f"really {done.code or 'deleted'}"] += 1
        problem = _difference(one, done) if is_certain else ""
        if not problem and is_allowed and is_certain:
            problem = _harm(stack, case, group_id, done)
        if problem:
            return problem
    return ""


def _harm(stack: Stack, case: Case, group_id: str, done: Deleted) -> str:
    """What speaks against an allow; what a reader may not do, a member of the project does."""
    if done.status == httpx.codes.FORBIDDEN:
        done = delete(stack, stack.client(MEMBER), group_id)
    if done.is_done and all(group in case.targets for group, _ in done.vanished):
        return ""
    return f"allow, but the delete of {group_id} gave {done}"


def _difference(expected: Consequence, done: Deleted) -> str:
    """What the decision says about this delete and did not happen."""
    said = f"{expected.kind} {expected.error_code}".strip()
    wrong = f"{said} of {expected.target}, but {done}"
    match expected.kind:
        case "will-be-refused":
            is_as_said = not done.is_done and expected.error_code in ("", done.code)
        case "will-succeed":
            is_as_said = done.is_done and not done.vanished
        case "will-cascade":
            named = {(r.group_id, r.rule.rule_id) for r in expected.vanishing if r.rule}
            is_as_said = done.is_done and done.vanished == named
        case _:
            is_as_said = True
    return "" if is_as_said else wrong


# -- plans ----------------------------------------------------------------------------------------


def _failure_of_plan(stack: Stack, case: Case, who: str, found: Decided, tally: Tally) -> str:
    """Carry out the plan of an allow: its deletes, and the rules that break a circle before."""
    client, before = stack.client(who), _rules(stack)
    for step in found.decision.judgement.plan:
        path = f"security-groups/{step.target.rpartition(':')[2]}"
        if step.action == "revoke":
            path = f"security-group-rules/{step.details['rule_id']}"
        response = client.call("DELETE", path)
        if response.status_code != httpx.codes.NO_CONTENT:
            is_hindered = is_held_beyond(case, case.targets)
            return "" if is_hindered else f"the plan fails at {step.summary!r}: {response.text}"
    tally.counts["plan carried out"] += 1
    gone = {(group, rule) for group, rule in before - _rules(stack) if group not in case.targets}
    is_harmless = not gone or is_held_beyond(case, case.targets)
    return "" if is_harmless else f"the plan takes rules along: {sorted(gone)}"


def _failure_of_remedy(stack: Stack, case: Case, who: str, found: Decided, tally: Tally) -> str:
    """Carry the whole plan out on the real cloud: all must work, and nothing else may change."""
    assert found.prepared is not None
    planned = found.prepared.plan.planned
    for number, one in enumerate(planned):
        try:
            apply(found.cloud, one.change, f"live-{number}")
        except (CloudError, DeadlineError, LookupError) as error:
            if is_held_beyond(case, case.targets):
                return ""
            if one.change.kind == "delete-group":
                return f"the remedy fails at {one.step.summary!r}: {error!r}"
            tally.counts[f"remedy refused with {type(error).__name__}"] += 1
            _take_back(found, planned[:number])
            return wrong_after_undo(case, case_on(stack, who, case.region, case.seed))
        now = case_on(stack, who, case.region, case.seed)
        if bare := interface_without_group(case, now):
            return f"the remedy leaves {bare} without a group after {one.step.summary!r}"
    tally.counts["remedy carried out"] += 1
    return _wrong_after_remedy(case, case_on(stack, who, case.region, case.seed))


def _take_back(found: Decided, done: Sequence[Planned]) -> None:
    for number, one in enumerate(reversed(done)):
        inverse = one.change.inverse()
        assert inverse is not None, one.step.summary
        apply(found.cloud, inverse, f"live-back-{number}")


def _wrong_after_remedy(case: Case, after: Case) -> str:
    if left := [one for one in case.targets if after.cloud.group(one)]:
        return f"the remedy leaves {left[0]} behind"
    if is_held_beyond(case, case.targets):
        return ""
    return wrong_rules(case, after) or wrong_interfaces(case, after)
