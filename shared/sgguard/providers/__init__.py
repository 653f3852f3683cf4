"""The supported clouds: one package each, found by its name.

``tencent_dfw`` is the package of the provider ``tencent-dfw``; it defines ``connect(access: Access)
-> Cloud``. Adding a cloud is adding a package. Modules that several providers use begin with an
underscore. The same job has the same module name on every cloud:

=================  ================================================================================
module             content
=================  ================================================================================
``__init__``       ``connect`` and the class whose methods are those of ``Cloud``
``api``            calls: addresses, envelope, error codes, documented rates
``env``            credentials and settings from the environment
``response``       parsers: rows of responses as values of :mod:`sgguard.model`
``listing``        lists read to their end, page by page
``references``     which rules of other groups name a group
``bindings``       which holders carry a group
``holder``         the groups of one holder: read and changed
``creation``       creating a group like another one
``rule_change``    adding and removing one rule
``rule_shape``     rules read from a response and written for a request
``quota``          limits of the account or project
``bulk``           one group put on many holders, where a call takes many
``role``           assuming a role of another account
``permissions``    least privilege: the cloud's own document for a mode and its remedies
``probe``          harmless calls that show which permissions are granted
=================  ================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, cast

from sgguard import lazy
from sgguard.clouds import is_mentioned
from sgguard.clouds import names as names
from sgguard.errors import AddressError, CredentialsError, NotSetUpError
from sgguard.providers._lists import HolderLists
from sgguard.providers._permissions import REMEDIES, Documented, Permission, needed
from sgguard.providers._probing import Grant, PermissionCheck, Probe, Probing, Setup
from sgguard.providers._roles import Assuming, Role, Temporary
from sgguard.providers._together import late
from sgguard.providers.access import Access
from sgguard.providers.base import BatchChanges, Bulk, Cloud, Provider, RuleBatches

if TYPE_CHECKING:
    from sgguard.providers import _one_by_one
else:
    _one_by_one = lazy("sgguard.providers._one_by_one")  # only a bind needs it

__all__ = [
    "REMEDIES",
    "Access",
    "Assuming",
    "BatchChanges",
    "Bulk",
    "Cloud",
    "Documented",
    "Grant",
    "HolderLists",
    "Permission",
    "PermissionCheck",
    "Probe",
    "Probing",
    "Provider",
    "Role",
    "RuleBatches",
    "Setup",
    "Temporary",
    "assuming",
    "bulk",
    "connect",
    "documented",
    "late",
    "names",
    "needed",
    "probing",
]


def connect(provider: str, access: Access) -> Cloud:
    """Return the named provider, ready for calls.

    Nothing is sent yet: a wrong secret or an unreachable host shows at the first call.

    Raises:
        AddressError: there is no such provider.
        NotSetUpError: no variable of that cloud is set at all.
        SettingsError: credentials or endpoint settings are missing or unusable.
    """
    module = import_module(_module_of(provider))
    try:
        return cast(Callable[[Access], Cloud], module.connect)(access)
    except CredentialsError as error:
        if is_mentioned(provider, access.env):
            raise
        raise NotSetUpError(str(error)) from None


def bulk(cloud: Cloud) -> Bulk:
    """Return how a cloud changes many holders: its ``bulk`` module's, else holder by holder."""
    own = _own(cloud.capabilities.provider, "bulk")
    if own is None:
        return _one_by_one.OneByOne(cloud)
    return cast(Callable[[Cloud], Bulk], own.bulk)(cloud)


def probing(provider: str) -> Probing | None:
    """Return the named provider's ``probe`` module, None where it has none.

    Raises:
        AddressError: there is no such provider.
    """
    return cast(Probing | None, _own(provider, "probe"))


def assuming(provider: str) -> Assuming | None:
    """Return the named provider's ``role`` module, None where it knows no roles.

    Raises:
        AddressError: there is no such provider.
    """
    return cast(Assuming | None, _own(provider, "role"))


def _own(provider: str, name: str) -> ModuleType | None:
    """Return a module of the provider's package that not each of them has.

    Raises:
        AddressError: there is no such provider.
    """
    module = import_module(_module_of(provider))
    if not hasattr(module, "__path__") or find_spec(f"{module.__name__}.{name}") is None:
        return None
    return import_module(f"{module.__name__}.{name}")


def documented(provider: str) -> Documented:
    """Return the named provider's module ``permissions``.

    Raises:
        AddressError: there is no such provider.
    """
    return cast(Documented, import_module(f"{_module_of(provider)}.permissions"))


def _module_of(provider: str) -> str:
    if provider not in names():
        known = ", ".join(names())
        raise AddressError(
            f"unknown provider {provider!r}: expected one of {known}", part="provider"
        )
    return f"{__name__}.{provider.replace('-', '_')}"
