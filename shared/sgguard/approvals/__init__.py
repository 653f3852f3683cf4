"""Approval requests: who may approve what, how links are signed, and what a decision does.

An approval is for the facts it shows, not for a group's name: before anything is changed the
world is read again. Where it is no longer the same, a new request for the new plan takes its place.
"""

from __future__ import annotations

from sgguard.approvals.reminders import expire, expire_all
from sgguard.approvals.resolve import approve, deny, finish

__all__ = ["approve", "deny", "expire", "expire_all", "finish"]
