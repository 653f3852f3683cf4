"""Sending a Keystone token with every call: fetched once, kept until it expires, renewed on 401.

1. A call takes the cached token of its identity, unless it expires within ``MARGIN_S``.
2. Without one, a single thread requests a token, under a lock per identity; the others wait and
   use its token. If the credentials were refused meanwhile, they raise that refusal instead of
   sending the same wrong password again.
3. A call that is refused with 401 gets a new token once, and is sent again. Where another thread
   has renewed the token already, that one is used.
4. A second 401 is the result of the call.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

import httpx

from sgguard.errors import DeadlineError, UnauthenticatedError
from sgguard.wire.client import Wire
from sgguard.wire.clock import EpochClock
from sgguard.wire.openstack.keystone import TOKEN_ACTION, Identity, KeystoneToken, parse_token
from sgguard.wire.openstack.neutron.error import error_of

MARGIN_S = 60.0
"""A token is not used during its last minute, since the call may take some time."""

_CACHE_MAX = 256

Key = tuple[httpx.BaseTransport | None, Identity]


class TokenCache:
    """Tokens by network and identity, safe to use from threads and to drop at any time."""

    def __init__(self) -> None:
        self._tokens: dict[Key, KeystoneToken] = {}
        self._locks: dict[Key, threading.Lock] = {}
        self._refusals: dict[Key, UnauthenticatedError] = {}
        self._guard = threading.Lock()

    def get(self, key: Key, now: float) -> KeystoneToken | None:
        """Return the token if it can still be used for a while."""
        with self._guard:
            token = self._tokens.get(key)
        return token if token is not None and token.expires_s - MARGIN_S > now else None

    def put(self, key: Key, token: KeystoneToken) -> None:
        """Keep a token; the oldest ones are dropped when there are many."""
        with self._guard:
            self._tokens.pop(key, None)
            self._refusals.pop(key, None)
            while len(self._tokens) >= _CACHE_MAX:
                oldest = next(iter(self._tokens))
                del self._tokens[oldest]
                self._refusals.pop(oldest, None)
            self._tokens[key] = token

    def lock(self, key: Key) -> threading.Lock:
        """Return the lock under which one thread requests a token while the others wait.

        Locks that nobody holds are dropped when there are many, the oldest first: identities
        whose credentials are refused never get a token, and would stay for ever. One that is
        dropped between this call and its use costs a second request, no more.
        """
        with self._guard:
            if key not in self._locks and len(self._locks) >= _CACHE_MAX:
                idle = (one for one, lock in self._locks.items() if not lock.locked())
                self._locks.pop(next(idle, key), None)
            return self._locks.setdefault(key, threading.Lock())

    def refusal(self, key: Key) -> UnauthenticatedError | None:
        """Return the last refusal of these credentials, None after a success."""
        with self._guard:
            return self._refusals.get(key)

    def refuse(self, key: Key, error: UnauthenticatedError) -> None:
        """Keep a refusal of these credentials for the threads that wait."""
        with self._guard:
            if len(self._refusals) >= _CACHE_MAX:
                self._refusals.clear()
            self._refusals[key] = error

    def clear(self) -> None:
        """Forget every token."""
        with self._guard:
            self._tokens.clear()
            self._refusals.clear()


_CACHE = TokenCache()
"""The tokens of this process; dropping them only costs a round trip."""


class KeystoneAuth(httpx.Auth):
    """Sends the token; requests one when there is none, and another one, once, after a 401.

    Token requests are yielded, so they go through the same transport and timeout as the call
    they are for.
    """

    requires_response_body = True

    def __init__(
        self, identity: Identity, wire: Wire, now: EpochClock, cache: TokenCache = _CACHE
    ) -> None:
        self.identity = identity
        self._wire = wire
        self._now = now
        self._cache = cache
        self._key: Key = (wire.transport, identity)

    def __repr__(self) -> str:
        return f"KeystoneAuth({self.identity!r})"

    def token(self) -> KeystoneToken:
        """Return the current token, requested within the wire's deadline when there is none.

        Raises:
            CloudError: Keystone refused or could not be reached.
            DeadlineError: the time is used up.
        """
        # Step 1, and step 2 where there is none.
        if token := self._cached():
            return token
        with self._exclusive():
            if token := self._cached():
                return token
            response = self._wire.read(
                "POST",
                self._url(),
                action=TOKEN_ACTION,
                check=lambda response: _raise_refusal(response, self._wire.provider),
                headers={"content-type": "application/json"},
                content=self.identity.body(),
            )
            return self._keep(response)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the token; after a 401 request another one and send the call once more."""
        # Steps 1 and 2.
        token = self._cached()
        if token is None:
            token = yield from self._renewed(stale=None)
        request.headers["x-auth-token"] = token.id
        response = yield request
        # Step 3.
        if response.status_code == httpx.codes.UNAUTHORIZED:
            token = yield from self._renewed(stale=token)
            request.headers["x-auth-token"] = token.id
            yield request

    def _renewed(
        self, stale: KeystoneToken | None
    ) -> Generator[httpx.Request, httpx.Response, KeystoneToken]:
        """Return another token than ``stale``; many calls refused together request only one."""
        with self._exclusive():
            token = self._cached()
            if token is not None and (stale is None or token.id != stale.id):
                return token
            response = yield httpx.Request(
                "POST",
                self._url(),
                headers={"content-type": "application/json"},
                content=self.identity.body(),
            )
            kept = self._keep(response)
            # The call itself follows: it is as late as this one.
            self._wire.deadline.require("the call could be made with a new token")
            return kept

    @contextmanager
    def _exclusive(self) -> Generator[None, None, None]:
        """Hold the lock of this identity: one thread requests a token, the others wait for it.

        A thread that waited while the credentials were refused raises the same refusal: several
        wrong passwords within a moment would lock the user out.
        """
        known = self._cache.refusal(self._key)
        lock = self._cache.lock(self._key)
        if not lock.acquire(timeout=self._wire.deadline.require("a token was requested")):
            raise DeadlineError("the time for this event was used up waiting for a token")
        try:
            refusal = self._cache.refusal(self._key)
            # Refused while this thread waited: a refusal from before is no reason not to try again.
            if refusal is not None and refusal is not known:
                raise _copy_of(refusal)
            yield
        except UnauthenticatedError as error:
            # A copy: the error itself holds the frames of its call, and in them the refusal before
            # it, with the frames of that one.
            self._cache.refuse(self._key, _copy_of(error))
            raise
        finally:
            lock.release()

    def _cached(self) -> KeystoneToken | None:
        return self._cache.get(self._key, self._now())

    def _keep(self, response: httpx.Response) -> KeystoneToken:
        token = parse_token(response, self._wire.provider)
        self._cache.put(self._key, token)
        return token

    def _url(self) -> str:
        return f"{self.identity.auth_url}/auth/tokens"


def _copy_of(error: UnauthenticatedError) -> UnauthenticatedError:
    """Return the same error for another thread: raising one object twice mixes tracebacks."""
    return UnauthenticatedError(
        error.provider,
        error.action,
        code=error.code,
        detail=error.detail,
        status=error.status,
        request_id=error.request_id,
    )


def _raise_refusal(response: httpx.Response, provider: str) -> None:
    if not response.is_success:
        raise error_of(provider, TOKEN_ACTION, response)
