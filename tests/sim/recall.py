"""Reads that a cloud has answered since its last change are not built, signed and answered again.

Half of the reads of a story ask what was asked before, of a cloud that is as it was. Such a read
keeps all that a story is made of: its turn, its deadline, its points with whatever happens there,
its answer's check. What it leaves out is the way of the bytes, which decides nothing in a story.
``test_recall.py`` compares stories with and without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from sgguard.errors import CloudError
from sgguard.wire import client
from sgguard.wire.openstack.keystone_auth import KeystoneAuth
from tests.sim.seams import SimTransport

_TOKENS = "auth/tokens"
_ADDRESSES_MAX = 4096
_addresses: dict[tuple[str, str], httpx.URL] = {}
_with_query = client.with_query


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a cloud has said; ``state`` is the number of the state it was in."""

    request: httpx.Request
    response: httpx.Response
    state: int


@contextmanager
def recalling() -> Iterator[None]:
    """Recall answers as long as a cloud is as it was."""
    send, with_query = client.Wire.write, client.with_query
    client.Wire.write = _recalling(send)  # type: ignore[method-assign]
    client.with_query = _address
    try:
        yield
    finally:
        client.Wire.write = send  # type: ignore[method-assign]
        client.with_query = with_query


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
        key = (method, str(url), action, wire.pace.caller, repr(words))
        answers = sim.world.answered
        known = answers.get(key)
        if known is None or known.state != sim.world.state_number:
            return _asked(send, wire, key, (method, url), action=action, check=check, **given)
        if not _has_token(given.get("auth"), known.request):
            return send(wire, method, url, action=action, check=check, **given)
        return _recalled(wire, known, (method, url), action=action, check=check, **given)

    return write


def _asked(
    send: Callable[..., httpx.Response], wire: Any, key: Any, where: tuple[str, Any], **given: Any
) -> httpx.Response:
    response = send(wire, *where, **given)
    sim: SimTransport = wire.transport
    request, state = sim.last
    if request is response.request:
        sim.world.answered[key] = _Answer(request, response, state)
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
    wire: Any, known: _Answer, where: tuple[str, Any], *, action: str, check: Any, **given: Any
) -> httpx.Response:
    """Do as :meth:`Wire.write`, without the bytes."""
    sim: SimTransport = wire.transport
    wire._wait_for_turn(action)
    wire.deadline.require(f"{wire.provider} {action} could be called")
    with wire._translating(action, where[1]):
        response = sim.recalled(known.request, known.response, known.state)
        if response is None:  # the cloud has changed on the way
            response = _sent(wire, where, **given)
    try:
        check(response)
    except CloudError as error:
        wire._apply_retry_after(error, action, response)
        raise
    return response


def _sent(
    wire: Any,
    where: tuple[str, Any],
    *,
    auth: httpx.Auth | None = None,
    params: Any = None,
    headers: Any = None,
    content: bytes | None = None,
) -> httpx.Response:
    """Send a request whose first point is behind it."""
    request = httpx.Request(
        where[0],
        client.with_query(where[1], params),
        headers={**client._HEADERS, **(headers or {})},
        content=content,
    )
    return client.exchange(request, auth, wire.transport, wire.deadline)
