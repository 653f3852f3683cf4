"""The addresses of Tencent Cloud's API 3.0: mainland, international and finance regions.

- ``https://<service>.tencentcloudapi.com`` serves every region but the finance ones, and
  ``https://<service>.intl.tencentcloudapi.com`` those of the international site.
- A finance region (``ap-shanghai-fsi``) is served by its own address only, on either site:
  ``https://<service>.ap-shanghai-fsi.tencentcloudapi.com``.

A private cloud, and an address inside a VPC, has another domain (``TENCENTCLOUD_DOMAIN``), which
then serves every region; ``SGGUARD_ENDPOINT_TENCENT`` replaces all addresses, and with ``_VPC`` or
``_CVM`` behind it that of one service. The signature is made for the host that is called.

Sources: the pages "Request Structure" of both services
(https://www.tencentcloud.com/document/api/215/15757 and /213/31573), and the note on finance
regions at the top of each action's page, such as
https://intl.cloud.tencent.com/document/product/213/33265 (read 2026-11-28).
"""

from __future__ import annotations

import re
from typing import Literal

from sgguard.errors import AddressError, SettingsError
from sgguard.providers._region import AREA_AND_PLACE
from sgguard.providers.access import Access
from sgguard.providers.tencent.api import Service as GuardService

Service = GuardService | Literal["sts"]

_ROOT = "tencentcloudapi.com"
_SITES = (_ROOT, f"intl.{_ROOT}")
_FINANCE = "-fsi"

_LABEL = r"[a-z0-9]+(-+[a-z0-9]+)*"
_DOMAIN = re.compile(rf"({_LABEL}\.)+(?=[a-z]){_LABEL}")
_DOMAIN_MAX = 200


def address_of(access: Access, service: Service) -> str:
    """Return the address of a service for the region, without a trailing slash.

    Raises:
        AddressError: no finance region can have that name; it would be part of a host.
        SettingsError: an endpoint or the domain is unusable.
    """
    # 1. An address that an operator has set.
    if url := access.endpoint(service):
        return url
    domain = access.secret("TENCENTCLOUD_DOMAIN") or _ROOT
    if len(domain) > _DOMAIN_MAX or not _DOMAIN.fullmatch(domain):
        raise SettingsError(
            f"TENCENTCLOUD_DOMAIN={domain!r} is not a domain: expected intl.tencentcloudapi.com"
        )
    # 2. A finance region has an address of its own on the vendor's domain.
    region = access.region
    if domain in _SITES and region.endswith(_FINANCE):
        if not AREA_AND_PLACE.fullmatch(region):
            raise AddressError(
                f"{region!r} is not a finance region of Tencent Cloud: expected an area and a "
                "place, such as ap-shanghai-fsi",
                part="region",
            )
        return f"https://{service}.{region}.{_ROOT}"
    # 3. Every other region is named in the request only.
    return f"https://{service}.{domain}"
