"""A policy at home: what it says of an account, whichever way a request names that account.

A request may leave the account of an address empty: that is the configured one, and no other is
accepted. So in one deployment a pattern for the configured account, by its name or empty, means
every address: else the same group, written without its account, would be in no scope and protected
by nothing.

With further accounts that would let an exemption of one account excuse the groups of another. So
there every address is judged with its account's name (``Accounts.canonical`` of the engine), and
an empty account in a pattern is that name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from msgspec.structs import replace

from sgguard.clouds import names
from sgguard.errors import PolicyError
from sgguard.policy.channel import Route
from sgguard.policy.model import Exemption, Match, Policy, ScopePolicy

_PARTS_OF_ADDRESS = 4
_LISTS = ("protected", "baseline", "forbidden")

Accounts = Mapping[str, str]
"""The name of the configured account of each cloud, where it has one."""


_Named = Callable[[str, str], str]
"""Returns the account pattern that is compared, of a provider pattern and an account pattern."""


Further = Mapping[str, Mapping[str, str]]
"""By cloud the further accounts: the name of each by its number."""


def at_home(policy: Policy, accounts: Accounts, further: Further | None = None) -> Policy:
    """Return the policy with ``*`` for the configured accounts in its patterns.

    With further accounts an empty account becomes the configured one's name, and a number the
    name of its account.

    Raises:
        PolicyError: an account in a pattern would be several ones, or would miss one that it means.
    """
    named = partial(_by_name, accounts, further) if further else partial(_anywhere, accounts)
    return replace(
        policy,
        delete=replace(policy.delete, **_table(policy.delete, named)),
        launch=replace(policy.launch, **_table(policy.launch, named)),
        scopes=tuple(_scope(one, named) for one in policy.scopes),
        exemptions=tuple(_exemption(one, named) for one in policy.exemptions),
        routes=tuple(_route(one, named) for one in policy.routes),
    )


def _table(table: object, named: _Named) -> dict[str, Any]:
    there = [name for name in (*_LISTS, "replacements") if hasattr(table, name)]
    return _sparse({name: getattr(table, name) for name in there}, named)


def _sparse(fields: Mapping[str, Any], named: _Named) -> dict[str, Any]:
    found = dict(fields)
    for name in _LISTS:
        if name in fields:
            found[name] = tuple(_pattern(one, named) for one in fields[name])
    if "replacements" in fields:
        listed = fields["replacements"].items()
        found["replacements"] = {_pattern(old, named): new for old, new in listed}
    return found


def _scope(scope: ScopePolicy, named: _Named) -> ScopePolicy:
    match: Match = scope.match
    match = replace(match, account=named(match.provider, match.account))
    return replace(
        scope,
        match=match,
        delete=_sparse(scope.delete, named),
        launch=_sparse(scope.launch, named),
    )


def _exemption(one: Exemption, named: _Named) -> Exemption:
    return replace(one, group=_pattern(one.group, named))


def _route(one: Route, named: _Named) -> Route:
    return replace(one, account=named(one.provider, one.account))


def _pattern(pattern: str, named: _Named) -> str:
    parts = pattern.split(":")
    if len(parts) != _PARTS_OF_ADDRESS:
        return pattern
    return ":".join((parts[0], named(parts[0], parts[1]), *parts[2:]))


def _anywhere(accounts: Accounts, provider: str, account: str) -> str:
    """Return ``*`` for what means the configured account of every cloud it is about."""
    found = [accounts.get(cloud, "") for cloud in names() if fnmatchcase(cloud, provider)]
    # A cloud whose account has no name may be meant or not: then the pattern stays as it is.
    is_home = bool(found) and all(name and fnmatchcase(name, account) for name in found)
    return "*" if is_home or not account else account


def _by_name(accounts: Accounts, further: Further, provider: str, account: str) -> str:
    clouds = [cloud for cloud in names() if fnmatchcase(cloud, provider)]
    numbers = {n: name for cloud in clouds for n, name in further.get(cloud, {}).items()}
    # A number that several clouds give to accounts of different names stays with the last of
    # them: a pattern that would miss the others is refused below.
    found = {accounts.get(cloud, "") for cloud in clouds} if not account else set()
    text = next(iter(found), "") if not account else numbers.get(account, account)
    missed = [
        name
        for number, name in numbers.items()
        if account and fnmatchcase(number, account) and not fnmatchcase(name, text)
    ]
    if len(found) > 1 or missed:
        raise PolicyError(
            f"policy: the account {account!r} beside the provider {provider!r} "
            + (f"means {missed[0]!r} by its number" if missed else "means several accounts")
            + ", since there are further ones (SGGUARD_ACCOUNTS): write the account's name"
        )
    return text
