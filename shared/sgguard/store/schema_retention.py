"""What purging needs of the tables."""

from __future__ import annotations

# What a purge looks for is found without reading a table, and one process purges for all.
RETENTION = (
    "CREATE INDEX sgguard_claims_left ON sgguard_claims (lease_until_s)",
    "CREATE INDEX sgguard_claims_open ON sgguard_claims (first_at_s) WHERE state <> 'answered'",
    "CREATE INDEX sgguard_locks_left ON sgguard_locks (lease_until_s)",
    "CREATE INDEX sgguard_marks_noted ON sgguard_marks (noted_at_s)",
    "CREATE INDEX sgguard_runs_ended ON sgguard_runs (ended_at_s, decision_id)",
    "CREATE INDEX sgguard_decisions_kept ON sgguard_decisions (kept_at_s, decision_id)",
    "CREATE INDEX sgguard_approvals_resolved ON sgguard_approvals (resolved_at_s)",
    "CREATE INDEX sgguard_approvals_all ON sgguard_approvals (asked_at_s)",
    "CREATE INDEX sgguard_approvals_decision ON sgguard_approvals (decision_id)",
    """
CREATE TABLE sgguard_purges (
    number INTEGER NOT NULL PRIMARY KEY,
    ended_at_s DOUBLE PRECISION NOT NULL
)""",
)
