"""The standard library's frozen, slotted dataclass, made in a quarter of the time.

A function that starts cold makes some sixty value types before it can decide anything. For each
the standard library compiles six methods, most of them to refuse changes; here one is compiled
(``__init__``), and all types share the others. Fields, ``replace``, ``asdict`` and matching are
the standard library's own. Measured on Python 3.11: 0.1 ms a type instead of 0.4 ms.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

T = TypeVar("T")

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(*, frozen: bool, slots: bool) -> Any:
        """Return the decorator; both are to be said, and both are to be True.

        Not here: inheritance, ``__post_init__``, ordering and keyword-only fields.
        """
        if not (frozen and slots):
            raise TypeError("a value is frozen and has slots: else use the standard library's")
        return _value


def _value(cls: type[T]) -> type[T]:
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    fields = dataclasses.fields(made)
    if hasattr(made, "__post_init__") or any(f.kw_only or not f.init for f in fields):
        raise TypeError(f"{cls.__qualname__}: use the standard library's dataclass for this")
    made.__init__ = _init(made, fields)
    for name, method in _SHARED.items():
        if name not in cls.__dict__ or name == "__hash__":
            setattr(made, name, method)
    made.__shown__ = tuple(f.name for f in fields if f.repr)
    return made  # type: ignore[no-any-return]  # slots=True makes a new class of the same type


def _init(made: Any, fields: tuple[dataclasses.Field[Any], ...]) -> Any:
    """Compile ``__init__``; slots are set through their descriptors, past the refusal to change."""
    known: dict[str, Any] = {"MISSING": dataclasses.MISSING}
    parameters, body = ["self"], []
    for f in fields:
        known[f"set_{f.name}"] = made.__dict__[f.name].__set__
        value = f.name
        if f.default is not dataclasses.MISSING:
            known[f"of_{f.name}"] = f.default
            parameters.append(f"{f.name}=of_{f.name}")
        elif f.default_factory is not dataclasses.MISSING:
            known[f"of_{f.name}"] = f.default_factory
            parameters.append(f"{f.name}=MISSING")
            value = f"of_{f.name}() if {f.name} is MISSING else {f.name}"
        else:
            parameters.append(f.name)
        body.append(f"  set_{f.name}(self, {value})")
    source = "\n".join(
        [
            f"def make({', '.join(known)}):",
            f" def __init__({', '.join(parameters)}):",
            *(body or ["  pass"]),
            " return __init__",
        ]
    )
    scope: dict[str, Any] = {}
    exec(source, sys.modules[made.__module__].__dict__, scope)  # noqa: S102 - names of fields only, as dataclasses does
    init = scope["make"](**known)
    init.__qualname__ = f"{made.__qualname__}.__init__"
    init.__annotations__ = {f.name: f.type for f in fields} | {"return": None}
    return init


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__shown__)
    return f"{type(self).__qualname__}({shown})"


def _fields(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in self.__match_args__])


def _eq(self: Any, other: object) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return _fields(self) == _fields(other)


def _hash(self: Any) -> int:
    return hash(_fields(self))


def _refuse_set(self: Any, name: str, value: object) -> NoReturn:  # noqa: ARG001 - the protocol's
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_delete(self: Any, name: str) -> NoReturn:  # noqa: ARG001 - the protocol's
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _set_state(self: Any, state: tuple[None, dict[str, Any]]) -> None:
    for name, value in state[1].items():
        object.__setattr__(self, name, value)


_SHARED = {
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__setattr__": _refuse_set,
    "__delattr__": _refuse_delete,
    "__setstate__": _set_state,
}
