"""The policy as a process that starts takes it: an exemption that is over is no error then.

It is not honoured any more, and that is all: it must not stop a fleet at midnight. Only
``sgguard policy check`` refuses it, where a person can mend it.
"""

from __future__ import annotations

from datetime import date, datetime

from sgguard.policy.exemption import is_over
from sgguard.policy.model import Policy
from sgguard.policy.read import load


def load_started(path: str | None) -> Policy:
    """Return the policy in the file, whatever has ended in it.

    Raises:
        PolicyError: as :func:`~sgguard.policy.read.load`, but for an exemption that is over.
    """
    return load(path, today=date.min)


def ended(policy: Policy, now: datetime | date) -> tuple[str, ...]:
    """Return a warning for each exemption that is over."""
    return tuple(
        f"the exemption of {one.group} ended on {one.expires.isoformat()} and is not honoured any "
        "more: renew it, or remove it from the policy"
        for one in policy.exemptions
        if is_over(one, now)
    )
