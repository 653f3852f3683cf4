"""The access a provider is given to its cloud, and gaps for parts that it may not read."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from unicodedata import category
from urllib.parse import urlsplit

import msgspec

from sgguard import hiding
from sgguard.errors import (
    ApiAbsentError,
    CredentialsError,
    ForbiddenError,
    SettingsError,
    UnknownShapeError,
)
from sgguard.model.codes import UnseenCode
from sgguard.model.failure import failure_of
from sgguard.model.resource import Seen, Unseen
from sgguard.model.sentence import Text, said
from sgguard.providers._rates import merged
from sgguard.providers.base import T
from sgguard.telemetry.redaction import remember_environment
from sgguard.wire.address import is_address
from sgguard.wire.client import Wire
from sgguard.wire.clock import EpochClock
from sgguard.wire.pacing import Rates

ReadVariable = Callable[..., str]
"""Returns the first of the named variables that is set, else an empty text."""


def fresh_nonce() -> str:
    """Return 128 random bits in hexadecimal: never the same twice."""
    return secrets.token_hex(16)


@hiding("env")
class Access(msgspec.Struct, frozen=True):
    """Everything a provider needs to reach its cloud and cannot determine by itself.

    ``env`` holds credentials under each cloud's own usual variable names: the process
    environment, or the same names filled from a runtime's request headers. ``account`` is the
    name of the account those credentials belong to, empty when it is not configured.
    ``is_thorough`` says whether to read also what no verdict needs, at one call per holder: its
    further groups, which a remedy that rebinds it needs.
    """

    wire: Wire
    region: str
    env: Mapping[str, str]
    account: str = ""
    now: EpochClock = time.time
    nonce: Callable[[], str] = fresh_nonce
    is_thorough: bool = True

    def __post_init__(self) -> None:
        """Remember the secrets: no text that leaves the process may hold one."""
        remember_environment(self.env)

    def endpoint(self, service: str = "") -> str:
        """Return the address that replaces the cloud's own, without a trailing slash, or ``""``.

        ``SGGUARD_ENDPOINT_<CLOUD>`` replaces the address of every service of a cloud, and
        ``SGGUARD_ENDPOINT_<CLOUD>_<SERVICE>`` that of one, such as ``VPC``.

        Raises:
            SettingsError: the variable is set, but is not an http(s) address, or has a user in it.
        """
        every = f"SGGUARD_ENDPOINT_{_variable(self.wire.provider)}"
        names = [f"{every}_{_variable(service)}", every] if service else [every]
        for name in names:
            if url := self.env.get(name, "").rstrip("/"):
                return _checked_address(name, url)
        return ""

    def paced(self, rates: Rates, credentials: str) -> Wire:
        """Return the wire, keeping an API's documented rates for these credentials and region.

        ``credentials`` distinguishes callers and is no secret: a key id, a user and project.
        ``SGGUARD_RATES_<CLOUD>`` replaces documented ones.

        Raises:
            SettingsError: the variable is set, and cannot be read.
        """
        variable = f"SGGUARD_RATES_{_variable(self.wire.provider)}"
        rates = merged(rates, variable, self.env.get(variable, ""))
        return self.wire.paced(rates, self.endpoint(), self.account, self.region, credentials)

    def secret(self, *alternatives: str) -> str:
        """Return the first of the variables that is set and not blank, else ``""``.

        Raises:
            CredentialsError: it holds a line break or the like, as pasted keys do.
        """
        for name in alternatives:
            if value := self.env.get(name, "").strip():
                if not value.isprintable() and any(category(one) == "Cc" for one in value):
                    raise CredentialsError(
                        f"{name} holds a line break or another control character"
                    )
                return value
        return ""

    def require_secret(self, *alternatives: str) -> str:
        """Return the first of the variables that is set.

        Raises:
            CredentialsError: none is; the message names the first one as the one to set.
        """
        if value := self.secret(*alternatives):
            return value
        raise CredentialsError(
            f"{self.wire.provider}: no credentials: set {alternatives[0]}"
            + (f" (or {', '.join(alternatives[1:])})" if len(alternatives) > 1 else "")
        )


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")


def _checked_address(name: str, url: str) -> str:
    if not is_address(url):
        raise SettingsError(
            f"{name}={url!r} is not an address: expected http://host:port or https://host"
        )
    if "@" in urlsplit(url).netloc:
        # The value is not repeated: what stands before the @ may be a password.
        raise SettingsError(f"{name} has a user in its address: expected https://host")
    return url


def seen_or_unseen(what: Text, read: Callable[[], Seen[T]], otherwise: T) -> Seen[T]:
    """Read one part of the facts; what it cannot see becomes ``unseen`` instead of an error.

    A missing permission, a call that is not offered here and a response of unknown shape do not
    change with another call, so the verdict must be reached without that part. Every other error is
    raised.
    """
    try:
        return read()
    except (ForbiddenError, ApiAbsentError, UnknownShapeError) as error:
        return Seen(otherwise, (unseen_because(error, what),))


def unseen_because(
    error: ForbiddenError | ApiAbsentError | UnknownShapeError, what: Text, group_id: str = ""
) -> Unseen:
    """Return the gap that an error leaves in ``what``; empty ``group_id``: of every group asked."""
    match error:
        case ForbiddenError():
            code = UnseenCode.NO_PERMISSION
            remedy = said("remedy.grant", provider=error.provider, action=error.action)
        case ApiAbsentError():
            code = UnseenCode.API_ABSENT
            remedy = said("remedy.absent")
        case _:
            code = UnseenCode.UNKNOWN_SHAPE
            remedy = said("remedy.report-shape")
    return Unseen(code=code, what=what, why=failure_of(error), remedy=remedy, group_id=group_id)
