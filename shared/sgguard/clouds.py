"""Which clouds there are: the modules of ``providers``, found by name and without importing any."""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from pathlib import Path

_FOLDER = Path(__file__).with_name("providers")


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """Return the names of every provider, sorted; ``tencent_dfw`` is ``tencent-dfw``.

    ``access`` and ``base`` are what every provider is made with; what several of them share begins
    with an underscore.
    """
    return tuple(
        sorted(
            module.name.replace("_", "-")
            for module in pkgutil.iter_modules([str(_FOLDER)])
            if module.name not in ("access", "base") and not module.name.startswith("_")
        )
    )
