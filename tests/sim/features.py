"""What can happen in a story, and what of it makes trouble together."""

from __future__ import annotations

import random

from tests.sim.story import Json

FEATURES = (
    "deaths",
    "freezes",
    "store errors",
    "lost answers",
    "throttles",
    "approvals",
    "editors",
    "slow store",
    "duplicates",
    "batches",
    "restores",
    "halts",
    "policies",
    "clocks",
    "aliases",
    "launches",
    "order",
    "operators",
    "rewrites",
    "percent",
)


THEMES = (
    ("approvals", "freezes", "duplicates"),
    ("approvals", "store errors", "duplicates"),
    ("approvals", "deaths", "operators"),
    ("deaths", "duplicates", "operators"),
    ("lost answers", "editors", "duplicates", "operators"),
    ("deaths", "editors", "duplicates", "operators"),
    ("freezes", "duplicates", "operators"),
    ("rewrites", "batches"),
    ("rewrites", "aliases", "duplicates"),
    ("order", "batches", "duplicates"),
    ("restores", "deaths"),
    ("store errors", "operators", "duplicates"),
    ("percent", "batches"),
    ("slow store",),
)
"""Things that make trouble together; half of the stories have all of one of these."""


def changed(policy: Json, rng: random.Random) -> Json:
    """The policy that somebody deploys in its place: with a halt, another approver or mode."""
    other = rng.choice(
        [{"halt": True}, {"approvers": ["otto"]}, {"mode": "observe"}, {"mode": "approve"}]
    )
    return {**policy, **other}
