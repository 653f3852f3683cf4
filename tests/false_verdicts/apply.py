"""Applying a decision to a copy of the cloud, through the provider's own changes."""

from __future__ import annotations

import re

from sgguard import providers
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import CloudError
from sgguard.model.decision import Consequence, Decision, Step
from sgguard.providers import Access
from sgguard.providers.base import Cloud
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.pacing import Lanes, Pace
from sgguard.wire.retry import Retry
from tests.false_verdicts import truth
from tests.false_verdicts.case import Case
from tests.worlds import Jumping

_POSITION = re.compile(r"(ingress|egress)\[(\d+)\]")


def failure_of_plan(case: Case, found: Decision) -> str:
    """Apply the plan to a copy of the cloud: every step must succeed, and nothing else vanish."""
    after = case.fork()
    before = {g.id: list(g.rules) for g in case.cloud.groups if g.id not in case.targets}
    provider = changing(after)
    for step in found.judgement.plan:
        group_id = step.target.rpartition(":")[2]
        try:
            if step.action == "revoke":
                before.pop(group_id, None)
                _revoke(after, group_id, step)
            elif step.action == "delete":
                provider.delete_group(group_id)
            else:
                return f"the plan has a step of another kind: {step.summary}"
        except (CloudError, LookupError) as error:
            return f"the plan fails at {step.summary!r}: {error!r}"
    if left := [one for one in case.targets if after.cloud.group(one)]:
        return f"the plan leaves {left[0]} behind"
    for group_id, rules in before.items():
        group = after.cloud.group(group_id)
        if group is None or group.rules != rules:
            return f"the plan takes rules of {group_id} along"
    return ""


def _revoke(case: Case, group_id: str, step: Step) -> None:
    """Remove the rule a step means, by its id or by its position at this moment."""
    group = case.cloud.group(group_id)
    if group is None:
        raise LookupError(f"{group_id} is gone")
    wanted = step.details["rule_id"]
    if position := _POSITION.fullmatch(wanted):
        rule = [r for r in group.rules if r.direction == position[1]][int(position[2])]
    else:
        rule = next((r for r in group.rules if r.id == wanted), None)  # type: ignore[assignment]
    if rule is None or rule.peer_group != step.details["peer_group"]:
        raise LookupError(f"{wanted} is not the rule the step means")
    group.rules.remove(rule)


def changing(case: Case, *, keeps_role: bool = False) -> Cloud:
    """The provider with the credentials of a caller that may make changes, or of the one it is."""
    if case.caller.role == "reader" and not keeps_role:
        case.caller.role = "member"
    case.caller.denied.clear()
    clock = Jumping()
    wire = Wire(
        case.provider,
        Deadline.after(60.0, clock),
        transport=EmulatorTransport(case.emulator()),
        retry=Retry(sleep=clock.sleep),
        pace=Pace(lanes=Lanes(clock, clock.sleep)),
    )
    access = Access(wire, case.region, env=case.env)
    return providers.connect(case.provider, access)


def wrong_consequence(case: Case, found: Decision) -> str:
    """Delete one group after the other as the consequences list them, and compare.

    What a delete would do is told for the credentials that asked: a reader's is refused.
    """
    after = case.fork()
    provider = changing(after, keeps_role=True)
    for one in found.judgement.consequences:
        group_id = one.target.rpartition(":")[2]
        before = _rules(after)
        try:
            provider.delete_group(group_id)
        except (CloudError, LookupError) as error:
            problem = _when_refused(case, one, error)
        else:
            gone = {(g, r) for g, r in before - _rules(after) if g != group_id}
            problem = _when_done(one, gone, is_reported=not (case.fault_seed or case.is_hiding))
        if problem:
            return problem
    return ""


def _rules(case: Case) -> set[tuple[str, str]]:
    return {(group.id, rule.id) for group in case.cloud.groups for rule in group.rules}


def _when_refused(case: Case, expected: Consequence, error: Exception) -> str:
    if expected.kind in ("will-succeed", "will-cascade"):
        return f"{expected.kind}, but {error!r}"
    group_id = expected.target.rpartition(":")[2]
    is_other = expected.error_code not in ("", getattr(error, "code", ""))
    # With two causes no document states which one the cloud reports.
    is_single = not truth.obstacle(case, group_id) or not truth.holders(case, [group_id])
    is_reported = not (case.fault_seed or case.is_hiding)
    if expected.kind == "will-be-refused" and is_other and is_single and is_reported:
        return f"will-be-refused with {expected.error_code}, but {error!r}"
    return ""


def _when_done(expected: Consequence, gone: set[tuple[str, str]], *, is_reported: bool) -> str:
    if expected.kind == "will-be-refused":
        return f"will-be-refused ({expected.note}), but it was done" if is_reported else ""
    if expected.kind == "will-succeed" and gone:
        return f"will-succeed, but it takes {sorted(gone)} along"
    named = {(r.group_id, r.rule.rule_id) for r in expected.vanishing if r.rule is not None}
    if expected.kind == "will-cascade" and gone != named and is_reported:
        return f"will-cascade, but {sorted(gone ^ named)} differ"
    return ""
