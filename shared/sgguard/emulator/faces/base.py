"""What every wire face of the emulator offers to the router."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal, Protocol

import httpx

from sgguard.emulator.state import Cloud

FaultKind = Literal["throttle", "error"]


class Match(IntEnum):
    """How sure a face is that a request is meant for its cloud."""

    NO = 0
    PATH = 1
    """The path could be mine, but another cloud has the same one."""
    MINE = 2
    """Host, header, path or credential that only this cloud has."""


class Face(Protocol):
    """One cloud on the wire. Faces know nothing of each other and hold no state of their own."""

    def claims(self, request: httpx.Request, cloud: Cloud) -> Match:
        """Say whether the request is meant for this cloud; must not change anything."""
        ...

    def action(self, request: httpx.Request) -> str:
        """Return the action's name, for the log, for faults and for rates.

        Action names where the API has them (``DescribeSecurityGroups``), else method and path
        with ids replaced by ``{id}`` (``GET /v2.0/security-groups/{id}``).
        """
        ...

    def answer(self, request: httpx.Request, cloud: Cloud, now: float) -> httpx.Response:
        """Check the signature, act, answer as the cloud documents. ``now`` is epoch seconds.

        Called with the state's lock held.
        """
        ...

    def fault(self, kind: FaultKind, request: httpx.Request, code: str) -> httpx.Response:
        """Return a throttle or an error in this cloud's own shape; ``code`` may be empty."""
        ...
