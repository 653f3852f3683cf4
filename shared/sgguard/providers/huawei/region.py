"""The addresses of Huawei Cloud and Open Telekom Cloud: one host per service and region.

Sources: the region tables of ``huaweicloudsdkvpc`` 3.1.219 and
https://docs.otc.t-systems.com/regions-and-endpoints/ (read 2026-11).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sgguard.errors import AddressError
from sgguard.wire.openstack.keystone import v3_url

_REGION = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_HUAWEI = "myhuaweicloud.com"
_OTC = {
    "eu-de": "otc.t-systems.com",
    "eu-nl": "otc.t-systems.com",
    "eu-ch2": "sc.otc.t-systems.com",
}
# The Swiss region keeps its public identity service apart from the internal one.
_IAM_HOSTS = {"eu-ch2": "iam-pub"}


@dataclass(frozen=True, slots=True)
class Region:
    """The addresses of one region's services, without a trailing slash; ``iam`` ends in /v3."""

    name: str
    vpc: str
    ecs: str
    iam: str
    is_otc: bool


def region_of(name: str, *, endpoint: str = "", iam: str = "") -> Region:
    """Return the region's addresses; ``endpoint`` replaces all of them, ``iam`` only IAM's.

    Raises:
        AddressError: the name cannot be part of a host name.
        SettingsError: ``iam`` is not an address.
    """
    if not _REGION.fullmatch(name):
        raise AddressError(f"{name!r} is not a region of Huawei Cloud: expected eu-de, cn-north-4")
    domain = _OTC.get(name, _HUAWEI)
    identity = endpoint or iam or f"https://{_IAM_HOSTS.get(name, 'iam')}.{name}.{domain}"
    return Region(
        name=name,
        vpc=endpoint or f"https://vpc.{name}.{domain}",
        ecs=endpoint or f"https://ecs.{name}.{domain}",
        iam=v3_url(identity),
        is_otc=name in _OTC,
    )
