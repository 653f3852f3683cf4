"""What is kept between deliveries, and between the processes that handle them.

:class:`Claims` make one event one piece of work, and their locks keep two pieces of work off the
same group. The :class:`Journal` says what was about to be done and what came of it. Decisions are
the :class:`AuditTrail`; :class:`Approvals` are the requests to people; the :class:`Outbox` holds
what is to be told to others.

A claim has a *lease* (how long its holder may be silent), and a decision a *fence* (a number that
grows with every worker that takes it, whatever event or click brought it). What is written for a
decision is written only under its newest fence: a worker that slept through its lease cannot write
over the one that took over (:mod:`~sgguard.store.fence`). The :class:`Steps` of a decision are a
transaction each, and lead only where the table of :mod:`~sgguard.store.transitions` says.

A run that is open or stuck is *unresolved*: the world is between before and after. Its decision's
locks are held until it is finished or undone, however long that takes.

Times are seconds since 1970-01-01 UTC on the store's own clock (the database's, where there is
one, so that machines need not agree). A row's own times are the store's: values that a caller put
into ``begun_at_s``, ``asked_at_s`` or an entry's ``at_s`` are ignored. No text has a NUL in it.
"""

from __future__ import annotations

from functools import cached_property

from sgguard.store.approvals import Approvals
from sgguard.store.audit import AuditTrail
from sgguard.store.budgets import Budgets
from sgguard.store.callbacks import Callbacks
from sgguard.store.claims import Claims
from sgguard.store.database import Session, autocommit
from sgguard.store.dead_letters import DeadLetters
from sgguard.store.halts import Halts
from sgguard.store.journal import Journal
from sgguard.store.outbox import Outbox
from sgguard.store.pace import Paces
from sgguard.store.places import Places
from sgguard.store.retention import Retention
from sgguard.store.steps import Steps
from sgguard.store.unended import Unended


class Store(
    Claims,
    Journal,
    Steps,
    Halts,
    AuditTrail,
    Approvals,
    Outbox,
    Places,
    Callbacks,
    DeadLetters,
    Retention,
    Unended,
    Budgets,
):
    """A store in SQL that SQLite and PostgreSQL both understand; each part has its own methods.

    Every method is one transaction, safe with many threads and processes. All raise
    :class:`~sgguard.errors.StoreError` when the store cannot be read or written. Those that take
    a claim raise :class:`~sgguard.errors.LeaseLostError` when another worker has its event or its
    decision, or it was finished or released, and then write nothing. A lease that merely ran out
    takes nothing away as long as no other worker took over. A claim writes for its own decision
    only, anything else is a StoreError.
    """

    @autocommit
    def now_s(self, session: Session) -> float:
        """Return the time on the store's clock."""
        return float(session.rows("SELECT :now")[0][0])

    def paces(self) -> Paces:
        """Return the pace of cloud calls that all processes share."""
        return self._paces

    @cached_property
    def _paces(self) -> Paces:
        return Paces(self._database.for_pace())

    def close(self) -> None:
        """Close files and connections."""
        self._database.close()
