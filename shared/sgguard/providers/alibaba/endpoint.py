"""Where each region's ECS API is: the vendor's table, and its rule for every other region.

Source: "Endpoints" (api-ecs-2014-05-26-endpoint, 2026-01) has one address per public region,
``ecs.<region>.aliyuncs.com``. The zones that differ are in the vendor's own tables: ``Client`` of
``alibabacloud_ecs20140526`` 7.11.8, and ``endpoints.ts`` of its toolkit (read 2026-11).
"""

from __future__ import annotations

from collections.abc import Mapping

from sgguard.providers._region import RegionShape, hosted
from sgguard.providers.access import Access

_CENTRAL = "ecs.aliyuncs.com"
_OF_HANGZHOU = "ecs-cn-hangzhou.aliyuncs.com"
_OF_NEBULA = "ecs.cn-qingdao-nebula.aliyuncs.com"

HOSTS: Mapping[str, str] = {
    # Finance and government zones.
    "cn-shanghai-finance-1": _OF_HANGZHOU,
    "cn-shenzhen-finance-1": _OF_HANGZHOU,
    "cn-hangzhou-finance": _CENTRAL,
    "cn-beijing-finance-pop": _CENTRAL,
    "cn-hongkong-finance-pop": _CENTRAL,
    "cn-beijing-gov-1": _CENTRAL,
    "cn-north-2-gov-1": _CENTRAL,
    # Zones of one customer or carrier, and the vendor's own.
    "ap-northeast-2-pop": _CENTRAL,
    "cn-beijing-nu16-b01": _OF_HANGZHOU,
    "cn-edge-1": _OF_NEBULA,
    "cn-fujian": _OF_HANGZHOU,
    "cn-haidian-cm12-c01": _OF_HANGZHOU,
    "cn-hangzhou-bj-b01": _OF_HANGZHOU,
    "cn-huhehaote-nebula-1": _OF_NEBULA,
    "cn-shanghai-et15-b01": _OF_HANGZHOU,
    "cn-shanghai-et2-b01": _OF_HANGZHOU,
    "cn-shanghai-inner": _CENTRAL,
    "cn-shenzhen-inner": _CENTRAL,
    "cn-shenzhen-st4-d01": _OF_HANGZHOU,
    "cn-shenzhen-su18-b01": _OF_HANGZHOU,
    "cn-wuhan": _CENTRAL,
    "cn-yushanfang": _CENTRAL,
    "cn-zhangbei": _CENTRAL,
    "cn-zhangbei-na61-b01": _OF_HANGZHOU,
    "cn-zhangjiakou-na62-a01": "ecs.cn-zhangjiakou.aliyuncs.com",
    "cn-zhengzhou-nebula-1": _OF_NEBULA,
    "eu-west-1-oxs": "ecs.cn-shenzhen-cloudstone.aliyuncs.com",
}
"""The hosts of regions that do not follow the rule."""


def regions(endpoint: str) -> RegionShape:
    """Return what a region may be called; ``endpoint`` replaces the cloud's own hosts."""
    return hosted("Alibaba Cloud", "cn-hangzhou or ap-southeast-1", endpoint=endpoint)


def region_url(access: Access) -> str:
    """Return the address of the ECS API of a region, without a trailing slash.

    ``SGGUARD_ENDPOINT_ALIBABA`` replaces it, with ``_ECS`` behind it that of this service only. The
    name of the region is checked first: whoever sends an event chooses it, and it becomes part of a
    host.

    Raises:
        AddressError: no region can have that name.
        SettingsError: a variable is set and holds no address.
    """
    endpoint = access.endpoint("ecs")
    regions(endpoint).check(access.region)
    return endpoint or f"https://{HOSTS.get(access.region, f'ecs.{access.region}.aliyuncs.com')}"
