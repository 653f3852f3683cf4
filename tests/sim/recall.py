"""Reads whose answer is known are not built, signed and answered again.

Most reads of a story ask what was asked before, in this story or in another one, about things that
are as they were (:mod:`tests.sim.depends`). Such a read keeps all that a story is made of: its
turn, its deadline, its points with whatever happens there, its answer's check. What it leaves out
is the way of the bytes, which decides nothing in a story. ``test_recall.py`` compares stories with
and without.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import httpx

from sgguard.emulator.faces import alibaba
from sgguard.emulator.faces.huawei import auth as huawei_auth
from sgguard.emulator.faces.tencent import call as tencent_call
from sgguard.emulator.faces.tencent_dfw import call as tencent_dfw_call
from sgguard.errors import CloudError
from sgguard.wire import client
from sgguard.wire.openstack.keystone_auth import KeystoneAuth
from tests.sim.depends import Content
from tests.sim.seams import SimTransport

_TOKENS = "auth/tokens"
_ADDRESSES_MAX = 4096
_ANSWERS_MAX = 10_000
_addresses: dict[tuple[str, str], httpx.URL] = {}
_with_query = client.with_query


class _Known:
    """The answers to one read: for what an answer depended on, each content and its answer."""

    def __init__(self, request: httpx.Request) -> None:
        self.request = request
        self._answers: dict[tuple[str, ...], dict[tuple[int, ...], httpx.Response]] = {}

    def find(self, content: Content) -> httpx.Response | None:
        """Return the answer of a cloud with that content, None where it is not known."""
        key = self, content.everywhere()
        found: httpx.Response | None = content.answers.get(key)
        if found is not None:
            return found
        for names, answers in self._answers.items():
            found = answers.get(tuple(map(content.number, names)))
            if found is not None:
                content.answers[key] = found
                return found
        return None

    def keep(
        self, names: tuple[str, ...], numbers: tuple[int, ...], response: httpx.Response
    ) -> None:
        """Keep an answer, and what was found by the looks of these names."""
        self._answers.setdefault(names, {})[numbers] = response


_known: dict[Any, _Known] = {}
_kept = count(1)


def forget() -> None:
    """Forget every answer."""
    _known.clear()
    gc.unfreeze()  # what was kept from the collector as never garbage is that now


@contextmanager
def recalling() -> Iterator[None]:
    """Recall what a cloud with the same content has answered."""
    send, with_query = client.Wire.write, client.with_query
    client.Wire.write = _recalling(send)  # type: ignore[method-assign]
    client.with_query = _address
    checks = {(place, name): getattr(place, name) for place, name in _CHECKS}
    for (place, name), real in checks.items():
        setattr(place, name, _once(real, f"sim-{name}"))
    try:
        yield
    finally:
        client.Wire.write = send  # type: ignore[method-assign]
        client.with_query = with_query
        for (place, name), real in checks.items():
            setattr(place, name, real)


_CHECKS = (
    (tencent_call, "authenticate"),
    (tencent_dfw_call, "_authenticate"),
    (alibaba, "authenticate"),
    (alibaba, "params_of"),
    (huawei_auth, "account_of_signature"),
)
"""What a face finds out about a request from its bytes alone."""


def _once(real: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Find out about a request what is the same each time it is sent."""

    def found(request: httpx.Request, *given: Any) -> Any:
        known = request.extensions.get(name)
        if known is None:
            known = request.extensions[name] = real(request, *given)
        return known

    return found


def _address(url: str | httpx.URL, params: Any) -> httpx.URL:
    """As the wire makes it, and made once."""
    key = str(url), repr(params)
    if key not in _addresses:
        if len(_addresses) > _ADDRESSES_MAX:
            _addresses.clear()
        _addresses[key] = _with_query(url, params)
    return _addresses[key]


def _recalling(send: Callable[..., httpx.Response]) -> Callable[..., httpx.Response]:
    def write(
        wire: client.Wire, method: str, url: Any, *, action: str, check: Any, **given: Any
    ) -> httpx.Response:
        sim = wire.transport
        if not (wire.is_reading and isinstance(sim, SimTransport)) or _TOKENS in str(url):
            return send(wire, method, url, action=action, check=check, **given)
        words = {name: one for name, one in given.items() if name != "auth"}
        story = sim.world.story
        asked = method, str(url), action, wire.pace.caller, repr(words)
        key = story.provider, story.account, asked
        known = _known.get(key)
        if known is None:
            return _asked(send, wire, key, (method, url), action=action, check=check, **given)
        if not _has_token(given.get("auth"), known.request):
            return send(wire, method, url, action=action, check=check, **given)
        return _recalled(wire, known, (method, url), action=action, check=check, **given)

    return write


def _asked(
    send: Callable[..., httpx.Response], wire: Any, key: Any, where: tuple[str, Any], **given: Any
) -> httpx.Response:
    response = send(wire, *where, **given)
    _keep(wire.transport, _known.setdefault(key, _Known(response.request)), response)
    return response


def _has_token(auth: Any, request: httpx.Request) -> bool:
    """Whether the call could be sent at once: one that needs a token first is sent as it is."""
    if not isinstance(auth, KeystoneAuth):
        return True
    flow = auth.auth_flow(request)
    try:
        return next(flow) is request
    finally:
        flow.close()


def _recalled(
    wire: Any,
    known: _Known,
    where: tuple[str, Any],
    *,
    action: str,
    check: Any,
    auth: httpx.Auth | None = None,
    **given: Any,
) -> httpx.Response:
    """Do as :meth:`Wire.write`, without the bytes, or at least with those of another time."""
    del given
    sim: SimTransport = wire.transport
    wire._wait_for_turn(action)
    wire.deadline.require(f"{wire.provider} {action} could be called")
    with wire._translating(action, where[1]):
        response = sim.recalled(known.request, lambda: known.find(sim.world.content))
        if response is None:  # its first point is behind it
            again = auth if isinstance(auth, KeystoneAuth) else None
            response = client.exchange(known.request, again, sim, wire.deadline)
            _keep(sim, known, response)
    try:
        check(response)
    except CloudError as error:
        wire._apply_retry_after(error, action, response)
        raise
    return response


def _keep(sim: SimTransport, known: _Known, response: httpx.Response) -> None:
    request, names, numbers = sim.last
    if request is response.request:
        known.keep(names, numbers, response)
        if next(_kept) % _ANSWERS_MAX == 0:
            forget()
