"""Guards for cloud security groups: may this group be deleted, may this instance be launched."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__all__ = ["__version__", "lazy"]

__version__ = "0.1.0"


class _Lazy:
    """A module that is imported when something of it is first used."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(import_module(self._name), attribute)


def lazy(name: str) -> _Lazy:
    """Return a stand-in for a module that most cold starts do not need.

    The one way to import late in this package. It stands at the top of a module, where readers,
    type checker and the test of the layers see the import::

        if TYPE_CHECKING:
            from sgguard.guards import launch
        else:
            launch = lazy("sgguard.guards.launch")  # a function that judges deletes needs none
    """
    return _Lazy(name)
