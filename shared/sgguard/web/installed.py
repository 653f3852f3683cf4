"""Where the functions of this installation lie."""

from __future__ import annotations

from pathlib import Path

import sgguard


def folder() -> Path:
    """Return the folder with one folder per function.

    It is ``functions/`` of a checkout and ``sgguard/_functions/`` of an installed wheel.
    """
    package = Path(sgguard.__file__).resolve().parent
    packed = package / "_functions"
    return packed if packed.is_dir() else package.parents[1] / "functions"


def functions() -> dict[str, Path]:
    """Return the source file of every function by name."""
    return {main.parent.name: main for main in sorted(folder().glob("*/main.py"))}
