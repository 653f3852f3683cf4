"""A policy at home: what it says of an account, whichever way a request names that account.

A request may leave the account of an address empty: that is the configured one, and no other is
accepted. So in one deployment a pattern for the configured account, by its name or empty, means
every address: else the same group, written without its account, would be in no scope and protected
by nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from sgguard.clouds import names
from sgguard.policy.channel import Route
from sgguard.policy.model import Exemption, Match, Policy, ScopePolicy

_PARTS_OF_ADDRESS = 4
_LISTS = ("protected", "baseline", "forbidden")

Accounts = Mapping[str, str]
"""The name of the configured account of each cloud, where it has one."""


def at_home(policy: Policy, accounts: Accounts) -> Policy:
    """Return the policy with ``*`` for the configured accounts in its patterns."""
    return replace(
        policy,
        delete=replace(policy.delete, **_table(policy.delete, accounts)),
        launch=replace(policy.launch, **_table(policy.launch, accounts)),
        scopes=tuple(_scope(one, accounts) for one in policy.scopes),
        exemptions=tuple(_exemption(one, accounts) for one in policy.exemptions),
        routes=tuple(_route(one, accounts) for one in policy.routes),
    )


def _table(table: object, accounts: Accounts) -> dict[str, Any]:
    there = [name for name in (*_LISTS, "replacements") if hasattr(table, name)]
    return _sparse({name: getattr(table, name) for name in there}, accounts)


def _sparse(fields: Mapping[str, Any], accounts: Accounts) -> dict[str, Any]:
    found = dict(fields)
    for name in _LISTS:
        if name in fields:
            found[name] = tuple(_pattern(one, accounts) for one in fields[name])
    if "replacements" in fields:
        listed = fields["replacements"].items()
        found["replacements"] = {_pattern(old, accounts): new for old, new in listed}
    return found


def _scope(scope: ScopePolicy, accounts: Accounts) -> ScopePolicy:
    match: Match = scope.match
    if _is_home(match.provider, match.account, accounts):
        match = replace(match, account="*")
    return replace(
        scope,
        match=match,
        delete=_sparse(scope.delete, accounts),
        launch=_sparse(scope.launch, accounts),
    )


def _exemption(one: Exemption, accounts: Accounts) -> Exemption:
    return replace(one, group=_pattern(one.group, accounts))


def _route(one: Route, accounts: Accounts) -> Route:
    return replace(one, account="*") if _is_home(one.provider, one.account, accounts) else one


def _pattern(pattern: str, accounts: Accounts) -> str:
    parts = pattern.split(":")
    if len(parts) != _PARTS_OF_ADDRESS or not _is_home(parts[0], parts[1], accounts):
        return pattern
    return ":".join((parts[0], "*", *parts[2:]))


def _is_home(provider: str, account: str, accounts: Accounts) -> bool:
    """Return whether an account pattern means the configured account of every cloud it is about."""
    if not account:
        return True
    # A cloud whose account has no name may be meant or not: then the pattern stays as it is.
    found = [accounts.get(cloud, "") for cloud in names() if fnmatchcase(cloud, provider)]
    return bool(found) and all(name and fnmatchcase(name, account) for name in found)
