"""The rows of a store, as values. Texts named ``*_json`` are JSON that a store never reads."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import astuple

from sgguard.store.notices import Telling

EntryState = Literal["intended", "done", "not-done", "undone"]
RunState = Literal["asked", "refused", "open", "finished", "undone", "stuck", "accepted"]
Direction = Literal["forward", "undoing"]
ApprovalState = Literal["pending", "approved", "denied", "expired", "superseded"]


class Claim(msgspec.Struct, frozen=True, eq=False):
    """One event that this worker may work on until the lease ends.

    ``decision_id`` is that of the first claim of the event; ``is_again`` tells that it was claimed
    before and not finished. ``run_fence`` is the fence of the decision: the number that its run
    has, or will begin with; two claims are equal whatever it is.
    """

    source: str
    event_id: str
    owner: str
    fence: int
    decision_id: str
    is_again: bool = False
    run_fence: int = 0

    def __eq__(self, other: object) -> bool:
        return type(other) is Claim and astuple(self)[:-1] == astuple(other)[:-1]

    def __hash__(self) -> int:
        return hash(astuple(self)[:-1])


class OpenClaim(msgspec.Struct, frozen=True):
    """An event that was claimed and has no answer yet.

    ``is_held``: a worker has it now, and may be silent until its lease ends.
    """

    source: str
    event_id: str
    decision_id: str
    is_held: bool
    lease_until_s: float
    first_at_s: float


class Answered(msgspec.Struct, frozen=True):
    """The event was answered before, with this."""

    answer_json: str


class Busy(msgspec.Struct, frozen=True):
    """Another worker holds the event; deliver it again after so many seconds."""

    retry_after_s: float


class OtherPayload(msgspec.Struct, frozen=True):
    """An event of the same source and id, with other content, came before."""

    first_at_s: float


Claimed = Claim | Answered | Busy | OtherPayload


class Run(msgspec.Struct, frozen=True):
    """One plan that is carried out: open, until it is finished, undone or accepted, or stuck.

    Finished: every change is made. Undone: what was made is rolled back. Stuck: something could
    neither be made nor rolled back. Accepted: a person closed it with the world as it was. One
    that is only asked about (or was refused) has no plan yet; see :mod:`sgguard.store.transitions`.

    ``snapshot_json`` is whatever a restore needs. ``keys`` are the locks the run holds, ``shared``
    those that it shares with other runs. ``direction`` never becomes ``forward`` again.
    """

    decision_id: str
    source: str
    event_id: str
    plan_json: str
    snapshot_json: str
    keys: tuple[str, ...] = ()
    state: RunState = "open"
    note: str = ""
    begun_at_s: float = 0.0
    shared: tuple[str, ...] = ()
    direction: Direction = "forward"


class Entry(msgspec.Struct, frozen=True):
    """One line of a run's journal: a change that was intended, and what came of it.

    ``number`` counts from 0 within the run; ``step`` is the step of the plan it carries out, or
    undoes where ``is_undo``. ``made_id`` is the id of the group that the change created, empty
    for every other change.
    """

    decision_id: str
    number: int
    step: int
    change_json: str
    is_undo: bool = False
    state: EntryState = "intended"
    made_id: str = ""
    note: str = ""
    at_s: float = 0.0


class Settled(msgspec.Struct, frozen=True):
    """What came of one line: its state; an empty text leaves what was written before."""

    entry: Entry
    state: EntryState
    made_id: str = ""
    note: str = ""


class Marks(msgspec.Struct, frozen=True):
    """What an event concerns, and when it happened: newer events win, whenever they come."""

    keys: tuple[str, ...]
    at_s: float


class Made(msgspec.Struct, frozen=True):
    """A group that a run created: the change that did it, and the id of the group."""

    decision_id: str
    change_json: str
    made_id: str


class Record(msgspec.Struct, frozen=True, eq=False):
    """One decision for the audit trail; ``document_json`` is the whole of it.

    ``telling`` is who is told of it: it is written with the record, and neither read with it nor
    compared.
    """

    decision_id: str
    source: str
    event_id: str
    guard: str
    target: tuple[str, ...]
    requester: str
    verdict: str
    mode: str
    outcome: str
    document_json: str
    approver: str = ""
    at_s: float = 0.0
    telling: Telling = Telling()

    def __eq__(self, other: object) -> bool:
        return type(other) is Record and astuple(self)[:-1] == astuple(other)[:-1]

    def __hash__(self) -> int:
        return hash(astuple(self)[:-1])


class Approval(msgspec.Struct, frozen=True):
    """One approval request. ``facts_hash`` is the hash of the facts and the plan it shows.

    ``told_at_s`` is when it was told to those who are reminded that it has expired.
    """

    approval_id: str
    decision_id: str
    target: tuple[str, ...]
    requester: str
    facts_hash: str
    request_json: str
    summary: str
    expires_at_s: float
    state: ApprovalState = "pending"
    resolved_by: str = ""
    resolved_at_s: float | None = None
    reminded_at_s: float | None = None
    asked_at_s: float = 0.0
    told_at_s: float | None = None


class Halt(msgspec.Struct, frozen=True):
    """All changes are stopped: by whom, why and since when."""

    by: str
    reason: str
    at_s: float = 0.0


class Query(msgspec.Struct, frozen=True):
    """Which decisions: of one target, verdict, outcome; the newest first, at most ``limit``."""

    target: str = ""
    verdict: str = ""
    outcome: str = ""
    before_s: float | None = None
    limit: int = 50


class Purged(msgspec.Struct, frozen=True):
    """How many rows a purge removed, by kind, and whether nothing else was old enough."""

    counts: dict[str, int] = msgspec.field(default_factory=dict)
    is_complete: bool = True
