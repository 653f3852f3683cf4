"""Callbacks and dead letters: a step of :data:`sgguard.store.schema.MIGRATIONS`."""

from __future__ import annotations

# Who is told of a decision; its address is here alone, for it may hold a secret.
_CALLBACKS = """
CREATE TABLE sgguard_callbacks (
    decision_id TEXT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL,
    kept_at_s DOUBLE PRECISION NOT NULL,
    ended_at_s DOUBLE PRECISION
)"""

# What was delivered, and can never be judged as it is.
_DEAD_LETTERS = """
CREATE TABLE sgguard_dead_letters (
    letter_id TEXT NOT NULL PRIMARY KEY,
    function TEXT NOT NULL,
    caller TEXT NOT NULL,
    event_id TEXT NOT NULL,
    status BIGINT NOT NULL,
    reason TEXT NOT NULL,
    problems_json TEXT NOT NULL,
    headers_json TEXT NOT NULL,
    body TEXT NOT NULL,
    body_bytes BIGINT NOT NULL,
    times BIGINT NOT NULL,
    first_at_s DOUBLE PRECISION NOT NULL,
    last_at_s DOUBLE PRECISION NOT NULL
)"""

CALLBACKS: tuple[str, ...] = (
    _CALLBACKS,
    _DEAD_LETTERS,
    "CREATE INDEX sgguard_callbacks_kept ON sgguard_callbacks (kept_at_s, decision_id)",
    "CREATE INDEX sgguard_dead_letters_at ON sgguard_dead_letters (last_at_s)",
    "CREATE INDEX sgguard_dead_letters_caller ON sgguard_dead_letters (caller)",
)
