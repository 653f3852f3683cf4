"""How often an action of Tencent's API 2.0 for security groups may be called, per second.

No page of the module names a rate, only the error for having passed it (4400). What is here is
taken from the actions of API 3.0 that answer the same questions.
"""

from __future__ import annotations

from collections.abc import Mapping

RATES: Mapping[str, float] = {
    "DescribeAssociateSecurityGroups": 20,
    "*": 100,
}
"""Calls per second, by action (fnmatch; the first that matches)."""

INFERRED: frozenset[str] = frozenset(RATES)
"""All of them."""
