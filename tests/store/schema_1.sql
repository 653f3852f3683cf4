-- The tables as schema version 1 was released; read by test_upgrade.py.

CREATE TABLE sgguard_claims (
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    owner TEXT NOT NULL,
    fence BIGINT NOT NULL,
    decision_id TEXT NOT NULL,
    payload_hash TEXT,
    state TEXT NOT NULL,
    lease_until_s DOUBLE PRECISION NOT NULL,
    first_at_s DOUBLE PRECISION NOT NULL,
    answer_json TEXT,
    PRIMARY KEY (source, event_id)
);

CREATE TABLE sgguard_locks (
    name TEXT NOT NULL PRIMARY KEY,
    decision_id TEXT NOT NULL,
    lease_until_s DOUBLE PRECISION NOT NULL
);

CREATE INDEX sgguard_locks_decision ON sgguard_locks (decision_id);

CREATE TABLE sgguard_marks (
    name TEXT NOT NULL PRIMARY KEY,
    newest_s DOUBLE PRECISION NOT NULL,
    before_s DOUBLE PRECISION,
    noted_at_s DOUBLE PRECISION NOT NULL
);

CREATE TABLE sgguard_runs (
    decision_id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    plan_json TEXT NOT NULL,
    snapshot_json TEXT NOT NULL,
    keys_json TEXT NOT NULL,
    state TEXT NOT NULL,
    note TEXT NOT NULL,
    begun_at_s DOUBLE PRECISION NOT NULL,
    ended_at_s DOUBLE PRECISION
);

CREATE INDEX sgguard_runs_state ON sgguard_runs (state, begun_at_s);

CREATE TABLE sgguard_entries (
    decision_id TEXT NOT NULL,
    number BIGINT NOT NULL,
    step BIGINT NOT NULL,
    change_json TEXT NOT NULL,
    is_undo INTEGER NOT NULL,
    state TEXT NOT NULL,
    request_id TEXT NOT NULL,
    note TEXT NOT NULL,
    at_s DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (decision_id, number)
);

CREATE TABLE sgguard_decisions (
    decision_id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    guard TEXT NOT NULL,
    target_json TEXT NOT NULL,
    requester TEXT NOT NULL,
    verdict TEXT NOT NULL,
    mode TEXT NOT NULL,
    outcome TEXT NOT NULL,
    document_json TEXT NOT NULL,
    approver TEXT NOT NULL,
    at_s DOUBLE PRECISION NOT NULL,
    kept_at_s DOUBLE PRECISION NOT NULL
);

CREATE INDEX sgguard_decisions_at ON sgguard_decisions (at_s);

CREATE TABLE sgguard_targets (
    target TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    PRIMARY KEY (target, decision_id)
);

CREATE INDEX sgguard_targets_decision ON sgguard_targets (decision_id);

CREATE TABLE sgguard_approvals (
    approval_id TEXT NOT NULL PRIMARY KEY,
    decision_id TEXT NOT NULL,
    target_json TEXT NOT NULL,
    requester TEXT NOT NULL,
    facts_hash TEXT NOT NULL,
    request_json TEXT NOT NULL,
    summary TEXT NOT NULL,
    expires_at_s DOUBLE PRECISION NOT NULL,
    state TEXT NOT NULL,
    resolved_by TEXT NOT NULL,
    resolved_at_s DOUBLE PRECISION,
    reminded_at_s DOUBLE PRECISION,
    asked_at_s DOUBLE PRECISION NOT NULL
);

CREATE INDEX sgguard_approvals_asked ON sgguard_approvals (state, asked_at_s);

CREATE UNIQUE INDEX sgguard_approvals_pending ON sgguard_approvals (decision_id)
WHERE state = 'pending';

CREATE TABLE sgguard_halts (
    number INTEGER NOT NULL PRIMARY KEY,
    halted_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    at_s DOUBLE PRECISION NOT NULL
);

CREATE TABLE sgguard_schema_version (
    version INTEGER NOT NULL PRIMARY KEY,
    applied_at_s DOUBLE PRECISION NOT NULL
);

INSERT INTO sgguard_schema_version VALUES (1, 1799999000);
