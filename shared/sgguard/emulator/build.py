"""Plain tables (TOML, JSON) into dataclasses, refusing what does not fit with its path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def build(kind: type[T], raw: object, path: str) -> T:
    """Return ``raw`` as an instance of the dataclass ``kind``.

    Raises:
        ValueError: an unknown or missing key or a wrong type; the message starts with its path.
    """
    if not isinstance(raw, Mapping):
        raise ValueError(f"{path}: expected a table, got {type(raw).__name__}")  # noqa: TRY004
    hints = get_type_hints(kind)
    known = {f.name: f for f in fields(kind)}  # type: ignore[arg-type]  # T is a dataclass
    for key in raw:
        if key not in known:
            raise ValueError(f"{path}.{key}: unknown key; expected one of {', '.join(known)}")
    for name, spec in known.items():
        if spec.default is MISSING and spec.default_factory is MISSING and name not in raw:
            raise ValueError(f"{path}.{name}: missing")
    return kind(**{key: _value(hints[key], value, f"{path}.{key}") for key, value in raw.items()})


def _value(hint: Any, value: object, path: str) -> object:
    origin, args = get_origin(hint), get_args(hint)
    if origin is list:
        if not isinstance(value, list):
            raise ValueError(f"{path}: expected a list, got {type(value).__name__}")
        return [_value(args[0], item, f"{path}[{n}]") for n, item in enumerate(value)]
    if origin is dict:
        if not isinstance(value, Mapping):
            raise ValueError(f"{path}: expected a table, got {type(value).__name__}")
        return {k: _value(args[1], item, f"{path}.{k}") for k, item in value.items()}
    if is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, path)
    if hint is Any:
        return value
    if hint is float and type(value) is int:
        return float(value)
    if not isinstance(value, hint) or (hint is int and isinstance(value, bool)):
        raise ValueError(f"{path}: expected {hint.__name__}, got {value!r}")
    return value
