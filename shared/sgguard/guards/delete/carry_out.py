"""Who deletes groups that are free: the caller, on the word of an allow, or the guard itself."""

from __future__ import annotations

from msgspec.structs import replace

from sgguard.model.codes import Mode, Outcome, Verdict
from sgguard.model.decision import Judgement
from sgguard.model.facts import DeleteFacts, Facts
from sgguard.policy import Policy


def carried_out(judgement: Judgement, facts: Facts, policy: Policy, mode: Mode) -> Judgement:
    """Return a judgement that leaves nothing to its caller where the policy wants all carried out.

    An allow of a delete then has the verdict ``remediate``: its plan, which is the delete itself,
    is carried out, or waits for an approval. A caller that only knew the allow would delete ahead
    of the journal, and of the approver. ``policy`` governs all groups of the request.
    """
    is_ours = (
        isinstance(facts, DeleteFacts)
        and policy.delete.carry_out == "always"
        and mode is not Mode.OBSERVE
    )
    if not is_ours or judgement.verdict is not Verdict.ALLOW:
        return judgement
    return replace(judgement, verdict=Verdict.REMEDIATE)


def outcome_of(judgement: Judgement, facts: Facts) -> Outcome:
    """Return what became of a judgement before anything was done about it."""
    if isinstance(facts, DeleteFacts) and judgement.verdict is Verdict.ALLOW:
        return Outcome.LEFT_TO_CALLER
    return Outcome.UNCHANGED
