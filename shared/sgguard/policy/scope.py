"""Which policy holds for one group: the first scope that fits decides what is different.

Where a group's name or tags are not told, a scope that asks for them may fit or not. Then the
strictest of what is possible holds, and so it does for several groups together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import reduce

from msgspec.structs import replace

from sgguard.model.address import Address, Scope
from sgguard.model.codes import Mode
from sgguard.model.resource import Group, Reference
from sgguard.policy.model import Guard, Match, Policy, ScopePolicy
from sgguard.policy.strict import strictest

Known = Sequence[tuple[Address, Group | None]]
"""Groups with what is known of each: None for nothing but the address."""


def for_group(policy: Policy, address: Address, group: Group | None) -> Policy:
    """Return the policy that holds for a group; its ``scopes`` are empty, for they are applied."""
    if not policy.scopes:
        return policy
    return _strictest(policy, _deciding(policy, address, group))


def for_groups(policy: Policy, groups: Known) -> Policy:
    """Return what every one of these groups permits: the strictest of their policies.

    Without any group the policy as it stands outside of all scopes is returned.
    """
    if not policy.scopes:
        return policy
    each = [for_group(policy, address, group) for address, group in groups]
    return reduce(strictest, each) if each else replace(policy, scopes=())


def for_referrer(policy: Policy, scope: Scope, reference: Reference) -> Policy:
    """Return the policy that holds for the group whose rule is a reference."""
    return for_group(policy, *referrer(scope, reference))


def referrer(scope: Scope, reference: Reference) -> tuple[Address, Group]:
    """Return the group whose rule is a reference, as far as the reference describes it."""
    group = Group(reference.group_id, reference.group_name, tags=reference.tags)
    return Address(scope, reference.group_id), group


def mode_for(policy: Policy, guard: Guard, groups: Known) -> Mode:
    """Return what may be done about a verdict over these groups: the least that one permits."""
    return mode_of(for_groups(policy, groups), guard)


def mode_of(policy: Policy, guard: Guard) -> Mode:
    """Return a guard's mode: its own, or else the policy's. Scopes are not looked at."""
    own = policy.delete.mode if guard == "delete" else policy.launch.mode
    return own or policy.mode


def modes(policy: Policy) -> Iterator[Mode]:
    """Yield every mode that a policy names, in its scopes and for its guards."""
    named: list[object] = [policy.mode, policy.delete.mode, policy.launch.mode]
    for scope in policy.scopes:
        named += [scope.mode, scope.delete.get("mode"), scope.launch.get("mode")]
    yield from (mode for mode in named if isinstance(mode, Mode))


def delete_remedies(policy: Policy) -> frozenset[str]:
    """Return every remedy that a policy permits for a delete anywhere, in its scopes as well."""
    named = [policy.delete.remedies, *(one.delete.get("remedies", ()) for one in policy.scopes)]
    return frozenset(remedy for some in named for remedy in some)


def possible(policy: Policy, address: Address, group: Group | None) -> tuple[tuple[int, ...], bool]:
    """Return the numbers of the scopes that may decide about a group, and whether none may.

    One number, and False: that scope does. No number, and True: the policy holds as it is.
    """
    found = list(_deciding(policy, address, group))
    numbers = {id(scope): n for n, scope in enumerate(policy.scopes)}
    return tuple(numbers[id(one)] for one in found if one is not None), None in found


def applied(policy: Policy, scope: ScopePolicy | None) -> Policy:
    """Return the policy with what a scope says in place, and without any scopes."""
    if scope is None:
        return replace(policy, scopes=())
    # A scope is nearer to the group than a guard's table outside of it: its mode comes first.
    calmed = {} if scope.mode is None else {"mode": None}
    return replace(
        policy,
        mode=scope.mode or policy.mode,
        delete=replace(policy.delete, **{**calmed, **scope.delete}),
        launch=replace(policy.launch, **{**calmed, **scope.launch}),
        caps=replace(policy.caps, **scope.caps),
        scopes=(),
    )


def _strictest(policy: Policy, deciding: Iterable[ScopePolicy | None]) -> Policy:
    return reduce(strictest, (applied(policy, one) for one in deciding))


def _deciding(
    policy: Policy, address: Address, group: Group | None
) -> Iterator[ScopePolicy | None]:
    """Yield every scope that may be the first to fit; None: it may be that none fits."""
    for scope in policy.scopes:
        fits = _fits(scope.match, address, group or Group(address.group_id))
        if fits is not False:
            yield scope
        if fits is True:
            return
    yield None


def _fits(match: Match, address: Address, group: Group) -> bool | None:
    """Return whether a group is one a scope is about; None: what is known does not tell.

    An empty account is the configured one; what still asks for it by name asks for a name that is
    not configured (:mod:`sgguard.policy.account`).
    """
    where = address.scope
    if not (
        fnmatchcase(where.provider, match.provider) and fnmatchcase(where.region, match.region)
    ):
        return False
    tags = None if group.tags is None else tuple(f"{key}={value}" for key, value in group.tags)
    told = (
        fnmatchcase(where.account, match.account) or (False if where.account else None),
        _fits_one(match.name, None if group.name is None else (group.name,)),
        _fits_one(match.tag, tags),
    )
    if False in told:
        return False
    return None if None in told else True


def _fits_one(pattern: str, texts: Sequence[str] | None) -> bool | None:
    """Return whether one of the texts fits; None: they are not told."""
    if pattern == "*":
        return True
    return None if texts is None else any(fnmatchcase(text, pattern) for text in texts)
