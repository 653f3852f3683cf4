"""The tables, and how a database of an older sgguard becomes one of this.

Migrations are numbered from 1 and never change once released; each is a list of statements that
SQLite and PostgreSQL both understand. ``DOUBLE PRECISION`` because PostgreSQL's ``REAL`` has four
bytes, too few for a time. Names begin with ``sgguard_`` so that a database can be shared.
"""

from __future__ import annotations

from sgguard.errors import StoreError
from sgguard.store.database import Session

_CLAIMS = """
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
)"""

_LOCKS = """
CREATE TABLE sgguard_locks (
    name TEXT NOT NULL PRIMARY KEY,
    decision_id TEXT NOT NULL,
    lease_until_s DOUBLE PRECISION NOT NULL
)"""

_MARKS = """
CREATE TABLE sgguard_marks (
    name TEXT NOT NULL PRIMARY KEY,
    newest_s DOUBLE PRECISION NOT NULL,
    before_s DOUBLE PRECISION,
    noted_at_s DOUBLE PRECISION NOT NULL
)"""

_RUNS = """
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
)"""

_ENTRIES = """
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
)"""

_DECISIONS = """
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
)"""

_TARGETS = """
CREATE TABLE sgguard_targets (
    target TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    PRIMARY KEY (target, decision_id)
)"""

_APPROVALS = """
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
)"""

# Two requests about one decision at the same moment: the database puts one of them first.
_ONE_PENDING = """
CREATE UNIQUE INDEX sgguard_approvals_pending ON sgguard_approvals (decision_id)
WHERE state = 'pending'
"""

_HALTS = """
CREATE TABLE sgguard_halts (
    number INTEGER NOT NULL PRIMARY KEY,
    halted_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    at_s DOUBLE PRECISION NOT NULL
)"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        _CLAIMS,
        _LOCKS,
        "CREATE INDEX sgguard_locks_decision ON sgguard_locks (decision_id)",
        _MARKS,
        _RUNS,
        "CREATE INDEX sgguard_runs_state ON sgguard_runs (state, begun_at_s)",
        _ENTRIES,
        _DECISIONS,
        "CREATE INDEX sgguard_decisions_at ON sgguard_decisions (at_s)",
        _TARGETS,
        "CREATE INDEX sgguard_targets_decision ON sgguard_targets (decision_id)",
        _APPROVALS,
        "CREATE INDEX sgguard_approvals_asked ON sgguard_approvals (state, asked_at_s)",
        _ONE_PENDING,
        _HALTS,
    ),
    # It holds the id of the group that a change created, never that of a request.
    ("ALTER TABLE sgguard_entries RENAME COLUMN request_id TO made_id",),
)
"""What leads from one version of the schema to the next; the first from nothing to 1."""

_VERSIONS = """
CREATE TABLE IF NOT EXISTS sgguard_schema_version (
    version INTEGER NOT NULL PRIMARY KEY,
    applied_at_s DOUBLE PRECISION NOT NULL
)"""


def is_current(session: Session) -> bool:
    """Whether the tables are those of this sgguard; the table of versions must exist.

    Raises:
        StoreError: they are those of a newer one.
    """
    return _version(session) == len(MIGRATIONS)


def migrate(session: Session) -> None:
    """Make the tables those of this sgguard, in a transaction that keeps all other processes off.

    Raises:
        StoreError: they are those of a newer one.
    """
    session.count(_VERSIONS)
    for number in range(_version(session) + 1, len(MIGRATIONS) + 1):
        for statement in MIGRATIONS[number - 1]:
            session.count(statement)
        session.count(
            "INSERT INTO sgguard_schema_version (version, applied_at_s) VALUES (:number, :now)",
            number=number,
        )


def _version(session: Session) -> int:
    [(version,)] = session.rows("SELECT COALESCE(MAX(version), 0) FROM sgguard_schema_version")
    if version > len(MIGRATIONS):
        raise StoreError(
            f"the store was written by a newer sgguard (schema {version}; this one knows up to "
            f"{len(MIGRATIONS)}): use that one"
        )
    return int(version)
