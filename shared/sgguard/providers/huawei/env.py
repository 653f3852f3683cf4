"""Credentials for Huawei Cloud, from the variables that its own tools read.

An access key (``HUAWEICLOUD_SDK_*``, as ``huaweicloudsdkcore``) comes first, then an existing
token (``OS_TOKEN``, ``OS_AUTH_TOKEN``), then a user and password (``OS_*``, as the tools
of Open Telekom Cloud).
"""

from __future__ import annotations

from sgguard.errors import CredentialsError
from sgguard.providers.access import ReadVariable
from sgguard.providers.huawei.api import Caller, TokenAuth
from sgguard.providers.huawei.region import Region
from sgguard.wire.client import Wire
from sgguard.wire.clock import EpochClock
from sgguard.wire.openstack.keystone import Identity, NameOrId
from sgguard.wire.openstack.keystone_auth import KeystoneAuth
from sgguard.wire.sdk_hmac import SdkHmacAuth

_HOW = (
    "set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (or OS_TOKEN and OS_PROJECT_ID, "
    "or OS_USERNAME, OS_PASSWORD and OS_DOMAIN_NAME)"
)


def iam_setting(read: ReadVariable) -> str:
    """Return the configured IAM address; ``OS_AUTH_URL`` is ignored beside an access key.

    It often names another cloud altogether when an access key is set beside it.
    """
    other = "" if read("HUAWEICLOUD_SDK_AK") else read("OS_AUTH_URL")
    return read("HUAWEICLOUD_SDK_IAM_ENDPOINT") or other


def caller_of(read: ReadVariable, region: Region, wire: Wire, now: EpochClock) -> Caller:
    """Return the credentials of the caller.

    Raises:
        CredentialsError: nothing usable is set; the message names what to set.
    """
    if read("HUAWEICLOUD_SDK_AK") or read("HUAWEICLOUD_SDK_SK"):
        return _key(read, now)
    project = read("HUAWEICLOUD_SDK_PROJECT_ID", "OS_PROJECT_ID", "OS_TENANT_ID")
    if token := read("OS_TOKEN", "OS_AUTH_TOKEN"):
        if not project:
            raise CredentialsError("huawei: a token without its project: set OS_PROJECT_ID")
        return Caller("token", TokenAuth(token), project)
    if not read("OS_USERNAME", "OS_USER_ID"):
        raise CredentialsError(f"huawei: no credentials: {_HOW}")
    return _user(read, region, wire, now, project)


def _key(read: ReadVariable, now: EpochClock) -> Caller:
    access = _required(read, "HUAWEICLOUD_SDK_AK")
    secret = _required(read, "HUAWEICLOUD_SDK_SK")
    token = read("HUAWEICLOUD_SDK_SECURITY_TOKEN")

    def sign(project: str) -> SdkHmacAuth:
        return SdkHmacAuth(access=access, secret=secret, now=now, token=token, project=project)

    return Caller(access, sign, read("HUAWEICLOUD_SDK_PROJECT_ID"))


def _user(read: ReadVariable, region: Region, wire: Wire, now: EpochClock, project: str) -> Caller:
    identity = Identity(
        auth_url=region.iam,
        method="password",
        secret=_required(read, "OS_PASSWORD"),
        # Here a domain is an account, and there is no default one.
        user=NameOrId(
            read("OS_USER_ID"),
            read("OS_USERNAME"),
            read("OS_USER_DOMAIN_ID", "OS_DOMAIN_ID"),
            read("OS_USER_DOMAIN_NAME", "OS_DOMAIN_NAME"),
        ),
        # The project every account has in a region carries the region's name.
        project=NameOrId(project, read("OS_PROJECT_NAME", "OS_TENANT_NAME") or region.name),
    )
    return Caller(read("OS_USERNAME", "OS_USER_ID"), KeystoneAuth(identity, wire, now), project)


def _required(read: ReadVariable, name: str) -> str:
    if value := read(name):
        return value
    raise CredentialsError(f"huawei: no usable credentials: set {name}")
