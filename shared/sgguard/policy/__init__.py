"""What the operator permits: the policy, its defaults, and how it is read from a file.

Out of the box nothing is permitted: mode ``observe``, nothing protected, no remedies.
"""

from __future__ import annotations

from sgguard.policy.model import (
    ApprovalPolicy,
    Caps,
    DeletePolicy,
    DeleteRemedy,
    Exemptable,
    Exemption,
    Guard,
    LaunchPolicy,
    LaunchRemedy,
    Match,
    Overrides,
    Policy,
    ScopePolicy,
    Sparse,
    Trouble,
    UnseenCode,
)
from sgguard.policy.read import load

__all__ = [
    "ApprovalPolicy",
    "Caps",
    "DeletePolicy",
    "DeleteRemedy",
    "Exemptable",
    "Exemption",
    "Guard",
    "LaunchPolicy",
    "LaunchRemedy",
    "Match",
    "Overrides",
    "Policy",
    "ScopePolicy",
    "Sparse",
    "Trouble",
    "UnseenCode",
    "load",
]
