"""Which groups a pattern of the policy means: one matcher for every list and every path."""

from __future__ import annotations

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


def matches(pattern: str, address: Address | str, group: Group | None) -> bool:
    """Return whether a policy pattern means this group: by address, id or name.

    A text in place of an address is an id: that of an instance, or of a group whose scope
    is unknown.
    """
    texts = [str(address)]
    if isinstance(address, Address):
        texts.append(address.group_id)
    if group and group.name:
        texts.append(group.name)
    return any(fnmatchcase(text, pattern) for text in texts)


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
