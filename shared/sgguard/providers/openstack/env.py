"""The usual ``OS_*`` variables of OpenStack's own clients, as an identity.

Names and meaning: https://docs.openstack.org/python-openstackclient/latest/cli/man/openstack.html
and keystoneauth's plugins (read 2026-11).
"""

from __future__ import annotations

import re

import httpx

from sgguard.errors import CredentialsError, SettingsError
from sgguard.providers._region import RegionShape
from sgguard.providers.access import ReadVariable
from sgguard.wire.address import parsed
from sgguard.wire.openstack.catalog import INTERFACES, normal_interface
from sgguard.wire.openstack.keystone import Identity, Method, NameOrId, v3_url

REGIONS = RegionShape(
    "OpenStack",
    "RegionOne",
    # Keystone permits any text. It is compared with the catalog's, and never part of an address.
    re.compile(r"(?=.*\S)[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+"),
    "a name without control characters",
    255,
)
"""What a region may be called: up to 255 characters, as Keystone's column ``region.id``."""

ADMIN_ROLE = "admin"
"""The role that may see and change everything, unless a cloud's policy files differ."""

_DEFAULT_DOMAIN_ID = "default"
_LOCAL_KEYSTONE = "/identity/v3"

_METHODS: dict[str, Method] = {
    "password": "password",
    "v3password": "password",
    "token": "token",
    "v3token": "token",
    "v3applicationcredential": "application_credential",
}


def read_identity(read: ReadVariable, endpoint: str = "") -> Identity:
    """Return the identity of the caller, from the variables ``read`` returns.

    ``endpoint`` (scheme, host and port) replaces those of ``OS_AUTH_URL``, whose path stays;
    without ``OS_AUTH_URL`` its path is ``/identity/v3``.

    Raises:
        CredentialsError: something is missing; the message names the variable to set.
        SettingsError: ``OS_AUTH_URL`` or ``OS_AUTH_TYPE`` cannot be used.
    """
    auth_url = read("OS_AUTH_URL") or (endpoint + _LOCAL_KEYSTONE if endpoint else "")
    if not auth_url:
        raise _missing("OS_AUTH_URL")
    url = moved(v3_url(auth_url), endpoint)
    method = _method(read)
    if method == "application_credential":
        return _application_credential(read, url)
    project = _name_or_id(read, "PROJECT", "OS_PROJECT_ID", "OS_TENANT_ID")
    if method == "token":
        return Identity(url, "token", _required(read, "OS_TOKEN"), project=project)
    user = _name_or_id(read, "USER", "OS_USER_ID")
    if not user:
        raise _missing("OS_USERNAME")
    if not project:
        raise _missing("OS_PROJECT_NAME (or OS_PROJECT_ID)")
    password = _required(read, "OS_PASSWORD")
    return Identity(url, "password", password, user=user, project=project)


def cloud_roles(read: ReadVariable) -> frozenset[str]:
    """Return the roles whose tokens see every project: admin, and those the operator names.

    Neutron's policy decides that, and no API reports it: other roles must be configured.
    """
    named = read("SGGUARD_OPENSTACK_CLOUD_ROLES").split(",")
    return frozenset({ADMIN_ROLE, *(role.strip() for role in named if role.strip())})


def read_interface(read: ReadVariable, service: str = "") -> str:
    """Return which endpoints are used, of one service: public (the default), internal or admin.

    openstacksdk and the openstack command read ``OS_NETWORK_INTERFACE`` (and the like of other
    services) before ``OS_INTERFACE``; Terraform, gophercloud and older clients read
    ``OS_ENDPOINT_TYPE``, and openstacksdk takes ``ENDPOINT_TYPE`` for ``INTERFACE`` anywhere. Each
    value may end in ``URL``, as in Identity v2.0.

    Raises:
        SettingsError: the value is none of them.
    """
    kind = f"OS_{service.upper()}"
    of_service = (f"{kind}_INTERFACE", f"{kind}_ENDPOINT_TYPE") if service else ()
    for name in (*of_service, "OS_INTERFACE", "OS_ENDPOINT_TYPE"):
        if value := read(name):
            if interface := normal_interface(value):
                return interface
            values = ", ".join(f"{one} or {one}URL" for one in INTERFACES)
            raise SettingsError(f"{name}={value!r} is not supported: expected {values}")
    return INTERFACES[0]


def moved(url: str, endpoint: str) -> str:
    """Return an address with scheme, host and port of ``endpoint`` and its own path."""
    if not endpoint:
        return url
    try:
        path = parsed(url).path.rstrip("/")
    except httpx.InvalidURL as error:
        raise SettingsError(f"{url!r} is not an address") from error
    return f"{endpoint}{path}"


def _method(read: ReadVariable) -> Method:
    if kind := read("OS_AUTH_TYPE"):
        if kind not in _METHODS:
            raise SettingsError(
                f"OS_AUTH_TYPE={kind!r} is not supported: expected one of {', '.join(_METHODS)}"
            )
        return _METHODS[kind]
    if read("OS_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_NAME"):
        return "application_credential"
    if read("OS_TOKEN") and not read("OS_PASSWORD"):
        return "token"
    return "password"


def _application_credential(read: ReadVariable, url: str) -> Identity:
    secret = _required(read, "OS_APPLICATION_CREDENTIAL_SECRET")
    if credential_id := read("OS_APPLICATION_CREDENTIAL_ID"):
        return Identity(url, "application_credential", secret, credential_id=credential_id)
    user = _name_or_id(read, "USER", "OS_USER_ID")
    if not user:
        raise _missing("OS_USERNAME (an application credential given by name belongs to a user)")
    name = _required(read, "OS_APPLICATION_CREDENTIAL_NAME")
    return Identity(url, "application_credential", secret, credential_name=name, user=user)


def _name_or_id(read: ReadVariable, kind: str, *ids: str) -> NameOrId:
    names = ("OS_USERNAME",) if kind == "USER" else ("OS_PROJECT_NAME", "OS_TENANT_NAME")
    domain_id, domain_name = read(f"OS_{kind}_DOMAIN_ID"), read(f"OS_{kind}_DOMAIN_NAME")
    if not domain_id and not domain_name:
        domain_id = _DEFAULT_DOMAIN_ID
    return NameOrId(read(*ids), read(*names), domain_id, domain_name)


def _required(read: ReadVariable, name: str) -> str:
    if value := read(name):
        return value
    raise _missing(name)


def _missing(name: str) -> CredentialsError:
    return CredentialsError(f"openstack: no usable credentials: set {name}")
