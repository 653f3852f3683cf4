"""Guards for cloud security groups: may this group be deleted, may this instance be launched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, TypeVar

__all__ = ["__version__", "hiding", "lazy"]

__version__ = "0.1.0"

T = TypeVar("T", bound=type)


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


def hiding(*hidden: str) -> Callable[[T], T]:
    """Leave these fields out of what a Struct shows of itself: secrets, and what is long.

    Of its ``repr``, and of what a debugger or a rich traceback prints. Fields of subclasses are
    shown, unless they hide them too::

        @hiding("env")
        class Access(msgspec.Struct, frozen=True): ...

    Raises:
        TypeError: the class has no such field, so something else would be shown.
    """

    def change(cls: T) -> T:
        known: Any = cls
        if unknown := sorted(set(hidden) - set(known.__struct_fields__)):
            raise TypeError(f"{cls.__name__} has no field {', '.join(unknown)} to hide")
        away = frozenset(hidden) | getattr(cls, "__hidden__", frozenset())

        def shown(self: Any) -> Iterator[tuple[str, Any]]:
            names = (name for name in self.__struct_fields__ if name not in away)
            return ((name, getattr(self, name)) for name in names)

        def text(self: Any) -> str:
            fields = ", ".join(f"{name}={value!r}" for name, value in shown(self))
            return f"{type(self).__qualname__}({fields})"

        known.__hidden__, known.__rich_repr__, known.__repr__ = away, shown, text
        return cls

    return change
