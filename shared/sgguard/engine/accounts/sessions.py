"""Temporary credentials of assumed roles: kept for their time, and assumed again before they end.

They are kept in memory only, and only for those that assumed them: other credentials, another
network or another role have sessions of their own.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable

import msgspec

from sgguard import hiding
from sgguard.errors import SgguardError
from sgguard.providers import Temporary
from sgguard.telemetry import logs

RENEWED_BEFORE_S = 600.0
_ASKED_AGAIN_S = 5.0
_KEPT_MAX = 256


@hiding("given")
class _Session(msgspec.Struct, eq=False):
    """One role's credentials; ``lock`` is held while one thread asks and the others wait."""

    lock: threading.Lock = msgspec.field(default_factory=threading.Lock)
    given: Temporary | None = None
    asked_at_s: float = float("-inf")


class Sessions:
    """The sessions of this process; any may be dropped at any time. Safe for threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._sessions: dict[Hashable, _Session] = {}

    def current(
        self, key: Hashable, assume: Callable[[], Temporary], now_s: float, provider: str
    ) -> Temporary:
        """Return credentials that hold now.

        Ten minutes before they end the role is assumed again; while that fails, those at hand are
        used to their end.

        Raises:
            SgguardError: there are none, and none could be got: the error of ``assume``.
        """
        session = self._session(key)
        with session.lock:
            given = session.given
            holds = given is not None and now_s < given.ends_at_s
            if given is not None and now_s < given.ends_at_s - RENEWED_BEFORE_S:
                return given
            if holds and given is not None and now_s < session.asked_at_s + _ASKED_AGAIN_S:
                return given
            session.asked_at_s = now_s
            try:
                session.given = assume()
            except SgguardError as error:
                if not holds or given is None:
                    session.given = None
                    raise
                kind = type(error).__name__
                logs.log(logging.WARNING, "role not renewed", provider=provider, error=kind)
                return given
            return session.given

    def _session(self, key: Hashable) -> _Session:
        with self._guard:
            found = self._sessions.pop(key, None) or _Session()
            while len(self._sessions) >= _KEPT_MAX:
                del self._sessions[next(iter(self._sessions))]
            self._sessions[key] = found  # the one used last is dropped last
            return found


SESSIONS = Sessions()
