"""The tables of the outbox: a step of :data:`sgguard.store.schema.MIGRATIONS`."""

from __future__ import annotations

# What is to be told to others, written with the outcome that it tells of.
_OUTBOX = """
CREATE TABLE sgguard_outbox (
    notice_id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    decision_id TEXT NOT NULL,
    destination TEXT NOT NULL,
    order_key TEXT NOT NULL,
    number BIGINT NOT NULL,
    payload_json TEXT NOT NULL,
    reference_json TEXT NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'dropped', 'dead')),
    attempts BIGINT NOT NULL,
    problem TEXT NOT NULL,
    created_at_s DOUBLE PRECISION NOT NULL,
    next_try_s DOUBLE PRECISION NOT NULL,
    wait_s DOUBLE PRECISION NOT NULL,
    keep_s DOUBLE PRECISION NOT NULL,
    expires_at_s DOUBLE PRECISION NOT NULL,
    ended_at_s DOUBLE PRECISION,
    owner TEXT NOT NULL,
    fence BIGINT NOT NULL,
    lease_until_s DOUBLE PRECISION NOT NULL,
    lease_s DOUBLE PRECISION NOT NULL
)"""

# Destinations that fail, and until when each is left alone.
_OUTBOX_PLACES = """
CREATE TABLE sgguard_outbox_places (
    kind TEXT NOT NULL,
    destination TEXT NOT NULL,
    failures BIGINT NOT NULL,
    failing_since_s DOUBLE PRECISION NOT NULL,
    held_until_s DOUBLE PRECISION NOT NULL,
    held_s DOUBLE PRECISION NOT NULL,
    problem TEXT NOT NULL,
    PRIMARY KEY (kind, destination)
)"""

# How much was sent to a destination in each slice of time, for its limits.
_OUTBOX_SLICES = """
CREATE TABLE sgguard_outbox_slices (
    kind TEXT NOT NULL,
    destination TEXT NOT NULL,
    width_s BIGINT NOT NULL,
    slice BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (kind, destination, width_s, slice)
)"""

OUTBOX: tuple[str, ...] = (
    _OUTBOX,
    "CREATE UNIQUE INDEX sgguard_outbox_order ON sgguard_outbox (order_key, number)",
    "CREATE INDEX sgguard_outbox_due ON sgguard_outbox (state, kind, next_try_s)",
    "CREATE INDEX sgguard_outbox_decision ON sgguard_outbox (decision_id)",
    "CREATE INDEX sgguard_outbox_created ON sgguard_outbox (created_at_s, notice_id)",
    "CREATE INDEX sgguard_outbox_ended ON sgguard_outbox (ended_at_s, notice_id)",
    _OUTBOX_PLACES,
    _OUTBOX_SLICES,
)
