"""Narrowing JSON to its documented types: anything else is an unknown shape.

What is unambiguous is read although it is spelt in another type: a whole number as text (``"22"``),
a text that is a number, ``"true"`` and ``1`` for a truth value. A field that decides nothing is
read with :meth:`Shape.shown`, which takes any value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from sgguard.errors import UnknownShapeError
from sgguard.wire.clock import utc_s

Json = Mapping[str, Any]
"""A JSON object."""

_DIGITS = re.compile(r"-?[0-9]{1,18}")
_TRUTHS: Mapping[str | int, bool] = {"true": True, "false": False, 1: True, 0: False}


class Shape(msgspec.Struct, frozen=True):
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
        if isinstance(value, str) and value:
            return value
        value = _text(value)
        if not isinstance(value, str) or not value:
            raise self.wrong(f"{path}.{key}: expected a text, got {_kind(value)}")
        return value

    def shown(self, row: Json, key: str) -> str:
        """Return a value that is only shown and decides nothing, as text; ``""`` for none.

        An object or a list is shown as JSON.
        """
        value = row.get(key)
        if value is None or isinstance(value, str):
            return value or ""
        return json.dumps(value, ensure_ascii=False)

    def text_if_only_empty(self, row: Json, key: str, path: str) -> str:
        """Return a text that must be there, but may be empty.

        Raises:
            UnknownShapeError: it is missing, null or no text.
        """
        if row.get(key) is None:
            raise self.wrong(f"{path}.{key}: expected a text, got nothing")
        return self.text_or_empty(row, key, path)

    def text_or_none(self, row: Json, key: str, path: str) -> str | None:
        """Return a text; missing and null are None: it is not told.

        Raises:
            UnknownShapeError: it is there, but no text.
        """
        return None if row.get(key) is None else self.text_or_empty(row, key, path)

    def tables_or_none(self, row: Json, key: str, path: str) -> list[Json] | None:
        """Return a list of objects; missing and null are None: it is not told.

        Raises:
            UnknownShapeError: it is there, but no list of objects.
        """
        return None if row.get(key) is None else self.tables(row[key], f"{path}.{key}")

    def text_or_empty(self, row: Json, key: str, path: str) -> str:
        """Return a text; missing and null are ``""``.

        Raises:
            UnknownShapeError: it is there, but no text.
        """
        value = row.get(key)
        if isinstance(value, str):
            return value
        value = _text(value)
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
        value = _whole_number(value)
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

    def time_s(self, row: Json, key: str, path: str) -> float:
        """Return a time in ISO 8601 as epoch seconds; without a zone it is of UTC.

        Raises:
            UnknownShapeError: it is missing, or no time.
        """
        text = self.text(row, key, path)
        try:
            return utc_s(text)
        except ValueError:
            raise self.wrong(f"{path}.{key}: expected a time in ISO 8601") from None

    def flag(self, row: Json, key: str, path: str, *, otherwise: bool) -> bool:
        """Return a truth value; missing and null are ``otherwise``.

        Raises:
            UnknownShapeError: it is there, but neither true nor false.
        """
        value = row.get(key)
        if value is None:
            return otherwise
        value = _truth(value)
        if not isinstance(value, bool):
            raise self.wrong(f"{path}.{key}: expected true or false, got {_kind(value)}")
        return value


def _text(value: object) -> object:
    """Return a number as text; anything else as it is."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else value


def _whole_number(value: object) -> object:
    """Return the whole number that a text or a float stands for; anything else as it is."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _truth(value: object) -> object:
    """Return the truth value that a text or a number stands for; anything else as it is."""
    spelt = value.lower() if isinstance(value, str) else value
    if isinstance(spelt, str | int):
        return _TRUTHS.get(spelt, value)
    return value


def _kind(value: object) -> str:
    """Name a JSON type without showing the value: it may be a secret."""
    if value == "":
        return "an empty text"
    return {
        dict: "an object",
        list: "a list",
        str: "a text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        type(None): "nothing",
    }.get(type(value), type(value).__name__)
