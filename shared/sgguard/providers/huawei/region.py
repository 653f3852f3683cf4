"""The addresses of Huawei Cloud, its partners and Open Telekom Cloud: one host per service, region.

A host is ``<service>.<region>.<domain>``. The domain follows from the region where a table names
it; any other one is set with ``SGGUARD_HUAWEI_DOMAIN`` (a partner's cloud, a private one).
Sources: the region tables of ``huaweicloudsdkvpc`` 3.1.219 (``region/vpc_region.py``: ``.eu`` for
``eu-west-101``, ``.com`` for all others), https://developer.huaweicloud.com/intl/en-us/endpoint and
https://docs.otc.t-systems.com/regions-and-endpoints/ (read 2026-11).
"""

from __future__ import annotations

import re

import msgspec

from sgguard.errors import SettingsError
from sgguard.providers._region import LABEL, LABEL_MAX, RegionShape, hosted
from sgguard.providers.access import Access
from sgguard.wire.openstack.keystone import v3_url

DOMAIN_SETTING = "SGGUARD_HUAWEI_DOMAIN"

_HUAWEI = "myhuaweicloud.com"
_BY_REGION = {
    "eu-west-101": "myhuaweicloud.eu",
    "eu-de": "otc.t-systems.com",
    "eu-nl": "otc.t-systems.com",
    "eu-ch2": "sc.otc.t-systems.com",
}
# The Swiss region keeps its public identity service apart from the internal one.
_IAM_HOSTS = {"eu-ch2": "iam-pub"}

_DOMAIN_MAX = 190
_DOMAIN = re.compile(rf"{LABEL.pattern}(\.{LABEL.pattern})*\.[a-z]{{2,}}")


class Region(msgspec.Struct, frozen=True):
    """The addresses of one region's services, without a trailing slash; ``iam`` ends in /v3."""

    name: str
    vpc: str
    ecs: str
    iam: str


class Addresses(msgspec.Struct, frozen=True):
    """What an operator sets in place of the cloud's own addresses; each empty where it is not.

    ``vpc``, ``ecs`` and ``iam`` are addresses of one service, ``domain`` is that of all hosts.
    """

    vpc: str = ""
    ecs: str = ""
    iam: str = ""
    domain: str = ""


def regions(endpoint: str) -> RegionShape:
    """Return what a region may be called; ``endpoint`` replaces the cloud's own hosts."""
    return hosted("Huawei Cloud", "eu-de or cn-north-4", endpoint=endpoint)


def addresses_of(access: Access, iam: str) -> Addresses:
    """Return the addresses that are set; ``iam`` is the identity service's own variable.

    Raises:
        SettingsError: one of them is no address, or the domain is none.
    """
    return Addresses(
        vpc=access.endpoint("vpc"),
        ecs=access.endpoint("ecs"),
        iam=access.endpoint("iam") or iam,
        domain=domain_of(access.secret(DOMAIN_SETTING)),
    )


def domain_of(text: str) -> str:
    """Return a domain as it is part of host names, empty for none.

    Raises:
        SettingsError: it is no domain.
    """
    domain = text.lower().strip(".")
    labels = domain.split(".")
    is_domain = _DOMAIN.fullmatch(domain) and len(domain) <= _DOMAIN_MAX
    if text and not (is_domain and all(len(one) <= LABEL_MAX for one in labels)):
        raise SettingsError(
            f"{DOMAIN_SETTING}={text[:64]!r} is no domain: expected one such as myhuaweicloud.eu"
        )
    return domain


def region_of(name: str, addresses: Addresses | None = None) -> Region:
    """Return the region's addresses; every part of a host is checked before one is built.

    Raises:
        AddressError: no region can have that name.
        SettingsError: an identity address that is none.
    """
    own = addresses or Addresses()
    # Where no host is named after the region, a private cloud may call it as it likes.
    regions(own.vpc if own.vpc and own.ecs and own.iam else "").check(name)
    domain = own.domain or _BY_REGION.get(name, _HUAWEI)
    iam_host = "iam" if own.domain else _IAM_HOSTS.get(name, "iam")
    return Region(
        name=name,
        vpc=own.vpc or f"https://vpc.{name}.{domain}",
        ecs=own.ecs or f"https://ecs.{name}.{domain}",
        iam=v3_url(own.iam or f"https://{iam_host}.{name}.{domain}"),
    )
