"""The tables, and how a database of an older sgguard becomes one of this.

Migrations are numbered from 1 and never change once released; each is a list of statements that
SQLite and PostgreSQL both understand. ``DOUBLE PRECISION`` because PostgreSQL's ``REAL`` has four
bytes, too few for a time. Names begin with ``sgguard_`` so that a database can be shared.
"""

from __future__ import annotations

from sgguard.errors import StoreError
from sgguard.store import budgets, pace
from sgguard.store.database import Session
from sgguard.store.schema_callbacks import CALLBACKS
from sgguard.store.schema_outbox import OUTBOX
from sgguard.store.schema_retention import RETENTION

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

_RUNS_3 = """
CREATE TABLE sgguard_runs_3 (
    decision_id TEXT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    event_id TEXT NOT NULL,
    plan_json TEXT NOT NULL,
    snapshot_json TEXT NOT NULL,
    keys_json TEXT NOT NULL,
    shared_json TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN
        ('asked', 'refused', 'open', 'finished', 'undone', 'stuck', 'accepted')),
    direction TEXT NOT NULL CHECK (direction IN ('forward', 'undoing')),
    fence BIGINT NOT NULL,
    holder TEXT NOT NULL,
    lease_until_s DOUBLE PRECISION NOT NULL,
    lease_s DOUBLE PRECISION NOT NULL,
    note TEXT NOT NULL,
    begun_at_s DOUBLE PRECISION NOT NULL,
    ended_at_s DOUBLE PRECISION,
    CHECK (direction = 'forward' OR state NOT IN ('asked', 'refused', 'finished')),
    CHECK (direction = 'undoing' OR state NOT IN ('undone', 'stuck'))
)"""

_HAS_UNDO = """
    EXISTS (SELECT 1 FROM sgguard_entries AS line
        WHERE line.decision_id = run.decision_id AND line.is_undo = 1)
"""

# A run that was closed as finished although something of it was undone had been accepted.
_COPY_RUNS = f"""
INSERT INTO sgguard_runs_3 (decision_id, source, event_id, plan_json, snapshot_json, keys_json,
    shared_json, state, direction, fence, holder, lease_until_s, lease_s, note, begun_at_s,
    ended_at_s)
SELECT run.decision_id, run.source, run.event_id, run.plan_json, run.snapshot_json, run.keys_json,
    '[]', CASE WHEN run.state = 'finished' AND {_HAS_UNDO} THEN 'accepted' ELSE run.state END,
    CASE WHEN run.state IN ('undone', 'stuck') OR {_HAS_UNDO} THEN 'undoing' ELSE 'forward' END,
    0, '', 0, 0, run.note, run.begun_at_s, run.ended_at_s
FROM sgguard_runs AS run
"""  # noqa: S608 - constants

# What waits for an approval, or was approved and not begun, has a fence of its own from now on.
_ASKED_RUNS = """
INSERT INTO sgguard_runs (decision_id, source, event_id, plan_json, snapshot_json, keys_json,
    shared_json, state, direction, fence, holder, lease_until_s, lease_s, note, begun_at_s)
SELECT decision_id, source, event_id, '', '', '[]', '[]', 'asked', 'forward', 0, '', 0, 0, '',
    kept_at_s
FROM sgguard_decisions AS decision
WHERE outcome IN ('pending', 'unfinished')
    AND EXISTS (SELECT 1 FROM sgguard_approvals AS approval
        WHERE approval.decision_id = decision.decision_id)
    AND NOT EXISTS (SELECT 1 FROM sgguard_runs AS run
        WHERE run.decision_id = decision.decision_id)
"""

# A lease of which it is not known how long it was is believed for a day.
_LEASE_S = "ADD COLUMN lease_s DOUBLE PRECISION NOT NULL DEFAULT 86400"

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
    # A run has a direction, and the fence of its decision. A lock may be shared. A time to come
    # marks nothing: it counts as the moment at which it was noted.
    (
        f"ALTER TABLE sgguard_claims {_LEASE_S}",
        f"ALTER TABLE sgguard_locks {_LEASE_S}",
        "ALTER TABLE sgguard_locks ADD COLUMN shares TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX sgguard_locks_shares ON sgguard_locks (shares)",
        _RUNS_3,
        _COPY_RUNS,
        "DROP TABLE sgguard_runs",
        "ALTER TABLE sgguard_runs_3 RENAME TO sgguard_runs",
        "CREATE INDEX sgguard_runs_state ON sgguard_runs (state, begun_at_s)",
        _ASKED_RUNS,
        "ALTER TABLE sgguard_approvals ADD COLUMN told_at_s DOUBLE PRECISION",
        "UPDATE sgguard_approvals SET told_at_s = resolved_at_s WHERE state = 'expired'",
        "UPDATE sgguard_marks SET newest_s = noted_at_s WHERE newest_s > noted_at_s",
    ),
    OUTBOX,
    RETENTION,
    CALLBACKS,
    (*pace.TABLES, *budgets.TABLES),
)
"""What leads from one version of the schema to the next; the first from nothing to 1."""

_VERSIONS = """
CREATE TABLE IF NOT EXISTS sgguard_schema_version (
    version INTEGER NOT NULL PRIMARY KEY,
    applied_at_s DOUBLE PRECISION NOT NULL
)"""

NEWEST = "SELECT COALESCE(MAX(version), 0) FROM sgguard_schema_version"


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


def require_known(version: int) -> int:
    """Refuse to work with tables of a newer sgguard, whenever they became so.

    Raises:
        StoreError: they are those of a newer one.
    """
    if version > len(MIGRATIONS):
        raise StoreError(
            f"the store was written by a newer sgguard (schema {version}; this one knows up to "
            f"{len(MIGRATIONS)}): use that one"
        )
    return version


def _version(session: Session) -> int:
    [(version,)] = session.rows(NEWEST)
    return require_known(int(version))


def require_current(session: Session) -> None:
    """Refuse to write into tables that a newer sgguard has brought up to date meanwhile.

    Raises:
        StoreError: they are those of a newer one.
    """
    _version(session)
