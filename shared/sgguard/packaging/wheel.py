"""The wheels of the target: kept in a folder, and fetched by pip where one is missing.

Nothing is built from source: what is compiled here would be compiled for this machine.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from sgguard.errors import SettingsError
from sgguard.packaging.requirement import Pin
from sgguard.packaging.runtime import Target

# Without an index pip says "no matching distribution" too; it tells only where it tries again.
_UNREACHED = "after connection broken by"
_GLIBC_MIN = 5
_PIP_TIMEOUT_S = 600
_OLD_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_NEVER = ("tests/", "test/")
_NEVER_SUFFIXES = (".pyi", ".pyx", ".pxd", ".c", ".h", ".pth", ".pyc")
# Entry points stay: OpenTelemetry finds its own parts by them.
_NEVER_IN_INFO = ("RECORD", "INSTALLER", "REQUESTED", "top_level.txt")


class Wheel(msgspec.Struct, frozen=True):
    """One wheel on disk, and the SHA-256 of its bytes."""

    pin: Pin
    path: Path
    sha256: str

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield what of it goes into an artifact: no tests, no stubs, no lists of an installer."""
        with zipfile.ZipFile(self.path) as packed:
            for name in sorted(packed.namelist()):
                if placed := _placed(name):
                    yield placed, packed.read(name)


def wheels(pins: Iterable[Pin], target: Target, folder: Path, *, is_offline: bool) -> list[Wheel]:
    """Return the wheel of every pin, from the folder or an index.

    Raises:
        SettingsError: there is none for the target, none in the folder and ``is_offline``, or pip
            reached no index.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = list(pins)
    missing = [pin for pin in wanted if _kept(pin, target, folder) is None]
    if missing and is_offline:
        raise _missing(missing, target, f"in {folder}, and nothing is fetched with --offline")
    if missing:
        _fetch(missing, target, folder)
    found = {pin: _kept(pin, target, folder) for pin in wanted}
    lost = [pin for pin, path in found.items() if path is None]
    if lost:
        raise _missing(lost, target, "at the index that pip uses")
    return [
        Wheel(pin, path, hashlib.sha256(path.read_bytes()).hexdigest())
        for pin, path in found.items()
        if path is not None
    ]


def tags(target: Target) -> list[Tag]:
    """Return the tags that the target can run, the best first."""
    version = tuple(int(part) for part in target.python.split("."))
    platforms = _platforms(target)
    return [
        *cpython_tags(version, platforms=platforms),
        *compatible_tags(version, interpreter=f"cp{target.digits}", platforms=platforms),
    ]


def _platforms(target: Target) -> list[str]:
    major, newest = target.runtime.glibc
    found = []
    for minor in range(newest, _GLIBC_MIN - 1, -1):
        found.append(f"manylinux_{major}_{minor}_x86_64")
        if minor in _OLD_NAMES:
            found.append(f"{_OLD_NAMES[minor]}_x86_64")
    return [*found, "linux_x86_64"]


def _kept(pin: Pin, target: Target, folder: Path) -> Path | None:
    """Return the best wheel of a pin in the folder; of equals the first by name."""
    ranks: Mapping[Tag, int] = {tag: rank for rank, tag in reversed(list(enumerate(tags(target))))}
    found = []
    for path in folder.glob("*.whl"):
        try:
            name, version, _, own = parse_wheel_filename(path.name)
        except InvalidWheelFilename:
            continue
        usable = [ranks[tag] for tag in own if tag in ranks]
        if canonicalize_name(name) == pin.name and str(version) == pin.version and usable:
            found.append((min(usable), path.name, path))
    return min(found)[2] if found else None


def _fetch(pins: list[Pin], target: Target, folder: Path) -> None:
    """Let pip fetch the wheels, as it is set up on this machine.

    Raises:
        SettingsError: pip is not installed, reached no index, or found no wheel for the target.
    """
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-input", "--retries", "1"]
    command += ["--only-binary", ":all:", "--dest", str(folder)]
    command += ["--implementation", "cp", "--python-version", target.python]
    for abi in (f"cp{target.digits}", "abi3", "none"):
        command += ["--abi", abi]
    for platform in _platforms(target):
        command += ["--platform", platform]
    command += [str(pin) for pin in pins]
    try:
        ended = subprocess.run(  # noqa: S603 - our own interpreter; pins are of installed packages
            command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SettingsError("pip reached no index in time: try again, or use --offline") from error
    if ended.returncode == 0:
        return
    if "No module named pip" in ended.stderr:
        raise SettingsError(f"{sys.executable} has no pip, which fetches wheels: install it")
    if _UNREACHED in ended.stderr:
        raise SettingsError("pip reached no index: try again, or use --offline")
    lost = [pin for pin in pins if f"No matching distribution found for {pin}" in ended.stderr]
    if lost:
        raise _missing(lost, target, "at the index that pip uses")
    last = [line for line in ended.stderr.splitlines() if line.strip()][-1:]
    raise SettingsError(f"pip could not fetch wheels: {' '.join(last)}")


def _missing(pins: list[Pin], target: Target, where: str) -> SettingsError:
    named = ", ".join(map(str, pins))
    newest = ".".join(map(str, target.runtime.glibc))
    return SettingsError(
        f"no wheel for CPython {target.python} on Linux x86-64 with glibc {newest} {where}: {named}"
    )


def _placed(name: str) -> str:
    """Return where a file of a wheel goes; empty: nowhere."""
    first, _, rest = name.partition("/")
    if name.endswith("/") or name.endswith(_NEVER_SUFFIXES):
        return ""
    if first.endswith(".dist-info"):
        return "" if rest in _NEVER_IN_INFO else name
    if first.endswith(".data"):
        kind, _, below = rest.partition("/")
        return below if kind in ("purelib", "platlib") else ""
    return "" if any(f"/{part}" in f"/{rest}" for part in _NEVER) else name
