"""The environment in which one account is asked: its own credentials, and nobody else's."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from sgguard import providers
from sgguard.engine.accounts.sessions import SESSIONS
from sgguard.engine.accounts.table import Account, Reference
from sgguard.engine.accounts.variables import credentials_in, without_credentials
from sgguard.errors import CloudError, CredentialsError
from sgguard.providers import Access, Role, Temporary
from sgguard.telemetry import redaction


def access_of(account: Account, base: Access) -> Access:
    """Return the access to an account; ``base`` is that of the environment's credentials.

    Raises:
        CredentialsError: a secret cannot be read, or the role cannot be assumed; the message says
            which account.
        CloudError: the cloud could not be asked for the role's credentials.
    """
    given = _own(account, base.env) if account.role is None else _assumed(account, base)
    env = {**without_credentials(base.env, account.provider), **given}
    return replace(base, env=env, account=account.number)


def _own(account: Account, env: Mapping[str, str]) -> dict[str, str]:
    return {
        variable: place if isinstance(place, str) else _secret(account, place, env)
        for variable, place in account.credentials.items()
    }


def _assumed(account: Account, base: Access) -> Mapping[str, str]:
    module = providers.assuming(account.provider)
    role = account.role
    if module is None or role is None:
        raise CredentialsError(f"{account}: {account.provider} knows no roles")
    if account.external_id is not None:
        word = _secret(account, account.external_id, base.env)
        role = replace(role, external_id=word)
    key = (
        base.wire.transport,
        account.provider,
        account.name,
        base.endpoint("sts"),
        _digest(role, credentials_in(base.env, account.provider)),
    )
    assume = partial(_explained, account, partial(module.assume, base, role))
    return SESSIONS.current(key, assume, base.now(), account.provider).variables


def _explained(account: Account, assume: partial[Temporary]) -> Temporary:
    """Assume the role; what no later try changes is a fault of the settings, and says whose."""
    try:
        return assume()
    except CredentialsError as error:
        raise CredentialsError(f"{account}: nothing to assume its role with: {error}") from None
    except CloudError as error:
        if error.is_retryable:
            raise
        role = account.role.name if account.role else ""
        raise CredentialsError(
            f"{account}: the role {role!r} cannot be assumed: {error}"
        ) from error


def _digest(role: Role, credentials: Mapping[str, str]) -> str:
    """Return what tells these credentials and this role from others; no secret is kept by it."""
    told = repr((role.name, role.domain, role.domain_id, role.external_id))
    parts = [told, *(f"{name}={value}" for name, value in sorted(credentials.items()))]
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()


def _secret(account: Account, place: Reference, env: Mapping[str, str]) -> str:
    """Return a secret; from now on it is taken out of every text."""
    if "env" in place:
        text, where = env.get(place["env"], "").strip(), f"the variable {place['env']}"
    else:
        where = f"the file {place['file']}"
        try:
            text = Path(place["file"]).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            kind = type(error).__name__
            raise CredentialsError(f"{account}: {where} cannot be read ({kind})") from None
    if not text:
        raise CredentialsError(f"{account}: {where} is not set, or empty")
    redaction.remember(text)
    return text
