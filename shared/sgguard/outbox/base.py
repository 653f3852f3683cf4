"""What a sender of notices is, and what it says of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from sgguard.store.notices import OutboxRow

PARTLY = "reached only in part: "
"""How the problem of a destination begins that takes what it gets, and does not tell everybody."""


class Sent(msgspec.Struct, frozen=True):
    """It was delivered; ``reference`` (JSON text) is what a later sending of it needs to know.

    ``missed`` says who was not told, though the destination took it: sent again, it would come
    twice to all others.
    """

    reference: str = ""
    missed: str = ""


class Later(msgspec.Struct, frozen=True):
    """It could not be delivered now. ``retry_after_s`` is what the destination asked for.

    With ``is_everything`` the destination takes nothing else either until then. What is not
    ``counted`` is no failure: it only was not the time for it.
    """

    why: str
    retry_after_s: float | None = None
    is_everything: bool = False
    counted: bool = True


class Gone(msgspec.Struct, frozen=True):
    """It is not sent again: nobody needs it any more, or, if ``is_dead``, it cannot be sent."""

    why: str
    is_dead: bool = False


Result = Sent | Later | Gone


class Sender(Protocol):
    """Sends the notices of one kind.

    It reads what it sends when it sends it: a notice that comes late or twice is harmless. An
    attempt ends within the deliverer's :data:`~sgguard.outbox.deliver.ATTEMPT_S`, for its lease
    does. Whatever it raises is a :class:`Later`.
    """

    def send(self, row: OutboxRow) -> Result:
        """Send one notice."""
        ...


@runtime_checkable
class GroupSender(Protocol):
    """A sender that can send many notices for one destination as one."""

    least: int
    """How many that a destination never got must be due before they are looked at together."""

    def together(self, rows: Sequence[OutboxRow]) -> Mapping[str, Result]:
        """Return the results of those that were sent together, by id; the others are sent alone."""
        ...
