"""Which clouds there are: the modules of ``providers``, found by name and without importing any."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("providers")


_CREDENTIALS = {
    "alibaba": ("ALIBABA_CLOUD_ACCESS_KEY_ID",),
    "huawei": ("HUAWEICLOUD_SDK_AK", "OS_AUTH_URL"),
    "openstack": ("OS_AUTH_URL",),
    "tencent": ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRETID"),
    "tencent-dfw": ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRETID"),
}
"""By cloud, the variables of which one is set where there are credentials."""

_TENCENT = (
    *("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRETID"),
    *("TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_SECRETKEY"),
)
_MENTIONS = {
    "alibaba": ("ALIBABA_CLOUD_ACCESS_KEY_",),
    "huawei": ("HUAWEICLOUD_SDK_", "OS_"),
    "openstack": ("OS_",),
    "tencent": _TENCENT,
    "tencent-dfw": _TENCENT,
}
"""By cloud, how the variables of its credentials begin; runtimes set others by themselves."""


def is_mentioned(provider: str, env: Mapping[str, str]) -> bool:
    """Return whether any variable of a cloud is set, be it a half of its credentials only."""
    endpoint = f"SGGUARD_ENDPOINT_{provider.upper().replace('-', '_')}"
    begin = (*_MENTIONS.get(provider, ()), endpoint)
    return any(name.startswith(begin) and value.strip() for name, value in env.items())


def configured(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the clouds that have credentials among these variables, without importing any."""
    return tuple(
        name
        for name, variables in _CREDENTIALS.items()
        if any(env.get(one, "").strip() for one in variables)
    )


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Return the names of every provider, sorted; ``tencent_dfw`` is ``tencent-dfw``.

    ``access`` and ``base`` are what every provider is made with; what several of them share begins
    with an underscore.
    """
    return tuple(
        sorted(
            module.name.replace("_", "-")
            for module in pkgutil.iter_modules([str(_FOLDER)])
            if module.name not in ("access", "base") and not module.name.startswith("_")
        )
    )
