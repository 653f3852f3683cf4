"""Credentials that a platform gives for one invocation, put where the providers read them.

They are temporary. Each invocation brings its own, so the ones in use are never older than the
event; nothing of them is kept. What an operator set for a cloud by hand wins over what the runtime
gives, and the two are never mixed: a key of one with the token of the other is refused by clouds.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sgguard import hiding


@hiding("secret", "token")
class Given(msgspec.Struct, frozen=True):
    """Credentials of one role: key id, secret key, and the token that belongs to both."""

    key_id: str = ""
    secret: str = ""
    token: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether there is a key at all: platforms leave the parts empty where there is no role."""
        return bool(self.key_id and self.secret)


class Names(msgspec.Struct, frozen=True):
    """The variables of one cloud: those an operator sets, and those a runtime's go into."""

    by_hand: tuple[str, ...]
    key_id: str
    secret: str
    token: str

    @property
    def of_runtime(self) -> tuple[str, str, str]:
        """The variables of the runtime, in the order of :class:`Given`."""
        return self.key_id, self.secret, self.token


NAMES = {
    "tencent": Names(
        ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN"),
        "TENCENTCLOUD_SECRETID",
        "TENCENTCLOUD_SECRETKEY",
        "TENCENTCLOUD_SESSIONTOKEN",
    ),
    # The runtime writes into the variables that an operator would set: nothing tells them apart.
    "alibaba": Names(
        (),
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "ALIBABA_CLOUD_SECURITY_TOKEN",
    ),
    "huawei": Names(
        (
            *("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"),
            *("OS_TOKEN", "OS_AUTH_TOKEN", "OS_USERNAME", "OS_USER_ID", "OS_PASSWORD"),
        ),
        "HUAWEICLOUD_SDK_AK",
        "HUAWEICLOUD_SDK_SK",
        "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    ),
}


def environment(env: Mapping[str, str], cloud: str, given: Given | None) -> dict[str, str]:
    """Return the environment with the credentials of this invocation, and no mixture of two."""
    found = dict(env)
    if cloud not in NAMES:
        return found
    names = NAMES[cloud]
    if any(env.get(name, "").strip() for name in names.by_hand):
        for name in set(names.of_runtime) - set(names.by_hand):
            found.pop(name, None)
        return found
    if given is not None and given.is_whole:
        for name, value in zip(
            names.of_runtime, (given.key_id, given.secret, given.token), strict=True
        ):
            found.pop(name, None)
            if value:
                found[name] = value
    return found
