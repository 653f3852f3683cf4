"""Roles of accounts: who may assume which, and the temporary key that comes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import uuid4

from sgguard.emulator.state import Account, AccountRole, Cloud


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to assume a role: by its account's id and its name."""

    account_id: str
    role: str
    external_id: str = ""
    duration_s: int = 3600


class NotAssumedError(Exception):
    """The role is not there (``is_unknown``), or does not trust the caller."""

    def __init__(self, *, is_unknown: bool) -> None:
        super().__init__(is_unknown)
        self.is_unknown = is_unknown


def assume(cloud: Cloud, caller: Account, asked: Asked, now: float) -> Account:
    """Return the session: an account with a temporary key.

    A session acts in the account of its role, with that role's rights.

    Raises:
        NotAssumedError: there is no such role for this caller.
    """
    owner = cloud.account(asked.account_id)
    role = _role(owner, asked.role)
    if owner is None or role is None:
        raise NotAssumedError(is_unknown=True)
    is_trusted = caller.id in role.trusts or caller.id == owner.id
    if not is_trusted or role.external_id not in ("", asked.external_id):
        raise NotAssumedError(is_unknown=False)
    session = replace(
        owner,
        key_id=f"STS{uuid4().hex}",
        secret=uuid4().hex,
        token=f"session-{uuid4().hex}{uuid4().hex}",
        denied=list(role.denied),
        roles=[],
        ends_at_s=now + asked.duration_s,
    )
    cloud.sessions[session.key_id] = session
    return session


def is_over(account: Account, now: float) -> bool:
    """Return whether the key is that of a session that has ended."""
    return bool(account.ends_at_s) and now >= account.ends_at_s


def _role(owner: Account | None, name: str) -> AccountRole | None:
    return next((one for one in owner.roles if one.name == name), None) if owner else None
