"""Narrowing JSON to its documented types: anything else is an unknown shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sgguard.errors import UnknownShapeError

Json = Mapping[str, Any]
"""A JSON object."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Reads values out of one response; ``provider`` and ``action`` name it in errors."""

    provider: str
    action: str

    def wrong(self, detail: str) -> UnknownShapeError:
        """Return the error that says what was expected, and where."""
        return UnknownShapeError(self.provider, self.action, detail=detail)

    def table(self, value: object, path: str) -> Json:
        """Return a JSON object.

        Raises:
            UnknownShapeError: it is something else.
        """
        if not isinstance(value, dict):
            raise self.wrong(f"{path}: expected an object, got {_kind(value)}")
        return value

    def tables(self, value: object, path: str) -> list[Json]:
        """Return a list of JSON objects.

        Raises:
            UnknownShapeError: it is not a list (null included), or holds something else.
        """
        if not isinstance(value, list):
            raise self.wrong(f"{path}: expected a list, got {_kind(value)}")
        return [self.table(item, f"{path}[{n}]") for n, item in enumerate(value)]

    def text(self, row: Json, key: str, path: str) -> str:
        """Return a text that must be there and not be empty.

        Raises:
            UnknownShapeError: it is missing, null, empty or no text.
        """
        value = row.get(key)
        if not isinstance(value, str) or not value:
            raise self.wrong(f"{path}.{key}: expected a text, got {_kind(value)}")
        return value

    def text_if_only_empty(self, row: Json, key: str, path: str) -> str:
        """Return a text that must be there, but may be empty.

        Raises:
            UnknownShapeError: it is missing, null or no text.
        """
        if row.get(key) is None:
            raise self.wrong(f"{path}.{key}: expected a text, got nothing")
        return self.text_or_empty(row, key, path)

    def text_or_empty(self, row: Json, key: str, path: str) -> str:
        """Return a text; missing and null are ``""``.

        Raises:
            UnknownShapeError: it is there, but no text.
        """
        value = row.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.wrong(f"{path}.{key}: expected a text, got {_kind(value)}")
        return value

    def texts(self, row: Json, key: str, path: str) -> tuple[str, ...]:
        """Return a list of texts.

        Raises:
            UnknownShapeError: it is missing, null, or holds something else.
        """
        value = row.get(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(f"{path}.{key}: expected a list of texts, got {_kind(value)}")
        return tuple(value)

    def integer_or_none(self, row: Json, key: str, path: str) -> int | None:
        """Return a whole number; missing and null are None.

        Raises:
            UnknownShapeError: it is there, but no whole number.
        """
        value = row.get(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(f"{path}.{key}: expected a whole number, got {_kind(value)}")
        return value

    def integer(self, row: Json, key: str, path: str) -> int:
        """Return a whole number that must be there.

        Raises:
            UnknownShapeError: it is missing, null or no whole number.
        """
        value = self.integer_or_none(row, key, path)
        if value is None:
            raise self.wrong(f"{path}.{key}: expected a whole number, got nothing")
        return value

    def flag(self, row: Json, key: str, path: str, *, otherwise: bool) -> bool:
        """Return a truth value; missing and null are ``otherwise``.

        Raises:
            UnknownShapeError: it is there, but neither true nor false.
        """
        value = row.get(key)
        if value is None:
            return otherwise
        if not isinstance(value, bool):
            raise self.wrong(f"{path}.{key}: expected true or false, got {_kind(value)}")
        return value


def _kind(value: object) -> str:
    """Name a JSON type without showing the value: it may be a secret."""
    return {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        type(None): "nothing",
    }.get(type(value), type(value).__name__)
