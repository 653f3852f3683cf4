"""``sgguard unbind``: it is :mod:`sgguard.cli.bind` the other way round."""

from __future__ import annotations

from sgguard.cli.bind import unbind

__all__ = ["unbind"]
