"""The accounts of one deployment: that of the environment's credentials, and the further ones."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from sgguard.errors import EventError, SettingsError
from sgguard.model.address import Scope
from sgguard.model.failure import explained
from sgguard.model.sentence import said
from sgguard.providers import Role
from sgguard.settings import variable_part

Reference = Mapping[str, str]
"""Where a secret is: ``{"env": name}`` or ``{"file": path}``."""


class Account(msgspec.Struct, frozen=True):
    """One further account: its name in addresses, and either a role or credentials of its own.

    ``number`` is what the cloud's events and its own API call the account, its name where nothing
    else is told. ``credentials`` are references to secrets, or plain texts, by variable;
    ``external_id`` is where the word is that the role asks for.
    """

    name: str
    provider: str
    number: str
    role: Role | None = None
    external_id: Reference | None = None
    credentials: Mapping[str, Reference | str] = msgspec.field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.provider} account {self.name!r}"


class Accounts(msgspec.Struct, frozen=True):
    """All further accounts, and by provider the name of the configured one where it has one."""

    further: tuple[Account, ...] = ()
    home: Mapping[str, str] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what names one account twice: two names would be locked and judged apart."""
        taken: dict[tuple[str, str], object] = {
            (provider, name): f"SGGUARD_ACCOUNT_{variable_part(provider)}"
            for provider, name in self.home.items()
        }
        for one in self.further:
            for text in dict.fromkeys((one.name, one.number)):
                other = taken.setdefault((one.provider, text), one)
                if other is not one:
                    raise SettingsError(f"SGGUARD_ACCOUNTS: {one} is {text!r}, as is {other}")

    def of(self, provider: str) -> tuple[Account, ...]:
        """Return the further accounts of one cloud."""
        return tuple(one for one in self.further if one.provider == provider)

    def numbers(self) -> dict[str, dict[str, str]]:
        """Return by cloud the name of each further account by its number."""
        return {
            provider: {one.number: one.name for one in self.of(provider)}
            for provider in dict.fromkeys(one.provider for one in self.further)
        }

    def find(self, provider: str, name: str) -> Account | None:
        """Return the further account of that name or number."""
        named = (one for one in self.of(provider) if name and name in (one.name, one.number))
        return next(named, None)

    def spellings(self, text: str) -> dict[str, frozenset[str]]:
        """Return by cloud how addresses may write the account that a person calls ``text``.

        Clouds that know no such account are left out: it may be of an earlier deployment.
        """
        found: dict[str, frozenset[str]] = {}
        for provider in dict.fromkeys((*self.home, *(one.provider for one in self.further))):
            if text == self.home.get(provider):
                found[provider] = frozenset(("", text))
            elif one := self.find(provider, text):
                found[provider] = frozenset((one.name, one.number))
        return found

    def canonical(self, scope: Scope) -> Scope:
        """Return the scope with the one spelling of its account that policies are compared with.

        Without further accounts an address stays as it is: then every account is the configured
        one (:mod:`sgguard.policy.account`).
        """
        if not self.further:
            return scope
        home = self.home.get(scope.provider, "")
        if scope.account in ("", home):
            return replace(scope, account=home)
        found = self.find(scope.provider, scope.account)
        return replace(scope, account=found.name) if found else scope

    def require(self, scope: Scope) -> Account | None:
        """Return the further account of a scope, None for the configured one.

        Raises:
            EventError: 422 the account is neither.
        """
        home = self.home.get(scope.provider, "")
        if scope.account in ("", home):
            return None
        if found := self.find(scope.provider, scope.account):
            return found
        variable = f"SGGUARD_ACCOUNT_{variable_part(scope.provider)}"
        whose = f"account {home!r}" if home else f"an account without a name ({variable})"
        others = ", ".join(one.name for one in self.of(scope.provider))
        known = f"; the further accounts are {others} (SGGUARD_ACCOUNTS)" if others else ""
        words = f"{scope}: the credentials here belong to {whose}, not to {scope.account!r}{known}"
        sentence = said(
            "unread.account-named" if home else "unread.account-nameless",
            text=words,
            account=scope.account,
            here=home or variable,
        )
        raise explained(EventError(words, status=422, part="account"), sentence)

    def of_event(self, provider: str, number: str, *, is_numbered: bool) -> str | None:
        """Return the account, as addresses write it, in which something happened; None: no one's.

        ``is_numbered``: this cloud's events name the account by the number that the setting has.
        """
        if found := self.find(provider, number):
            return found.name
        home = self.home.get(provider, "")
        if number in ("", home) or not is_numbered:
            return ""
        # With one account only, credentials without a name may well be those of the event.
        return None if home or self.of(provider) else ""
