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
