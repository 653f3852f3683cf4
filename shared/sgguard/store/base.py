"""What is kept between deliveries, and between the processes that handle them.

:class:`Claims` make one event one piece of work, and their locks keep two pieces of work off the
same group. The :class:`Journal` says what was about to be done and what came of it. Decisions are
the :class:`AuditTrail`; :class:`Approvals` are the requests to people.

A claim has a *lease* (how long its holder may be silent) and a *fence* (a number that grows with
every new holder). What is written for a claim is written only while it is still the newest: a
worker that slept through its lease cannot write over the one that took over.

A run that is open or stuck is *unresolved*: the world is between before and after. Its decision's
locks are held until it is finished or undone, however long that takes.

Times are seconds since 1970-01-01 UTC on the store's own clock (the database's, where there is
one, so that machines need not agree). A row's own times are the store's: values that a caller put
into ``begun_at_s``, ``asked_at_s`` or an entry's ``at_s`` are ignored. No text has a NUL in it.
"""

from __future__ import annotations

from sgguard.store.approvals import Approvals
from sgguard.store.audit import AuditTrail
from sgguard.store.claims import Claims
from sgguard.store.database import Session, autocommit
from sgguard.store.journal import Journal
from sgguard.store.retention import Retention


class Store(Claims, Journal, AuditTrail, Approvals, Retention):
    """A store in SQL that SQLite and PostgreSQL both understand; each part has its own methods.

    Every method is one transaction, safe with many threads and processes. All raise
    :class:`~sgguard.errors.StoreError` when the store cannot be read or written. Those that take
    a claim raise :class:`~sgguard.errors.LeaseLostError` when it is no longer the newest of its
    event, or was finished or released, and then write nothing. A lease that merely ran out takes
    nothing away as long as no other worker took over. A claim writes for its own decision only,
    anything else is a StoreError.
    """

    @autocommit
    def now_s(self, session: Session) -> float:
        """Return the time on the store's clock."""
        return float(session.rows("SELECT :now")[0][0])

    def close(self) -> None:
        """Close files and connections."""
        self._database.close()
