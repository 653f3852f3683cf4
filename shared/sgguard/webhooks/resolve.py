"""What a name resolves to, all of it judged; the connection then goes to what was judged.

Every address of the answer must be one that may be called: a name with one public and one private
address is refused, for nobody can say which of them a receiver meant.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Sequence

import msgspec

from sgguard.policy.callback import CallbackPolicy, refused_networks
from sgguard.webhooks.network import is_loopback, refusal
from sgguard.webhooks.url import Endpoint, Refusal, judged

Resolve = Callable[[str], Sequence[str]]
"""Returns the addresses of a name as texts, or raises :class:`OSError`."""

RESOLVE_S = 5.0
_ADDRESSES_MAX = 32


class Pinned(msgspec.Struct, frozen=True):
    """An address that may be called, and the numbers it may be called at: no other is."""

    endpoint: Endpoint
    addresses: tuple[str, ...]


def system(name: str) -> list[str]:
    """Ask the operating system; as bytes, so that no library encodes the name anew."""
    found = socket.getaddrinfo(name.encode("ascii"), None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def pinned(
    url: str,
    callbacks: CallbackPolicy,
    resolve: Resolve = system,
    *,
    timeout_s: float = RESOLVE_S,
) -> Pinned | Refusal:
    """Judge an address, look its name up once, and judge what it resolves to.

    This is the one judgement of callbacks: of a delivery, and of ``sgguard callbacks test``.
    """
    endpoint = judged(url, callbacks)
    if isinstance(endpoint, Refusal):
        return endpoint
    try:
        found = _in_time(resolve, endpoint.host.strip("[]"), timeout_s)
    except (OSError, UnicodeError):
        return _for_now(f"the name {endpoint.host} is not known, or cannot be looked up")
    if not 0 < len(found) <= _ADDRESSES_MAX:
        return _for_now(f"the name {endpoint.host} has {len(found)} addresses")
    also = refused_networks(callbacks)
    for address in found:
        if endpoint.is_local:
            what = "" if is_loopback(address) else "not loopback"
        else:
            what = refusal(address, also)
        if what:
            return _for_now(f"the name {endpoint.host} resolves to {address[:64]}, which is {what}")
    return Pinned(endpoint, tuple(dict.fromkeys(found)))


def _for_now(why: str) -> Refusal:
    return Refusal(why, "a name of which every address is public", is_final=False)


def _in_time(resolve: Resolve, name: str, timeout_s: float) -> list[str]:
    """Ask on a thread: the operating system's resolver cannot be interrupted.

    Raises:
        OSError: there is no answer, or none in time.
    """
    found: list[list[str] | BaseException] = []

    def ask() -> None:
        try:
            found.append(list(resolve(name)))
        except (OSError, UnicodeError) as error:
            found.append(error)

    asking = threading.Thread(target=ask, name="resolver", daemon=True)
    asking.start()
    asking.join(min(timeout_s, RESOLVE_S))
    if not found:
        raise TimeoutError("no answer in time")
    if isinstance(found[0], BaseException):
        raise found[0]
    return found[0]
