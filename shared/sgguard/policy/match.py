"""Which groups a pattern of the policy means: one matcher for every list and every path.

Whether a pattern fits a group is True, False, or None: its name is not told, and could fit. What
protects or forbids asks :func:`may_match`; what excuses or satisfies asks :func:`matches`.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from sgguard.clouds import names
from sgguard.model.address import Address
from sgguard.model.resource import Group

_COLONS_OF_ADDRESS = 3
_ANY_IDS = (
    ("sg-00000000", "sg-zzzzzzzz"),
    ("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
)
"""Two ids of each form that have nothing in common but the form."""
_ANY_REGIONS = ("00-00-0", "zz-zz-z")


def fits(pattern: str, address: Address | str, group: Group | None) -> bool | None:
    """Return whether a policy pattern means this group by address, id or name; None: it may.

    It may where the name is not told: of a group that was not read, or None, nothing but the
    address is known. No name is written like an address. A text in place of an address is an id:
    that of an instance, or of a group whose scope is unknown.
    """
    name = group.name if group else None
    texts = [str(address), *([name] if name else [])]
    if isinstance(address, Address):
        texts.append(address.group_id)
    if any(fnmatchcase(text, pattern) for text in texts):
        return True
    could_be_name = pattern.count(":") != _COLONS_OF_ADDRESS
    return None if name is None and could_be_name else False


def matches(pattern: str, address: Address | str, group: Group | None) -> bool:
    """Return whether a policy pattern is known to mean this group."""
    return fits(pattern, address, group) is True


def may_match(pattern: str, address: Address | str, group: Group | None) -> bool:
    """Return whether a policy pattern means this group, as far as is known of its name."""
    return fits(pattern, address, group) is not False


def first_that_may(
    patterns: Iterable[str], address: Address | str, group: Group | None
) -> str | None:
    """Return the pattern that means the group, else one that may mean it, or None."""
    fitting = [one for one in patterns if may_match(one, address, group)]
    known = (one for one in fitting if matches(one, address, group))
    return next(known, fitting[0] if fitting else None)


def is_too_wide(pattern: str) -> bool:
    """Return whether a pattern means every group of a cloud, or very nearly.

    It does when two ids that share nothing but their form fit it, and, where it is written like an
    address, in two regions that share nothing either.
    """
    for ids in _ANY_IDS:
        if all(fnmatchcase(one, pattern) for one in ids):
            return True
        for cloud in names():
            addresses = (f"{cloud}::{r}:{one}" for r in _ANY_REGIONS for one in ids)
            if all(fnmatchcase(one, pattern) for one in addresses):
                return True
    return False


def is_same_group(pattern: str, group: str) -> bool:
    """Return whether an id or address may be one of the groups that a pattern means.

    Where one of them has a scope and the other has none, the ids alone are compared.
    """
    (scope, _, asked), (where, _, group_id) = pattern.rpartition(":"), group.rpartition(":")
    is_near = not scope or not where or fnmatchcase(where, scope)
    return is_near and fnmatchcase(group_id, asked)


def is_of_scope(pattern: str, scope: str) -> bool:
    """Return whether a pattern is of this scope; one that is no address is of every scope."""
    if pattern.count(":") != _COLONS_OF_ADDRESS:
        return True
    return fnmatchcase(scope, pattern.rpartition(":")[0])
