"""Every variable that a function can be set up with, for platforms that must be asked by name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from sgguard import clouds
from sgguard.redaction import SECRET_VARIABLES
from sgguard.settings import SERVICES, SETTINGS, variable_part

_OF_CLOUDS = (
    *("ALIBABA_CLOUD_ACCESS_KEY_ID", "HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_PROJECT_ID"),
    *("HUAWEICLOUD_SDK_DOMAIN_ID", "HUAWEICLOUD_SDK_IAM_ENDPOINT", "TENCENTCLOUD_DOMAIN"),
    *("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRETID", "TENCENTCLOUD_REGION"),
    *("ALIBABA_CLOUD_REGION_ID", "HUAWEICLOUD_SDK_REGION", "OS_AUTH_URL", "OS_REGION_NAME"),
    *("OS_USERNAME", "OS_USER_ID", "OS_USER_DOMAIN_NAME", "OS_PROJECT_ID", "OS_PROJECT_NAME"),
    *("OS_PROJECT_DOMAIN_NAME", "OS_DOMAIN_NAME", "OS_APPLICATION_CREDENTIAL_ID"),
)


@lru_cache(maxsize=1)
def variables() -> tuple[str, ...]:
    """Return the names, without those that hold any text: secrets of chat channels."""
    return tuple(dict.fromkeys((*_settings(), *_OF_CLOUDS, *SECRET_VARIABLES)))


def _settings() -> Iterator[str]:
    for one in SETTINGS:
        stem, per_provider, per_service = one.name.partition("<PROVIDER>")
        if not per_provider:
            if "<" not in one.name:
                yield one.name
            continue
        for provider in clouds.names():
            named = f"{stem}{variable_part(provider)}"
            yield from (f"{named}_{service}" for service in SERVICES) if per_service else (named,)
