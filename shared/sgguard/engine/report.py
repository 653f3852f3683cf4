"""What is told to those who run the guard: a line, a number and a trace of each decision."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from sgguard.model.address import Scope
from sgguard.model.codes import Outcome
from sgguard.model.decision import Decision
from sgguard.model.facts import LaunchFacts
from sgguard.render.document import unseen_of
from sgguard.store.rows import Claim
from sgguard.telemetry import logs, metrics, registry, traces


def decided(decision: Decision, scope: Scope) -> None:
    """Report a decision as it was judged."""
    fields: logs.Fields = {
        "event_id": decision.event_id,
        "decision_id": decision.decision_id,
        "provider": scope.provider,
        "account": scope.account,
        "region": scope.region,
        "groups": [group.address.group_id for group in decision.facts.groups],
        "mode": decision.mode,
        "verdict": decision.judgement.verdict,
        "reasons": [reason.code for reason in decision.judgement.reasons],
        "outcome": decision.outcome,
        "duration_ms": decision.took_ms,
        "caller": decision.caller["name"] if decision.caller else "",
    }
    if isinstance(decision.facts, LaunchFacts) and decision.facts.instance_id:
        fields["instance"] = decision.facts.instance_id
    logs.log(logging.INFO, "decided", **fields)
    of_guard = {"guard": decision.guard, "provider": scope.provider}
    verdict, mode = decision.judgement.verdict, decision.mode
    metrics.count(registry.DECISIONS, **of_guard, mode=mode, verdict=verdict)
    metrics.observe(registry.DECISION_SECONDS, decision.took_ms / 1000, **of_guard)
    for code in {reason.code for reason in decision.judgement.reasons}:
        metrics.count(registry.REASONS, provider=scope.provider, code=code)
    for gap in {unseen.code for _, unseen in unseen_of(decision)}:
        metrics.count(registry.GAPS, provider=scope.provider, gap=gap)
    traces.event(
        "decided",
        {
            "sgguard.decision_id": decision.decision_id,
            "sgguard.verdict": verdict,
            "sgguard.mode": mode,
            "cloudevents.event_id": decision.event_id,
        },
    )


def carried_out(claim: Claim, document: Mapping[str, Any], outcome: Outcome, note: str) -> None:
    """Report a plan that came to its end; the ``document`` is that of its decision."""
    logs.log(
        logging.INFO,
        "carried out",
        event_id=claim.event_id,
        decision_id=claim.decision_id,
        outcome=outcome,
        detail=note,
    )
    provider = str(document["target"][0]).partition(":")[0]
    metrics.count(registry.PLANS, provider=provider, outcome=outcome)
    traces.event("carried out", {"sgguard.decision_id": claim.decision_id})
