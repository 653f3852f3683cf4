"""What an examination finds, as data: one :class:`Checkup` per cloud and region."""

from __future__ import annotations

from typing import Literal

import msgspec

from sgguard.model.resource import Limit, Visibility
from sgguard.model.sentence import Text
from sgguard.providers import Grant

_RESOLUTION_S = 1
"""Clouds report the time in whole seconds."""

Weight = Literal["setup", "problem", "note"]


class Clock(msgspec.Struct, frozen=True):
    """How far our clock is ahead of the cloud's (negative: behind), and how far it may be off."""

    ahead_s: int
    tolerance_s: float

    @property
    def is_accepted(self) -> bool:
        """Whether the cloud accepts requests signed with our time."""
        return abs(self.ahead_s) <= self.tolerance_s

    def __str__(self) -> str:
        if abs(self.ahead_s) <= _RESOLUTION_S:
            return "right"
        return f"{abs(self.ahead_s)} s {'ahead' if self.ahead_s > 0 else 'behind'}"


class Permission(msgspec.Struct, frozen=True):
    """One call of the cloud and whether these credentials may make it.

    ``brings`` is what a verdict (``read``) or a remedy (``change``) needs it for, ``grant`` the
    permission that an operator has to grant; ``why`` explains a state other than granted.
    """

    action: str
    brings: str
    grant: str
    need: Literal["read", "change"]
    state: Grant
    why: str = ""


class Finding(msgspec.Struct, frozen=True):
    """One observation, and what to do about it.

    ``code`` is stable. A ``problem`` means that a verdict from here cannot be trusted, a
    ``setup`` that the cloud could not be called at all; a ``note`` affects no verdict.
    """

    code: str
    message: str
    remedy: str
    weight: Weight = "problem"


class Checkup(msgspec.Struct, frozen=True):
    """Everything found about one cloud in one region; None means that it is unknown.

    ``account`` is a further account, empty for the one of the environment's credentials.
    """

    provider: str
    region: str
    is_reachable: bool | None = None
    clock: Clock | None = None
    permissions: tuple[Permission, ...] = ()
    visibility: Visibility | None = None
    limits: tuple[Limit, ...] = ()
    blind_spots: tuple[Text, ...] = ()
    findings: tuple[Finding, ...] = ()
    account: str = ""

    @property
    def is_trusted(self) -> bool:
        """Whether a verdict about this cloud, reached from here, can be trusted."""
        return all(finding.weight == "note" for finding in self.findings)

    @property
    def is_set_up(self) -> bool:
        """Whether the settings sufficed to call the cloud at all."""
        return all(finding.weight != "setup" for finding in self.findings)

    @property
    def cloud(self) -> str:
        """The cloud as tables name it: with the account where it is a further one."""
        return f"{self.provider}:{self.account}" if self.account else self.provider

    def needed(self, need: Literal["read", "change"]) -> tuple[Permission, ...]:
        """Return the permissions for one purpose."""
        return tuple(one for one in self.permissions if one.need == need)
