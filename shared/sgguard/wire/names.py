"""Host names looked up within the time of a call."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable
from functools import partial

_Addresses = list[str]


class _Lookup:
    """One question to the resolver, which several calls may wait for."""

    def __init__(self) -> None:
        self.addresses: _Addresses = []
        self.error: OSError | None = None
        self.done = threading.Event()


def _ask_resolver(host: str) -> _Addresses:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Names:
    """Looks host names up; one thread per name at a time, however many calls wait for it.

    The operating system's resolver cannot be interrupted, so it is asked on a thread of its own and
    left to end by itself where it takes too long.
    """

    def __init__(self, ask: Callable[[str], _Addresses] = _ask_resolver) -> None:
        self._ask = ask
        self._asked: dict[str, _Lookup] = {}
        self._guard = threading.Lock()

    def resolve(self, host: str, timeout_s: float | None) -> _Addresses:
        """Return the addresses of a host, in the resolver's order; an address is its own.

        Raises:
            TimeoutError: the resolver gave no answer in time.
            OSError: the name is not known.
        """
        if _is_literal(host):
            return [host]
        lookup = self._begin(host)
        if not lookup.done.wait(timeout_s):
            raise TimeoutError("the name was not looked up in time")
        if lookup.error is not None:
            raise lookup.error
        return lookup.addresses

    def _begin(self, host: str) -> _Lookup:
        with self._guard:
            lookup = self._asked.get(host)
            if lookup is None:
                lookup = self._asked[host] = _Lookup()
                threading.Thread(
                    target=partial(self._run, host, lookup), name="resolver", daemon=True
                ).start()
            return lookup

    def _run(self, host: str, lookup: _Lookup) -> None:
        try:
            lookup.addresses = self._ask(host)
        except (OSError, UnicodeError) as error:
            lookup.error = error if isinstance(error, OSError) else socket.gaierror(str(error))
        finally:
            with self._guard:
                del self._asked[host]
            lookup.done.set()


NAMES = Names()


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
