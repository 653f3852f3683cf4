"""The interface between the router and a wire face."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal, Protocol

import httpx

from sgguard.emulator.state import Cloud

FaultKind = Literal["throttle", "error"]


class Certainty(IntEnum):
    """How certain a face is that a request is for its cloud. The most certain face responds."""

    NONE = 0
    PATH = 1
    """The path fits, and another cloud may have the same one."""
    OWN = 2
    """A host, header, path or credential that only this cloud has."""


class Face(Protocol):
    """One cloud on the wire. Faces know nothing of each other and hold no state of their own."""

    def claims(self, request: httpx.Request, cloud: Cloud) -> Certainty:
        """Return how certain it is that the request is for this cloud; changes nothing."""
        ...

    def action(self, request: httpx.Request) -> str:
        """Return the action's name, for the log, for faults and for rates.

        Action names where the API has them (``DescribeSecurityGroups``), else method and path
        with ids replaced by ``{id}`` (``GET /v2.0/security-groups/{id}``).
        """
        ...

    def respond(self, request: httpx.Request, cloud: Cloud, now: float) -> httpx.Response:
        """Check the signature, act, respond as the cloud documents. ``now`` is epoch seconds.

        Called with the state's lock held.
        """
        ...

    def fault(self, kind: FaultKind, request: httpx.Request, code: str) -> httpx.Response:
        """Return a throttle or error response in this cloud's shape; ``code`` may be empty."""
        ...
