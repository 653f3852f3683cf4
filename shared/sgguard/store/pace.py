"""One pace for all processes that share an account: who calls next, decided by one statement.

A *lane* is what a cloud counts together: account, region, action. Its row hands out the moments at
which calls may start, evenly spaced (the generic cell rate algorithm, ITU-T I.371, without a
burst), so that no window holds more calls than its length permits. A row is one UPSERT: takers wait
for each other for the length of that statement, and each knows its own moment afterwards.

The row has a clock of its own, which never goes back: it moves on by what passed on the store's
one clock since the newest statement. That is the server's, and for a file of SQLite the machine's
seconds since its start, which all processes read and nobody sets. No process's time of day counts.

*Bulk* work takes a moment only when it is next. Else it gets a ticket, the moment to ask again:
so it never queues before a decision that somebody waits for, and nobody asks at the same moment.

A throttle answer halves the lane's pace, at most once a second; it grows by ``RECOVERY`` of the
whole pace each second (additive increase, multiplicative decrease: RFC 5681, 3.1).

A *seat* is a small part of every lane of one account and region that a process may use without
asking, for some seconds; one that is not renewed is free again. Moments and seats of a process
that died lapse by themselves.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from sgguard.store.database import PaceDatabase, Session

Outcome = Literal["go", "ticket", "late"]

TERM_S = 10.0
"""A seat is kept for one to two terms."""

SEAT_MARGIN_S = 1.1
"""How much earlier its process gives a seat up: no second has calls of it and of its successor."""

LEAST = 1 / 16
"""The lowest part of its rate to which throttle answers lower a lane."""

RECOVERY = 0.05
"""The part of its rate by which a lowered lane grows each second."""

SLACK_S = 0.01
"""How much of a lateness is made up: no second has more calls, but it has them less evenly."""

SOON_S = 0.002
"""Not worth asking again for."""

RESTART_S = 5.0
"""A store's clock that is this far back was begun anew: the machine or the server restarted."""

LOWER_EVERY_S = 1.0
"""Throttle answers within this time have one cause, and lower the pace once."""

TABLES = (
    """
CREATE TABLE sgguard_paces (
    name TEXT NOT NULL PRIMARY KEY,
    clock_s DOUBLE PRECISION NOT NULL,
    tick_s DOUBLE PRECISION NOT NULL,
    due_s DOUBLE PRECISION NOT NULL,
    ticket_s DOUBLE PRECISION NOT NULL,
    part DOUBLE PRECISION NOT NULL,
    lowered_s DOUBLE PRECISION NOT NULL,
    outcome TEXT NOT NULL,
    wait_s DOUBLE PRECISION NOT NULL
)""",
    """
CREATE TABLE sgguard_seats (
    name TEXT NOT NULL PRIMARY KEY,
    clock_s DOUBLE PRECISION NOT NULL,
    tick_s DOUBLE PRECISION NOT NULL,
    term_s DOUBLE PRECISION NOT NULL,
    taken BIGINT NOT NULL,
    earlier BIGINT NOT NULL,
    closed_s DOUBLE PRECISION NOT NULL,
    wait_s DOUBLE PRECISION NOT NULL
)""",
)
"""``clock_s`` is the row's own clock, ``tick_s`` the store's clock when it was read. ``due_s``,
``ticket_s``, ``lowered_s``, ``term_s`` and ``closed_s`` are on the row's clock. ``outcome`` and
``wait_s`` are what the last statement answered. Accounts, regions and APIs are few: no row goes."""


def _clock(table: str) -> str:
    """Return the row's clock as it is now; after a restart the store's clock begins anew."""
    return f"({table}.clock_s + GREATEST(0.0, :tick - {table}.tick_s))"


def _tick(table: str) -> str:
    """Return the newest reading of the store's clock: some come late, after a wait for others."""
    return (
        f"(CASE WHEN :tick < {table}.tick_s - :restart_s THEN :tick "
        f"ELSE GREATEST(:tick, {table}.tick_s) END)"
    )


# 1. now_s: the row's clock. gap_s: what lies between two calls at the present pace.
_LANE = f"""
SELECT now_s, tick_s, due_s, ticket_s, part, lowered_s, GREATEST(now_s, due_s) AS free_s,
    :gap_s / LEAST(1.0, part + :recovery * GREATEST(0.0, now_s - lowered_s)) AS gap_s
FROM (SELECT {_clock("sgguard_paces")} AS now_s, {_tick("sgguard_paces")} AS tick_s,
    sgguard_paces.due_s AS due_s, sgguard_paces.ticket_s AS ticket_s, sgguard_paces.part AS part,
    sgguard_paces.lowered_s AS lowered_s) AS was
"""  # noqa: S608 - constants

# 2. Bulk work goes when it is next: nobody waits, in the lane or with a ticket; with a ticket, when
#    the lane is free. Who came a little late asks again when it is. Anybody else queues.
# 3. What is too late for the taker changes nothing. What was taken late lasts less long, so that
#    the lane is used whole by processes that wake late.
_TAKE = f"""
INSERT INTO sgguard_paces
    (name, clock_s, tick_s, due_s, ticket_s, part, lowered_s, outcome, wait_s)
VALUES (:name, 0.0, :tick, :gap_s, 0.0, 1.0, -1000.0, 'go', 0.0)
ON CONFLICT (name) DO UPDATE SET
    (clock_s, tick_s, due_s, ticket_s, outcome, wait_s) = (
    SELECT now_s, tick_s,
        CASE WHEN turn_s - now_s <= :latest_s AND is_next = 1
            THEN GREATEST(due_s, now_s - :slack_s) + gap_s ELSE due_s END,
        CASE WHEN turn_s - now_s <= :latest_s AND is_next = 0 AND is_soon = 0 THEN turn_s + gap_s
            ELSE ticket_s END,
        CASE WHEN turn_s - now_s > :latest_s THEN 'late' WHEN is_next = 1 THEN 'go'
            ELSE 'ticket' END,
        turn_s - now_s
    FROM (SELECT now_s, tick_s, due_s, ticket_s, gap_s, is_next, is_soon,
            CASE WHEN is_next = 1 OR is_soon = 1 THEN free_s
                ELSE GREATEST(free_s, ticket_s) END AS turn_s
        FROM (SELECT now_s, tick_s, due_s, ticket_s, gap_s, free_s,
                CASE WHEN :is_bulk = 0 THEN 1
                    WHEN :has_ticket = 1 AND due_s <= now_s + :soon_s THEN 1
                    WHEN :has_ticket = 0 AND GREATEST(due_s, ticket_s) <= now_s THEN 1
                    ELSE 0 END AS is_next,
                CASE WHEN :is_bulk = 1 AND :has_ticket = 1 AND due_s <= now_s + 2 * gap_s THEN 1
                    ELSE 0 END AS is_soon
            FROM ({_LANE}) AS lane) AS queue) AS turn)
RETURNING wait_s, tick_s, outcome
"""  # noqa: S608 - constants

_SLOW_DOWN = f"""
INSERT INTO sgguard_paces
    (name, clock_s, tick_s, due_s, ticket_s, part, lowered_s, outcome, wait_s)
VALUES (:name, 0.0, :tick, :rest_s, 0.0, 0.5, :rest_s, 'late', 0.0)
ON CONFLICT (name) DO UPDATE SET (clock_s, tick_s, due_s, part, lowered_s) = (
    SELECT now_s, tick_s, GREATEST(due_s, now_s + :rest_s),
        CASE WHEN now_s >= lowered_s + :every_s
            THEN GREATEST(:least, 0.5 * :gap_s / gap_s) ELSE part END,
        CASE WHEN now_s >= lowered_s + :every_s
            THEN now_s + :rest_s ELSE GREATEST(lowered_s, now_s + :rest_s) END
    FROM ({_LANE}) AS lane)
RETURNING wait_s, tick_s
"""  # noqa: S608 - constants

# The taken seats are counted by terms: one of the last term is free when the next one ends.
_SEAT = f"""
INSERT INTO sgguard_seats
    (name, clock_s, tick_s, term_s, taken, earlier, closed_s, wait_s)
VALUES (:name, 0.0, :tick, 0.0, :is_taker, 0, :closed_s, :is_taker * 2 * :length_s)
ON CONFLICT (name) DO UPDATE SET
    (clock_s, tick_s, term_s, taken, earlier, closed_s, wait_s) = (
    SELECT now_s, tick_s, term_s, taken + is_free, earlier,
        CASE WHEN :closed_s > 0 THEN GREATEST(closed_s, now_s + :closed_s) ELSE closed_s END,
        is_free * (term_s + 2 * :length_s - now_s)
    FROM (SELECT now_s, tick_s, term_s, taken, earlier, closed_s,
            CASE WHEN :is_taker = 1 AND now_s >= closed_s AND taken + earlier < :seats
                THEN 1 ELSE 0 END AS is_free
        FROM (SELECT now_s, tick_s, closed_s,
                CASE WHEN now_s < begun_s + :length_s THEN begun_s
                    WHEN now_s < begun_s + 2 * :length_s THEN begun_s + :length_s
                    ELSE now_s END AS term_s,
                CASE WHEN now_s < begun_s + :length_s THEN had ELSE 0 END AS taken,
                CASE WHEN now_s < begun_s + :length_s THEN before_that
                    WHEN now_s < begun_s + 2 * :length_s THEN had ELSE 0 END AS earlier
            FROM (SELECT {_clock("sgguard_seats")} AS now_s, {_tick("sgguard_seats")} AS tick_s,
                sgguard_seats.term_s AS begun_s,
                sgguard_seats.taken AS had, sgguard_seats.earlier AS before_that,
                sgguard_seats.closed_s AS closed_s) AS was) AS terms) AS seat)
RETURNING wait_s, tick_s
"""  # noqa: S608 - constants


class Turn(msgspec.Struct, frozen=True):
    """What a lane answered: ``go`` in ``wait_s`` seconds, ask again then (``ticket``), or ``late``.

    A wait below zero has passed meanwhile. With ``late`` it is longer than the taker can wait, and
    nothing was taken.
    """

    wait_s: float
    outcome: Outcome


class Paces:
    """The lanes and seats of a store; each method is one statement.

    All raise :class:`~sgguard.errors.StoreError`. ``tick`` is the clock that the process reads,
    None where the database reads its own.
    """

    def __init__(self, database: PaceDatabase) -> None:
        self._database = database
        self.tick = database.tick

    @property
    def is_exact(self) -> bool:
        """Whether waits count from the answer on, and not from the statement on."""
        return self.tick is not None

    def take(
        self, name: str, *, gap_s: float, latest_s: float, is_bulk: bool, has_ticket: bool
    ) -> Turn:
        """Take the lane's next moment; ``gap_s`` lies between two calls at its whole pace."""
        wait_s, outcome, *_ = self._ask(
            _TAKE,
            name=name,
            gap_s=gap_s,
            latest_s=latest_s,
            is_bulk=int(is_bulk),
            has_ticket=int(has_ticket),
            recovery=RECOVERY,
            slack_s=SLACK_S,
            soon_s=SOON_S,
        )
        return Turn(wait_s, outcome)

    def slow_down(self, name: str, *, gap_s: float, rest_s: float) -> None:
        """Lower the lane's pace, and hand out no moment for ``rest_s`` seconds."""
        self._ask(
            _SLOW_DOWN,
            name=name,
            gap_s=gap_s,
            rest_s=rest_s,
            recovery=RECOVERY,
            least=LEAST,
            every_s=LOWER_EVERY_S,
        )

    def seat(self, name: str, *, most: int) -> float:
        """Take one of ``most`` seats: return for how many seconds, 0 where all are taken."""
        wait_s: float = self._seat(name, most=most, closed_s=0.0)[0]
        return max(0.0, wait_s - SEAT_MARGIN_S)

    def close_seats(self, name: str) -> None:
        """Give no seat for two terms: afterwards nobody has one from before."""
        self._seat(name, most=0, closed_s=2 * TERM_S)

    def _seat(self, name: str, *, most: int, closed_s: float) -> tuple[Any, ...]:
        return self._ask(
            _SEAT,
            name=name,
            is_taker=int(most > 0),
            closed_s=closed_s,
            seats=most,
            length_s=TERM_S,
        )

    def _ask(self, statement: str, **values: str | float) -> tuple[Any, ...]:
        """Return the wait from now on, and what else the statement answers."""
        tick = self.tick
        text = statement + self._database.not_lasting

        def work(session: Session) -> list[tuple[Any, ...]]:
            given = {**values, "restart_s": RESTART_S}
            if tick is None:
                return session.rows(text.replace(":tick", self._database.clock), **given)
            return session.rows(text, tick=tick(), **given)

        [(wait_s, tick_s, *more)] = self._database.autocommit(work)
        # The answer was waited for: what passed meanwhile on the same clock is over.
        passed_s = 0.0 if tick is None else tick() - tick_s
        return (float(wait_s) - passed_s, *more)
