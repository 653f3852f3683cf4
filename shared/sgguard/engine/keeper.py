"""What one worker does with the store: claims, locks and looks, ends and answers."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from typing import Any, Protocol, Self, TypeVar

import msgspec
from msgspec.structs import replace

from sgguard.engine.context import Context
from sgguard.engine.retention import tidy
from sgguard.engine.still import LOOKS
from sgguard.errors import MovedError, SettingsError, StoreError
from sgguard.model.sentence import Sentence, said
from sgguard.outbox.background import BACKGROUND
from sgguard.outbox.what import telling
from sgguard.render.language.refusal import refusal
from sgguard.render.language.sentence import WHOLE, in_english
from sgguard.store.base import Store
from sgguard.store.rows import ApprovalState, Claim, Claimed, Marks, Record, RunState
from sgguard.store.steps import Answer
from sgguard.telemetry import logs

Json = dict[str, Any]
S = TypeVar("S")

APPROVAL_SOURCE = "approval"
"""The source of the claims under which approved plans are carried out; the id is the approval's."""

LEASE_S = 60.0
"""The shortest lease: a worker writes to its journal more often than this, or it is gone."""


class Locking(Protocol):
    """A plan: the keys that it has alone, and those that it shares."""

    def keys(self) -> tuple[str, ...]:
        """Return the keys of what it changes."""
        ...

    def pointed_to(self) -> tuple[str, ...]:
        """Return the keys of what it only points to."""
        ...


class Keeper(msgspec.Struct, frozen=True):
    """Claims events, locks and keeps decisions, as one worker (``owner``) of the store."""

    context: Context
    store: Store
    owner: str
    lease_s: float = LEASE_S

    @classmethod
    def of(cls, context: Context) -> Self:
        """Return an executor that is a worker of its own.

        Raises:
            SettingsError: there is no store.
        """
        if context.store is None:
            raise SettingsError("there is no store: set SGGUARD_STORE")
        lease_s = max(LEASE_S, 2 * context.settings.deadline_s)
        return cls(context, context.store, context.new_id(), lease_s)

    # -- claims ----------------------------------------------------------------------------

    def claim(
        self, source: str, event_id: str, decision_id: str, payload_hash: str | None
    ) -> Claimed:
        """Claim one event for this worker."""
        return self.store.claim(
            source,
            event_id,
            owner=self.owner,
            decision_id=decision_id,
            lease_s=self.lease_s,
            payload_hash=payload_hash,
        )

    def release(self, claim: Claim, *, keeps_locks: bool = False) -> None:
        """Leave the event to the next delivery; a store that fails now only costs a lease."""
        try:
            self.store.release(claim, keeps_locks=keeps_locks)
        except StoreError as error:
            logs.log(logging.WARNING, "store", event_id=claim.event_id, detail=str(error))

    def is_begun(self, claim: Claim) -> bool:
        """Return whether a worker began to carry out a plan for this event before."""
        return claim.is_again and self.store.run(claim.decision_id) is not None

    def locked(self, claim: Claim) -> frozenset[str]:
        """Return what an earlier worker of the event has locked for its decision."""
        return self.store.locked(claim) if claim.is_again else frozenset()

    # -- locks ------------------------------------------------------------------------------

    def look(
        self,
        claim: Claim,
        seen: S,
        plan: Callable[[S], Locking | None],
        again: Callable[[], S],
        locked: frozenset[str] = frozenset(),
    ) -> S:
        """Lock what a plan touches and points to, then look again; return what is seen then.

        Where the plan that is seen then touches something else, that is locked too, and looked at
        again. Without a plan there is nothing to lock. ``locked`` was so before the first look.

        Raises:
            BusyError: another decision has one of the keys; or the cloud moved at every look.
            SgguardError: it could not be looked at.
        """
        for number in range(LOOKS + 1):
            wanted = plan(seen)
            if wanted is None or locked >= {*wanted.keys(), *wanted.pointed_to()}:
                return seen
            if number == LOOKS:
                break
            self.store.lock(claim, wanted.keys(), self.lease_s, wanted.pointed_to())
            locked |= {*wanted.keys(), *wanted.pointed_to()}
            seen = again()
        raise refusal(MovedError, said("unread.moving"))

    def stopped(self) -> str:
        """Return in English who stopped all changes, and why; empty where nothing is stopped."""
        halted = self.halted()
        return in_english(halted, WHOLE) if halted else ""

    def halted(self) -> Sentence | None:
        """Return who stopped all changes, and why; None where nothing is stopped."""
        if self.context.policy.halt:
            return said("halted.policy")
        halt = self.store.halted()
        return said("halted", by=halt.by, reason=halt.reason) if halt else None

    # -- keeping ---------------------------------------------------------------------------

    def end(
        self,
        claim: Claim,
        document: Json,
        requester: str,
        *,
        run_state: RunState | None = None,
        note: str = "",
        marks: Marks | None = None,
        resolved: Iterable[tuple[str, ApprovalState, str]] = (),
    ) -> Json:
        """Keep the document, and answer every later delivery of the event with it, in one step.

        The decision's run ends with it as ``run_state``; ``resolved`` are approval requests that
        are settled with it (id, state, by whom).

        Raises:
            LateError: a newer event about the same was decided before; ``marks`` say what that is.
        """
        answer = self.answer(claim, document, requester)
        self.store.end(
            claim, answer, run_state=run_state, note=note, marks=marks, resolved=tuple(resolved)
        )
        tidy(self.store, self.context)
        return document

    def answer(self, claim: Claim, document: Json, requester: str) -> Answer:
        """Return what is kept of a decision: its record, and the answer to its event."""
        # What is carried out on an approval remains the decision of the event that asked.
        first = self.store.decision(claim.decision_id) if claim.source == APPROVAL_SOURCE else None
        text = json.dumps(document, ensure_ascii=False)
        record = Record(
            decision_id=claim.decision_id,
            source=first.source if first else claim.source,
            event_id=first.event_id if first else claim.event_id,
            guard=document["guard"],
            target=tuple(document["target"]),
            requester=requester,
            verdict=document["verdict"],
            mode=document["mode"],
            outcome=document["outcome"],
            document_json=text,
            approver=(document.get("approval") or {}).get("resolved_by", ""),
        )
        return Answer(self.told(record, document), text)

    def told(self, record: Record, document: Json) -> Record:
        """Return a record that tells of itself whoever is to be told, when it is kept."""
        told = telling(document, record.requester, self.context.policy)
        if told.notices or told.renewed:
            BACKGROUND.note()
        return replace(record, telling=told)
