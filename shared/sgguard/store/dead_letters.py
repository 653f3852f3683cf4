"""Dead letters: what was delivered by a known caller and can never be judged as it is.

One that comes again is the same row, which counts; so a sender that repeats in vain fills nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from sgguard import hiding
from sgguard.store.database import Session, Tables, autocommit, transaction


@hiding("body")
class DeadLetter(msgspec.Struct, frozen=True):
    """A delivery to a function, and why it could not be judged.

    ``body`` is what may be kept of it (:mod:`sgguard.events.kept`), empty where nothing may;
    ``body_bytes`` is how large it was. ``status`` and ``reason`` are those of the last attempt.
    Times are on the store's clock, and its own.
    """

    letter_id: str
    function: str
    caller: str
    event_id: str
    status: int
    reason: str
    problems_json: str
    headers_json: str
    body: str
    body_bytes: int
    times: int = 0
    first_at_s: float = 0.0
    last_at_s: float = 0.0


_COLUMNS = (
    "letter_id, function, caller, event_id, status, reason, problems_json, headers_json, body,"
    " body_bytes, times, first_at_s, last_at_s"
)
_KEEP = f"""
INSERT INTO sgguard_dead_letters ({_COLUMNS})
VALUES (:letter_id, :function, :caller, :event_id, :status, :reason, :problems_json,
    :headers_json, :body, :body_bytes, 1, :now, :now)
ON CONFLICT (letter_id) DO UPDATE SET
    times = sgguard_dead_letters.times + 1, last_at_s = excluded.last_at_s,
    status = excluded.status, reason = excluded.reason, problems_json = excluded.problems_json
RETURNING times
"""  # noqa: S608 - constants
_IS_KEPT = "SELECT 1 FROM sgguard_dead_letters WHERE letter_id = :letter_id"
_OF_CALLER = "SELECT COUNT(*) FROM sgguard_dead_letters WHERE caller = :caller"
_ONE = f"SELECT {_COLUMNS} FROM sgguard_dead_letters WHERE letter_id = :letter_id"  # noqa: S608
_BEGINNING = (
    "SELECT letter_id FROM sgguard_dead_letters WHERE substr(letter_id, 1, :length) = :beginning"
    " ORDER BY letter_id LIMIT :limit"
)
_LISTED = f"""
SELECT {_COLUMNS} FROM sgguard_dead_letters WHERE (:caller = '' OR caller = :caller)
ORDER BY last_at_s DESC, letter_id LIMIT :limit
"""  # noqa: S608 - constants
_DROP = "DELETE FROM sgguard_dead_letters WHERE letter_id = :letter_id"
_COUNT = "SELECT COUNT(*) FROM sgguard_dead_letters"


class DeadLetters(Tables):
    """Deliveries that could not be judged."""

    @transaction
    def keep_dead_letter(self, session: Session, letter: DeadLetter, most: int) -> int:
        """Keep a letter, or count one that is there; return how often it came.

        0: it is not kept, because there are ``most`` of its caller already.
        """
        if not session.rows(_IS_KEPT, letter_id=letter.letter_id):
            [(count,)] = session.rows(_OF_CALLER, caller=letter.caller)
            if int(count) >= most:
                return 0
        [(times,)] = session.rows(
            _KEEP,
            letter_id=letter.letter_id,
            function=letter.function,
            caller=letter.caller,
            event_id=letter.event_id,
            status=letter.status,
            reason=letter.reason,
            problems_json=letter.problems_json,
            headers_json=letter.headers_json,
            body=letter.body,
            body_bytes=letter.body_bytes,
        )
        return int(times)

    @autocommit
    def dead_letter(self, session: Session, letter_id: str) -> DeadLetter | None:
        """Return one letter."""
        found = session.rows(_ONE, letter_id=letter_id)
        return _letter(found[0]) if found else None

    @autocommit
    def dead_letter_ids(self, session: Session, beginning: str, limit: int = 5) -> tuple[str, ...]:
        """Return ids of letters that begin so, at most ``limit``, in order."""
        found = session.rows(_BEGINNING, beginning=beginning, length=len(beginning), limit=limit)
        return tuple(str(one) for (one,) in found)

    @autocommit
    def dead_letters(
        self, session: Session, *, caller: str = "", limit: int = 50
    ) -> tuple[DeadLetter, ...]:
        """Return letters, of one caller or of all, the last that came first."""
        found = session.rows(_LISTED, caller=caller, limit=limit)
        return tuple(map(_letter, found))

    @autocommit
    def count_dead_letters(self, session: Session) -> int:
        """Return how many letters there are."""
        return int(session.rows(_COUNT)[0][0])

    @transaction
    def drop_dead_letter(self, session: Session, letter_id: str) -> bool:
        """Forget a letter; False where there is none."""
        return session.count(_DROP, letter_id=letter_id) == 1


def _letter(row: Sequence[Any]) -> DeadLetter:
    return DeadLetter(*row)
