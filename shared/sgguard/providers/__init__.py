"""The clouds sgguard can ask: one module each, found by its name.

``tencent_dfw`` is the provider ``tencent-dfw``. Its module (a file, or a folder where a cloud has
much to say) defines ``connect(access: Access) -> Cloud``; adding a cloud is adding one. What
several providers use begins with an underscore.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from sgguard.clouds import names as names
from sgguard.errors import AddressError
from sgguard.providers._probing import Grant, PermissionCheck, Probe, Probing, Setup
from sgguard.providers.access import Access
from sgguard.providers.base import BatchChanges, Cloud, Provider

__all__ = [
    "Access",
    "BatchChanges",
    "Cloud",
    "Grant",
    "PermissionCheck",
    "Probe",
    "Probing",
    "Provider",
    "Setup",
    "connect",
    "names",
    "probing",
]


def connect(provider: str, access: Access) -> Cloud:
    """Return the named provider, ready to be asked.

    Nothing is sent yet: a wrong secret or an unreachable host shows at the first question.

    Raises:
        AddressError: there is no such provider.
        SettingsError: credentials or endpoint settings are missing or unusable.
    """
    module = import_module(_module_of(provider))
    return cast(Callable[[Access], Cloud], module.connect)(access)


def probing(provider: str) -> Probing | None:
    """Return how the named provider is examined, None where its folder has no ``probe``.

    Raises:
        AddressError: there is no such provider.
    """
    module = import_module(_module_of(provider))
    if not hasattr(module, "__path__") or find_spec(f"{module.__name__}.probe") is None:
        return None
    return cast(Probing, import_module(f"{module.__name__}.probe"))


def _module_of(provider: str) -> str:
    if provider not in names():
        raise AddressError(f"unknown provider {provider!r}: expected one of {', '.join(names())}")
    return f"{__name__}.{provider.replace('-', '_')}"
