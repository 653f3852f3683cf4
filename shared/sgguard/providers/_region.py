"""What a region may be called, checked before the name becomes part of an address or a request.

Whoever sends an event chooses its region, and a part of a host name decides who gets our signed
request: ``x@host`` or ``host/`` would lead anywhere, ``oss-cn-hangzhou`` or ``obs`` to a customer's
bucket on the cloud's own domain. So a name that is part of a host must begin with an area of two
letters, as every region in the vendors' tables does; any other name is one label of a host name.

Sources: the region tables of ``huaweicloud-sdk-python-v3`` and of Alibaba's DescribeRegions (in
``alibabacloud-ecs-tool-troubleshooter``), RFC 1035, 2.3.4: 63 characters a label (read 2026-11).
"""

from __future__ import annotations

import re

import msgspec

from sgguard.errors import AddressError, SettingsError
from sgguard.providers.access import ReadVariable

LABEL = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
"""One label of a host name; two dashes in a row would permit the encoded names of RFC 5890."""

AREA_AND_PLACE = re.compile(r"[a-z]{2}(-[a-z0-9]+)+")
"""A label that begins with an area: no service, of which the clouds have labels too."""

LABEL_MAX = 63
_SHOWN_MAX = 64


class RegionShape(msgspec.Struct, frozen=True):
    """What the regions of one cloud look like.

    ``example`` names real ones, for messages. ``expected`` says in words what ``pattern`` is.
    """

    cloud: str
    example: str
    pattern: re.Pattern[str] = LABEL
    expected: str = "lower-case letters, digits and single dashes"
    longest: int = LABEL_MAX

    def check(self, name: str) -> None:
        """Do nothing for a name that a region of this cloud may have.

        Raises:
            AddressError: no region of this cloud can be called so.
        """
        if flaw := self._flaw(name):
            raise AddressError(flaw, part="region")

    def setting(self, read: ReadVariable, *variables: str) -> str:
        """Return the first of the variables that is set, else ``""``.

        Raises:
            SettingsError: it names no region; the message names the variable.
        """
        for variable in variables:
            if name := read(variable):
                if flaw := self._flaw(name):
                    raise SettingsError(f"{variable}: {flaw}")
                return name
        return ""

    def _flaw(self, name: str) -> str:
        if len(name) <= self.longest and self.pattern.fullmatch(name):
            return ""
        shown = name if len(name) <= _SHOWN_MAX else f"{name[:_SHOWN_MAX]}…"
        return (
            f"{shown!r} is not a region of {self.cloud}: expected {self.expected}, "
            f"at most {self.longest} characters, such as {self.example}"
        )


def hosted(cloud: str, example: str, *, endpoint: str) -> RegionShape:
    """Return the shape of a cloud whose hosts are named by region.

    ``endpoint`` is the address that replaces them, such as a private cloud's, or ``""``: beside one
    the region is in no host name, and private clouds call theirs as they like.
    """
    if endpoint:
        return RegionShape(cloud, example)
    words = "an area and a place in lower-case letters, digits and single dashes"
    return RegionShape(cloud, example, AREA_AND_PLACE, words)
