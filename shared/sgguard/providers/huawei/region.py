"""The addresses of Huawei Cloud and Open Telekom Cloud: one host per service and region.

Sources: the region tables of ``huaweicloudsdkvpc`` 3.1.219 and
https://docs.otc.t-systems.com/regions-and-endpoints/ (read 2026-11).
"""

from __future__ import annotations

from dataclasses import dataclass

from sgguard.providers._region import RegionShape, hosted
from sgguard.wire.openstack.keystone import v3_url

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


def regions(endpoint: str) -> RegionShape:
    """Return what a region may be called; ``endpoint`` replaces the cloud's own hosts."""
    return hosted("Huawei Cloud", "eu-de or cn-north-4", endpoint=endpoint)


def region_of(name: str, *, endpoint: str = "", iam: str = "") -> Region:
    """Return the region's addresses; ``endpoint`` replaces all of them, ``iam`` only IAM's.

    Raises:
        AddressError: no region can have that name.
        SettingsError: ``iam`` is not an address.
    """
    regions(endpoint).check(name)
    domain = _OTC.get(name, _HUAWEI)
    identity = endpoint or iam or f"https://{_IAM_HOSTS.get(name, 'iam')}.{name}.{domain}"
    return Region(
        name=name,
        vpc=endpoint or f"https://vpc.{name}.{domain}",
        ecs=endpoint or f"https://ecs.{name}.{domain}",
        iam=v3_url(identity),
        is_otc=name in _OTC,
    )
