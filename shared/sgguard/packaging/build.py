"""Building one artifact, from the name of a function to the bytes that a platform takes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from sgguard import hiding
from sgguard.callers import LIBRARIES
from sgguard.errors import SettingsError
from sgguard.packaging import archive, bytecode, modules, requirement, runtime, sbom, wheel
from sgguard.packaging.runtime import Target
from sgguard.packaging.wheel import Wheel
from sgguard.policy import Policy
from sgguard.policy.start import load_started

PROGRAMS = frozenset({"scf_bootstrap", "bootstrap"})


class Wish(msgspec.Struct, frozen=True):
    """What is asked for: a function, its target, and what goes with it."""

    function: str
    target: Target
    wheels: Path
    policy: str = ""
    extras: tuple[str, ...] = ()
    interpreter: str = ""
    is_offline: bool = False


@hiding("files", "content", "sbom")
class Artifact(msgspec.Struct, frozen=True):
    """One artifact: its files, their archive and what is known about it.

    ``uncompiled`` says why no byte code is in it; empty: it is. ``unpacked`` is in bytes.
    """

    files: Mapping[str, bytes]
    content: bytes
    sbom: bytes
    sha256: str
    wheels: Sequence[Wheel]
    uncompiled: str
    unpacked: int


def build(wish: Wish) -> Artifact:
    """Build the artifact that is asked for.

    Raises:
        InputError: there is no such function.
        PolicyError: the policy file cannot be used.
        SettingsError: a wheel is missing, or the artifact is larger than the platform takes.
    """
    # 1. The distributions that the function needs, in the versions of this installation.
    policy_name = ""
    if wish.policy:
        _require_extras(load_started(wish.policy), wish)
        policy_name = f"policy{Path(wish.policy).suffix}"
    pins = requirement.pins(wish.target, wish.extras)
    found = wheel.wheels(pins, wish.target, wish.wheels, is_offline=wish.is_offline)
    # 2. This package, as far as the function reaches, and what the function is started with.
    files = {name: path.read_bytes() for name, path in modules.files_for(wish.function).items()}
    if wish.policy:
        files[policy_name] = Path(wish.policy).read_bytes()
    files |= runtime.entry_files(wish.target, wish.function, policy_name)
    files = _joined(files, found)
    # 3. Byte code, where this Python makes that of the target.
    compiled, uncompiled = bytecode.compiled(files, wish.target, wish.interpreter)
    files |= compiled
    # 4. Packed.
    is_image = wish.target.runtime.is_image
    content = (archive.tarred if is_image else archive.zipped)(files, PROGRAMS)
    most = wish.target.runtime.zip_max_bytes
    if len(content) > most and not is_image:
        raise SettingsError(
            f"the artifact has {len(content)} bytes, and {wish.target.runtime.name} takes {most}"
        )
    sha256 = hashlib.sha256(content).hexdigest()
    listed = sbom.document(wish.function, wish.target, found, sha256)
    unpacked = sum(map(len, files.values()))
    return Artifact(files, content, listed, sha256, found, uncompiled, unpacked)


def _require_extras(policy: Policy, wish: Wish) -> None:
    """Refuse a policy whose callers the artifact could not prove: it would not start.

    Raises:
        SettingsError: a caller needs an extra that is not asked for.
    """
    if "jwt" in wish.extras:
        return
    for caller in policy.callers:
        if wish.function in caller.functions and caller.kind in LIBRARIES:
            raise SettingsError(
                f"the caller {caller.name} of {wish.policy} is proven by {caller.kind}, which "
                "needs --extra jwt"
            )


def _joined(files: Mapping[str, bytes], wheels: Iterable[Wheel]) -> dict[str, bytes]:
    """Return the files with those of the wheels.

    Raises:
        SettingsError: two of them have a file of one name and different content.
    """
    joined = dict(files)
    for one in wheels:
        for name, content in one.files():
            if joined.setdefault(name, content) != content:
                raise SettingsError(f"{one.pin} has a file of its own at {name}")
    return joined
