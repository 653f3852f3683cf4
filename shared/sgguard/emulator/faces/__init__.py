"""The wire faces: one package per emulated provider, found by its name.

``tencent_dfw`` is the face of the provider ``tencent-dfw``; it defines ``FACE: Face``. A module
whose name begins with an underscore is shared by several faces and is not a face.
"""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from importlib import import_module
from typing import cast

from sgguard.emulator.faces.base import Face

__all__ = ["Face", "all_faces"]


@lru_cache(maxsize=1)
def all_faces() -> dict[str, Face]:
    """Return every wire face by the name of its provider."""
    return {
        module.name.replace("_", "-"): cast(Face, import_module(f"{__name__}.{module.name}").FACE)
        for module in pkgutil.iter_modules(__path__)
        if module.name != "base" and not module.name.startswith("_")
    }
