"""What the doctor needs of a cloud: an address, its clock, and one harmless call per permission.

A cloud that can be examined has a module ``probe`` in its package, with ``SETUP`` and
``probe(provider)``. It only describes the calls; the doctor makes them and interprets the errors.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import msgspec

from sgguard.providers.access import ReadVariable

_HUAWEI_DOMAINS = (".myhuaweicloud.com", ".myhuaweicloud.eu", ".otc.t-systems.com")


class Grant(StrEnum):
    """What is known about a permission; ``ABSENT``: the cloud has no such API here."""

    GRANTED = "granted"
    MISSING = "missing"
    NOT_TOLD = "not-told"
    ABSENT = "absent"


class PermissionCheck(msgspec.Struct, frozen=True):
    """One permission and the call that shows whether it is granted.

    ``action`` is the cloud's own name for the call, ``brings`` what it is needed for, ``grant``
    what an operator has to grant. ``ask`` sends it: a success, or an error that only a permitted
    caller gets (not found), means that it is granted; it may return ``Grant.NOT_TOLD``. Where it
    is None no harmless call shows the permission, for the reason in ``why_untested``. ``if_absent``
    says what happens where the API is missing; empty: verdicts that need it are blocked there.
    """

    action: str
    brings: str
    grant: str
    need: Literal["read", "change"] = "read"
    ask: Callable[[], object] | None = None
    why_untested: str = ""
    if_absent: str = ""


class Probe(msgspec.Struct, frozen=True):
    """How to examine one region of one cloud; making it sends nothing.

    ``endpoints`` are addresses that respond without credentials; the clock is read off the ``Date``
    of the first one. ``clock_tolerance_s`` is how far the local clock may be off before the cloud
    refuses requests. The three others are patterns (fnmatch) over the cloud's error codes: the
    time of a request is refused, there is no such region, there is no such API.
    """

    endpoints: tuple[str, ...]
    clock_tolerance_s: float
    checks: tuple[PermissionCheck, ...]
    skew_codes: tuple[str, ...] = ()
    region_codes: tuple[str, ...] = ()
    absent_codes: tuple[str, ...] = ()


class Setup(msgspec.Struct, frozen=True):
    """How a cloud is set up: whether it is, and which region its own tools would use.

    ``credentials`` and ``region_variable`` name the variables to set, for error messages.
    """

    is_configured: Callable[[ReadVariable], bool]
    credentials: str
    region: Callable[[ReadVariable], str]
    region_variable: str


class Probing(Protocol):
    """The module ``probe`` of a cloud."""

    SETUP: Setup

    def probe(self, provider: Any) -> Probe:
        """Return how to examine what the same folder's ``connect`` returned."""
        ...


def is_huawei_address(url: str) -> bool:
    """Return whether ``OS_AUTH_URL`` is an address of Huawei Cloud or Open Telekom Cloud.

    Both speak Keystone, so their users often set the variables of OpenStack's own tools.
    """
    return (urlsplit(url).hostname or "").endswith(_HUAWEI_DOMAINS)
