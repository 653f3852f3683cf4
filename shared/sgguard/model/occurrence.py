"""What a cloud's own event says has happened: small, typed, and without anything secret."""

from __future__ import annotations

from enum import StrEnum

import msgspec
from msgspec.structs import asdict

from sgguard.model.sentence import Text, as_told


class Happened(StrEnum):
    """What an event of a cloud is about, in the words of this package.

    ``bound`` covers launches, and every change of which groups a holder carries. ``changed`` is a
    change of a group or its rules. ``due`` is the tick of a timer.
    """

    DELETE_REFUSED = "delete-refused"
    DELETED = "deleted"
    BOUND = "bound"
    CHANGED = "changed"
    DUE = "due"
    IRRELEVANT = "irrelevant"


class Occurrence(msgspec.Struct, frozen=True):
    """One thing that happened in a cloud, as one source of events told it.

    ``operation`` is the cloud's id of the operation: two traces of one operation have the same.
    ``account`` and ``region`` are empty where the event does not tell them. ``owner`` is the
    project of what was bound, never that of the caller. ``code`` is the error code of a refusal,
    and ``is_in_use`` says that this code means that something holds the group. ``reason`` says why
    an irrelevant event concerns nobody. ``at_s`` is seconds since 1970-01-01 UTC.
    """

    source: str
    happened: Happened
    operation: str
    provider: str = ""
    account: str = ""
    region: str = ""
    groups: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    interfaces: tuple[str, ...] = ()
    requester: str = ""
    owner: str = ""
    code: str = ""
    is_in_use: bool = False
    reason: Text = ""
    at_s: float | None = None


class Told(dict[str, object]):
    """An occurrence as the data of its event: JSON as all data is, and made by a source alone."""

    def __init__(self, occurrence: Occurrence) -> None:
        super().__init__(asdict(occurrence) | {"reason": as_told(occurrence.reason)})
        self.occurrence = occurrence


def irrelevant(source: str, reason: Text) -> Occurrence:
    """Return an occurrence that concerns nobody, with the reason; nothing of it is deduplicated."""
    return Occurrence(source, Happened.IRRELEVANT, "", reason=reason)
