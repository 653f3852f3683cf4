"""Which variables are the credentials of a cloud, and which only say where the cloud is."""

from __future__ import annotations

from collections.abc import Mapping

from sgguard.telemetry.redaction import SECRET_VARIABLES

_OF = {
    "alibaba": ("ALIBABA_CLOUD_",),
    "huawei": ("HUAWEICLOUD_SDK_", "OS_"),
    "openstack": ("OS_",),
    "tencent": ("TENCENTCLOUD_",),
    "tencent-dfw": ("TENCENTCLOUD_",),
}
_PLACES = frozenset(
    {
        *("TENCENTCLOUD_DOMAIN", "TENCENTCLOUD_REGION", "ALIBABA_CLOUD_REGION_ID"),
        *("HUAWEICLOUD_SDK_REGION", "HUAWEICLOUD_SDK_IAM_ENDPOINT"),
        *("OS_AUTH_URL", "OS_REGION_NAME", "OS_CACERT", "OS_INTERFACE", "OS_ENDPOINT_TYPE"),
        *("OS_IDENTITY_API_VERSION",),
    }
)
"""The same for every account of a cloud."""


def prefixes(provider: str) -> tuple[str, ...]:
    """Return how the names of a cloud's own variables begin."""
    return _OF[provider]


def is_of(variable: str, provider: str) -> bool:
    """Return whether a variable is one of the cloud's own."""
    return variable.startswith(_OF[provider])


def is_secret(variable: str) -> bool:
    """Return whether the value of a variable must not stand in a file of settings."""
    return variable in SECRET_VARIABLES


def credentials_in(env: Mapping[str, str], provider: str) -> dict[str, str]:
    """Return what is somebody's in the environment: credentials, users, projects of one cloud."""
    return {
        name: value for name, value in env.items() if is_of(name, provider) and name not in _PLACES
    }


def without_credentials(env: Mapping[str, str], provider: str) -> dict[str, str]:
    """Return the environment without anything that is somebody's at this cloud."""
    own = credentials_in(env, provider)
    return {name: value for name, value in env.items() if name not in own}
