"""Keeping the clients of this process off the internet while ``mock_clouds`` is active.

httpx is routed before it opens a connection. Every other client (``requests``, ``urllib3``,
``http.client``, ``urllib``, ``aiohttp``, plain sockets) connects with Python's sockets, so these
refuse every address but loopback, and the lookup of every name but the machine's own. A proxy is
refused even on loopback, because it leads out.

Not covered: other processes, and libraries in C with sockets of their own (libpq, libcurl, gRPC).
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

_INTERNET = (socket.AF_INET, socket.AF_INET6)
_METHODS = ("connect", "connect_ex", "sendto", "sendmsg")
_LOOKUPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex")

_lock = threading.Lock()
_active = 0
_originals: dict[str, Any] = {}


class OfflineError(AssertionError):
    """A client other than httpx would have reached the internet.

    No ``OSError``: clients would try again, or report a network that is down.
    """


@contextmanager
def offline() -> Iterator[None]:
    """Refuse connections and lookups that leave the machine, in every thread, until the end."""
    _enter()
    try:
        yield
    finally:
        _leave()


def is_loopback(host: object) -> bool:
    """Return whether a host of an address is this machine: by its name, or as a number."""
    name = host.decode(errors="replace") if isinstance(host, bytes | bytearray) else str(host)
    name = name.rstrip(".").lower()
    if name in ("", "localhost") or name.endswith(".localhost"):
        return True
    address = _ip(name)
    # To connect to "any address" is to connect to this machine.
    return address is not None and (address.is_loopback or address.is_unspecified)


def _ip(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(name))  # 127.1
        except OSError:
            return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _enter() -> None:
    global _active  # noqa: PLW0603 - sockets belong to the whole process
    with _lock:
        _active += 1
        if _active > 1:
            return
        for name in _METHODS:
            _originals[name] = vars(socket.socket).get(name)
            setattr(socket.socket, name, _guarded_method(getattr(socket.socket, name)))
        for name in _LOOKUPS:
            _originals[name] = getattr(socket, name)
            setattr(socket, name, _guarded_lookup(_originals[name]))


def _leave() -> None:
    global _active  # noqa: PLW0603 - as above
    with _lock:
        _active -= 1
        if _active:
            return
        for name in _METHODS:
            if _originals[name] is None:  # inherited from the base class
                delattr(socket.socket, name)
            else:
                setattr(socket.socket, name, _originals[name])
        for name in _LOOKUPS:
            setattr(socket, name, _originals[name])


# A guard that somebody kept (a patch of a test's own that is undone later) lets everything pass
# once no mock is active.


def _guarded_method(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def method(self: socket.socket, *args: Any, **kwargs: Any) -> Any:
        # The address is the last argument; that of `sendmsg` may be missing.
        if _active and self.family in _INTERNET and args and isinstance(args[-1], tuple):
            try:
                _require_here(*args[-1][:2])
            except OfflineError:
                self.close()  # `socket.create_connection` does so after an OSError only
                raise
        return original(self, *args, **kwargs)

    return method


def _guarded_lookup(original: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(original)
    def lookup(*args: Any, **kwargs: Any) -> Any:
        host = args[0] if args else kwargs.get("host")
        if _active and host is not None and not _is_local_name(host):
            raise _refusal(host)
        return original(*args, **kwargs)

    return lookup


def _is_local_name(host: object) -> bool:
    """Return whether the lookup of a host asks nobody outside: numbers are not looked up."""
    return is_loopback(host) or _ip(str(host)) is not None or host == socket.gethostname()


def _require_here(host: object, port: object = 0) -> None:
    if not is_loopback(host):
        raise _refusal(host)
    for scheme, url in getproxies_environment().items():
        proxy = urlsplit(url if "//" in url else f"//{url}")
        is_proxy = scheme != "no" and proxy.netloc.endswith(f":{port}")
        if is_proxy and is_loopback(proxy.hostname or ""):
            raise OfflineError(
                f"mock_clouds: a connection to the proxy {host}:{port} refused: it leads to the "
                "internet; unset the proxy variables in the test"
            )


def _refusal(host: object) -> OfflineError:
    return OfflineError(
        f"mock_clouds: a connection to {host} refused: no test reaches the internet. Only what "
        "httpx sends is answered by the emulator; give other clients the address of "
        "`sgguard.emulator.serve`"
    )
