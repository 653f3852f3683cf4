"""The fence of a decision: at most one worker writes for it, whatever brought that worker.

An event, a click, a resume or a restore has a claim. A claim says who answers; it does not say who
may work on the decision, for several claims may be about one. That is the *fence*, a number on the
row of the decision's run that grows with every worker that takes it (:func:`take`):

1. Where there is no run yet, only the event that made the decision has a claim on it. Whoever
   holds that claim holds the decision, and the run begins with the claim's own number.
2. From then on a worker must take the fence: it is free, or the lease of its holder has ended.
3. Every write holds the run's row first (:func:`hold`) and finds its own number and name there,
   or writes nothing. The row stays held until the transaction ends, so a worker that takes the
   fence waits, and nothing of the earlier one is written after that.

A lease counts only while it ends no later than its own length from now: one that ends later was
taken while a clock was wrong.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from sgguard.errors import LeaseLostError
from sgguard.store import transitions
from sgguard.store.database import Reply, Session, Value
from sgguard.store.rows import Claim, RunState
from sgguard.store.transitions import Status, Step

_SLACK_S = 10
"""How far a clock may step back before a lease that was taken before that is not believed."""


def alive(table: str) -> str:
    """Return the condition under which a row's lease has not ended."""
    return (
        f"({table}.lease_until_s > :now"
        f" AND {table}.lease_until_s <= :now + {table}.lease_s + {_SLACK_S})"
    )


# Owner and number together prove that no other worker took over since this claim was made; the
# state that it was neither finished nor released. The lease is not compared: one that merely ran
# out is still held while no other worker wants it.
MINE = "source = :source AND event_id = :event_id AND owner = :owner AND fence = :fence"
HELD = f"{MINE} AND state = 'working'"

_EVENT = f"SELECT lease_until_s, :now FROM sgguard_claims WHERE {HELD} FOR UPDATE"  # noqa: S608 - constants
_EVENT_ALONE = f"""
SELECT lease_until_s, :now FROM sgguard_claims
WHERE {HELD} AND NOT EXISTS (SELECT 1 FROM sgguard_runs WHERE decision_id = :decision_id)
FOR UPDATE
"""  # noqa: S608 - constants
_RUN = """
SELECT fence, holder, state, direction, lease_until_s, :now FROM sgguard_runs
WHERE decision_id = :decision_id FOR UPDATE
"""
_TAKE = f"""
UPDATE sgguard_runs SET
    fence = fence + 1, holder = :owner, lease_until_s = :now + :lease_s, lease_s = :lease_s
WHERE decision_id = :decision_id AND (holder = '' OR NOT {alive("sgguard_runs")})
RETURNING fence
"""  # noqa: S608 - constants
_LEFT = "SELECT lease_until_s - :now FROM sgguard_runs WHERE decision_id = :decision_id"
_LET_GO = """
UPDATE sgguard_runs SET holder = '', lease_until_s = :now
WHERE decision_id = :decision_id AND holder = :owner AND fence = :fence
"""
_RENEW = """
UPDATE sgguard_runs SET lease_until_s = :now + :lease_s, lease_s = :lease_s
WHERE decision_id = :decision_id AND holder = :owner AND fence = :fence
"""
_MOVE = """
UPDATE sgguard_runs SET state = :state, direction = :direction,
    note = CASE WHEN :note = '' THEN note ELSE :note END,
    ended_at_s = CASE WHEN :is_over = 1 THEN :now ELSE NULL END
WHERE decision_id = :decision_id AND fence = :fence
    AND state = :before AND direction = :before_direction
"""
_OVER = frozenset({"finished", "undone", "accepted", "refused", "stuck"})


class Holding(msgspec.Struct, frozen=True):
    """A decision that this transaction holds: where it is, the end of the lease, the time now."""

    status: Status
    lease_until_s: float
    now_s: float


def hold(session: Session, claim: Claim) -> Holding:
    """Keep others from taking the decision until the transaction ends.

    Raises:
        LeaseLostError: another worker has it, or the claim was finished or released.
    """
    run = session.send(_RUN, decision_id=claim.decision_id)
    event = session.send(_EVENT_ALONE, decision_id=claim.decision_id, **key(claim))
    return _held_run(claim, run) or Holding(transitions.NONE, *_held_event(claim, event))


def hold_run(session: Session, claim: Claim) -> Callable[[], Holding]:
    """Hold the decision as :func:`hold` does, in a step that only one with a run takes.

    What is called returns what is held; statements that are sent before it need no further wait,
    and write nothing where it raises.
    """
    run = session.send(_RUN, decision_id=claim.decision_id)

    def held() -> Holding:
        return _held_run(claim, run) or Holding(
            transitions.NONE, *_held_event(claim, session.send(_EVENT, **key(claim)))
        )

    return held


def hold_answering(session: Session, claim: Claim) -> Callable[[], Holding]:
    """Hold the decision as :func:`hold_run` does, in a transaction that answers the event.

    That holds the claim thereby, where there is no run.
    """
    run = session.send(_RUN, decision_id=claim.decision_id)
    return lambda: _held_run(claim, run) or Holding(transitions.NONE, 0.0, 0.0)


def move(
    session: Session,
    claim: Claim,
    step: Step,
    before: Status,
    to: RunState | None = None,
    *,
    note: str = "",
) -> Status:
    """Take a step with the run that is held: to where the table of transitions says.

    Raises:
        StoreError: the step may not be taken from here.
    """
    then = transitions.after(step, before, to)
    if then == before or before.state is None or then.state is None:
        return then
    moved = session.count(
        _MOVE,
        decision_id=claim.decision_id,
        fence=claim.run_fence,
        state=then.state,
        direction=then.direction,
        before=before.state,
        before_direction=before.direction,
        note=note,
        is_over=int(then.state in _OVER),
    )
    if not moved:
        raise lost(claim)
    return then


def take(session: Session, claim: Claim, lease_s: float) -> Claim | float:
    """Take the fence of a decision that has a run; return for how long another worker has it."""
    key: dict[str, Value] = {"decision_id": claim.decision_id}
    taken = session.rows(_TAKE, owner=claim.owner, lease_s=lease_s, **key)
    if taken:
        return replace(claim, run_fence=taken[0][0])
    left = session.rows(_LEFT, **key)
    return float(left[0][0]) if left else 0.0


def renew(session: Session, claim: Claim, lease_s: float) -> None:
    """Extend the lease on the decision, where it has a run; the run's row is held by now."""
    session.send(_RENEW, lease_s=lease_s, **_own(claim))


def let_go(session: Session, claim: Claim) -> Reply:
    """Leave the decision to the next worker; nothing is changed where this one does not have it."""
    return session.send(_LET_GO, **_own(claim))


def key(claim: Claim) -> dict[str, Value]:
    """Return what names the claim's row, for :data:`MINE` and :data:`HELD`."""
    return {
        "source": claim.source,
        "event_id": claim.event_id,
        "owner": claim.owner,
        "fence": claim.fence,
    }


def lost(claim: Claim) -> LeaseLostError:
    """Return the error of a worker that writes for a decision that another one has."""
    return LeaseLostError(
        f"the claim on the event of decision {claim.decision_id} (fence {claim.run_fence}) has "
        "ended"
    )


def _own(claim: Claim) -> dict[str, Value]:
    return {
        "decision_id": claim.decision_id,
        "owner": claim.owner,
        "fence": claim.run_fence,
    }


def _held_run(claim: Claim, run: Reply) -> Holding | None:
    """Return what is held of a decision's run, None where it has none."""
    found = run.rows()
    if not found:
        return None
    [(fence, holder, state, direction, until_s, now_s)] = found
    if (fence, holder) != (claim.run_fence, claim.owner):
        raise lost(claim)
    return Holding(Status(state, direction), until_s, now_s)


def _held_event(claim: Claim, event: Reply) -> tuple[float, float]:
    found = event.rows()
    if not found:
        raise lost(claim)
    [(lease_until_s, now_s)] = found
    return lease_until_s, now_s
