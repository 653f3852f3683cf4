"""Which distributions a function needs, in the versions that are installed here.

What is built is what was tested: nothing newer is looked for. Markers are judged for the target,
not for the Python that builds, for the two may differ (``pip`` judges them for its own).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from importlib import metadata

import msgspec
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sgguard.errors import SettingsError
from sgguard.packaging.runtime import Target

_OURS = "sgguard"
EXTRAS = ("chat", "jwt", "metrics", "otel", "postgres")
"""The extras of this package that a function can use."""


class Pin(msgspec.Struct, frozen=True, order=True):
    """One distribution in one version; ``name`` is the normal form of PEP 503."""

    name: str
    version: str

    def __str__(self) -> str:
        """Return it as a requirement."""
        return f"{self.name}=={self.version}"


def pins(target: Target, extras: Iterable[str] = ()) -> tuple[Pin, ...]:
    """Return every distribution that has to be in the artifact, sorted by name.

    Raises:
        SettingsError: one is not installed here, so its version is not known.
    """
    left_out = target.runtime.leaves_out
    env = environment(target)
    found: dict[str, Pin] = {}
    waiting = [(_OURS, frozenset(extras))]
    done: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in done:
            continue
        done.add((name, wanted))
        distribution = _distribution(name)
        if name != _OURS:
            found[name] = Pin(name, distribution.version)
        for one in _needed(distribution, wanted, env):
            needed = canonicalize_name(one.name)
            if needed not in left_out:
                waiting.append((needed, frozenset(one.extras)))
    found.pop(_OURS, None)
    return tuple(sorted(found.values()))


def environment(target: Target) -> dict[str, str]:
    """Return what markers are compared with: Linux on x86-64, and the target's Python."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{target.python}.0",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{target.python}.0",
        "python_version": target.python,
        "sys_platform": "linux",
    }


def _distribution(name: str) -> metadata.Distribution:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        raise SettingsError(
            f"{name} is not installed here, so nothing tells its version: install sgguard with "
            f"what the function needs (extras: {', '.join(EXTRAS)}), then package it again"
        ) from None


def _needed(
    distribution: metadata.Distribution, extras: Collection[str], env: Mapping[str, str]
) -> list[Requirement]:
    holds = partial(_holds, extras=extras, env=env)
    return [one for one in map(Requirement, distribution.requires or ()) if holds(one)]


def _holds(one: Requirement, *, extras: Collection[str], env: Mapping[str, str]) -> bool:
    if one.marker is None:
        return True
    return any(one.marker.evaluate({**env, "extra": extra}) for extra in (*extras, ""))
