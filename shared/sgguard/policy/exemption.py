"""What is excused: one matcher for both guards, the planner and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from sgguard.model.address import Address
from sgguard.model.codes import ReasonCode
from sgguard.model.resource import Group
from sgguard.policy.match import first_that_may, matches
from sgguard.policy.model import Exemption, Policy


def exempting(
    policy: Policy,
    code: str,
    address: Address | str,
    group: Group | None,
    now: datetime | date | None,
) -> Exemption | None:
    """Return the exemption that excuses this reason for this group at this moment, or None.

    ``address`` may be an instance's. Of several the one that ends last is returned. Without a
    moment nothing is excused: whether it still holds is unknown.
    """
    if now is None:
        return None
    fitting = [
        one
        for one in policy.exemptions
        if code in one.reasons and not is_over(one, now) and matches(one.group, address, group)
    ]
    return max(fitting, key=lambda one: one.expires, default=None)


def protecting(
    policy: Policy, address: Address, group: Group | None, now: datetime | date | None
) -> str | None:
    """Return the pattern that protects this group, or None: it is not protected, or excused.

    A group whose name is not told is protected by every pattern that could be its name.
    """
    pattern = first_that_may(policy.delete.protected, address, group)
    is_excused = pattern and exempting(policy, ReasonCode.PROTECTED, address, group, now)
    return None if is_excused else pattern


def is_over(exemption: Exemption, now: datetime | date) -> bool:
    """Return whether the exemption has ended: it holds until the end of its day, in UTC."""
    return day_of(now) > exemption.expires


def day_of(now: datetime | date) -> date:
    """Return the day of a moment in UTC; a moment without a zone is taken to be in UTC."""
    if not isinstance(now, datetime):
        return now
    return (now.astimezone(UTC) if now.tzinfo else now).date()


def expiring(policy: Policy, now: datetime | date, within: timedelta | None) -> Iterator[Exemption]:
    """Yield the exemptions that end within that time from now (all without one), the first first.

    Those that have ended already are among them.
    """
    last = None if within is None else day_of(now) + within
    for one in sorted(policy.exemptions, key=lambda one: (one.expires, one.group)):
        if last is None or one.expires <= last:
            yield one
