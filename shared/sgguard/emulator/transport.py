"""The emulator as an in-process transport: the whole client stack, no socket."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import DroppedConnectionError


@dataclass(slots=True, eq=False)
class EmulatorTransport(httpx.BaseTransport):
    """An :class:`httpx.BaseTransport` whose responses come from an emulator, whatever the host."""

    emulator: Emulator

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the emulator's response to one request.

        Raises:
            httpx.ReadError: a fault dropped the connection.
        """
        request.read()
        try:
            return self.emulator.handle(request)
        except DroppedConnectionError as error:
            raise httpx.ReadError("the connection was closed", request=request) from error
