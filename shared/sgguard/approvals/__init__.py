"""People's answers: who may approve what, how their links are signed, and what a click does.

An approval is a yes to the facts it shows, not to a group's name: before anything is changed the
world is read again, and where it is no longer the same, the fresh plan is asked about instead.
"""

from __future__ import annotations

from sgguard.approvals.reminders import expire, expire_all
from sgguard.approvals.resolve import approve, deny, finish

__all__ = ["approve", "deny", "expire", "expire_all", "finish"]
