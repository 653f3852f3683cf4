"""What is told to those who run the guard: one line for each decision."""

from __future__ import annotations

import logging

from sgguard.model.address import Scope
from sgguard.model.decision import Decision
from sgguard.telemetry import logs


def decided(decision: Decision, scope: Scope) -> None:
    """Write the line of one decision."""
    logs.log(
        logging.INFO,
        "decided",
        event_id=decision.event_id,
        decision_id=decision.decision_id,
        provider=scope.provider,
        account=scope.account,
        region=scope.region,
        groups=[group.address.group_id for group in decision.facts.groups],
        mode=decision.mode,
        verdict=decision.judgement.verdict,
        reasons=[reason.code for reason in decision.judgement.reasons],
        outcome=decision.outcome,
        duration_ms=decision.took_ms,
        caller=decision.caller["name"] if decision.caller else "",
    )
