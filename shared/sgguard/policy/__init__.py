"""What the operator permits: the policy, its defaults, and how it is read from a file.

Out of the box nothing is permitted: mode ``observe``, nothing protected, no remedies.
"""

from __future__ import annotations

from sgguard.policy.exemption import exempting, expiring, is_over, protecting
from sgguard.policy.match import (
    first_that_may,
    fits,
    is_of_scope,
    is_same_group,
    is_too_wide,
    matches,
    may_match,
)
from sgguard.policy.model import (
    EXEMPTABLE,
    ApprovalPolicy,
    Caps,
    DeletePolicy,
    Exemption,
    FailureEffect,
    Guard,
    LaunchPolicy,
    Match,
    Overrides,
    Policy,
    ScopePolicy,
    Sparse,
)
from sgguard.policy.read import load, read
from sgguard.policy.scope import (
    applied,
    delete_remedies,
    for_group,
    for_groups,
    for_referrer,
    mode_for,
    mode_of,
    modes,
    possible,
    referrer,
)
from sgguard.policy.strict import least, strictest

__all__ = [
    "EXEMPTABLE",
    "ApprovalPolicy",
    "Caps",
    "DeletePolicy",
    "Exemption",
    "FailureEffect",
    "Guard",
    "LaunchPolicy",
    "Match",
    "Overrides",
    "Policy",
    "ScopePolicy",
    "Sparse",
    "applied",
    "delete_remedies",
    "exempting",
    "expiring",
    "first_that_may",
    "fits",
    "for_group",
    "for_groups",
    "for_referrer",
    "is_of_scope",
    "is_over",
    "is_same_group",
    "is_too_wide",
    "least",
    "load",
    "matches",
    "may_match",
    "mode_for",
    "mode_of",
    "modes",
    "possible",
    "protecting",
    "read",
    "referrer",
    "strictest",
]
